//! Attestations, and what is promised with them.

use alloy::primitives::{Address, B256, Bytes};
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

/// For what a promise was made: one payload for each market and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The chain.
    pub chain_id: u64,
    /// The contract there.
    pub registry: Address,
    /// The model, as the contract calls it.
    pub model_id: B256,
    /// The period.
    pub period: PeriodId,
    /// When the period ends, in Unix seconds: what was promised is remembered beyond that.
    pub ends_seconds: i64,
    /// Index in the model of each market that is not omitted, and the hash of its public inputs and close.
    pub payloads: Vec<(usize, B256)>,
}
