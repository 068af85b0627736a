//! What can be wrong with trees.

use thiserror::Error;

use crate::types::diagnostic::Diagnostic;

/// Why trees cannot be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TreesError {
    /// Not a file that XGBoost 2 saved as JSON.
    #[error("not XGBoost's JSON: {reason}")]
    NotXgboost { reason: String },
    /// XGBoost's, but something that plain sums of numeric trees do not cover.
    #[error("{field} is {found}, only {supported} is supported")]
    Unsupported { field: &'static str, found: String, supported: &'static str },
    /// A tree that is none.
    #[error("the trees are malformed: {reason}")]
    Malformed { reason: String },
    /// More than is taken, or nothing.
    #[error("{found} {what}, between 1 and {most} are taken")]
    TooLarge { what: &'static str, found: usize, most: usize },
    /// A row that the trees do not take.
    #[error("the row {reason}")]
    Row { reason: String },
    /// The integer grid cannot hold a number.
    #[error("{what} needs {bits} bits on its grid, at most {limit} are safe")]
    Grid { what: String, bits: u32, limit: u32 },
}

impl Diagnostic for TreesError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotXgboost { .. } => "VR-TREES-001",
            Self::Unsupported { .. } => "VR-TREES-002",
            Self::Malformed { .. } => "VR-TREES-003",
            Self::TooLarge { .. } => "VR-TREES-004",
            Self::Row { .. } => "VR-TREES-005",
            Self::Grid { .. } => "VR-TREES-006",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotXgboost { .. } => "save the model with XGBoost 2's save_model(\"name.json\")",
            Self::Unsupported { .. } => {
                "train it again with booster gbtree, one target and an objective without a link"
            }
            Self::Malformed { .. } => "restore the file from where it was published",
            Self::TooLarge { .. } => "train fewer or smaller trees",
            Self::Row { .. } => "give every column of the model one finite number, in its order",
            Self::Grid { .. } => "choose a coarser grid for that column, or for the leaves",
        }
    }
}
