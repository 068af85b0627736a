//! What a job is doing, as answers tell it and as `status` reads it.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::job::overview::{Activity, Failure};
use veriregime_core::types::time::format_utc;

/// What a job is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivityView {
    /// `starting`, `waiting` for its next cycle, `running` one, or `failed`.
    #[schema(example = "waiting")]
    pub state: String,
    /// When its next cycle begins, while it waits.
    pub until_utc: Option<String>,
    /// Why it does not work; it is tried again.
    pub failure: Option<FailureView>,
}

/// Why a job does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailureView {
    /// Stable code.
    #[schema(example = "VR-PROVE-003")]
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Since when it has not worked.
    pub since_utc: String,
    /// How often it was tried since then.
    pub tries: u32,
}

impl ActivityView {
    /// Of a job's.
    pub fn of(activity: &Activity) -> Self {
        let (state, until_ms, failure) = match activity {
            Activity::Starting => ("starting", None, None),
            Activity::Waiting { until_ms } => ("waiting", Some(*until_ms), None),
            Activity::Running => ("running", None, None),
            Activity::Failed(failure) => ("failed", None, Some(FailureView::of(failure))),
        };
        Self { state: state.into(), until_utc: until_ms.map(format_utc), failure }
    }
}

impl FailureView {
    fn of(failure: &Failure) -> Self {
        let Failure { code, message, hint, since_ms, tries } = failure;
        Self {
            code: (*code).into(),
            message: message.clone(),
            hint: (*hint).into(),
            since_utc: format_utc(*since_ms),
            tries: *tries,
        }
    }
}

impl fmt::Display for ActivityView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.state)?;
        if let Some(until) = &self.until_utc {
            write!(f, " until {until}")?;
        }
        if let Some(FailureView { code, message, hint, since_utc, tries }) = &self.failure {
            write!(f, " since {since_utc} (try {tries}): {code} {message}; {hint}")?;
        }
        Ok(())
    }
}
