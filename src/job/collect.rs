//! The stage that fetches: sources one after another, a second exchange's word, and what is done where a market's candles
//! keep failing.

use std::sync::Arc;

use tracing::warn;

use super::Agent;
use crate::job::error::StageError;
use crate::job::feeds::Feed;
use crate::job::fetch::Fetched;
use crate::job::input::Regime;
use crate::sources::candles::error::CandleError;
use crate::state::Step;
use veriregime_core::features;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::omission::Omission;
use veriregime_core::types::origin::{FailedSource, Origin};
use veriregime_core::types::period::MINUTE_MS;

/// From so long after the start of period and cycle on, a cycle goes on without the markets whose candles keep failing. The
/// slowest source has then had its time twice, and a forecast that comes later is worth less to the other markets.
pub const OMIT_AFTER_MS: i64 = 10 * MINUTE_MS;

impl Agent {
    /// Fetches the period's candles by the policy and stores them with where they came from. What the model is fed is one
    /// source's: the first that has all markets, or, once markets may be omitted, the first that has most.
    pub(super) async fn collect_candles(
        &self,
        record: &CycleRecord,
        regime: Regime<'_>,
    ) -> Result<CycleRecord, StageError> {
        if let Some(step) = self.look_on_chain(record).await? {
            return Ok(self.advance(record, &step)?);
        }
        let (from_ms, to_ms) = features::window_ms(&regime.model.candles.features, record.start_ms);
        let may_omit = self.may_omit(record, regime);
        let (mut room, mut failed) = (None, Vec::<FailedSource>::new());
        let mut soonest: Option<StageError> = None;
        let mut most: Option<(usize, &Arc<Feed>, Fetched)> = None;
        for feed in &regime.feeds.order {
            let fault = match self.complete(regime, feed, (from_ms, to_ms), may_omit, &mut room).await {
                Ok(whole) if whole.is_whole() => {
                    return self.take((record, regime), feed, whole, failed, may_omit).await;
                }
                Ok(part) => {
                    failed.extend(part.first_fault().map(|fault| failure(feed, fault)));
                    if most.as_ref().is_none_or(|(_, _, most)| most.served() < part.served()) {
                        most = Some((failed.len() - 1, feed, part));
                    }
                    continue;
                }
                Err(fault) if fault.is_of_exchange() => fault,
                Err(fault) => return Err(fault),
            };
            failed.push(failure(feed, &fault));
            // The cycle waits for the one that may be back first.
            soonest = Some(match soonest {
                Some(earlier) if earlier.retry() <= fault.retry() => earlier,
                _ => fault,
            });
        }
        if let Some((before, feed, part)) = most {
            failed.truncate(before);
            return self.take((record, regime), feed, part, failed, may_omit).await;
        }
        let fault = soonest.expect("there is a primary");
        let is_early = regime.model.candles.markets.len() > 1 && !may_omit;
        let waits = is_early && fault.retry() == Retry::Never;
        Err(if waits { StageError::OfOneMarket(Box::new(fault)) } else { fault })
    }

    /// Whether the cycle may go on without some of its markets.
    fn may_omit(&self, record: &CycleRecord, regime: Regime<'_>) -> bool {
        let since_ms = record.start_ms.max(record.started_ms);
        regime.model.candles.markets.len() > 1 && self.clock.now_ms() >= since_ms + OMIT_AFTER_MS
    }

    /// Stores what a source has given, once a second one agrees.
    async fn take(
        &self,
        (record, regime): (&CycleRecord, Regime<'_>),
        feed: &Feed,
        mut fetched: Fetched,
        failed: Vec<FailedSource>,
        may_omit: bool,
    ) -> Result<CycleRecord, StageError> {
        let (from_ms, to_ms) = features::window_ms(&regime.model.candles.features, record.start_ms);
        let witnesses = self.cross_check(regime, feed, &mut fetched, to_ms, may_omit).await?;
        let origin = Origin {
            source: feed.name.clone(),
            venue: feed.source.venue(),
            symbols: feed.symbols.clone(),
            failed,
            revised_minutes: fetched.revised_minutes,
            witnesses,
            omitted: omissions(regime, &fetched),
            gaps: fetched.gaps,
        };
        let series: Vec<_> =
            fetched.markets.into_iter().map(|market| market.ok().map(|market| market.series)).collect();
        // Windows only move forward, and those of sources that are no longer used move out.
        let oldest_ms = regime.candles.oldest_needed_ms(from_ms - MINUTE_MS, to_ms);
        self.store.drop_live_candles(oldest_ms.min(to_ms - regime.feeds.keep_ms))?;
        Ok(self.advance(record, &Step::Collected(&series, &origin))?)
    }
}

/// The markets that failed, each told of.
fn omissions(regime: Regime<'_>, fetched: &Fetched) -> Vec<Omission> {
    let names = regime.model.candles.markets.iter().map(|market| &market.name);
    let failed = names.zip(&fetched.markets).enumerate();
    let failed = failed.filter_map(|(index, (name, market))| Some((index, name, market.as_ref().err()?)));
    let omission = |(index, name, fault): (usize, &String, &StageError)| {
        let told = CandleError::Omitted { market: name.clone(), reason: fault.to_string() };
        warn!(market = name, code = told.code(), reason = fault.code(), error = %told, hint = told.hint(), "market omitted");
        Omission { index, market: name.clone(), code: fault.code().into() }
    };
    failed.map(omission).collect()
}

fn failure(feed: &Feed, fault: &StageError) -> FailedSource {
    warn!(source = feed.name, code = fault.code(), error = %fault, "source failed");
    FailedSource { source: feed.name.clone(), code: fault.code().into() }
}
