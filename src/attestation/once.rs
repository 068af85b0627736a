//! This node's own attestations: one thing for each market and period.

use crate::attestation::error::AttestationError;
use crate::attestation::statement::Statement;
use crate::chain::Chain;
use crate::state::Store;
use veriregime_core::types::attestation::Attestation;

/// This node's attestation of its own statement about a model of so many markets. What it says about each of them is stored
/// before it is signed: nothing else will be said for the period. The signature is kept, so that the same question costs
/// nothing.
///
/// # Errors
/// [`AttestationError::Equivocation`], or database or key that fail.
pub(super) async fn attest_once(
    store: &Store,
    chain: &Chain,
    statement: &Statement,
    markets: usize,
) -> Result<Attestation, AttestationError> {
    let digest = statement.digest();
    let kept = store.attestations(digest)?;
    if let Some(ours) = kept.into_iter().find(|attestation| attestation.signer == chain.attestor()) {
        return Ok(ours);
    }
    if !store.promise(&statement.promise(markets))? {
        return Err(AttestationError::Equivocation(statement.period));
    }
    let attestation = chain.attest(digest).await?;
    store.keep_attestation(digest, &attestation)?;
    Ok(attestation)
}
