//! `GET /openapi.json`: this API's own description.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| super::document().to_json().unwrap_or_default());

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "an OpenAPI 3.1 document")))]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
