//! What a comparison by candles is asked for, and what it finds.

use crate::bundle::Bundle;
use crate::bundle::registry::figures::{Score, TestRows};

/// A version: its name, and its bundle.
pub type Version<'a> = (&'a str, &'a Bundle);

/// What two versions score on the same rows.
#[derive(Debug)]
pub struct Measured {
    /// The rows.
    pub rows: TestRows,
    /// Of the first and of the second version.
    pub scores: [Vec<Score>; 2],
}
