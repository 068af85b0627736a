//! From what size of a pool on a forecast pays what it costs to bring it on chain.

use serde::Serialize;

use super::assumed;
use super::signals::{ON_CHAIN, ON_CHAIN_QUICK, PERIOD_MINUTES, QUICK_MINUTES};
use veriregime_backtest::closure::Closure;
use veriregime_backtest::cost::{break_even_usd, usd_per_year};
use veriregime_backtest::given::POOL_USD;
use veriregime_backtest::study::{Comparison, Row};

/// Gas of a `submit` on anvil, the dearest of a run, by way of verification; README's table.
const SUBMIT_GAS: [(&str, f64); 3] = [("ezkl", 478_901.0), ("halo2", 319_093.0), ("direct", 106_082.0)];
const GWEI: [f64; 3] = [1.0, 5.0, 20.0];
const MINUTES_OF_A_YEAR: f64 = 365.25 * 1_440.0;

/// The pool at which gain and cost are even.
#[derive(Debug, Serialize)]
pub struct BreakEven {
    pub policy: &'static str,
    pub verification: &'static str,
    pub gwei: f64,
    /// Gas of a year in dollars.
    pub cost_usd_per_year: f64,
    /// Value of the pool in dollars; none where the forecast earns nothing, so that it never pays.
    pub tvl_usd: Option<f64>,
}

/// For the model behind the contract's rules, over the fitted static fee, under one assumption.
pub(super) fn break_even(rows: &[Row], closure: Closure, eth_usd: f64) -> Vec<BreakEven> {
    let mut all = Vec::new();
    for (policy, minutes) in [(ON_CHAIN, PERIOD_MINUTES), (ON_CHAIN_QUICK, QUICK_MINUTES)] {
        let row = rows
            .iter()
            .find(|row| row.policy == policy && row.comparison == Comparison::Own && assumed(row) == closure);
        let Some(gain_usd) = row.map(|row| row.usd_per_year) else { continue };
        for (verification, gas) in SUBMIT_GAS {
            for gwei in GWEI {
                let cost_usd_per_year = usd_per_year(gas, MINUTES_OF_A_YEAR / minutes as f64, gwei, eth_usd);
                let tvl_usd = break_even_usd(gain_usd, POOL_USD, cost_usd_per_year);
                all.push(BreakEven { policy, verification, gwei, cost_usd_per_year, tvl_usd });
            }
        }
    }
    all
}
