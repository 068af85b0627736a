//! What a refusal means, whichever of our contracts it comes from.

use super::refusal::Refusal;
use super::{hedge_vault, risk_oracle};
use crate::chain::revert::Revert;

/// The meaning of revert data. An error that oracle and vault share is told in the oracle's words.
pub fn refusal_of(revert: &Revert) -> Refusal {
    let known = risk_oracle::refusal::is_known(revert);
    let of_a_vault = if known { None } else { hedge_vault::refusal::of(revert) };
    of_a_vault.unwrap_or_else(|| risk_oracle::refusal::of(revert))
}
