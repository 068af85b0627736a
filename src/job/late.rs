//! What an update of the running period has left out, made good within the period: markets that it passed by, because they had no
//! policy then, and markets that this node omitted, because their candles failed.

use alloy::eips::BlockId;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Agent;
use crate::actions::error::ActionError;
use crate::job::decide::CANCEL_LEAD_MS;
use crate::job::error::{CycleError, StageError};
use crate::job::feeds::Feed;
use crate::job::fetch::Fetched;
use crate::job::input::Regime;
use crate::job::stages::stored;
use crate::state::Step;
use crate::state::error::StateError;
use veriregime_core::features;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::origin::Origin;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};

impl Agent {
    /// Lands an update for the markets that the running period's has left out, as far as it can be done now.
    pub(super) async fn make_good(&mut self, running: PeriodId, stop: &CancellationToken) -> Result<(), StateError> {
        let record = self.store.cycle(self.job(), running)?;
        let has_update = |record: &CycleRecord| matches!(record.stage, Stage::Confirmed | Stage::AlreadyByOther);
        let Some(record) = record.filter(has_update).filter(|record| self.left_ms(record.end_ms) > CANCEL_LEAD_MS)
        else {
            return Ok(());
        };
        match self.begun_again(&record).await {
            Ok(None) | Err(StageError::Action(ActionError::ForeignModel(_))) => Ok(()),
            Ok(Some(record)) if record.stage.is_final() => Ok(()),
            Ok(Some(_)) => self.run(running, stop).await.map(|_| ()),
            Err(StageError::State(fault)) => Err(fault),
            Err(fault) => {
                warn!(code = fault.code(), error = %fault, hint = fault.hint(), "markets that wait are not served yet");
                Ok(())
            }
        }
    }

    /// The cycle, begun again from where something is to be done; `None` where nothing is.
    async fn begun_again(&self, record: &CycleRecord) -> Result<Option<CycleRecord>, StageError> {
        let (read, omitted) = (&self.chain.read, record.omitted_markets());
        self.action.model_id(read).await?;
        let waits = async |omitted| {
            let last = self.action.last_period(read, omitted, BlockId::latest()).await?;
            Ok::<_, StageError>(last.is_some_and(|last| last < record.period))
        };
        if waits(omitted).await? {
            info!(period = record.period.0, "markets wait that the update has passed by");
            return Ok(Some(match record.stage {
                Stage::Confirmed => self.sign(record).await?,
                _ => self.store.reopen(record.job, record.period, self.clock.now_ms())?,
            }));
        }
        if record.stage == Stage::Confirmed && !omitted.is_none() && waits(OmittedMarkets::NONE).await? {
            let Some(regime) = self.regime() else { return Ok(None) };
            return self.recollect(record, regime).await;
        }
        Ok(None)
    }

    /// Fetches the candles of the markets that were omitted, from the source that fed the others, whose candles stay as they
    /// are. `None` while they are still missing.
    async fn recollect(&self, record: &CycleRecord, regime: Regime<'_>) -> Result<Option<CycleRecord>, StageError> {
        let origin = stored(record.origin.as_ref(), "origin")?;
        let Some(feed) = regime.feeds.order.iter().find(|feed| feed.name == origin.source) else { return Ok(None) };
        let (from_ms, to_ms) = features::window_ms(&regime.model.candles.features, record.start_ms);
        let mut late = self.late(regime, feed, origin.omitted_markets(), (from_ms, to_ms)).await?;
        if late.served() == 0 {
            return Ok(None);
        }
        let witnesses = self.cross_check(regime, feed, &mut late, to_ms, true).await?;
        let kept = self.store.candles(record.job, record.period)?;
        let mut series: Vec<Option<CandleSeries>> = Vec::with_capacity(kept.len());
        for (market, kept) in late.markets.into_iter().zip(&kept) {
            series.push(match market {
                Ok(market) => Some(market.series),
                Err(_) if kept.is_empty() => None,
                Err(_) => Some(regime.model.window(kept, record.period).map_err(StageError::from)?),
            });
        }
        let still = |index: usize| series.get(index).is_none_or(Option::is_none);
        let origin = Origin {
            witnesses: [origin.witnesses.clone(), witnesses].concat(),
            gaps: [origin.gaps.clone(), late.gaps].concat(),
            omitted: origin.omitted.iter().filter(|omission| still(omission.index)).cloned().collect(),
            revised_minutes: origin.revised_minutes + late.revised_minutes,
            ..origin.clone()
        };
        if origin.omitted_markets() == record.omitted_markets() {
            return Ok(None);
        }
        info!(period = record.period.0, "the candles of markets that were omitted are there");
        Ok(Some(self.advance(record, &Step::Recollected(&series, &origin))?))
    }

    /// What the source has by now of the markets to be made good; of the others nothing is asked.
    async fn late(
        &self,
        regime: Regime<'_>,
        feed: &Feed,
        omitted: OmittedMarkets,
        (from_ms, to_ms): (i64, i64),
    ) -> Result<Fetched, StageError> {
        let range_ms = from_ms - MINUTE_MS..to_ms;
        let served: OmittedMarkets = (0..feed.symbols.len()).filter(|index| !omitted.omits(*index)).collect();
        let refreshed = self.refresh(regime, feed, &range_ms, served, true).await?;
        let _room = regime.candles.room(feed.symbols.len()).await;
        let mut late = Fetched { markets: Vec::new(), gaps: Vec::new(), revised_minutes: 0 };
        for (index, refreshed) in refreshed.into_iter().enumerate() {
            let market = match refreshed {
                Ok(_) if served.omits(index) => Err(CycleError::Unsettled.into()),
                Ok(revised) => {
                    late.revised_minutes += revised;
                    self.without_holes(regime, feed, index, &range_ms).await
                }
                Err(fault) => Err(fault),
            };
            late.markets.push(match market {
                Ok((market, gaps)) => {
                    late.gaps.extend(gaps);
                    Ok(market)
                }
                Err(fault) => Err(fault),
            });
        }
        Ok(late)
    }
}
