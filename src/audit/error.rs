//! What only an audit has a name for.

use alloy::primitives::B256;
use thiserror::Error;

use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;

/// What a watcher cannot look into.
#[derive(Debug, Error)]
pub enum AuditError {
    /// A model without a bundle.
    #[error("model {model_id} {what}, and no bundle here has its manifest {manifest}")]
    UnknownModel { model_id: B256, manifest: Digest, what: &'static str },
}

impl Diagnostic for AuditError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "VR-AUDIT-001",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => {
                "get its bundle from the operator and put it beside model.bundle; until then nothing of it is audited"
            }
        }
    }
}
