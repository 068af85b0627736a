//! Which edition of a table was used: publishers revise what they have published.

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::origin::FailedSource;

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vintage {
    /// When, UTC.
    pub time: String,
    /// Name of the table.
    pub table: String,
    /// Where from.
    pub url: String,
    /// SHA-256 of the answer as it came.
    pub sha256: Digest,
    /// Rows after it: those of the answer, and earlier ones that it does not have.
    pub rows: usize,
    /// Rows that were not there before.
    pub added: usize,
    /// Rows whose number is another than before.
    pub revised: usize,
}

/// Where the tables of a cycle came from: kept with it as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablesOrigin {
    /// What was fetched for the cycle.
    pub vintages: Vec<Vintage>,
    /// The publishers that failed: of their tables the last edition counts that there was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedSource>,
}
