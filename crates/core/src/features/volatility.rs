//! Volatility over a window, from exact sums.

use std::f64::consts::{FRAC_PI_2, LN_2, PI};
use std::ops::Range;

use super::quantity::{Quantity, RETURN_SCALE, grid};
use super::sums::Sums;

/// Added to a mean square before its logarithm: a standstill counts as 0.001 bps a minute.
pub const SQUARE_FLOOR: f64 = 1e-14;
/// Added to a magnitude before its logarithm; the root of [`SQUARE_FLOOR`].
pub const MAGNITUDE_FLOOR: f64 = 1e-7;
/// Added to a mean fourth power before its logarithm; the square of [`SQUARE_FLOOR`].
const QUARTIC_FLOOR: f64 = 1e-28;

/// Logarithm of the root of a mean square.
pub fn log_root(mean_square: f64) -> f64 {
    0.5 * libm::log(mean_square + SQUARE_FLOOR)
}

/// Logarithm of a magnitude.
pub fn log_magnitude(magnitude: f64) -> f64 {
    libm::log(magnitude + MAGNITUDE_FLOOR)
}

/// Logarithm of the root mean square of the window's returns.
pub fn log_rms(sums: &Sums, window: Range<usize>) -> f64 {
    log_root(sums.mean(Quantity::SquaredReturn, window))
}

/// Mean over windows of `minutes` of which the first began `every_minutes` before `at`, the next as much before it,
/// and so on.
pub fn mean_of_earlier(sums: &Sums, quantity: Quantity, at: usize, [count, every_minutes, minutes]: [usize; 3]) -> f64 {
    let starts = (1..=count).map(|earlier| at - earlier * every_minutes);
    let total: i128 = starts.map(|from| sums.total(quantity, from..from + minutes)).sum();
    total as f64 / (count * minutes) as f64 / grid(quantity.scale())
}

/// Logarithm of the median magnitude of the window's returns.
pub fn log_median(sums: &Sums, window: Range<usize>) -> f64 {
    let mut magnitudes: Vec<i128> = window.map(|at| sums.total(Quantity::AbsoluteReturn, at..at + 1)).collect();
    let middle = magnitudes.len() / 2;
    let even = magnitudes.len().is_multiple_of(2);
    let (below, upper, _) = magnitudes.select_nth_unstable(middle);
    let upper = *upper;
    let lower = if even { below.iter().copied().max().unwrap_or(upper) } else { upper };
    log_magnitude((lower + upper) as f64 / 2.0 / grid(RETURN_SCALE))
}

/// Logarithm of the largest magnitude of the window's returns.
pub fn log_maximum(sums: &Sums, window: Range<usize>) -> f64 {
    let largest = window.map(|at| sums.total(Quantity::AbsoluteReturn, at..at + 1)).max().unwrap_or(0);
    log_magnitude(largest as f64 / grid(RETURN_SCALE))
}

/// Squared rises less squared falls over both; 0 at a standstill.
pub fn asymmetry(sums: &Sums, window: Range<usize>) -> f64 {
    let all = sums.total(Quantity::SquaredReturn, window.clone());
    let falls = sums.total(Quantity::SquaredFall, window);
    ratio(all - 2 * falls, all)
}

/// Bipower variation a minute: only products within the window count, and their mean is over as many.
pub fn bipower(sums: &Sums, window: Range<usize>) -> f64 {
    FRAC_PI_2 * sums.mean(Quantity::AdjacentProduct, window.start + 1..window.end)
}

/// Share of the mean square that bipower variation leaves; 0 at a standstill.
pub fn jump_ratio(sums: &Sums, window: Range<usize>) -> f64 {
    let variance = sums.mean(Quantity::SquaredReturn, window.clone());
    if variance > 0.0 { 1.0 - bipower(sums, window) / variance } else { 0.0 }
}

/// Median realised variance a minute; the mean is over the medians that lie within the window.
pub fn median_variation(sums: &Sums, window: Range<usize>) -> f64 {
    let unbiased = PI / (6.0 - 4.0 * libm::sqrt(3.0) + PI);
    unbiased * sums.mean(Quantity::SquaredMedian, window.start + 2..window.end)
}

/// A quarter of the logarithm of a third of the mean fourth power of returns.
pub fn log_quarticity(sums: &Sums, window: Range<usize>) -> f64 {
    0.25 * libm::log(sums.mean(Quantity::QuarticReturn, window) / 3.0 + QUARTIC_FLOOR)
}

/// Standard deviation, over the consecutive blocks of `block_minutes`, of their log root mean squares.
pub fn of_volatility(sums: &Sums, window: Range<usize>, block_minutes: usize) -> f64 {
    let logs: Vec<f64> = window.step_by(block_minutes).map(|from| log_rms(sums, from..from + block_minutes)).collect();
    let count = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    libm::sqrt(logs.iter().map(|log| (log - mean) * (log - mean)).sum::<f64>() / count)
}

/// Magnitude of the sum of returns over the sum of magnitudes; 0 at a standstill.
pub fn efficiency(sums: &Sums, window: Range<usize>) -> f64 {
    let way = sums.total(Quantity::AbsoluteReturn, window.clone());
    ratio(sums.total(Quantity::Return, window).abs(), way)
}

/// Parkinson's variance a minute.
pub fn parkinson(sums: &Sums, window: Range<usize>) -> f64 {
    sums.mean(Quantity::SquaredLogRange, window) / (4.0 * LN_2)
}

/// Garman and Klass's variance a minute.
pub fn garman_klass(sums: &Sums, window: Range<usize>) -> f64 {
    let bodies = sums.mean(Quantity::SquaredLogBody, window.clone());
    0.5 * sums.mean(Quantity::SquaredLogRange, window) - (2.0 * LN_2 - 1.0) * bodies
}

/// Quotient of two sums on one grid; 0 where there is nothing to divide by.
pub fn ratio(part: i128, whole: i128) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
