//! The HTTP API: what the agent knows, for whoever asks, and attestations for other operators. But for these it changes
//! nothing, and answers from memory where it can. Of the chain it asks little on behalf of a request, and the same once in some
//! seconds: see [`params`] and [`relay`]. One route is one file.

pub mod activity;
mod allocation;
mod attest;
pub mod cached;
mod candles;
mod card;
pub mod details;
pub mod error;
pub mod events;
pub mod evidence;
mod explained;
mod gate;
pub mod history;
pub mod jobs;
mod lab;
pub mod limits;
mod livez;
mod logs;
mod metrics;
mod model;
mod openapi;
mod operations;
mod overview;
pub mod page;
pub mod params;
mod period;
mod periods;
mod policy;
mod predict;
mod readyz;
pub mod regime;
pub mod relay;
mod score;
pub mod series;
pub mod server;
pub mod view;
mod write_timeout;
mod yield_view;
pub mod yields;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware;
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use error::ApiError;
use events::Events;
use evidence::EvidenceCache;
use jobs::{Jobs, ServedJob};
use limits::Limits;
use page::Page;
use series::{Charts, Scores};
use yields::Strategies;

use crate::telemetry::metrics::Exposition;
use veriregime_core::types::alert::HeldAlert;

/// What every handler gets.
#[derive(Debug)]
pub struct Shared {
    /// What the node runs.
    pub jobs: Jobs,
    /// How often they are made.
    pub check_every: Duration,
    /// What landed updates left behind.
    pub evidence: EvidenceCache,
    /// What is counted.
    pub metrics: Exposition,
    /// Who may ask how often, and how long an answer may take.
    pub limits: Limits,
    /// Whose yields are forecast, where anybody's are.
    pub strategies: Option<Strategies>,
    /// The page at `/`.
    pub page: Page,
    /// What listeners are told.
    pub events: Events,
    /// Charts as they were last written.
    pub charts: Charts,
    /// Scores, likewise.
    pub scores: Scores,
    /// What does not hold as it should.
    pub alerts: watch::Receiver<Arc<[HeldAlert]>>,
    /// When the node was started, Unix milliseconds.
    pub started_ms: i64,
}

/// Which job a request is about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfJob {
    /// Name of a job of `/v1/jobs`; the first one if absent.
    job: Option<String>,
}

impl Shared {
    /// The job that a request's query names.
    fn job(&self, query: Result<Query<OfJob>, QueryRejection>) -> Result<&ServedJob, ApiError> {
        self.jobs.of(query?.0.job.as_deref())
    }
}

/// Every route. A handler that is not here is in no document either.
fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(OpenApiBuilder::new().info(info()).build())
        .routes(routes!(livez::livez))
        .routes(routes!(readyz::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(jobs::jobs))
        .routes(routes!(jobs::job))
        .routes(routes!(periods::periods))
        .routes(routes!(period::period))
        .routes(routes!(model::model))
        .routes(routes!(params::params))
        .routes(routes!(evidence::evidence))
        .routes(routes!(attest::attest))
        .routes(routes!(predict::predict))
        .routes(routes!(yields::yields))
        .routes(routes!(yields::strategy))
        .routes(routes!(allocation::allocation))
        .routes(routes!(events::events))
        .routes(routes!(logs::logs))
        .routes(routes!(operations::operations))
        .routes(routes!(card::card))
        .routes(routes!(policy::policy))
        .routes(routes!(lab::lab))
        .routes(routes!(overview::overview))
        .routes(routes!(series::series))
        .routes(routes!(candles::candles))
        .routes(routes!(score::score))
        .routes(routes!(explained::explained))
        .routes(routes!(relay::call))
        .routes(routes!(openapi::openapi))
}

fn info() -> utoipa::openapi::Info {
    InfoBuilder::new()
        .title("veriregime-agent")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Forecasts of volatility, of electricity and of yields, proven and on chain, as one node knows them.",
        ))
        .build()
}

/// The API's document.
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::true_to_answers(routes().into_openapi())
}

/// What is at no route: the page's files.
async fn elsewhere(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    shared.page.answer(&method, uri.path(), &headers)
}

/// The routes behind their limits.
fn router(shared: &Arc<Shared>) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(elsewhere)
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(DefaultBodyLimit::max(shared.limits.max_body_bytes()))
        .layer(middleware::from_fn_with_state(shared.clone(), limits::enforce))
        .with_state(shared.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::time::{format_utc, parse_utc_ms};

    #[test]
    fn the_document_s_example_of_a_time_is_one_that_the_api_writes() {
        let document = serde_json::to_value(document()).unwrap();
        let example =
            document["components"]["schemas"]["PeriodView"]["properties"]["start_utc"]["examples"][0].as_str();
        let example =
            example.or(document["components"]["schemas"]["PeriodView"]["properties"]["start_utc"]["example"].as_str());
        let example = example.unwrap();
        assert_eq!(format_utc(parse_utc_ms(example).unwrap()), example);
    }
}
