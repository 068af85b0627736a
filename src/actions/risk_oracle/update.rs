//! An update from a forecast, its proof and its attestations, as the contract takes it.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;

use super::abi::oracle::IModelRegistry;
use super::abi::oracle::RiskOracle;
use super::packed::{pack_features, pack_outputs};
use crate::attestation::statement::pack;
use crate::chain::call::Call;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::feature::FeatureVector;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::Outputs;
use veriregime_core::types::public_inputs;

/// Everything that `RiskOracle.submit` takes.
#[derive(Debug, Clone)]
pub struct Update<'a> {
    pub model_id: B256,
    pub period: PeriodId,
    pub omitted: OmittedMarkets,
    pub features: &'a [FeatureVector],
    pub outputs: &'a [Outputs],
    pub proof: &'a Bytes,
    /// As many as the contract wants.
    pub attestations: &'a [Attestation],
}

impl Update<'_> {
    /// The call that brings it.
    pub fn call(&self, oracle: Address) -> Call {
        let update = IModelRegistry::Update {
            modelId: self.model_id,
            period: self.period.0,
            omittedMarkets: U256::from(self.omitted.bits()),
            features: pack_features(&public_inputs::candle_features(self.features)),
            outputs: pack_outputs(&public_inputs::outputs(self.outputs)),
            proof: self.proof.clone(),
            attestations: pack(self.attestations),
        };
        Call::new(oracle, RiskOracle::submitCall { update }.abi_encode())
    }
}

/// The update that `calldata` brings, where it is the call of `submit`.
pub(crate) fn submitted(calldata: &[u8]) -> Option<IModelRegistry::Update> {
    RiskOracle::submitCall::abi_decode(calldata).ok().map(|call| call.update)
}
