//! `GET /v1/allocation`: how money would be laid out over the node's strategies.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use crate::api::error::{ApiError, ErrorBody};
use crate::job::yields::allocation::{Allocation, Money, Share, Step};
use crate::job::yields::answer::Asked;
use veriregime_core::yields::HORIZON_DAYS;
use veriregime_portfolio::decide::Policy;
use veriregime_portfolio::problem::Objective;

/// Share of days that do not count as the worst.
const CONFIDENCE: f64 = 0.95;
/// Strategies or shares in one parameter at most: as many as the other routes take.
const MAX_PARTS: usize = 100;

/// What is best.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ObjectiveParam {
    /// The highest rate less half of its variance times `risk_aversion`.
    #[default]
    MeanVariance,
    /// The highest rate in standard deviations.
    MaxSharpe,
    /// The smallest mean of the worst drawdowns of the last 90 days, one in twenty.
    MinDrawdown,
}

/// The money, and how it is laid out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AllocationQuery {
    /// All of the money, USD.
    #[param(example = 100_000)]
    capital_usd: f64,
    /// Names of strategies, separated by commas; all of which something can be said if absent.
    #[param(example = "aave,lido")]
    strategies: Option<String>,
    /// Shares of the money that lie in strategies now, as `name:share`, separated by commas. The rest is cash.
    #[param(example = "aave:0.6,lido:0.2")]
    current: Option<String>,
    /// What is best.
    #[serde(default)]
    #[param(inline)]
    objective: ObjectiveParam,
    /// How much risk counts in `mean_variance`; 1 if absent.
    risk_aversion: Option<f64>,
    /// Largest share of a strategy; 1 if absent.
    cap: Option<f64>,
    /// Smallest share of a strategy that holds anything; 0 if absent.
    min_position: Option<f64>,
    /// What cash earns a year, a fraction, where some may be left; everything is invested if absent.
    cash_rate: Option<f64>,
    /// Days in which a move must pay for itself; 7 if absent.
    gate_days: Option<f64>,
    /// Gas of entering a strategy, and of leaving it, USD; by the node's tables if absent.
    gas_usd: Option<f64>,
    /// Lost of an amount that enters or leaves, basis points; 0 for lending and 10 for the others if absent.
    slippage_bps: Option<f64>,
}

/// What is to be done. Rates and shares are fractions, not percent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AllocationView {
    /// The last day that was known of any strategy.
    #[schema(example = "2024-08-05")]
    as_of: String,
    capital_usd: f64,
    objective: &'static str,
    /// Days in which a move must pay for itself.
    gate_days: f64,
    /// By name.
    strategies: BTreeMap<String, ShareView>,
    /// Share that is cash afterwards.
    cash: f64,
    /// Moves, those that are made first.
    moves: Vec<MoveView>,
    /// What the made moves are expected to earn more over `gate_days`, before costs.
    expected_gain_usd: f64,
    /// Gas and slippage of the made moves.
    cost_usd: f64,
    /// Expected rate of everything as it lies now, and after the moves.
    expected_apy: [f64; 2],
}

/// A strategy's part; shares of the capital.
#[derive(Debug, Serialize, ToSchema)]
struct ShareView {
    apy: f64,
    interval: [f64; 2],
    volatility: f64,
    model_id: String,
    /// What lies there now.
    current: f64,
    /// What would be best, if moves cost nothing.
    target: f64,
    /// What is to lie there.
    weight: f64,
}

/// A move.
#[derive(Debug, Serialize, ToSchema)]
struct MoveView {
    /// Where the money lies; `cash` for none of the strategies.
    from: String,
    to: String,
    usd: f64,
    gain_usd: f64,
    cost_usd: f64,
    /// Whether it pays.
    is_made: bool,
    why: String,
}

impl AllocationQuery {
    fn asked(self) -> Result<Asked, ApiError> {
        let parts = |text: Option<String>, what: &str| {
            let parts: Vec<String> = text.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
            let is_good = parts.len() <= MAX_PARTS && parts.iter().all(|part| !part.is_empty());
            is_good
                .then_some(parts)
                .ok_or_else(|| ApiError::Parameter(format!("{what}: 1 to 100, separated by commas")))
        };
        let share = |part: String| {
            let found = part.split_once(':').and_then(|(name, share)| Some((name.to_owned(), share.parse().ok()?)));
            found.ok_or_else(|| ApiError::Parameter("current: write name:share, as in aave:0.5".into()))
        };
        let objective = match self.objective {
            ObjectiveParam::MeanVariance => {
                Objective::MeanVariance { risk_aversion: self.risk_aversion.unwrap_or(1.0) }
            }
            ObjectiveParam::MaxSharpe => Objective::MaxSharpe,
            ObjectiveParam::MinDrawdown => Objective::MinDrawdown { confidence: CONFIDENCE },
        };
        let policy = Policy {
            objective,
            min_position: self.min_position.unwrap_or(0.0),
            cash: self.cash_rate,
            gate_days: self.gate_days.unwrap_or(HORIZON_DAYS as f64),
            is_open: false,
        };
        let current = parts(self.current, "current")?.into_iter().map(share).collect::<Result<_, _>>()?;
        Ok(Asked {
            names: parts(self.strategies, "strategies")?,
            money: Money { capital_usd: self.capital_usd, current, cap: self.cap.unwrap_or(1.0), policy },
            gas_usd: self.gas_usd,
            slippage_bps: self.slippage_bps,
        })
    }
}

impl From<Allocation> for AllocationView {
    fn from(of: Allocation) -> Self {
        let share = |(name, one): (String, Share)| {
            let Share { apy, interval, volatility, model_id, current, target, weight, .. } = one;
            (name, ShareView { apy, interval, volatility, model_id, current, target, weight })
        };
        let step = |one: Step| {
            let Step { from, to, usd, gain_usd, cost_usd, is_made, why } = one;
            MoveView { from, to, usd, gain_usd, cost_usd, is_made, why }
        };
        Self {
            as_of: of.as_of,
            capital_usd: of.capital_usd,
            objective: of.objective,
            gate_days: of.gate_days,
            strategies: of.strategies.into_iter().map(share).collect(),
            cash: of.cash,
            moves: of.moves.into_iter().map(step).collect(),
            expected_gain_usd: of.expected_gain_usd,
            cost_usd: of.cost_usd,
            expected_apy: of.expected_apy,
        }
    }
}

/// Weights of strategies by their forecasts, and the moves towards them that pay for their gas and slippage. Nothing is moved.
#[utoipa::path(get, path = "/v1/allocation", params(AllocationQuery), responses(
    (status = 200, description = "what is to be done", body = AllocationView),
    (status = 400, description = "a parameter that makes no sense", body = ErrorBody),
    (status = 404, description = "this node forecasts no strategies", body = ErrorBody),
    (status = 422, description = "a strategy that is not known, limits that no portfolio keeps to, or a cost that is not known", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "nothing was forecast yet, or the answer took too long", body = ErrorBody),
))]
pub(super) async fn allocation(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<AllocationQuery>, QueryRejection>,
) -> Result<Json<AllocationView>, ApiError> {
    let Query(query) = query?;
    let asked = query.asked()?;
    let (strategies, forecasts, today) = shared.strategies()?;
    // The solver works beside the thread that answers, and keeps its turn for as long as it works.
    let turn = strategies.turn.clone().acquire_owned().await.map_err(|_| ApiError::Slow)?;
    let solve = move || {
        let _turn = turn;
        forecasts.allocation(&asked, today)
    };
    let allocation = tokio::task::spawn_blocking(solve).await.map_err(|_| ApiError::Slow)??;
    Ok(Json(allocation.into()))
}
