//! The stage that fetches: sources one after another, only the minutes that are missing, what others have of those that a
//! source lacks, and a second exchange's word.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::Agent;
use crate::job::error::{CycleError, StageError};
use crate::sources::candles::cross_check;
use crate::sources::candles::cross_check::{Band, Names};
use crate::sources::candles::error::CandleError;
use crate::sources::candles::holes::longest_run;
use crate::sources::candles::source::Source;
use crate::sources::candles::window;
use crate::state::Step;
use crate::telemetry::metrics;
use veriregime_core::features;
use veriregime_core::types::candle::{Candle, CandleSeries, SeriesError};
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::origin::{CrossCheckResult, FailedSource, Gaps, Origin};
use veriregime_core::types::period::{MINUTE_MS, PeriodId};

/// From so long after the period's start on, an absent last candle is taken for a gap of the exchange.
const SETTLE_MS: i64 = 2 * MINUTE_MS;
/// So many of the newest known minutes are asked for again. With a period's new ones that is one page of every exchange but
/// one.
const OVERLAP_MINUTES: i64 = 60;
/// And so many of the others, another part in each cycle: in a week every minute has been looked at again.
const ROLLING_REFRESH_MINUTES: i64 = 1000;
/// What was fetched is stored after so many minutes, so that a broken connection costs no more.
const PIECE_MINUTES: i64 = 3000;
/// Longest time that one source is given for all markets: four weeks of candles take a minute and a half at the slowest.
const SOURCE_LIMIT: Duration = Duration::from_mins(5);

/// A source and what it calls the model's markets.
#[derive(Debug)]
pub struct Feed {
    /// Name in the settings.
    pub name: String,
    pub source: Source,
    /// Its symbol of each market, in the model's order.
    pub symbols: Vec<String>,
}

/// Where candles come from, by policy.
#[derive(Debug)]
pub struct Feeds {
    /// Whose candles the model is fed, and behind it those that are asked when it fails.
    pub order: Vec<Arc<Feed>>,
    /// Those to compare with.
    pub cross_check: Option<CrossCheck>,
    pub max_clock_skew_ms: i64,
    /// Longest stretch of minutes that is carried forward.
    pub max_consecutive_missing_minutes: usize,
    /// Whether the model may be fed volumes of another exchange.
    pub lends_volumes: bool,
}

impl Feeds {
    /// The source that comes first.
    pub fn primary(&self) -> &Feed {
        &self.order[0]
    }
}

/// How a second source is asked.
#[derive(Debug)]
pub struct CrossCheck {
    /// The first that answers and is not in use itself.
    pub with: Vec<Arc<Feed>>,
    /// Whether nothing goes on without one.
    pub required: bool,
    /// The newest minutes that are compared.
    pub minutes: i64,
    pub band: Band,
}

/// What a source gave for a period.
struct Gathered {
    candles: Vec<Vec<Candle>>,
    revised_minutes: usize,
}

/// A period's candles of every market, without a hole.
struct Complete {
    series: Vec<CandleSeries>,
    /// By market, the minutes that are not the source's own: carried forward, or another's.
    not_own: Vec<Vec<i64>>,
    gaps: Vec<Gaps>,
    revised_minutes: usize,
}

impl Agent {
    /// Fetches the period's candles by the policy and stores them with where they came from.
    pub(super) async fn collect(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        if let Some(step) = self.look_on_chain(record).await? {
            return Ok(self.advance(record, &step)?);
        }
        let spec = &self.bundle.manifest.features;
        let (from_ms, to_ms) = features::window_ms(spec, record.period);
        let mut failed: Vec<(FailedSource, StageError)> = Vec::new();
        for feed in &self.feeds.order {
            match self.complete(feed, from_ms, to_ms).await {
                Ok(complete) => {
                    let origin = Origin {
                        source: feed.name.clone(),
                        venue: feed.source.venue(),
                        symbols: feed.symbols.clone(),
                        failed: failed.into_iter().map(|(source, _)| source).collect(),
                        revised_minutes: complete.revised_minutes,
                        witnesses: self.cross_check(feed, &complete, to_ms).await?,
                        gaps: complete.gaps,
                        omitted: Vec::new(),
                    };
                    // Windows only move forward, and those of sources that are no longer used move out.
                    self.store.drop_live_candles(from_ms - MINUTE_MS)?;
                    return Ok(self.advance(
                        record,
                        &Step::Collected(&complete.series.into_iter().map(Some).collect::<Vec<_>>(), &origin),
                    )?);
                }
                Err(fault) if is_theirs(&fault) => {
                    warn!(source = feed.name, code = fault.code(), error = %fault, "source failed");
                    failed.push((FailedSource { source: feed.name.clone(), code: fault.code().into() }, fault));
                }
                Err(fault) => return Err(fault),
            }
        }
        // The cycle waits for the one that may be back first.
        let (_, soonest) = failed.into_iter().min_by_key(|(_, fault)| fault.retry()).expect("there is a primary");
        Err(soonest)
    }

    /// The source's candles of every market as series without a hole. So many as may be missing must not be missing at the
    /// source, whoever stands in for it: what the model is fed is one source's.
    async fn complete(&self, feed: &Feed, from_ms: i64, to_ms: i64) -> Result<Complete, StageError> {
        // One minute more, whose close is carried in should the first minute be absent.
        let range_ms = from_ms - MINUTE_MS..to_ms;
        let gathered = self.gather(feed, range_ms.clone()).await?;
        let allowed = self.bundle.manifest.features.max_missing_minutes;
        let revised_minutes = gathered.revised_minutes;
        let mut complete = Complete { series: Vec::new(), not_own: Vec::new(), gaps: Vec::new(), revised_minutes };
        for (index, candles) in gathered.candles.into_iter().enumerate() {
            let is_settled = candles.last().is_some_and(|last| last.close_time_ms() == to_ms);
            if !is_settled && self.clock.now_ms() < to_ms + SETTLE_MS {
                return Err(CycleError::Unsettled.into());
            }
            let mut series = CandleSeries::new(&candles, from_ms, to_ms, allowed)?;
            let mut not_own = Vec::new();
            if !series.carried().is_empty() {
                let filled = self.feeds.fill(feed, index, candles, &range_ms, self.clock.now_ms()).await;
                series = CandleSeries::new(&filled.candles, from_ms, to_ms, allowed)?;
                let gaps = Gaps { lent: filled.lent, ..self.carried(feed, index, series.carried())? };
                complete.gaps.push(gaps);
                not_own = [series.carried(), filled.lent_ms.as_slice()].concat();
                not_own.sort_unstable();
            }
            complete.series.push(series);
            complete.not_own.push(not_own);
        }
        Ok(complete)
    }

    /// Counts and tells what is carried forward of a market.
    fn carried(&self, feed: &Feed, market: usize, carried_ms: &[i64]) -> Result<Gaps, SeriesError> {
        let run = longest_run(carried_ms).unwrap_or_default();
        let longest_run_minutes = usize::try_from((run.end - run.start) / MINUTE_MS).unwrap_or(usize::MAX);
        let allowed = self.feeds.max_consecutive_missing_minutes;
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
            market: self.bundle.manifest.markets[market].name.clone(),
            carried_minutes: minutes,
            first_carried_ms,
            longest_run_minutes,
            lent: Vec::new(),
        })
    }

    /// All markets' candles of `range_ms` from one source, its clock checked first.
    async fn gather(&self, feed: &Feed, range_ms: Range<i64>) -> Result<Gathered, StageError> {
        let gathered = async {
            let now_ms = self.clock.now_ms();
            let skew_ms = feed.source.check_clock(now_ms, self.feeds.max_clock_skew_ms).await?;
            let closed_by_ms = now_ms.min(now_ms.saturating_add(skew_ms));
            let mut gathered = Gathered { candles: Vec::new(), revised_minutes: 0 };
            for symbol in &feed.symbols {
                gathered.revised_minutes += self.update_window(feed, symbol, &range_ms, closed_by_ms).await?;
                gathered.candles.push(self.store.live_candles(&feed.name, symbol, &range_ms)?);
            }
            Ok(gathered)
        };
        let late = |_| CandleError::Timeout { url: feed.source.base_url().to_string() };
        tokio::time::timeout(SOURCE_LIMIT, gathered).await.map_err(late)?
    }

    /// Fetches what is missing of a window and a little of what is there, and all of it anew where that little has
    /// changed: corrections seldom come alone. But the newest minutes may have been read before the exchange was done with
    /// them. Gives back the number of changed minutes.
    async fn update_window(
        &self,
        feed: &Feed,
        symbol: &str,
        range_ms: &Range<i64>,
        closed_by_ms: i64,
    ) -> Result<usize, StageError> {
        let held = self.store.live_candles(&feed.name, symbol, range_ms)?;
        let settled_ms = held.last().map_or(0, |newest| newest.close_time_ms() - SETTLE_MS);
        let closed_end_ms = closed_by_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let range_ms = range_ms.start..range_ms.end.min(closed_end_ms).max(range_ms.start);
        let again_ms = window::rolling_refresh(&range_ms, PeriodId::at_ms(closed_by_ms).0, ROLLING_REFRESH_MINUTES);
        let missing = window::to_fetch(&held, &range_ms, again_ms, OVERLAP_MINUTES, feed.source.page_minutes());
        let mut revised = self.fetch(feed, symbol, missing, closed_by_ms, &held).await?;
        if let Some(&first_ms) = revised.first() {
            let (source_name, symbol) = (feed.name.clone(), symbol.to_owned());
            let fault = CandleError::Revised { source_name, symbol, minutes: revised.len(), first_ms };
            warn!(code = fault.code(), minutes = revised.len(), error = %fault, hint = fault.hint(), "candles revised");
        }
        if revised.iter().any(|open_time_ms| *open_time_ms < settled_ms) {
            // Forgotten first, so that a fetch that breaks off is taken up again by the next.
            self.store.forget_live_candles(&feed.name, symbol, &range_ms)?;
            revised.extend(self.fetch(feed, symbol, vec![range_ms], closed_by_ms, &held).await?);
            revised.sort_unstable();
            revised.dedup();
        }
        Ok(revised.len())
    }

    /// Fetches and keeps ranges, piece by piece. Gives back the minutes that `held` knows otherwise.
    async fn fetch(
        &self,
        feed: &Feed,
        symbol: &str,
        ranges_ms: Vec<Range<i64>>,
        closed_by_ms: i64,
        held: &[Candle],
    ) -> Result<Vec<i64>, StageError> {
        let mut revised = Vec::new();
        for piece in window::pieces(ranges_ms, PIECE_MINUTES) {
            let fresh = feed.source.closed_candles(symbol, piece.start, piece.end, closed_by_ms).await?;
            revised.extend(window::revised(held, &fresh).map(|candle| candle.open_time_ms));
            self.store.keep_live_candles(&feed.name, symbol, &fresh)?;
        }
        Ok(revised)
    }

    /// Another exchange's view of the newest minutes of each market, if the policy asks for one.
    async fn cross_check(
        &self,
        used: &Feed,
        complete: &Complete,
        to_ms: i64,
    ) -> Result<Vec<CrossCheckResult>, StageError> {
        let Some(policy) = &self.feeds.cross_check else { return Ok(Vec::new()) };
        let from_ms = to_ms - (policy.minutes + 1) * MINUTE_MS;
        let mut tried = Vec::new();
        for other in policy.with.iter().filter(|other| other.name != used.name) {
            match self.witnesses(policy, used, other, complete, from_ms..to_ms).await {
                Ok(Some(witnesses)) => return Ok(witnesses),
                Ok(None) => tried.push(format!("{} has too few of the minutes", other.name)),
                Err(fault) if is_theirs(&fault) => tried.push(format!("{}: {} {fault}", other.name, fault.code())),
                Err(fault) => return Err(fault),
            }
        }
        if tried.is_empty() {
            tried.push(format!("{} is in use itself", used.name));
        }
        let fault = CandleError::NoWitness { symbol: used.symbols.join(", "), tried: tried.join("; ") };
        if policy.required {
            return Err(fault.into());
        }
        warn!(code = fault.code(), error = %fault, "going on without a second source");
        Ok(Vec::new())
    }

    /// Compares every market with one other source. `None` where it has too few of the minutes.
    async fn witnesses(
        &self,
        policy: &CrossCheck,
        used: &Feed,
        other: &Feed,
        complete: &Complete,
        range_ms: Range<i64>,
    ) -> Result<Option<Vec<CrossCheckResult>>, StageError> {
        let gathered = self.gather(other, range_ms.clone()).await?;
        let mut witnesses = Vec::with_capacity(complete.series.len());
        for (index, (series, theirs)) in complete.series.iter().zip(&gathered.candles).enumerate() {
            let not_own = &complete.not_own[index];
            let ours: Vec<Candle> = series
                .candles()
                .iter()
                .filter(|candle| range_ms.contains(&candle.open_time_ms))
                .filter(|candle| not_own.binary_search(&candle.open_time_ms).is_err())
                .copied()
                .collect();
            let Some(found) = cross_check::compare(&ours, theirs, &policy.band) else { return Ok(None) };
            let names = Names {
                market: self.bundle.manifest.markets[index].name.clone(),
                fed: used.name.clone(),
                other: other.name.clone(),
                other_symbol: other.symbols[index].clone(),
            };
            let witness = match found.verdict(policy.band, names) {
                Ok(witness) => witness,
                Err(disagreement) => {
                    metrics::sources_disagree(&other.name);
                    // One of the two may have been wrong for a moment: the next try hears both again.
                    for feed in [used, other] {
                        self.store.forget_live_candles(&feed.name, &feed.symbols[index], &range_ms)?;
                    }
                    return Err(CandleError::Disagreement(disagreement).into());
                }
            };
            info!(
                source = witness.source,
                minutes = witness.common_minutes,
                beyond = witness.minutes_beyond,
                basis_pips = witness.basis_pips,
                worst_pips = witness.worst_pips,
                volatility_pips = witness.volatility_pips,
                "sources agree"
            );
            witnesses.push(witness);
        }
        Ok(Some(witnesses))
    }
}

/// Whether another source may do better: what an exchange does, and not what we ask of it or do with it.
fn is_theirs(fault: &StageError) -> bool {
    match fault {
        StageError::Data(_) => true,
        StageError::Candles(error) => !matches!(
            error,
            CandleError::Range { .. }
                | CandleError::Settings { .. }
                | CandleError::Disagreement(_)
                | CandleError::NoWitness { .. }
                | CandleError::File(_)
        ),
        _ => false,
    }
}
