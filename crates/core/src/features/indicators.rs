//! Technical indicators over a slice of candles that ends at the decision time. Recursions start at its first candle
//! and sums run in its order, so that the same candles give the same bits wherever they were cut from.

use super::volume::typical_price;
use crate::types::candle::Candle;

/// Lambert's constant: most values lie within ±1 mean deviation times this, inverted.
const CHANNEL_UNIT: f64 = 0.015;
/// Added to a relative band width before its logarithm.
const WIDTH_FLOOR: f64 = 1e-7;
/// Half the width of Bollinger bands, in standard deviations.
const BAND_DEVIATIONS: f64 = 2.0;

/// An exponential mean that starts at the first value.
#[derive(Debug)]
struct ExponentialMean {
    weight: f64,
    mean: f64,
}

impl ExponentialMean {
    fn new(span_minutes: usize, first: f64) -> Self {
        Self { weight: 2.0 / (span_minutes as f64 + 1.0), mean: first }
    }

    fn push(&mut self, value: f64) {
        self.mean += self.weight * (value - self.mean);
    }
}

/// Logarithm of the last close over the exponential mean of the closes.
///
/// # Panics
/// If there are no candles, as all functions here.
pub fn ema_distance(candles: &[Candle], span_minutes: usize) -> f64 {
    let mut mean = ExponentialMean::new(span_minutes, candles[0].close);
    for candle in candles {
        mean.push(candle.close);
    }
    libm::log(last_close(candles) / mean.mean)
}

/// Histogram of the moving average convergence/divergence over the last close.
pub fn macd_histogram(candles: &[Candle], [fast, slow, signal]: [usize; 3]) -> f64 {
    let first = candles[0].close;
    let (mut fast, mut slow) = (ExponentialMean::new(fast, first), ExponentialMean::new(slow, first));
    let mut signal = ExponentialMean::new(signal, 0.0);
    for candle in candles {
        fast.push(candle.close);
        slow.push(candle.close);
        signal.push(fast.mean - slow.mean);
    }
    (fast.mean - slow.mean - signal.mean) / last_close(candles)
}

/// Gains over gains and losses of the closes behind the first; one half where there are neither.
pub fn relative_strength(candles: &[Candle]) -> f64 {
    let changes = candles.windows(2).map(|pair| pair[1].close - pair[0].close);
    let (gains, losses) = changes
        .fold((0.0, 0.0), |(gains, losses): (f64, f64), change| (gains + change.max(0.0), losses + (-change).max(0.0)));
    if gains + losses > 0.0 { gains / (gains + losses) } else { 0.5 }
}

/// Standard deviations by which the last close lies above the mean; 0 where all closes are one.
pub fn bollinger_position(candles: &[Candle]) -> f64 {
    let (mean, deviation) = mean_and_deviation(candles);
    if deviation > 0.0 { (last_close(candles) - mean) / deviation } else { 0.0 }
}

/// Logarithm of the width of the bands over their middle.
pub fn log_bollinger_width(candles: &[Candle]) -> f64 {
    let (mean, deviation) = mean_and_deviation(candles);
    libm::log(2.0 * BAND_DEVIATIONS * deviation / mean + WIDTH_FLOOR)
}

/// Place of the last close between lowest low and highest high; one half where they are one.
pub fn stochastic(candles: &[Candle]) -> f64 {
    let lowest = candles.iter().fold(f64::INFINITY, |lowest, candle| lowest.min(candle.low));
    let highest = candles.iter().fold(0.0_f64, |highest, candle| highest.max(candle.high));
    if highest > lowest { (last_close(candles) - lowest) / (highest - lowest) } else { 0.5 }
}

/// Distance of the last typical price from their mean in units of 0.015 mean absolute deviations; 0 where all are one.
pub fn commodity_channel(candles: &[Candle]) -> f64 {
    let count = candles.len() as f64;
    let mean = candles.iter().map(typical_price).sum::<f64>() / count;
    let deviation = candles.iter().map(|candle| (typical_price(candle) - mean).abs()).sum::<f64>() / count;
    let distance = typical_price(&candles[candles.len() - 1]) - mean;
    if deviation > 0.0 { distance / (CHANNEL_UNIT * deviation) } else { 0.0 }
}

/// Mean and population standard deviation of the closes.
fn mean_and_deviation(candles: &[Candle]) -> (f64, f64) {
    let count = candles.len() as f64;
    let mean = candles.iter().map(|candle| candle.close).sum::<f64>() / count;
    let squares = candles.iter().map(|candle| (candle.close - mean) * (candle.close - mean)).sum::<f64>();
    (mean, libm::sqrt(squares / count))
}

fn last_close(candles: &[Candle]) -> f64 {
    candles[candles.len() - 1].close
}
