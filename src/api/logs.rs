//! `GET /v1/logs`: the newest lines of the node's log.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::api::error::{ApiError, ErrorBody};
use crate::telemetry::ring::{LINES, LogLine, MAX_LINES};

const DEFAULT_LINES: usize = 200;

/// Which lines are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Only lines with a higher number, oldest first; without it the newest ones.
    after: Option<u64>,
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 200)]
    limit: Option<usize>,
}

/// A line of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineView {
    /// Number of the line since the node was started, from 1.
    seq: u64,
    /// Unix milliseconds.
    time_ms: i64,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    #[schema(example = "INFO")]
    level: &'static str,
    /// The part of the program that speaks.
    target: String,
    message: String,
    /// Texts by their names. Of addresses only scheme, host and port.
    #[schema(value_type = Object)]
    fields: serde_json::Map<String, Value>,
}

/// The newest lines of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogsView {
    /// Oldest first.
    entries: Vec<LineView>,
}

impl From<LogLine> for LineView {
    fn from(line: LogLine) -> Self {
        let LogLine { seq, time_ms, level, target, message, fields } = line;
        let fields = fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        Self { seq, time_ms, level, target, message, fields }
    }
}

/// The newest lines of the node's log, of which it keeps 500.
#[utoipa::path(get, path = "/v1/logs", params(Asked), responses(
    (status = 200, description = "the lines", body = LogsView),
    (status = 400, description = "a parameter that means nothing", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
))]
pub(super) async fn logs(asked: Result<Query<Asked>, QueryRejection>) -> Result<Json<LogsView>, ApiError> {
    let Asked { after, limit } = asked?.0;
    let limit = limit.unwrap_or(DEFAULT_LINES);
    if !(1..=MAX_LINES).contains(&limit) {
        return Err(ApiError::Parameter(format!("limit must be from 1 to {MAX_LINES}")));
    }
    Ok(Json(LogsView { entries: LINES.after(after, limit).into_iter().map(LineView::from).collect() }))
}
