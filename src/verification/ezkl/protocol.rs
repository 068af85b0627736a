//! The calls that `prover/worker.py` answers, and their arguments and results.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alloy::primitives::{B256, Bytes, U256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use veriregime_core::types::digest::Digest;

/// Arguments of a call, tied to its name and to what comes back.
pub trait Call: Serialize {
    /// Name of the call.
    const NAME: &'static str;
    /// What the worker answers.
    type Answer: DeserializeOwned;
}

/// The nothing that some calls answer.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Done {}

/// Versions of the worker's software.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Hello {}

/// Answer to [`Hello`].
#[derive(Debug, Clone, Deserialize)]
pub struct Versions {
    /// Version of EZKL.
    pub ezkl_version: String,
    /// Version of Python.
    pub python_version: String,
}

/// Largest resident set of the worker so far.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PeakRss {}

/// Answer to [`PeakRss`].
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Memory {
    /// In bytes.
    pub peak_rss_bytes: u64,
}

/// The files of a circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CircuitFiles {
    /// Compiled circuit.
    pub circuit: PathBuf,
    /// Proving key.
    pub proving_key: PathBuf,
    /// Verifying key.
    pub verifying_key: PathBuf,
    /// Settings.
    pub settings: PathBuf,
    /// SRS.
    pub srs: PathBuf,
}

/// Makes the worker use these files from now on.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Load(pub CircuitFiles);

/// Runs the circuit without proving.
#[derive(Debug, Clone, Serialize)]
pub struct Witness {
    /// Real-valued inputs, exact on the circuit's input grid.
    pub rows: Vec<Vec<f64>>,
}

/// Answer to [`Witness`].
#[derive(Debug, Clone, Deserialize)]
pub struct Witnessed {
    /// Inputs then outputs of each row.
    pub instances: Vec<Vec<U256>>,
    /// Digest of each row's witness file.
    pub witness_sha256: Vec<Digest>,
}

/// Proves one row.
#[derive(Debug, Clone, Serialize)]
pub struct Prove {
    /// Real-valued inputs, exact on the circuit's input grid.
    pub row: Vec<f64>,
}

/// Answer to [`Prove`].
#[derive(Debug, Clone, Deserialize)]
pub struct Made {
    /// The proof.
    pub proof: Bytes,
    /// Its public inputs.
    pub instances: Vec<U256>,
    /// Whether EZKL itself accepts it.
    pub verified: bool,
    /// Digest of the witness file.
    pub witness_sha256: Digest,
    /// Time to run the circuit.
    pub witness_ms: f64,
    /// Time to prove.
    pub prove_ms: f64,
    /// Time to verify.
    pub verify_ms: f64,
}

/// Verifies a proof.
#[derive(Debug, Clone, Serialize)]
pub struct Verify {
    /// The proof.
    pub proof: Bytes,
    /// Its public inputs, each 32 bytes of hex.
    pub instances: Vec<B256>,
}

/// Answer to [`Verify`].
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Verdict {
    /// Whether the proof holds.
    pub valid: bool,
}

/// Writes the settings of a circuit.
#[derive(Debug, Clone, Serialize)]
pub struct MakeSettings {
    /// The network.
    pub onnx: PathBuf,
    /// File to write.
    pub settings: PathBuf,
    /// Arguments by EZKL's names.
    pub run_args: BTreeMap<String, Value>,
    /// Input to calibrate the scales on, where EZKL is to choose them.
    pub calibration_data: Option<PathBuf>,
}

/// Answer to [`MakeSettings`]: what is read of `settings.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct CircuitSettings {
    /// Rows in use.
    pub num_rows: usize,
    /// Shapes of the public tensors.
    pub model_instance_shapes: Vec<Vec<usize>>,
    /// log2 of each output tensor's grid.
    pub model_output_scales: Vec<u32>,
    /// Lookup tables that the circuit needs.
    pub required_lookups: Vec<Value>,
    /// Range checks that the circuit needs.
    pub required_range_checks: Vec<Value>,
    /// Arguments in effect.
    pub run_args: SettledRunArgs,
}

/// The part of the arguments in effect that others need.
#[derive(Debug, Clone, Deserialize)]
pub struct SettledRunArgs {
    /// log2 of the domain's rows.
    pub logrows: u32,
}

/// Compiles a circuit, makes its keys and its Solidity verifier.
#[derive(Debug, Clone, Serialize)]
pub struct Setup {
    /// The network.
    pub onnx: PathBuf,
    /// Where the circuit's files go; settings and string exist already.
    #[serde(flatten)]
    pub files: CircuitFiles,
    /// Where the Solidity goes.
    pub verifier: PathBuf,
}

/// Makes an SRS whose secret the worker knew.
#[derive(Debug, Clone, Serialize)]
pub struct GenerateSrs {
    /// File to write.
    pub path: PathBuf,
    /// log2 of its size.
    pub logrows: u32,
}

/// Downloads the ceremony's SRS.
#[derive(Debug, Clone, Serialize)]
pub struct DownloadSrs {
    /// New file to write.
    pub path: PathBuf,
    /// log2 of its size.
    pub logrows: u32,
}

macro_rules! calls {
    ($($arguments:ty => $name:literal -> $answer:ty;)*) => {
        $(impl Call for $arguments {
            const NAME: &'static str = $name;
            type Answer = $answer;
        })*
    };
}

calls! {
    Hello => "hello" -> Versions;
    PeakRss => "peak_rss" -> Memory;
    Load => "load" -> Done;
    Witness => "witness" -> Witnessed;
    Prove => "prove" -> Made;
    Verify => "verify" -> Verdict;
    MakeSettings => "settings" -> CircuitSettings;
    Setup => "setup" -> Done;
    GenerateSrs => "generate_srs" -> Done;
    DownloadSrs => "download_srs" -> Done;
}
