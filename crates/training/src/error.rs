//! Why no model comes out of a training run.

use std::path::PathBuf;

use thiserror::Error;

use veriregime_core::features::FeatureError;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_files::FileError;

/// Why no model comes out of a training run.
#[derive(Debug, Error)]
pub enum TrainingError {
    /// Settings that no run can follow.
    #[error("{reason}")]
    Settings { reason: String },
    /// Training settings where the agent's are named.
    #[error("--config names the agent's settings, and {} holds training settings", path.display())]
    Misplaced { path: PathBuf },
    /// A part of the split is nearly empty.
    #[error("{part} has {found} samples, at least {needed} are needed")]
    TooFew { part: String, found: usize, needed: usize },
    /// A feature that has the same value everywhere.
    #[error("{feature} never changes over the training split")]
    Constant { feature: String },
    /// Losses that are not numbers.
    #[error("the loss was never a finite number")]
    Diverged,
    /// An unfinished run that must not be lost by accident.
    #[error("an unfinished run lies in {}", folder.display())]
    Unfinished { folder: PathBuf },
    /// An unfinished run with other settings, candles or backend.
    #[error("the run in {} has other settings, candles or backend", folder.display())]
    OtherRun { folder: PathBuf },
    /// A checkpoint that cannot be gone on from.
    #[error("the checkpoint cannot be used: {reason}")]
    Checkpoint { reason: String },
    /// Only one regime occurs.
    #[error("{part} holds only one regime")]
    OneClass { part: String },
    /// A network that a bundle keeps to be compared with contradicts itself.
    #[error("a network to compare with cannot be used: {reason}")]
    Teacher { reason: String },
    /// No adapter for the graphics backend.
    #[error("there is nothing to compute on: {reason}")]
    NoDevice { reason: String },
    /// Candle files that are not those of the markets.
    #[error("{reason}")]
    Markets { reason: String },
    /// The features cannot be computed.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Diagnostic for TrainingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "VR-TRAIN-001",
            Self::TooFew { .. } => "VR-TRAIN-002",
            Self::Constant { .. } => "VR-TRAIN-003",
            Self::Diverged => "VR-TRAIN-004",
            Self::Unfinished { .. } => "VR-TRAIN-005",
            Self::OtherRun { .. } => "VR-TRAIN-006",
            Self::Checkpoint { .. } => "VR-TRAIN-007",
            Self::OneClass { .. } => "VR-TRAIN-008",
            Self::Teacher { .. } => "VR-TRAIN-009",
            Self::NoDevice { .. } => "VR-TRAIN-010",
            Self::Misplaced { .. } => "VR-TRAIN-011",
            Self::Markets { .. } => "VR-TRAIN-013",
            Self::Features(error) => error.code(),
            Self::File(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "correct this key in the training settings",
            Self::Misplaced { .. } => "name them by --settings",
            Self::TooFew { .. } => {
                "give candles that cover the dates in the training settings and the longest look-back before them"
            }
            Self::Constant { .. } => "drop the feature, or look at the candles with `candles check`",
            Self::Diverged => "lower step.learning_rate of this network",
            Self::Unfinished { .. } => "go on with --resume, or throw it away with --discard",
            Self::OtherRun { .. } => {
                "give the settings and data of that run, or another folder; `train` throws it away with --discard"
            }
            Self::Checkpoint { .. } => "throw the run away with --discard",
            Self::OneClass { .. } => "choose another label.threshold or other dates",
            Self::Teacher { .. } => "restore the bundle, or train it again",
            Self::NoDevice { .. } => "install a Vulkan driver, or train with --device cpu",
            Self::Markets { .. } => "give a file for each market, as --candles NAME=FILE; one market needs no name",
            Self::Features(error) => error.hint(),
            Self::File(error) => error.hint(),
        }
    }
}
