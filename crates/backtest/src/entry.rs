//! How much other traders trade, by free entry: liquidity has come in until the best static fee just pays for what arbitrageurs take.

use rayon::prelude::*;

use crate::fee::MAX_FEE;
use crate::pool::{Days, mean};

/// Static fees that are tried: from this one on, each so much higher.
pub(crate) const LEAST_LEVEL: f64 = 2e-4;
const LEVEL_STEP: f64 = 1.06;

/// What free entry leads to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// What others would trade a day at no fee, as a share of the pool's value.
    pub turnover: f64,
    /// The best static fee, as a fraction.
    pub static_fee: f64,
}

impl Entry {
    /// The least turnover at which some static fee pays for what arbitrageurs take, and that fee. `at` lives through the days with
    /// a static fee.
    pub fn free(at: impl Fn(f64) -> Days + Sync) -> Self {
        let levels: Vec<f64> =
            std::iter::successors(Some(LEAST_LEVEL), |level| Some(level * LEVEL_STEP).filter(|level| *level < MAX_FEE))
                .collect();
        let needed = levels.par_iter().map(|level| {
            let days = at(*level);
            (mean(&days.arbitrage) / mean(&days.fees), *level)
        });
        let least = needed.min_by(|left, right| left.0.total_cmp(&right.0));
        let (turnover, static_fee) = least.unwrap_or((0.0, LEAST_LEVEL));
        Self { turnover, static_fee }
    }
}
