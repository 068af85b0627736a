//! A market's policy as `RiskOracle` has it, its rules to the integer: what it accepts, and how updates move a market by it.

pub mod market;
mod text;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::risk::{Rules, Vector};

/// Basis points of a whole, and the largest fee in hundredths of them.
const BPS: u16 = 10_000;
const PIPS: u32 = 1_000_000;
/// Knots that a policy may have.
const MAX_KNOTS: usize = 4;
/// Least distance from the first to the last knot.
const MIN_SPAN_E9: u32 = 10_000;
const MAX_LOOSEN_DELAY_SECONDS: u32 = 86_400;
const MAX_GRACE_AFTER_BPS: u16 = 2 * BPS;
const MAX_STALE_AFTER_BPS: u16 = 6 * BPS;
const MIN_LIQUIDATION_RATIO_BPS: u16 = 10_500;
const MAX_LIQUIDATION_RISE_BPS_PER_DAY: u16 = 200;

/// How a market turns forecasts into parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What decides how an update moves the market.
    #[serde(flatten)]
    pub rules: Rules,
    /// Speed at which the liquidation ratio rises, in bps of the debt a day.
    pub liquidation_rise_bps_per_day: u16,
    /// Age at which parameters stop being fresh, from the period's start, in bps of its length.
    pub grace_after_bps: u16,
    /// Age at which they are stale, likewise.
    pub stale_after_bps: u16,
}

/// Limits within which a market's owner may choose a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Collateral for new borrowing, in bps of the debt.
    pub min_borrow_collateral_ratio_bps: u16,
    pub max_borrow_collateral_ratio_bps: u16,
    /// Collateral below which a position may be liquidated, in bps of the debt.
    pub min_liquidation_collateral_ratio_bps: u16,
    /// Of the liquidation ratio.
    pub max_liquidation_rise_bps_per_day: u16,
    /// Swap fee, in hundredths of a bps.
    pub min_amm_fee_pips: u32,
    pub max_amm_fee_pips: u32,
    /// Part of the borrow cap that is open, in bps.
    pub min_borrow_cap_factor_bps: u16,
}

/// A policy that the contract does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the contract refuses this policy for its {field}")]
pub struct PolicyError {
    /// As the contract's `InvalidPolicy` names it.
    pub field: &'static str,
}

impl Policy {
    /// Whether the contract takes it within these bounds: the checks of `PolicyLib.check`, in their order.
    ///
    /// # Errors
    /// [`PolicyError`] with the first field that is not right.
    pub fn check(&self, bounds: &Bounds) -> Result<(), PolicyError> {
        let Rules { knots, .. } = &self.rules;
        require((2..=MAX_KNOTS).contains(&knots.len()), "knots")?;
        let (mut previous_e9, mut previous) = (0, bounds.loosest());
        for knot in knots {
            require(knot.volatility_e9 > previous_e9, "volatilityE9")?;
            is_tighter(&previous, &knot.vector)?;
            (previous_e9, previous) = (knot.volatility_e9, knot.vector);
        }
        require(
            previous.borrow_collateral_ratio_bps <= bounds.max_borrow_collateral_ratio_bps,
            "borrowCollateralRatioBps",
        )?;
        require(previous.amm_fee_pips <= bounds.max_amm_fee_pips, "ammFeePips")?;
        require(previous.borrow_cap_factor_bps >= bounds.min_borrow_cap_factor_bps, "borrowCapFactorBps")?;
        let (lowest, highest) = self.span();
        require(highest - lowest >= MIN_SPAN_E9, "volatilityE9")?;
        require(self.rules.margin_bps <= BPS, "marginBps")?;
        require(self.rules.dwell_periods != 0, "dwellPeriods")?;
        require((1..=BPS).contains(&self.rules.max_rise_bps_per_period), "maxRiseBpsPerPeriod")?;
        require((1..=BPS).contains(&self.rules.max_fall_bps_per_period), "maxFallBpsPerPeriod")?;
        require(self.rules.loosen_delay_seconds <= MAX_LOOSEN_DELAY_SECONDS, "loosenDelaySeconds")?;
        let stands_still = Some(previous.liquidation_collateral_ratio_bps)
            == knots.first().map(|knot| knot.vector.liquidation_collateral_ratio_bps);
        require(
            self.liquidation_rise_bps_per_day <= bounds.max_liquidation_rise_bps_per_day
                && (self.liquidation_rise_bps_per_day != 0 || stands_still),
            "liquidationRiseBpsPerDay",
        )?;
        require((BPS..=MAX_GRACE_AFTER_BPS).contains(&self.grace_after_bps), "graceAfterBps")?;
        require((self.grace_after_bps..=MAX_STALE_AFTER_BPS).contains(&self.stale_after_bps), "staleAfterBps")
    }

    /// The lowest and the highest volatility that it tells from others, times 1e9.
    pub fn span(&self) -> (u32, u32) {
        let end = |knot: Option<&crate::risk::Knot>| knot.map_or(0, |knot| knot.volatility_e9);
        (end(self.rules.knots.first()), end(self.rules.knots.last()))
    }

    /// The vector of the last knot, which is also the fallback.
    pub fn tightest(&self) -> Vector {
        self.rules.knots.last().map_or(NOTHING, |knot| knot.vector)
    }

    /// The parameters at a volatility, rounded to the tighter side; the liquidation ratio down.
    pub fn vector_at(&self, volatility_e9: u32) -> Vector {
        let knots = &self.rules.knots;
        let above = knots.iter().position(|knot| volatility_e9 < knot.volatility_e9);
        let (lower, upper) = match above {
            None => return self.tightest(),
            Some(0) => return knots.first().map_or(NOTHING, |knot| knot.vector),
            Some(above) => (&knots[above - 1], &knots[above]),
        };
        let (width, left) =
            (u64::from(upper.volatility_e9 - lower.volatility_e9), u64::from(upper.volatility_e9 - volatility_e9));
        // A part of a difference that is none or positive; where a knot is looser than the one before, no policy is.
        let part =
            |difference: u32, share: u64| u32::try_from(u64::from(difference) * share / width).unwrap_or(u32::MAX);
        let narrow = |difference: u16, share| u16::try_from(part(difference.into(), share)).unwrap_or(u16::MAX);
        let (a, b) = (&lower.vector, &upper.vector);
        Vector {
            borrow_collateral_ratio_bps: b.borrow_collateral_ratio_bps
                - narrow(b.borrow_collateral_ratio_bps.saturating_sub(a.borrow_collateral_ratio_bps), left),
            amm_fee_pips: b.amm_fee_pips - part(b.amm_fee_pips.saturating_sub(a.amm_fee_pips), left),
            borrow_cap_factor_bps: b.borrow_cap_factor_bps
                + narrow(a.borrow_cap_factor_bps.saturating_sub(b.borrow_cap_factor_bps), left),
            liquidation_collateral_ratio_bps: a.liquidation_collateral_ratio_bps
                + narrow(
                    b.liquidation_collateral_ratio_bps.saturating_sub(a.liquidation_collateral_ratio_bps),
                    width - left,
                ),
        }
    }
}

impl Bounds {
    /// As wide as any market's may be.
    pub const WIDEST: Self = Self {
        min_borrow_collateral_ratio_bps: MIN_LIQUIDATION_RATIO_BPS,
        max_borrow_collateral_ratio_bps: u16::MAX,
        min_liquidation_collateral_ratio_bps: MIN_LIQUIDATION_RATIO_BPS,
        max_liquidation_rise_bps_per_day: MAX_LIQUIDATION_RISE_BPS_PER_DAY,
        min_amm_fee_pips: 0,
        max_amm_fee_pips: PIPS,
        min_borrow_cap_factor_bps: 0,
    };

    fn loosest(&self) -> Vector {
        Vector {
            borrow_collateral_ratio_bps: self.min_borrow_collateral_ratio_bps,
            liquidation_collateral_ratio_bps: self.min_liquidation_collateral_ratio_bps,
            amm_fee_pips: self.min_amm_fee_pips,
            borrow_cap_factor_bps: BPS,
        }
    }
}

/// Of a policy without knots, which none is.
const NOTHING: Vector = Vector {
    borrow_collateral_ratio_bps: 0,
    liquidation_collateral_ratio_bps: 0,
    amm_fee_pips: 0,
    borrow_cap_factor_bps: 0,
};

fn require(holds: bool, field: &'static str) -> Result<(), PolicyError> {
    if holds { Ok(()) } else { Err(PolicyError { field }) }
}

fn is_tighter(a: &Vector, b: &Vector) -> Result<(), PolicyError> {
    require(
        b.borrow_collateral_ratio_bps >= a.borrow_collateral_ratio_bps
            && b.borrow_collateral_ratio_bps >= b.liquidation_collateral_ratio_bps,
        "borrowCollateralRatioBps",
    )?;
    require(b.liquidation_collateral_ratio_bps >= a.liquidation_collateral_ratio_bps, "liquidationCollateralRatioBps")?;
    require(b.amm_fee_pips >= a.amm_fee_pips, "ammFeePips")?;
    require(b.borrow_cap_factor_bps <= a.borrow_cap_factor_bps, "borrowCapFactorBps")
}

#[cfg(test)]
mod tests;
