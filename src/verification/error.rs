//! Why there is no proof.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::bundle::error::BundleError;
use veriregime_core::model::ModelError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::verification::Way;
use veriregime_files::FileError;
#[cfg(feature = "halo2")]
use veriregime_halo2::Halo2Error;

/// Wait before a prover that died is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Everything that can go wrong between a bundle on disk and a proof that may leave.
#[derive(Debug, Error)]
pub enum ProofError {
    /// The worker's process cannot be started.
    #[error("cannot start the prover with {}", python.display())]
    Start { python: PathBuf, source: io::Error },
    /// Another EZKL than the one that the circuit is pinned to.
    #[error("the prover runs EZKL {found}, {expected} is needed")]
    Version { found: String, expected: String },
    /// A bundle without an EZKL circuit, or a model of another kind.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// No SRS of the needed size.
    #[error("the SRS {} is missing", path.display())]
    SrsMissing { path: PathBuf, logrows: u32 },
    /// An SRS with the wrong content.
    #[error("the SRS {} is not the expected one: {reason}", path.display())]
    SrsWrong { path: PathBuf, reason: String },
    /// An SRS that somebody could know the secret of, outside a development chain.
    #[error("the SRS {} is not the public ceremony's and chain {chain_id} is not a development chain", path.display())]
    SrsNotCeremony { path: PathBuf, chain_id: u64 },
    /// The worker took too long and was killed.
    #[error("the prover's `{call}` took longer than {} ms and was killed", deadline.as_millis())]
    Deadline { call: &'static str, deadline: Duration },
    /// The worker died.
    #[error("the prover died during `{call}` ({status}): {stderr}")]
    Crashed { call: &'static str, status: String, stderr: String },
    /// The worker ran into its memory limit.
    #[error("the prover's `{call}` needed more than {limit_mb} MB: {stderr}")]
    Memory { call: &'static str, limit_mb: u64, stderr: String },
    /// The worker answered with something that is not a response; it was killed.
    #[error("the prover's answer to `{call}` makes no sense: {reason}")]
    Malformed { call: &'static str, reason: String },
    /// EZKL refused.
    #[error("EZKL refused `{call}`: {message}")]
    Refused { call: &'static str, message: String },
    /// A row for which the circuit has no table: proving would never end.
    #[error("`{call}`: {message}")]
    OutOfTables { call: &'static str, message: String },
    /// The proof speaks about other inputs or outputs than the forecast.
    #[error("public input {index} of the proof is {found}, the forecast has {expected}")]
    Instances { index: usize, found: String, expected: String },
    /// The proof that was just made does not verify.
    #[error("the proof does not verify against the bundle's own key")]
    Unverified,
    /// Network and SRS do not give the keys that the manifest names.
    #[error("network and SRS give the verifying key {found}, the manifest says {expected}")]
    ForeignKeys { found: Digest, expected: Digest },
    /// A way that was left out of this program.
    #[error("this program was built without {way}")]
    WayAbsent { way: Way },
    /// halo2 does not make keys or proofs.
    #[cfg(feature = "halo2")]
    #[error(transparent)]
    Halo2(#[from] Halo2Error),
    /// The mock outside a development chain.
    #[error("the mock prover is for development chains, {chain_id} is none")]
    MockOnRealChain { chain_id: u64 },
    /// A circuit that this program will not make keys for.
    #[error("the circuit is refused: {reason}")]
    Circuit { reason: String },
    /// The generated verifier does not compile.
    #[error("cannot compile the verifier with {}: {reason}", compiler.display())]
    Compiler { compiler: PathBuf, reason: String },
    /// No form of the circuit that was tried will do.
    #[error("none of {tried} circuits keeps {required_percent} % of the float network's regimes: {reason}")]
    NoCircuit { tried: usize, required_percent: f64, reason: String },
    /// A bundle that is not right.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A network that has no exact form.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Diagnostic for ProofError {
    fn code(&self) -> &'static str {
        match self {
            Self::Start { .. } => "VR-PROVE-001",
            Self::Version { .. } => "VR-PROVE-002",
            Self::SrsMissing { .. } => "VR-PROVE-006",
            Self::SrsWrong { .. } => "VR-PROVE-007",
            Self::SrsNotCeremony { .. } => "VR-PROVE-008",
            Self::Deadline { .. } => "VR-PROVE-009",
            Self::Crashed { .. } => "VR-PROVE-010",
            Self::Memory { .. } => "VR-PROVE-011",
            Self::Malformed { .. } => "VR-PROVE-012",
            Self::Refused { .. } => "VR-PROVE-013",
            Self::Instances { .. } => "VR-PROVE-014",
            Self::Unverified => "VR-PROVE-015",
            Self::MockOnRealChain { .. } => "VR-PROVE-016",
            Self::Circuit { .. } => "VR-PROVE-017",
            Self::Compiler { .. } => "VR-PROVE-018",
            Self::NoCircuit { .. } => "VR-PROVE-021",
            Self::ForeignKeys { .. } => "VR-PROVE-022",
            Self::WayAbsent { .. } => "VR-PROVE-023",
            Self::OutOfTables { .. } => "VR-PROVE-024",
            #[cfg(feature = "halo2")]
            Self::Halo2(error) => error.code(),
            Self::Bundle(error) => error.code(),
            Self::Manifest(error) => error.code(),
            Self::Model(fault) => fault.code(),
            Self::File(fault) => fault.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Start { .. } => {
                "run `make setup`, or point `prover.python` at a Python that has prover/requirements.txt"
            }
            Self::Version { .. } => "install prover/requirements.txt into the Python that `prover.python` names",
            Self::SrsMissing { .. } => {
                "put the ceremony's kzg<k>.srs into `prover.srs_dir`; `demo` and `train` fetch it where the network allows"
            }
            Self::SrsWrong { .. } => {
                "delete the file and fetch the ceremony's again, or use the bundle that it was made for"
            }
            Self::SrsNotCeremony { .. } => "build the bundle's keys from the public ceremony's SRS",
            Self::Deadline { .. } => {
                "give the machine more room or raise `prover.timeout_seconds`; the worker restarts by itself"
            }
            Self::Crashed { .. } => {
                "read the captured lines; a kill without a message is the system short of memory; the worker restarts by itself"
            }
            Self::Memory { .. } => "raise `prover.memory_limit_mb`",
            Self::Malformed { .. } => {
                "see that `prover.python` is a plain Python with prover/requirements.txt and nothing more"
            }
            Self::Refused { .. } => "look at the file that the message names: it is not what EZKL expects there",
            Self::OutOfTables { .. } => {
                "nothing was proven; the integer evaluation should have refused this row: check that manifest and circuit belong together"
            }
            Self::Instances { .. } => {
                "the integer evaluation and the circuit disagree: do not submit, check that the ONNX and the circuit belong together"
            }
            Self::Unverified => {
                "do not submit; check that proving and verifying key belong together, then the machine's memory"
            }
            Self::MockOnRealChain { .. } => "set `prover.kind` to \"ezkl\", \"halo2\" or \"direct\"",
            Self::Circuit { .. } => {
                "export a network of additions, multiplications and squares with weights on the circuit's grid"
            }
            Self::Compiler { .. } => "run `make setup` for node_modules; Node 20 or newer is needed",
            Self::NoCircuit { .. } => "see the table of what was tried; larger SRS files or finer scales may help",
            Self::ForeignKeys { .. } => {
                "restore the bundle and its SRS; keys of another program's version must be made anew with `models set-up`"
            }
            Self::WayAbsent { .. } => "build it with `cargo build --release --features halo2`",
            #[cfg(feature = "halo2")]
            Self::Halo2(error) => error.hint(),
            Self::Bundle(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
            Self::Model(fault) => fault.hint(),
            Self::File(fault) => fault.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Deadline { .. } | Self::Crashed { .. } | Self::Malformed { .. } => Retry::Later(RETRY_AFTER),
            Self::File(fault) => fault.retry(),
            Self::Bundle(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}
