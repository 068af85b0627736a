//! What somebody is to be told without having asked.

use std::fmt;

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};

use super::period::PeriodId;

/// What an alert or a check is about: a job, or what jobs share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// One job, by its name in the settings.
    Job { job: String, chain_id: u64 },
    /// A key that signs on a chain.
    Wallet { wallet: Address, chain_id: u64 },
    /// A chain, and its RPCs.
    Chain { chain_id: u64 },
    /// An exchange, by its name in the settings.
    Source { source: String },
    /// What the whole process has: its disk, its database, its settings.
    Node {},
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job { job, chain_id } => write!(f, "job {job} on chain {chain_id}"),
            Self::Wallet { wallet, chain_id } => write!(f, "wallet {wallet} on chain {chain_id}"),
            Self::Chain { chain_id } => write!(f, "chain {chain_id}"),
            Self::Source { source } => write!(f, "source {source}"),
            Self::Node {} => f.write_str("this node"),
        }
    }
}

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
    #[serde(flatten)]
    pub subject: Subject,
    /// Which alert of its subject it is: said once, and again only after some time.
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

/// An alert with the time since when it was seen to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAlert {
    pub alert: Alert,
    /// When it was first seen, Unix milliseconds.
    pub since_ms: i64,
}

/// An alert that was delivered and whose end was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredAlert {
    pub subject: Subject,
    pub key: String,
    pub occurrence: String,
    pub code: String,
    pub text: String,
    /// When it was first delivered, Unix milliseconds.
    pub since_ms: i64,
    /// When it was last delivered.
    pub told_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_was_written() {
        let subjects = [
            Subject::Job { job: "btc".into(), chain_id: 1 },
            Subject::Wallet { wallet: Address::repeat_byte(1), chain_id: 1 },
            Subject::Chain { chain_id: 1 },
            Subject::Source { source: "okx".into() },
            Subject::Node {},
        ];
        for subject in subjects {
            let text = serde_json::to_string(&subject).unwrap();
            assert_eq!(serde_json::from_str::<Subject>(&text).unwrap(), subject, "{text}");
        }
    }
}
