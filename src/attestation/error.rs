//! Why something is not attested.

use std::time::Duration;

use thiserror::Error;

use crate::chain::error::ChainError;
use crate::forecast::StoredForecastError;
use crate::job::error::StageError;
use crate::state::StateError;
use veriregime_core::forecast::ForecastError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::period::PeriodId;

/// Pause before an operator whose candles are not there yet is asked again.
const READY_PAUSE: Duration = Duration::from_secs(2);

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
    /// What is stored for the period cannot be computed with.
    #[error("this node cannot compute the period's features: {0}")]
    Computation(#[from] ForecastError),
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
            Self::Computation(fault) => fault.code(),
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
            Self::Computation(fault) => fault.hint(),
            Self::Chain(fault) => fault.hint(),
            Self::State(fault) => fault.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotReady => Retry::Later(READY_PAUSE),
            Self::Mismatch { .. }
            | Self::OtherPeriod { .. }
            | Self::Differs { .. }
            | Self::NoCandles { .. }
            | Self::Equivocation(_) => Retry::Never,
            Self::Computation(fault) => fault.retry(),
            Self::Chain(fault) => fault.retry(),
            Self::State(fault) => fault.retry(),
        }
    }
}

impl From<StoredForecastError> for AttestationError {
    fn from(error: StoredForecastError) -> Self {
        match error {
            StoredForecastError::State(error) => Self::State(error),
            StoredForecastError::Forecast(error) => Self::Computation(error),
        }
    }
}

impl From<AttestationError> for StageError {
    fn from(fault: AttestationError) -> Self {
        match fault {
            AttestationError::Chain(fault) => Self::Chain(fault),
            AttestationError::State(fault) => Self::State(fault),
            AttestationError::Computation(fault) => Self::Forecast(fault),
            fault => Self::Attest(fault),
        }
    }
}
