//! What is looked at to say whether a node does its work: by itself again and again, and by `doctor` when asked.

pub mod checks;
pub mod monitor;
pub mod vault;

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::job::overview::Failure;
use veriregime_core::types::diagnostic::{Diagnostic, words};
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// The check whether a job works at all.
pub const WORKS: &str = "job";

/// Code of a last update that is too old.
pub const OVERDUE_CODE: &str = "VR-HEALTH-001";

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

impl Level {
    /// The level in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check looks at, widest first: what is wrong with a chain is no job's news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// What the whole process has.
    Node,
    /// A chain and its RPCs.
    Chain,
    /// A key on a chain.
    Wallet,
    /// An exchange.
    Source,
    /// One job.
    Job,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name.
    pub name: &'static str,
    pub level: Level,
    /// What was seen, with its unit.
    pub figure: String,
    /// Stable code of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, figure: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, figure: figure.into(), code: None, hint: None }
    }

    /// It works, and somebody should look.
    pub fn warn(name: &'static str, fault: &dyn Diagnostic) -> Self {
        Self { level: Level::Warn, ..Self::fail(name, fault) }
    }

    /// It does not work.
    pub fn fail(name: &'static str, fault: &dyn Diagnostic) -> Self {
        Self { name, level: Level::Fail, figure: words(fault), code: Some(fault.code()), hint: Some(fault.hint()) }
    }

    /// That a job does not work.
    pub fn of_failure(failure: &Failure) -> Self {
        let Failure { code, message, hint, since_ms, tries } = failure;
        let figure = format!("does not work since {} (try {tries}): {message}", format_utc(*since_ms));
        Self { name: WORKS, level: Level::Fail, figure, code: Some(code), hint: Some(hint) }
    }

    /// What it looks at.
    pub fn about(&self) -> About {
        match self.name {
            "settings" | "database" | "disk" => About::Node,
            "RPC" | "chain head" => About::Chain,
            "keys" | "wallet balance" => About::Wallet,
            "clock" | "candle source" | "tables" => About::Source,
            _ => About::Job,
        }
    }

    /// By how it came out.
    pub fn of<T>(name: &'static str, outcome: Result<T, impl Diagnostic>, figure: impl FnOnce(T) -> String) -> Self {
        match outcome {
            Ok(value) => Self::ok(name, figure(value)),
            Err(fault) => Self::fail(name, &fault),
        }
    }
}

/// What nobody else would call an error.
#[derive(Debug, Error)]
pub enum HealthError {
    /// Nothing landed for too long.
    #[error("the last update is of period {last}, {age_minutes} min old")]
    Overdue { last: PeriodId, age_minutes: i64 },
    /// No update was ever made.
    #[error("the model has no update yet")]
    NoUpdate,
    /// The chain does not move, or our clock is wrong.
    #[error("the newest block is {age_seconds} s old by our clock")]
    OldHead { age_seconds: i64 },
    /// The money will run out.
    #[error("{balance} is enough for {updates} updates at the fee of now")]
    LowBalance { balance: String, updates: u64 },
    /// The disk will be full.
    #[error("{free_mb} MB are free for the database")]
    LowDisk { free_mb: u64 },
    /// A check that did not end.
    #[error("no result after {} s", after.as_secs())]
    NoResult { after: Duration },
    /// The checks themselves have stopped, or have not begun.
    #[error("nothing was checked lately")]
    NotChecked,
    /// The files of the model are other ones than those that the node started with.
    #[error("the bundle on disk is not the one that runs")]
    OtherBundle,
    /// A forecast far above what electricity has cost.
    #[error("electricity is forecast to cost {percent} % more than in the last month: {prices}")]
    DearElectricity { percent: i64, prices: String },
    /// A vault's budget in all.
    #[error("the vault may sell {left} more in all, enough for {weeks} weeks")]
    LowBudget { left: String, weeks: u64 },
    /// A vault that cannot pay what it is to cover.
    #[error("the vault holds {held}, the days that it does not cover yet need {need}")]
    UncoveredNeed { held: String, need: String },
}

impl Diagnostic for HealthError {
    fn code(&self) -> &'static str {
        match self {
            Self::Overdue { .. } => OVERDUE_CODE,
            Self::NoUpdate => "VR-HEALTH-002",
            Self::OldHead { .. } => "VR-HEALTH-003",
            Self::LowBalance { .. } => "VR-HEALTH-004",
            Self::LowDisk { .. } => "VR-HEALTH-005",
            Self::NoResult { .. } => "VR-HEALTH-006",
            Self::NotChecked => "VR-HEALTH-007",
            Self::OtherBundle => "VR-HEALTH-008",
            Self::DearElectricity { .. } => "VR-HEALTH-009",
            Self::LowBudget { .. } => "VR-HEALTH-010",
            Self::UncoveredNeed { .. } => "VR-HEALTH-011",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Overdue { .. } => "see `status` for the reason of the missed periods",
            Self::NoUpdate => "nothing if the contract is new: wait for the first cycle",
            Self::OldHead { .. } => "check this machine's clock and whether the node of chain.rpc_url is in sync",
            Self::LowBalance { .. } => "send money to the wallet",
            Self::LowDisk { .. } => "free some space on the disk of state.path",
            Self::NoResult { .. } => "look at what the check asks: it answers too slowly",
            Self::NotChecked => "wait for the first checks; restart the node if this stays",
            Self::DearElectricity { .. } => "nothing: it is a forecast; the vault sells by it, within its terms",
            Self::LowBudget { .. } => {
                "let the vault's owner set terms with a larger max_in_all_sats, if sales are to go on"
            }
            Self::UncoveredNeed { .. } => "send WBTC to the vault, or cover less",
            Self::OtherBundle => "restart the node to run the model on disk, or put the other one back",
        }
    }
}
