//! The cost of proving somebody else's network with EZKL as it comes, to compare ours with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::protocol::{CircuitFiles, MakeSettings, Prove, Setup};
use super::srs::Srs;
use super::supervisor::Ezkl;
use super::worker::Settings;
use crate::verification::compiler::{Compiled, Compiler};
use crate::verification::error::ProofError;
use veriregime_core::types::proof::Proof;
use veriregime_files::FileError;

/// A large network takes its time.
const DEADLINE: Duration = Duration::from_mins(20);
/// And its memory.
const MEMORY_LIMIT_MB: u64 = 16 << 10;
/// Largest input document.
const MAX_INPUT_BYTES: u64 = 16 << 20;

/// What the other network costs.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// log2 of the domain's rows.
    pub logrows: u32,
    /// Time of one proof, in ms.
    pub prove_ms: f64,
    /// Size of the proving key.
    pub pk_bytes: u64,
    /// The proof, for measuring what its verification costs on chain.
    pub proof: Proof,
    /// The verifier that takes it.
    pub verifier: Compiled,
}

#[derive(Deserialize)]
struct Input {
    input_data: Vec<Vec<f64>>,
}

/// Builds the circuit of `onnx` with EZKL's default arguments, calibrated on `input`, public inputs and outputs, keys from
/// a fresh, insecure development SRS, and proves `input` (EZKL's `{"input_data": [[…]]}`) once.
///
/// # Errors
/// What EZKL, the compiler or the disk ran into.
pub async fn measure(python: PathBuf, compiler: &Compiler, onnx: &Path, input: &Path) -> Result<Baseline, ProofError> {
    let document = veriregime_files::read_bounded(input, MAX_INPUT_BYTES)?;
    let Input { input_data } = serde_json::from_slice(&document)
        .map_err(|error| FileError::Read { path: input.to_owned(), source: std::io::Error::other(error) })?;
    let folder = tempfile::tempdir().map_err(|source| FileError::Write { path: std::env::temp_dir(), source })?;
    let mut ezkl = Ezkl::new(Settings { python, deadline: DEADLINE, memory_limit_mb: MEMORY_LIMIT_MB });
    let path = |name: &str| folder.path().join(name);
    let run_args = ["input", "output"].map(|what| (format!("{what}_visibility"), json!("public")));
    let settings = ezkl
        .call(&MakeSettings {
            onnx: onnx.to_owned(),
            settings: path("settings"),
            run_args: BTreeMap::from(run_args),
            calibration_data: Some(input.to_owned()),
        })
        .await?;
    let logrows = settings.run_args.logrows;
    let files = CircuitFiles {
        circuit: path("circuit"),
        proving_key: path("pk"),
        verifying_key: path("vk"),
        settings: path("settings"),
        srs: Srs::generate(&mut ezkl, folder.path(), logrows).await?.path,
    };
    let verifier = path("Verifier.sol");
    ezkl.call(&Setup { onnx: onnx.to_owned(), files: files.clone(), verifier: verifier.clone() }).await?;
    let pk_bytes = veriregime_files::size_bytes(&files.proving_key)?;
    ezkl.load(files).await?;
    let made = ezkl.call(&Prove { row: input_data.into_iter().flatten().collect() }).await?;
    if !made.verified {
        return Err(ProofError::Unverified);
    }
    ezkl.stop().await;
    Ok(Baseline {
        logrows,
        prove_ms: made.prove_ms,
        pk_bytes,
        proof: Proof { bytes: made.proof, instances: made.instances },
        verifier: compiler.compile_file(&verifier).await?,
    })
}
