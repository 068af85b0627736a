//! What a contract's refusal means for a job, whichever contract it is.

use std::time::Duration;

use thiserror::Error;

use veriregime_core::types::diagnostic::Retry;
use veriregime_core::types::period::PeriodId;

/// Pause before a contract is asked again that refuses for the moment.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

/// A refusal, and what the contract says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{words}")]
pub struct Refusal {
    pub meaning: Meaning,
    /// In words.
    pub words: String,
    /// What to do about the contract's error, where it is known.
    pub advice: Option<&'static str>,
}

/// What is to be made of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// What the job would do has been done for the period.
    AlreadyDone,
    /// The period is over.
    Over,
    /// The period has not begun for the chain.
    TooEarly { period: PeriodId },
    /// There is nothing to do in the period, and nothing wrong.
    Nothing,
    /// Not now; what keeps it may pass within the period.
    NotYet { pause: Duration },
    /// Not as long as the owner says so: no fault.
    Paused { pause: Duration },
    /// The key that attests is not in the contract's set.
    NotAttestor,
    /// Nobody gives a reason. That may be a node's own trouble.
    Silent,
    /// Asking again gets the same answer.
    Final,
}

impl Refusal {
    /// With the contract's words.
    pub fn new(meaning: Meaning, words: impl Into<String>) -> Self {
        Self { meaning, words: words.into(), advice: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn advised(self, advice: Option<&'static str>) -> Self {
        Self { advice, ..self }
    }

    /// What the operator should do next.
    pub fn hint(&self) -> &'static str {
        match (self.advice, self.meaning) {
            (Some(advice), _) => advice,
            (None, Meaning::Silent) => {
                "nothing: it is asked again; if it goes on, check chain.rpc_url and that chain.oracle is a RiskOracle"
            }
            (None, _) => "read the contract's error; nothing was spent",
        }
    }

    /// When it may be tried again.
    pub fn retry(&self) -> Retry {
        match self.meaning {
            Meaning::TooEarly { .. } | Meaning::Silent => Retry::Later(PAUSE),
            Meaning::NotYet { pause } | Meaning::Paused { pause } => Retry::Later(pause),
            _ => Retry::Never,
        }
    }
}
