//! `GET /v1/evidence/{digest}`: an evidence bundle, as it lies in its folder.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use alloy::primitives::{Address, B256};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Shared;
use super::cached::Cached;
use crate::api::error::{ApiError, ErrorBody};
use crate::attestation::statement::{Statement, split};
use crate::evidence::{EvidenceStore, parse};
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::evidence::Evidence;
use veriregime_core::types::proof::Proof;

/// Bundles that are in memory at a time, on their way out.
const READERS: usize = 4;

/// Bundles of which the small part is kept.
const FACTS: usize = 32;
/// And for how long: a bundle never changes.
const LASTING: Duration = Duration::from_mins(10);

/// The bundles that may be fetched.
#[derive(Debug)]
pub struct EvidenceCache {
    folder: EvidenceStore,
    readers: Semaphore,
    facts: Cached<Digest, Facts>,
}

/// What a bundle has beside candles.
#[derive(Debug)]
pub(super) struct Facts {
    /// How the chain was convinced.
    pub(super) way: &'static str,
    pub(super) verifier: Address,
    /// `None` where another contract relayed the update, and nobody says with what.
    pub(super) proof: Option<Proof>,
    pub(super) attestations: Vec<Attestation>,
    /// What they signed.
    pub(super) attestation_digest: B256,
}

impl Facts {
    fn of(evidence: Evidence) -> Self {
        let update = evidence.update;
        let statement = Statement {
            chain_id: evidence.chain_id,
            oracle: evidence.oracle,
            registry: evidence.registry,
            model_id: update.model_id,
            period: update.period,
            attestor_set_version: update.attestor_set_version,
            omitted_markets: update.omitted_markets,
            instances: evidence.instances,
            prices: None,
        };
        let attestation_digest = statement.digest();
        let attestations = update.arguments.as_ref().and_then(|arguments| split(&arguments.attestations).ok());
        let proof = update.arguments.map(|arguments| Proof { bytes: arguments.proof, instances: statement.instances });
        Self {
            way: evidence.verification.name(),
            verifier: evidence.verifier,
            proof,
            attestations: attestations.unwrap_or_default(),
            attestation_digest,
        }
    }
}

impl EvidenceCache {
    /// Those of a folder.
    pub fn new(folder: EvidenceStore) -> Self {
        Self { folder, readers: Semaphore::new(READERS), facts: Cached::new(FACTS, LASTING) }
    }

    /// The small part of a bundle, `None` where it is not there or too many are read already.
    pub(super) async fn facts(&self, digest: Digest) -> Option<Arc<Facts>> {
        let read = async {
            let bytes = self.fetch(digest).await?;
            let parsed = tokio::task::spawn_blocking(move || {
                let name = format!("{digest}.json.gz");
                parse(FilePath::new(&name), bytes).map(|(_, evidence)| Facts::of(evidence))
            });
            parsed.await.ok().and_then(Result::ok).ok_or(ApiError::NoEvidence)
        };
        self.facts.get(digest, read).await.ok()
    }

    async fn fetch(&self, digest: Digest) -> Result<Vec<u8>, ApiError> {
        let _one_of_few = self.readers.try_acquire().map_err(|_| ApiError::Slow)?;
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || folder.read_file(digest)).await;
        read.ok().and_then(Result::ok).ok_or(ApiError::NoEvidence)
    }
}

/// Everything that a stranger needs to compute one update again and to verify it: a gzip file of the JSON whose SHA-256 is
/// the digest. `/v1/periods/{period}` names it, `verify-bundle` checks it.
#[utoipa::path(get, path = "/v1/evidence/{digest}",
    params(("digest" = String, Path, description = "SHA-256, 64 hex digits")),
    responses(
        (status = 200, description = "the bundle", content_type = "application/gzip", body = Vec<u8>),
        (status = 400, description = "not a digest", body = ErrorBody),
        (status = 404, description = "this node does not have it", body = ErrorBody),
        (status = 429, description = "too many requests", body = ErrorBody),
        (status = 503, description = "too many fetch one already", body = ErrorBody),
    ))]
pub(super) async fn evidence(
    State(shared): State<Arc<Shared>>,
    digest: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let digest: Digest =
        digest?.parse().map_err(|_| ApiError::Parameter("a digest is 64 hex digits in lower case".into()))?;
    let bytes = shared.evidence.fetch(digest).await?;
    let headers = [
        (CONTENT_TYPE, "application/gzip".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{digest}.json.gz\"")),
        (CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
