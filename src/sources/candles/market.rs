//! What a candle server shows: recorded candles or a simulated market, and the candle that still forms.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::simulated::SimulatedMarket;
use veriregime_core::types::candle::{Candle, SeriesError, check_all};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::END_MS;

/// A symbol and its candles. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Market {
    symbol: String,
    candles: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Recorded(Arc<[Candle]>),
    Simulated(SimulatedMarket),
}

/// Markets by symbol, as one exchange shows them. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Markets(Arc<BTreeMap<String, Market>>);

impl Markets {
    /// The market that answers to `symbol`, if the exchange has it.
    pub fn get(&self, symbol: &str) -> Option<&Market> {
        self.0.get(symbol)
    }
}

impl FromIterator<Market> for Markets {
    fn from_iter<I: IntoIterator<Item = Market>>(markets: I) -> Self {
        Self(Arc::new(markets.into_iter().map(|market| (market.symbol.clone(), market)).collect()))
    }
}

impl From<Market> for Markets {
    fn from(market: Market) -> Self {
        Self::from_iter([market])
    }
}

/// Which end of a range to take where it holds more candles than are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The first ones.
    Oldest,
    /// The last ones.
    Newest,
}

impl Market {
    /// A market that repeats `candles`.
    ///
    /// # Errors
    /// The first rule of candles that they break.
    pub fn recorded(symbol: &str, candles: Vec<Candle>) -> Result<Self, SeriesError> {
        check_all(&candles)?;
        Ok(Self { symbol: symbol.to_owned(), candles: Source::Recorded(candles.into()) })
    }

    /// The simulated market of `seed`, which has always existed.
    pub fn simulated(symbol: &str, seed: u64) -> Self {
        Self { symbol: symbol.to_owned(), candles: Source::Simulated(SimulatedMarket::new(seed)) }
    }

    /// The symbol it answers to.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// At most `limit` of the candles whose open time lies in `range_ms`, as seen at `now_ms`: closed ones, and at the
    /// end the one that still forms, as far as it got.
    pub fn seen(&self, range_ms: Range<i64>, limit: usize, keep: Keep, now_ms: i64) -> Vec<Candle> {
        let range_ms = range_ms.start.clamp(0, END_MS)..range_ms.end.min(now_ms).min(END_MS);
        let mut candles = match &self.candles {
            Source::Recorded(all) => {
                let position = |at: i64| all.partition_point(|candle| candle.open_time_ms < at);
                let inside = &all[position(range_ms.start)..position(range_ms.end).max(position(range_ms.start))];
                match keep {
                    Keep::Oldest => inside[..inside.len().min(limit)].to_vec(),
                    Keep::Newest => inside[inside.len().saturating_sub(limit)..].to_vec(),
                }
            }
            Source::Simulated(market) => market.candles(clip_to_minutes(range_ms, limit, keep)),
        };
        if let Some(last) = candles.last_mut().filter(|last| last.close_time_ms() > now_ms) {
            *last = forming(last, now_ms);
        }
        candles
    }
}

/// The `limit` minutes at one end of a range.
fn clip_to_minutes(range_ms: Range<i64>, limit: usize, keep: Keep) -> Range<i64> {
    let [start, end] = [range_ms.start, range_ms.end].map(|at| (at + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS);
    let length = i64::try_from(limit).unwrap_or(i64::MAX).saturating_mul(MINUTE_MS);
    match keep {
        Keep::Oldest => start..end.min(start.saturating_add(length)),
        Keep::Newest => start.max(end.saturating_sub(length))..end,
    }
}

/// The candle before its minute is over: the price is on its straight way from open to close, and the volume and the
/// reach beyond both have grown in proportion to the time.
fn forming(whole: &Candle, now_ms: i64) -> Candle {
    let done = ((now_ms - whole.open_time_ms) as f64 / MINUTE_MS as f64).clamp(0.0, 1.0);
    let close = whole.open + (whole.close - whole.open) * done;
    let (top, bottom) = (whole.open.max(close), whole.open.min(close));
    Candle {
        open_time_ms: whole.open_time_ms,
        open: whole.open,
        high: top + (whole.high - top) * done,
        low: bottom - (bottom - whole.low) * done,
        close,
        volume: whole.volume * done,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(count: i64) -> Vec<Candle> {
        SimulatedMarket::new(3).candles(0..count * MINUTE_MS)
    }

    #[test]
    fn either_end_of_a_range_is_cut_to_the_limit() {
        let candles = recorded(100);
        let at = |minute: i64| minute * MINUTE_MS;
        for market in [Market::recorded("X", candles.clone()).unwrap(), Market::simulated("X", 3)] {
            let seen = |range: Range<i64>, limit, keep| market.seen(range, limit, keep, at(100));
            assert_eq!(seen(at(10)..at(20), 500, Keep::Oldest), candles[10..20]);
            assert_eq!(seen(at(10)..at(90), 3, Keep::Oldest), candles[10..13]);
            assert_eq!(seen(at(10)..at(90), 3, Keep::Newest), candles[87..90]);
            assert_eq!(seen(at(10) + 1..at(12) + 1, 500, Keep::Oldest), candles[11..13]);
            assert_eq!(seen(i64::MIN..i64::MAX, 2, Keep::Newest), candles[98..]);
            assert_eq!(seen(at(20)..at(10), 2, Keep::Newest), []);
            assert_eq!(seen(at(200)..at(300), 2, Keep::Oldest), []);
            assert_eq!(seen(i64::MAX..i64::MAX, 2, Keep::Oldest), []);
        }
    }

    #[test]
    fn nothing_of_the_future_is_seen() {
        let candles = recorded(10);
        let market = Market::recorded("X", candles.clone()).unwrap();
        assert_eq!(market.seen(0..i64::MAX, 500, Keep::Oldest, 5 * MINUTE_MS), candles[..5]);
        let seen = market.seen(0..i64::MAX, 500, Keep::Oldest, 5 * MINUTE_MS + 30_000);
        assert_eq!(seen[..5], candles[..5]);
        assert_eq!(seen.len(), 6);
        assert!(seen[5].volume < candles[5].volume);
        assert_eq!(market.seen(0..i64::MAX, 500, Keep::Oldest, -1), []);
    }

    proptest! {
        #[test]
        fn a_forming_candle_is_a_candle_that_grows_into_the_whole(minute in 0_usize..1000, early in 0..60_000_i64, later in 0..60_000_i64) {
            let whole = recorded(1000)[minute];
            let [early, later] = [early.min(later), early.max(later)].map(|ms| forming(&whole, whole.open_time_ms + ms));
            early.check().unwrap();
            later.check().unwrap();
            prop_assert!(early.volume <= later.volume && later.volume <= whole.volume);
            prop_assert!(whole.low <= later.low && later.high <= whole.high);
            prop_assert_eq!(forming(&whole, whole.close_time_ms()), whole);
        }
    }
}
