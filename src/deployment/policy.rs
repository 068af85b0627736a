//! `deploy/policy.toml`: what a market starts with.

use std::collections::BTreeMap;
use std::path::Path;

use alloy::primitives::aliases::U24;
use serde::Deserialize;

use crate::actions::risk_oracle::abi::oracle::IRegimeRiskOracle::{Bounds, Knot, Policy};
use crate::actions::risk_oracle::abi::oracle::IRiskParameters::RiskVector;
use crate::config::written;
use crate::deployment::error::DeploymentError;

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
    bounds: RawBounds,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBounds {
    min_borrow_collateral_ratio_bps: u16,
    max_borrow_collateral_ratio_bps: u16,
    min_liquidation_collateral_ratio_bps: u16,
    max_liquidation_rise_bps_per_day: u16,
    min_amm_fee_pips: u32,
    max_amm_fee_pips: u32,
    min_borrow_cap_factor_bps: u16,
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
        let raw: RawRules = written::from_toml(text).map_err(|misfit| bad(path, &misfit))?;
        let wide = |value: u32| U24::try_from(value).map_err(|_| bad(path, &format!("{value} is too large")));
        let knot = |raw: &RawKnot| {
            Ok::<_, DeploymentError>(Knot {
                volatilityE9: raw.volatility_e9,
                vector: RiskVector {
                    borrowCollateralRatioBps: raw.borrow_collateral_ratio_bps,
                    liquidationCollateralRatioBps: raw.liquidation_collateral_ratio_bps,
                    ammFeePips: wide(raw.amm_fee_pips)?,
                    borrowCapFactorBps: raw.borrow_cap_factor_bps,
                },
            })
        };
        let numbered = (1..=raw.limits.knots).all(|number| raw.knot.contains_key(&number.to_string()));
        if !numbered || raw.knot.len() != raw.limits.knots {
            return Err(bad(path, &format!("it says that there are {} knots, numbered from 1", raw.limits.knots)));
        }
        Ok(Self {
            policy: Policy {
                knots: raw.knot.values().map(knot).collect::<Result<_, _>>()?,
                marginBps: raw.limits.margin_bps,
                dwellPeriods: raw.limits.dwell_periods,
                maxRiseBpsPerPeriod: raw.limits.max_rise_bps_per_period,
                maxFallBpsPerPeriod: raw.limits.max_fall_bps_per_period,
                loosenDelaySeconds: wide(raw.limits.loosen_delay_seconds)?,
                liquidationRiseBpsPerDay: raw.limits.liquidation_rise_bps_per_day,
                graceAfterBps: raw.limits.grace_after_bps,
                staleAfterBps: raw.limits.stale_after_bps,
            },
            bounds: Bounds {
                minBorrowCollateralRatioBps: raw.bounds.min_borrow_collateral_ratio_bps,
                maxBorrowCollateralRatioBps: raw.bounds.max_borrow_collateral_ratio_bps,
                minLiquidationCollateralRatioBps: raw.bounds.min_liquidation_collateral_ratio_bps,
                maxLiquidationRiseBpsPerDay: raw.bounds.max_liquidation_rise_bps_per_day,
                minAmmFeePips: wide(raw.bounds.min_amm_fee_pips)?,
                maxAmmFeePips: wide(raw.bounds.max_amm_fee_pips)?,
                minBorrowCapFactorBps: raw.bounds.min_borrow_cap_factor_bps,
            },
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
