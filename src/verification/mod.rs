//! Proofs: the model bundle on disk, EZKL in a supervised child process, and a mock for dry runs.
//!
//! The prover trusts nobody: it checks the bundle's digests, compares the public inputs of each proof with the forecast
//! that was asked for, and hands out no proof that does not verify.

pub mod error;
pub mod ezkl;
pub mod mock;
pub mod shared;

use error::ProofError;
use ezkl::prover::EzklProver;
use mock::MockProver;

use veriregime_core::types::digest::Digest;
use veriregime_core::types::proof::Proof;

/// A proof and what it took.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The proof with its public inputs.
    pub proof: Proof,
    /// Digest of EZKL's witness; `None` where nothing was proven.
    pub witness_sha256: Option<Digest>,
    /// Time to run the circuit, in ms.
    pub witness_ms: f64,
    /// Time to prove, in ms.
    pub prove_ms: f64,
    /// Time to verify locally, in ms.
    pub verify_ms: f64,
    /// Whether it was proved before, for another job; the times are those of then.
    pub reused: bool,
}

/// Whatever turns a forecast into a proof.
#[derive(Debug)]
pub enum Prover {
    /// EZKL.
    Ezkl(Box<EzklProver>),
    /// Nothing is proven.
    Mock(MockProver),
}

impl Prover {
    /// Proves that the model maps the feature integers `inputs` (all markets) to the circuit's `outputs` (all markets).
    ///
    /// # Errors
    /// Each variant of [`ProofError`] says when; none leaves the prover unusable for the next call.
    pub async fn prove(&mut self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        match self {
            Self::Ezkl(prover) => prover.prove(inputs, outputs).await,
            Self::Mock(prover) => Ok(prover.prove(inputs, outputs)),
        }
    }

    /// Whether a proof holds under the bundle's key.
    ///
    /// # Errors
    /// When that could not be found out.
    pub async fn verify(&mut self, proof: &Proof) -> Result<bool, ProofError> {
        match self {
            Self::Ezkl(prover) => prover.verify(proof).await,
            Self::Mock(prover) => Ok(prover.verify(proof)),
        }
    }

    /// Digest of the witness of the feature integers `inputs`; `None` where nothing is proven.
    ///
    /// # Errors
    /// When the circuit could not be run.
    pub async fn witness_sha256(&mut self, inputs: &[i32]) -> Result<Option<Digest>, ProofError> {
        match self {
            Self::Ezkl(prover) => Ok(prover.run(&[inputs.to_vec()]).await?.witness_sha256.pop()),
            Self::Mock(_) => Ok(None),
        }
    }

    /// Ends whatever runs for it.
    pub async fn stop(&mut self) {
        if let Self::Ezkl(prover) = self {
            prover.stop().await;
        }
    }
}
