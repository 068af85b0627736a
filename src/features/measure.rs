//! What each candle feature measures.

use std::f64::consts::LN_2;

use super::sums::{RETURN_SCALE, Sums, VOLUME_SCALE, grid};
use crate::types::feature::Feature;

/// Added to a mean square before its logarithm: a standstill counts as 0.001 bps a minute.
const SQUARE_FLOOR: f64 = 1e-14;
/// Added to a mean magnitude before its logarithm; the root of [`SQUARE_FLOOR`].
const MAGNITUDE_FLOOR: f64 = 1e-7;
/// Added to a mean volume before its logarithm, in base units a minute.
const VOLUME_FLOOR: f64 = 1e-3;

/// The value of a candle feature at a decision time that `at` candles precede. Only these are looked at.
///
/// A calendar feature is 0 here; see [`super::calendar`].
///
/// # Panics
/// If the feature looks back further than the candles reach.
pub fn value(feature: &Feature, sums: &Sums, at: usize) -> f64 {
    match feature {
        Feature::LogRmsReturn { minutes } => log_rms(sums.squared_returns(at - minutes, at), *minutes),
        Feature::LogRmsReturnFrom { minutes_ago, minutes } => {
            let from = at - minutes_ago;
            log_rms(sums.squared_returns(from, from + minutes), *minutes)
        }
        Feature::LogRmsReturnSameWindow { days, minutes } => {
            let squares = (1..=*days).map(|day| {
                let from = at - day * 1440;
                sums.squared_returns(from, from + minutes)
            });
            log_rms(squares.sum(), days * minutes)
        }
        Feature::LogMeanAbsoluteReturn { minutes } => {
            let mean = mean(sums.absolute_returns(at - minutes, at), *minutes) / grid(RETURN_SCALE);
            libm::log(mean + MAGNITUDE_FLOOR)
        }
        Feature::LogParkinson { minutes } => {
            let mean_square = mean(sums.squared_log_ranges(at - minutes, at), *minutes) / grid(2 * RETURN_SCALE);
            0.5 * libm::log(mean_square / (4.0 * LN_2) + SQUARE_FLOOR)
        }
        Feature::LogRelativeVolume { minutes, relative_to_minutes } => {
            let volume = |minutes: usize| mean(sums.volumes(at - minutes, at), minutes) / grid(VOLUME_SCALE);
            libm::log((volume(*minutes) + VOLUME_FLOOR) / (volume(*relative_to_minutes) + VOLUME_FLOOR))
        }
        Feature::DaySine { .. }
        | Feature::DayCosine { .. }
        | Feature::Weekday { .. }
        | Feature::WeeklyProfile { .. } => 0.0,
    }
}

/// Half the logarithm of a mean square, from the sum of squares times 2^60.
fn log_rms(squares: i128, count: usize) -> f64 {
    0.5 * libm::log(mean(squares, count) / grid(2 * RETURN_SCALE) + SQUARE_FLOOR)
}

fn mean(sum: i128, count: usize) -> f64 {
    sum as f64 / count as f64
}
