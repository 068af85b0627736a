//! Selling a vault's WBTC by a country's forecast.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes};

use super::abi::vault::HedgeVault;
use super::order::{Order, executed};
use crate::actions::error::ActionError;
use crate::actions::one_market::OneMarketModel;
use crate::chain::answers::MAX_SECONDS;
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::public_inputs;
use veriregime_core::types::stated::Stated;

/// Sales of a `HedgeVault`.
#[derive(Debug, Clone)]
pub struct HedgeVaultAction {
    pub contract: Address,
    /// What the registry must say of the terms' model.
    pub model: OneMarketModel,
    /// The grid of its periods.
    pub grid: Grid,
}

impl HedgeVaultAction {
    /// The id of the terms' model, after checking that it is the bundle's, of the country.
    pub(crate) async fn model_id(&self, read: &Reader) -> Result<B256, ActionError> {
        let state = read.hedge_vault(self.contract).await?;
        if state.terms.modelId.is_zero() {
            return Err(ActionError::ForeignModel("the vault has no terms".into()));
        }
        let spec = read.model_spec(self.contract, state.terms.modelId).await?;
        match self.model.difference(&spec) {
            Some(difference) => Err(ActionError::ForeignModel(difference.into())),
            None => Ok(state.terms.modelId),
        }
    }

    /// The last period that sold, 0 before the first; `None` where the RPC has no state of the block.
    pub(crate) async fn last_period(&self, read: &Reader, block: BlockId) -> Result<Option<PeriodId>, ChainError> {
        let contract = HedgeVault::new(self.contract, &read.provider);
        let state = match contract.state().block(block).call().await.map_err(ChainError::from) {
            Ok(state) => state,
            Err(ChainError::Refused(_) | ChainError::Rejected(_)) if !block.is_latest() => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let seconds = start_seconds(state.lastPeriodStart.to())?;
        Ok(Some(self.grid.period_at(seconds.saturating_mul(1000))))
    }

    /// The same for a stored call, of whatever vault.
    pub(crate) async fn last_period_of(
        read: &Reader,
        contract: Address,
        calldata: &[u8],
    ) -> Result<Option<PeriodId>, ChainError> {
        let Some(call) = executed(calldata) else { return Ok(None) };
        let state = HedgeVault::new(contract, &read.provider).state().call().await?;
        let length = u64::from(state.periodSeconds).max(1);
        let last = state.lastPeriodStart.to::<u64>() / length;
        Ok((last <= call.update.period).then_some(PeriodId(last)))
    }

    /// The call of `execute`.
    pub(crate) fn call(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
        proof: &Bytes,
        attestations: [&[Attestation]; 2],
    ) -> Call {
        let [attestations, price_attestations] = attestations;
        let order = Order {
            model_id,
            period: period.0,
            inputs: &public_inputs::candle_features(&forecast.features),
            outputs: &public_inputs::outputs(&forecast.outputs),
            proof,
            attestations,
            prices: forecast.prices.and_then(Stated::prices).unwrap_or(Prices { eur_per_mwh_e6: 0, usd_per_eur_e6: 0 }),
            price_attestations,
        };
        order.call(self.contract)
    }
}

/// A time that a contract names.
fn start_seconds(seconds: u64) -> Result<i64, ChainError> {
    match i64::try_from(seconds) {
        Ok(start) if seconds <= MAX_SECONDS => Ok(start),
        _ => Err(ChainError::Garbage(format!("a sale of a period that starts at {seconds}"))),
    }
}
