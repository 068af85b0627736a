//! This node's own attestations: one thing for each market and period.

use alloy::primitives::B256;

use crate::attestation::error::AttestationError;
use crate::chain::Chain;
use crate::state::Store;
use veriregime_core::types::attestation::{Attestation, Promise};

/// This node's attestation of its own statement. What it promises about each market is stored before `digest` is signed: nothing
/// else will be said for the period. The signature is kept, so that the same question costs nothing.
///
/// # Errors
/// [`AttestationError::Equivocation`], or database or key that fail.
pub(super) async fn attest_once(
    store: &Store,
    chain: &Chain,
    promise: &Promise,
    digest: B256,
) -> Result<Attestation, AttestationError> {
    let kept = store.attestations(digest)?;
    if let Some(ours) = kept.into_iter().find(|attestation| attestation.signer == chain.attestor()) {
        return Ok(ours);
    }
    if !store.promise(promise)? {
        return Err(AttestationError::Equivocation(promise.period));
    }
    let attestation = chain.attest(digest).await?;
    store.keep_attestation(digest, &attestation)?;
    Ok(attestation)
}
