//! `GET /v1/candles`: a market's candles, as bars of a length, for charts.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::regime::{kept_candles, times};
use super::series::{json, written};
use crate::api::error::{ApiError, ErrorBody};
use crate::state::reader::Reader;
use veriregime_core::bars::bars;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::period::MINUTE_MS;

/// Bars of one answer.
const MAX_BARS: i64 = 3_000;
/// Lengths of bars in minutes.
const LENGTHS: [u32; 5] = [1, 5, 15, 60, 240];

/// Which bars.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CandlesQuery {
    /// Name of one of the model's markets.
    #[param(example = "BTC-USD")]
    market: String,
    /// Only minutes that begin then or later, Unix milliseconds.
    #[param(minimum = 0, maximum = 253_402_300_800_000_i64)]
    from_ms: Option<i64>,
    /// Only minutes that begin before, Unix milliseconds; now if absent.
    #[param(minimum = 0, maximum = 253_402_300_800_000_i64)]
    to_ms: Option<i64>,
    /// Length of a bar: 1, 5, 15, 60 or 240; 60 if absent.
    #[param(minimum = 1, maximum = 240, default = 60)]
    minutes: Option<u32>,
    /// Name of a job of `/v1/jobs`; the first one if absent.
    job: Option<String>,
}

/// Bars in columns, oldest first. Minutes that are absent make no bar, and the newest bar may not be over yet.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CandlesView {
    /// Length of a bar.
    minutes: u32,
    /// When they begin, Unix milliseconds.
    open_time_ms: Vec<i64>,
    /// Prices in quote units.
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    /// Traded amounts in base units.
    volume: Vec<f64>,
}

impl CandlesView {
    fn new(minutes: u32, bars: &[Candle]) -> Self {
        let column = |of: fn(&Candle) -> f64| bars.iter().map(of).collect();
        Self {
            minutes,
            open_time_ms: bars.iter().map(|bar| bar.open_time_ms).collect(),
            open: column(|bar| bar.open),
            high: column(|bar| bar.high),
            low: column(|bar| bar.low),
            close: column(|bar| bar.close),
            volume: column(|bar| bar.volume),
        }
    }
}

/// A market's candles that this node keeps, `candles.keep_days` and at least as many as its models look back: of each minute those of the source that comes
/// first in the settings and has it. At most 3,000 bars, the newest of those that are asked for.
#[utoipa::path(get, path = "/v1/candles", params(CandlesQuery), responses(
    (status = 200, description = "the bars, oldest first", body = CandlesView),
    (status = 400, description = "a parameter that means nothing", body = ErrorBody),
    (status = 404, description = "not one of the model's markets, or no such job", body = ErrorBody),
    (status = 422, description = "the job forecasts no regimes", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the database does not answer, or the job does not run yet", body = ErrorBody),
))]
pub(super) async fn candles(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<CandlesQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(CandlesQuery { market, from_ms, to_ms, minutes, job: name }) = query?;
    let minutes = minutes.unwrap_or(60);
    if !LENGTHS.contains(&minutes) {
        return Err(ApiError::Parameter(format!("minutes is one of {LENGTHS:?}")));
    }
    let (job, regime, index) = shared.jobs.of_market(name.as_deref(), &market)?;
    let asked = times(from_ms, to_ms, job.clock.now_ms())?;
    let length_ms = i64::from(minutes) * MINUTE_MS;
    // Whole bars, the last of them included.
    let end_ms = asked.end.saturating_add(length_ms - 1).div_euclid(length_ms) * length_ms;
    let from_ms_of = |start_ms: i64| start_ms.div_euclid(length_ms) * length_ms;
    let range_ms = from_ms_of(asked.start).max(end_ms - MAX_BARS * length_ms)..end_ms;
    let sources = regime.sources_of(index);
    let made = shared.charts.get((name, market, from_ms, to_ms, minutes), async {
        let read = move |reader: &Reader| Ok(bars(&kept_candles(reader, &sources, &range_ms)?, minutes));
        let found = job.history.read(read);
        written(&CandlesView::new(minutes, &found.await?))
    });
    let bytes = made.await?;
    Ok(json(&bytes))
}
