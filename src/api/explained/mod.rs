//! `GET /v1/periods/{period}/explained`: why an update did what it did, with all that is needed to check it.

mod markets;
mod proven;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::ServedJob;
use super::view::PeriodView;
use super::{OfJob, Shared};
use crate::api::error::{ApiError, ErrorBody};
use markets::{ExplainedMarket, NetworkView};
use proven::{AttestationView, ProofView, TransactionView};
use veriregime_core::risk::Applied;
use veriregime_core::types::cycle::{Attempt, CycleRecord, Stage};
use veriregime_core::types::period::PeriodId;

/// Stages of a cycle that are told: far more than any has, but for one that the chain keeps dropping.
const MAX_STAGES: u32 = 64;

/// A period with everything that its update is made of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainedView {
    period: PeriodView,
    /// When the period begins, Unix milliseconds.
    start_ms: i64,
    /// First millisecond after it.
    end_ms: i64,
    /// The stages that the cycle has reached, in order. Of cycles of earlier versions only the first and the last.
    stages: Vec<StageView>,
    /// The model's markets, in its order; none before the forecast, and of a job of another kind. Of another's update only those that it
    /// moved.
    markets: Vec<ExplainedMarket>,
    /// The network as integers, for who wants to compute it: null of a job of another kind, and of a network that is not
    /// made of layers.
    network: Option<NetworkView>,
    /// Null before the proof is made, and once neither the database nor evidence has it.
    proof: Option<ProofView>,
    /// Those that the contract was given.
    attestations: Vec<AttestationView>,
    /// What they signed, by EIP-712, 0x-hex.
    attestation_digest: Option<String>,
    transaction: Option<TransactionView>,
    /// SHA-256 of the update's evidence, for `/v1/evidence/{digest}`.
    evidence: Option<String>,
    /// Whether the evidence was deleted, because of its age.
    is_pruned: bool,
}

/// A stage of a cycle.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StageView {
    #[schema(example = "proved")]
    stage: &'static str,
    /// When it was reached, Unix milliseconds.
    at_ms: i64,
}

impl From<&(Stage, i64)> for StageView {
    fn from((stage, at_ms): &(Stage, i64)) -> Self {
        Self { stage: stage.name(), at_ms: *at_ms }
    }
}

/// What the database has of a cycle beside its record.
#[derive(Debug)]
struct Beside {
    stages: Vec<(Stage, i64)>,
    applied: Vec<Applied>,
    attempts: Vec<Attempt>,
    is_pruned: bool,
}

impl Beside {
    async fn of(job: &ServedJob, period: PeriodId) -> Result<Self, ApiError> {
        let key = job.history.job();
        let read = job.history.read(move |reader| {
            Ok(Self {
                stages: reader.stage_times(key, period, MAX_STAGES)?,
                applied: reader.parameters(key, period)?,
                attempts: reader.attempts(key, period)?,
                is_pruned: reader.is_pruned(key, period)?,
            })
        });
        read.await
    }
}

/// A period's update, explained: when each stage was reached, every feature with what it contributes to the forecast, the network, the
/// proof with the call that verifies it, attestations, transaction, and which rules of the policy bound. The contributions are
/// gradients integrated from the row in which every feature is at its mean; they are exact, and add up.
#[utoipa::path(get, path = "/v1/periods/{period}/explained",
    params(("period" = u64, Path, description = "number of the period: Unix seconds divided by the `period_seconds` of its model"), OfJob),
    responses(
        (status = 200, description = "the update", body = ExplainedView),
        (status = 400, description = "no number", body = ErrorBody),
        (status = 404, description = "no cycle of that period, or no such job", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "the database does not answer, or the job does not run yet", body = ErrorBody),
    ))]
pub(super) async fn explained(
    State(shared): State<Arc<Shared>>,
    period: Result<Path<u64>, PathRejection>,
    query: Result<Query<OfJob>, QueryRejection>,
) -> Result<Json<ExplainedView>, ApiError> {
    let Path(period) = period?;
    let job = shared.job(query)?;
    let record: CycleRecord = job.history.cycle(PeriodId(period)).await?.ok_or(ApiError::NoPeriod)?;
    let beside = Beside::of(job, PeriodId(period)).await?;
    let facts = match record.evidence {
        Some(digest) => shared.evidence.facts(digest).await,
        None => None,
    };
    let regime = job.regime.as_ref();
    let markets = regime.map(|regime| {
        let market = |index| match &record.forecast {
            Some(forecast) => ExplainedMarket::new(regime, forecast, index, &beside.applied),
            None => ExplainedMarket::of_others(regime, index, &beside.applied),
        };
        (0..regime.markets.len()).filter_map(market).collect()
    });
    let proof = ProofView::of(job, record.proof.as_ref(), facts.as_deref()).await;
    let transaction = match record.landed {
        Some(landed) => Some(TransactionView::of(job, landed, &beside.attempts).await),
        None => None,
    };
    Ok(Json(ExplainedView {
        start_ms: record.start_ms,
        end_ms: record.end_ms,
        stages: beside.stages.iter().map(StageView::from).collect(),
        markets: markets.unwrap_or_default(),
        network: job.details.parts.network.as_ref().map(NetworkView::of),
        proof,
        attestations: facts.iter().flat_map(|facts| &facts.attestations).map(AttestationView::from).collect(),
        attestation_digest: facts.as_ref().map(|facts| facts.attestation_digest.to_string()),
        transaction,
        evidence: record.evidence.map(|digest| digest.to_string()),
        is_pruned: beside.is_pruned,
        period: PeriodView::new(&record, &job.model),
    }))
}
