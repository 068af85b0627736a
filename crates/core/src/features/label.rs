//! What is forecast: the volatility of the minutes that follow.

use super::quantity::{Quantity, RETURN_SCALE, grid};
use super::sums::Sums;

/// Added to a volatility before its logarithm: a dead market counts as 0.001 bps a minute.
const VOLATILITY_FLOOR: f64 = 1e-7;

/// Sample standard deviation of the `horizon_minutes` one-minute returns from candle `at` on, or `None` where the series
/// ends before or holds minutes that nobody saw.
pub fn volatility(sums: &Sums, at: usize, horizon_minutes: usize) -> Option<f64> {
    let to = at.checked_add(horizon_minutes)?;
    if at == 0 || horizon_minutes < 2 || to > sums.len() || sums.carried(at, to) > 0 {
        return None;
    }
    let count = i128::try_from(horizon_minutes).ok()?;
    let sum = sums.total(Quantity::Return, at..to);
    let deviation = count * sums.total(Quantity::SquaredReturn, at..to) - sum * sum;
    let variance = deviation as f64 / (count * (count - 1)) as f64 / grid(2 * RETURN_SCALE);
    Some(variance.sqrt())
}

/// Natural logarithm of a volatility, bounded below.
pub fn log_volatility(volatility: f64) -> f64 {
    libm::log(volatility + VOLATILITY_FLOOR)
}
