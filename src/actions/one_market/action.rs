//! What a job does at such a contract.

use std::marker::PhantomData;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes};

use super::OneMarketContract;
use super::model::OneMarketModel;
use super::order::Order;
use crate::actions::error::ActionError;
use crate::chain::answers::MAX_SECONDS;
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::public_inputs;

/// Forecasts of one market for a contract.
#[derive(Debug, Clone)]
pub struct OneMarketAction<C> {
    /// Where it is.
    pub contract: Address,
    /// What the registry must say of its model.
    pub model: OneMarketModel,
    /// The grid of its periods.
    pub grid: Grid,
    kind: PhantomData<C>,
}

impl<C: OneMarketContract> OneMarketAction<C> {
    /// At a contract, with a model whose periods lie on that grid.
    pub fn new(contract: Address, model: OneMarketModel, grid: Grid) -> Self {
        Self { contract, model, grid, kind: PhantomData }
    }

    /// The id of the model that the contract serves, after checking that it is the bundle's, of the job's market.
    pub(crate) async fn model_id(&self, read: &Reader) -> Result<B256, ActionError> {
        let model_id = C::served_model(read, self.contract, &self.model).await?;
        let spec = read.model_spec(self.contract, model_id).await?;
        match self.model.difference(&spec) {
            Some(difference) => Err(ActionError::ForeignModel(difference.into())),
            None => Ok(model_id),
        }
    }

    /// The last period with a forecast, 0 before the first; `None` where the RPC has no state of the block.
    pub(crate) async fn last_period(&self, read: &Reader, block: BlockId) -> Result<Option<PeriodId>, ChainError> {
        let seconds = match C::last_start(read, self.contract, block).await {
            Ok((seconds, _)) if seconds <= MAX_SECONDS => i64::try_from(seconds).unwrap_or(i64::MAX),
            Ok((seconds, _)) => {
                return Err(ChainError::Garbage(format!("{} of a period that starts at {seconds}", C::NAME)));
            }
            Err(ChainError::Refused(_) | ChainError::Rejected(_)) if !block.is_latest() => return Ok(None),
            Err(fault) => return Err(fault),
        };
        Ok(Some(self.grid.period_at(seconds.saturating_mul(1000))))
    }

    /// The same for a stored call, of whatever contract of the kind.
    pub(crate) async fn last_period_of(
        read: &Reader,
        contract: Address,
        calldata: &[u8],
    ) -> Result<Option<PeriodId>, ChainError> {
        let Some(call) = C::brought(calldata) else { return Ok(None) };
        let (seconds, length) = C::last_start(read, contract, BlockId::latest()).await?;
        let last = seconds / length.max(1);
        Ok((last <= call.update.period).then_some(PeriodId(last)))
    }

    /// The call, with the attestations of the forecast and of what is stated beside it.
    pub(crate) fn call(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
        proof: &Bytes,
        [attestations, stated_attestations]: [&[Attestation]; 2],
    ) -> Call {
        let order = Order::<C> {
            model_id,
            period: period.0,
            inputs: &public_inputs::candle_features(&forecast.features),
            outputs: &public_inputs::outputs(&forecast.outputs),
            proof,
            attestations,
            stated: forecast.stated.and_then(C::stated).unwrap_or_default(),
            stated_attestations,
        };
        order.call(self.contract)
    }
}
