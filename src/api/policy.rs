//! `GET /v1/policy/{market}`: what a market goes by, as the chain has it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};
use veriregime_core::policy::{Bounds, Policy};
use veriregime_core::risk::{Knot, Rules, Vector};

/// The parameters at a volatility.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KnotView {
    /// Standard deviation of one-minute returns, times 1e9.
    #[schema(example = 600_000)]
    volatility_e9: u32,
    borrow_collateral_ratio_bps: u16,
    liquidation_collateral_ratio_bps: u16,
    amm_fee_pips: u32,
    borrow_cap_factor_bps: u16,
}

/// How a market turns forecasts into parameters.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyView {
    /// 2 to 4, rising in volatility.
    knots: Vec<KnotView>,
    margin_bps: u16,
    dwell_periods: u8,
    max_rise_bps_per_period: u16,
    max_fall_bps_per_period: u16,
    loosen_delay_seconds: u32,
    liquidation_rise_bps_per_day: u16,
    grace_after_bps: u16,
    stale_after_bps: u16,
}

/// Limits within which the owner may choose. They never change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BoundsView {
    min_borrow_collateral_ratio_bps: u16,
    max_borrow_collateral_ratio_bps: u16,
    min_liquidation_collateral_ratio_bps: u16,
    max_liquidation_rise_bps_per_day: u16,
    min_amm_fee_pips: u32,
    max_amm_fee_pips: u32,
    min_borrow_cap_factor_bps: u16,
}

/// What a market goes by.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MarketPolicyView {
    policy: PolicyView,
    bounds: BoundsView,
    /// Who may change the policy, 0x-hex.
    owner: String,
}

impl From<&Policy> for PolicyView {
    fn from(policy: &Policy) -> Self {
        let Policy { rules, liquidation_rise_bps_per_day, grace_after_bps, stale_after_bps } = policy;
        let knot = |knot: &Knot| KnotView {
            volatility_e9: knot.volatility_e9,
            borrow_collateral_ratio_bps: knot.vector.borrow_collateral_ratio_bps,
            liquidation_collateral_ratio_bps: knot.vector.liquidation_collateral_ratio_bps,
            amm_fee_pips: knot.vector.amm_fee_pips,
            borrow_cap_factor_bps: knot.vector.borrow_cap_factor_bps,
        };
        Self {
            knots: rules.knots.iter().map(knot).collect(),
            margin_bps: rules.margin_bps,
            dwell_periods: rules.dwell_periods,
            max_rise_bps_per_period: rules.max_rise_bps_per_period,
            max_fall_bps_per_period: rules.max_fall_bps_per_period,
            loosen_delay_seconds: rules.loosen_delay_seconds,
            liquidation_rise_bps_per_day: *liquidation_rise_bps_per_day,
            grace_after_bps: *grace_after_bps,
            stale_after_bps: *stale_after_bps,
        }
    }
}

impl From<PolicyView> for Policy {
    fn from(view: PolicyView) -> Self {
        let knot = |knot: &KnotView| Knot {
            volatility_e9: knot.volatility_e9,
            vector: Vector {
                borrow_collateral_ratio_bps: knot.borrow_collateral_ratio_bps,
                liquidation_collateral_ratio_bps: knot.liquidation_collateral_ratio_bps,
                amm_fee_pips: knot.amm_fee_pips,
                borrow_cap_factor_bps: knot.borrow_cap_factor_bps,
            },
        };
        Self {
            rules: Rules {
                knots: view.knots.iter().map(knot).collect(),
                margin_bps: view.margin_bps,
                dwell_periods: view.dwell_periods,
                max_rise_bps_per_period: view.max_rise_bps_per_period,
                max_fall_bps_per_period: view.max_fall_bps_per_period,
                loosen_delay_seconds: view.loosen_delay_seconds,
            },
            liquidation_rise_bps_per_day: view.liquidation_rise_bps_per_day,
            grace_after_bps: view.grace_after_bps,
            stale_after_bps: view.stale_after_bps,
        }
    }
}

impl From<Bounds> for BoundsView {
    fn from(bounds: Bounds) -> Self {
        Self {
            min_borrow_collateral_ratio_bps: bounds.min_borrow_collateral_ratio_bps,
            max_borrow_collateral_ratio_bps: bounds.max_borrow_collateral_ratio_bps,
            min_liquidation_collateral_ratio_bps: bounds.min_liquidation_collateral_ratio_bps,
            max_liquidation_rise_bps_per_day: bounds.max_liquidation_rise_bps_per_day,
            min_amm_fee_pips: bounds.min_amm_fee_pips,
            max_amm_fee_pips: bounds.max_amm_fee_pips,
            min_borrow_cap_factor_bps: bounds.min_borrow_cap_factor_bps,
        }
    }
}

/// What a market goes by, as the chain has it; at most ten seconds old.
#[utoipa::path(get, path = "/v1/policy/{market}",
    params(("market" = String, Path, description = "name of one of the model's markets", example = "BTC-USD"), OfJob),
    responses(
        (status = 200, description = "policy, bounds and owner", body = MarketPolicyView),
        (status = 404, description = "not one of the model's markets, no policy, or no such job", body = ErrorBody),
        (status = 422, description = "a job of another kind", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "the chain does not answer", body = ErrorBody),
    ))]
pub(super) async fn policy(
    State(shared): State<Arc<Shared>>,
    market: Result<Path<String>, PathRejection>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<MarketPolicyView>, ApiError> {
    let rules = shared.job(query)?.details.rules(&market?.0).await?;
    let policy = rules.policy.as_ref().ok_or(ApiError::NoPolicy)?;
    Ok(Json(MarketPolicyView {
        policy: PolicyView::from(policy),
        bounds: rules.bounds.into(),
        owner: rules.owner.to_string(),
    }))
}
