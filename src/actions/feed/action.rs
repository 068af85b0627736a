//! Publishing a strategy's forecast.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes};

use super::abi::{Feed, IFeed};
use super::model::PURPOSE;
use super::publication::{Publication, publishing};
use crate::actions::error::ActionError;
use crate::actions::one_market::OneMarketModel;
use crate::chain::answers::MAX_SECONDS;
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use alloy::primitives::keccak256;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::public_inputs;
use veriregime_core::types::stated::Stated;
use veriregime_core::yields::level::Level;

/// Forecasts of a `Feed`.
#[derive(Debug, Clone)]
pub struct FeedAction {
    pub contract: Address,
    /// Name of the strategy.
    pub strategy: String,
    /// What the registry must say of its model.
    pub model: OneMarketModel,
    /// The grid of its periods.
    pub grid: Grid,
}

impl FeedAction {
    /// The id of the strategy's active model, after checking that it is the bundle's and that the feed is the strategy's.
    pub(crate) async fn model_id(&self, read: &Reader) -> Result<B256, ActionError> {
        if !read.has_code(self.contract).await? {
            return Err(ActionError::NoContract(self.contract));
        }
        let feed = Feed::new(self.contract, &read.provider);
        let market = keccak256(&self.strategy);
        if feed.strategy().call().await.map_err(ChainError::from)? != market {
            return Err(ActionError::ForeignModel("the feed is another strategy's".into()));
        }
        let model_id = read.active_model(self.contract, keccak256(PURPOSE), market).await?;
        if model_id.is_zero() {
            return Err(ActionError::ForeignModel("the registry has no active model of the strategy".into()));
        }
        let spec = read.model_spec(self.contract, model_id).await?;
        match self.model.difference(&spec) {
            Some(difference) => Err(ActionError::ForeignModel(difference.into())),
            None => Ok(model_id),
        }
    }

    /// The last period that was published, 0 before the first; `None` where the RPC has no state of the block.
    pub(crate) async fn last_period(&self, read: &Reader, block: BlockId) -> Result<Option<PeriodId>, ChainError> {
        let contract = Feed::new(self.contract, &read.provider);
        let latest = match contract.latest().block(block).call().await.map_err(ChainError::from) {
            Ok(latest) => latest,
            Err(ChainError::Refused(_) | ChainError::Rejected(_)) if !block.is_latest() => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let seconds = start_seconds(latest.periodStart.to())?;
        Ok(Some(self.grid.period_at(seconds.saturating_mul(1000))))
    }

    /// The same for a stored call, of whatever feed.
    pub(crate) async fn last_period_of(
        read: &Reader,
        contract: Address,
        calldata: &[u8],
    ) -> Result<Option<PeriodId>, ChainError> {
        let Some(call) = publishing(calldata) else { return Ok(None) };
        let latest = Feed::new(contract, &read.provider).latest().call().await?;
        let seconds = start_seconds(latest.periodStart.to())?;
        let last = veriregime_core::yields::GRID.period_at(seconds.saturating_mul(1000));
        Ok((last.0 <= call.update.period).then_some(last))
    }

    /// The call of `publish`.
    pub(crate) fn call(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
        proof: &Bytes,
        attestations: [&[Attestation]; 2],
    ) -> Call {
        let [attestations, level_attestations] = attestations;
        let none = Level { day: 0, level_e9: 0, factor_e9: 0 };
        let publication = Publication {
            model_id,
            period: period.0,
            inputs: &public_inputs::candle_features(&forecast.features),
            outputs: &public_inputs::outputs(&forecast.outputs),
            proof,
            attestations,
            level: forecast.prices.and_then(Stated::level).unwrap_or(none),
            level_attestations,
        };
        publication.call(self.contract)
    }
}

impl Reader {
    /// What a feed says last, however old; zeros before the first forecast.
    ///
    /// # Errors
    /// [`ActionError::NoContract`], else [`ActionError`].
    pub async fn feed(&self, feed: Address) -> Result<IFeed::Forecast, ActionError> {
        if !self.has_code(feed).await? {
            return Err(ActionError::NoContract(feed));
        }
        Ok(Feed::new(feed, &self.provider).latest().call().await.map_err(ChainError::from)?)
    }
}

/// A time that a contract names.
fn start_seconds(seconds: u64) -> Result<i64, ChainError> {
    match i64::try_from(seconds) {
        Ok(start) if seconds <= MAX_SECONDS => Ok(start),
        _ => Err(ChainError::Garbage(format!("a forecast of a period that starts at {seconds}"))),
    }
}
