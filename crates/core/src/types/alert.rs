//! What somebody is to be told without having asked.

use serde::Serialize;

use super::period::PeriodId;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Work is lost while it lasts.
    Critical,
    /// It works, and somebody should look.
    Warning,
}

/// Something that holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// What it is about: said once, and again only after some time.
    pub key: String,
    /// Which time it is: with another one it is said at once. Empty where one time is like another.
    #[serde(skip)]
    pub occurrence: String,
    /// Stable code.
    pub code: String,
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub text: String,
    /// The period that it is about.
    pub period: Option<PeriodId>,
    /// What to do about it.
    pub hint: String,
}

/// An alert that was delivered and whose end was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredAlert {
    pub key: String,
    pub occurrence: String,
    pub code: String,
    pub text: String,
    /// When it was first delivered, Unix milliseconds.
    pub since_ms: i64,
    /// When it was last delivered.
    pub told_ms: i64,
}
