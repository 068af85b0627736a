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
    /// Since the checks were made, those of the job that was looked at longest ago.
    age_seconds: u64,
    checks: Vec<CheckView>,
}

/// One check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckView {
    /// Stable name.
    #[schema(example = "chain head")]
    name: &'static str,
    /// Name of the job that was looked at.
    job: String,
    /// EIP-155 id of its chain; null for a job that does not run yet.
    chain_id: Option<u64>,
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

impl CheckView {
    fn of(check: &Check, job: &str, chain_id: Option<u64>) -> Self {
        let Check { name, level, figure, code, hint } = check.clone();
        Self { name, job: job.to_owned(), chain_id, level: level.word(), figure, code, hint }
    }
}

/// Checks may be this many rounds old.
const ROUNDS: u32 = 4;

/// Whether the node does its work: chain, contract, wallet, exchange, files of each job. Looked at every `api.check_seconds`, never for a
/// request.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, description = "no check fails", body = Readiness),
    (status = 503, description = "a check fails, or there are none yet", body = Readiness),
))]
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Readiness>) {
    let lasting = (shared.check_every * ROUNDS).max(Duration::from_mins(1));
    let mut body = Readiness { ready: true, age_seconds: 0, checks: Vec::new() };
    for (name, job) in shared.jobs.all() {
        let report = job.and_then(|job| job.health.borrow().clone());
        let chain_id = job.map(|job| job.chain_id);
        let Some(report) = report.filter(|report| report.checked.elapsed() < lasting) else {
            body.ready = false;
            body.checks.push(CheckView::of(&Check::fail("checks", &HealthError::NotChecked), name, chain_id));
            continue;
        };
        body.ready &= report.is_ready();
        body.age_seconds = body.age_seconds.max(report.checked.elapsed().as_secs());
        body.checks.extend(report.checks.iter().map(|check| CheckView::of(check, name, chain_id)));
    }
    (if body.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}
