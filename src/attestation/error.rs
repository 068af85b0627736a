//! Why something is not attested.

use std::time::Duration;

use thiserror::Error;

use crate::chain::error::ChainFault;
use crate::job::error::CycleFault;
use crate::state::StateFault;
use veriregime_core::types::diagnostic::{Fault, Retry};
use veriregime_core::types::period::PeriodId;

/// Pause before an operator whose candles are not there yet is asked again.
const READY_PAUSE: Duration = Duration::from_secs(2);

/// Why something is not attested.
#[derive(Debug, Error)]
pub enum AttestFault {
    /// Another chain, contract or model.
    #[error("this node attests for another {what}")]
    Foreign { what: &'static str },
    /// A period that is over or has not begun.
    #[error("this node attests for the running period, which is {running}")]
    OtherPeriod { running: PeriodId },
    /// This node has no candles of its own for the period yet.
    #[error("this node has not fetched its own candles of the period yet")]
    NotReady,
    /// This node's candles give something else.
    #[error("{name} is {theirs}, this node's candles give {ours}")]
    Differs { name: String, theirs: String, ours: String },
    /// Another payload was attested for the period.
    #[error("this node has attested something else for period {0}, and attests one thing for each")]
    Equivocation(PeriodId),
    /// What is stored for the period cannot be computed with.
    #[error("this node cannot compute the period's features: {0}")]
    Computation(Box<CycleFault>),
    #[error(transparent)]
    Chain(#[from] ChainFault),
    #[error(transparent)]
    State(#[from] StateFault),
}

impl Fault for AttestFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => "VR-ATTEST-001",
            Self::OtherPeriod { .. } => "VR-ATTEST-002",
            Self::NotReady => "VR-ATTEST-003",
            Self::Differs { .. } => "VR-ATTEST-004",
            Self::Equivocation(_) => "VR-ATTEST-005",
            Self::Computation(fault) => fault.code(),
            Self::Chain(fault) => fault.code(),
            Self::State(fault) => fault.code(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => "compare chain, contract and model with that operator's",
            Self::OtherPeriod { .. } => "compare the clocks",
            Self::NotReady => "nothing: ask again",
            Self::Differs { .. } => "compare the candles, source by source: one of the two saw others",
            Self::Equivocation(_) => {
                "nothing: the first one stands; if the database was not touched, find out why there are two"
            }
            Self::Computation(fault) => fault.advice(),
            Self::Chain(fault) => fault.advice(),
            Self::State(fault) => fault.advice(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotReady => Retry::Later(READY_PAUSE),
            Self::Foreign { .. } | Self::OtherPeriod { .. } | Self::Differs { .. } | Self::Equivocation(_) => {
                Retry::Never
            }
            Self::Computation(fault) => fault.retry(),
            Self::Chain(fault) => fault.retry(),
            Self::State(fault) => fault.retry(),
        }
    }
}

impl From<AttestFault> for CycleFault {
    fn from(fault: AttestFault) -> Self {
        match fault {
            AttestFault::Chain(fault) => Self::Chain(fault),
            AttestFault::State(fault) => Self::State(fault),
            AttestFault::Computation(fault) => *fault,
            fault => Self::Attest(fault),
        }
    }
}
