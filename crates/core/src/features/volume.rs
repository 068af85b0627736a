//! How much is traded, and at what price.

use std::ops::Range;

use super::quantity::Quantity;
use super::sums::Sums;
use super::volatility::ratio;
use crate::types::candle::Candle;

/// Added to a mean volume before its logarithm, in base units a minute.
pub const VOLUME_FLOOR: f64 = 1e-3;

/// Logarithm of the mean volume of one window over that of another.
pub fn log_relative(sums: &Sums, window: Range<usize>, relative_to: Range<usize>) -> f64 {
    let volume = |window| sums.mean(Quantity::Volume, window) + VOLUME_FLOOR;
    libm::log(volume(window) / volume(relative_to))
}

/// Volume of rising minutes less that of falling ones over all volume; 0 where nothing was traded.
pub fn balance(sums: &Sums, window: Range<usize>) -> f64 {
    ratio(sums.total(Quantity::SignedVolume, window.clone()), sums.total(Quantity::Volume, window))
}

/// Logarithm of the last close over the volume-weighted mean price; 0 where nothing was traded.
///
/// # Panics
/// If there are no candles.
pub fn vwap_distance(candles: &[Candle]) -> f64 {
    let close = candles[candles.len() - 1].close;
    let mut value = 0.0;
    let mut volume = 0.0;
    for candle in candles {
        value += typical_price(candle) / close * candle.volume;
        volume += candle.volume;
    }
    if value > 0.0 { libm::log(volume / value) } else { 0.0 }
}

/// A third of high, low and close.
pub fn typical_price(candle: &Candle) -> f64 {
    (candle.high + candle.low + candle.close) / 3.0
}
