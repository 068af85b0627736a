//! An update as the chain tells it.

use alloy::primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::omission::OmittedMarkets;
use super::period::PeriodId;

/// One accepted update, from its event and its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedUpdate {
    /// The model on chain.
    pub model_id: B256,
    /// The period that it is for.
    pub period: PeriodId,
    /// Who sent it; has no say in what it does.
    pub relayer: Address,
    /// Markets that it leaves as they were. Absent in evidence where there are none.
    #[serde(default, skip_serializing_if = "OmittedMarkets::is_none")]
    pub omitted_markets: OmittedMarkets,
    /// Candle features, market after market.
    pub candle_features: Vec<i32>,
    /// Outputs, market after market.
    pub outputs: Vec<i128>,
    /// keccak256 of the proof.
    pub proof_hash: B256,
    /// Version of the attestor set that vouched for it.
    pub attestor_set_version: u32,
    /// Hash of the transaction.
    pub transaction: B256,
    /// Block that holds it.
    pub block: u64,
    /// `None` where another contract relayed the update, and neither the transaction nor the RPC shows with what.
    pub arguments: Option<Arguments>,
    /// Who attested, where the arguments do not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<Address>,
}

/// What only the call's arguments hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The proof.
    pub proof: Bytes,
    /// The attestations as `submit` takes them.
    pub attestations: Bytes,
}
