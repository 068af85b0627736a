//! `POST /predict`: APY and volatility of strategies for the next 7 days.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Shared;
use super::yields::PredictionView;
use crate::api::error::{ApiError, ErrorBody};

/// Whose yields, and how far ahead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PredictBody {
    /// Names of strategies of the settings, 1 to 100.
    #[schema(example = json!(["aave", "lido", "delta"]))]
    strategies: Vec<String>,
    /// Days ahead: 7.
    #[schema(example = 7)]
    horizon_days: i64,
}

/// What is said of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Predicted {
    /// By name.
    predictions: BTreeMap<String, PredictionView>,
}

/// Forecasts of strategies, fractions and not percent, each with its 90 % interval, the last day that was known, the model, and the
/// update on chain that says the same, where there is one. The
/// body is read as JSON whatever its content type says.
#[utoipa::path(post, path = "/predict", request_body = PredictBody, responses(
    (status = 200, description = "the forecasts", body = Predicted),
    (status = 400, description = "a body that makes no sense", body = ErrorBody),
    (status = 404, description = "this node forecasts no strategies", body = ErrorBody),
    (status = 413, description = "the body is too large", body = ErrorBody),
    (status = 422, description = "a strategy that is not known, another horizon, none or too many, or data that are too old", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "nothing was forecast yet", body = ErrorBody),
))]
pub(super) async fn predict(
    State(shared): State<Arc<Shared>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Predicted>, ApiError> {
    let wrong = |error: serde_json::Error| ApiError::Parameter(error.to_string());
    let PredictBody { strategies, horizon_days } = serde_json::from_slice(&body?).map_err(wrong)?;
    let (_, forecasts, today) = shared.strategies()?;
    let said = forecasts.asked(&strategies, horizon_days, today)?;
    let mut predictions = BTreeMap::new();
    for (name, one) in said {
        let proof = shared.proof(&name, &one).await?;
        predictions.insert(name, PredictionView { proof, ..one.into() });
    }
    Ok(Json(Predicted { predictions }))
}

#[cfg(test)]
#[path = "predict_tests.rs"]
mod tests;
