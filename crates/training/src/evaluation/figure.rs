//! A number with its uncertainty.

use serde::{Deserialize, Serialize};

/// A number with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// Standard deviation over resampled blocks of days; none where there are too few days.
    pub standard_error: Option<f64>,
}
