//! What `audit` and `verify-bundle` check alike.

use alloy::primitives::{U256, keccak256};
use serde::Serialize;

use crate::audit::{FeatureDifference, Verdict};
use crate::chain::published::AttestorCheck;
use crate::proof::Prover;
use crate::types::proof::Proof;
use crate::types::update::{Arguments, PublishedUpdate};

/// What was found so far.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// The worst of what was found.
    pub verdict: Verdict,
    /// Features that the candles do not give, first ones first.
    pub differences: Vec<FeatureDifference>,
    /// What else was found, in words.
    pub findings: Vec<String>,
    /// Who attested.
    pub attestors: Vec<AttestorCheck>,
}

impl Findings {
    /// With what the comparison of the features found.
    pub fn new(differences: Vec<FeatureDifference>) -> Self {
        let verdict = if differences.is_empty() { Verdict::Match } else { Verdict::DataDiffer };
        Self { verdict, differences, findings: Vec::new(), attestors: Vec::new() }
    }

    /// Notes something that is not as it should be.
    pub fn refuse(&mut self, verdict: Verdict, finding: impl Into<String>) {
        self.verdict = self.verdict.max(verdict);
        self.findings.push(finding.into());
    }

    /// Checks the proof against the event's digest and under the bundle's key.
    ///
    /// # Errors
    /// A prover that fails.
    pub async fn check_proof(
        &mut self,
        prover: &mut Prover,
        update: &PublishedUpdate,
        arguments: &Arguments,
        instances: Vec<U256>,
    ) -> anyhow::Result<Proof> {
        if keccak256(&arguments.proof) != update.proof_hash {
            self.refuse(Verdict::ProofInvalid, "the transaction's proof is not the event's");
        }
        let proof = Proof { bytes: arguments.proof.clone(), instances };
        if !prover.verify(&proof).await? {
            self.refuse(Verdict::ProofInvalid, "EZKL refuses the proof under the bundle's key");
        }
        Ok(proof)
    }

    /// Takes over what was found out about the attestors.
    pub fn take_attestors(&mut self, attestors: Vec<AttestorCheck>) {
        for check in &attestors {
            if check.signed == Some(false) {
                self.refuse(Verdict::AttestationInvalid, format!("the signature of {} is not theirs", check.attestor));
            }
            if check.in_set == Some(false) {
                self.refuse(Verdict::AttestationInvalid, format!("{} was not in the attestor set", check.attestor));
            }
        }
        self.attestors = attestors;
    }
}
