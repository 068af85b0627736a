//! What other sources have of the minutes that the one in use does not have.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::feeds::{Feed, Feeds};
use crate::sources::candles::error::CandleError;
use crate::sources::candles::holes::{holes, joined, lent, merged};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::origin::Lent;
use veriregime_core::types::period::MINUTE_MS;

/// Longest time that one other source is given.
const LENDER_LIMIT: Duration = Duration::from_mins(1);

/// Candles of a market, its holes filled as far as another source has them.
#[derive(Debug)]
pub struct Filled {
    pub candles: Vec<Candle>,
    /// Whose the others' minutes are.
    pub lent: Vec<Lent>,
    /// Their open times, in order.
    pub lent_ms: Vec<i64>,
}

impl Feeds {
    /// Asks the other sources, one after another, for the minutes of `range_ms` that `candles` of the market with this index
    /// lack. A source that fails lends nothing. Volumes are lent within an exchange, or where the policy takes foreign ones.
    pub async fn fill(
        &self,
        used: &Feed,
        market: usize,
        candles: Vec<Candle>,
        range_ms: &Range<i64>,
        now_ms: i64,
    ) -> Filled {
        let mut filled = Filled { candles, lent: Vec::new(), lent_ms: Vec::new() };
        let mut absent = holes(&filled.candles, range_ms);
        for lender in self.others(used) {
            if absent.is_empty() {
                break;
            }
            let asked = tokio::time::timeout(LENDER_LIMIT, self.ask(&lender, market, &absent, now_ms)).await;
            let late = |_| Err(CandleError::Timeout { url: lender.source.base_url().to_string() });
            let theirs = match asked.unwrap_or_else(late) {
                Ok(theirs) => theirs,
                Err(fault) => {
                    warn!(source = lender.name, code = fault.code(), error = %fault, "lends no minutes");
                    continue;
                }
            };
            let with_volumes = self.lends_volumes || lender.source.venue() == used.source.venue();
            let fitting = lent(&filled.candles, &theirs, &absent, with_volumes);
            let Some(first) = fitting.first() else { continue };
            let one = Lent {
                source: lender.name.clone(),
                symbol: lender.symbols[market].clone(),
                minutes: fitting.len(),
                first_ms: first.open_time_ms,
                with_volumes,
            };
            let fault = CandleError::Lent {
                source_name: used.name.clone(),
                symbol: used.symbols[market].clone(),
                lender: one.source.clone(),
                minutes: one.minutes,
                first_ms: one.first_ms,
            };
            warn!(code = fault.code(), minutes = one.minutes, error = %fault, hint = fault.hint(), "minutes lent");
            filled.lent.push(one);
            filled.lent_ms.extend(fitting.iter().map(|candle| candle.open_time_ms));
            filled.candles = merged(filled.candles, &fitting);
            absent = holes(&filled.candles, range_ms);
        }
        filled.lent_ms.sort_unstable();
        filled
    }

    /// Every other source that the policy names, each once.
    fn others(&self, used: &Feed) -> Vec<Arc<Feed>> {
        let mut others: Vec<Arc<Feed>> = Vec::new();
        for feed in self.order.iter().chain(self.cross_check.iter().flat_map(|check| &check.with)) {
            if feed.name != used.name && others.iter().all(|other| other.name != feed.name) {
                others.push(Arc::clone(feed));
            }
        }
        others
    }

    /// A source's candles of these minutes and of those beside them.
    async fn ask(
        &self,
        lender: &Feed,
        market: usize,
        absent: &[Range<i64>],
        now_ms: i64,
    ) -> Result<Vec<Candle>, CandleError> {
        let skew_ms = lender.source.check_clock(now_ms, self.max_clock_skew_ms).await?;
        let closed_by_ms = now_ms.min(now_ms.saturating_add(skew_ms));
        let mut theirs = Vec::new();
        for range_ms in joined(absent, lender.source.page_minutes()) {
            let (from_ms, to_ms) = (range_ms.start - MINUTE_MS, range_ms.end + MINUTE_MS);
            theirs.extend(lender.source.closed_candles(&lender.symbols[market], from_ms, to_ms, closed_by_ms).await?);
        }
        Ok(theirs)
    }
}
