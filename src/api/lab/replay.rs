//! A market lives through the updates of stored forecasts.

use std::ops::Range;

use super::LabView;
use crate::state::operations::ForecastRow;
use veriregime_core::policy::Policy;
use veriregime_core::policy::market::{Applied, Market, Update};
use veriregime_core::risk::Vector;
use veriregime_core::types::prediction::Prediction;

/// From a period's start to where its update lands, where that is not known.
const LANDING_SECONDS: u64 = 60;
const E9: f64 = 1e9;
const PIPS: f64 = 1e6;

/// The update of a period for the market of this index; `None` where it was omitted.
pub(super) fn update(row: &ForecastRow, market: usize, output_scale: u32) -> Option<Update> {
    let forecast = &row.forecast;
    if forecast.omitted.omits(market) {
        return None;
    }
    let volatility = Prediction::read(forecast.outputs.get(market)?, output_scale)?.volatility * E9;
    let start_seconds = u64::try_from(row.start_ms.div_euclid(1000)).ok()?;
    let landed_seconds = row.landed_seconds.unwrap_or(start_seconds + LANDING_SECONDS).max(start_seconds);
    let known = row.volatility_e9.unwrap_or(volatility.clamp(0.0, f64::from(u32::MAX)) as u32);
    Some(Update { start_seconds, landed_seconds, volatility_e9: known })
}

/// What updates did to a market that had nothing yet.
#[derive(Debug)]
pub(super) struct Replay {
    /// Each update, what it did, and what readers see once looser values hold.
    steps: Vec<(Update, Applied, Vector)>,
}

impl Replay {
    pub(super) fn new(policy: &Policy, period_seconds: u32, updates: &[Update]) -> Self {
        let mut market = Market::begin(policy);
        let step = |update: &Update| {
            let applied = market.apply(policy, period_seconds, *update);
            let settled = update.landed_seconds + u64::from(policy.rules.loosen_delay_seconds);
            (*update, applied, market.seen(policy, settled).0)
        };
        Self { steps: updates.iter().map(step).collect() }
    }

    /// The periods that begin at a time or later.
    pub(super) fn view(&self, from_ms: i64) -> LabView {
        let mut view = LabView::default();
        let start_ms = |update: &Update| i64::try_from(update.start_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        for (update, applied, seen) in self.steps.iter().filter(|(update, ..)| start_ms(update) >= from_ms) {
            view.start_ms.push(start_ms(update));
            view.forecast_volatility.push(f64::from(update.volatility_e9) / E9);
            view.applied_volatility.push(f64::from(applied.applied_e9) / E9);
            view.borrow_collateral_ratio_bps.push(seen.borrow_collateral_ratio_bps);
            view.liquidation_collateral_ratio_bps.push(seen.liquidation_collateral_ratio_bps);
            view.amm_fee_pips.push(seen.amm_fee_pips);
            view.borrow_cap_factor_bps.push(seen.borrow_cap_factor_bps);
        }
        view
    }
}

/// The fee that readers see when each minute begins, as a fraction: from the first update on, before it there is none. `minutes` are
/// Unix minutes.
pub(super) fn fees(policy: &Policy, period_seconds: u32, updates: &[Update], minutes: Range<u64>) -> Vec<f32> {
    let mut market = Market::begin(policy);
    let mut coming = updates.iter().peekable();
    let mut has_begun = false;
    let fee = |minute: u64| {
        let now_seconds = minute * 60;
        while let Some(update) = coming.next_if(|update| update.landed_seconds <= now_seconds) {
            market.apply(policy, period_seconds, *update);
            has_begun = true;
        }
        let (seen, _) = market.seen(policy, now_seconds);
        if has_begun { (f64::from(seen.amm_fee_pips) / PIPS) as f32 } else { f32::NAN }
    };
    minutes.map(fee).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::risk::{Knot, Rules};

    /// From 10 bps at 5 bps of volatility to 100 bps at 15 bps, without dwell or limits; looser values after two minutes.
    fn policy() -> Policy {
        let knot = |volatility_e9, amm_fee_pips| Knot {
            volatility_e9,
            vector: Vector {
                borrow_collateral_ratio_bps: 15_000,
                liquidation_collateral_ratio_bps: 12_000,
                amm_fee_pips,
                borrow_cap_factor_bps: 10_000,
            },
        };
        Policy {
            rules: Rules {
                knots: vec![knot(500_000, 1_000), knot(1_500_000, 10_000)],
                margin_bps: 0,
                dwell_periods: 1,
                max_rise_bps_per_period: 10_000,
                max_fall_bps_per_period: 10_000,
                loosen_delay_seconds: 120,
            },
            liquidation_rise_bps_per_day: 0,
            grace_after_bps: 10_000,
            stale_after_bps: 20_000,
        }
    }

    #[test]
    fn a_fee_holds_from_its_landing_a_lower_one_later_and_a_stale_one_is_the_tightest() {
        let at = |landed_seconds, volatility_e9| Update { start_seconds: 6_000, landed_seconds, volatility_e9 };
        let updates = [at(6_030, 500_000), Update { start_seconds: 6_600, ..at(6_605, 1_000_000) }];
        let seen = fees(&policy(), 600, &updates, 100..131);
        let pips = |minute: usize| (f64::from(seen[minute - 100]) * PIPS).round();
        assert!(seen[0].is_nan(), "nothing has landed");
        assert!((pips(101) - 10_000.0).abs() < 1e-9 && (pips(102) - 10_000.0).abs() < 1e-9, "not before the delay");
        assert!((pips(103) - 1_000.0).abs() < 1e-9 && (pips(110) - 1_000.0).abs() < 1e-9);
        assert!((pips(111) - 5_500.0).abs() < 1e-9, "a higher fee holds at once");
        assert!((pips(129) - 5_500.0).abs() < 1e-9 && (pips(130) - 10_000.0).abs() < 1e-9, "two periods are too old");
        assert_eq!(Replay::new(&policy(), 600, &updates).view(0).amm_fee_pips, [1_000, 5_500]);
        assert_eq!(
            Replay::new(&policy(), 600, &updates).view(6_000_001).amm_fee_pips,
            [5_500],
            "lived through, not shown"
        );
    }
}
