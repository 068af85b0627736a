//! Features: no look into the future, stream and batch alike, and the committed golden integers.

mod catalogue;
mod export;
pub mod leak;
mod oracles;

use std::sync::LazyLock;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use veriregime_core::features;
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{Batch, FeatureError, calendar, measure};
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::feature::{Feature, FeatureSpec, FeatureVector, ScaledFeature};
use veriregime_core::types::period::{Grid, MINUTE_MS, PeriodId};

use crate::market::candles;

const LOOKBACK: usize = 2881;
/// Sunday 2024-08-04 20:00 UTC.
const PERIOD: PeriodId = PeriodId(119_639);

fn spec() -> FeatureSpec {
    let scaled = |feature, mean, standard_deviation| ScaledFeature { feature, mean, standard_deviation };
    FeatureSpec {
        candle: vec![
            scaled(Feature::LogRmsReturn { minutes: 30 }, -7.6, 0.8),
            scaled(Feature::LogRmsReturnFrom { minutes_ago: 1440, minutes: 240 }, -7.6, 0.7),
            scaled(Feature::LogRmsReturnSameWindow { days: 2, minutes: 240 }, -7.6, 0.6),
            scaled(Feature::LogMeanAbsoluteReturn { minutes: 240 }, -8.0, 0.7),
            scaled(Feature::LogParkinson { minutes: 60 }, -7.7, 0.7),
            scaled(Feature::LogRelativeVolume { minutes: 15, relative_to_minutes: 2880 }, 0.0, 0.5),
        ],
        calendar: vec![
            scaled(Feature::DaySine { harmonic: 1 }, 0.0, 0.7),
            scaled(Feature::DayCosine { harmonic: 2 }, 0.0, 0.7),
            scaled(Feature::Weekday { days: vec![5, 6] }, 0.28, 0.45),
            scaled(Feature::WeeklyProfile { minutes_before: 0 }, -7.6, 0.25),
            scaled(Feature::WeeklyProfile { minutes_before: 240 }, -7.6, 0.25),
        ],
        weekly_profile: (0..168).map(|hour| -7_600_000 + (hour * 37 % 101 - 50) * 9_000).collect(),
        clip: 4.0,
        input_scale: 13,
        lookback_minutes: LOOKBACK,
        max_missing_minutes: 120,
    }
}

/// Every feature there is, normalised by statistics of one market.
static EVERYTHING: LazyLock<FeatureSpec> = LazyLock::new(|| {
    let market = candles(1, 0, 4 * catalogue::LOOKBACK);
    let sums = Sums::new(&market, &[]);
    let weekly_profile: Vec<i32> = (0..168).map(catalogue::profile).collect();
    let scaled = |feature: Feature| {
        let value = |at: usize| {
            let of_calendar = calendar::value(&feature, &weekly_profile, market[at].open_time_ms);
            if feature.is_calendar() { of_calendar } else { measure::value(&feature, &sums, at) }
        };
        let values: Vec<f64> = (catalogue::LOOKBACK..market.len()).step_by(97).map(value).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        let round = |value: f64| (value * 1e6).round() / 1e6;
        ScaledFeature { feature, mean: round(mean), standard_deviation: round(variance.sqrt()) }
    };
    let (candle, calendar) = catalogue::examples();
    FeatureSpec {
        candle: candle.into_iter().map(scaled).collect(),
        calendar: calendar.into_iter().map(scaled).collect(),
        weekly_profile: weekly_profile.clone(),
        lookback_minutes: catalogue::LOOKBACK,
        ..spec()
    }
});

fn window(spec: &FeatureSpec, seed: u64) -> Vec<Candle> {
    let (from_ms, _) = features::window_ms(spec, PERIOD.start_ms());
    candles(seed, from_ms, spec.lookback_minutes)
}

fn vector(spec: &FeatureSpec, candles: &[Candle]) -> FeatureVector {
    let (from_ms, to_ms) = features::window_ms(spec, PERIOD.start_ms());
    let series = CandleSeries::new(candles, from_ms, to_ms, 0).expect("no minute is absent");
    features::vector(spec, &series, PERIOD.start_ms()).expect("the window fits")
}

/// The integers of a batch over all of `candles` at the decision time `at`.
fn batch_row(spec: &FeatureSpec, candles: &[Candle], at: usize) -> Vec<i32> {
    let (first, last) = (&candles[0], &candles[candles.len() - 1]);
    let series = CandleSeries::new(candles, first.open_time_ms, last.close_time_ms(), 0).expect("no minute is absent");
    let batch = Batch::new(spec, &series).expect("a usable spec");
    assert!(batch.is_usable(at));
    let mut row = Vec::new();
    batch.append(at, &mut row);
    row
}

#[derive(Serialize, Deserialize)]
struct Golden {
    origin: String,
    spec: FeatureSpec,
    period: PeriodId,
    /// Open, high, low, close, volume of consecutive minutes that end where the period starts.
    candles: Vec<[f64; 5]>,
    expected: FeatureVector,
}

/// The committed integers; `UPDATE_GOLDEN=1` writes them anew.
#[test]
fn the_golden_vector_comes_out_to_the_last_bit() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/golden-features.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let golden = Golden {
            origin: "tests/it/market.rs, seed 1".into(),
            spec: spec(),
            period: PERIOD,
            candles: window(&spec(), 1).iter().map(|c| [c.open, c.high, c.low, c.close, c.volume]).collect(),
            expected: vector(&spec(), &window(&spec(), 1)),
        };
        std::fs::write(path, serde_json::to_string(&golden).unwrap() + "\n").unwrap();
    }
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (from_ms, to_ms) = features::window_ms(&golden.spec, golden.period.start_ms());
    let minutes = golden.candles.iter().zip((from_ms..).step_by(60_000));
    let candles: Vec<Candle> = minutes
        .map(|([open, high, low, close, volume], open_time_ms)| Candle {
            open_time_ms,
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: *volume,
        })
        .collect();
    let series = CandleSeries::new(&candles, from_ms, to_ms, 0).unwrap();
    assert_eq!(features::vector(&golden.spec, &series, golden.period.start_ms()).unwrap(), golden.expected);
}

#[derive(Serialize, Deserialize)]
struct GoldenOfAll {
    origin: String,
    /// Of the candles that `origin` names.
    candles: Digest,
    spec: FeatureSpec,
    period: PeriodId,
    expected: FeatureVector,
}

/// The same for a spec that holds every feature; its candles are too many to commit.
#[test]
fn the_golden_vector_of_all_features_comes_out_to_the_last_bit() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/golden-all-features.json");
    let market = window(&EVERYTHING, 1);
    let (from_ms, to_ms) = features::window_ms(&EVERYTHING, PERIOD.start_ms());
    let candles = CandleSeries::new(&market, from_ms, to_ms, 0).unwrap().digest();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let golden = GoldenOfAll {
            origin: "tests/it/market.rs, seed 1, the minutes before the period".into(),
            candles,
            spec: EVERYTHING.clone(),
            period: PERIOD,
            expected: vector(&EVERYTHING, &market),
        };
        std::fs::write(path, serde_json::to_string(&golden).unwrap() + "\n").unwrap();
    }
    let golden: GoldenOfAll = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(candles, golden.candles, "these are not the candles that the integers belong to");
    assert_eq!(vector(&golden.spec, &market), golden.expected);
}

#[test]
fn the_calendar_table_is_what_the_vector_carries() {
    let table = features::calendar_table(&spec(), Grid::FOUR_HOURS).unwrap();
    assert_eq!(table.len(), 42);
    assert_eq!(table[Grid::FOUR_HOURS.slot_of_week(PERIOD)], vector(&spec(), &window(&spec(), 3)).calendar);
}

#[test]
fn candles_that_do_not_fit_are_refused_by_code() {
    let (from_ms, to_ms) = features::window_ms(&spec(), PERIOD.start_ms());
    let all = window(&spec(), 4);
    let early = CandleSeries::new(&all, from_ms, to_ms - MINUTE_MS, 0).unwrap();
    assert_eq!(features::vector(&spec(), &early, PERIOD.start_ms()).unwrap_err().code(), "VR-FEATURE-001");
    let short = CandleSeries::new(&all, from_ms + MINUTE_MS, to_ms, 0).unwrap();
    let error = features::vector(&spec(), &short, PERIOD.start_ms()).unwrap_err();
    assert_eq!(error, FeatureError::TooShort { given: LOOKBACK - 1, needed: LOOKBACK });
    let mut flat = spec();
    flat.candle[0].standard_deviation = 0.0;
    let mut mixed = spec();
    mixed.candle.push(mixed.calendar[0].clone());
    let mut shallow = spec();
    shallow.lookback_minutes = 2880;
    let mut bare = spec();
    bare.weekly_profile.clear();
    let mut future = spec();
    future.candle[1].feature = Feature::LogRmsReturnFrom { minutes_ago: 100, minutes: 240 };
    for broken in [flat, mixed, shallow, bare, future] {
        assert_eq!(features::check(&broken).unwrap_err().code(), "VR-FEATURE-003");
    }
}

/// Windows of a month and more, in a stream and in a batch.
#[test]
fn long_windows_work() {
    let long = [
        Feature::LogRmsReturn { minutes: 43_200 },
        Feature::LogMeanAbsoluteReturn { minutes: 43_200 },
        Feature::LogQuarticity { minutes: 43_200 },
        Feature::LogBipower { minutes: 43_200 },
        Feature::LogRelativeVolume { minutes: 240, relative_to_minutes: 43_200 },
        Feature::VolatilityOfVolatility { minutes: 40_320, block_minutes: 1440 },
        Feature::LogRmsReturnSameWindow { days: 28, minutes: 240 },
        Feature::LogRmsReturnSameWeekday { weeks: 4, minutes: 240 },
    ];
    let scaled = |feature| ScaledFeature { feature, mean: -7.0, standard_deviation: 2.0 };
    let spec = FeatureSpec { candle: long.map(scaled).to_vec(), lookback_minutes: 43_201, ..spec() };
    let (from_ms, _) = features::window_ms(&spec, PERIOD.start_ms());
    let all = candles(5, from_ms - 777 * MINUTE_MS, spec.lookback_minutes + 777);
    let streamed: Vec<i32> = vector(&spec, &all).integers().collect();
    assert_eq!(batch_row(&spec, &all, all.len()), streamed);
    assert!(streamed[..spec.candle.len()].iter().all(|integer| integer.abs() < spec.bound()), "{streamed:?}");
}

#[test]
fn a_window_that_is_empty_absurd_or_too_long_to_visit_is_refused() {
    let absurd = [
        Feature::LogRmsReturn { minutes: 0 },
        Feature::LogBipower { minutes: 1 },
        Feature::LogMedianVariation { minutes: 2 },
        Feature::LogQuarticity { minutes: usize::MAX },
        Feature::LogRmsRatio { minutes: 0, relative_to_minutes: 10 },
        Feature::LogRmsRatio { minutes: 527_040, relative_to_minutes: 527_040 },
        Feature::LogRmsReturnSameWeekday { weeks: usize::MAX, minutes: 240 },
        Feature::LogMeanAbsoluteReturnFrom { minutes_ago: 60, minutes: 61 },
        Feature::LogMeanAbsoluteReturnSameWindow { days: 1, minutes: 1441 },
        Feature::VolatilityOfVolatility { minutes: 60, block_minutes: 0 },
        Feature::VolatilityOfVolatility { minutes: 60, block_minutes: 7 },
        Feature::VolatilityOfVolatility { minutes: 60, block_minutes: 60 },
        Feature::LogMedianAbsoluteReturn { minutes: 10_081 },
        Feature::VwapDistance { minutes: 10_081 },
        Feature::BollingerPosition { minutes: 1 },
        Feature::EmaDistance { span_minutes: 0 },
        Feature::EmaDistance { span_minutes: usize::MAX },
        Feature::MacdHistogram { fast_minutes: 26, slow_minutes: 12, signal_minutes: 9 },
        Feature::MacdHistogram { fast_minutes: 12, slow_minutes: 26, signal_minutes: 0 },
    ];
    for feature in absurd {
        let mut broken = spec();
        broken.lookback_minutes = 500_000;
        broken.candle[0].feature = feature.clone();
        assert_eq!(features::check(&broken).unwrap_err().code(), "VR-FEATURE-003", "{feature:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_window_cut_out_gives_the_integers_of_the_whole_series(seed in any::<u64>(), cut in 0_usize..2000) {
        let lookback = EVERYTHING.lookback_minutes;
        let (from_ms, _) = features::window_ms(&EVERYTHING, PERIOD.start_ms());
        let before = i64::try_from(cut).unwrap() * MINUTE_MS;
        let all = candles(seed, from_ms - before, lookback + cut + 500);
        let streamed: Vec<i32> = vector(&EVERYTHING, &all).integers().collect();
        prop_assert_eq!(batch_row(&EVERYTHING, &all, cut + lookback), streamed);
    }

    #[test]
    fn many_rows_at_once_are_the_rows_one_at_a_time(seed in any::<u64>(), skip in 0_usize..500, rough in 1.0_f64..60.0) {
        let spec = &*EVERYTHING;
        let mut market = candles(seed, 60_000, catalogue::LOOKBACK + 3_000);
        for candle in &mut market[catalogue::LOOKBACK..] {
            candle.close *= rough;
            candle.high = candle.high.max(candle.close);
        }
        let (first, last) = (market[0], market[market.len() - 1]);
        let series = CandleSeries::new(&market, first.open_time_ms, last.close_time_ms(), 0).unwrap();
        let batch = Batch::new(spec, &series).unwrap();
        let decisions = catalogue::LOOKBACK + skip..market.len() + 1;
        let mut rows = Vec::new();
        for at in decisions.clone() {
            batch.append(at, &mut rows);
        }
        prop_assert!(rows == batch.rows(decisions));
    }

    #[test]
    fn nothing_at_or_after_the_decision_matters(seed in any::<u64>(), other in any::<u64>()) {
        let lookback = EVERYTHING.lookback_minutes;
        let (from_ms, to_ms) = features::window_ms(&EVERYTHING, PERIOD.start_ms());
        let mut all = candles(seed, from_ms, lookback + 300);
        let before = batch_row(&EVERYTHING, &all, lookback);
        all.truncate(lookback);
        all.extend(candles(other, to_ms, 300));
        prop_assert_eq!(before, batch_row(&EVERYTHING, &all, lookback));
    }

    #[test]
    fn the_unit_of_price_does_not_matter(seed in any::<u64>(), power in -8_i32..8) {
        let all = window(&EVERYTHING, seed);
        let unit = 2.0_f64.powi(power);
        let scaled: Vec<Candle> = all
            .iter()
            .map(|c| Candle { open: c.open * unit, high: c.high * unit, low: c.low * unit, close: c.close * unit, ..*c })
            .collect();
        prop_assert_eq!(vector(&EVERYTHING, &all), vector(&EVERYTHING, &scaled));
    }

    #[test]
    fn every_integer_stays_within_the_bound(seed in any::<u64>(), jump in 1e-3_f64..1e3) {
        let mut all = window(&EVERYTHING, seed);
        let end = all.len();
        for candle in &mut all[end - 100..] {
            for price in [&mut candle.open, &mut candle.high, &mut candle.low, &mut candle.close] {
                *price *= jump;
            }
        }
        let bound = EVERYTHING.bound();
        prop_assert!(vector(&EVERYTHING, &all).integers().all(|integer| integer.abs() <= bound));
    }
}
