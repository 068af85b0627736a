//! Features against other people's code: the crate `yata`, and pandas through a committed fixture.

use serde::{Deserialize, Serialize};
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{baseline_cnn, measure};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::feature::Feature;
use yata::core::{IndicatorConfig, IndicatorInstance, Method, MovingAverageConstructor, PeriodType};
use yata::helpers::MA;
use yata::indicators::RelativeStrengthIndex;
use yata::methods::{CCI, EMA, Highest, Lowest, Momentum, RateOfChange, SMA, StDev, TR, VWMA};

use super::catalogue::LOOKBACK;
use crate::market::candles;

/// Runs a method of `yata` over all values and returns what it says last.
fn last<M: Method<Params = PeriodType, Output = f64>>(length: PeriodType, values: &[M::Input]) -> f64
where
    M::Input: Sized,
{
    let mut method = M::new(length, &values[0]).expect("a sane length");
    values.iter().map(|value| method.next(value)).last().expect("values")
}

/// All values of one.
fn all<M: Method<Params = PeriodType, Input = f64, Output = f64>>(length: PeriodType, values: &[f64]) -> Vec<f64> {
    let mut method = M::new(length, &values[0]).expect("a sane length");
    values.iter().map(|value| method.next(value)).collect()
}

/// Conventions of `yata` that differ from ours: its standard deviation is of a sample, its commodity channel index
/// leaves out Lambert's 0.015, and its momentum and true range are in units of price.
#[test]
fn indicators_agree_with_yata() {
    let past = candles(77, 1_722_194_220_000, LOOKBACK);
    let of = |value: fn(&Candle) -> f64| -> Vec<f64> { past.iter().map(value).collect() };
    let closes = of(|candle| candle.close);
    let typical = of(|candle| (candle.high + candle.low + candle.close) / 3.0);
    let close = closes[closes.len() - 1];
    let line: Vec<f64> =
        all::<EMA>(12, &closes).iter().zip(all::<EMA>(26, &closes)).map(|(fast, slow)| fast - slow).collect();
    let histogram = line[line.len() - 1] - last::<EMA>(9, &line);
    let mut strength = RelativeStrengthIndex { ma: MA::SMA(14), ..RelativeStrengthIndex::default() }
        .init(&bar(&past[0]))
        .expect("a sane length");
    let strength = past.iter().map(|candle| strength.next(&bar(candle)).value(0)).last().expect("candles");
    let population = (19.0_f64 / 20.0).sqrt();
    let deviation = last::<StDev>(20, &closes) * population;
    let middle = MA::SMA(20).init(closes[0]).map(|mut mean| closes.iter().map(|close| mean.next(close)).last());
    let middle = middle.expect("a sane length").expect("closes");
    let (highs, lows) = (of(|candle| candle.high), of(|candle| candle.low));
    let place = |length: PeriodType| {
        let (highest, lowest) = (last::<Highest>(length, &highs), last::<Lowest>(length, &lows));
        ((close - lowest) / (highest - lowest), (close - highest) / (highest - lowest))
    };
    let mut true_range = TR::new(&bar(&past[0])).expect("a candle");
    let ranges: Vec<f64> = past
        .iter()
        .enumerate()
        .map(|(at, candle)| true_range.next(&bar(candle)) / past[at.saturating_sub(1)].close)
        .collect();
    let weighted: Vec<(f64, f64)> =
        typical.iter().zip(&past).map(|(typical, candle)| (*typical, candle.volume)).collect();
    let momentum = last::<Momentum>(10, &closes) / closes[closes.len() - 11];
    let expected = [
        (Feature::EmaDistance { span_minutes: 5 }, (close / last::<EMA>(5, &closes)).ln()),
        (Feature::EmaDistance { span_minutes: 10 }, (close / last::<EMA>(10, &closes)).ln()),
        (Feature::EmaDistance { span_minutes: 20 }, (close / last::<EMA>(20, &closes)).ln()),
        (Feature::MacdHistogram { fast_minutes: 12, slow_minutes: 26, signal_minutes: 9 }, histogram / close),
        (Feature::RelativeStrength { minutes: 14 }, strength),
        (Feature::BollingerPosition { minutes: 20 }, (close - middle) / deviation),
        (Feature::LogBollingerWidth { minutes: 20 }, (4.0 * deviation / middle).ln()),
        (Feature::Stochastic { minutes: 14 }, place(14).0),
        (Feature::WilliamsR { minutes: 21 }, place(21).1),
        (Feature::CommodityChannel { minutes: 20 }, last::<CCI>(20, &typical) / 0.015),
        (Feature::RateOfChange { minutes: 20 }, last::<RateOfChange>(20, &closes)),
        (Feature::LogReturn { minutes: 60 }, (1.0 + last::<RateOfChange>(60, &closes)).ln()),
        (Feature::Momentum { minutes: 10 }, momentum / last::<SMA>(10, &ranges)),
        (Feature::LogTrueRange { minutes: 14 }, last::<SMA>(14, &ranges).ln()),
        (Feature::VwapDistance { minutes: 200 }, (close / last::<VWMA>(200, &weighted)).ln()),
    ];
    let sums = Sums::new(&past, &[]);
    for (feature, expected) in expected {
        let value = measure::value(&feature, &sums, past.len());
        assert!((value - expected).abs() <= 5e-5 * expected.abs(), "{feature:?}: {value} against {expected}");
    }
}

fn bar(candle: &Candle) -> [f64; 5] {
    [candle.open, candle.high, candle.low, candle.close, candle.volume]
}

#[derive(Serialize, Deserialize)]
struct Fixture {
    origin: String,
    features: Vec<(Feature, f64)>,
    /// Rows of the series that [`baseline_cnn::channels`] gives.
    rows: Vec<usize>,
    channels: Vec<Vec<f64>>,
}

fn fixture() -> (Vec<Candle>, Fixture) {
    #[derive(Deserialize)]
    struct Golden {
        candles: Vec<[f64; 5]>,
    }
    let golden: Golden = serde_json::from_str(include_str!("../../fixtures/golden-features.json")).unwrap();
    let candle =
        |[open, high, low, close, volume]: [f64; 5]| Candle { open_time_ms: 0, open, high, low, close, volume };
    let candles = golden.candles.into_iter().map(candle).collect();
    (candles, serde_json::from_str(include_str!("../../fixtures/pandas-features.json")).unwrap())
}

#[test]
fn features_agree_with_pandas() {
    let (candles, fixture) = fixture();
    let sums = Sums::new(&candles, &[]);
    assert!(fixture.features.len() > 20);
    for (feature, expected) in fixture.features {
        let value = measure::value(&feature, &sums, candles.len());
        assert!((value - expected).abs() <= 5e-4 * expected.abs(), "{feature:?}: {value} against {expected}");
    }
}

#[test]
fn the_original_channels_agree_with_pandas() {
    let (candles, fixture) = fixture();
    let channels = baseline_cnn::channels(&candles);
    for (channel, expected) in channels.iter().zip(&fixture.channels) {
        assert_eq!(channel.len(), candles.len());
        for (row, expected) in fixture.rows.iter().zip(expected) {
            let distance = (f64::from(channel[*row]) - expected).abs();
            assert!(distance <= 1e-6 * expected.abs().max(1.0), "row {row}: {} against {expected}", channel[*row]);
        }
    }
}

#[test]
fn the_original_strength_of_a_standstill_is_neutral() {
    let still = Candle { open_time_ms: 0, open: 3.0, high: 3.0, low: 3.0, close: 3.0, volume: 0.0 };
    let channels = baseline_cnn::channels(&[still; 40]);
    assert!(channels[3].iter().all(|strength| strength.to_bits() == 50.0_f32.to_bits()));
    assert!(baseline_cnn::channels(&[]).iter().all(Vec::is_empty));
}
