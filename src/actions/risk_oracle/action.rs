//! Setting the risk parameters of a model's markets.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256};

use super::read::omitted_markets;
use super::spec::Expected;
use super::update::{Update, submitted};
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
    /// The last period for which an update that omits these markets would find nothing left to do.
    pub(crate) async fn last_period(
        &self,
        read: &Reader,
        omitted: OmittedMarkets,
        block: BlockId,
    ) -> Result<Option<PeriodId>, ChainError> {
        let markets = kept(&self.expected.markets, omitted);
        read.last_period(self.contract, &markets, self.expected.grid, block).await
    }

    /// The same for a stored call, of whatever model.
    pub(crate) async fn last_period_of(
        read: &Reader,
        contract: Address,
        calldata: &[u8],
    ) -> Result<Option<PeriodId>, ChainError> {
        let Some(update) = submitted(calldata) else { return Ok(None) };
        let (markets, grid) = read.markets_of(contract, update.modelId).await?;
        let omitted = omitted_markets(update.omittedMarkets)?;
        read.last_period(contract, &kept(&markets, omitted), grid, BlockId::latest()).await
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

/// The markets of which an update that omits some says something.
fn kept(markets: &[B256], omitted: OmittedMarkets) -> Vec<B256> {
    markets.iter().enumerate().filter(|(index, _)| !omitted.omits(*index)).map(|(_, market)| *market).collect()
}
