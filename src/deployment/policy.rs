//! `deploy/policy.toml`: what a market starts with.

use std::path::Path;

use alloy::primitives::aliases::U24;
use serde::Deserialize;

use crate::actions::risk_oracle::abi::IRegimeRiskOracle::{Bounds, Policy};
use crate::actions::risk_oracle::abi::IRiskParameters::RiskVector;
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
    calm: RawVector,
    turbulent: RawVector,
    limits: RawLimits,
    bounds: RawBounds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVector {
    borrow_collateral_ratio_bps: u16,
    liquidation_collateral_ratio_bps: u16,
    amm_fee_pips: u32,
    borrow_cap_factor_bps: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    margin_bps: u16,
    dwell_periods: u8,
    max_rise_bps_per_period: u16,
    max_fall_bps_per_period: u16,
    loosen_delay_seconds: u16,
    liquidation_rise_bps_per_day: u16,
    grace_after_seconds: u32,
    stale_after_seconds: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBounds {
    min_borrow_collateral_ratio_bps: u16,
    max_borrow_collateral_ratio_bps: u16,
    min_amm_fee_pips: u32,
    max_amm_fee_pips: u32,
    max_liquidation_rise_bps_per_day: u16,
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
        let vector = |raw: &RawVector| {
            Ok::<_, DeploymentError>(RiskVector {
                borrowCollateralRatioBps: raw.borrow_collateral_ratio_bps,
                liquidationCollateralRatioBps: raw.liquidation_collateral_ratio_bps,
                ammFeePips: wide(raw.amm_fee_pips)?,
                borrowCapFactorBps: raw.borrow_cap_factor_bps,
            })
        };
        Ok(Self {
            policy: Policy {
                calm: vector(&raw.calm)?,
                turbulent: vector(&raw.turbulent)?,
                marginBps: raw.limits.margin_bps,
                dwellPeriods: raw.limits.dwell_periods,
                maxRiseBpsPerPeriod: raw.limits.max_rise_bps_per_period,
                maxFallBpsPerPeriod: raw.limits.max_fall_bps_per_period,
                loosenDelaySeconds: raw.limits.loosen_delay_seconds,
                liquidationRiseBpsPerDay: raw.limits.liquidation_rise_bps_per_day,
                graceAfterSeconds: wide(raw.limits.grace_after_seconds)?,
                staleAfterSeconds: wide(raw.limits.stale_after_seconds)?,
            },
            bounds: Bounds {
                minBorrowCollateralRatioBps: raw.bounds.min_borrow_collateral_ratio_bps,
                maxBorrowCollateralRatioBps: raw.bounds.max_borrow_collateral_ratio_bps,
                minAmmFeePips: wide(raw.bounds.min_amm_fee_pips)?,
                maxAmmFeePips: wide(raw.bounds.max_amm_fee_pips)?,
                maxLiquidationRiseBpsPerDay: raw.bounds.max_liquidation_rise_bps_per_day,
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
            STARTING.replace("stale_after_seconds = 43_200", "stale_after_seconds = 16_777_216"),
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
