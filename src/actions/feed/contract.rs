//! A feed: `publish` takes a strategy's forecast and the level that attestors state beside it.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::rpc::types::Log;
use alloy::sol_types::{Result, SolCall, SolEvent, SolValue};

use super::abi::{Feed, IFeed};
use super::model::PURPOSE;
use crate::actions::error::ActionError;
use crate::actions::one_market::action::OneMarketAction;
use crate::actions::one_market::model::OneMarketModel;
use crate::actions::one_market::published::Published;
use crate::actions::one_market::{Brought, OneMarketContract, Told};
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::evidence::YieldFigures;
use veriregime_core::types::stated::Stated;
use veriregime_core::yields::GRID;
use veriregime_core::yields::level::Level;

/// What `publish` takes.
type Parameters = (Update, IFeed::Level, Bytes);

/// Feeds.
#[derive(Debug, Clone, Copy)]
pub enum YieldFeed {}

/// Forecasts for a feed.
pub type FeedAction = OneMarketAction<YieldFeed>;
/// A strategy's forecast as the chain tells it.
pub type PublishedYield = Published<YieldFeed>;

impl OneMarketContract for YieldFeed {
    type Stated = Level;
    type Figures = YieldFigures;

    const NAME: &'static str = "a forecast";
    const TOLD: B256 = Feed::Published::SIGNATURE_HASH;

    fn calldata(update: Update, stated: Level, attestations: Bytes) -> Vec<u8> {
        let Level { day, level_e9, factor_e9 } = stated;
        let parameters: Parameters =
            (update, IFeed::Level { day, levelE9: level_e9, factorE9: factor_e9 }, attestations);
        [&Feed::publishCall::SELECTOR[..], &parameters.abi_encode_params()].concat()
    }

    fn brought(calldata: &[u8]) -> Option<Brought<Self>> {
        let parameters = calldata.strip_prefix(&Feed::publishCall::SELECTOR)?;
        let (update, level, attestations) = Parameters::abi_decode_params(parameters).ok()?;
        Some(Brought { update, stated: decoded(&level), attestations })
    }

    fn told(log: &Log) -> Result<Told<Self>> {
        let published = Feed::Published::decode_log(&log.inner)?.data;
        let figures = YieldFigures {
            apy_e8: published.forecast.apyE8,
            volatility_e8: published.forecast.volatilityE8,
            low_e8: published.forecast.lowE8,
            high_e8: published.forecast.highE8,
        };
        Ok(Told { relayer: published.relayer, stated: decoded(&published.level), figures })
    }

    fn stated(stated: Stated) -> Option<Level> {
        stated.level()
    }

    async fn last_start(
        read: &Reader,
        contract: Address,
        block: BlockId,
    ) -> std::result::Result<(u64, u64), ChainError> {
        let latest = Feed::new(contract, &read.provider).latest().block(block).call().await?;
        Ok((latest.periodStart.to(), GRID.period_seconds))
    }

    async fn served_model(
        read: &Reader,
        contract: Address,
        model: &OneMarketModel,
    ) -> std::result::Result<B256, ActionError> {
        if !read.has_code(contract).await? {
            return Err(ActionError::NoContract(contract));
        }
        let strategy = Feed::new(contract, &read.provider).strategy().call().await.map_err(ChainError::from)?;
        if strategy != model.market {
            return Err(ActionError::ForeignModel("the feed is another strategy's".into()));
        }
        let model_id = read.active_model(contract, keccak256(PURPOSE), strategy).await?;
        if model_id.is_zero() {
            return Err(ActionError::ForeignModel("the registry has no active model of the strategy".into()));
        }
        Ok(model_id)
    }
}

impl Reader {
    /// What a feed says last, however old; zeros before the first forecast.
    ///
    /// # Errors
    /// [`ActionError::NoContract`], else [`ActionError`].
    pub async fn feed(&self, feed: Address) -> std::result::Result<IFeed::Forecast, ActionError> {
        if !self.has_code(feed).await? {
            return Err(ActionError::NoContract(feed));
        }
        Ok(Feed::new(feed, &self.provider).latest().call().await.map_err(ChainError::from)?)
    }
}

fn decoded(level: &IFeed::Level) -> Level {
    Level { day: level.day, level_e9: level.levelE9, factor_e9: level.factorE9 }
}
