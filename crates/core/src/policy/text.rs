//! A policy as the text of a `policy.toml`.

use std::fmt::Write as _;

use super::{Bounds, Policy};
use crate::risk::Rules;

impl Policy {
    /// The text of a file that `deploy --policy` reads, with the bounds that the market has.
    pub fn to_toml(&self, bounds: &Bounds) -> String {
        let Rules {
            knots,
            margin_bps,
            dwell_periods,
            max_rise_bps_per_period,
            max_fall_bps_per_period,
            loosen_delay_seconds,
        } = &self.rules;
        let mut text = String::new();
        // Writing into text never fails.
        for (number, knot) in (1..).zip(knots) {
            let vector = &knot.vector;
            let _ = writeln!(
                text,
                "[knot.{number}]\nvolatility_e9 = {}\nborrow_collateral_ratio_bps = {}\nliquidation_collateral_ratio_bps = {}\n\
                 amm_fee_pips = {}\nborrow_cap_factor_bps = {}\n",
                knot.volatility_e9,
                vector.borrow_collateral_ratio_bps,
                vector.liquidation_collateral_ratio_bps,
                vector.amm_fee_pips,
                vector.borrow_cap_factor_bps
            );
        }
        let _ = writeln!(
            text,
            "[limits]\nknots = {}\nmargin_bps = {margin_bps}\ndwell_periods = {dwell_periods}\n\
             max_rise_bps_per_period = {max_rise_bps_per_period}\nmax_fall_bps_per_period = {max_fall_bps_per_period}\n\
             loosen_delay_seconds = {loosen_delay_seconds}\nliquidation_rise_bps_per_day = {}\ngrace_after_bps = {}\n\
             stale_after_bps = {}\n",
            knots.len(),
            self.liquidation_rise_bps_per_day,
            self.grace_after_bps,
            self.stale_after_bps
        );
        let _ = write!(
            text,
            "[bounds]\nmin_borrow_collateral_ratio_bps = {}\nmax_borrow_collateral_ratio_bps = {}\n\
             min_liquidation_collateral_ratio_bps = {}\nmax_liquidation_rise_bps_per_day = {}\nmin_amm_fee_pips = {}\n\
             max_amm_fee_pips = {}\nmin_borrow_cap_factor_bps = {}\n",
            bounds.min_borrow_collateral_ratio_bps,
            bounds.max_borrow_collateral_ratio_bps,
            bounds.min_liquidation_collateral_ratio_bps,
            bounds.max_liquidation_rise_bps_per_day,
            bounds.min_amm_fee_pips,
            bounds.max_amm_fee_pips,
            bounds.min_borrow_cap_factor_bps
        );
        text
    }
}
