//! One prover for all jobs of a circuit, and what it has proved lately: a proof says nothing of the chain that it is for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::ProofError;
use super::{Proved, Prover};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

/// Proofs that are kept: of all markets that share a circuit in one period, a few kilobytes each.
const KEPT_PROOFS: usize = 256;

/// A prover that several jobs ask, each in its turn.
#[derive(Debug, Clone)]
pub struct SharedProver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: &'static str,
    /// Whoever asks first is served first.
    prover: tokio::sync::Mutex<Prover>,
    /// The newest last.
    proofs: Mutex<VecDeque<Proved>>,
}

impl SharedProver {
    /// Takes over a prover.
    pub fn new(prover: Prover) -> Self {
        let proofs = Mutex::new(VecDeque::with_capacity(KEPT_PROOFS));
        Self(Arc::new(Inner { name: prover.name(), prover: tokio::sync::Mutex::new(prover), proofs }))
    }

    /// As [`Prover::name`].
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// As [`Prover::prove`]. What was proved already for another job is not proved again, and says so.
    ///
    /// # Errors
    /// As [`Prover::prove`].
    pub async fn prove(&self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        // Waited for first: whoever is at work may be proving just this.
        let mut prover = self.0.prover.lock().await;
        let wanted = instances(inputs, outputs);
        if let Some(known) = self.0.proofs().iter().find(|known| known.proof.instances == wanted) {
            return Ok(Proved { reused: true, ..known.clone() });
        }
        let proved = prover.prove(inputs, outputs).await?;
        let mut proofs = self.0.proofs();
        if proofs.len() == KEPT_PROOFS {
            proofs.pop_front();
        }
        proofs.push_back(proved.clone());
        Ok(proved)
    }

    /// As [`Prover::verify`].
    ///
    /// # Errors
    /// As [`Prover::verify`].
    pub async fn verify(&self, proof: &Proof) -> Result<bool, ProofError> {
        self.0.prover.lock().await.verify(proof).await
    }

    /// As [`Prover::witness_sha256`].
    ///
    /// # Errors
    /// As [`Prover::witness_sha256`].
    pub async fn witness_sha256(&self, inputs: &[i32]) -> Result<Option<Digest>, ProofError> {
        self.0.prover.lock().await.witness_sha256(inputs).await
    }

    /// Ends whatever runs for it, after what it is doing. It starts again when it is asked again.
    pub async fn stop(&self) {
        self.0.prover.lock().await.stop().await;
    }
}

impl Inner {
    fn proofs(&self) -> std::sync::MutexGuard<'_, VecDeque<Proved>> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::MockProver;
    use super::*;

    #[tokio::test]
    async fn what_one_job_had_proved_serves_the_others() {
        let prover = SharedProver::new(Prover::Mock(MockProver::new(31_337).unwrap()));
        let first = prover.prove(&[1, 2], &[3]).await.unwrap();
        let again = prover.clone().prove(&[1, 2], &[3]).await.unwrap();
        assert_eq!((first.reused, again.reused, &first.proof), (false, true, &again.proof));
        assert!(!prover.prove(&[1, 2], &[4]).await.unwrap().reused, "other outputs are another proof");
        for output in 5..=5 + KEPT_PROOFS as i128 {
            prover.prove(&[1, 2], &[output]).await.unwrap();
        }
        assert!(!prover.prove(&[1, 2], &[3]).await.unwrap().reused, "only the newest are kept");
        assert_eq!(prover.0.proofs().len(), KEPT_PROOFS);
    }
}
