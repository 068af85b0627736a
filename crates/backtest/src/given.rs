//! Fees that are given minute by minute, on candles of whatever length there are: what a node can answer within a second.

use std::ops::Range;

use serde::Serialize;

use crate::blocks::Blocks;
use crate::closure::Closure;
use crate::entry::Entry;
use crate::error::BacktestError;
use crate::fee::FeeMap;
use crate::market::{DAY_MINUTES, Market, whole_days};
use crate::pool;
use crate::signal::Signal;
use veriregime_core::bootstrap::{means, standard_error, starts};

/// Value of the pool that results are of.
pub const POOL_USD: f64 = 1e8;
/// Days of a year.
pub const DAYS_OF_A_YEAR: f64 = 365.25;
/// Fewest days before the judged ones that a static fee is fitted on.
const LEAST_EARLIER_DAYS: usize = 14;
/// Days that are kept for it, where nobody says from when on to judge.
const EARLIER_DAYS: usize = 30;
const BLOCK_SECONDS: u32 = 12;
const SEED: u64 = 8;

/// The minutes of a market that the static fee of the comparison is fitted on, and those that fees are judged on: whole days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    pub fitted: Range<usize>,
    pub judged: Range<usize>,
}

impl Parts {
    /// Of the minutes in which there is a fee. Those from the first on are judged where that is fixed; else the last half of the market
    /// at least, so that there is something to fit on. Where less than two weeks lie before, both are the same days.
    ///
    /// # Errors
    /// [`BacktestError::Short`] for less than a day.
    pub fn new(with_fee: &Range<usize>, is_fixed: bool) -> Result<Self, BacktestError> {
        let least = LEAST_EARLIER_DAYS * DAY_MINUTES;
        let half = (with_fee.end / 2).min(EARLIER_DAYS * DAY_MINUTES);
        let is_long = with_fee.start >= least || half >= least;
        let start = if is_fixed || !is_long { with_fee.start } else { with_fee.start.max(half) };
        let judged = whole_days(&(start..with_fee.end.max(start)));
        if judged.is_empty() {
            return Err(BacktestError::Short { what: "with candles and a fee", days: 0, least: 1 });
        }
        let fitted = if judged.start >= least { whole_days(&(0..judged.start)) } else { judged.clone() };
        Ok(Self { fitted, judged })
    }

    /// Whether the static fee knows the judged days: it is then the best in hindsight.
    pub fn is_hindsight(&self) -> bool {
        self.fitted == self.judged
    }
}

/// What liquidity earns more with one fee than with another.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// Day by day, in dollars.
    pub daily_usd: Vec<f64>,
    /// Of $100M a year.
    pub usd_per_year: f64,
    /// Of it, from blocks of days that are drawn for both; none where there are too few days.
    pub standard_error: Option<f64>,
}

impl Lead {
    /// Of what liquidity earns a day as fractions of its value.
    pub fn of(ours: &[f64], other: &[f64]) -> Self {
        let daily_usd: Vec<f64> = ours.iter().zip(other).map(|(ours, other)| (ours - other) * POOL_USD).collect();
        let draws = starts(daily_usd.len());
        Self {
            usd_per_year: pool::mean(&daily_usd) * DAYS_OF_A_YEAR,
            standard_error: standard_error(means(&draws, &daily_usd)).map(|error| error * DAYS_OF_A_YEAR),
            daily_usd,
        }
    }
}

/// What liquidity of $100M earns a year over a rebalanced portfolio without a pool.
pub fn usd_per_year_of(daily: &[f64]) -> f64 {
    pool::mean(daily) * POOL_USD * DAYS_OF_A_YEAR
}

/// What fees would have earned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Given {
    /// What liquidity of $100M earns a year over a rebalanced portfolio without a pool.
    pub usd_per_year: f64,
    /// The same with the static fee.
    pub static_usd_per_year: f64,
    /// What is between them.
    pub more_usd_per_year: f64,
    /// Of it; none where there are too few days.
    pub standard_error: Option<f64>,
    /// Mean of the given fees, and the fitted static fee, as fractions.
    pub mean_fee: f64,
    pub static_fee: f64,
}

impl Given {
    /// What a fee for each minute of a market, as a fraction, would have earned on the judged part.
    ///
    /// # Errors
    /// [`BacktestError`]: a market that is not usable, or a judged minute without a fee.
    pub fn new(market: &Market, fees: Vec<f32>, parts: &Parts, closure: Closure) -> Result<Self, BacktestError> {
        market.check()?;
        let fees = Signal::Known(fees);
        fees.check("the fee", &parts.judged, |at| market.time_ms(at))?;
        let blocks = Blocks::new(&market.closes, BLOCK_SECONDS, SEED)?;
        let weights = closure.weights(&market.volumes, &parts.fitted);
        let fixed =
            |part: &Range<usize>, level| pool::run(&blocks, part, &Signal::None, &FeeMap::flat(level), &weights);
        let Entry { turnover, static_fee } = Entry::free(|level| fixed(&parts.fitted, level));
        let days = pool::run(&blocks, &parts.judged, &fees, &FeeMap::SEEN, &weights);
        let (ours, other) = (days.result(turnover), fixed(&parts.judged, static_fee).result(turnover));
        let Lead { usd_per_year, standard_error, .. } = Lead::of(&ours, &other);
        Ok(Self {
            usd_per_year: usd_per_year_of(&ours),
            static_usd_per_year: usd_per_year_of(&other),
            more_usd_per_year: usd_per_year,
            standard_error,
            mean_fee: days.mean_fee(),
            static_fee,
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::blocks::gaussian;
    use crate::closure::SHOWN;

    fn days(from: usize, to: usize) -> Range<usize> {
        from * DAY_MINUTES..to * DAY_MINUTES
    }

    #[test]
    fn the_static_fee_is_fitted_before_the_judged_days_where_there_are_enough() {
        let parts = |fee: Range<usize>, is_fixed| Parts::new(&fee, is_fixed).expect("a day");
        // A node's first periods: four weeks of candles lie before them.
        assert_eq!(parts(days(28, 30), false), Parts { fitted: days(0, 28), judged: days(28, 30) });
        // One that has run for long: a half of what is kept is for the fit, a month at most.
        assert_eq!(parts(days(0, 60), false), Parts { fitted: days(0, 30), judged: days(30, 60) });
        assert_eq!(parts(days(0, 100), false), Parts { fitted: days(0, 30), judged: days(30, 100) });
        let short = parts(days(0, 20), false);
        assert_eq!(short, Parts { fitted: days(0, 20), judged: days(0, 20) });
        assert!(short.is_hindsight());
        // Whoever says from when on to judge is followed.
        assert_eq!(parts(days(20, 60), true), Parts { fitted: days(0, 20), judged: days(20, 60) });
        assert!(parts(days(5, 60), true).is_hindsight());
        // Whole days, the newest ones.
        let odd = parts(days(28, 30).start + 700..days(28, 30).end + 100, false);
        assert_eq!((odd.judged.len(), odd.judged.end), (DAY_MINUTES, days(28, 30).end + 100));
        assert_eq!(odd.fitted.end, odd.judged.start);
        let refused = Parts::new(&(days(28, 28).start..days(28, 28).start + 1_439), false);
        assert!(matches!(refused, Err(BacktestError::Short { days: 0, least: 1, .. })));
    }

    /// Quiet and wild periods of four hours in turn, and a fee that knows them.
    #[test]
    fn a_fee_that_knows_earns_more_than_the_best_static_one_and_a_static_fee_as_much() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut closes, mut price, mut volatility) = (Vec::new(), 100.0, Vec::new());
        for at in 0..60 * DAY_MINUTES {
            let spell = if at % 240 == 0 { 3e-4 * libm::exp(0.6 * gaussian(&mut random)) } else { volatility[at - 1] };
            volatility.push(spell);
            price *= libm::exp(spell * gaussian(&mut random));
            closes.push(price);
        }
        let volumes = volatility.iter().map(|value| value * 1e9).collect();
        let market = Market { name: "made".to_owned(), start_ms: 0, closes, volumes };
        let parts = Parts::new(&days(30, 60), false).expect("days");
        let of = |fees: Vec<f32>| Given::new(&market, fees, &parts, SHOWN).expect("it is usable");
        let flat = of(vec![1e-3; 60 * DAY_MINUTES]);
        let level = flat.static_fee as f32;
        let same = of(vec![level; 60 * DAY_MINUTES]);
        assert!(same.more_usd_per_year.abs() < 1e-3 * same.usd_per_year.abs().max(1e4), "{same:?}");
        assert!((same.mean_fee - same.static_fee).abs() < 1e-9);
        let fee = |value: &f64| level * (*value / 3e-4).max(0.7) as f32;
        let following = of(volatility.iter().map(fee).collect());
        let blind = of(volatility.iter().rev().map(fee).collect());
        let error = following.standard_error.expect("a month");
        assert!(following.more_usd_per_year > error && error > 0.0, "{following:?}");
        assert!(following.more_usd_per_year > blind.more_usd_per_year + 2.0 * error, "{following:?} {blind:?}");
        let more = following.usd_per_year - following.static_usd_per_year;
        assert!((more - following.more_usd_per_year).abs() < 1e-6 * following.usd_per_year.abs());
        let mut holed = vec![1e-3; 60 * DAY_MINUTES];
        holed[days(40, 41).start] = f32::NAN;
        assert!(matches!(Given::new(&market, holed, &parts, SHOWN), Err(BacktestError::Signal { .. })));
    }
}
