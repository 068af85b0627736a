//! `GET /readyz`: whether the node does its work.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::{OfJob, Shared};
use crate::health::{Check, HealthError};
use crate::job::overview::JobState;

/// What was looked at, and how it came out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether every job works and no check fails.
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
    /// EIP-155 id of its chain.
    chain_id: u64,
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
    fn of(check: &Check, job: &JobState) -> Self {
        let Check { name, level, figure, code, hint } = check.clone();
        Self { name, job: job.name.clone(), chain_id: job.chain_id, level: level.word(), figure, code, hint }
    }
}

/// Checks may be this many rounds old.
const ROUNDS: u32 = 4;

/// Whether the node does its work: that each job works, and its chain, contract, wallet, exchange and files. With `job`, of that
/// one. Looked at every `api.check_seconds`, never for a request.
#[utoipa::path(get, path = "/readyz",
    params(("job" = Option<String>, Query, description = "name of the job that is meant; all if absent")),
    responses(
        (status = 200, description = "every job works and no check fails", body = Readiness),
        (status = 404, description = "no job of this node", body = ErrorBody),
        (status = 503, description = "a job does not work, a check fails, or there are none yet", body = Readiness),
    ))]
pub(super) async fn readyz(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<(StatusCode, Json<Readiness>), ApiError> {
    let Query(OfJob { job: wanted }) = query?;
    let lasting = (shared.check_every * ROUNDS).max(Duration::from_mins(1));
    let mut body = Readiness { ready: true, age_seconds: 0, checks: Vec::new() };
    for (state, job) in shared.jobs.named(wanted.as_deref())? {
        if let Some(failure) = state.failure() {
            body.ready = false;
            body.checks.push(CheckView::of(&Check::of_failure(failure), &state));
        }
        let report = job.and_then(|job| job.health.borrow().clone());
        let Some(report) = report.filter(|report| report.checked.elapsed() < lasting) else {
            body.ready = false;
            if state.failure().is_some() {
                continue;
            }
            body.checks.push(CheckView::of(&Check::fail("checks", &HealthError::NotChecked), &state));
            continue;
        };
        body.ready &= report.is_ready();
        body.age_seconds = body.age_seconds.max(report.checked.elapsed().as_secs());
        body.checks.extend(report.checks.iter().map(|check| CheckView::of(check, &state)));
    }
    Ok((if body.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body)))
}
