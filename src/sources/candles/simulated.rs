//! A market that does not exist: seeded, with volatility clustering, the daily and weekly rhythm of a real one, heavy
//! tails and occasional shocks.
//!
//! Each UTC day is a pure function of the seed and the day, so candles do not depend on where a range starts. Log
//! volatility is a sum of smooth noises whose nodes lie from a quarter of an hour to 30 days apart, which gives it a long memory;
//! the prices of a day are a random walk bridged to the next midnight's level, which is again a sum of noises.
//! Arithmetic is `libm`'s and prices are rounded to ticks, so that every machine makes the same market.

use std::f64::consts::TAU;
use std::ops::Range;

use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

const DAY_MINUTES: i64 = 1440;
/// Price around which the market moves, in quote units.
const PRICE_LEVEL: f64 = 60_000.0;
/// Median standard deviation of one-minute returns: about the boundary between the regimes, so that both are common.
const MEDIAN_VOLATILITY: f64 = 0.0005;
/// Median one-minute volume in base units.
const MEDIAN_VOLUME: f64 = 15.0;
/// Random-walk steps of one minute.
const STEPS: i64 = 8;
/// One minute in fifty moves three times as far as the others.
const TAIL: (f64, f64) = (0.02, 3.0);
/// One day in ten sees a shock that fades with this time constant, in minutes.
const SHOCK: (f64, f64) = (0.1, 180.0);
const PRICE_TICKS: f64 = 100.0;
const VOLUME_TICKS: f64 = 100_000.0;

/// Smooth noise: standard normal at nodes `spacing_minutes` apart, `deviation` everywhere.
struct Layer {
    spacing_minutes: i64,
    deviation: f64,
}

const fn layer(spacing_minutes: i64, deviation: f64) -> Layer {
    Layer { spacing_minutes, deviation }
}

const VOLATILITY_LAYERS: [Layer; 7] = [
    layer(30 * DAY_MINUTES, 0.20),
    layer(7 * DAY_MINUTES, 0.22),
    layer(2 * DAY_MINUTES, 0.20),
    layer(960, 0.20),
    layer(240, 0.18),
    layer(60, 0.15),
    layer(15, 0.12),
];
const VOLUME_LAYERS: [Layer; 2] = [layer(30 * DAY_MINUTES, 0.35), layer(120, 0.25)];
/// Octaves in the proportions of a random walk, from a day to 1.4 years.
const PRICE_LAYERS: [Layer; 10] = [
    layer(DAY_MINUTES, 0.012),
    layer(2 * DAY_MINUTES, 0.017),
    layer(4 * DAY_MINUTES, 0.024),
    layer(8 * DAY_MINUTES, 0.034),
    layer(16 * DAY_MINUTES, 0.048),
    layer(32 * DAY_MINUTES, 0.068),
    layer(64 * DAY_MINUTES, 0.096),
    layer(128 * DAY_MINUTES, 0.136),
    layer(256 * DAY_MINUTES, 0.192),
    layer(512 * DAY_MINUTES, 0.272),
];

/// What a random number is for. Each purpose and index has its own.
#[derive(Clone, Copy)]
enum Purpose {
    Volatility,
    Volume,
    Price,
    Shock,
    Step,
    Tail,
    VolumeNoise,
}

/// A market that its seed determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedMarket {
    seed: u64,
}

impl SimulatedMarket {
    /// The market of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The candles whose open time lies in `range_ms`, without a gap. Takes about a millisecond a day.
    pub fn candles(self, range_ms: Range<i64>) -> Vec<Candle> {
        let day_ms = DAY_MINUTES * MINUTE_MS;
        let days = range_ms.start.div_euclid(day_ms)..=(range_ms.end - 1).div_euclid(day_ms);
        let mut candles: Vec<Candle> = days.flat_map(|day| self.day(day)).collect();
        candles.retain(|candle| range_ms.contains(&candle.open_time_ms));
        candles
    }

    /// The candles of one UTC day, counted from 1970.
    fn day(self, day: i64) -> Vec<Candle> {
        let first = day * DAY_MINUTES;
        let volatility = self.log_volatility(first);
        let volume = self.noise(Purpose::Volume, &VOLUME_LAYERS, first);
        let mut steps = vec![[0.0; STEPS as usize]; volatility.len()];
        let mut walked = 0.0;
        for ((minute, steps), log_volatility) in (first..).zip(&mut steps).zip(&volatility) {
            let is_tail = self.uniform(Purpose::Tail, minute) < TAIL.0;
            // Divided by the root mean square of the two sizes, so that the volatility stays what it says.
            let size = if is_tail { TAIL.1 } else { 1.0 } / libm::sqrt(1.0 + TAIL.0 * (TAIL.1 * TAIL.1 - 1.0));
            let deviation = MEDIAN_VOLATILITY * libm::exp(*log_volatility) * size / libm::sqrt(STEPS as f64);
            for (pair, index) in steps.chunks_mut(2).zip(minute * STEPS..) {
                for (step, normal) in pair.iter_mut().zip(self.normals(Purpose::Step, index)) {
                    *step = deviation * normal;
                    walked += *step;
                }
            }
        }
        let [start, end] = [first, first + DAY_MINUTES].map(|minute| self.log_price(minute));
        let variance = |log_volatility: &f64| libm::exp(2.0 * log_volatility);
        let missing = (end - start - walked) / volatility.iter().map(variance).sum::<f64>();
        let mut log_price = start;
        let mut open = ticks(libm::exp(log_price), PRICE_TICKS);
        let minutes = (first..).zip(&steps).zip(volatility.iter().zip(&volume));
        minutes
            .map(|((minute, steps), (log_volatility, log_volume))| {
                let drift = missing * variance(log_volatility) / STEPS as f64;
                let (mut low, mut high, mut close) = (open, open, open);
                for step in steps {
                    log_price += step + drift;
                    close = ticks(libm::exp(log_price), PRICE_TICKS);
                    low = low.min(close);
                    high = high.max(close);
                }
                let moved = libm::fabs(steps.iter().sum::<f64>()) / (MEDIAN_VOLATILITY * libm::exp(*log_volatility));
                let [noise, _] = self.normals(Purpose::VolumeNoise, minute);
                let log_volume = log_volume + 1.1 * log_volatility + 0.35 * (moved - 0.67) + 0.5 * noise;
                let volume = ticks(MEDIAN_VOLUME * libm::exp(log_volume), VOLUME_TICKS);
                let candle = Candle { open_time_ms: minute * MINUTE_MS, open, high, low, close, volume };
                open = close;
                candle
            })
            .collect()
    }

    /// ln of each minute's volatility over the median, for the day that starts at minute `first`.
    fn log_volatility(self, first: i64) -> Vec<f64> {
        let mut sums = self.noise(Purpose::Volatility, &VOLATILITY_LAYERS, first);
        let day = first.div_euclid(DAY_MINUTES);
        let shocks = [day - 1, day].map(|day| self.shock(day));
        for (minute, sum) in (first..).zip(&mut sums) {
            *sum += rhythm(minute);
            for &(at, size) in shocks.iter().flatten().filter(|(at, _)| *at <= minute) {
                *sum += size * libm::exp(-((minute - at) as f64) / SHOCK.1);
            }
        }
        sums
    }

    /// The shock of a day, if there is one: its minute and the size in ln volatility.
    fn shock(self, day: i64) -> Option<(i64, f64)> {
        let [is_shock, minute, size] = [0, 1, 2].map(|part| self.uniform(Purpose::Shock, 3 * day + part));
        let at = day * DAY_MINUTES + (minute * DAY_MINUTES as f64) as i64;
        (is_shock < SHOCK.0).then_some((at, 0.7 + 0.8 * size))
    }

    fn log_price(self, minute: i64) -> f64 {
        let noise: f64 = PRICE_LAYERS.iter().map(|layer| self.layer_at(Purpose::Price, layer, minute)).sum();
        libm::log(PRICE_LEVEL) + noise
    }

    /// The sum of `layers` at each minute of the day that starts at minute `first`.
    fn noise(self, purpose: Purpose, layers: &[Layer], first: i64) -> Vec<f64> {
        let mut sums = vec![0.0; DAY_MINUTES as usize];
        for layer in layers {
            let mut node = i64::MIN;
            let mut ends = [0.0; 2];
            for (minute, sum) in (first..).zip(&mut sums) {
                if minute.div_euclid(layer.spacing_minutes) != node {
                    node = minute.div_euclid(layer.spacing_minutes);
                    ends = self.layer_ends(purpose, layer, node);
                }
                *sum += layer.between(ends, minute);
            }
        }
        sums
    }

    fn layer_at(self, purpose: Purpose, layer: &Layer, minute: i64) -> f64 {
        layer.between(self.layer_ends(purpose, layer, minute.div_euclid(layer.spacing_minutes)), minute)
    }

    /// The layer's values at a node and the next one.
    fn layer_ends(self, purpose: Purpose, layer: &Layer, node: i64) -> [f64; 2] {
        // The spacing is part of the index: layers must not share their noise.
        [node, node + 1].map(|node| self.normals(purpose, node * 1_000_003 + layer.spacing_minutes)[0])
    }

    /// Two independent standard normal numbers (Box and Muller).
    fn normals(self, purpose: Purpose, index: i64) -> [f64; 2] {
        let radius = libm::sqrt(-2.0 * libm::log(self.uniform(purpose, 2 * index)));
        let angle = TAU * self.uniform(purpose, 2 * index + 1);
        [radius * libm::cos(angle), radius * libm::sin(angle)]
    }

    /// A number of the open interval from 0 to 1: the finaliser of `SplitMix64` (Steele, Lea and Flood 2014) over seed,
    /// purpose and index.
    fn uniform(self, purpose: Purpose, index: i64) -> f64 {
        let key = mix(mix(self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ purpose as u64);
        let bits = mix(key ^ index.cast_unsigned()) >> 11;
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

impl Layer {
    /// Between the values at two nodes, eased and kept at a constant deviation.
    fn between(&self, [before, after]: [f64; 2], minute: i64) -> f64 {
        let position = minute.rem_euclid(self.spacing_minutes) as f64 / self.spacing_minutes as f64;
        let weight = position * position * (3.0 - 2.0 * position);
        let norm = libm::sqrt(weight * weight + (1.0 - weight) * (1.0 - weight));
        self.deviation * (before * (1.0 - weight) + after * weight) / norm
    }
}

/// What hour and weekday add to ln volatility: loudest around 15:00 UTC, when America trades, quiet at weekends.
fn rhythm(minute: i64) -> f64 {
    let angle = TAU * (minute.rem_euclid(DAY_MINUTES) - 15 * 60) as f64 / DAY_MINUTES as f64;
    // The epoch was a Thursday.
    let is_weekend = matches!((minute.div_euclid(DAY_MINUTES) + 4).rem_euclid(7), 0 | 6);
    0.22 * libm::cos(angle) + 0.08 * libm::cos(2.0 * angle) - if is_weekend { 0.30 } else { 0.0 }
}

/// The nearest whole number of ticks, at least one.
fn ticks(value: f64, ticks_per_unit: f64) -> f64 {
    libm::round(value * ticks_per_unit).max(1.0) / ticks_per_unit
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use veriregime_core::types::candle::{CandleSeries, check_all};

    /// 2024-01-01.
    const START_MS: i64 = 1_704_067_200_000;
    const DAY_MS: i64 = DAY_MINUTES * MINUTE_MS;

    fn deviations(candles: &[Candle]) -> Vec<f64> {
        let deviation = |window: &[Candle]| {
            let returns: Vec<f64> = window.windows(2).map(|pair| pair[1].close / pair[0].close - 1.0).collect();
            let mean = returns.iter().sum::<f64>() / returns.len() as f64;
            (returns.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / returns.len() as f64).sqrt()
        };
        candles.chunks_exact(240).map(deviation).collect()
    }

    fn correlation(pairs: &[(f64, f64)]) -> f64 {
        let count = pairs.len() as f64;
        let mean = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0 / count, sum.1 + pair.1 / count));
        let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
            pairs.iter().map(|pair| term(pair.0 - mean.0, pair.1 - mean.1)).sum()
        };
        sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
    }

    #[test]
    fn a_market_is_what_it_was_yesterday() {
        let candles = SimulatedMarket::new(7).candles(START_MS..START_MS + DAY_MS);
        let series = CandleSeries::new(&candles, START_MS, START_MS + DAY_MS, 0).unwrap();
        insta::assert_snapshot!(series.digest(), @"6bcd0dea20d960b6f3e260a91f33b57c58be26562d29ce5ac67a8cd4ef8efc1f");
        assert_ne!(SimulatedMarket::new(8).candles(START_MS..START_MS + DAY_MS), candles);
    }

    #[test]
    fn both_regimes_are_common_persistent_and_follow_the_clock() {
        for seed in [1, 7, 42] {
            let candles = SimulatedMarket::new(seed).candles(START_MS..START_MS + 728 * DAY_MS);
            check_all(&candles).unwrap();
            let deviations = deviations(&candles);
            let high: Vec<bool> = deviations.iter().map(|deviation| *deviation > 0.0005).collect();
            let share = high.iter().filter(|high| **high).count() as f64 / high.len() as f64;
            let persistence = high.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64 / high.len() as f64;
            let logs: Vec<f64> = deviations.iter().map(|deviation| deviation.ln()).collect();
            let next_day: Vec<(f64, f64)> = logs.windows(7).map(|window| (window[0], window[6])).collect();
            let memory = correlation(&next_day);
            let volumes =
                candles.chunks_exact(240).map(|window| window.iter().map(|candle| candle.volume).sum::<f64>());
            let with_volume = correlation(&volumes.map(f64::ln).zip(logs.iter().copied()).collect::<Vec<_>>());
            let mean_of_slot = |slot: usize| logs.iter().skip(slot).step_by(6).sum::<f64>() / (logs.len() / 6) as f64;
            let swing = mean_of_slot(3) - mean_of_slot(1);
            eprintln!(
                "seed {seed}: share {share:.3} persistence {persistence:.3} memory {memory:.3} volume {with_volume:.3} swing {swing:.3}"
            );
            assert!((0.40..0.60).contains(&share), "share of High {share}");
            assert!((0.65..0.90).contains(&persistence), "persistence {persistence}");
            assert!((0.3..0.8).contains(&memory), "correlation with the next day {memory}");
            assert!(with_volume > 0.5, "correlation with volume {with_volume}");
            assert!((0.2..0.8).contains(&swing), "afternoon over night {swing}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn where_a_range_starts_changes_nothing(seed: u64, from in 0_i64..4000, length in 1_i64..4000) {
            let market = SimulatedMarket::new(seed);
            let whole = market.candles(START_MS..START_MS + 6 * DAY_MS);
            let from_ms = START_MS + from * MINUTE_MS;
            let part = market.candles(from_ms..from_ms + length * MINUTE_MS);
            prop_assert_eq!(&part[..], &whole[from as usize..(from + length) as usize]);
            check_all(&whole).unwrap();
        }
    }
}
