//! Parameters on chain beside those that are wanted.

use std::fmt::Display;

use alloy::primitives::Address;
use serde::Serialize;

use super::standing::{MarketStanding, OnChainState};
use super::{Deployment, WantedMarket};
use crate::actions::risk_oracle::abi::oracle::IRegimeRiskOracle::{Bounds, Knot, Policy};
use crate::chain::read::Reader;
use crate::deployment::error::DeploymentError;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: String,
    /// `None` while there is nothing.
    pub on_chain: Option<String>,
    pub wanted: String,
    pub outcome: Outcome,
}

/// What a deployment does about a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is as wanted.
    Same,
    /// It will be set for the first time.
    Set,
    /// It will be changed, through the timelock.
    Changed,
    /// It differs and stays: nothing was said about it, it never changes, or it is changed by hand.
    Kept,
}

impl Deployment {
    /// Every parameter, whether it differs or not.
    ///
    /// # Errors
    /// As [`Deployment::missing`].
    pub async fn parameters(&self, read: &Reader) -> Result<Vec<Row>, DeploymentError> {
        let standing = OnChainState::read(self, read).await?;
        let mut rows = self.oracle_rows(&standing);
        for (market, found) in self.wanted.markets.iter().zip(&standing.markets) {
            self.market_rows(market, found, &mut rows);
        }
        Ok(rows)
    }

    fn oracle_rows(&self, standing: &OnChainState) -> Vec<Row> {
        let (there, wanted) = (standing.oracle.as_ref(), &self.wanted.constructor);
        let list = |addresses: &[Address]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let kept =
            |name: &str, on_chain: Option<String>, wanted: String| row(name.into(), on_chain, wanted, Outcome::Kept);
        vec![
            kept("owner", there.map(|_| standing.owner.to_string()), wanted.owner.to_string()),
            kept("guardian", there.map(|oracle| oracle.guardian.to_string()), wanted.guardian.to_string()),
            kept(
                "timelock_seconds",
                there.map(|oracle| oracle.timelock_seconds.to_string()),
                wanted.timelock_seconds.to_string(),
            ),
            kept(
                "sequencer_feed",
                there.map(|oracle| oracle.sequencer_feed.to_string()),
                wanted.sequencer_feed.to_string(),
            ),
            kept("attestors", there.map(|oracle| list(&oracle.attestors)), list(&wanted.attestors)),
            kept("threshold", there.map(|oracle| oracle.threshold.to_string()), wanted.threshold.to_string()),
        ]
    }

    fn market_rows(&self, market: &WantedMarket, found: &MarketStanding, rows: &mut Vec<Row>) {
        let wanted = &self.wanted;
        let name = |field: &str| format!("{} {field}", market.name);
        let active = found.active_model.as_ref().map(ToString::to_string);
        rows.push(row(name("model"), active, self.model_id, Outcome::Changed));
        let owner = (!found.owner.is_zero()).then(|| found.owner.to_string());
        rows.push(row(name("owner"), owner, wanted.market_owner, Outcome::Kept));
        let there = found.bounds.as_ref().map(bounds);
        for (index, (field, value)) in bounds(&wanted.bounds).into_iter().enumerate() {
            let on_chain = there.as_ref().map(|there| there[index].1.to_string());
            rows.push(row(name(field), on_chain, value, Outcome::Kept));
        }
        let there = found.policy.as_ref().map(policy);
        let change = if wanted.change_policy { Outcome::Changed } else { Outcome::Kept };
        for (field, value) in policy(&wanted.policy) {
            let same =
                |there: &Vec<(String, u64)>| there.iter().find(|(known, _)| *known == field).map(|(_, value)| *value);
            let on_chain = there.as_ref().and_then(same).map(|value| value.to_string());
            rows.push(row(name(&field), on_chain, value, change));
        }
    }
}

fn row(name: String, on_chain: Option<String>, wanted: impl Display, otherwise: Outcome) -> Row {
    let wanted = wanted.to_string();
    let outcome = match &on_chain {
        None => Outcome::Set,
        Some(there) if *there == wanted => Outcome::Same,
        Some(_) => otherwise,
    };
    Row { name, on_chain, wanted, outcome }
}

fn bounds(bounds: &Bounds) -> [(&'static str, u64); 7] {
    [
        ("bounds.min_borrow_collateral_ratio_bps", bounds.minBorrowCollateralRatioBps.into()),
        ("bounds.max_borrow_collateral_ratio_bps", bounds.maxBorrowCollateralRatioBps.into()),
        ("bounds.min_liquidation_collateral_ratio_bps", bounds.minLiquidationCollateralRatioBps.into()),
        ("bounds.max_liquidation_rise_bps_per_day", bounds.maxLiquidationRiseBpsPerDay.into()),
        ("bounds.min_amm_fee_pips", bounds.minAmmFeePips.to()),
        ("bounds.max_amm_fee_pips", bounds.maxAmmFeePips.to()),
        ("bounds.min_borrow_cap_factor_bps", bounds.minBorrowCapFactorBps.into()),
    ]
}

fn knot((index, knot): (usize, &Knot)) -> [(String, u64); 5] {
    let vector = &knot.vector;
    [
        ("volatility_e9", knot.volatilityE9.into()),
        ("borrow_collateral_ratio_bps", vector.borrowCollateralRatioBps.into()),
        ("liquidation_collateral_ratio_bps", vector.liquidationCollateralRatioBps.into()),
        ("amm_fee_pips", vector.ammFeePips.to()),
        ("borrow_cap_factor_bps", vector.borrowCapFactorBps.into()),
    ]
    .map(|(field, value)| (format!("knot.{}.{field}", index + 1), value))
}

fn policy(policy: &Policy) -> Vec<(String, u64)> {
    let limits = [
        ("margin_bps", policy.marginBps.into()),
        ("dwell_periods", policy.dwellPeriods.into()),
        ("max_rise_bps_per_period", policy.maxRiseBpsPerPeriod.into()),
        ("max_fall_bps_per_period", policy.maxFallBpsPerPeriod.into()),
        ("loosen_delay_seconds", policy.loosenDelaySeconds.to()),
        ("liquidation_rise_bps_per_day", policy.liquidationRiseBpsPerDay.into()),
        ("grace_after_bps", policy.graceAfterBps.into()),
        ("stale_after_bps", policy.staleAfterBps.into()),
    ];
    let limits = limits.map(|(field, value): (&str, u64)| (format!("limits.{field}"), value));
    policy.knots.iter().enumerate().flat_map(knot).chain(limits).collect()
}
