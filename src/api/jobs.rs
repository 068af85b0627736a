//! `GET /v1/jobs` and `GET /v1/jobs/{job}`: what this node runs.

use std::sync::{Arc, OnceLock};

use alloy::primitives::Address;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;
use super::history::History;
use super::params::Parameters;
use super::view::{ModelView, PeriodView};
use crate::api::error::{ApiError, ErrorBody};
use crate::attestation::service::AttestationService;
use crate::health::monitor::Latest;

/// A job that was opened.
#[derive(Debug)]
pub struct ServedJob {
    /// EIP-155 id of its chain.
    pub chain_id: u64,
    /// The contract that takes its updates.
    pub contract: Address,
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
}

/// The jobs of a node, in the order of the settings.
#[derive(Debug)]
pub struct Jobs(Vec<(String, OnceLock<ServedJob>)>);

impl Jobs {
    /// With these names; none of them is opened yet.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| (name, OnceLock::new())).collect())
    }

    /// Serves a job from now on. A job that is opened again is served as before: it is the same one.
    pub fn open(&self, name: &str, job: ServedJob) {
        if let Some((_, slot)) = self.0.iter().find(|(known, _)| known == name) {
            let _again = slot.set(job);
        }
    }

    /// The job of that name, or the first that was opened.
    pub(super) fn of(&self, name: Option<&str>) -> Result<&ServedJob, ApiError> {
        let Some(name) = name else {
            return self.0.iter().find_map(|(_, slot)| slot.get()).ok_or(ApiError::NotOpened);
        };
        let (_, slot) = self.0.iter().find(|(known, _)| known == name).ok_or(ApiError::NoJob)?;
        slot.get().ok_or(ApiError::NotOpened)
    }

    /// Every job with its name; `None` for one that was not opened yet.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Option<&ServedJob>)> {
        self.0.iter().map(|(name, slot)| (name.as_str(), slot.get()))
    }

    /// What attests for the contract that is asked about; else the first that attests at all, to say what is not the same.
    pub(super) fn notary(&self, chain_id: u64, contract: Address) -> Option<&AttestationService> {
        let attesting = || self.all().filter_map(|(_, job)| job).filter(|job| job.notary.is_some());
        let asked = attesting().find(|job| (job.chain_id, job.contract) == (chain_id, contract));
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
    /// EIP-155 id of its chain.
    chain_id: Option<u64>,
    /// The contract that takes its updates, 0x-hex.
    contract: Option<String>,
    /// Name of its model.
    model_id: Option<String>,
    /// SHA-256 of the model's manifest, hex.
    manifest_sha256: Option<String>,
    /// Whether no check of it fails; null before the first checks.
    ready: Option<bool>,
    /// Its newest cycle.
    last_cycle: Option<PeriodView>,
}

impl JobView {
    async fn new(name: &str, job: Option<&ServedJob>) -> Result<Self, ApiError> {
        let newest = match job {
            Some(job) => job.history.newest().await?,
            None => Arc::default(),
        };
        Ok(Self {
            name: name.to_owned(),
            opened: job.is_some(),
            chain_id: job.map(|job| job.chain_id),
            contract: job.map(|job| job.contract.to_string()),
            model_id: job.map(|job| job.model.model_id.clone()),
            manifest_sha256: job.map(|job| job.model.manifest_sha256.clone()),
            ready: job.and_then(|job| job.health.borrow().as_ref().map(|report| report.is_ready())),
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
    for (name, job) in shared.jobs.all() {
        jobs.push(JobView::new(name, job).await?);
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
    let (name, job) = shared.jobs.all().find(|(name, _)| *name == wanted).ok_or(ApiError::NoJob)?;
    Ok(Json(JobView::new(name, job).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_served_once_it_is_opened() {
        let jobs = Jobs::new(["one".to_owned(), "other".to_owned()]);
        for name in [None, Some("one"), Some("other")] {
            assert!(matches!(jobs.of(name), Err(ApiError::NotOpened)), "{name:?}");
        }
        assert!(matches!(jobs.of(Some("third")), Err(ApiError::NoJob)));
        assert_eq!(
            jobs.all().map(|(name, job)| (name, job.is_some())).collect::<Vec<_>>(),
            [("one", false), ("other", false)]
        );
        assert!(jobs.notary(1, Address::ZERO).is_none());
    }
}
