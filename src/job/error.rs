//! One type for whatever can stop a cycle.

use std::time::Duration;

use thiserror::Error;

use crate::actions::error::ActionError;
use crate::attestation::error::AttestationError;
use crate::chain::error::ChainError;
use crate::evidence::EvidenceError;
use crate::forecast::StoredForecastError;
use crate::sources::candles::error::CandleError;
use crate::sources::tables::error::TableError;
use crate::sources::yields::error::YieldError;
use crate::state::error::StateError;
use crate::verification::error::ProofError;
use veriregime_core::forecast::ForecastError;
use veriregime_core::hedge::electricity::ElectricityError;
use veriregime_core::types::candle::SeriesError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::period::PeriodId;
use veriregime_core::yields::model::StrategyError;

/// Pause before the exchange is asked for the last candle again.
const CANDLE_PAUSE: Duration = Duration::from_secs(2);
/// Pause before a market of several is asked for again whose candles no asking seems to mend.
const MARKET_PAUSE: Duration = Duration::from_secs(10);
/// Pause before tables are fetched again: what is wrong with them, their publisher may mend.
const TABLE_PAUSE: Duration = Duration::from_mins(5);
/// Pause before the wallet's nonce is looked at again.
const WALLET_PAUSE: Duration = Duration::from_secs(2);

/// Why a step of a cycle failed.
#[derive(Debug, Error)]
pub enum StageError {
    #[error(transparent)]
    Candles(#[from] CandleError),
    #[error(transparent)]
    Data(#[from] SeriesError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Forecast(#[from] ForecastError),
    #[error(transparent)]
    Tables(#[from] TableError),
    #[error(transparent)]
    Electricity(#[from] ElectricityError),
    #[error(transparent)]
    Yields(#[from] YieldError),
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Action(#[from] ActionError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    CycleError(#[from] CycleError),
    #[error(transparent)]
    Attest(AttestationError),
    /// Candles that cannot be had, of one market among several: it is omitted in the end, so nothing ends before.
    #[error("{0}")]
    OfOneMarket(Box<StageError>),
}

impl StageError {
    /// Whether another source may do better: what an exchange does, and not what we ask of it or do with it.
    pub(super) fn is_of_exchange(&self) -> bool {
        match self {
            Self::Data(_) => true,
            Self::Candles(error) => !matches!(
                error,
                CandleError::Range { .. }
                    | CandleError::Settings { .. }
                    | CandleError::Disagreement(_)
                    | CandleError::NoWitness { .. }
                    | CandleError::File(_)
            ),
            _ => false,
        }
    }
}

/// What goes wrong with a cycle's time.
#[derive(Debug, Clone, Copy, Error)]
pub enum CycleError {
    /// The period ended first.
    #[error("the period ended before the update landed")]
    Deadline,
    /// The last minute before the period is not published yet.
    #[error("the exchange has not published the last candle before the period")]
    Unsettled,
    /// The update's transaction was replaced by one that does nothing.
    #[error("the update was cancelled before it landed")]
    Cancelled,
    /// The wallet was used by something that is not this database's agent.
    #[error("the wallet has sent {sent} transactions, this database knows of {known}: something else uses its key")]
    DuplicateSigner { sent: u64, known: u64 },
    /// A transaction of an earlier period holds the nonce.
    #[error("the transaction of period {period} with nonce {nonce} is not mined yet")]
    NonceHeld { period: PeriodId, nonce: u64 },
    /// The node went over to another model while the update waited to be mined.
    #[error("the node went over to another model before the update landed")]
    Superseded,
    /// The manifest of a model that was replaced is nowhere.
    #[error("the manifest {0} of an earlier model is not at hand")]
    UnknownModel(Digest),
    /// The schedule has ended.
    #[error("the schedule has no further tick")]
    NoTick,
    /// Nobody ran the cycle in its period.
    #[error("the agent was not running in this period")]
    Absent,
}

impl Diagnostic for CycleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Deadline => "VR-CYCLE-001",
            Self::Unsettled => "VR-CYCLE-002",
            Self::Absent => "VR-CYCLE-003",
            Self::Cancelled => "VR-CYCLE-004",
            Self::DuplicateSigner { .. } => "VR-CYCLE-005",
            Self::Superseded => "VR-CYCLE-006",
            Self::UnknownModel(_) => "VR-CYCLE-007",
            Self::NoTick => "VR-CYCLE-008",
            Self::NonceHeld { .. } => "VR-CHAIN-016",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Deadline => "look for slow stages in the log of this period; nothing lands late",
            Self::Unsettled => "nothing: it is asked for again; raise schedule.delay_seconds if this happens often",
            Self::Cancelled => {
                "nothing if you cancelled it; else it was not mined in time: raise chain.max_fee_per_gas_gwei, or look at the RPCs"
            }
            Self::DuplicateSigner { .. } => {
                "nothing if the database is new or you used the wallet: once it is quiet for replica.quiet_seconds the cycle goes on; else stop the other agent with this key"
            }
            Self::NonceHeld { .. } => {
                "nothing: it is being cancelled, up to chain.max_cancel_fee_per_gas_gwei; `tx list` shows it"
            }
            Self::Absent => "keep the daemon running, or run a second one",
            Self::Superseded => "nothing: the present model has a cycle of its own",
            Self::NoTick => "let schedule.cron go on, and start again",
            Self::UnknownModel(_) => "put that model's bundle beside the present one and restart: evidence needs it",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unsettled => Retry::Later(CANDLE_PAUSE),
            Self::DuplicateSigner { .. } | Self::NonceHeld { .. } => Retry::Later(WALLET_PAUSE),
            Self::Deadline
            | Self::Cancelled
            | Self::Absent
            | Self::Superseded
            | Self::UnknownModel(_)
            | Self::NoTick => Retry::Never,
        }
    }
}

impl From<ChainError> for StageError {
    fn from(fault: ChainError) -> Self {
        Self::Action(fault.into())
    }
}

impl From<AttestationError> for StageError {
    fn from(fault: AttestationError) -> Self {
        match fault {
            AttestationError::Chain(fault) => fault.into(),
            AttestationError::State(fault) => Self::State(fault),
            fault => Self::Attest(fault),
        }
    }
}

impl From<StoredForecastError> for StageError {
    fn from(error: StoredForecastError) -> Self {
        match error {
            StoredForecastError::State(error) => Self::State(error),
            StoredForecastError::Forecast(error) => Self::Forecast(error),
            StoredForecastError::Electricity(error) => Self::Electricity(error),
            StoredForecastError::Strategy(error) => Self::Strategy(error),
        }
    }
}

impl StageError {
    fn inner(&self) -> &dyn Diagnostic {
        match self {
            Self::Candles(fault) => fault,
            Self::Data(fault) => fault,
            Self::Manifest(fault) => fault,
            Self::Forecast(fault) => fault,
            Self::Tables(fault) => fault,
            Self::Electricity(fault) => fault,
            Self::Yields(fault) => fault,
            Self::Strategy(fault) => fault,
            Self::Proof(fault) => fault,
            Self::Action(fault) => fault,
            Self::State(fault) => fault,
            Self::Evidence(fault) => fault,
            Self::CycleError(fault) => fault,
            Self::Attest(fault) => fault,
            Self::OfOneMarket(fault) => fault.inner(),
        }
    }
}

impl Diagnostic for StageError {
    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn hint(&self) -> &'static str {
        self.inner().hint()
    }

    fn retry(&self) -> Retry {
        match self {
            Self::OfOneMarket(_) => Retry::Later(MARKET_PAUSE),
            Self::Tables(_) | Self::Yields(_) | Self::Electricity(ElectricityError::Refused(_)) => {
                Retry::Later(TABLE_PAUSE)
            }
            _ => self.inner().retry(),
        }
    }
}
