//! What a refusal means, whichever of our contracts it comes from.

use super::refusal::Refusal;
use super::{feed, hedge_vault, risk_oracle};
use crate::chain::revert::Revert;

/// The meaning of revert data. An error that several contracts share is told in the words of the first.
pub fn refusal_of(revert: &Revert) -> Refusal {
    let known = risk_oracle::refusal::is_known(revert);
    let of_another = || hedge_vault::refusal::of(revert).or_else(|| feed::refusal::of(revert));
    let of_another = if known { None } else { of_another() };
    of_another.unwrap_or_else(|| risk_oracle::refusal::of(revert))
}
