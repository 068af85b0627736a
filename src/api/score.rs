//! `GET /v1/score`: how good a market's forecasts were, beside those that need no network.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::regime::{MAX_PERIODS, periods, rows};
use super::series::{json, written};
use crate::api::error::{ApiError, ErrorBody};
use crate::state::series::SeriesRow;
use veriregime_core::score::{Bin, Figures, Judged, score as judge};
use veriregime_core::types::prediction::{Prediction, Regime};

/// Days that are looked back over where nobody says how many.
const DEFAULT_DAYS: u32 = 30;
/// And at most.
const MAX_DAYS: u32 = 366;
const DAY_MS: i64 = 86_400_000;

/// Which periods.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ScoreQuery {
    /// Name of one of the model's markets.
    #[param(example = "BTC-USD")]
    market: String,
    /// Only periods that began within so many days; 30 if absent.
    #[param(minimum = 1, maximum = 366, default = 30)]
    days: Option<u32>,
    /// Name of a job of `/v1/jobs`; the first one if absent.
    job: Option<String>,
}

/// How good forecasts were whose horizons are over.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScoreView {
    /// Days that were looked back over.
    days: u32,
    /// Periods that all figures are of.
    periods: usize,
    /// `forecast`, `persistence` (the last horizon repeats itself) and `har` (a regression on earlier volatilities).
    rows: Vec<ScoreRow>,
    /// What was promised and what came, in ten bins of equal width; those that hold no period are absent.
    calibration: Vec<CalibrationBin>,
}

/// One forecaster.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScoreRow {
    #[schema(example = "forecast")]
    name: &'static str,
    /// Share of right regimes.
    accuracy: Option<f64>,
    /// Mean squared error of the probability of High; null of persistence, which gives none.
    brier: Option<f64>,
    /// Mean loss of the volatility by the variance that followed; the lower, the better.
    qlike: Option<f64>,
}

/// Forecasts whose probability of High lay in a range.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalibrationBin {
    from: f64,
    to: f64,
    /// How many there were.
    count: usize,
    /// Their mean.
    mean_forecast: f64,
    /// Share of them that High followed.
    share_high: f64,
}

impl From<Bin> for CalibrationBin {
    fn from(Bin { from, to, count, mean_forecast, share_high }: Bin) -> Self {
        Self { from, to, count, mean_forecast, share_high }
    }
}

fn row((name, figures): (&'static str, Figures)) -> ScoreRow {
    let Figures { accuracy, brier, qlike } = figures;
    ScoreRow { name, accuracy, brier, qlike }
}

/// A period with its outcome, `None` where that is not known.
fn judged(row: &SeriesRow, output_scale: u32) -> Option<Judged> {
    let said = Prediction::read(row.outputs.as_ref()?, output_scale)?;
    Some(Judged {
        probability_high: said.probability_high,
        called_high: said.regime == Regime::High,
        volatility: said.volatility,
        persistence: row.outcome.persistence,
        har: row.outcome.har,
        realised: row.outcome.realised?,
    })
}

/// How good the forecasts of a market were whose horizons are over, whether they landed or not, beside forecasters without a network
/// in the very same periods; by the label of training, on this node's candles. Of jobs whose kind is `regime` in `/v1/overview`.
#[utoipa::path(get, path = "/v1/score", params(ScoreQuery), responses(
    (status = 200, description = "the figures", body = ScoreView),
    (status = 400, description = "a parameter that means nothing", body = ErrorBody),
    (status = 404, description = "not one of the model's markets, or no such job", body = ErrorBody),
    (status = 422, description = "the job forecasts no regimes", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the database does not answer, or the job does not run yet", body = ErrorBody),
))]
pub(super) async fn score(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<ScoreQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(ScoreQuery { market, days, job: name }) = query?;
    let days = days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(ApiError::Parameter(format!("days is from 1 to {MAX_DAYS}")));
    }
    let (job, regime, index) = shared.jobs.of_market(name.as_deref(), &market)?;
    let made = shared.scores.get((name, market, days), async {
        let now_ms = job.clock.now_ms();
        let times_ms = now_ms.saturating_sub(i64::from(days) * DAY_MS).max(0)..now_ms.max(0);
        let found = rows(&job.history, index, periods(job.grid, &times_ms), MAX_PERIODS).await?;
        let known: Vec<Judged> = found.iter().filter_map(|row| judged(row, regime.output_scale())).collect();
        let judged_by = regime.labels.get(index).zip(regime.baselines.get(index));
        let (label, baselines) = judged_by.ok_or(ApiError::NoMarket)?;
        let score = judge(&known, label, baselines);
        let all = [("forecast", score.forecast), ("persistence", score.persistence), ("har", score.har)];
        written(&ScoreView {
            days,
            periods: score.periods,
            rows: all.into_iter().map(row).collect(),
            calibration: score.calibration.into_iter().map(CalibrationBin::from).collect(),
        })
    });
    let bytes = made.await?;
    Ok(json(&bytes))
}
