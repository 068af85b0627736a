//! What Corsi's heterogeneous autoregressive model (2009) looks at, and what it forecasts: volatility over an hour, four
//! hours, a day and a week.

use super::measure;
use super::sums::Sums;
use crate::types::feature::Feature;

/// The windows in minutes.
pub const WINDOWS_MINUTES: [usize; 4] = [60, 240, 1440, 10_080];
/// Coefficients: intercept, then one for each window.
pub const SIZE: usize = 1 + WINDOWS_MINUTES.len();
/// Candles that must precede a decision: the longest window, and the close before it.
pub const LEAST_BEFORE: usize = WINDOWS_MINUTES[3] + 1;

/// Intercept term and the four logarithms at a decision time that `at` candles precede.
///
/// # Panics
/// If fewer than [`LEAST_BEFORE`] candles precede it.
pub fn regressors(sums: &Sums, at: usize) -> [f64; SIZE] {
    std::array::from_fn(|index| match index.checked_sub(1) {
        None => 1.0,
        Some(window) => measure::value(&Feature::LogRmsReturn { minutes: WINDOWS_MINUTES[window] }, sums, at),
    })
}

/// What a linear regression forecasts.
pub fn linear(coefficients: &[f64; SIZE], regressors: &[f64; SIZE]) -> f64 {
    coefficients.iter().zip(regressors).map(|(weight, value)| weight * value).sum()
}
