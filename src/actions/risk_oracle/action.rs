//! Setting the risk parameters of a model's markets.

use alloy::primitives::{Address, B256};

use super::spec::Expected;
use super::update::Update;
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::proof::Proof;

/// Updates of a `RiskOracle`.
#[derive(Debug, Clone)]
pub struct RiskOracleAction {
    pub contract: Address,
    /// What the contract must say about the bundle.
    pub expected: Expected,
}

impl RiskOracleAction {
    /// Whether updates have done for the period what one that omits these markets would: every market that is not omitted
    /// has been updated.
    pub(crate) async fn is_done(
        &self,
        read: &Reader,
        period: PeriodId,
        omitted: OmittedMarkets,
    ) -> Result<bool, ChainError> {
        let markets = &self.expected.markets;
        let mut waiting = Vec::new();
        for (index, market) in markets.iter().enumerate().filter(|(index, _)| !omitted.omits(*index)) {
            if read.period_of(self.contract, *market).await? < period {
                waiting.push(index);
            }
        }
        Ok(waiting.is_empty())
    }

    /// The call of `submit`.
    pub(crate) fn call(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
        proof: &Proof,
        attestations: &[Attestation],
    ) -> Call {
        let update = Update {
            model_id,
            period,
            omitted: forecast.omitted,
            features: &forecast.features,
            outputs: &forecast.outputs,
            proof: &proof.bytes,
            attestations,
        };
        update.call(self.contract)
    }
}
