//! Telling somebody: what holds, said once to a webhook, again after a while, and when it is over.

pub mod conditions;
pub mod notifier;
pub mod state;
pub mod webhook;

use thiserror::Error;

use veriregime_core::types::diagnostic::Diagnostic;

/// Why nobody is told, or what only alerts have a name for.
#[derive(Debug, Error)]
pub enum AlertError {
    /// The file with the webhook's address is not usable.
    #[error("the webhook's file {path} is not usable: {reason}")]
    File { path: String, reason: String },
    /// The webhook does not take the message.
    #[error("the webhook does not take the message: {0}")]
    Delivery(String),
    /// A cycle that goes on for too long.
    #[error("the cycle has worked for {minutes} min and is at stage {stage}")]
    Stuck { minutes: i64, stage: &'static str },
    /// Candles came from another source than the first.
    #[error("candles came from {used}, not from {}", failed.join(", "))]
    Fallback { used: String, failed: Vec<String> },
    /// An update that does not hold what it says.
    #[error("the audit says: {verdict}; transaction {transaction}")]
    Audit { verdict: &'static str, transaction: String },
}

impl Diagnostic for AlertError {
    fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "VR-ALERT-001",
            Self::Delivery(_) => "VR-ALERT-002",
            Self::Stuck { .. } => "VR-ALERT-003",
            Self::Fallback { .. } => "VR-ALERT-004",
            Self::Audit { .. } => "VR-ALERT-005",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => {
                "write the webhook's https address into the file and `chmod 600` it (440 for a group of this process alone)"
            }
            Self::Delivery(_) => {
                "look up what the webhook says; Discord wants /slack at the end of its address; it is tried again"
            }
            Self::Stuck { .. } => "look for lines with a code in the log of this period",
            Self::Fallback { .. } => "look at the first source; an attestor or auditor who uses it gets other features",
            Self::Audit { .. } => "run `audit --period` and compare candles; the operator has something to explain",
        }
    }
}
