//! The call that publishes.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;

use super::abi::{Feed, IFeed, IModelRegistry};
use crate::actions::risk_oracle::packed::{pack_features, pack_outputs};
use crate::actions::sent::Sent;
use crate::attestation::statement::pack;
use crate::chain::call::Call;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::update::PublishedUpdate;
use veriregime_core::yields::level::Level;

/// Everything that `Feed.publish` takes.
#[derive(Debug, Clone)]
pub struct Publication<'a> {
    /// The strategy's model.
    pub model_id: B256,
    /// Number of its period.
    pub period: u64,
    /// Columns on the circuit's grid.
    pub inputs: &'a [i32],
    /// Outputs on theirs.
    pub outputs: &'a [i128],
    /// The proof.
    pub proof: &'a Bytes,
    /// Of inputs and outputs.
    pub attestations: &'a [Attestation],
    /// What is stated beside.
    pub level: Level,
    /// Of the level.
    pub level_attestations: &'a [Attestation],
}

impl Publication<'_> {
    /// The call of a feed.
    pub fn call(&self, feed: Address) -> Call {
        let update = IModelRegistry::Update {
            modelId: self.model_id,
            period: self.period,
            omittedMarkets: U256::ZERO,
            features: pack_features(self.inputs),
            outputs: pack_outputs(self.outputs),
            proof: self.proof.clone(),
            attestations: pack(self.attestations),
        };
        let (level, attestations) = (encoded(self.level), pack(self.level_attestations));
        Call::new(feed, Feed::publishCall { update, level, attestations }.abi_encode())
    }
}

/// A level as the contract takes it.
pub(super) fn encoded(level: Level) -> IFeed::Level {
    IFeed::Level { day: level.day, levelE9: level.level_e9, factorE9: level.factor_e9 }
}

/// A level as the contract tells it.
pub(super) fn decoded(level: &IFeed::Level) -> Level {
    Level { day: level.day, level_e9: level.levelE9, factor_e9: level.factorE9 }
}

/// What `calldata` brings, where it is the call of `publish`.
pub(crate) fn publishing(calldata: &[u8]) -> Option<Feed::publishCall> {
    Feed::publishCall::abi_decode(calldata).ok()
}

/// Whether `calldata` is the call of `publish` that brings just this forecast.
pub fn brings(calldata: &[u8], update: &PublishedUpdate) -> bool {
    publishing(calldata).is_some_and(|call| {
        let sent = Sent {
            model_id: call.update.modelId,
            period: call.update.period,
            omitted: call.update.omittedMarkets,
            features: &call.update.features,
            outputs: &call.update.outputs,
            proof: &call.update.proof,
            attestations: &call.update.attestations,
        };
        sent.is(update)
    })
}

/// The level that `calldata` brings, where it is the call of `publish`.
pub fn level_brought(calldata: &[u8]) -> Option<Level> {
    publishing(calldata).map(|call| decoded(&call.level))
}
