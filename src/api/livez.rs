//! `GET /livez`: the process runs and answers.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// That the process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always true.
    alive: bool,
    /// Version of the program.
    version: &'static str,
}

/// Whether the process runs. Whether it is any good is `/readyz`.
#[utoipa::path(get, path = "/livez", responses((status = 200, description = "it runs", body = Alive)))]
pub(super) async fn livez() -> Json<Alive> {
    Json(Alive { alive: true, version: env!("CARGO_PKG_VERSION") })
}
