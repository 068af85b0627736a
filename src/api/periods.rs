//! `GET /v1/periods`: the cycles, newest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::history::MAX_CYCLES;
use super::view::PeriodView;
use crate::api::error::{ApiError, ErrorBody};
use veriregime_core::types::period::PeriodId;

const DEFAULT_LIMIT: u32 = 20;

/// Which cycles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// Only periods before this one: `next_before` of the page before.
    before: Option<u64>,
    /// Name of a job of `/v1/jobs`; the first one if absent.
    job: Option<String>,
}

/// Cycles, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeriodsView {
    #[schema(value_type = Vec<PeriodView>)]
    periods: Vec<Box<RawValue>>,
    /// What to give as `before` for the next page; null on the last one.
    next_before: Option<u64>,
}

/// The cycles that this node has run of a job or has noted as missed, newest first.
#[utoipa::path(get, path = "/v1/periods", params(Page), responses(
    (status = 200, description = "a page of them", body = PeriodsView),
    (status = 400, description = "a parameter that means nothing", body = ErrorBody),
    (status = 404, description = "no job of this node", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the database does not answer", body = ErrorBody),
))]
pub(super) async fn periods(
    State(shared): State<Arc<Shared>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<PeriodsView>, ApiError> {
    let Query(page) = page?;
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_CYCLES).contains(&limit) {
        return Err(ApiError::Parameter(format!("limit is from 1 to {MAX_CYCLES}")));
    }
    let found = shared.jobs.of(page.job.as_deref())?.history.page(page.before.map(PeriodId), limit).await?;
    let is_full = found.len() == limit as usize;
    let next_before = found.last().filter(|_| is_full).map(|(oldest, _)| oldest.0);
    Ok(Json(PeriodsView { periods: found.into_iter().map(|(_, view)| view).collect(), next_before }))
}
