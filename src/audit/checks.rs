//! What `audit` and `verify-bundle` check alike.

use alloy::primitives::{U256, keccak256};
use serde::Serialize;

use crate::actions::risk_oracle::published::AttestorCheck;
use crate::audit::compare::{FeatureDifference, Verdict};
use crate::verification::Prover;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::update::{Arguments, PublishedUpdate};

/// What was found so far.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// The worst of what was found.
    pub verdict: Verdict,
    /// Features that the candles do not give, first ones first.
    pub differences: Vec<FeatureDifference>,
    /// What else was found, in words.
    pub findings: Vec<String>,
    /// What was looked at, in words: a match is one of these things and of nothing else.
    pub checked: Vec<String>,
    /// What could not be looked at, in words.
    pub not_checked: Vec<String>,
    /// Who attested.
    pub attestors: Vec<AttestorCheck>,
}

impl Findings {
    /// With what the comparison of the features found.
    pub fn new(differences: Vec<FeatureDifference>) -> Self {
        let verdict = if differences.is_empty() { Verdict::Match } else { Verdict::DataDiffer };
        Self {
            verdict,
            differences,
            findings: Vec::new(),
            checked: Vec::new(),
            not_checked: Vec::new(),
            attestors: Vec::new(),
        }
    }

    /// Notes something that is not as it should be.
    pub fn refuse(&mut self, verdict: Verdict, finding: impl Into<String>) {
        self.verdict = self.verdict.max(verdict);
        self.findings.push(finding.into());
    }

    /// Notes what was looked at.
    pub fn checked(&mut self, what: impl Into<String>) {
        self.checked.push(what.into());
    }

    /// Notes what could not be looked at.
    pub fn not_checked(&mut self, what: impl Into<String>) {
        self.not_checked.push(what.into());
    }

    /// Checks the proof against the event's digest and under the bundle's key; without a proof, that the network computes the
    /// outputs.
    ///
    /// # Errors
    /// A prover that fails.
    pub async fn check_proof(
        &mut self,
        prover: &mut Prover,
        way: Way,
        update: &PublishedUpdate,
        arguments: &Arguments,
        instances: Vec<U256>,
    ) -> anyhow::Result<Proof> {
        if keccak256(&arguments.proof) != update.proof_hash {
            self.refuse(Verdict::ProofInvalid, "the transaction's proof is not the event's");
        }
        let proof = Proof { bytes: arguments.proof.clone(), instances };
        if !prover.verify(&proof).await? {
            self.refuse(
                Verdict::ProofInvalid,
                match way {
                    Way::Ezkl => "EZKL refuses the proof under the bundle's key",
                    Way::Halo2 => "halo2 refuses the proof under the bundle's key",
                    Way::Direct => "the bundle's network computes other outputs",
                },
            );
        }
        self.checked(match way {
            Way::Ezkl | Way::Halo2 => "the proof under the bundle's verifying key",
            Way::Direct => "the outputs, by computing the bundle's network",
        });
        Ok(proof)
    }

    /// Takes over what was found out about the attestors of an update that landed in `block`.
    pub fn take_attestors(&mut self, attestors: Vec<AttestorCheck>, block: u64) {
        if attestors.is_empty() {
            self.refuse(Verdict::AttestationInvalid, "nobody attested it");
        }
        let (mut signed, mut members) = (0, 0);
        for check in &attestors {
            let who = check.attestor;
            match check.signed {
                Some(true) => signed += 1,
                Some(false) => {
                    self.refuse(Verdict::AttestationInvalid, format!("the signature of {who} is not theirs"));
                }
                None => {
                    self.not_checked(format!("the signature of {who}, which only the chain could check"));
                }
            }
            match check.in_set {
                Some(true) => members += 1,
                Some(false) => {
                    self.refuse(Verdict::AttestationInvalid, format!("{who} was not in the attestor set"));
                }
                None => {
                    self.not_checked(format!("that {who} was in the attestor set: no state of block {block} at hand"));
                }
            }
        }
        let count = attestors.len();
        self.checked(format!(
            "who attested: {signed} of {count} signatures, {members} of {count} in the attestor set at block {block}"
        ));
        self.attestors = attestors;
    }
}
