//! `GET /v1/evidence/{digest}`: an evidence bundle, as it lies in its folder.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Shared;
use crate::api::error::{ApiError, ErrorBody};
use crate::evidence::EvidenceStore;
use veriregime_core::types::digest::Digest;

/// Bundles that are in memory at a time, on their way out.
const READERS: usize = 4;

/// The bundles that may be fetched.
#[derive(Debug)]
pub struct EvidenceCache {
    folder: EvidenceStore,
    readers: Semaphore,
}

impl EvidenceCache {
    /// Those of a folder.
    pub fn new(folder: EvidenceStore) -> Self {
        Self { folder, readers: Semaphore::new(READERS) }
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
