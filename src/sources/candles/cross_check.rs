//! Two exchanges' candles of the same minutes held against each other.
//!
//! Models look at returns and their volatility, so returns are what is compared: two exchanges quote in different
//! currencies and differ by a slowly moving basis, which cancels in them. What would mislead a model is a minute that moved
//! on one exchange alone, and a volatility that only one of them saw.

use std::fmt;

use veriregime_core::types::candle::Candle;
use veriregime_core::types::origin::CrossCheckResult;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::time::format_utc;

/// Share of the used minutes that the other exchange must have too.
const MIN_COMMON_SHARE: f64 = 0.9;
/// Volatilities below half a basis point a minute are taken for that: so calm, they are made of tick sizes.
const VOLATILITY_FLOOR: f64 = 5e-5;
const PIPS: f64 = 1e6;

/// How far two exchanges may lie apart. A pip is a hundredth of a basis point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Difference of a minute's returns beyond which it counts.
    pub return_pips: u64,
    /// How many such minutes there may be.
    pub max_minutes_beyond: usize,
    /// Largest difference of the price levels (their median).
    pub basis_pips: u64,
    /// How much larger the one realised volatility may be than the other, over all minutes and over the newest period's.
    pub volatility_pips: u64,
}

/// A minute of both exchanges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The minute.
    pub open_time_ms: i64,
    /// The closes, the used one first.
    pub closes: [f64; 2],
    /// The returns over the minute.
    pub returns: [f64; 2],
}

impl Pair {
    fn difference(&self) -> f64 {
        (self.returns[0] - self.returns[1]).abs()
    }
}

/// What the comparison found.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Minutes that both have.
    pub common_minutes: usize,
    /// Median of the used closes over the others, less one.
    pub basis: f64,
    /// Minutes whose returns differ by more than the band.
    pub minutes_beyond: usize,
    /// The first of them.
    pub first_beyond: Option<Pair>,
    /// The minute with the largest difference.
    pub worst: Option<Pair>,
    /// How much larger the one realised volatility is than the other, the larger of both figures.
    pub volatility: f64,
}

/// Compares candles that are used with another exchange's of the same minutes (both strictly increasing). `None` where
/// the other has too few of them to say anything.
pub fn compare(used: &[Candle], other: &[Candle], band: &Band) -> Option<Comparison> {
    let common: Vec<(&Candle, &Candle)> = used
        .iter()
        .filter_map(|candle| {
            let at = other.binary_search_by_key(&candle.open_time_ms, |other| other.open_time_ms).ok()?;
            Some((candle, &other[at]))
        })
        .collect();
    if common.is_empty() || (common.len() as f64) < MIN_COMMON_SHARE * used.len() as f64 {
        return None;
    }
    let mut ratios: Vec<f64> = common.iter().map(|(used, other)| used.close / other.close - 1.0).collect();
    ratios.sort_by(f64::total_cmp);
    let pairs: Vec<Pair> = common
        .windows(2)
        .filter(|two| two[1].0.open_time_ms - two[0].0.open_time_ms == MINUTE_MS)
        .map(|two| {
            let ((used_before, other_before), (used, other)) = (two[0], two[1]);
            Pair {
                open_time_ms: used.open_time_ms,
                closes: [used.close, other.close],
                returns: [used.close / used_before.close - 1.0, other.close / other_before.close - 1.0],
            }
        })
        .collect();
    let is_beyond = |pair: &&Pair| pips(pair.difference()) > band.return_pips;
    let newest = &pairs[pairs.len().saturating_sub(PeriodId::MINUTES)..];
    Some(Comparison {
        common_minutes: common.len(),
        basis: ratios[ratios.len() / 2],
        minutes_beyond: pairs.iter().filter(is_beyond).count(),
        first_beyond: pairs.iter().find(is_beyond).copied(),
        worst: pairs.iter().copied().max_by(|one, two| one.difference().total_cmp(&two.difference())),
        volatility: volatility_difference(&pairs).max(volatility_difference(newest)),
    })
}

impl Comparison {
    /// What is kept with a cycle whose sources agree.
    ///
    /// # Errors
    /// [`Disagreement`] for candles further apart than the band.
    pub fn verdict(self, band: Band, names: Names) -> Result<CrossCheckResult, Box<Disagreement>> {
        let agree = self.minutes_beyond <= band.max_minutes_beyond
            && pips(self.basis.abs()) <= band.basis_pips
            && pips(self.volatility) <= band.volatility_pips;
        if !agree {
            return Err(Box::new(Disagreement { found: self, band, names }));
        }
        Ok(CrossCheckResult {
            source: names.other,
            symbol: names.other_symbol,
            common_minutes: self.common_minutes,
            basis_pips: (self.basis * PIPS).round() as i64,
            minutes_beyond: self.minutes_beyond,
            worst_pips: self.worst.map_or(0, |pair| pips(pair.difference())),
            volatility_pips: pips(self.volatility),
        })
    }
}

/// Who is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The market.
    pub market: String,
    /// The source whose candles are used.
    pub fed: String,
    /// The other source.
    pub other: String,
    /// The other source's symbol.
    pub other_symbol: String,
}

/// Candles further apart than the band.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    pub found: Comparison,
    pub band: Band,
    pub names: Names,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, band, names } = self;
        write!(
            f,
            "{} and {} disagree on {}: {} of {} minutes beyond {} bps (at most {}), basis {:.1} bps (at most {}), volatility {:.1} % apart (at most {} %)",
            names.fed,
            names.other,
            names.market,
            found.minutes_beyond,
            found.common_minutes,
            band.return_pips as f64 / 100.0,
            band.max_minutes_beyond,
            found.basis * 1e4,
            band.basis_pips as f64 / 100.0,
            found.volatility * 100.0,
            band.volatility_pips as f64 / 10_000.0,
        )?;
        for (which, pair) in [("first", &found.first_beyond), ("worst", &found.worst)] {
            if let Some(pair) = pair {
                let [used, other] = pair.returns.map(|change| change * 1e4);
                let [used_close, other_close] = pair.closes;
                write!(
                    f,
                    "; {which} {}: {used_close} ({used:+.1} bps) against {other_close} ({other:+.1} bps)",
                    format_utc(pair.open_time_ms)
                )?;
            }
        }
        Ok(())
    }
}

/// How much larger the one root mean square is than the other.
fn volatility_difference(pairs: &[Pair]) -> f64 {
    let root_mean_square = |which: usize| {
        let sum: f64 = pairs.iter().map(|pair| pair.returns[which] * pair.returns[which]).sum();
        (sum / pairs.len().max(1) as f64).sqrt().max(VOLATILITY_FLOOR)
    };
    let [used, other] = [0, 1].map(root_mean_square);
    used.max(other) / used.min(other) - 1.0
}

/// A ratio in pips; what is too large for them, or no number, is the largest.
fn pips(ratio: f64) -> u64 {
    if ratio.is_nan() { u64::MAX } else { (ratio * PIPS).round() as u64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sources::candles::simulated::SimulatedMarket;

    const BAND: Band = Band { return_pips: 5_000, max_minutes_beyond: 3, basis_pips: 30_000, volatility_pips: 250_000 };

    fn names() -> Names {
        let [market, fed, other, other_symbol] = ["BTC-USD", "binance", "coinbase", "BTC-USD"].map(String::from);
        Names { market, fed, other, other_symbol }
    }

    fn day() -> Vec<Candle> {
        SimulatedMarket::new(5).candles(0..1440 * MINUTE_MS)
    }

    fn scaled(candles: &[Candle], factor: f64) -> Vec<Candle> {
        candles.iter().map(|candle| Candle { close: candle.close * factor, ..*candle }).collect()
    }

    #[test]
    fn another_currency_is_no_disagreement_and_another_market_is() {
        let used = day();
        let found = compare(&used, &scaled(&used, 1.01), &BAND).unwrap();
        assert_eq!((found.common_minutes, found.minutes_beyond), (1440, 0));
        let witness = found.verdict(BAND, names()).unwrap();
        assert_eq!((witness.basis_pips, witness.volatility_pips), (-9901, 0));
        let far = compare(&used, &scaled(&used, 1.05), &BAND).unwrap();
        assert!(far.verdict(BAND, names()).is_err(), "five percent are not a basis");
        let other = SimulatedMarket::new(6).candles(0..1440 * MINUTE_MS);
        assert!(compare(&used, &other, &BAND).unwrap().verdict(BAND, names()).is_err());
    }

    #[test]
    fn minutes_that_moved_on_one_exchange_alone_are_named() {
        let used = day();
        let mut bent = used.clone();
        for (minute, factor) in [(100, 1.01), (200, 1.008), (300, 0.97)] {
            bent[minute].close *= factor;
        }
        // Each bent close makes two returns.
        let found = compare(&bent, &used, &BAND).unwrap();
        assert_eq!(found.minutes_beyond, 6);
        let message = found.verdict(BAND, names()).expect_err("beyond").to_string();
        let minute = |minute: i64| format_utc(minute * MINUTE_MS);
        assert!(message.contains(&format!("first {}: {}", minute(100), bent[100].close)), "{message}");
        assert!(message.contains(&format!("worst {}: {}", minute(301), bent[301].close)), "{message}");
        assert!(message.contains(&format!("against {}", used[301].close)), "{message}");
        let wide = Band { max_minutes_beyond: 6, volatility_pips: 10_000_000, ..BAND };
        assert!(compare(&bent, &used, &wide).unwrap().verdict(wide, names()).is_ok());
    }

    #[test]
    fn a_volatility_that_one_exchange_alone_saw_is_a_disagreement() {
        let used = day();
        let mut shaken = used.clone();
        for candle in shaken[1200..].iter_mut().step_by(2) {
            candle.close *= 1.002;
        }
        let found = compare(&shaken, &used, &BAND).unwrap();
        assert_eq!(found.minutes_beyond, 0, "no minute alone is beyond the band");
        let disagreement = found.verdict(BAND, names()).expect_err("shaken");
        assert!(disagreement.found.volatility > 0.25);
    }

    #[test]
    fn absent_minutes_are_left_out_and_too_many_say_nothing() {
        let used = day();
        let holes: Vec<Candle> =
            used.iter().copied().filter(|candle| candle.open_time_ms / MINUTE_MS % 20 != 7).collect();
        let found = compare(&used, &holes, &BAND).unwrap();
        assert_eq!((found.common_minutes, found.minutes_beyond), (1368, 0));
        assert!(found.verdict(BAND, names()).is_ok());
        assert_eq!(compare(&used, &used[200..], &BAND), None);
        assert_eq!(compare(&used, &[], &BAND), None);
        assert_eq!(compare(&[], &used, &BAND), None);
    }

    proptest! {
        #[test]
        fn what_is_the_same_agrees_and_the_order_does_not_matter(
            seed in 0_u64..50, bend in proptest::collection::vec((0_usize..600, 0.9_f64..1.1), 0..5),
        ) {
            let used = SimulatedMarket::new(seed).candles(0..600 * MINUTE_MS);
            let mut bent = used.clone();
            for (minute, factor) in &bend {
                bent[*minute].close *= factor;
            }
            let none = Band { return_pips: 0, max_minutes_beyond: 0, basis_pips: 0, volatility_pips: 0 };
            prop_assert!(compare(&used, &used, &none).unwrap().verdict(none, names()).is_ok());
            let (one, two) = (compare(&used, &bent, &BAND).unwrap(), compare(&bent, &used, &BAND).unwrap());
            prop_assert_eq!(one.minutes_beyond, two.minutes_beyond);
            prop_assert!((one.volatility - two.volatility).abs() < 1e-9);
            prop_assert!(one.minutes_beyond <= 2 * bend.len());
        }
    }
}
