//! Proof, attestations and transaction of an update.

use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::risk_oracle::verifier::verification_call;
use crate::api::evidence::Facts;
use crate::api::jobs::ServedJob;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::{Attempt, Landed};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::proof::Proof;

/// A proof, and how to have it verified.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProofView {
    /// `ezkl`, `halo2` or `direct`.
    #[schema(example = "ezkl")]
    way: &'static str,
    /// The proof, 0x-hex; empty where the chain computes the network itself.
    bytes: String,
    /// SHA-256 of its bytes, hex.
    sha256: String,
    /// Field elements, 0x-hex: features of all markets, then outputs of all markets.
    public_inputs: Vec<String>,
    /// The contract that verifies it, 0x-hex; null where neither evidence nor the chain says it.
    verifier: Option<String>,
    /// What the verifier is to be called with, for `POST /v1/call`: it answers with a word that is 1 for a proof that holds.
    call_data: String,
}

impl ProofView {
    /// The proof that is stored, or that evidence has.
    pub(super) async fn of(job: &ServedJob, stored: Option<&Proof>, facts: Option<&Facts>) -> Option<Self> {
        let proof = stored.or(facts.and_then(|facts| facts.proof.as_ref()))?;
        let verifier = match facts {
            Some(facts) => Some(facts.verifier),
            None => job.relay.verifier().await.ok(),
        };
        Some(Self {
            way: facts.map_or(job.model.verification, |facts| facts.way),
            bytes: proof.bytes.to_string(),
            sha256: Digest::of(&proof.bytes).to_string(),
            public_inputs: proof.instances.iter().map(|instance| format!("{instance:#x}")).collect(),
            verifier: verifier.map(|verifier| verifier.to_string()),
            call_data: verification_call(proof).to_string(),
        })
    }
}

/// An attestor's signature.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttestationView {
    /// Who signed, 0x-hex.
    signer: String,
    /// 0x-hex.
    signature: String,
}

impl From<&Attestation> for AttestationView {
    fn from(Attestation { signer, signature }: &Attestation) -> Self {
        Self { signer: signer.to_string(), signature: signature.to_string() }
    }
}

/// The transaction that brought the update.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransactionView {
    /// 0x-hex.
    hash: String,
    /// Block that holds it.
    block: u64,
    /// Gas that it used.
    gas_used: u64,
    /// The wallet that paid, 0x-hex; null where the database has it no more.
    from: Option<String>,
    nonce: Option<u64>,
    /// Fee cap for a unit of gas, in wei, decimal.
    max_fee_per_gas_wei: Option<String>,
    /// What a unit of gas cost, in wei, decimal; null where the chain does not say it.
    effective_gas_price_wei: Option<String>,
    /// What the gas cost, in wei, decimal; on an OP stack the part of L1 is not in it.
    paid_wei: Option<String>,
}

impl TransactionView {
    /// Of a transaction that landed, of those that were signed.
    pub(super) async fn of(job: &ServedJob, landed: Landed, attempts: &[Attempt]) -> Self {
        let sent = attempts.iter().find(|attempt| attempt.hash == landed.hash);
        let price_wei = job.relay.gas_price_wei(landed.hash).await;
        let paid_wei = price_wei.and_then(|price_wei| price_wei.checked_mul(landed.gas_used.into()));
        Self {
            hash: landed.hash.to_string(),
            block: landed.block,
            gas_used: landed.gas_used,
            from: sent.map(|sent| sent.wallet.to_string()),
            nonce: sent.map(|sent| sent.nonce),
            max_fee_per_gas_wei: sent.map(|sent| sent.max_fee_per_gas_wei.to_string()),
            effective_gas_price_wei: price_wei.map(|wei| wei.to_string()),
            paid_wei: paid_wei.map(|wei| wei.to_string()),
        }
    }
}
