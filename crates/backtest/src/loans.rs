//! Ratios for new loans side by side: what each of them would have spared a lender.

use std::ops::Range;

use rayon::prelude::*;
use serde::Serialize;

use crate::error::BacktestError;
use crate::given::DAYS_OF_A_YEAR;
use crate::lending::{self, Lender, Outcome, RatioMap, Rules};
use crate::market::Market;
use crate::pool;
use crate::position::Position;
use crate::signal::Signal;
use crate::study::Policy;
use veriregime_core::bootstrap::{means, standard_error, starts};
use veriregime_core::quantile::quantile;

/// Lenders that are tried: usual terms with quick keepers, and thin ones with slow keepers.
pub const LENDERS: [(Rules, f64); 2] = [
    (Rules { liquidation_ratio: 1.3, keeper_minutes: 5 }, 0.15),
    (Rules { liquidation_ratio: 1.1, keeper_minutes: 60 }, 0.08),
];
/// Most that a volatility multiplies the headroom by.
const MOST: f64 = 3.0;

/// How ratios are made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Equal {
    /// The mean of debt over collateral that new loans may have is the static one's.
    MeanLtv,
    /// All debt over all collateral is, in the mean.
    Usage,
}

/// One ratio for one lender, compared in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoanRow {
    pub market: String,
    pub policy: String,
    pub liquidation_ratio: f64,
    pub keeper_minutes: usize,
    pub equal: Equal,
    /// Debt that is liquidated in a year, as a share of all debt.
    pub liquidated_share: f64,
    /// The same, less the static ratio's.
    pub more_than_static: f64,
    /// Of that difference, from blocks of days; none where there are too few, and of the static ratio.
    pub standard_error: Option<f64>,
    /// Debt that nothing was left for, dollars a year.
    pub bad_debt_usd: f64,
    /// Bad debt of the hundredth worst day, dollars.
    pub var99: f64,
    /// Share of debt that was liquidated on the hundredth worst day.
    pub liquidations_at_risk99: f64,
    /// All debt over all collateral, in the mean.
    pub usage: f64,
}

/// All comparisons of `policies`, the first of which is the static ratio; `knee` is where the headroom begins to grow. Borrowers
/// are those of `positions`, or drawn where there are none.
///
/// # Errors
/// [`BacktestError::Signal`] where a policy says nothing for one of the `minutes`.
pub fn rows(
    market: &Market,
    minutes: &Range<usize>,
    policies: &[&Policy],
    knee: f64,
    positions: &[Position],
    seed: u64,
) -> Result<Vec<LoanRow>, BacktestError> {
    for policy in policies {
        policy.signal.check(&policy.name, minutes, |at| market.time_ms(at))?;
    }
    let mut rows = Vec::new();
    for (rules, headroom) in LENDERS {
        let lender = Lender { market, minutes, rules: &rules, positions, seed };
        let run = |signal: &Signal, map: &RatioMap| lending::run(&lender, signal, map);
        let fixed_map = RatioMap { headroom, knee: f64::INFINITY, most: MOST };
        let fixed = run(&Signal::None, &fixed_map);
        let tried: Vec<(&Policy, Equal)> =
            policies.iter().flat_map(|policy| [Equal::MeanLtv, Equal::Usage].map(|equal| (*policy, equal))).collect();
        let made = tried.par_iter().map(|(policy, equal)| {
            let row = |outcome: &Outcome| row(market, policy, &rules, *equal, outcome, &fixed);
            if policy.signal == Signal::None {
                return row(&fixed);
            }
            let at = |headroom| RatioMap { headroom, knee, most: MOST };
            let headroom = match equal {
                Equal::MeanLtv => lending::headroom(fixed_map.mean_ltv(&Signal::None, minutes), |tried| {
                    at(tried).mean_ltv(&policy.signal, minutes)
                }),
                Equal::Usage => lending::headroom(fixed.usage, |tried| run(&policy.signal, &at(tried)).usage),
            };
            row(&run(&policy.signal, &at(headroom)))
        });
        rows.extend(made.collect::<Vec<_>>());
    }
    Ok(rows)
}

fn row(market: &Market, policy: &Policy, rules: &Rules, equal: Equal, outcome: &Outcome, fixed: &Outcome) -> LoanRow {
    let more: Vec<f64> = outcome.liquidated.iter().zip(&fixed.liquidated).map(|(ours, fixed)| ours - fixed).collect();
    let error = standard_error(means(&starts(more.len()), &more)).map(|error| error * DAYS_OF_A_YEAR);
    LoanRow {
        market: market.name.clone(),
        policy: policy.name.clone(),
        liquidation_ratio: rules.liquidation_ratio,
        keeper_minutes: rules.keeper_minutes,
        equal,
        liquidated_share: pool::mean(&outcome.liquidated) * DAYS_OF_A_YEAR,
        more_than_static: pool::mean(&more) * DAYS_OF_A_YEAR,
        standard_error: error.filter(|_| policy.signal != Signal::None),
        bad_debt_usd: pool::mean(&outcome.bad_debt_usd) * DAYS_OF_A_YEAR,
        var99: quantile(&outcome.bad_debt_usd, 0.99),
        liquidations_at_risk99: quantile(&outcome.liquidated, 0.99),
        usage: outcome.usage,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::blocks::gaussian;
    use crate::market::DAY_MINUTES;

    #[test]
    fn ratios_are_compared_at_the_same_usage() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let days = 40;
        let (mut price, mut closes, mut volatility) = (100.0, Vec::new(), Vec::new());
        for at in 0..days * DAY_MINUTES {
            let spell =
                if at % 240 == 0 { 1.2e-3 * libm::exp(0.7 * gaussian(&mut random)) } else { volatility[at - 1] };
            volatility.push(spell);
            price *= libm::exp(spell * gaussian(&mut random));
            closes.push(price);
        }
        let volumes = vec![1e7; closes.len()];
        let market = Market { name: "made".to_owned(), start_ms: 0, closes, volumes };
        let known = Signal::Known(volatility.iter().map(|value| *value as f32).collect());
        let policy = |name: &str, signal| Policy { name: name.to_owned(), signal, map: None, contract: None };
        let (fixed, ours) = (policy("static", Signal::None), policy("ours", known));
        let minutes = 2 * DAY_MINUTES..days * DAY_MINUTES;
        let rows = rows(&market, &minutes, &[&fixed, &ours], 1.2e-3, &[], 1).expect("signals");
        assert_eq!(rows.len(), 8);
        for pair in rows.chunks(4) {
            assert!(pair[0].more_than_static.abs() < 1e-12 && pair[0].standard_error.is_none());
            assert!((pair[3].usage - pair[1].usage).abs() < 2e-3, "{pair:?}");
            assert!(pair[0].liquidated_share > 0.0);
        }
    }
}
