//! What a stored transaction says.

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::primitives::Bytes;

use crate::chain::error::ChainError;
use veriregime_core::types::cycle::Attempt;

/// What a stored transaction sends.
///
/// # Errors
/// [`ChainError::Signing`] for bytes that hold no transaction.
pub fn calldata(attempt: &Attempt) -> Result<Bytes, ChainError> {
    Ok(envelope(attempt)?.input().clone())
}

pub(super) fn envelope(attempt: &Attempt) -> Result<TxEnvelope, ChainError> {
    let unreadable = |_| ChainError::Signing("the stored bytes hold no transaction".into());
    TxEnvelope::decode_2718(&mut attempt.raw.as_ref()).map_err(unreadable)
}
