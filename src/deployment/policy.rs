//! `deploy/policy.toml`: what a market starts with.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::actions::risk_oracle::abi::oracle::IRegimeRiskOracle::{Bounds, Policy};
use crate::actions::risk_oracle::rules::{bounds_to_contract, to_contract};
use crate::config::written;
use crate::deployment::error::DeploymentError;
use veriregime_core::policy::{Bounds as CoreBounds, Policy as CorePolicy};
use veriregime_core::risk::{Knot as CoreKnot, Rules, Vector};

/// Where the committed file is.
const STARTING_FILE: &str = "deploy/policy.toml";
const STARTING: &str = include_str!("../../deploy/policy.toml");
const MAX_POLICY_BYTES: u64 = 1 << 16;

/// A market's policy and the bounds that it is registered with.
#[derive(Debug, Clone)]
pub struct MarketRules {
    pub policy: Policy,
    pub bounds: Bounds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    /// By their numbers, from 1.
    knot: BTreeMap<String, RawKnot>,
    limits: RawLimits,
    bounds: CoreBounds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKnot {
    volatility_e9: u32,
    borrow_collateral_ratio_bps: u16,
    liquidation_collateral_ratio_bps: u16,
    amm_fee_pips: u32,
    borrow_cap_factor_bps: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    /// How many knots there are, for readers of the file that cannot count them.
    knots: usize,
    margin_bps: u16,
    dwell_periods: u8,
    max_rise_bps_per_period: u16,
    max_fall_bps_per_period: u16,
    loosen_delay_seconds: u32,
    liquidation_rise_bps_per_day: u16,
    grace_after_bps: u16,
    stale_after_bps: u16,
}

impl MarketRules {
    /// The committed ones.
    ///
    /// # Errors
    /// [`DeploymentError::BadPolicy`].
    pub fn starting() -> Result<Self, DeploymentError> {
        Self::parse(Path::new(STARTING_FILE), STARTING)
    }

    /// Those of a file.
    ///
    /// # Errors
    /// [`DeploymentError::BadPolicy`].
    pub fn read(path: &Path) -> Result<Self, DeploymentError> {
        let text = veriregime_files::read_text(path, MAX_POLICY_BYTES).map_err(|fault| bad(path, &fault))?;
        Self::parse(path, &text)
    }

    /// Those of a file's text. Whether the numbers make sense together is for the contract to say.
    ///
    /// # Errors
    /// [`DeploymentError::BadPolicy`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, DeploymentError> {
        let RawRules { knot: knots, limits, bounds } = written::from_toml(text).map_err(|misfit| bad(path, &misfit))?;
        let numbered = (1..=limits.knots).all(|number| knots.contains_key(&number.to_string()));
        if !numbered || knots.len() != limits.knots {
            return Err(bad(path, &format!("it says that there are {} knots, numbered from 1", limits.knots)));
        }
        let knot = |raw: &RawKnot| CoreKnot {
            volatility_e9: raw.volatility_e9,
            vector: Vector {
                borrow_collateral_ratio_bps: raw.borrow_collateral_ratio_bps,
                liquidation_collateral_ratio_bps: raw.liquidation_collateral_ratio_bps,
                amm_fee_pips: raw.amm_fee_pips,
                borrow_cap_factor_bps: raw.borrow_cap_factor_bps,
            },
        };
        let policy = CorePolicy {
            rules: Rules {
                knots: knots.values().map(knot).collect(),
                margin_bps: limits.margin_bps,
                dwell_periods: limits.dwell_periods,
                max_rise_bps_per_period: limits.max_rise_bps_per_period,
                max_fall_bps_per_period: limits.max_fall_bps_per_period,
                loosen_delay_seconds: limits.loosen_delay_seconds,
            },
            liquidation_rise_bps_per_day: limits.liquidation_rise_bps_per_day,
            grace_after_bps: limits.grace_after_bps,
            stale_after_bps: limits.stale_after_bps,
        };
        let too_large = || bad(path, &"a fee or loosen_delay_seconds is larger than the contract's 24 bits");
        Ok(Self {
            policy: to_contract(&policy).ok_or_else(too_large)?,
            bounds: bounds_to_contract(&bounds).ok_or_else(too_large)?,
        })
    }
}

fn bad(path: &Path, reason: &impl ToString) -> DeploymentError {
    DeploymentError::BadPolicy { path: path.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_policy_within_its_widths_is_one() {
        let path = Path::new("policy.toml");
        assert_eq!(MarketRules::starting().unwrap().policy.maxFallBpsPerPeriod, 2_500);
        let cases = [
            STARTING.replace("margin_bps = 500", ""),
            STARTING.replace("margin_bps = 500", "margin_bps = 500\nmargin = 1"),
            STARTING.replace("loosen_delay_seconds = 600", "loosen_delay_seconds = 16_777_216"),
            STARTING.replace("knots = 3", "knots = 4"),
            STARTING.replace("[knot.2]", "[knot.4]"),
            STARTING.replace("dwell_periods = 2", "dwell_periods = 256"),
            STARTING.replace("dwell_periods = 2", "dwell_periods = 2.4"),
            STARTING.replace("dwell_periods = 2", "dwell_periods = true"),
        ];
        for text in cases {
            assert_ne!(text, STARTING);
            let fault = MarketRules::parse(path, &text).expect_err("no policy");
            assert!(matches!(fault, DeploymentError::BadPolicy { .. }), "{fault}");
        }
    }
}
