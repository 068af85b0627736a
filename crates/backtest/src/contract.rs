//! What the contract makes of forecasts before a fee follows them: no looser before so many forecasts ask for it, falls and rises by
//! so much a period, a delay before looser values hold.

use crate::fee::FeeMap;
use veriregime_core::policy::Policy;
use veriregime_core::policy::market::{Market, Update};
use veriregime_core::risk::{Knot, Rules, Vector};

const E9: f64 = 1e9;
const MINUTE_SECONDS: u64 = 60;

/// The rules between a forecast and a fee.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Its limits; the knots are the fee's.
    pub policy: Policy,
    /// Minutes between two forecasts.
    pub period_minutes: usize,
    /// Minutes from the period's start until its update has landed: candles, proof, transaction.
    pub landing_minutes: usize,
}

impl Contract {
    /// The volatility that a fee by `map` follows in each minute, where `forecasts` are in force from their landing on (NaN before
    /// the first). `first_minute` is the first minute's number since 1970. Nothing for a map without a slope.
    ///
    /// Below where a map begins to rise and above where it ends to, volatilities are told apart by nobody, as on chain.
    pub fn followed(&self, forecasts: &[f32], first_minute: i64, map: &FeeMap) -> Option<Vec<f32>> {
        let (lowest, highest) = map.span()?;
        let policy = self.between(e9(lowest), e9(highest));
        let period_seconds = u32::try_from(self.period_minutes as u64 * MINUTE_SECONDS).ok()?;
        let landing_minutes = self.landing_minutes as i64;
        let mut market = Market::begin(&policy);
        let followed = forecasts.iter().zip(first_minute..).map(|(forecast, minute)| {
            let seconds = |minute: i64| u64::try_from(minute).unwrap_or(0) * MINUTE_SECONDS;
            let start = minute - landing_minutes;
            if start.rem_euclid(self.period_minutes as i64) == 0 && forecast.is_finite() {
                let volatility_e9 = e9(f64::from(*forecast));
                let (start_seconds, landed_seconds) = (seconds(start), seconds(minute));
                market.apply(&policy, period_seconds, Update { start_seconds, landed_seconds, volatility_e9 });
            }
            (f64::from(market.seen(&policy, seconds(minute)).0.amm_fee_pips) / E9) as f32
        });
        Some(followed.collect())
    }

    /// The policy whose fee, in numbers, is the volatility itself: what holds for it holds for every fee that rises with it.
    fn between(&self, lowest_e9: u32, highest_e9: u32) -> Policy {
        let knot = |volatility_e9| Knot {
            volatility_e9,
            vector: Vector {
                borrow_collateral_ratio_bps: 0,
                liquidation_collateral_ratio_bps: 0,
                amm_fee_pips: volatility_e9,
                borrow_cap_factor_bps: 0,
            },
        };
        let knots = vec![knot(lowest_e9), knot(highest_e9)];
        Policy { rules: Rules { knots, ..self.policy.rules.clone() }, ..self.policy.clone() }
    }
}

fn e9(volatility: f64) -> u32 {
    (volatility * E9).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60;
    const DAY: i64 = 24 * HOUR;

    /// From 4 to 12 bps: a margin of 0.4, falls of 2 bps in four hours, two forecasts in a row, ten minutes.
    fn contract() -> Contract {
        let knot = |volatility_e9, amm_fee_pips| Knot {
            volatility_e9,
            vector: Vector {
                borrow_collateral_ratio_bps: 15_000,
                liquidation_collateral_ratio_bps: 13_000,
                amm_fee_pips,
                borrow_cap_factor_bps: 10_000,
            },
        };
        let rules = Rules {
            knots: vec![knot(400_000, 1_000), knot(800_000, 4_000), knot(1_200_000, 16_000)],
            margin_bps: 500,
            dwell_periods: 2,
            max_rise_bps_per_period: 10_000,
            max_fall_bps_per_period: 2_500,
            loosen_delay_seconds: 600,
        };
        let policy =
            Policy { rules, liquidation_rise_bps_per_day: 0, grace_after_bps: 15_000, stale_after_bps: 30_000 };
        Contract { policy, period_minutes: 240, landing_minutes: 1 }
    }

    fn map() -> FeeMap {
        FeeMap::knots(&[(4e-4, 1e-3), (8e-4, 4e-3), (1.2e-3, 1.6e-2)]).expect("they rise")
    }

    /// Forecasts of four hours each, in bps, in force from the minute after the period's start on.
    fn forecasts(periods: &[f32]) -> Vec<f32> {
        let mut minutes = vec![f32::NAN];
        minutes.extend(periods.iter().flat_map(|bps| vec![bps * 1e-4; 240]));
        minutes
    }

    #[test]
    fn fees_rise_at_once_and_fall_late_and_by_steps() {
        let followed = contract()
            .followed(&forecasts(&[9.0, 8.0, 8.0, 20.0, 8.0, 8.0, 8.0, 7.9, 3.0]), 100 * DAY, &map())
            .expect("a slope");
        // A market begins at the top. The first forecast asks for less, the second in a row has it: 12 - 2 = 10, two later 8.
        // 20 counts as 12 and holds at once; then again one that is not enough, falls of 2 bps, and at last 7.9, which lies within the
        // margin of 0.4 below 8, so that the 3 behind it is the first to ask again.
        let expected = [12.0, 10.0, 8.0, 12.0, 12.0, 10.0, 8.0, 8.0, 8.0];
        assert!((followed[0] - 12e-4).abs() < 1e-9, "before the first");
        let mut before = 12.0;
        for (period, after) in expected.into_iter().enumerate() {
            let landed = period * 240 + 1;
            // Looser values wait for ten minutes, tighter ones hold from the first on.
            let until = if after < before { landed + 10 } else { landed };
            for (at, fee) in followed.iter().enumerate().skip(landed).take(240) {
                let held = if at < until { before } else { after };
                assert!((fee - held * 1e-4).abs() < 1e-9, "period {period}, minute {at}: {fee}");
            }
            before = after;
        }
    }

    #[test]
    fn without_updates_the_fee_is_the_highest() {
        let mut minutes = forecasts(&[5.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
        minutes.extend(vec![f32::NAN; 1_000]);
        let followed = contract().followed(&minutes, 100 * DAY, &map()).expect("a slope");
        // The last period begins at 5 · 240; stale after three.
        let stale = 8 * 240;
        assert!((followed[stale - 1] - 5e-4).abs() < 1e-9 && (followed[stale] - 12e-4).abs() < 1e-9);
    }

    /// The fee over the volatility that is followed is the contract's own, to the pip.
    #[test]
    fn the_fee_is_what_the_contract_would_show() {
        let contract = contract();
        let periods: Vec<f32> = (0..60_u32).map(|at| 2.0 + (at * 7_919 % 131) as f32 / 10.0).collect();
        let minutes = forecasts(&periods);
        let followed = contract.followed(&minutes, 100 * DAY, &map()).expect("a slope");
        let mut market = Market::begin(&contract.policy);
        for (at, volatility) in minutes.iter().enumerate() {
            let now_seconds = (100 * DAY) as u64 * 60 + at as u64 * 60;
            if at % 240 == 1 {
                let volatility_e9 = e9(f64::from(*volatility));
                let update = Update { start_seconds: now_seconds - 60, landed_seconds: now_seconds, volatility_e9 };
                market.apply(&contract.policy, 14_400, update);
            }
            let pips = map().fee(f64::from(followed[at])) * 1e6;
            let shown = f64::from(market.seen(&contract.policy, now_seconds).0.amm_fee_pips);
            assert!((pips - shown).abs() <= 1.01, "minute {at}: {pips} and {shown}");
        }
    }

    #[test]
    fn a_static_fee_follows_nothing() {
        assert_eq!(contract().followed(&forecasts(&[5.0]), 0, &FeeMap::flat(1e-3)), None);
    }
}
