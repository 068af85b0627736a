//! One example of every feature, and what each measures written down a second time: naively, in floats, over the whole
//! past. The match without a wildcard and the comparison with the names that serde knows leave no feature out.

mod textbook;

use veriregime_agent::config::written::from_toml;
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{calendar, measure};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::feature::{Days, Feature};
use veriregime_core::types::period::MINUTE_MS;

use textbook::naive;

use crate::market::candles;

/// Minutes of the past that the examples need, the previous close included.
pub const LOOKBACK: usize = 10_081;

/// Every feature once, with parameters of its own: those from candles, then those of the calendar.
pub fn examples() -> (Vec<Feature>, Vec<Feature>) {
    let candle = vec![
        Feature::LogRmsReturn { minutes: 30 },
        Feature::LogRmsReturnFrom { minutes_ago: 1440, minutes: 240 },
        Feature::LogRmsReturnSameWindow { days: 3, minutes: 240 },
        Feature::LogRmsReturnSameWeekday { weeks: 1, minutes: 240 },
        Feature::LogRmsRatio { minutes: 60, relative_to_minutes: 480 },
        Feature::LogMeanAbsoluteReturn { minutes: 240 },
        Feature::LogMeanAbsoluteReturnFrom { minutes_ago: 2880, minutes: 180 },
        Feature::LogMeanAbsoluteReturnSameWindow { days: 2, minutes: 120 },
        Feature::LogMedianAbsoluteReturn { minutes: 90 },
        Feature::LogMaximumAbsoluteReturn { minutes: 240 },
        Feature::LogDownsideRms { minutes: 120 },
        Feature::LogUpsideRms { minutes: 120 },
        Feature::SemivarianceAsymmetry { minutes: 60 },
        Feature::LogBipower { minutes: 45 },
        Feature::JumpRatio { minutes: 45 },
        Feature::LogMedianVariation { minutes: 45 },
        Feature::LogQuarticity { minutes: 300 },
        Feature::VolatilityOfVolatility { minutes: 1440, block_minutes: 60 },
        Feature::MeanLogRms { minutes: 1440, block_minutes: 60 },
        Feature::LogFadingAbsoluteReturn { half_life_minutes: 60, block_minutes: 5 },
        Feature::MeanLogRmsOfDays { days: Days::SameKind, count: 2, ahead_minutes: 0, minutes: 240 },
        Feature::LogMeanAbsoluteReturnOfDays { days: Days::Every, count: 5, ahead_minutes: -240, minutes: 240 },
        Feature::ZeroReturnShare { minutes: 2000 },
        Feature::LogParkinson { minutes: 60 },
        Feature::LogGarmanKlass { minutes: 60 },
        Feature::LogRogersSatchell { minutes: 60 },
        Feature::LogTrueRange { minutes: 14 },
        Feature::LogRelativeVolume { minutes: 15, relative_to_minutes: 2880 },
        Feature::VwapDistance { minutes: 200 },
        Feature::OnBalanceVolume { minutes: 60 },
        Feature::LogReturn { minutes: 60 },
        Feature::RateOfChange { minutes: 20 },
        Feature::Momentum { minutes: 10 },
        Feature::EfficiencyRatio { minutes: 30 },
        Feature::BodyShare { minutes: 15 },
        Feature::UpperShadowShare { minutes: 15 },
        Feature::LowerShadowShare { minutes: 15 },
        Feature::EmaDistance { span_minutes: 20 },
        Feature::MacdHistogram { fast_minutes: 12, slow_minutes: 26, signal_minutes: 9 },
        Feature::RelativeStrength { minutes: 14 },
        Feature::BollingerPosition { minutes: 20 },
        Feature::LogBollingerWidth { minutes: 20 },
        Feature::Stochastic { minutes: 14 },
        Feature::WilliamsR { minutes: 21 },
        Feature::CommodityChannel { minutes: 20 },
    ];
    let calendar = vec![
        Feature::DaySine { harmonic: 1 },
        Feature::DayCosine { harmonic: 2 },
        Feature::Weekday { days: vec![5, 6] },
        Feature::WeeklyProfile { minutes_before: 240 },
    ];
    (candle, calendar)
}

/// An hour's entry of the weekly profile that the tests use, in millionths.
pub fn profile(hour: i64) -> i32 {
    i32::try_from(-7_600_000 + (hour * 37 % 101 - 50) * 9_000).expect("small")
}

/// Whether it is made of quantities that are rounded to a grid of 2^-30 before they are summed.
fn is_summed(feature: &Feature) -> bool {
    !matches!(
        feature,
        Feature::VwapDistance { .. }
            | Feature::LogReturn { .. }
            | Feature::RateOfChange { .. }
            | Feature::EmaDistance { .. }
            | Feature::MacdHistogram { .. }
            | Feature::RelativeStrength { .. }
            | Feature::BollingerPosition { .. }
            | Feature::LogBollingerWidth { .. }
            | Feature::Stochastic { .. }
            | Feature::WilliamsR { .. }
            | Feature::CommodityChannel { .. }
    )
}

#[test]
fn every_feature_measures_what_a_second_writing_does() {
    // Sunday 2024-08-04 18:37 UTC and other odd times follow from this start.
    let start_ms = 1_722_194_220_000;
    let (candle, calendar) = examples();
    let profile: Vec<i32> = (0..168).map(profile).collect();
    for seed in 0..5 {
        let minutes = LOOKBACK + 1_013 * usize::try_from(seed).unwrap();
        let all = candles(seed, start_ms, minutes + 5);
        let sums = Sums::new(&all, &[]);
        for feature in &candle {
            let (value, expected) = (measure::value(feature, &sums, minutes), naive(feature, &all[..minutes]));
            let distance = (value - expected).abs();
            let allowed = if is_summed(feature) { 2e-6 * expected.abs().max(1.0) } else { 1e-9 };
            assert!(distance <= allowed, "{feature:?}: {value} against {expected}");
        }
        for feature in &calendar {
            let time_ms = start_ms + i64::try_from(minutes).unwrap() * MINUTE_MS;
            let (value, expected) = (calendar::value(feature, &profile, time_ms), naive(feature, &all[..minutes]));
            assert!((value - expected).abs() < 1e-9, "{feature:?}: {value} against {expected}");
        }
    }
}

#[test]
fn the_examples_hold_every_feature_that_a_name_stands_for() {
    let (candle, calendar) = examples();
    let mut names: Vec<String> = candle
        .iter()
        .chain(&calendar)
        .map(|feature| serde_json::to_value(feature).unwrap()["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    let refusal = serde_json::from_str::<Feature>(r#"{"name":"log_rms_retrun","minutes":30}"#).unwrap_err().to_string();
    let (complaint, known) = refusal.split_once("expected one of ").unwrap();
    assert_eq!(complaint, "unknown variant `log_rms_retrun`, ");
    let mut known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    known.sort_unstable();
    assert_eq!(names, known);
}

#[test]
fn a_name_comes_back_from_json_and_toml_with_its_parameters() {
    let (candle, calendar) = examples();
    for feature in candle.into_iter().chain(calendar) {
        let json = serde_json::to_string(&feature).unwrap();
        assert_eq!(serde_json::from_str::<Feature>(&json).unwrap(), feature, "{json}");
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).unwrap();
        let lines: Vec<String> = fields.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let toml = lines.join("\n");
        assert_eq!(from_toml::<Feature>(&toml).unwrap(), feature, "{toml}");
    }
    assert_eq!(Feature::Weekday { days: vec![5, 6] }.label(), "weekday days=[5+6]");
    let surplus = r#"{"name":"log_return","minutes":30,"days":1}"#;
    assert!(serde_json::from_str::<Feature>(surplus).unwrap_err().to_string().contains("unknown field `days`"));
}

/// A market that stands still divides nothing by zero.
#[test]
fn a_standstill_has_finite_features() {
    let candle = Candle { open_time_ms: 0, open: 2.5, high: 2.5, low: 2.5, close: 2.5, volume: 0.0 };
    let minutes = i64::try_from(LOOKBACK).unwrap();
    let still: Vec<Candle> = (0..minutes).map(|at| Candle { open_time_ms: at * MINUTE_MS, ..candle }).collect();
    let sums = Sums::new(&still, &[]);
    for feature in examples().0 {
        let value = measure::value(&feature, &sums, LOOKBACK);
        assert!(value.is_finite(), "{feature:?}: {value}");
    }
}
