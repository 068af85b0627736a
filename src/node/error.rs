//! What goes wrong with a job as a whole.

use thiserror::Error;

use crate::diagnosis;
use crate::job::overview::Failure;
use veriregime_core::types::diagnostic::Diagnostic;

/// What nobody else would call an error.
#[derive(Debug, Error)]
pub enum NodeError {
    /// A bug.
    #[error("the job broke off with a panic: {0}")]
    Panicked(String),
    /// Something that no module has a code for.
    #[error("the job does not work: {0}")]
    Other(String),
}

impl Diagnostic for NodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Panicked(_) => "VR-NODE-001",
            Self::Other(_) => "VR-NODE-002",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Panicked(_) => "report this with the log; the job goes on from its last stored stage",
            Self::Other(_) => "see the message, and `config check`",
        }
    }
}

/// Why a job does not work since `since_ms`, for whoever is told.
pub(super) fn failure(error: &anyhow::Error, since_ms: i64, tries: u32) -> Failure {
    let of =
        |fault: &dyn Diagnostic, message| Failure { code: fault.code(), message, hint: fault.hint(), since_ms, tries };
    let message = diagnosis::words(error);
    match (error.downcast_ref::<NodeError>(), diagnosis::coded(error)) {
        (Some(fault), _) => of(fault, message),
        (None, Some(fault)) => of(fault, message),
        (None, None) => of(&NodeError::Other(message.clone()), message),
    }
}
