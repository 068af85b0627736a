//! Setting the risk parameters of a model's markets.

use alloy::primitives::{Address, B256};

use super::read::period as checked;
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
    /// Whether updates of others have done for the period what one that omits these markets would: one has landed, and every
    /// market that is not omitted has been updated, or the contract itself has skipped it. A market that all of them omit
    /// still waits for one.
    pub(crate) async fn is_done(
        &self,
        read: &Reader,
        model_id: B256,
        period: PeriodId,
        omitted: OmittedMarkets,
    ) -> Result<bool, ChainError> {
        if read.latest_period(self.contract, model_id).await? != period {
            return Ok(false);
        }
        let markets = &self.expected.markets;
        if markets.len() == 1 {
            return Ok(true);
        }
        let mut waiting = Vec::new();
        for (index, market) in markets.iter().enumerate().filter(|(index, _)| !omitted.omits(*index)) {
            if checked(read.params(self.contract, *market).await?.current.period.to())? < period {
                waiting.push(index);
            }
        }
        if waiting.is_empty() {
            return Ok(true);
        }
        let updates = read.updates(self.contract, period).await?;
        let landed: Vec<_> = updates.iter().filter(|update| update.model_id == model_id).collect();
        let is_omitted = |index: &usize| landed.iter().all(|update| update.omitted_markets.omits(*index));
        Ok(!waiting.iter().any(is_omitted))
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
