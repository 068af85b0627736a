//! Volatility of earlier days at the same time of the day, of blocks in a row, and with weights that fade.

use std::ops::Range;

use super::quantity::Quantity;
use super::sums::Sums;
use super::volatility::{log_magnitude, log_rms};
use crate::types::feature::{DAY_MINUTES, Days, FADE_HALF_LIVES};
use crate::types::period::MINUTE_MS;

/// Mean over the consecutive blocks of `block_minutes` of their log root mean squares.
pub fn mean_log_rms(sums: &Sums, window: Range<usize>, block_minutes: usize) -> f64 {
    let blocks = window.len() / block_minutes;
    window.step_by(block_minutes).map(|from| log_rms(sums, from..from + block_minutes)).sum::<f64>() / blocks as f64
}

/// Logarithm of the mean of the blocks' mean magnitudes, the newest block counting most.
pub fn log_fading_mean(sums: &Sums, at: usize, half_life_minutes: usize, block_minutes: usize) -> f64 {
    let (mut total, mut weights) = (0.0, 0.0);
    for (back, weight) in fading_weights(half_life_minutes, block_minutes) {
        let to = at - back;
        total += weight * sums.mean(Quantity::AbsoluteReturn, to - block_minutes..to);
        weights += weight;
    }
    log_magnitude(total / weights)
}

/// How many minutes back each block ends, and what it weighs; newest first.
pub fn fading_weights(half_life_minutes: usize, block_minutes: usize) -> impl Iterator<Item = (usize, f64)> + Clone {
    (0..FADE_HALF_LIVES * half_life_minutes / block_minutes).map(move |block| {
        let back = block * block_minutes;
        (back, libm::exp2(-(back as f64) / half_life_minutes as f64))
    })
}

/// Mean of the log root mean squares of the earlier windows.
pub fn mean_log_rms_of_days(sums: &Sums, windows: &[Range<usize>]) -> f64 {
    windows.iter().map(|window| log_rms(sums, window.clone())).sum::<f64>() / windows.len() as f64
}

/// Logarithm of the mean magnitude over the earlier windows, all of one length.
pub fn log_mean_of_days(sums: &Sums, windows: &[Range<usize>]) -> f64 {
    let means = windows.iter().map(|window| sums.mean(Quantity::AbsoluteReturn, window.clone()));
    log_magnitude(means.sum::<f64>() / windows.len() as f64)
}

/// The windows of `minutes` on the last `count` days of that kind, newest first. On the day of the decision time the
/// window begins `ahead_minutes` after it; the kind is that of the day on which it begins.
pub fn windows(
    sums: &Sums,
    at: usize,
    days: Days,
    count: usize,
    ahead_minutes: i64,
    minutes: usize,
) -> Vec<Range<usize>> {
    let now_minute = sums.candles()[at - 1].close_time_ms() / MINUTE_MS;
    let window = |day: usize| {
        let from = (at - day * DAY_MINUTES).checked_add_signed(isize::try_from(ahead_minutes).expect("within a day"));
        let from = from.expect("the look-back covers it");
        from..from + minutes
    };
    days_back(now_minute, days, count, ahead_minutes).map(window).collect()
}

/// How many days back the last `count` days of that kind lie, newest first. The kind is that of the day of
/// `ahead_minutes` after `minute`.
pub fn days_back(minute: i64, days: Days, count: usize, ahead_minutes: i64) -> impl Iterator<Item = usize> {
    let is_weekend = move |day: usize| {
        let back = i64::try_from(day * DAY_MINUTES).expect("a bounded number of days");
        // Day 0 of Unix time was a Thursday, which is day 3 when Monday is 0.
        ((minute + ahead_minutes - back).div_euclid(DAY_MINUTES as i64) + 3).rem_euclid(7) >= 5
    };
    let fits = move |day: &usize| match days {
        Days::Every => true,
        Days::SameKind => is_weekend(*day) == is_weekend(0),
        Days::SameWeekday => day.is_multiple_of(7),
    };
    (1..).filter(fits).take(count)
}
