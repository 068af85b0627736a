//! What is looked at when somebody asks whether a node can work: everything, and nothing is changed.

mod checks;
mod fork;

use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use crate::config::{Config, ConfigError};
use crate::diagnosis;
use crate::health::{Check, Level};
use crate::render::layout::{self, hanging};
use crate::render::{Render, lines};
use veriregime_core::types::diagnostic::Diagnostic;

/// An error that nobody gave a code of its own.
#[derive(Debug, Error)]
#[error("{0}")]
struct Uncoded(String);

impl Diagnostic for Uncoded {
    fn code(&self) -> &'static str {
        "VR-DOCTOR-004"
    }

    fn hint(&self) -> &'static str {
        "mend what the words name; where they name nothing, report them with this code"
    }
}

/// A check from an error that may have a code inside.
fn failed(name: &'static str, error: &anyhow::Error) -> Check {
    match diagnosis::coded(error) {
        Some(fault) => Check { figure: diagnosis::words(error), ..Check::fail(name, fault) },
        None => Check::fail(name, &Uncoded(diagnosis::words(error))),
    }
}

/// What was seen.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether no check fails.
    pub healthy: bool,
    pub checks: Vec<JobCheck>,
}

/// A check, and the first job that it is about.
#[derive(Debug, Serialize)]
pub struct JobCheck {
    #[serde(skip_serializing_if = "String::is_empty")]
    job: String,
    #[serde(flatten)]
    check: Check,
}

impl Render for Report {
    fn text(&self) -> String {
        let columns = layout::columns().unwrap_or(usize::MAX);
        let mut jobs: Vec<&str> =
            self.checks.iter().map(|one| one.job.as_str()).filter(|job| !job.is_empty()).collect();
        jobs.dedup();
        let mut told = Vec::new();
        let mut before = "";
        for one in &self.checks {
            if jobs.len() > 1 && one.job != before {
                told.push(format!("job {}", one.job));
                before = &one.job;
            }
            told.push(shown(&one.check, columns));
        }
        lines(told)
    }
}

/// What was seen so far, and who hears what is being looked at.
struct Seen<'a> {
    /// Each with the job that it is the first of; none for the settings.
    checks: Vec<(String, Check)>,
    job: String,
    progress: &'a (dyn Fn(&'static str) + Sync),
}

impl Seen<'_> {
    /// Says what comes next.
    fn say(&self, what: &'static str) {
        (self.progress)(what);
    }

    /// What is added from now on is this job's.
    fn begin_job(&mut self, job: &str) {
        job.clone_into(&mut self.job);
    }

    /// Adds a check, unless an earlier job had the same.
    fn add(&mut self, check: Check) {
        if !self.checks.iter().any(|(_, known)| *known == check) {
            self.checks.push((self.job.clone(), check));
        }
    }
}

/// Looks at everything that the settings of these jobs lead to, where they were read from `source`. What is the same for several
/// of them, such as a chain or a wallet, is named once. With `fork`, also runs the running period's
/// cycle on a copy of the configured chain, made by the anvil that is named there.
pub async fn examine(
    settings: Result<Vec<Config>, ConfigError>,
    source: String,
    fork: Option<PathBuf>,
    progress: &(dyn Fn(&'static str) + Sync),
) -> Report {
    let mut seen = Seen { checks: Vec::new(), job: String::new(), progress };
    match settings {
        Ok(jobs) => {
            seen.add(Check::ok("settings", source));
            for config in jobs {
                seen.begin_job(&config.names.job);
                checks::at_everything(&config, &mut seen).await;
                if let Some(anvil) = &fork {
                    seen.say("cycle on a fork");
                    seen.add(fork::check(&config, anvil).await);
                }
            }
        }
        Err(fault) => seen.add(Check::fail("settings", &fault)),
    }
    let healthy = seen.checks.iter().all(|(_, check)| check.level != Level::Fail);
    let checks = seen.checks.into_iter().map(|(job, check)| JobCheck { job, check }).collect();
    Report { healthy, checks }
}

/// A check in lines of at most `columns`: how it came out, its name, what was seen and, below it, what to do.
fn shown(check: &Check, columns: usize) -> String {
    let seen = hanging(&format!("{:5}{:18}", check.level.word(), check.name), &check.figure, columns);
    match (check.code, check.hint) {
        (Some(code), Some(hint)) => {
            let hint = hanging(&" ".repeat(23), &format!("{code}: {hint}"), columns);
            format!("{seen}\n{hint}")
        }
        _ => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::error::ChainError;
    use crate::health::HealthError;

    #[test]
    fn a_check_is_readable_at_eighty_columns() {
        let fault = HealthError::LowBalance { balance: "0.000000000000000001 ether".into(), updates: 0 };
        let shown = shown(&Check::fail("wallet balance", &fault), 80);
        let expected = "fail wallet balance    0.000000000000000001 ether is enough for 0 updates at the\n\
                        \x20                      fee of now\n\
                        \x20                      VR-HEALTH-004: send money to the wallet";
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_error_without_a_code_is_not_called_an_rpc_that_does_not_answer() {
        let error = anyhow::anyhow!("no such folder").context("no port for the relay");
        let check = failed("cycle on a fork", &error);
        assert_eq!(
            (check.code, check.figure.as_str()),
            (Some("VR-DOCTOR-004"), "no port for the relay: no such folder")
        );
        let coded = anyhow::Error::from(ChainError::Lagging { behind_seconds: 90 }).context("the chain");
        assert_eq!(failed("RPC", &coded).code, Some("VR-CHAIN-014"));
    }
}
