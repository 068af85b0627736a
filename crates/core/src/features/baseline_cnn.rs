//! The seven channels of the convolutional network that this project began with, as whole series in its own
//! conventions: raw price and volume levels, recursions that start at the first candle. For reproducing that network;
//! nothing that is served uses them.

use crate::types::candle::Candle;

/// Number of channels.
pub const CHANNELS: usize = 7;
/// Minutes over which the relative strength index averages gains and losses.
const STRENGTH_MINUTES: usize = 14;
/// The index where nothing moved: neither gains nor losses prevail.
const NEUTRAL_STRENGTH: f64 = 50.0;

/// One value a candle for each channel: exponential means of the close with spans 5, 10 and 20 minutes; relative
/// strength index over 14 minutes, 0 to 100; histogram of the moving average convergence/divergence 12/26/9, in
/// units of price; mean volume of the last 5 and 10 minutes.
///
/// Exponential means start at the first close and weigh the newest by `2 / (span + 1)`. The index compares plain means
/// of gains and losses (Cutler's variant of Wilder 1978) and is 50 where there are neither. Where fewer candles have
/// passed than a mean asks for, it is taken over those there are.
pub fn channels(candles: &[Candle]) -> [Vec<f32>; CHANNELS] {
    let closes: Vec<f64> = candles.iter().map(|candle| candle.close).collect();
    let volumes: Vec<f64> = candles.iter().map(|candle| candle.volume).collect();
    let series = [
        exponential_mean(&closes, 5),
        exponential_mean(&closes, 10),
        exponential_mean(&closes, 20),
        relative_strength(&closes),
        convergence_histogram(&closes),
        rolling_mean(&volumes, 5),
        rolling_mean(&volumes, 10),
    ];
    series.map(|values| values.into_iter().map(|value| value as f32).collect())
}

fn exponential_mean(values: &[f64], span: u32) -> Vec<f64> {
    let weight = 2.0 / (f64::from(span) + 1.0);
    let mut mean = values.first().copied().unwrap_or(0.0);
    let step = |value: &f64| {
        mean = weight * value + (1.0 - weight) * mean;
        mean
    };
    values.iter().map(step).collect()
}

fn rolling_mean(values: &[f64], window: usize) -> Vec<f64> {
    let mean = |end: usize| {
        let recent = &values[end.saturating_sub(window)..end];
        recent.iter().sum::<f64>() / recent.len() as f64
    };
    (1..=values.len()).map(mean).collect()
}

fn relative_strength(closes: &[f64]) -> Vec<f64> {
    // The first candle has no close before it: it neither gains nor loses.
    let change = |at: usize| if at == 0 { 0.0 } else { closes[at] - closes[at - 1] };
    let gains: Vec<f64> = (0..closes.len()).map(|at| change(at).max(0.0)).collect();
    let losses: Vec<f64> = (0..closes.len()).map(|at| (-change(at)).max(0.0)).collect();
    let index = |(gain, loss): (f64, f64)| match gain + loss {
        0.0 => NEUTRAL_STRENGTH,
        both => 100.0 * gain / both,
    };
    let means = rolling_mean(&gains, STRENGTH_MINUTES).into_iter().zip(rolling_mean(&losses, STRENGTH_MINUTES));
    means.map(index).collect()
}

fn convergence_histogram(closes: &[f64]) -> Vec<f64> {
    let slow = exponential_mean(closes, 26);
    let line: Vec<f64> = exponential_mean(closes, 12).iter().zip(slow).map(|(fast, slow)| fast - slow).collect();
    let signal = exponential_mean(&line, 9);
    line.iter().zip(signal).map(|(line, signal)| line - signal).collect()
}
