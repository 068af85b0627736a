//! Attestations as they travel between operators.

use alloy::primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::omission::OmittedMarkets;
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
    /// Markets that the update leaves as they are: their features in the instances are zeros. Absent where there are none.
    #[serde(default, skip_serializing_if = "OmittedMarkets::is_none")]
    pub omitted_markets: OmittedMarkets,
    /// The proof's public inputs: features of all markets, then outputs of all markets.
    pub instances: Vec<U256>,
    /// Last close of each market, 8 decimals; empty where no market is compared with a price feed.
    pub closes_e8: Vec<u64>,
}

/// For what a promise was made: one payload for each market and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The chain.
    pub chain_id: u64,
    /// The contract there.
    pub oracle: Address,
    /// The model, as the contract calls it.
    pub model_id: B256,
    /// The period.
    pub period: PeriodId,
    /// Index in the model of each market that is not omitted, and the hash of its public inputs and close.
    pub payloads: Vec<(usize, B256)>,
}
