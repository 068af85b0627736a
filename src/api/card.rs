//! `GET /v1/model/card`: what the model is worth, and how what it is fed has changed since it was trained.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::details::Details;
use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};
use crate::state::operations::{ForecastRow, ModelRow};
use crate::state::reader::Reader;
use veriregime_core::model::contributions::contributions;
use veriregime_core::model::dense::DenseNetwork;

/// Periods that drift and importance are of.
const PERIODS: u32 = 180;
/// Places of a market's outputs: see the manifest's outputs of a model of regimes.
const OUTPUTS: usize = 3;

/// A bin of a reliability diagram.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReliabilityView {
    /// Mean of the promised probabilities of High.
    forecast: f64,
    /// Share of them that High followed.
    observed: f64,
    /// How many there were.
    count: u64,
}

impl From<&(f64, f64, u64)> for ReliabilityView {
    fn from((forecast, observed, count): &(f64, f64, u64)) -> Self {
        Self { forecast: *forecast, observed: *observed, count: *count }
    }
}

/// How a feature has been: in training its mean was 0 and its deviation 1.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DriftView {
    feature: String,
    mean_z: f64,
    std_z: f64,
    /// Share of the rows in which it was cut off.
    share_clipped: f64,
    periods: usize,
}

/// How much a feature has had to do with the forecasts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ImportanceView {
    feature: String,
    /// Mean absolute contribution to the logarithm of the odds of High.
    mean_abs_logit: f64,
    /// To the logarithm of the volatility.
    mean_abs_log_volatility: f64,
}

/// A model that the contract was served with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionView {
    model_id: String,
    manifest_sha256: String,
    first_period: u64,
    last_period: u64,
    first_start_ms: i64,
    last_start_ms: i64,
    is_current: bool,
    /// As its manifest has them of the test split, every minute, by name: `accuracy`, `auc`, `brier`, `ece`, `qlike` and others. Empty where it
    /// has none, and of manifests that the node does not keep.
    figures: BTreeMap<String, FigureView>,
}

/// A figure that was measured.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct FigureView {
    value: f64,
    /// Null of too few rows.
    standard_error: Option<f64>,
}

/// What a model is worth.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CardView {
    model_id: String,
    manifest_sha256: String,
    /// `MODEL_CARD.md` of the bundle.
    card_markdown: Option<String>,
    /// `VERIFICATION.md` of the bundle.
    verification_markdown: Option<String>,
    /// As the bundle's manifest has them.
    #[schema(value_type = Object)]
    metrics: serde_json::Value,
    /// On the test split, every minute, by the bundle's `reliability.csv`; empty where it has none.
    reliability: Vec<ReliabilityView>,
    /// Of the newest 180 periods, all markets together.
    drift: Vec<DriftView>,
    /// Likewise; empty of a network of another shape than one layer of squares.
    importance: Vec<ImportanceView>,
    versions: Vec<VersionView>,
}

/// Feature integers of every market that was not omitted, period by period.
fn rows(forecasts: &[ForecastRow]) -> Vec<Vec<i32>> {
    let of_period = |row: &ForecastRow| {
        let markets = row.forecast.features.iter().enumerate();
        let present = markets.filter(|(market, _)| !row.forecast.omitted.omits(*market));
        present.map(|(_, features)| features.integers().collect()).collect::<Vec<Vec<i32>>>()
    };
    forecasts.iter().flat_map(of_period).collect()
}

fn drift(names: &[String], rows: &[Vec<i32>], periods: usize, details: &Details) -> Vec<DriftView> {
    let unit = libm::exp2(f64::from(details.parts.card.input_scale));
    let count = rows.len().max(1) as f64;
    let of_feature = |(at, name): (usize, &String)| {
        let values: Vec<i32> = rows.iter().filter_map(|row| row.get(at).copied()).collect();
        let z = |value: &i32| f64::from(*value) / unit;
        let mean_z = values.iter().map(z).sum::<f64>() / count;
        let variance = values.iter().map(|value| libm::pow(z(value) - mean_z, 2.0)).sum::<f64>() / count;
        let is_clipped = |value: &&i32| details.parts.card.feature_bound.is_some_and(|bound| value.abs() >= bound);
        DriftView {
            feature: name.clone(),
            mean_z,
            std_z: libm::sqrt(variance),
            share_clipped: values.iter().filter(is_clipped).count() as f64 / count,
            periods,
        }
    };
    if rows.is_empty() { Vec::new() } else { names.iter().enumerate().map(of_feature).collect() }
}

fn importance(names: &[String], rows: &[Vec<i32>], network: &DenseNetwork, output_scale: u32) -> Vec<ImportanceView> {
    let unit = libm::exp2(f64::from(output_scale));
    let mut sums = vec![(0.0, 0.0); names.len()];
    let mut count = 0_usize;
    for shares in rows.iter().filter_map(|row| contributions(network, row)) {
        for (sum, share) in sums.iter_mut().zip(&shares) {
            if let [low, high, volatility, ..] = share.as_slice() {
                sum.0 += (high - low).unsigned_abs() as f64 / unit;
                sum.1 += volatility.unsigned_abs() as f64 / unit;
            }
        }
        count += 1;
    }
    if count == 0 || network.layers.last().is_none_or(|layer| layer.units.len() != OUTPUTS) {
        return Vec::new();
    }
    let view = |(name, (logit, volatility)): (&String, (f64, f64))| ImportanceView {
        feature: name.clone(),
        mean_abs_logit: logit / count as f64,
        mean_abs_log_volatility: volatility / count as f64,
    };
    names.iter().zip(sums).map(view).collect()
}

fn version(row: ModelRow, current: &str) -> VersionView {
    let manifest_sha256 = row.manifest.to_string();
    VersionView {
        model_id: row.model_id.unwrap_or_default(),
        is_current: manifest_sha256 == current,
        manifest_sha256,
        first_period: row.first.0.0,
        last_period: row.last.0.0,
        figures: row.figures.and_then(|figures| serde_json::from_str(&figures).ok()).unwrap_or_default(),
        first_start_ms: row.first.1,
        last_start_ms: row.last.1,
    }
}

/// What a job's model is worth by its bundle, how its features have drifted, and what came before it.
#[utoipa::path(get, path = "/v1/model/card", params(OfJob), responses(
    (status = 200, description = "the card", body = CardView),
    (status = 404, description = "no job of this node", body = ErrorBody),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the job does not run yet, or the database does not answer", body = ErrorBody),
))]
pub(super) async fn card(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<CardView>, ApiError> {
    let job = shared.job(query)?;
    let (details, key) = (&job.details, job.details.parts.job);
    let read =
        move |reader: &Reader| Ok((reader.forecasts(key, 0, (i64::MIN, i64::MAX), PERIODS)?, reader.models_of(key)?));
    let (forecasts, models) = details.read(read).await?;
    let (names, rows, card) = (&job.model.features, rows(&forecasts), &details.parts.card);
    let importance = details.parts.network.as_ref().map(|network| importance(names, &rows, network, card.output_scale));
    let current = job.model.manifest_sha256.clone();
    Ok(Json(CardView {
        model_id: job.model.model_id.clone(),
        card_markdown: card.card_markdown.clone(),
        verification_markdown: card.verification_markdown.clone(),
        metrics: card.metrics.clone(),
        reliability: card.reliability.iter().map(ReliabilityView::from).collect(),
        drift: drift(names, &rows, forecasts.len(), details),
        importance: importance.unwrap_or_default(),
        versions: models.into_iter().map(|row| version(row, &current)).collect(),
        manifest_sha256: current,
    }))
}
