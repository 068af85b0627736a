//! `POST /v1/lab`: what another policy would have done with the forecasts that are stored, by the contract's rules.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::policy::PolicyView;
use crate::actions::risk_oracle::rules::set_policy;
use crate::api::error::{ApiError, ErrorBody};
use crate::state::operations::ForecastRow;
use veriregime_core::policy::Policy;
use veriregime_core::policy::market::{Market, Update};
use veriregime_core::types::prediction::Prediction;

/// Periods that one answer is of.
const MAX_PERIODS: u32 = 10_000;
/// From a period's start to where its update lands, where that is not known.
const LANDING_SECONDS: u64 = 60;
const E9: f64 = 1e9;

/// Which policy, on what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabRequest {
    /// Name of a job of `/v1/jobs`.
    job: String,
    /// One of its model's markets.
    #[schema(example = "BTC-USD")]
    market: String,
    policy: PolicyView,
    /// First millisecond of which periods may begin; the oldest stored if absent.
    from_ms: Option<i64>,
    /// First millisecond after them.
    to_ms: Option<i64>,
}

/// What liquidity would have earned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiquidityView {
    usd_per_year_per_100m: f64,
    static_usd_per_year_per_100m: f64,
    mean_fee_pips: f64,
    days: usize,
    theta: f64,
    epsilon: f64,
}

/// What the policy would have done: one entry for each period with a forecast, oldest first.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct LabView {
    start_ms: Vec<i64>,
    /// Forecast standard deviation of one-minute returns.
    forecast_volatility: Vec<f64>,
    /// What the parameters follow.
    applied_volatility: Vec<f64>,
    /// What readers see once looser values hold.
    borrow_collateral_ratio_bps: Vec<u16>,
    liquidation_collateral_ratio_bps: Vec<u16>,
    amm_fee_pips: Vec<u32>,
    borrow_cap_factor_bps: Vec<u16>,
    /// Null where the node does not keep candles enough: see `backtest` of the program.
    liquidity: Option<LiquidityView>,
    break_even_tvl_usd: Option<f64>,
    /// For `veriregime-agent deploy --policy`.
    policy_toml: String,
    /// `RiskOracle.setPolicy(market, policy)`, 0x-hex: for the market's owner, through its timelock.
    set_policy_calldata: String,
}

/// The update of a period for the market of this index; `None` where it was omitted.
fn update(row: &ForecastRow, market: usize, output_scale: u32) -> Option<Update> {
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

/// Lets a market that has nothing yet live through the updates.
fn replay(policy: &Policy, period_seconds: u32, updates: &[Update]) -> LabView {
    let (mut market, mut view) = (Market::begin(policy), LabView::default());
    for update in updates {
        let applied = market.apply(policy, period_seconds, *update);
        let settled = update.landed_seconds + u64::from(policy.rules.loosen_delay_seconds);
        let (seen, _) = market.seen(policy, settled);
        view.start_ms.push(i64::try_from(update.start_seconds * 1000).unwrap_or(i64::MAX));
        view.forecast_volatility.push(f64::from(update.volatility_e9) / E9);
        view.applied_volatility.push(f64::from(applied.applied_e9) / E9);
        view.borrow_collateral_ratio_bps.push(seen.borrow_collateral_ratio_bps);
        view.liquidation_collateral_ratio_bps.push(seen.liquidation_collateral_ratio_bps);
        view.amm_fee_pips.push(seen.amm_fee_pips);
        view.borrow_cap_factor_bps.push(seen.borrow_cap_factor_bps);
    }
    view
}

/// What another policy would have done with a market's stored forecasts, by the contract's rules: dwell, margin, limits, delay,
/// ramp. It begins as a market without updates does, at the tightest vector. At most the newest 10,000 periods.
#[utoipa::path(post, path = "/v1/lab", request_body = LabRequest, responses(
    (status = 200, description = "what it would have done", body = LabView),
    (status = 400, description = "a body that means nothing", body = ErrorBody),
    (status = 404, description = "no such job or market", body = ErrorBody),
    (status = 413, description = "a body that is too large", body = ErrorBody),
    (status = 422, description = "a policy that the contract would refuse, or a job of another kind", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "another policy is tried, or chain or database do not answer", body = ErrorBody),
))]
pub(super) async fn lab(
    State(shared): State<Arc<Shared>>,
    request: Result<Json<LabRequest>, JsonRejection>,
) -> Result<Json<LabView>, ApiError> {
    let Json(LabRequest { job, market: name, policy, from_ms, to_ms }) = request?;
    let details = &shared.jobs.of(Some(&job))?.details;
    let (index, id) = details.market(&name).map(|(index, market)| (index, market.id()))?;
    let _turn = details.trying.try_acquire().map_err(|_| ApiError::Trying)?;
    let bounds = details.rules(&name).await?.bounds;
    let policy = Policy::from(policy);
    policy.check(&bounds).map_err(|refusal| ApiError::Policy(refusal.field))?;
    let set_policy_calldata = set_policy(id, &policy).ok_or(ApiError::Policy("ammFeePips"))?.to_string();
    let policy_toml = policy.to_toml(&bounds);
    let (key, range_ms) = (details.parts.job, (from_ms.unwrap_or(i64::MIN), to_ms.unwrap_or(i64::MAX)));
    let scale = details.parts.card.output_scale;
    let period_seconds = u32::try_from(details.parts.grid.period_seconds).unwrap_or(u32::MAX);
    let replayed = details.read(move |reader| {
        let rows = reader.forecasts(key, index, range_ms, MAX_PERIODS)?;
        let updates: Vec<Update> = rows.iter().filter_map(|row| update(row, index, scale)).collect();
        Ok(replay(&policy, period_seconds, &updates))
    });
    Ok(Json(LabView { policy_toml, set_policy_calldata, ..replayed.await? }))
}
