//! `POST /v1/lab`: what another policy would have done with the forecasts that are stored, by the contract's rules, and what a pool
//! would have earned with its fee.

mod liquidity;
mod replay;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::policy::PolicyView;
use super::regime::times;
use crate::actions::risk_oracle::rules::set_policy;
use crate::api::error::{ApiError, ErrorBody};
use crate::state::reader::Reader;
use liquidity::{BreakEvenView, LiquidityView, Prices, Stored};
use replay::{Replay, update};
use veriregime_backtest::error::BacktestError;
use veriregime_core::policy::Policy;
use veriregime_core::policy::market::Update;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::time::DAY_MS;

/// Periods that one answer is of.
const MAX_PERIODS: u32 = 10_000;
/// The policy lives through so much before the first millisecond that is asked about, so that it does not begin anew there.
const WARM_UP_MS: i64 = 30 * DAY_MS;
/// What is taken where nobody says what gas and an ether cost.
const GAS_PRICE_GWEI: f64 = 5.0;
const ETH_USD: f64 = 3_000.0;
/// What neither is above.
const MAX_PRICE: f64 = 1e6;

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
    /// First millisecond in which periods may begin, and from which on a pool is judged; the oldest stored if absent.
    #[schema(minimum = 0, maximum = 253_402_300_800_000_i64)]
    from_ms: Option<i64>,
    /// First millisecond after them; now if absent.
    #[schema(minimum = 0, maximum = 253_402_300_800_000_i64)]
    to_ms: Option<i64>,
    /// What a unit of gas costs; 5 if absent.
    #[schema(minimum = 0, maximum = 1_000_000)]
    gas_price_gwei: Option<f64>,
    /// What an ether costs; 3000 if absent.
    #[schema(minimum = 0, maximum = 1_000_000)]
    eth_usd: Option<f64>,
}

impl LabRequest {
    fn prices(&self) -> Result<Prices, ApiError> {
        let price = |name: &str, given: Option<f64>, default: f64| match given.unwrap_or(default) {
            price if (0.0..=MAX_PRICE).contains(&price) => Ok(price),
            _ => Err(ApiError::Parameter(format!("{name} is from 0 to {MAX_PRICE}"))),
        };
        Ok(Prices {
            gas_price_gwei: price("gas_price_gwei", self.gas_price_gwei, GAS_PRICE_GWEI)?,
            eth_usd: price("eth_usd", self.eth_usd, ETH_USD)?,
        })
    }
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
    /// What a pool with this fee would have earned; null where `liquidity_fault` says why.
    liquidity: Option<LiquidityView>,
    liquidity_fault: Option<ErrorBody>,
    /// Null where there is no such result, or no update of this node from which the gas is known.
    break_even: Option<BreakEvenView>,
    /// For `veriregime-agent deploy --policy`.
    policy_toml: String,
    /// `RiskOracle.setPolicy(market, policy)`, 0x-hex: for the market's owner, through its timelock.
    set_policy_calldata: String,
}

fn fault(error: &BacktestError) -> ErrorBody {
    ErrorBody { code: error.code(), message: error.to_string(), hint: error.hint() }
}

/// What another policy would have done with a market's stored forecasts, by the contract's rules: dwell, margin, limits, delay,
/// ramp. It begins as a market without updates does, at the tightest vector, 30 days before `from_ms` where the forecasts go back so far. At
/// most the newest 10,000 periods, these days included. What a constant
/// product pool with its fee would have earned is estimated on the candles that are kept, with the static fee that was best on
/// earlier days; where there are none, with the one that was best on the very same days.
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
    let Json(request) = request?;
    let prices = request.prices()?;
    let LabRequest { job, market: name, policy, from_ms, to_ms, .. } = request;
    let (job, regime, index) = shared.jobs.of_market(Some(&job), &name)?;
    let details = &job.details;
    let (_, market) = details.market(&name)?;
    let (id, sources) = (market.id(), regime.sources_of(index));
    let times_ms = times(from_ms, to_ms, job.clock.now_ms())?;
    let _turn = details.trying.try_acquire().map_err(|_| ApiError::Trying)?;
    let bounds = details.rules(&name).await?.bounds;
    let policy = Policy::from(policy);
    policy.check(&bounds).map_err(|refusal| ApiError::Policy(refusal.field))?;
    let set_policy_calldata = set_policy(id, &policy).ok_or(ApiError::Policy("ammFeePips"))?.to_string();
    let policy_toml = policy.to_toml(&bounds);
    let (key, scale) = (details.parts.job, details.parts.card.output_scale);
    let period_seconds = u32::try_from(details.parts.grid.period_seconds).unwrap_or(u32::MAX);
    let is_fixed = from_ms.is_some();
    let read = move |reader: &Reader| {
        let before_ms = times_ms.start.saturating_sub(WARM_UP_MS);
        let rows = reader.forecasts(key, index, (before_ms, times_ms.end), MAX_PERIODS)?;
        let updates: Vec<Update> = rows.iter().filter_map(|row| update(row, index, scale)).collect();
        let replay = Replay::new(&policy, period_seconds, &updates);
        let stored = Stored::read(reader, &name, &sources, &times_ms, is_fixed)?;
        let gas = liquidity::gas_per_update(reader, key)?;
        let mut view = replay.view(times_ms.start);
        match stored.judge(&policy, period_seconds, &updates) {
            Ok(liquidity) => {
                view.break_even = gas.map(|gas| liquidity.break_even(gas, period_seconds, prices));
                view.liquidity = Some(liquidity);
            }
            Err(error) => view.liquidity_fault = Some(fault(&error)),
        }
        Ok(view)
    };
    let view = details.read(read).await?;
    Ok(Json(LabView { policy_toml, set_policy_calldata, ..view }))
}
