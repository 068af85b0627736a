//! What a feed told of a forecast: what it was made from, and what came of it.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent;
use serde::Serialize;

use super::abi::{Feed, IFeed};
use super::publication::{decoded, publishing};
use crate::actions::risk_oracle::packed::{unpack_features, unpack_outputs};
use crate::chain::answers;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::evidence::YieldFigures;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::update::{Arguments, PublishedUpdate};
use veriregime_core::yields::level::Level;

/// A forecast as the chain tells it.
#[derive(Debug, Clone, Serialize)]
pub struct PublishedYield {
    /// What it was made from.
    pub update: PublishedUpdate,
    /// What was stated beside it.
    pub level: Level,
    /// The signatures of that, as `publish` takes them; nothing where another contract made the call.
    pub level_attestations: Option<Bytes>,
    /// What came of it.
    pub figures: YieldFigures,
}

impl Reader {
    /// The forecasts of a feed in a period: one at most.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn yields(&self, feed: Address, grid: Grid, period: PeriodId) -> Result<Vec<PublishedYield>, ChainError> {
        let newest = self.head().await?.number;
        let first = self.first_block_at(grid.start_ms(period) / 1000, newest).await?;
        let end = self.first_block_at(grid.end_ms(period) / 1000, newest).await?;
        let filter = Filter::new()
            .address(feed)
            .event_signature(Feed::ForecastUsed::SIGNATURE_HASH)
            .topic2(B256::from(U256::from(period.0)));
        let mut yields = Vec::new();
        for log in self.logs(&filter, first..end).await? {
            let Some(transaction) = log.transaction_hash else { continue };
            yields.extend(self.yield_in(feed, transaction).await?);
        }
        Ok(yields)
    }

    /// The forecast that a transaction published at a feed, `None` where it published none.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn yield_in(&self, feed: Address, transaction: B256) -> Result<Option<PublishedYield>, ChainError> {
        let Some(receipt) = self.receipt(transaction).await? else { return Ok(None) };
        let of_feed =
            |topic: B256| receipt.logs.iter().find(|log| log.address() == feed && log.topic0() == Some(&topic));
        let events = of_feed(Feed::ForecastUsed::SIGNATURE_HASH).zip(of_feed(Feed::Published::SIGNATURE_HASH));
        let Some((forecast, published)) = events else { return Ok(None) };
        self.read_yield(feed, transaction, forecast, published).await.map(Some)
    }

    async fn read_yield(
        &self,
        feed: Address,
        transaction: B256,
        forecast: &Log,
        published: &Log,
    ) -> Result<PublishedYield, ChainError> {
        let unreadable = |error: alloy::sol_types::Error| ChainError::Refused(error.to_string());
        let told = Feed::ForecastUsed::decode_log(&forecast.inner).map_err(unreadable)?.data;
        let published = Feed::Published::decode_log(&published.inner).map_err(unreadable)?.data;
        let sent = self.sent(transaction).await?;
        let sent = sent.ok_or_else(|| ChainError::Refused("an event's transaction is unknown".into()))?;
        let call = publishing(&sent.input).filter(|_| sent.to == Some(feed));
        let block = answers::height(forecast.block_number)?;
        let arguments = call
            .as_ref()
            .map(|call| Arguments { proof: call.update.proof.clone(), attestations: call.update.attestations.clone() });
        let update = PublishedUpdate {
            model_id: told.modelId,
            period: PeriodId(told.period),
            relayer: published.relayer,
            omitted_markets: OmittedMarkets::NONE,
            candle_features: unpack_features(&told.features),
            outputs: unpack_outputs(&told.outputs),
            proof_hash: told.proofHash,
            attestor_set_version: self.attestor_set_at(feed, block).await?,
            transaction,
            block,
            arguments,
            signers: Vec::new(),
        };
        Ok(PublishedYield {
            update,
            level: decoded(&published.level),
            level_attestations: call.map(|call| call.attestations),
            figures: figures(&published.forecast),
        })
    }
}

/// A feed's numbers.
pub(crate) fn figures(forecast: &IFeed::Forecast) -> YieldFigures {
    YieldFigures {
        apy_e8: forecast.apyE8,
        volatility_e8: forecast.volatilityE8,
        low_e8: forecast.lowE8,
        high_e8: forecast.highE8,
    }
}
