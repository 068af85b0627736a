//! Running sums of quantised one-minute quantities: any window's sum is one subtraction, and exact.

use crate::types::candle::Candle;

/// log2 of the grid of returns and log ranges.
pub const RETURN_SCALE: u32 = 30;
/// log2 of the grid of volumes.
pub const VOLUME_SCALE: u32 = 20;

/// Running sums over a series of consecutive minutes. Entry `i` sums the candles before index `i`.
///
/// The first candle counts as having no return: it only supplies the previous close.
#[derive(Debug, Clone)]
pub struct Sums {
    returns: Vec<i128>,
    absolute_returns: Vec<i128>,
    squared_returns: Vec<i128>,
    squared_log_ranges: Vec<i128>,
    volumes: Vec<i128>,
    carried: Vec<usize>,
}

impl Sums {
    /// Sums over `candles`, of which those with open times in `carried` (sorted) were absent and carried forward.
    pub fn new(candles: &[Candle], carried: &[i64]) -> Self {
        let entries = candles.len() + 1;
        let start = || {
            let mut sums = Vec::with_capacity(entries);
            sums.push(0_i128);
            sums
        };
        let mut sums = Self {
            returns: start(),
            absolute_returns: start(),
            squared_returns: start(),
            squared_log_ranges: start(),
            volumes: start(),
            carried: Vec::with_capacity(entries),
        };
        sums.carried.push(0);
        let mut absent = carried.iter().peekable();
        let mut previous_close = candles.first().map_or(1.0, |candle| candle.close);
        for candle in candles {
            let change = quantise(candle.close / previous_close - 1.0, RETURN_SCALE);
            let log_range = quantise(libm::log(candle.high / candle.low), RETURN_SCALE);
            let is_absent = absent.next_if(|open_time_ms| **open_time_ms == candle.open_time_ms).is_some();
            push(&mut sums.returns, change);
            push(&mut sums.absolute_returns, change.abs());
            push(&mut sums.squared_returns, change * change);
            push(&mut sums.squared_log_ranges, log_range * log_range);
            push(&mut sums.volumes, libm::round(candle.volume * grid(VOLUME_SCALE)) as i128);
            sums.carried.push(sums.carried[sums.carried.len() - 1] + usize::from(is_absent));
            previous_close = candle.close;
        }
        sums
    }

    /// Number of candles.
    pub fn len(&self) -> usize {
        self.carried.len() - 1
    }

    /// Whether there are no candles.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the returns of candles `from..to`, times 2^30.
    pub fn returns(&self, from: usize, to: usize) -> i128 {
        self.returns[to] - self.returns[from]
    }

    /// Sum of the magnitudes of the returns, times 2^30.
    pub fn absolute_returns(&self, from: usize, to: usize) -> i128 {
        self.absolute_returns[to] - self.absolute_returns[from]
    }

    /// Sum of the squared returns, times 2^60.
    pub fn squared_returns(&self, from: usize, to: usize) -> i128 {
        self.squared_returns[to] - self.squared_returns[from]
    }

    /// Sum of `ln(high / low)²`, times 2^60.
    pub fn squared_log_ranges(&self, from: usize, to: usize) -> i128 {
        self.squared_log_ranges[to] - self.squared_log_ranges[from]
    }

    /// Sum of the volumes, times 2^20.
    pub fn volumes(&self, from: usize, to: usize) -> i128 {
        self.volumes[to] - self.volumes[from]
    }

    /// How many of the candles were absent and carried forward.
    pub fn carried(&self, from: usize, to: usize) -> usize {
        self.carried[to] - self.carried[from]
    }
}

/// `2^scale`.
pub fn grid(scale: u32) -> f64 {
    (1_u64 << scale) as f64
}

/// Clamped to ±1 and rounded to the grid: a minute that doubles the price counts as +100 %.
fn quantise(value: f64, scale: u32) -> i128 {
    libm::round(value.clamp(-1.0, 1.0) * grid(scale)) as i128
}

fn push(sums: &mut Vec<i128>, value: i128) {
    sums.push(sums[sums.len() - 1] + value);
}
