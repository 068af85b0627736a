//! The call that sells.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;

use super::abi::vault::{HedgeVault, IModelRegistry};
use super::prices::{decoded, encoded};
use crate::actions::risk_oracle::packed::{pack_features, pack_outputs};
use crate::actions::sent::Sent;
use crate::attestation::statement::pack;
use crate::chain::call::Call;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::update::PublishedUpdate;

/// Everything that `HedgeVault.execute` takes.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// The country's model.
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
    pub prices: Prices,
    /// Of the prices.
    pub price_attestations: &'a [Attestation],
}

impl Order<'_> {
    /// The call of a vault.
    pub fn call(&self, vault: Address) -> Call {
        let update = IModelRegistry::Update {
            modelId: self.model_id,
            period: self.period,
            omittedMarkets: U256::ZERO,
            features: pack_features(self.inputs),
            outputs: pack_outputs(self.outputs),
            proof: self.proof.clone(),
            attestations: pack(self.attestations),
        };
        let (prices, attestations) = (encoded(self.prices), pack(self.price_attestations));
        Call::new(vault, HedgeVault::executeCall { update, prices, attestations }.abi_encode())
    }
}

/// The order that `calldata` brings, where it is the call of `execute`.
pub(crate) fn executed(calldata: &[u8]) -> Option<HedgeVault::executeCall> {
    HedgeVault::executeCall::abi_decode(calldata).ok()
}

/// Whether `calldata` is the call of `execute` that brings just this forecast.
pub fn brings(calldata: &[u8], update: &PublishedUpdate) -> bool {
    executed(calldata).is_some_and(|call| {
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

/// The prices that `calldata` brings, where it is the call of `execute`.
pub fn prices_brought(calldata: &[u8]) -> Option<Prices> {
    executed(calldata).map(|call| decoded(&call.prices))
}
