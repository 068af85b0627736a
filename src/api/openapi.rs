//! `GET /openapi.json`: this API's own description.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| super::document().to_json().unwrap_or_default());

/// What is sent to the node: its optional fields may be left out.
const BODIES: [&str; 4] = ["AttestBody", "CallBody", "LabRequest", "PredictBody"];
/// What an answer leaves out where it does not concern the kind of job. Everything else is there, if only as null.
const LEFT_OUT: [(&str, &str); 5] = [
    ("ModelView", "threshold_volatility"),
    ("PeriodView", "electricity"),
    ("PeriodView", "strategy"),
    ("PredictionView", "note"),
    ("PredictionView", "proof"),
];

/// The document with every field required that an answer always has: one that may be null would else be taken for one that may be
/// absent.
pub(super) fn true_to_answers(mut document: OpenApi) -> OpenApi {
    let schemas = document.components.iter_mut().flat_map(|components| &mut components.schemas);
    for (name, schema) in schemas.filter(|(name, _)| !BODIES.contains(&name.as_str())) {
        require(name, schema);
    }
    document
}

fn require(name: &str, schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let is_there = |field: &&String| !LEFT_OUT.contains(&(name, field.as_str()));
            object.required = object.properties.keys().filter(is_there).cloned().collect();
        }
        // What holds the fields of another one, too.
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().for_each(|part| require(name, part)),
        _ => {}
    }
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "an OpenAPI 3.1 document")))]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
