//! `GET /v1/jobs` and `GET /v1/jobs/{job}`: what this node runs.

use std::sync::{Arc, OnceLock};

use alloy::primitives::Address;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::activity::ActivityView;
use super::cached::Cached;
use super::details::Details;
use super::history::History;
use super::params::Parameters;
use super::regime::RegimeJob;
use super::relay::Relay;
use super::view::{ModelView, PeriodView};
use crate::api::error::{ApiError, ErrorBody};
use crate::attestation::service::AttestationService;
use crate::clock::Clock;
use crate::health::monitor::Latest;
use crate::job::overview::{JobState, Overview};
use crate::state::series::SeriesRow;
use veriregime_core::types::contract::Contract;
use veriregime_core::types::period::Grid;

/// A job that was opened.
#[derive(Debug)]
pub struct ServedJob {
    /// Name in the settings.
    pub name: String,
    /// The contract that takes its updates.
    pub contract: Contract,
    /// The model that runs.
    pub model: ModelView,
    /// Its cycles, read beside the one that writes them.
    pub history: History,
    /// What the contract says of the markets.
    pub parameters: Parameters,
    /// What its checks last found.
    pub health: Latest,
    /// What judges the requests of other operators, where they may ask.
    pub notary: Option<AttestationService>,
    /// What more is told of it.
    pub details: Details,
    /// `regime`, `hedge` or `yield`.
    pub kind: &'static str,
    /// The grid of its periods.
    pub grid: Grid,
    /// The time that it goes by.
    pub clock: Clock,
    /// What is drawn of a job of regimes.
    pub regime: Option<RegimeJob>,
    /// The newest forecasts of its markets.
    pub recent: Cached<usize, Vec<SeriesRow>>,
    /// Its contract, registry and verifier, for who wants to ask them something.
    pub relay: Relay,
}

/// The jobs of a node, in the order of the settings.
#[derive(Debug)]
pub struct Jobs {
    overview: Overview,
    /// By name, in the order of the overview: a request about one job copies nothing of the others.
    served: Vec<(String, OnceLock<ServedJob>)>,
}

impl Jobs {
    /// These, none of which is served yet.
    pub fn new(overview: Overview) -> Self {
        let served = overview.jobs().into_iter().map(|state| (state.name, OnceLock::new())).collect();
        Self { overview, served }
    }

    /// Serves a job from now on. A job that is opened again is served as before: it is the same one.
    pub fn open(&self, name: &str, job: ServedJob) {
        if let Some((_, slot)) = self.served.iter().find(|(known, _)| known == name) {
            let _again = slot.set(job);
        }
    }

    /// The job of that name, or the first that was opened.
    pub(super) fn of(&self, name: Option<&str>) -> Result<&ServedJob, ApiError> {
        let Some(name) = name else {
            return self.opened().next().ok_or(ApiError::NotOpened);
        };
        let (_, slot) = self.served.iter().find(|(known, _)| known == name).ok_or(ApiError::NoJob)?;
        slot.get().ok_or(ApiError::NotOpened)
    }

    /// As [`Jobs::of`], of a job of regimes with one of its markets, by its index.
    pub(super) fn of_market(
        &self,
        name: Option<&str>,
        market: &str,
    ) -> Result<(&ServedJob, &RegimeJob, usize), ApiError> {
        let job = self.of(name)?;
        let regime = job.regime.as_ref().ok_or(ApiError::NotRegime)?;
        Ok((job, regime, regime.market(market)?))
    }

    /// Every job as it is now, with what it serves once it was opened.
    pub(super) fn all(&self) -> impl Iterator<Item = (JobState, Option<&ServedJob>)> {
        self.overview.jobs().into_iter().zip(self.served.iter().map(|(_, slot)| slot.get()))
    }

    /// As [`Jobs::all`], of the job with that name where one is given.
    pub(super) fn named(
        &self,
        name: Option<&str>,
    ) -> Result<impl Iterator<Item = (JobState, Option<&ServedJob>)>, ApiError> {
        let mut jobs: Vec<_> = self.all().collect();
        if let Some(name) = name {
            jobs.retain(|(state, _)| state.name == name);
            if jobs.is_empty() {
                return Err(ApiError::NoJob);
            }
        }
        Ok(jobs.into_iter())
    }

    fn opened(&self) -> impl Iterator<Item = &ServedJob> {
        self.served.iter().filter_map(|(_, slot)| slot.get())
    }

    /// What attests for the contract that is asked about; else the first that attests at all, to say what is not the same.
    pub(super) fn notary(&self, chain_id: u64, contract: Address) -> Option<&AttestationService> {
        let attesting = || self.opened().filter(|job| job.notary.is_some());
        let asked = attesting().find(|job| job.contract == Contract { chain_id, address: contract });
        asked.or_else(|| attesting().next()).and_then(|job| job.notary.as_ref())
    }
}

/// A job of this node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobView {
    /// Name in the settings.
    #[schema(example = "btc-regime-4h-v1")]
    name: String,
    /// Whether it was opened: it does not run before, and is tried again and again.
    opened: bool,
    activity: ActivityView,
    /// EIP-155 id of its chain.
    chain_id: u64,
    /// The contract that takes its updates, 0x-hex.
    contract: Option<String>,
    /// Name of its model.
    model_id: Option<String>,
    /// SHA-256 of the model's manifest, hex.
    manifest_sha256: Option<String>,
    /// Whether it works and no check of it fails; null before the first checks.
    ready: Option<bool>,
    /// Its newest cycle.
    last_cycle: Option<PeriodView>,
}

impl JobView {
    async fn new(state: JobState, job: Option<&ServedJob>) -> Result<Self, ApiError> {
        let newest = match job {
            Some(job) => job.history.newest().await?,
            None => Arc::default(),
        };
        let ready = match state.failure() {
            Some(_) => Some(false),
            None => job.and_then(|job| job.health.borrow().as_ref().map(|report| report.is_ready())),
        };
        Ok(Self {
            activity: ActivityView::of(&state.activity),
            name: state.name,
            opened: job.is_some(),
            chain_id: state.chain_id,
            contract: state.contract.map(|contract| contract.to_string()),
            model_id: job.map(|job| job.model.model_id.clone()),
            manifest_sha256: job.map(|job| job.model.manifest_sha256.clone()),
            ready,
            last_cycle: job.and_then(|job| newest.first().map(|known| PeriodView::new(&known.record, &job.model))),
        })
    }
}

/// The jobs of this node.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobsView {
    jobs: Vec<JobView>,
}

/// The jobs that this node runs, in the order of its settings.
#[utoipa::path(get, path = "/v1/jobs", responses(
    (status = 200, description = "the jobs", body = JobsView),
    (status = 429, description = "too many requests", body = ErrorBody),
    (status = 503, description = "the database does not answer", body = ErrorBody),
))]
pub(super) async fn jobs(State(shared): State<Arc<Shared>>) -> Result<Json<JobsView>, ApiError> {
    let mut jobs = Vec::new();
    for (state, job) in shared.jobs.all() {
        jobs.push(JobView::new(state, job).await?);
    }
    Ok(Json(JobsView { jobs }))
}

/// One job.
#[utoipa::path(get, path = "/v1/jobs/{job}",
    params(("job" = String, Path, description = "its name")),
    responses(
        (status = 200, description = "the job", body = JobView),
        (status = 404, description = "no job of this node", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "the database does not answer", body = ErrorBody),
    ))]
pub(super) async fn job(
    State(shared): State<Arc<Shared>>,
    job: Result<Path<String>, PathRejection>,
) -> Result<Json<JobView>, ApiError> {
    let Path(wanted) = job?;
    let (state, job) = shared.jobs.named(Some(&wanted))?.next().ok_or(ApiError::NoJob)?;
    Ok(Json(JobView::new(state, job).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    use crate::job::overview::Activity;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn starting(name: &str) -> JobState {
        JobState {
            name: name.into(),
            chain: "default".into(),
            chain_id: 1,
            contract: None,
            key: None,
            model: None,
            activity: Activity::Starting,
            last_cycle: None,
        }
    }

    #[test]
    fn charts_are_of_jobs_of_regimes() {
        let response = ApiError::NotRegime.into_response();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(ApiError::NotRegime.code(), "VR-API-021");
    }

    #[test]
    fn a_job_is_served_once_it_is_opened() {
        let jobs = Jobs::new(Overview::new(vec![starting("one"), starting("other")]).0);
        for name in [None, Some("one"), Some("other")] {
            assert!(matches!(jobs.of(name), Err(ApiError::NotOpened)), "{name:?}");
        }
        assert!(matches!(jobs.of(Some("third")), Err(ApiError::NoJob)));
        assert_eq!(
            jobs.all().map(|(state, job)| (state.name, job.is_some())).collect::<Vec<_>>(),
            [("one".to_owned(), false), ("other".to_owned(), false)]
        );
        assert!(jobs.notary(1, Address::ZERO).is_none());
    }
}
