//! Attestations as they travel between operators.

use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::period::PeriodId;

/// One account's signature of a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Who signed.
    pub signer: Address,
    /// 65 bytes by a key; whatever else there is, a contract made.
    pub signature: Bytes,
}

/// What one operator asks another to sign: all that the contract will be told, but for the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestRequest {
    /// The chain.
    pub chain_id: u64,
    /// The contract there.
    pub oracle: Address,
    /// The model, as the contract calls it.
    pub model_id: B256,
    /// The period.
    pub period: PeriodId,
    /// Version of the contract's attestor set.
    pub attestor_set_version: u32,
    /// The proof's public inputs: features of all markets, then outputs of all markets.
    pub instances: Vec<U256>,
    /// Last close of each market, 8 decimals; empty where no market is compared with a price feed.
    pub closes_e8: Vec<u64>,
}

/// For what a promise was made: one payload and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The chain.
    pub chain_id: u64,
    /// The contract there.
    pub oracle: Address,
    /// The model, as the contract calls it.
    pub model_id: B256,
    /// The period.
    pub period: PeriodId,
    /// Hash of public inputs and closes.
    pub payload: B256,
}
