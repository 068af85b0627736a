//! `GET /v1/periods/{period}`: one cycle with its numbers.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::PeriodView;
use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};
use veriregime_core::types::period::PeriodId;

/// A cycle with everything that its proof is about.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeriodDetail {
    #[serde(flatten)]
    period: PeriodView,
    /// SHA-256 of each market's candles, hex.
    candles_sha256: Vec<String>,
    /// The proven inputs of all markets, integers on the model's grid.
    features: Vec<i32>,
    /// The proven outputs of all markets, integers on the model's grid, as decimal text: logit of Low, logit of High,
    /// log-volatility.
    outputs: Vec<String>,
    /// The proof, 0x-hex. A week after the period only the evidence has it.
    proof: Option<String>,
}

/// One period's cycle: features, outputs, proof and transaction.
#[utoipa::path(get, path = "/v1/periods/{period}",
    params(("period" = u64, Path, description = "number of the period: Unix seconds divided by the `period_seconds` of its model"), OfJob),
    responses(
        (status = 200, description = "the cycle", body = PeriodDetail),
        (status = 400, description = "no number", body = ErrorBody),
        (status = 404, description = "no cycle of that period, or no such job", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "the database does not answer", body = ErrorBody),
    ))]
pub(super) async fn period(
    State(shared): State<Arc<Shared>>,
    period: Result<Path<u64>, PathRejection>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<PeriodDetail>, ApiError> {
    let Path(period) = period?;
    let job = shared.job(query)?;
    let record = job.history.cycle(PeriodId(period)).await?.ok_or(ApiError::NoPeriod)?;
    let (features, outputs) = record
        .forecast
        .as_ref()
        .map_or_else(Default::default, |forecast| (forecast.inputs(), forecast.output_integers()));
    Ok(Json(PeriodDetail {
        period: PeriodView::new(&record, &job.model),
        candles_sha256: record.candles.iter().map(ToString::to_string).collect(),
        features,
        outputs: outputs.iter().map(ToString::to_string).collect(),
        proof: record.proof.map(|proof| proof.bytes.to_string()),
    }))
}
