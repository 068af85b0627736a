//! `GET /readyz`: whether the node does its work.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use crate::health::{Check, HealthError};

/// What was looked at, and how it came out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether no check fails.
    ready: bool,
    /// Since the checks were made.
    age_seconds: u64,
    checks: Vec<CheckView>,
}

/// One check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckView {
    /// Stable name.
    #[schema(example = "chain head")]
    name: &'static str,
    /// `ok`, `warn` (which is no failure) or `fail`.
    #[schema(example = "ok")]
    level: &'static str,
    /// What was seen, with its unit.
    figure: String,
    /// Stable code of what is wrong.
    code: Option<&'static str>,
    /// What to do about it.
    hint: Option<&'static str>,
}

impl From<&Check> for CheckView {
    fn from(check: &Check) -> Self {
        let Check { name, level, figure, code, hint } = check.clone();
        Self { name, level: level.word(), figure, code, hint }
    }
}

/// Checks may be this many rounds old.
const ROUNDS: u32 = 4;

/// Whether the node does its work: chain, contract, wallet, exchange, files. Looked at every `api.check_seconds`, never for a
/// request.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, description = "no check fails", body = Readiness),
    (status = 503, description = "a check fails, or there are none yet", body = Readiness),
))]
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Readiness>) {
    let report = shared.health.borrow().clone();
    let lasting = shared.check_every * ROUNDS;
    let Some(report) = report.filter(|report| report.checked.elapsed() < lasting.max(Duration::from_mins(1))) else {
        let check = Check::fail("checks", &HealthError::NotChecked);
        let body = Readiness { ready: false, age_seconds: 0, checks: vec![(&check).into()] };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body));
    };
    let ready = report.is_ready();
    let checks = report.checks.iter().map(CheckView::from).collect();
    let body = Readiness { ready, age_seconds: report.checked.elapsed().as_secs(), checks };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}
