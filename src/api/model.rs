//! `GET /v1/model`: the model that this node runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};

use super::view::ModelView;
use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};

/// The model that a job of this node runs, with the digest of everything that it consists of.
#[utoipa::path(get, path = "/v1/model", params(OfJob), responses(
    (status = 200, description = "the model", body = ModelView),
    (status = 404, description = "no job of this node", body = ErrorBody),
    (status = 503, description = "the job does not run yet", body = ErrorBody),
))]
pub(super) async fn model(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<ModelView>, ApiError> {
    Ok(Json(shared.job(query)?.model.clone()))
}
