//! Features: no look into the future, stream and batch alike, and the committed golden integers.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use veriregime_agent::features::{self, Batch, FeatureError};
use veriregime_agent::types::candle::{Candle, CandleSeries};
use veriregime_agent::types::fault::Fault;
use veriregime_agent::types::feature::{Feature, FeatureSpec, FeatureVector, ScaledFeature};
use veriregime_agent::types::period::{MINUTE_MS, PeriodId};

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

fn window(seed: u64) -> Vec<Candle> {
    let (from_ms, _) = features::window_ms(&spec(), PERIOD);
    candles(seed, from_ms, LOOKBACK)
}

fn vector(candles: &[Candle]) -> FeatureVector {
    let (from_ms, to_ms) = features::window_ms(&spec(), PERIOD);
    let series = CandleSeries::new(candles, from_ms, to_ms, 0).expect("no minute is absent");
    features::vector(&spec(), &series, PERIOD).expect("the window fits")
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
            candles: window(1).iter().map(|c| [c.open, c.high, c.low, c.close, c.volume]).collect(),
            expected: vector(&window(1)),
        };
        std::fs::write(path, serde_json::to_string(&golden).unwrap() + "\n").unwrap();
    }
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (from_ms, to_ms) = features::window_ms(&golden.spec, golden.period);
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
    assert_eq!(features::vector(&golden.spec, &series, golden.period).unwrap(), golden.expected);
}

/// Each feature written down a second time, naively and in floats.
#[test]
fn every_feature_is_what_its_name_says() {
    let candles = window(2);
    let integers: Vec<i32> = vector(&candles).integers().collect();
    let end = candles.len();
    let change = |i: usize| candles[i].close / candles[i - 1].close - 1.0;
    let mean = |range: std::ops::Range<usize>, f: &dyn Fn(usize) -> f64| {
        let count = range.len() as f64;
        range.map(f).sum::<f64>() / count
    };
    let rms = |from: usize, to: usize| mean(from..to, &|i| change(i).powi(2)).sqrt().ln();
    let same: f64 = (1..=2).map(|day| mean(end - 1440 * day..end - 1440 * day + 240, &|i| change(i).powi(2))).sum();
    let volume = |minutes: usize| mean(end - minutes..end, &|i| candles[i].volume);
    let day = 20.0 / 24.0 * std::f64::consts::TAU;
    let profile = |hour: usize| f64::from(spec().weekly_profile[hour]) * 1e-6;
    let expected = [
        rms(end - 30, end),
        rms(end - 1440, end - 1200),
        (same / 2.0).sqrt().ln(),
        mean(end - 240..end, &|i| change(i).abs()).ln(),
        (mean(end - 60..end, &|i| (candles[i].high / candles[i].low).ln().powi(2)) / (4.0 * 2.0_f64.ln())).sqrt().ln(),
        (volume(15) / volume(2880)).ln(),
        day.sin(),
        (2.0 * day).cos(),
        1.0,
        // Sunday 20:00 lies halfway between the middles of hours 91 and 92 since Thursday 00:00.
        f64::midpoint(profile(91), profile(92)),
        f64::midpoint(profile(87), profile(88)),
    ];
    let spec = spec();
    for (index, (scaled, value)) in spec.candle.iter().chain(&spec.calendar).zip(expected).enumerate() {
        let z = ((value - scaled.mean) / scaled.standard_deviation).clamp(-4.0, 4.0);
        let distance = (z * 8192.0 - f64::from(integers[index])).abs();
        assert!(distance < 20.0, "{:?}: {z} against {}", scaled.feature, f64::from(integers[index]) / 8192.0);
    }
}

#[test]
fn the_calendar_table_is_what_the_vector_carries() {
    let table = features::calendar_table(&spec()).unwrap();
    assert_eq!(table.len(), 42);
    assert_eq!(table[PERIOD.slot_of_week()], vector(&window(3)).calendar);
}

#[test]
fn candles_that_do_not_fit_are_refused_by_code() {
    let (from_ms, to_ms) = features::window_ms(&spec(), PERIOD);
    let all = window(4);
    let early = CandleSeries::new(&all, from_ms, to_ms - MINUTE_MS, 0).unwrap();
    assert_eq!(features::vector(&spec(), &early, PERIOD).unwrap_err().code(), "VR-FEATURE-001");
    let short = CandleSeries::new(&all, from_ms + MINUTE_MS, to_ms, 0).unwrap();
    let error = features::vector(&spec(), &short, PERIOD).unwrap_err();
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_window_cut_out_gives_the_integers_of_the_whole_series(seed in any::<u64>(), cut in 0_usize..2000) {
        let spec = spec();
        let (from_ms, _) = features::window_ms(&spec, PERIOD);
        let before = i64::try_from(cut).unwrap() * MINUTE_MS;
        let all = candles(seed, from_ms - before, LOOKBACK + cut + 500);
        let series = CandleSeries::new(&all, all[0].open_time_ms, all[all.len() - 1].close_time_ms(), 0).unwrap();
        let batch = Batch::new(&spec, &series).unwrap();
        let mut row = Vec::new();
        prop_assert!(batch.is_usable(cut + LOOKBACK));
        batch.append(cut + LOOKBACK, &mut row);
        let streamed: Vec<i32> = vector(&all).integers().collect();
        prop_assert_eq!(row, streamed);
    }

    #[test]
    fn nothing_at_or_after_the_decision_matters(seed in any::<u64>(), other in any::<u64>()) {
        let spec = spec();
        let (from_ms, to_ms) = features::window_ms(&spec, PERIOD);
        let mut all = candles(seed, from_ms, LOOKBACK + 300);
        let row = |all: &[Candle]| {
            let series = CandleSeries::new(all, from_ms, to_ms + 300 * MINUTE_MS, 0).unwrap();
            let mut row = Vec::new();
            Batch::new(&spec, &series).unwrap().append(LOOKBACK, &mut row);
            row
        };
        let before = row(&all);
        all.truncate(LOOKBACK);
        all.extend(candles(other, to_ms, 300));
        prop_assert_eq!(before, row(&all));
    }

    #[test]
    fn the_unit_of_price_does_not_matter(seed in any::<u64>(), power in -8_i32..8) {
        let all = window(seed);
        let unit = 2.0_f64.powi(power);
        let scaled: Vec<Candle> = all
            .iter()
            .map(|c| Candle { open: c.open * unit, high: c.high * unit, low: c.low * unit, close: c.close * unit, ..*c })
            .collect();
        prop_assert_eq!(vector(&all), vector(&scaled));
    }

    #[test]
    fn every_integer_stays_within_the_bound(seed in any::<u64>(), jump in 1e-3_f64..1e3) {
        let mut all = window(seed);
        for candle in &mut all[LOOKBACK - 100..] {
            for price in [&mut candle.open, &mut candle.high, &mut candle.low, &mut candle.close] {
                *price *= jump;
            }
        }
        prop_assert!(vector(&all).integers().all(|integer| integer.abs() <= spec().bound()));
    }
}
