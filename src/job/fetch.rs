//! A source's candles of a period: only the minutes that are missing are fetched, and what others have of those that the
//! source lacks.

use std::ops::Range;
use std::time::Duration;

use tokio::sync::{OnceCell, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

use super::Agent;
use crate::job::candles::SETTLE_MS;
use crate::job::error::{CycleError, StageError};
use crate::job::feeds::Feed;
use crate::job::input::Regime;
use crate::sources::candles::error::CandleError;
use crate::sources::candles::holes::longest_run;
use veriregime_core::types::candle::{CandleSeries, SeriesError};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::origin::Gaps;
use veriregime_core::types::period::MINUTE_MS;

/// Longest time that one source is given for all markets: four weeks of candles take a minute and a half at the slowest.
const SOURCE_LIMIT: Duration = Duration::from_mins(5);
/// Longest time for one market among several, where those that fail may be omitted: most of its candles are stored by then.
const MARKET_LIMIT: Duration = Duration::from_mins(1);

/// What a source gave for a period, market by market.
pub(super) struct Fetched {
    /// Candles without a hole, or why there are none.
    pub(super) markets: Vec<Result<MarketCandles, StageError>>,
    pub(super) gaps: Vec<Gaps>,
    pub(super) revised_minutes: usize,
}

/// A market's candles of a period, without a hole.
pub(super) struct MarketCandles {
    pub(super) series: CandleSeries,
    /// The minutes that are not the source's own: carried forward, or another's.
    pub(super) not_own: Vec<i64>,
}

impl Fetched {
    /// Whether there are candles of every market.
    pub(super) fn is_whole(&self) -> bool {
        self.first_fault().is_none()
    }

    /// How many markets there are candles of.
    pub(super) fn served(&self) -> usize {
        self.markets.iter().filter(|market| market.is_ok()).count()
    }

    /// What is wrong with the first market without candles.
    pub(super) fn first_fault(&self) -> Option<&StageError> {
        self.markets.iter().find_map(|market| market.as_ref().err())
    }
}

impl Agent {
    /// The source's candles of every market as series without a hole; where markets may be omitted, of one at least. So many
    /// minutes as may be missing must not be missing at the source, whoever stands in for it: what the model is fed is one
    /// source's. They take `room`, once the source has told them.
    pub(super) async fn complete<'a>(
        &self,
        regime: Regime<'a>,
        feed: &Feed,
        (from_ms, to_ms): (i64, i64),
        may_omit: bool,
        room: &mut Option<SemaphorePermit<'a>>,
    ) -> Result<Fetched, StageError> {
        // One minute more, whose close is carried in should the first minute be absent.
        let range_ms = from_ms - MINUTE_MS..to_ms;
        let refreshed = self.refresh(regime, feed, &range_ms, OmittedMarkets::NONE, may_omit).await?;
        if room.is_none() {
            *room = Some(regime.candles.room(feed.symbols.len()).await);
        }
        let mut fetched = Fetched { markets: Vec::new(), gaps: Vec::new(), revised_minutes: 0 };
        for (index, refreshed) in refreshed.into_iter().enumerate() {
            let market = match refreshed {
                Ok(revised) => {
                    fetched.revised_minutes += revised;
                    self.without_holes(regime, feed, index, &range_ms).await
                }
                Err(fault) => Err(fault),
            };
            fetched.markets.push(match market {
                Ok((market, gaps)) => {
                    fetched.gaps.extend(gaps);
                    Ok(market)
                }
                Err(fault) if may_omit && fault.is_of_exchange() => Err(fault),
                Err(fault) => return Err(fault),
            });
        }
        if fetched.served() == 0 {
            let first = fetched.markets.into_iter().find_map(Result::err);
            return Err(first.unwrap_or(CycleError::Unsettled.into()));
        }
        Ok(fetched)
    }

    /// One market's candles of `range_ms`, but for its first minute, as a series; what was missing is lent or carried forward.
    pub(super) async fn without_holes(
        &self,
        regime: Regime<'_>,
        feed: &Feed,
        index: usize,
        range_ms: &Range<i64>,
    ) -> Result<(MarketCandles, Option<Gaps>), StageError> {
        let candles = self.store.live_candles(&feed.name, &feed.symbols[index], range_ms)?;
        let (from_ms, to_ms) = (range_ms.start + MINUTE_MS, range_ms.end);
        let allowed = regime.model.candles.features.max_missing_minutes;
        let is_settled = candles.last().is_some_and(|last| last.close_time_ms() == to_ms);
        if !is_settled && self.clock.now_ms() < to_ms + SETTLE_MS {
            return Err(CycleError::Unsettled.into());
        }
        let series = CandleSeries::new(&candles, from_ms, to_ms, allowed)?;
        if series.carried().is_empty() {
            return Ok((MarketCandles { series, not_own: Vec::new() }, None));
        }
        let filled = regime.feeds.fill(feed, index, candles, range_ms, self.clock.now_ms()).await;
        let series = CandleSeries::new(&filled.candles, from_ms, to_ms, allowed)?;
        let gaps = Gaps { lent: filled.lent, ..carried(regime, feed, index, series.carried())? };
        let mut not_own = [series.carried(), filled.lent_ms.as_slice()].concat();
        not_own.sort_unstable();
        Ok((MarketCandles { series, not_own }, Some(gaps)))
    }

    /// Brings the candles of `range_ms` of all markets but those to `skip` up to date with one source, its clock checked first.
    /// Gives back how many minutes it has changed of each. Whatever fails ends it, unless markets may be omitted: then each has
    /// its own time, and may fail for itself.
    pub(super) async fn refresh(
        &self,
        regime: Regime<'_>,
        feed: &Feed,
        range_ms: &Range<i64>,
        skip: OmittedMarkets,
        may_omit: bool,
    ) -> Result<Vec<Result<usize, StageError>>, StageError> {
        let late = |_| StageError::from(CandleError::Timeout { url: feed.source.base_url().to_string() });
        let end = Instant::now() + SOURCE_LIMIT;
        let closed = OnceCell::new();
        let closed_by_ms = async || {
            let now_ms = self.clock.now_ms();
            let skew_ms = feed.source.check_clock(now_ms, regime.feeds.max_clock_skew_ms).await?;
            Ok::<_, StageError>(now_ms.min(now_ms.saturating_add(skew_ms)))
        };
        let mut refreshed = Vec::with_capacity(feed.symbols.len());
        for (index, symbol) in feed.symbols.iter().enumerate() {
            if skip.omits(index) {
                refreshed.push(Ok(0));
                continue;
            }
            let closed_by_ms = async { closed.get_or_try_init(closed_by_ms).await.copied() };
            let update = regime.candles.refresh(&self.name, feed, symbol, range_ms, closed_by_ms);
            let update = timeout_at(end, update);
            let updated = if may_omit { timeout(MARKET_LIMIT, update).await.map_err(late) } else { Ok(update.await) };
            let updated = updated.and_then(|in_time| in_time.map_err(late)).and_then(|revised| revised);
            refreshed.push(match updated {
                Ok(revised) => Ok(revised),
                // Without the exchange's clock no market is any better.
                Err(fault) if may_omit && closed.initialized() && fault.is_of_exchange() => Err(fault),
                Err(fault) => return Err(fault),
            });
        }
        Ok(refreshed)
    }
}

/// Counts and tells what is carried forward of a market.
fn carried(regime: Regime<'_>, feed: &Feed, market: usize, carried_ms: &[i64]) -> Result<Gaps, SeriesError> {
    let run = longest_run(carried_ms).unwrap_or_default();
    let longest_run_minutes = usize::try_from((run.end - run.start) / MINUTE_MS).unwrap_or(usize::MAX);
    let allowed = regime.feeds.max_consecutive_missing_minutes;
    if longest_run_minutes > allowed {
        return Err(SeriesError::LongGap { from_ms: run.start, minutes: longest_run_minutes, allowed });
    }
    let (minutes, first_carried_ms) = (carried_ms.len(), carried_ms.first().copied());
    if let Some(first_ms) = first_carried_ms {
        let (source_name, symbol) = (feed.name.clone(), feed.symbols[market].clone());
        let fault = CandleError::Carried { source_name, symbol, minutes, first_ms, longest_run_minutes };
        warn!(code = fault.code(), minutes, longest_run_minutes, error = %fault, hint = fault.hint(), "minutes carried forward");
    }
    Ok(Gaps {
        market: regime.model.candles.markets[market].name.clone(),
        carried_minutes: minutes,
        first_carried_ms,
        longest_run_minutes,
        lent: Vec::new(),
    })
}
