//! The compiler of generated verifiers.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alloy::primitives::Bytes;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::error::ProofError;

/// Largest generated verifier.
const MAX_VERIFIER_BYTES: u64 = 8 << 20;
/// Largest output of the compiler.
const MAX_COMPILED_BYTES: u64 = 8 << 20;
/// Longest time to compile a verifier.
const COMPILE_DEADLINE: Duration = Duration::from_mins(2);

/// What is compiled, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name of the contract.
    pub contract: &'static str,
    /// How often its code is expected to run: once makes it small, often makes it cheap to run.
    pub runs: u32,
}

impl Target {
    /// EZKL's verifier: its code is long, and hardly cheaper to run where it is longer.
    pub const SMALL: Self = Self { contract: "Halo2Verifier", runs: 1 };
    /// Our own: a few hundred bytes more make it cheaper by 2,000 gas.
    pub const CHEAP: Self = Self { contract: "Halo2Verifier", runs: 10_000 };
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
    /// Compiles the verifier of proofs in the file `solidity`.
    ///
    /// # Errors
    /// [`ProofError::Compiler`] or a file fault.
    pub async fn compile_file(&self, solidity: &Path) -> Result<Compiled, ProofError> {
        self.compile(&veriregime_files::read_bounded(solidity, MAX_VERIFIER_BYTES)?, Target::SMALL).await
    }

    /// Compiles a verifier's Solidity.
    ///
    /// # Errors
    /// [`ProofError::Compiler`].
    pub async fn compile(&self, source: &[u8], target: Target) -> Result<Compiled, ProofError> {
        let fault = |reason: String| ProofError::Compiler { compiler: self.script.clone(), reason };
        let output = timeout(COMPILE_DEADLINE, self.run(source, target))
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
    async fn run(&self, source: &[u8], target: Target) -> std::io::Result<Vec<u8>> {
        let mut child = Command::new(&self.node)
            .arg(&self.script)
            .args(["--contract", target.contract, "--runs", &target.runs.to_string()])
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
