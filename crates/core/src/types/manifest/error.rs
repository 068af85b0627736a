//! Why a manifest is refused.

use std::fmt::Display;

use thiserror::Error;

use super::verification::Way;
use crate::types::diagnostic::Diagnostic;
use crate::types::period::Grid;

/// What is wrong with a manifest, or what it is not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// A manifest from before inputs, models and verification had kinds.
    #[error("it is a manifest of schema 1")]
    OldSchema,
    /// A manifest that cannot be understood or contradicts itself.
    #[error("{0}")]
    Invalid(String),
    /// A model of another kind than a regime job needs.
    #[error("a regime job cannot run this model: {0}")]
    NotRegime(String),
    /// A grid that the contract of regime jobs does not know.
    #[error("the model's periods have {} s from {} s on, a regime job's divide a week, have whole minutes, at most a day, and begin at 0 s", found.period_seconds, found.offset_seconds)]
    Grid { found: Grid },
    /// A bundle without the wanted way of verification.
    #[error("the bundle cannot be verified by {way}")]
    NoVerification { way: Way },
    /// A way that cannot do a model with lookups.
    #[error("an LSTM looks sigmoids up and rounds, which {way} cannot do: ezkl is the only way to verify it")]
    OnlyEzkl { way: Way },
}

impl ManifestError {
    /// [`ManifestError::Invalid`] for that reason.
    pub fn invalid(reason: impl Display) -> Self {
        Self::Invalid(reason.to_string())
    }

    /// [`ManifestError::NotRegime`] for that reason.
    pub fn not_regime(reason: impl Display) -> Self {
        Self::NotRegime(reason.to_string())
    }
}

impl Diagnostic for ManifestError {
    fn code(&self) -> &'static str {
        match self {
            Self::OldSchema => "VR-MANIFEST-001",
            Self::NotRegime(_) => "VR-MANIFEST-002",
            Self::Grid { .. } => "VR-MANIFEST-003",
            Self::NoVerification { .. } => "VR-MANIFEST-004",
            Self::OnlyEzkl { .. } => "VR-MANIFEST-007",
            Self::Invalid(_) => "VR-PROVE-005",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::OldSchema => "convert the bundle with `veriregime-agent models upgrade FOLDER`",
            Self::NotRegime(_) | Self::Grid { .. } => {
                "give the job a bundle that `train` made, or run this one by the kind of job that it is for"
            }
            Self::NoVerification { .. } => {
                "give the bundle that way with `veriregime-agent models set-up ID --way WAY`, or the job another one"
            }
            Self::OnlyEzkl { .. } => {
                "set `verification = \"ezkl\"`, or give the job a model of `--form ridge` or `--form square`, which every way can do"
            }
            Self::Invalid(_) => "restore the bundle from where it was published; never edit its files",
        }
    }
}
