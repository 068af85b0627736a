//! "These features are what public candles give for this period": signed once for each period, and only what this node has
//! computed itself.

pub mod error;
mod gather;
pub mod peers;
pub mod service;
pub mod statement;

use crate::attestation::statement::Statement;
use crate::chain::Chain;
use crate::state::Store;
use alloy::primitives::Address;
use error::AttestationError;
use veriregime_core::types::attestation::{Attestation, Promise};

/// What is told of the markets' last closes: nothing, as no market is compared with a price feed.
const CLOSES_E8: &[u64] = &[];

/// This node's attestation of its own statement about a model of so many markets. What it says about each of them is stored
/// before it is signed: nothing else will be said for the period. The signature is kept, so that the same question costs
/// nothing.
///
/// # Errors
/// [`AttestationError::Equivocation`], or database or key that fail.
async fn attest_once(
    store: &Store,
    chain: &Chain,
    oracle: Address,
    statement: &Statement<'_>,
    markets: usize,
) -> Result<Attestation, AttestationError> {
    let digest = statement.digest(chain.read.chain_id(), oracle);
    let kept = store.attestations(digest)?;
    if let Some(ours) = kept.into_iter().find(|attestation| attestation.signer == chain.attestor()) {
        return Ok(ours);
    }
    let promise = Promise {
        chain_id: chain.read.chain_id(),
        oracle,
        model_id: statement.model_id,
        period: statement.period,
        payloads: statement.payloads(markets),
    };
    if !store.promise(&promise)? {
        return Err(AttestationError::Equivocation(statement.period));
    }
    let attestation = chain.attest(digest).await?;
    store.keep_attestation(digest, &attestation)?;
    Ok(attestation)
}
