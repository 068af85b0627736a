//! `GET /v1/yields` and `GET /v1/yields/{strategy}`: what is said of the node's strategies.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::Shared;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::view::{LandedView, ModelView};
use crate::clock::Clock;
use crate::job::yields::answer::Refusal;
use crate::job::yields::prediction::Prediction;
use crate::job::yields::{Forecasts, StrategyForecast, YieldService, day_of};
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::time::format_utc;

/// The node's strategies, as they were last forecast.
#[derive(Debug)]
pub struct Strategies {
    service: Arc<YieldService>,
    clock: Clock,
    /// One portfolio is solved at a time.
    pub(super) turn: Arc<Semaphore>,
}

/// What is said of all strategies.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct YieldsView {
    /// When it was said.
    #[schema(example = "2024-08-05T16:00:00Z")]
    collected_utc: String,
    /// Days ahead that forecasts are of.
    #[schema(example = 7)]
    horizon_days: usize,
    /// How many days old the data of a forecast may be.
    max_age_days: u32,
    /// By name.
    strategies: BTreeMap<String, StrategyView>,
}

/// What is said of a strategy.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StrategyView {
    /// `lp`, `lending` or `delta`.
    #[schema(example = "lending")]
    kind: &'static str,
    /// What publishers call it.
    pool: String,
    /// The last that could be said, however old its data: `age_days` tells.
    prediction: Option<PredictionView>,
    /// Why nothing is said, or why this is too old to be asked for by `/predict`.
    error: Option<ErrorBody>,
    /// Stable code of why its publisher brought nothing new.
    source_error: Option<String>,
}

/// A forecast. Rates and shares are fractions, not percent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PredictionView {
    /// Mean rate of the next 7 days, a year.
    #[schema(example = 0.052)]
    pub apy: f64,
    /// Standard deviation of its daily rate.
    #[schema(example = 0.08)]
    pub volatility: f64,
    /// Ends of the interval of `apy`.
    pub interval: [f64; 2],
    /// Share of outcomes that the interval is to hold.
    #[schema(example = 0.9)]
    pub coverage: f64,
    /// The last day that was known.
    #[schema(example = "2024-08-05")]
    pub as_of: String,
    /// Days since.
    pub age_days: i64,
    /// Who forecast it.
    #[schema(example = "yields-v1-lending")]
    pub model_id: String,
    /// From the last 90 days; absent of young strategies.
    pub risk: Option<RiskView>,
    /// What the rate leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// Where a contract has been convinced of it; absent where none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<YieldProofView>,
}

/// An update on chain that says the same: the forecast of the same model by the same last day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct YieldProofView {
    /// Name of the job; `/v1/periods/{period}?job=` has its features, outputs and proof.
    job: String,
    /// Number of the period.
    period: u64,
    /// How the chain was convinced: `ezkl`, `halo2` or `direct`.
    #[schema(example = "ezkl")]
    verification: &'static str,
    /// Where it landed.
    landed: LandedView,
}

/// What a strategy lost in its past; shares of its value.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RiskView {
    /// Largest fall of the value below what it once was.
    drawdown_trailing: f64,
    /// The same within any 7 days.
    drawdown_week: f64,
    /// What the worst twentieth of the weeks lost at least.
    value_at_risk_week: f64,
}

impl From<Prediction> for PredictionView {
    fn from(said: Prediction) -> Self {
        let Prediction { apy, volatility, interval, coverage, as_of, age_days, model_id, risk, note, .. } = said;
        let risk = risk.map(|risk| RiskView {
            drawdown_trailing: risk.drawdown_trailing,
            drawdown_week: risk.drawdown_week,
            value_at_risk_week: risk.value_at_risk_week,
        });
        Self { apy, volatility, interval, coverage, as_of, age_days, model_id, risk, note, proof: None }
    }
}

impl Strategies {
    /// Of this service, by this clock.
    pub fn new(service: Arc<YieldService>, clock: Clock) -> Self {
        Self { service, clock, turn: Arc::new(Semaphore::new(1)) }
    }

    /// What was said last.
    fn latest(&self) -> Result<Arc<Forecasts>, ApiError> {
        self.service.latest().ok_or(ApiError::NotForecast)
    }

    fn today(&self) -> Day {
        day_of(self.clock.now_ms())
    }
}

impl Shared {
    /// The update that says the same of a strategy, where a job of this node has made one.
    pub(super) async fn proof(&self, strategy: &str, said: &Prediction) -> Result<Option<YieldProofView>, ApiError> {
        for (state, job) in self.jobs.all() {
            let is_of = |model: &ModelView| {
                let names = model.markets.iter().map(|market| market.name.as_str());
                model.model_id == said.model_id && names.eq([strategy])
            };
            let Some(job) = job.filter(|job| is_of(&job.model)) else { continue };
            let is_same = |record: &CycleRecord| {
                let level = record.forecast.as_ref().and_then(|forecast| forecast.stated?.level());
                level.is_some_and(|level| i64::from(level.day) == i64::from(said.day))
            };
            let newest = job.history.newest().await?;
            let found = newest.iter().map(|known| &known.record).find(|record| is_same(record));
            let Some((period, landed)) = found.and_then(|record| Some((record.period.0, record.landed?))) else {
                continue;
            };
            let verification = job.model.verification;
            return Ok(Some(YieldProofView { job: state.name, period, verification, landed: landed.into() }));
        }
        Ok(None)
    }

    /// The node's strategies with what was said of them last, and the running day.
    pub(super) fn strategies(&self) -> Result<(&Strategies, Arc<Forecasts>, Day), ApiError> {
        let strategies = self.strategies.as_ref().ok_or(ApiError::NoStrategies)?;
        Ok((strategies, strategies.latest()?, strategies.today()))
    }
}

impl StrategyView {
    fn new(forecasts: &Forecasts, name: &str, found: &StrategyForecast, today: Day) -> Self {
        let StrategyForecast { strategy, prediction, failed, .. } = found;
        let error =
            forecasts.said(name, today).err().map(|Refusal { code, message, hint }| ErrorBody { code, message, hint });
        Self {
            kind: strategy.kind.name(),
            pool: strategy.pool.clone(),
            prediction: prediction.as_ref().ok().map(|said| said.seen_on(today).into()),
            error,
            source_error: failed.as_ref().map(|failed| failed.code.clone()),
        }
    }
}

/// What is said of all strategies of this node: the last that could be said of each, with its age.
#[utoipa::path(get, path = "/v1/yields", responses(
    (status = 200, description = "the strategies", body = YieldsView),
    (status = 404, description = "this node forecasts no strategies", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "nothing was forecast yet", body = ErrorBody),
))]
pub(super) async fn yields(State(shared): State<Arc<Shared>>) -> Result<Json<YieldsView>, ApiError> {
    let (_, forecasts, today) = shared.strategies()?;
    let view =
        |(name, found): (&String, &StrategyForecast)| (name.clone(), StrategyView::new(&forecasts, name, found, today));
    Ok(Json(YieldsView {
        collected_utc: format_utc(forecasts.collected_ms),
        horizon_days: veriregime_core::yields::HORIZON_DAYS,
        max_age_days: forecasts.max_age_days,
        strategies: forecasts.strategies.iter().map(view).collect(),
    }))
}

/// What is said of one strategy: the last that could be said, with its age.
#[utoipa::path(get, path = "/v1/yields/{strategy}",
    params(("strategy" = String, Path, description = "name of a strategy of the settings", example = "aave")),
    responses(
        (status = 200, description = "the strategy", body = StrategyView),
        (status = 404, description = "this node forecasts no strategies", body = ErrorBody),
        (status = 422, description = "no strategy of that name", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "nothing was forecast yet", body = ErrorBody),
    ))]
pub(super) async fn strategy(
    State(shared): State<Arc<Shared>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<StrategyView>, ApiError> {
    let Path(name) = name?;
    let (_, forecasts, today) = shared.strategies()?;
    match forecasts.strategies.get(&name) {
        Some(found) => Ok(Json(StrategyView::new(&forecasts, &name, found, today))),
        None => Err(ApiError::Refused(forecasts.said(&name, today).err().ok_or(ApiError::NoRoute)?)),
    }
}
