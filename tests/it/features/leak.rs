//! A detector of looks into the future, and what it must and must not find.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use veriregime_core::features::sums::Sums;
use veriregime_core::features::{calendar, label, measure};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

use super::catalogue::{LOOKBACK, examples, profile};
use crate::market::candles;

/// Minutes that follow the decision in these tests.
const FUTURE: usize = 300;

/// Columns of `row(candles, at)` that move when the candles from `at` on are shuffled, made rougher or replaced: what
/// moves has looked at or behind the decision time. Times of candles stay.
pub fn moved_columns(candles: &[Candle], at: usize, row: &dyn Fn(&[Candle], usize) -> Vec<f64>) -> Vec<usize> {
    let before = row(candles, at);
    let mut moved = vec![false; before.len()];
    for tamper in [shuffled, rougher, replaced] {
        let mut tampered = candles.to_vec();
        tamper(&mut tampered[at..]);
        for (candle, original) in tampered.iter_mut().zip(candles) {
            candle.open_time_ms = original.open_time_ms;
        }
        let after = row(&tampered, at);
        assert_eq!(after.len(), before.len(), "a row keeps its length");
        for (moved, (after, before)) in moved.iter_mut().zip(after.iter().zip(&before)) {
            *moved |= after.to_bits() != before.to_bits();
        }
    }
    (0..moved.len()).filter(|column| moved[*column]).collect()
}

fn shuffled(future: &mut [Candle]) {
    future.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
}

fn rougher(future: &mut [Candle]) {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for candle in future {
        candle.close *= random.random_range(0.9..1.1);
        candle.high = candle.high.max(candle.close) * 1.02;
        candle.low = candle.low.min(candle.close) / 1.02;
        candle.volume *= 40.0;
    }
}

fn replaced(future: &mut [Candle]) {
    let other = candles(9_999, future.first().map_or(0, |candle| candle.open_time_ms), future.len());
    future.copy_from_slice(&other);
}

fn market() -> Vec<Candle> {
    candles(31, 1_722_194_220_000, LOOKBACK + FUTURE)
}

/// All features, and behind them two that look where they may not.
fn row(candles: &[Candle], at: usize) -> Vec<f64> {
    let sums = Sums::new(candles, &[]);
    let (from_candles, of_calendar) = examples();
    let profile: Vec<i32> = (0..168).map(profile).collect();
    let time_ms = candles[0].open_time_ms + i64::try_from(at).unwrap() * MINUTE_MS;
    let mut row: Vec<f64> = from_candles.iter().map(|feature| measure::value(feature, &sums, at)).collect();
    row.extend(of_calendar.iter().map(|feature| calendar::value(feature, &profile, time_ms)));
    row.push(label::log_volatility(label::volatility(&sums, at, 240).unwrap()));
    row.push(measure::value(&from_candles[0], &sums, at + 1));
    row
}

#[test]
fn no_feature_moves_with_the_future_and_leaking_ones_are_caught() {
    let honest = examples().0.len() + examples().1.len();
    assert_eq!(moved_columns(&market(), LOOKBACK, &row), [honest, honest + 1]);
}

/// Statistics of the whole file are a leak as well, though a faint one.
#[test]
fn a_normalisation_with_the_future_is_caught() {
    let normalised = |candles: &[Candle], at: usize| {
        let all = candles.iter().map(|candle| candle.close).sum::<f64>() / candles.len() as f64;
        let past = candles[..at].iter().map(|candle| candle.close).sum::<f64>() / at as f64;
        vec![candles[at - 1].close / past, candles[at - 1].close / all]
    };
    assert_eq!(moved_columns(&market(), LOOKBACK, &normalised), [1]);
}
