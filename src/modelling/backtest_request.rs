//! What a backtest is asked for.

use std::ops::Range;
use std::path::Path;

use super::candle_file::CandleFile;
use veriregime_core::policy::Policy;

/// Candles, a model, and what its forecasts would have been worth.
#[derive(Debug)]
pub struct BacktestRequest<'a> {
    /// Candle file.
    pub candles: &'a CandleFile,
    /// Folder of the model bundle.
    pub model: &'a Path,
    /// Judged times, ms UTC; from the start of the model's test part where absent.
    pub from_ms: Option<i64>,
    /// First time after them, ms UTC.
    pub to_ms: i64,
    /// A policy's knots: volatility of one-minute returns, and fee as a fraction.
    pub knots: &'a [(f64, f64)],
    /// What a contract would hold fees to: limits, delay. Its knots do not count.
    pub policy: &'a Policy,
    /// CSV of borrowers' positions; drawn ones where absent.
    pub positions: Option<&'a Path>,
    /// Seconds between the blocks of the chain.
    pub block_seconds: u32,
    /// What decides how prices move within minutes.
    pub seed: u64,
    /// Dollars of an ether.
    pub eth_usd: f64,
    /// Folder for the plots, as SVG.
    pub plots: Option<&'a Path>,
    /// File for all rows, as CSV.
    pub csv: Option<&'a Path>,
}

impl BacktestRequest<'_> {
    /// Judged times where the model's manifest says that its test part begins at `test_ms`.
    pub fn judged(&self, test_ms: Option<i64>, all: &Range<i64>) -> Range<i64> {
        let middle = all.start + (all.end - all.start) / 2;
        let from = self.from_ms.or(test_ms.filter(|time_ms| all.contains(time_ms))).unwrap_or(middle);
        from..self.to_ms.min(all.end)
    }
}
