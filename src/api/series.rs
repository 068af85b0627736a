//! `GET /v1/series`: a market's periods in columns, for charts.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::cached::Cached;
use super::regime::{MAX_PERIODS, periods, rows, times};
use crate::api::error::{ApiError, ErrorBody};
use crate::state::error::StateError;
use crate::state::series::SeriesRow;
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::prediction::Prediction;

/// Answers that are kept, of all jobs together: the largest has 2 MB.
const ANSWERS: usize = 4;
/// An answer is good for this long.
const FRESH: Duration = Duration::from_secs(1);

/// What is asked for: job, market, times and bars.
pub type ChartKey = (Option<String>, String, Option<i64>, Option<i64>, u32);
/// Charts as they were last written.
pub type Charts = Cached<ChartKey, Bytes>;

/// What a score is asked for: job, market and days.
pub type ScoreKey = (Option<String>, String, u32);
/// Scores as they were last written.
pub type Scores = Cached<ScoreKey, Bytes>;

/// Room for the scores of a node.
pub fn scores() -> Scores {
    Cached::new(ANSWERS, FRESH)
}

/// Room for the charts of a node.
pub fn charts() -> Charts {
    Cached::new(ANSWERS, FRESH)
}

/// Which periods.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SeriesQuery {
    /// Name of one of the model's markets.
    #[param(example = "BTC-USD")]
    market: String,
    /// Only periods that begin then or later, Unix milliseconds.
    #[param(minimum = 0, maximum = 253_402_300_800_000_i64)]
    from_ms: Option<i64>,
    /// Only periods that begin before, Unix milliseconds; now if absent.
    #[param(minimum = 0, maximum = 253_402_300_800_000_i64)]
    to_ms: Option<i64>,
    /// Name of a job of `/v1/jobs`; the first one if absent.
    job: Option<String>,
}

/// A market's periods, oldest first: entry `i` of every list is of the same period. Volatilities are standard deviations of
/// one-minute returns.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct SeriesView {
    job: String,
    market: String,
    /// Length of a period.
    #[schema(example = 14400)]
    period_seconds: u64,
    /// What a forecast covers from its period's start on.
    #[schema(example = 14400)]
    horizon_seconds: u64,
    /// Above it a horizon is High.
    threshold_volatility: f64,
    /// Numbers of the periods.
    period: Vec<u64>,
    /// When they begin, Unix milliseconds.
    start_ms: Vec<i64>,
    /// How far the cycles got.
    stage: Vec<&'static str>,
    /// Forecast probability of High.
    probability_high: Vec<Option<f64>>,
    /// Forecast volatility.
    volatility: Vec<Option<f64>>,
    /// `Low` or `High`, as it was called.
    regime: Vec<Option<String>>,
    /// What followed, by the candles of later cycles: null while the horizon is not over, and where candles were missing.
    realised_volatility: Vec<Option<f64>>,
    /// That of the horizon before.
    persistence_volatility: Vec<Option<f64>>,
    /// What a regression on the volatilities of an hour, four hours, a day and a week says, with the coefficients of the manifest.
    har_volatility: Vec<Option<f64>>,
    /// What the node's own updates led to; null of periods without one, and of updates of others.
    borrow_collateral_ratio_bps: Vec<Option<u16>>,
    liquidation_collateral_ratio_bps: Vec<Option<u16>>,
    amm_fee_pips: Vec<Option<u32>>,
    borrow_cap_factor_bps: Vec<Option<u16>>,
    /// Volatility that the parameters follow.
    applied_volatility: Vec<Option<f64>>,
    /// The same, had there been no limit on rises and falls.
    requested_volatility: Vec<Option<f64>>,
    /// From when looser values held, Unix seconds.
    effective_at_s: Vec<Option<u64>>,
}

impl SeriesView {
    fn push(&mut self, row: &SeriesRow, output_scale: u32) {
        let said = row.outputs.as_ref().and_then(|outputs| Prediction::read(outputs, output_scale));
        let real = |volatility_e9: u32| f64::from(volatility_e9) / 1e9;
        self.period.push(row.period.0);
        self.start_ms.push(row.start_ms);
        self.stage.push(row.stage.name());
        self.probability_high.push(said.map(|said| said.probability_high));
        self.volatility.push(said.map(|said| said.volatility));
        self.regime.push(said.map(|said| said.regime.to_string()));
        self.realised_volatility.push(row.outcome.realised);
        self.persistence_volatility.push(row.outcome.persistence);
        self.har_volatility.push(row.outcome.har);
        let after = row.moved.map(|moved| moved.after);
        self.borrow_collateral_ratio_bps.push(after.map(|after| after.borrow_collateral_ratio_bps));
        self.liquidation_collateral_ratio_bps.push(after.map(|after| after.liquidation_collateral_ratio_bps));
        self.amm_fee_pips.push(after.map(|after| after.amm_fee_pips));
        self.borrow_cap_factor_bps.push(after.map(|after| after.borrow_cap_factor_bps));
        self.applied_volatility.push(row.moved.map(|moved| real(moved.applied_e9)));
        self.requested_volatility.push(row.moved.map(|moved| real(moved.requested_e9)));
        self.effective_at_s.push(row.effective_at_seconds);
    }

    fn of(name: String, market: String, (period_seconds, horizon_seconds): (u64, u64), label: &Label) -> Self {
        let threshold_volatility = label.threshold;
        Self { job: name, market, period_seconds, horizon_seconds, threshold_volatility, ..Self::default() }
    }
}

/// A market's forecasts, what followed them, and what they led to on chain, in columns: at most 10,000 periods, the newest of those
/// that are asked for. Of jobs whose kind is `regime` in `/v1/overview`.
#[utoipa::path(get, path = "/v1/series", params(SeriesQuery), responses(
    (status = 200, description = "the periods, oldest first", body = SeriesView),
    (status = 400, description = "a parameter that means nothing", body = ErrorBody),
    (status = 404, description = "not one of the model's markets, or no such job", body = ErrorBody),
    (status = 422, description = "the job forecasts no regimes", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the database does not answer, or the job does not run yet", body = ErrorBody),
))]
pub(super) async fn series(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<SeriesQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(SeriesQuery { market, from_ms, to_ms, job: name }) = query?;
    let (job, regime, index) = shared.jobs.of_market(name.as_deref(), &market)?;
    let times_ms = times(from_ms, to_ms, job.clock.now_ms())?;
    let written = shared.charts.get((name, market.clone(), from_ms, to_ms, 0), async {
        let found = rows(&job.history, index, periods(job.grid, &times_ms), MAX_PERIODS).await?;
        let lengths = (job.grid.period_seconds, job.grid.horizon_seconds);
        let label = regime.labels.get(index).ok_or(ApiError::NoMarket)?;
        let mut view = SeriesView::of(job.name.clone(), market, lengths, label);
        for row in &found {
            view.push(row, regime.output_scale());
        }
        written(&view)
    });
    let bytes = written.await?;
    Ok(json(&bytes))
}

/// An answer as it is sent.
pub(super) fn written(view: &impl Serialize) -> Result<Bytes, ApiError> {
    let bytes = serde_json::to_vec(view).map_err(|error| StateError::Corrupt(error.to_string()))?;
    Ok(bytes.into())
}

/// Sends what was written.
pub(super) fn json(bytes: &Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes.clone()).into_response()
}
