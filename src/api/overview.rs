//! `GET /v1/overview`: everything at a glance: jobs, markets, checks, alerts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use utoipa::ToSchema;

use super::Shared;
use super::activity::ActivityView;
use super::jobs::ServedJob;
use super::regime::{RegimeJob, rows};
use super::view::{ParamsView, PeriodView};
use crate::api::error::{ApiError, ErrorBody};
use crate::clock::Clock;
use crate::health::Check;
use crate::job::overview::{Activity, JobState};
use crate::state::series::SeriesRow;
use veriregime_core::types::alert::{HeldAlert, Subject};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::Prediction;

/// Periods of a market that are shown: a week of them.
const RECENT: u32 = 42;
/// Longest wait for what the chain says of a market.
const CHAIN_WAIT: Duration = Duration::from_secs(2);

/// The node at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverviewView {
    /// The time that the node goes by, Unix milliseconds: that of the first job, which may be a replay's.
    now_ms: i64,
    /// Version of the program.
    version: &'static str,
    /// When it was started, Unix milliseconds by the machine's clock.
    started_ms: i64,
    /// In the order of the settings.
    jobs: Vec<OverviewJob>,
    /// What does not hold as it should, as it was seen at the last look.
    alerts: Vec<AlertView>,
}

/// A job at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverviewJob {
    /// Name in the settings.
    #[schema(example = "btc-regime-4h-v1")]
    name: String,
    /// `regime`, `hedge` or `yield`; null before it was opened.
    #[schema(example = "regime")]
    kind: Option<&'static str>,
    /// Name of its model.
    model_id: Option<String>,
    /// How the chain is convinced: `ezkl`, `halo2` or `direct`.
    verification: Option<&'static str>,
    /// EIP-155 id of its chain.
    chain_id: u64,
    /// The contract that takes its updates, 0x-hex.
    contract: Option<String>,
    /// Length of its periods.
    period_seconds: Option<u64>,
    /// Start of period 0 after the Unix epoch.
    offset_seconds: Option<u64>,
    activity: ActivityView,
    /// When its next cycle begins, Unix milliseconds.
    next_period_ms: Option<i64>,
    /// Whether it works and no check of it fails; null before the first checks.
    ready: Option<bool>,
    checks: Vec<OverviewCheck>,
    /// Its newest cycle, as in `/v1/periods`.
    #[schema(value_type = Option<PeriodView>)]
    last_cycle: Option<Box<RawValue>>,
    /// Of a job of regimes.
    markets: Vec<OverviewMarket>,
}

/// A check of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverviewCheck {
    #[schema(example = "chain head")]
    name: &'static str,
    /// `ok`, `warn` or `fail`.
    #[schema(example = "ok")]
    level: &'static str,
    /// What was seen, with its unit.
    figure: String,
    /// Stable code of what is wrong.
    code: Option<&'static str>,
    /// What to do about it.
    hint: Option<&'static str>,
}

impl From<&Check> for OverviewCheck {
    fn from(check: &Check) -> Self {
        let Check { name, level, figure, code, hint } = check.clone();
        Self { name, level: level.word(), figure, code, hint }
    }
}

/// A market at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverviewMarket {
    #[schema(example = "BTC-USD")]
    name: String,
    /// What the contract says of it, at most five seconds old.
    params: Option<ParamsView>,
    /// Stable code of why it says nothing.
    params_error: Option<&'static str>,
    /// Since the period of the last update began; null before the first.
    age_s: Option<i64>,
    /// Its newest forecasts, oldest first.
    recent: Vec<RecentView>,
}

/// A forecast in short.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecentView {
    /// When its period begins, Unix milliseconds.
    start_ms: i64,
    /// Standard deviation of one-minute returns.
    volatility: f64,
    probability_high: f64,
    /// Volatility that the parameters followed then; null where the node's own update did not set them.
    applied_volatility: Option<f64>,
}

impl RecentView {
    fn of(row: &SeriesRow, output_scale: u32) -> Option<Self> {
        let said = Prediction::read(row.outputs.as_ref()?, output_scale)?;
        Some(Self {
            start_ms: row.start_ms,
            volatility: said.volatility,
            probability_high: said.probability_high,
            applied_volatility: row.moved.map(|moved| f64::from(moved.applied_e9) / 1e9),
        })
    }
}

/// Something that does not hold as it should.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertView {
    /// Stable code.
    #[schema(example = "VR-HEALTH-001")]
    code: String,
    /// What is wrong, in a sentence.
    text: String,
    /// When it was first seen, Unix milliseconds by the machine's clock.
    since_ms: i64,
    /// Name of the job, where it is about one.
    job: Option<String>,
}

impl From<&HeldAlert> for AlertView {
    fn from(HeldAlert { alert, since_ms }: &HeldAlert) -> Self {
        let job = match &alert.subject {
            Subject::Job { job, .. } => Some(job.clone()),
            _ => None,
        };
        Self { code: alert.code.clone(), text: alert.text.clone(), since_ms: *since_ms, job }
    }
}

/// The node at a glance: what its jobs do, what the contracts say of their markets, what was forecast lately, every check and every
/// alert that holds. The chain is asked for a market's parameters at most once in five seconds.
#[utoipa::path(get, path = "/v1/overview", responses(
    (status = 200, description = "the node", body = OverviewView),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the database does not answer", body = ErrorBody),
))]
pub(super) async fn overview(State(shared): State<Arc<Shared>>) -> Result<Json<OverviewView>, ApiError> {
    let mut working = JoinSet::new();
    let states: Vec<JobState> = shared.jobs.all().map(|(state, _)| state).collect();
    for (index, state) in states.into_iter().enumerate() {
        let shared = shared.clone();
        working.spawn(async move { (index, job_view(&shared, state).await) });
    }
    let mut jobs = Vec::new();
    while let Some(done) = working.join_next().await {
        // A task that was broken off by the runtime's end has nobody to tell.
        let (index, view) = done.map_err(|_| ApiError::Slow)?;
        jobs.push((index, view?));
    }
    jobs.sort_by_key(|(index, _)| *index);
    let clock = shared.jobs.all().find_map(|(_, job)| job.map(|job| job.clock.clone())).unwrap_or(Clock::System);
    let alerts = shared.alerts.borrow().iter().map(AlertView::from).collect();
    Ok(Json(OverviewView {
        now_ms: clock.now_ms(),
        version: env!("CARGO_PKG_VERSION"),
        started_ms: shared.started_ms,
        jobs: jobs.into_iter().map(|(_, view)| view).collect(),
        alerts,
    }))
}

async fn job_view(shared: &Arc<Shared>, state: JobState) -> Result<OverviewJob, ApiError> {
    let job = shared.jobs.of(Some(&state.name)).ok();
    let report = job.and_then(|job| job.health.borrow().clone());
    let ready = match state.failure() {
        Some(_) => Some(false),
        None => report.as_ref().map(|report| report.is_ready()),
    };
    let newest = match job {
        Some(job) => job.history.newest().await?,
        None => Arc::default(),
    };
    let next_period_ms = match &state.activity {
        Activity::Waiting { until_ms } => Some(*until_ms),
        _ => job.map(|job| job.grid.end_ms(job.grid.period_at(job.clock.now_ms()))),
    };
    let mut markets = Vec::new();
    if let Some((job, regime)) = job.and_then(|job| Some((job, job.regime.as_ref()?))) {
        for index in 0..regime.markets.len() {
            markets.push(market_view(shared, job, regime, index).await?);
        }
    }
    Ok(OverviewJob {
        activity: ActivityView::of(&state.activity),
        kind: job.map(|job| job.kind),
        model_id: job.map(|job| job.model.model_id.clone()).or(state.model),
        verification: job.map(|job| job.model.verification),
        chain_id: state.chain_id,
        contract: state.contract.map(|contract| contract.to_string()),
        period_seconds: job.map(|job| job.grid.period_seconds),
        offset_seconds: job.map(|job| job.grid.offset_seconds),
        next_period_ms,
        ready,
        checks: report.iter().flat_map(|report| &report.checks).map(OverviewCheck::from).collect(),
        last_cycle: newest.first().map(|known| known.view.clone()),
        markets,
        name: state.name,
    })
}

async fn market_view(
    shared: &Arc<Shared>,
    job: &ServedJob,
    regime: &RegimeJob,
    index: usize,
) -> Result<OverviewMarket, ApiError> {
    let name = regime.markets[index].clone();
    let all = PeriodId(0)..PeriodId(u64::MAX);
    let recent = job.recent.get(index, rows(&job.history, index, all, RECENT)).await?;
    // Asked apart: where the chain is slow, what it says then is there for the next who looks.
    let (apart, job_name, market) = (shared.clone(), job.name.clone(), name.clone());
    let asked = tokio::spawn(async move { apart.jobs.of(Some(&job_name))?.parameters.of(&market).await });
    let (params, params_error) = match tokio::time::timeout(CHAIN_WAIT, asked).await {
        Ok(Ok(Ok(params))) => (Some(params), None),
        Ok(Ok(Err(ApiError::Chain(code)))) => (None, Some(code)),
        Ok(Ok(Err(fault))) => (None, Some(fault.code())),
        Ok(Err(_)) | Err(_) => (None, Some(ApiError::Slow.code())),
    };
    let landed = params.as_ref().filter(|params| params.period > 0);
    let age_s = landed.map(|params| (job.clock.now_ms() - job.grid.start_ms(PeriodId(params.period))) / 1000);
    let output_scale = regime.output_scale();
    let recent = recent.iter().filter_map(|row| RecentView::of(row, output_scale)).collect();
    Ok(OverviewMarket { name, params, params_error, age_s, recent })
}
