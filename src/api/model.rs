//! `GET /v1/model`: the model that this node runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::Shared;
use super::view::ModelView;

/// The model that this node runs, with the digest of everything that it consists of.
#[utoipa::path(get, path = "/v1/model", responses((status = 200, description = "the model", body = ModelView)))]
pub(super) async fn model(State(shared): State<Arc<Shared>>) -> Json<ModelView> {
    Json(shared.model.clone())
}
