//! What only an audit has a name for.

use alloy::primitives::B256;
use thiserror::Error;

use veriregime_core::types::digest::Digest;
use veriregime_core::types::diagnostic::Fault;

/// What a watcher cannot look into.
#[derive(Debug, Error)]
pub enum AuditFault {
    /// A model without a bundle.
    #[error("model {model_id} {what}, and no bundle here has its manifest {manifest}")]
    UnknownModel { model_id: B256, manifest: Digest, what: &'static str },
}

impl Fault for AuditFault {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => "VR-AUDIT-001",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::UnknownModel { .. } => {
                "get its bundle from the operator and put it beside model.bundle; until then nothing of it is audited"
            }
        }
    }
}
