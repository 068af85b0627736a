//! What it takes to prove unrolled LSTMs of several sizes with EZKL, each built, set up and proven in this run.
//!
//! Their weights are made up, as fresh ones are drawn: what a circuit costs does not depend on them, but for the width of its tables, which
//! are chosen as `yield train` chooses them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::Config;
use crate::devnet::{self, bare_chain};
use crate::render::Render;
use crate::render::layout::Table;
use crate::verification::error::ProofError;
use crate::verification::ezkl::build::{Build, CircuitConfig, Decomposition, build};
use crate::verification::ezkl::protocol::Prove;
use crate::verification::ezkl::srs::Srs;
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::ezkl::worker::Settings;
use veriregime_core::model::lstm::LstmNetwork;
use veriregime_core::model::lstm_grid::{OnGrid, on_coarsest};
use veriregime_core::types::manifest::{ONNX_FILE, PROVING_KEY_FILE, VERIFIER_BYTECODE_FILE, VERIFIER_FILE};
use veriregime_core::types::proof::Proof;
use veriregime_core::yields::WINDOW_DAYS;
use veriregime_core::yields::forecast::OUTPUTS;

/// Numbers that stand beside each day.
const BESIDE: usize = 5;
/// Where normalised numbers are clipped.
const CLIP: f64 = 3.0;
/// Rows that a grid is chosen by.
const ROWS: u64 = 200;
/// Longest time for one call.
const DEADLINE: Duration = Duration::from_mins(30);
/// Products that a row of the circuit adds up.
const INNER_COLUMNS: u32 = 2;
/// Largest compiled verifier.
const MAX_BYTECODE_BYTES: u64 = 1 << 20;
/// Longest code that a chain keeps.
const MAX_CODE_BYTES: usize = 24_576;

/// What one size costs.
#[derive(Debug, Serialize)]
struct LstmFigures {
    units: [usize; 3],
    weights: usize,
    /// log2 of the grid.
    scale: u32,
    rows: usize,
    logrows: u32,
    instances: usize,
    proving_key_bytes: u64,
    /// Circuit, keys, verifier and a first proof.
    set_up_s: f64,
    witness_s: f64,
    prove_s: f64,
    proof_bytes: usize,
    peak_rss_bytes: u64,
    /// Of a transaction that verifies a proof and does nothing else.
    verify_gas: Option<u64>,
    code_bytes: usize,
    /// Whether a chain keeps code of this length.
    fits_chain: bool,
    srs_is_ceremony: bool,
}

/// All sizes that were asked for.
#[derive(Debug, Serialize)]
pub struct LstmReport {
    lstms: Vec<LstmFigures>,
}

/// Measures each size; `show` is told which. SRS files that the settings' folder lacks are made for this run, for development only.
///
/// # Errors
/// What the prover, the compiler or the disk runs into, among it too little memory: `memory_limit_mb`.
pub async fn measure(
    config: &Config,
    sizes: &[[usize; 3]],
    memory_limit_mb: u64,
    show: impl Fn([usize; 3]),
) -> anyhow::Result<LstmReport> {
    let mut lstms = Vec::with_capacity(sizes.len());
    for units in sizes {
        show(*units);
        lstms.push(measured(config, *units, memory_limit_mb).await?);
    }
    Ok(LstmReport { lstms })
}

async fn measured(config: &Config, units: [usize; 3], memory_limit_mb: u64) -> anyhow::Result<LstmFigures> {
    let fresh = LstmNetwork::drawn(WINDOW_DAYS, BESIDE, units, OUTPUTS.len(), numbers(0x5851_f42d_4c95_7f2d));
    let OnGrid { network, lstm, .. } = on_coarsest(&fresh, &rows())?;
    let scratch = tempfile::tempdir()?;
    let folder = scratch.path();
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &network.to_onnx())?;
    let form = CircuitConfig {
        inner_columns: INNER_COLUMNS,
        decomposition: Some(Decomposition { base: lstm.digit_base, legs: 1 }),
        lookup_bound: Some(lstm.lookup_bound),
        ..CircuitConfig::plain(lstm.scale, lstm.scale)
    };
    let compiler = devnet::bundles::compiler();
    let request = |srs_folder, form| Build {
        folder,
        srs_folder,
        markets: 1,
        features: network.features(),
        outputs: OUTPUTS.len(),
        form,
        compiler: &compiler,
    };
    let python = config.prover.python.clone();
    let mut ezkl = Ezkl::new(Settings { python, deadline: DEADLINE, memory_limit_mb });
    let own_srs: PathBuf = folder.join("srs");
    let mut started = Instant::now();
    let built = match build(&mut ezkl, &request(&config.prover.srs_dir, form)).await {
        Err(ProofError::SrsMissing { logrows, .. }) => {
            Srs::generate(&mut ezkl, &own_srs, logrows).await?;
            started = Instant::now();
            build(&mut ezkl, &request(&own_srs, CircuitConfig { logrows: Some(logrows), ..form })).await?
        }
        built => built?,
    };
    let set_up_s = started.elapsed().as_secs_f64();
    let made = ezkl.call(&Prove { row: rows().remove(0) }).await?;
    let peak_rss_bytes = ezkl.peak_rss_bytes().await?;
    ezkl.stop().await;
    let code = veriregime_files::read_text(&folder.join(VERIFIER_BYTECODE_FILE), MAX_BYTECODE_BYTES)?;
    let code_bytes = compiler.compile_file(&folder.join(VERIFIER_FILE)).await?.deployed_bytecode.len();
    let measured = gas(&code, &Proof { bytes: made.proof, instances: made.instances }).await;
    let verify_gas = measured.inspect_err(|error| tracing::warn!("no gas figures: {error:#}")).ok();
    Ok(LstmFigures {
        units,
        weights: network.parameters(),
        scale: lstm.scale,
        rows: built.circuit.rows,
        logrows: built.circuit.logrows,
        instances: built.circuit.instances,
        proving_key_bytes: veriregime_files::size_bytes(&folder.join(PROVING_KEY_FILE))?,
        set_up_s,
        witness_s: made.witness_ms / 1e3,
        prove_s: made.prove_ms / 1e3,
        proof_bytes: built.circuit.proof_bytes,
        peak_rss_bytes,
        verify_gas,
        code_bytes,
        fits_chain: code_bytes <= MAX_CODE_BYTES,
        srs_is_ceremony: built.circuit.srs_is_ceremony,
    })
}

/// Gas of a transaction that verifies the proof and does nothing else.
async fn gas(code: &str, proof: &Proof) -> anyhow::Result<u64> {
    let (_anvil, chain) = bare_chain().await?;
    let verifier = chain.create(code.trim().parse()?).await?;
    Ok(chain.verification_gas(verifier, proof).await?)
}

/// Numbers from −1 to 1, the same on every machine (Marsaglia's xorshift).
fn numbers(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Normalised rows all over their range.
fn rows() -> Vec<Vec<f64>> {
    let mut number = numbers(0x9e37_79b9_7f4a_7c15);
    (0..ROWS).map(|_| (0..WINDOW_DAYS + BESIDE).map(|_| CLIP * number()).collect()).collect()
}

impl Render for LstmReport {
    fn text(&self) -> String {
        let head = ["units", "weights", "grid", "rows", "2^", "proving key", "set-up", "witness", "prove", "memory"];
        let mut table = Table::new(&[&head[..], &["proof", "verifying", "verifier's code"]].concat());
        for one in &self.lstms {
            let gas = one.verify_gas.map_or_else(|| "not measured".to_owned(), |gas| format!("{gas} gas"));
            let [first, second, dense] = one.units;
            table.add_row([
                format!("{first}-{second}-{dense}"),
                one.weights.to_string(),
                format!("2^-{}", one.scale),
                one.rows.to_string(),
                one.logrows.to_string(),
                format!("{:.0} MB", one.proving_key_bytes as f64 / 1e6),
                format!("{:.1} s", one.set_up_s),
                format!("{:.2} s", one.witness_s),
                format!("{:.1} s", one.prove_s),
                format!("{:.2} GB", one.peak_rss_bytes as f64 / 1e9),
                format!("{} B", one.proof_bytes),
                gas,
                format!("{} B{}", one.code_bytes, if one.fits_chain { "" } else { ", too large" }),
            ]);
        }
        table.to_string()
    }
}
