//! A market's policy and bounds, read from the contract and written for it.

use alloy::primitives::aliases::U24;
use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolCall;

use super::abi::oracle::IRegimeRiskOracle::{Bounds as ContractBounds, Knot as ContractKnot, Policy as ContractPolicy};
use super::abi::oracle::IRiskParameters::RiskVector;
use super::abi::oracle::RiskOracle;
use super::applied::rules;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::policy::{Bounds, Policy};
use veriregime_core::risk::Knot;

/// What a market goes by.
#[derive(Debug, Clone)]
pub struct MarketRules {
    /// `None` of a market without one.
    pub policy: Option<Policy>,
    pub bounds: Bounds,
    /// Who may change the policy.
    pub owner: Address,
}

impl Reader {
    /// What a market goes by at the newest block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn market_rules(&self, oracle: Address, market: B256) -> Result<MarketRules, ChainError> {
        let contract = RiskOracle::new(oracle, &self.provider);
        let policy = contract.policy(market).call().await?;
        let bounds = contract.bounds(market).call().await?;
        let owner = contract.marketOwner(market).call().await?;
        let policy = (!policy.knots.is_empty()).then(|| of_contract(&policy));
        Ok(MarketRules { policy, bounds: bounds_of(&bounds), owner })
    }
}

/// The call by which a market's owner sets a policy; `None` for numbers that are wider than the contract's.
pub fn set_policy(market: B256, policy: &Policy) -> Option<Bytes> {
    Some(RiskOracle::setPolicyCall { market, policy_: to_contract(policy)? }.abi_encode().into())
}

/// A policy for the contract; `None` for numbers that are wider than its own.
pub fn to_contract(policy: &Policy) -> Option<ContractPolicy> {
    let of_market = &policy.rules;
    let knot = |knot: &Knot| {
        Some(ContractKnot {
            volatilityE9: knot.volatility_e9,
            vector: RiskVector {
                borrowCollateralRatioBps: knot.vector.borrow_collateral_ratio_bps,
                liquidationCollateralRatioBps: knot.vector.liquidation_collateral_ratio_bps,
                ammFeePips: U24::try_from(knot.vector.amm_fee_pips).ok()?,
                borrowCapFactorBps: knot.vector.borrow_cap_factor_bps,
            },
        })
    };
    Some(ContractPolicy {
        knots: of_market.knots.iter().map(knot).collect::<Option<_>>()?,
        marginBps: of_market.margin_bps,
        dwellPeriods: of_market.dwell_periods,
        maxRiseBpsPerPeriod: of_market.max_rise_bps_per_period,
        maxFallBpsPerPeriod: of_market.max_fall_bps_per_period,
        loosenDelaySeconds: U24::try_from(of_market.loosen_delay_seconds).ok()?,
        liquidationRiseBpsPerDay: policy.liquidation_rise_bps_per_day,
        graceAfterBps: policy.grace_after_bps,
        staleAfterBps: policy.stale_after_bps,
    })
}

/// Bounds for the contract; `None` for numbers that are wider than its own.
pub fn bounds_to_contract(bounds: &Bounds) -> Option<ContractBounds> {
    Some(ContractBounds {
        minBorrowCollateralRatioBps: bounds.min_borrow_collateral_ratio_bps,
        maxBorrowCollateralRatioBps: bounds.max_borrow_collateral_ratio_bps,
        minLiquidationCollateralRatioBps: bounds.min_liquidation_collateral_ratio_bps,
        maxLiquidationRiseBpsPerDay: bounds.max_liquidation_rise_bps_per_day,
        minAmmFeePips: U24::try_from(bounds.min_amm_fee_pips).ok()?,
        maxAmmFeePips: U24::try_from(bounds.max_amm_fee_pips).ok()?,
        minBorrowCapFactorBps: bounds.min_borrow_cap_factor_bps,
    })
}

/// A policy as the contract has it.
pub fn of_contract(policy: &ContractPolicy) -> Policy {
    Policy {
        rules: rules(policy),
        liquidation_rise_bps_per_day: policy.liquidationRiseBpsPerDay,
        grace_after_bps: policy.graceAfterBps,
        stale_after_bps: policy.staleAfterBps,
    }
}

/// Bounds as the contract has them.
pub fn bounds_of(bounds: &ContractBounds) -> Bounds {
    Bounds {
        min_borrow_collateral_ratio_bps: bounds.minBorrowCollateralRatioBps,
        max_borrow_collateral_ratio_bps: bounds.maxBorrowCollateralRatioBps,
        min_liquidation_collateral_ratio_bps: bounds.minLiquidationCollateralRatioBps,
        max_liquidation_rise_bps_per_day: bounds.maxLiquidationRiseBpsPerDay,
        min_amm_fee_pips: bounds.minAmmFeePips.to(),
        max_amm_fee_pips: bounds.maxAmmFeePips.to(),
        min_borrow_cap_factor_bps: bounds.minBorrowCapFactorBps,
    }
}
