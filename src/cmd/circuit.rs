//! Ways of verification: `models set-up`; and proofs of models of a table: `models prove` and `models verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{EXIT_DONE, EXIT_MISSED, print};
use crate::bundle::registry::Registry;
use crate::config::place;
use crate::modelling::set_up::{CircuitTools, SetUpRequest, set_up};
use crate::operator::table_proof::{ProverFiles, prove, verify};
use crate::verification::compiler::Compiler;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::types::manifest::verification::Way;

/// Longest time for one call of the prover.
const DEADLINE: Duration = Duration::from_mins(2);

/// Where the prover is.
#[derive(Debug, Args)]
pub struct ProverArgs {
    /// Folder with the ceremony's SRS files, `kzg<k>.srs`.
    #[arg(long, value_name = "DIR", default_value = "srs")]
    srs_dir: PathBuf,
    /// Python with the pinned EZKL.
    #[arg(long, value_name = "FILE", default_value = ".venv/bin/python")]
    python: PathBuf,
    /// Memory that EZKL may take, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    memory_limit_mb: u64,
}

/// What makes circuits.
#[derive(Debug, Args)]
pub struct CircuitArgs {
    #[command(flatten)]
    prover: ProverArgs,
    /// Node, for the compiler of the verifier.
    #[arg(long, value_name = "FILE", default_value = "node")]
    node: PathBuf,
    /// The compiler of the verifier.
    #[arg(long, value_name = "FILE", default_value = "contracts/verifier.mjs")]
    compiler: PathBuf,
}

impl CircuitArgs {
    pub(super) fn tools(&self) -> CircuitTools<'_> {
        CircuitTools {
            srs_folder: &self.prover.srs_dir,
            python: place::tool(&self.prover.python),
            compiler: Compiler { node: self.node.clone(), script: place::tool(&self.compiler) },
            memory_limit_mb: self.prover.memory_limit_mb,
        }
    }
}

/// Arguments of `models set-up`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent models set-up miner --srs-dir srs --inner-columns 2
  veriregime-agent models set-up btc-regime-4h-v1 --way halo2
  veriregime-agent models set-up btc-regime-4h-v1 --way direct

The manifest's digest changes: a contract that knows the model by the old one must be told of the new one.")]
pub struct SetUpArgs {
    /// Its folder's name.
    id: String,
    /// How the chain is to be convinced: a proof of EZKL's circuit (of models of a table; `train` makes those of candles), one of
    /// this project's own, or a contract that computes the network.
    #[arg(long, value_name = "WAY", default_value = "ezkl", value_parser = way)]
    way: Way,
    /// Products that a row of EZKL's circuit adds up: one makes the proof shorter, two the keys smaller.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4))]
    inner_columns: u32,
    #[command(flatten)]
    circuit: CircuitArgs,
}

/// Arguments of `models prove`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent models prove miner --row 5.38,74600,8.6,12.2,2200 …

`models show ID --json` names the columns and their units.")]
pub struct ProveArgs {
    /// Its folder's name.
    id: String,
    /// A number for each column, in their order.
    #[arg(long, required = true, value_delimiter = ',', allow_hyphen_values = true, value_name = "NUMBERS")]
    row: Vec<f64>,
    /// Where to write the proof.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    prover: ProverArgs,
}

/// Arguments of `models verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent models verify miner --proof proof.json

Exit status 3 where the proof does not hold.")]
pub struct VerifyArgs {
    /// Its folder's name.
    id: String,
    /// What `models prove` wrote.
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    #[command(flatten)]
    prover: ProverArgs,
}

impl ProverArgs {
    fn files(&self) -> ProverFiles<'_> {
        let (python, memory_limit_mb) = (place::tool(&self.python), self.memory_limit_mb);
        ProverFiles {
            worker: WorkerSettings { python, deadline: DEADLINE, memory_limit_mb },
            srs_folder: &self.srs_dir,
        }
    }
}

/// A way by its name.
///
/// # Errors
/// The names that there are.
pub fn way(name: &str) -> Result<Way, String> {
    let known = Way::ALL.map(Way::name);
    Way::ALL.into_iter().find(|way| way.name() == name).ok_or_else(|| format!("known are {}", known.join(", ")))
}

/// Runs `models set-up`.
///
/// # Errors
/// As [`set_up`].
pub async fn run_set_up(args: &SetUpArgs, registry: &Registry, json: bool) -> anyhow::Result<u8> {
    let request = SetUpRequest {
        bundle: &registry.open(&args.id)?,
        way: args.way,
        tools: &args.circuit.tools(),
        inner_columns: args.inner_columns,
    };
    print::output(json, &set_up(&request).await?);
    Ok(EXIT_DONE)
}

/// Runs `models prove`.
///
/// # Errors
/// As [`prove`].
pub async fn run_prove(args: &ProveArgs, registry: &Registry, json: bool) -> anyhow::Result<u8> {
    let bundle = registry.open(&args.id)?;
    print::output(json, &prove(&bundle, &args.row, &args.prover.files(), args.output.as_deref()).await?);
    Ok(EXIT_DONE)
}

/// Runs `models verify`.
///
/// # Errors
/// As [`verify`].
pub async fn run_verify(args: &VerifyArgs, registry: &Registry, json: bool) -> anyhow::Result<u8> {
    let judgement = verify(&registry.open(&args.id)?, &args.proof, &args.prover.files()).await?;
    print::output(json, &judgement);
    Ok(if judgement.valid { EXIT_DONE } else { EXIT_MISSED })
}
