//! Circuit, keys and verifier of a bundle, from its ONNX file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy::primitives::{Bytes, keccak256};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::error::ProofError;
use super::protocol::{CircuitFiles, CircuitSettings, MakeSettings, Prove, Setup};
use super::srs::{MAX_LOGROWS, MIN_LOGROWS, Srs};
use super::supervisor::{EZKL_VERSION, Ezkl};
use crate::fs;
use crate::types::manifest::{
    CIRCUIT_FILE, Circuit, ONNX_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFIER_BYTECODE_FILE, VERIFIER_FILE,
    VERIFYING_KEY_FILE,
};
use crate::types::prediction::Outputs;

/// Rows of the domain that a circuit cannot have: blinding, and EZKL's own reserve. A circuit with more is folded into a
/// second column, which makes its proof and its verification much dearer than the next domain would.
const RESERVED_ROWS: usize = 8;
/// Rebasing would round, and need lookups to do so: no product here may reach this many times the scale.
const NO_REBASING: u32 = 10;
/// Largest generated verifier.
const MAX_VERIFIER_BYTES: u64 = 8 << 20;
/// Largest output of the compiler.
const MAX_COMPILED_BYTES: u64 = 8 << 20;
/// Longest time to compile a verifier.
const COMPILE_DEADLINE: Duration = Duration::from_mins(2);

/// What to build.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// Folder with the ONNX file; everything else is written there.
    pub folder: &'a Path,
    /// Folder with the reference strings.
    pub srs_folder: &'a Path,
    /// Markets of a proof: rows of the network's input.
    pub markets: usize,
    /// Features of a market: columns of the network's input.
    pub features: usize,
    /// log2 of the inputs' grid.
    pub input_scale: u32,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// Compiler of the verifier.
    pub compiler: &'a Compiler,
}

/// Makes settings, compiled circuit, keys and compiled verifier, and tries them with one proof. From the same ONNX and
/// reference string the same bytes come out, except in the compiled circuit, where EZKL writes a map in random order.
/// A string that is not in the folder is downloaded where that is possible.
///
/// # Errors
/// [`ProofError::Circuit`] for a network that is not plain arithmetic of the expected shape, [`ProofError::Refused`]
/// for one that EZKL cannot read, [`ProofError::SrsMissing`], [`ProofError::Compiler`], or what the worker ran into.
pub async fn build(ezkl: &mut Ezkl, build: &Build<'_>) -> Result<Circuit, ProofError> {
    let (settings, run_args) = fit(ezkl, build).await?;
    let output_scale = check(&settings, build).map_err(|reason| ProofError::Circuit { reason })?;
    let logrows = settings.run_args.logrows;
    let srs = Srs::obtain(ezkl, build.srs_folder, logrows).await?;
    let path = |name: &str| build.folder.join(name);
    let files = CircuitFiles {
        circuit: path(CIRCUIT_FILE),
        proving_key: path(PROVING_KEY_FILE),
        verifying_key: path(VERIFYING_KEY_FILE),
        settings: path(SETTINGS_FILE),
        srs: srs.path,
    };
    let verifier = path(VERIFIER_FILE);
    ezkl.call(&Setup { onnx: path(ONNX_FILE), files: files.clone(), verifier: verifier.clone() }).await?;
    ezkl.load(files).await?;
    let trial = ezkl.call(&Prove { row: vec![0.0; build.markets * build.features] }).await?;
    if !trial.verified {
        return Err(ProofError::Unverified);
    }
    let compiled = build.compiler.compile(&verifier).await?;
    fs::write_atomic(&path(VERIFIER_BYTECODE_FILE), compiled.bytecode.to_string().as_bytes())?;
    Ok(Circuit {
        ezkl_version: EZKL_VERSION.to_owned(),
        param_scale: build.param_scale,
        output_scale,
        logrows,
        rows: settings.num_rows,
        instances: trial.instances.len(),
        proof_bytes: trial.proof.len(),
        srs_sha256: srs.digest,
        srs_is_ceremony: srs.is_ceremony,
        run_args,
        verifier_code_hash: keccak256(&compiled.deployed_bytecode),
    })
}

/// Settings with the smallest domain that holds the circuit in one column.
async fn fit(ezkl: &mut Ezkl, build: &Build<'_>) -> Result<(CircuitSettings, BTreeMap<String, Value>), ProofError> {
    for logrows in MIN_LOGROWS..=MAX_LOGROWS {
        let run_args = run_args(build, logrows);
        let settings = ezkl
            .call(&MakeSettings {
                onnx: build.folder.join(ONNX_FILE),
                settings: build.folder.join(SETTINGS_FILE),
                run_args: run_args.clone(),
                calibration_data: None,
            })
            .await?;
        if settings.run_args.logrows == logrows && settings.num_rows + RESERVED_ROWS <= 1 << logrows {
            return Ok((settings, run_args));
        }
    }
    Err(ProofError::Circuit { reason: format!("it needs more than 2^{MAX_LOGROWS} rows") })
}

/// EZKL's arguments for exact arithmetic: one column, nothing rebased, nothing looked up. The range checks of inputs and
/// outputs are left out because the contract checks both ranges itself.
fn run_args(build: &Build<'_>, logrows: u32) -> BTreeMap<String, Value> {
    [
        ("input_visibility", json!("public")),
        ("output_visibility", json!("public")),
        ("param_visibility", json!("fixed")),
        ("input_scale", json!(build.input_scale)),
        ("param_scale", json!(build.param_scale)),
        ("scale_rebase_multiplier", json!(NO_REBASING)),
        ("num_inner_cols", json!(1)),
        ("logrows", json!(logrows)),
        ("ignore_range_check_inputs_outputs", json!(true)),
        ("disable_freivalds", json!(true)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Checks that the circuit is plain arithmetic from `[markets, features]` to `[markets, 3]`; gives its output scale.
fn check(settings: &CircuitSettings, build: &Build<'_>) -> Result<u32, String> {
    if !settings.required_lookups.is_empty() || !settings.required_range_checks.is_empty() {
        return Err("it needs lookups or range checks, so it would round".to_owned());
    }
    let expected = [[build.markets, build.features], [build.markets, Outputs::COUNT]];
    if settings.model_instance_shapes != expected {
        return Err(format!("its public tensors are {:?}, not {expected:?}", settings.model_instance_shapes));
    }
    match settings.model_output_scales[..] {
        [scale] => Ok(scale),
        _ => Err(format!("its outputs have scales {:?}, not one", settings.model_output_scales)),
    }
}

/// What compiles generated verifiers: the project's Node script around the pinned solc.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// Node.
    pub node: PathBuf,
    /// `contracts/verifier.mjs`.
    pub script: PathBuf,
}

/// A compiled verifier.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compiled {
    /// Creation code; the constructor takes nothing.
    pub bytecode: Bytes,
    /// Code on chain.
    pub deployed_bytecode: Bytes,
}

impl Compiler {
    /// Compiles the verifier in the file `solidity`.
    ///
    /// # Errors
    /// [`ProofError::Compiler`] or a file fault.
    pub async fn compile(&self, solidity: &Path) -> Result<Compiled, ProofError> {
        let source = fs::read_bounded(solidity, MAX_VERIFIER_BYTES)?;
        let fault = |reason: String| ProofError::Compiler { compiler: self.script.clone(), reason };
        let output = timeout(COMPILE_DEADLINE, self.run(&source))
            .await
            .map_err(|_| fault(format!("no result in {} s", COMPILE_DEADLINE.as_secs())))?
            .map_err(|error| fault(error.to_string()))?;
        let compiled: Compiled = serde_json::from_slice(&output).map_err(|error| fault(error.to_string()))?;
        if compiled.deployed_bytecode.is_empty() {
            return Err(fault("no code came out".to_owned()));
        }
        Ok(compiled)
    }

    /// The script's output for `source`; what it says on standard error is the error.
    async fn run(&self, source: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut child = Command::new(&self.node)
            .arg(&self.script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().expect("asked for a pipe");
        let stdout = child.stdout.take().expect("asked for a pipe");
        let stderr = child.stderr.take().expect("asked for a pipe");
        let feed = async move {
            // A compiler that does not start closes its input; its standard error tells more than the broken pipe.
            let _ = stdin.write_all(source).await;
        };
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let mut stdout = stdout.take(MAX_COMPILED_BYTES);
        let mut stderr = stderr.take(MAX_COMPILED_BYTES);
        let ((), read, complained) =
            tokio::join!(feed, stdout.read_to_end(&mut output), stderr.read_to_end(&mut complaint));
        read?;
        complained?;
        let status = child.wait().await?;
        if status.success() {
            return Ok(output);
        }
        let first_lines: String = String::from_utf8_lossy(&complaint).chars().take(500).collect();
        Err(std::io::Error::other(format!("{status}: {first_lines}")))
    }
}
