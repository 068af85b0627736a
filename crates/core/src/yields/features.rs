//! What a model sees of a strategy at the end of a day, and what it forecasts.
//!
//! A decision is taken at the end of a day, with that day's closing values and all before them. What is forecast is
//! `z(mean rate of the next 7 days) − z(mean rate of the last 7)`, and the logarithm of the next 7 days' standard deviation of `z`.

use super::market::View;
use super::scale::z;
use super::series::Series;
use super::{HORIZON_DAYS, Kind, WINDOW_DAYS};

/// Most days of a window that may have no rate; such a day counts as the one before it.
const MAX_MISSING: usize = 2;
/// Lowest deviation of `z` inside a logarithm.
pub const DEVIATION_FLOOR: f64 = 0.01;
/// Weight of the last day in the exponentially weighted mean.
const EWMA_SHARE: f64 = 0.3;
/// Days that the exponentially weighted mean looks back.
const EWMA_DAYS: usize = 30;
/// Days from which on a strategy counts as old.
const OLD_DAYS: f64 = 60.0;

/// The features: name, unit.
pub const FEATURES: [(&str, &str); 23] = [
    ("rate_6_days_ago", "z against the mean of the last 7 days"),
    ("rate_5_days_ago", "z against the mean of the last 7 days"),
    ("rate_4_days_ago", "z against the mean of the last 7 days"),
    ("rate_3_days_ago", "z against the mean of the last 7 days"),
    ("rate_2_days_ago", "z against the mean of the last 7 days"),
    ("rate_1_day_ago", "z against the mean of the last 7 days"),
    ("rate_today", "z against the mean of the last 7 days"),
    ("level", "z of the mean of the last 7 days"),
    ("mean_14", "z against the mean of the last 7 days"),
    ("mean_30", "z against the mean of the last 7 days"),
    ("ewma", "z against the mean of the last 7 days"),
    ("deviation_7", "ln of the standard deviation of z"),
    ("deviation_14", "ln against that of 7 days"),
    ("deviation_30", "ln against that of 7 days"),
    ("step", "ln of the mean change of z against the deviation of 7 days"),
    ("zeros", "share of the last 7 days"),
    ("age", "share of 60 days"),
    ("tvl", "ln of the last day against the mean of the last 7"),
    ("market_deviation", "ln of the standard deviation of bitcoin's daily returns over 14 days"),
    ("market_return", "ln of bitcoin's price against 7 days ago"),
    ("gas", "ln of gas against its mean over 30 days"),
    ("is_lending", "1"),
    ("is_delta", "1"),
];
/// Number of features.
pub const COUNT: usize = FEATURES.len();

/// The window, the level, and volatility: what every kind has.
const COMMON: [&str; 13] = [
    "rate_6_days_ago",
    "rate_5_days_ago",
    "rate_4_days_ago",
    "rate_3_days_ago",
    "rate_2_days_ago",
    "rate_1_day_ago",
    "rate_today",
    "level",
    "ewma",
    "deviation_7",
    "deviation_14",
    "deviation_30",
    "step",
];
const OF_LP: [&str; 5] = ["mean_14", "mean_30", "zeros", "age", "tvl"];
const OF_DELTA: [&str; 3] = ["market_deviation", "market_return", "gas"];

/// Features of a strategy at a day: nothing for what is not known, which counts as average.
pub type Row = [Option<f64>; COUNT];

/// Places of the features of a model of these kinds, in the order of [`FEATURES`].
pub fn columns(kinds: &[Kind]) -> Vec<usize> {
    let is_wanted = |name: &str| {
        COMMON.contains(&name)
            || kinds.contains(&Kind::Lp) && OF_LP.contains(&name)
            || kinds.contains(&Kind::Delta) && OF_DELTA.contains(&name)
            || kinds.len() > 1 && ["is_lending", "is_delta"].contains(&name)
    };
    FEATURES.iter().enumerate().filter(|(_, (name, _))| is_wanted(name)).map(|(place, _)| place).collect()
}

/// Where a forecast begins: the last 7 days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// `z` of each day, the oldest first.
    pub z: [f64; WINDOW_DAYS],
    /// Rates in percent.
    pub apy: [f64; WINDOW_DAYS],
    /// `z` of their mean.
    pub level: f64,
    /// Standard deviation of `z`.
    pub deviation: f64,
}

impl Window {
    /// The 7 days up to a position; nothing where they are not all there, the last one has no rate, or too many have none.
    pub fn new(series: &Series, at: usize) -> Option<Self> {
        let start = (at + 1).checked_sub(WINDOW_DAYS)?;
        series.apy(at)?;
        let missing = WINDOW_DAYS - series.known(start, at + 1).count();
        if missing > MAX_MISSING {
            return None;
        }
        // What the day before the window had counts for a gap at its start.
        let mut last = (start.saturating_sub(MAX_MISSING)..start).rev().find_map(|position| series.apy(position));
        let mut apy = [0.0; WINDOW_DAYS];
        for (position, rate) in (start..).zip(&mut apy) {
            last = series.apy(position).or(last);
            *rate = last?;
        }
        let scaled = apy.map(z);
        let level = z(apy.iter().sum::<f64>() / WINDOW_DAYS as f64);
        Some(Self { z: scaled, apy, level, deviation: deviation(scaled.iter().copied()) })
    }

    /// Logarithm of its deviation: what persistence says of the next one.
    pub fn log_deviation(&self) -> f64 {
        log_deviation(self.deviation)
    }
}

/// Features of a strategy at a position; nothing where [`Window::new`] has none.
pub fn row(kind: Kind, series: &Series, market: &View, at: usize) -> Option<Row> {
    let window = Window::new(series, at)?;
    let Window { z: rates, level, .. } = window;
    let log_7 = window.log_deviation();
    let from = |days: usize| (at + 1).saturating_sub(days);
    let mean = |days: usize| {
        let (sum, count) =
            series.known(from(days), at + 1).fold((0.0, 0.0), |(sum, count), apy| (sum + z(apy), count + 1.0));
        sum / count - level
    };
    let over = |days: usize| log_deviation(deviation(series.known(from(days), at + 1).map(z))) - log_7;
    let steps = rates.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / (WINDOW_DAYS - 1) as f64;
    let zeros = window.apy.iter().filter(|apy| **apy == 0.0).count();
    let flag = |is: bool| Some(f64::from(u8::from(is)));
    let [r6, r5, r4, r3, r2, r1, r0] = rates.map(|rate| Some(rate - level));
    Some([
        r6,
        r5,
        r4,
        r3,
        r2,
        r1,
        r0,
        Some(level),
        Some(mean(14)),
        Some(mean(30)),
        Some(z(ewma(series, at)?) - level),
        Some(log_7),
        Some(over(14)),
        Some(over(30)),
        Some(log_deviation(steps) - log_7),
        Some(zeros as f64 / WINDOW_DAYS as f64),
        Some((at as f64 / OLD_DAYS).min(1.0)),
        tvl(series, at),
        market.deviation,
        market.weekly_return,
        market.gas,
        flag(kind == Kind::Lending),
        flag(kind == Kind::Delta),
    ])
}

/// What came after a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// `z(mean rate of the next 7 days) − z(mean rate of the last 7)`.
    pub change: f64,
    /// Logarithm of the next 7 days' standard deviation of `z`.
    pub log_deviation: f64,
    /// Mean rate of the next 7 days, percent.
    pub apy_percent: f64,
}

/// What came after a position; nothing where more than one of the next 7 days has no rate, or has not come.
pub fn target(series: &Series, at: usize, window: &Window) -> Option<Target> {
    let end = at + 1 + HORIZON_DAYS;
    if end > series.days() {
        return None;
    }
    let count = series.known(at + 1, end).count();
    if count + 1 < HORIZON_DAYS {
        return None;
    }
    let apy_percent = series.known(at + 1, end).sum::<f64>() / count as f64;
    let log_deviation = log_deviation(deviation(series.known(at + 1, end).map(z)));
    Some(Target { change: z(apy_percent) - window.level, log_deviation, apy_percent })
}

/// The exponentially weighted mean of the rates up to a position, percent.
pub fn ewma(series: &Series, at: usize) -> Option<f64> {
    let (mut sum, mut weights, mut weight) = (0.0, 0.0, EWMA_SHARE);
    for position in ((at + 1).saturating_sub(EWMA_DAYS)..=at).rev() {
        if let Some(apy) = series.apy(position) {
            (sum, weights) = (sum + weight * apy, weights + weight);
        }
        weight *= 1.0 - EWMA_SHARE;
    }
    (weights > 0.0).then(|| sum / weights)
}

fn tvl(series: &Series, at: usize) -> Option<f64> {
    let logarithms: Vec<f64> = ((at + 1).saturating_sub(WINDOW_DAYS)..=at)
        .filter_map(|position| series.tvl(position))
        .map(|tvl| libm::log(tvl.max(1.0)))
        .collect();
    let today = libm::log(series.tvl(at)?.max(1.0));
    Some(today - logarithms.iter().sum::<f64>() / logarithms.len() as f64)
}

fn log_deviation(deviation: f64) -> f64 {
    libm::log(deviation.max(DEVIATION_FLOOR))
}

/// Standard deviation of numbers; 0 of none.
fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    libm::sqrt(values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count)
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
