//! An update as a call brings it, whichever contract is called.

use alloy::primitives::{B256, Bytes, U256};

use super::risk_oracle::packed::{pack_features, pack_outputs};
use veriregime_core::types::update::PublishedUpdate;

/// What calls name alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) model_id: B256,
    pub(super) period: u64,
    pub(super) omitted: U256,
    pub(super) features: &'a Bytes,
    pub(super) outputs: &'a Bytes,
    pub(super) proof: &'a Bytes,
    pub(super) attestations: &'a Bytes,
}

impl Sent<'_> {
    /// Whether it is just this update.
    pub(super) fn is(&self, update: &PublishedUpdate) -> bool {
        self.model_id == update.model_id
            && self.period == update.period.0
            && self.omitted == U256::from(update.omitted_markets.bits())
            && *self.features == pack_features(&update.candle_features)
            && *self.outputs == pack_outputs(&update.outputs)
            && update
                .arguments
                .as_ref()
                .is_some_and(|arguments| (self.proof, self.attestations) == (&arguments.proof, &arguments.attestations))
    }
}
