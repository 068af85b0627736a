//! Why something is not attested.

use std::time::Duration;

use alloy::primitives::Address;
use thiserror::Error;

use crate::chain::error::ChainError;
use crate::state::error::StateError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::period::PeriodId;

/// Pause before an operator whose candles are not there yet is asked again.
const READY_PAUSE: Duration = Duration::from_secs(2);
/// Pause before other operators are asked again.
const PEERS_PAUSE: Duration = Duration::from_secs(5);
/// What to do about a key whose attestations the contract does not take.
pub(crate) const NOT_ATTESTOR_HINT: &str =
    "ask the contract's owner to take this key into the attestor set, or configure one that is in it in [attestor]";

/// Why something is not attested.
#[derive(Debug, Error)]
pub enum AttestationError {
    /// Another chain, contract or model.
    #[error("this node attests for another {what}")]
    Mismatch { what: &'static str },
    /// A period that is over or has not begun.
    #[error("this node attests for the running period, which is {running}")]
    OtherPeriod { running: PeriodId },
    /// This node has no candles of its own for the period yet.
    #[error("this node has not fetched its own candles of the period yet")]
    NotReady,
    /// This node's candles give something else.
    #[error("{name} is {theirs}, this node's candles give {ours}")]
    Differs { name: String, theirs: String, ours: String },
    /// This node omits a market that the other one serves.
    #[error("this node has no candles of {market} for the period")]
    NoCandles { market: String },
    /// Another payload was attested for the period.
    #[error("this node has attested something else for period {0}, and attests one thing for each market")]
    Equivocation(PeriodId),
    /// This node does not know what it would publish itself.
    #[error("this node cannot tell what it would publish: {0}")]
    Own(Box<dyn Diagnostic>),
    /// This node's key is not in the contract's set.
    #[error("the contract refuses: {0} is not an attestor")]
    NotAttestor(Address),
    /// Too few operators attest.
    #[error("the contract wants {threshold} attestations, there are {held}, and {peers} other operators to ask")]
    Few { threshold: u8, held: usize, peers: usize },
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    State(#[from] StateError),
}

impl Diagnostic for AttestationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Mismatch { .. } => "VR-ATTEST-001",
            Self::OtherPeriod { .. } => "VR-ATTEST-002",
            Self::NotReady => "VR-ATTEST-003",
            Self::Differs { .. } => "VR-ATTEST-004",
            Self::Equivocation(_) => "VR-ATTEST-005",
            Self::NoCandles { .. } => "VR-ATTEST-006",
            Self::Own(fault) => fault.code(),
            Self::NotAttestor(_) => "VR-CHAIN-009",
            Self::Few { .. } => "VR-CHAIN-012",
            Self::Chain(fault) => fault.code(),
            Self::State(fault) => fault.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Mismatch { .. } => "compare chain, contract and model with that operator's",
            Self::OtherPeriod { .. } => "compare the clocks",
            Self::NotReady => "nothing: ask again",
            Self::Differs { .. } => "compare the candles, source by source: one of the two saw others",
            Self::NoCandles { .. } => "nothing: others may have them; see `status` for what is wrong with this node's",
            Self::Equivocation(_) => {
                "nothing: the first one stands; if the database was not touched, find out why there are two"
            }
            Self::Own(fault) => fault.hint(),
            Self::NotAttestor(_) => NOT_ATTESTOR_HINT,
            Self::Few { threshold, peers, .. } if *peers + 1 < usize::from(*threshold) => {
                "name more of the other attestors' nodes in attestation.peers"
            }
            Self::Few { .. } => "look in the log which operators did not attest, and why; they are asked again",
            Self::Chain(fault) => fault.hint(),
            Self::State(fault) => fault.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotReady => Retry::Later(READY_PAUSE),
            Self::Few { threshold, peers, .. } if *peers + 1 >= usize::from(*threshold) => Retry::Later(PEERS_PAUSE),
            Self::Mismatch { .. }
            | Self::OtherPeriod { .. }
            | Self::Differs { .. }
            | Self::NoCandles { .. }
            | Self::Equivocation(_)
            | Self::NotAttestor(_)
            | Self::Few { .. } => Retry::Never,
            Self::Own(fault) => fault.retry(),
            Self::Chain(fault) => fault.retry(),
            Self::State(fault) => fault.retry(),
        }
    }
}
