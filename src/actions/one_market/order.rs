//! The call that brings a forecast.

use alloy::primitives::{Address, B256, Bytes, U256};

use super::{Brought, OneMarketContract};
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update;
use crate::actions::risk_oracle::packed::{pack_features, pack_outputs};
use crate::actions::sent::Sent;
use crate::attestation::statement::pack;
use crate::chain::call::Call;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::update::PublishedUpdate;

/// Everything that the call takes.
#[derive(Debug, Clone)]
pub struct Order<'a, C: OneMarketContract> {
    /// The market's model.
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
    pub stated: C::Stated,
    /// Of that.
    pub stated_attestations: &'a [Attestation],
}

impl<C: OneMarketContract> Order<'_, C> {
    /// The call of a contract.
    pub fn call(&self, contract: Address) -> Call {
        let update = Update {
            modelId: self.model_id,
            period: self.period,
            omittedMarkets: U256::ZERO,
            features: pack_features(self.inputs),
            outputs: pack_outputs(self.outputs),
            proof: self.proof.clone(),
            attestations: pack(self.attestations),
        };
        Call::new(contract, C::calldata(update, self.stated, pack(self.stated_attestations)))
    }
}

/// Whether `calldata` is the call that brings just this forecast, with this beside it.
pub fn brings<C: OneMarketContract>(calldata: &[u8], update: &PublishedUpdate, stated: C::Stated) -> bool {
    C::brought(calldata).is_some_and(|call: Brought<C>| {
        let sent = Sent {
            model_id: call.update.modelId,
            period: call.update.period,
            omitted: call.update.omittedMarkets,
            features: &call.update.features,
            outputs: &call.update.outputs,
            proof: &call.update.proof,
            attestations: &call.update.attestations,
        };
        sent.is(update) && call.stated == stated
    })
}
