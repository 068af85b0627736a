//! Running sums of quantised one-minute quantities: any window's sum is one subtraction, and exact.

use std::ops::Range;
use std::sync::OnceLock;

use super::quantity::{Quantity, grid};
use crate::types::candle::Candle;

/// One quantity's running sums.
#[derive(Debug, Clone)]
pub enum Running {
    /// Where all of them fit, as those of years of a real market do.
    Narrow(Vec<i64>),
    /// Where they do not.
    Wide(Vec<i128>),
}

/// Running sums over a series of consecutive minutes, each made when it is first asked for. Entry `i` sums the candles
/// before index `i`.
///
/// The first candle counts as having no return: it only supplies the previous close.
#[derive(Debug, Clone)]
pub struct Sums<'a> {
    candles: &'a [Candle],
    running: [OnceLock<Running>; Quantity::COUNT],
    carried: Vec<usize>,
}

impl<'a> Sums<'a> {
    /// Sums over `candles`, of which those with open times in `carried` (sorted) were absent and carried forward.
    pub fn new(candles: &'a [Candle], carried: &[i64]) -> Self {
        let mut absent = carried.iter().peekable();
        let mut count = 0;
        let counts = candles.iter().map(|candle| {
            count += usize::from(absent.next_if(|open_time_ms| **open_time_ms == candle.open_time_ms).is_some());
            count
        });
        let carried = std::iter::once(0).chain(counts).collect();
        Self { candles, running: [const { OnceLock::new() }; Quantity::COUNT], carried }
    }

    /// The candles that are summed.
    pub fn candles(&self) -> &'a [Candle] {
        self.candles
    }

    /// Number of candles.
    pub fn len(&self) -> usize {
        self.candles.len()
    }

    /// Whether there are no candles.
    pub fn is_empty(&self) -> bool {
        self.candles.is_empty()
    }

    /// Sum over the candles of `window`, times 2 to the quantity's scale.
    ///
    /// # Panics
    /// If the window reaches beyond the candles.
    pub fn total(&self, quantity: Quantity, window: Range<usize>) -> i128 {
        match self.running(quantity) {
            Running::Narrow(running) => i128::from(running[window.end]) - i128::from(running[window.start]),
            Running::Wide(running) => running[window.end] - running[window.start],
        }
    }

    /// The running sums of a quantity.
    pub fn running(&self, quantity: Quantity) -> &Running {
        self.running[quantity as usize]
            .get_or_init(|| self.narrow(quantity).map_or_else(|| self.wide(quantity), Running::Narrow))
    }

    /// Mean over the candles of `window`.
    ///
    /// # Panics
    /// If the window reaches beyond the candles.
    pub fn mean(&self, quantity: Quantity, window: Range<usize>) -> f64 {
        let minutes = window.len();
        self.total(quantity, window) as f64 / minutes as f64 / grid(quantity.scale())
    }

    /// How many of the candles `from..to` were absent and carried forward.
    pub fn carried(&self, from: usize, to: usize) -> usize {
        self.carried[to] - self.carried[from]
    }

    fn narrow(&self, quantity: Quantity) -> Option<Vec<i64>> {
        let mut running = Vec::with_capacity(self.len() + 1);
        let mut total = 0_i64;
        running.push(total);
        for at in 0..self.len() {
            total = total.checked_add(i64::try_from(quantity.of(self.candles, at)).ok()?)?;
            running.push(total);
        }
        Some(running)
    }

    fn wide(&self, quantity: Quantity) -> Running {
        let mut total = 0;
        let totals = (0..self.len()).map(|at| {
            total += quantity.of(self.candles, at);
            total
        });
        Running::Wide(std::iter::once(0).chain(totals).collect())
    }
}
