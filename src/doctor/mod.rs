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
    pub checks: Vec<Check>,
}

impl Render for Report {
    fn text(&self) -> String {
        let columns = layout::columns().unwrap_or(usize::MAX);
        lines(self.checks.iter().map(|check| shown(check, columns)))
    }
}

/// What was seen so far, and who hears what is being looked at.
struct Seen<'a> {
    checks: Vec<Check>,
    progress: &'a (dyn Fn(&'static str) + Sync),
}

impl Seen<'_> {
    /// Says what comes next.
    fn say(&self, what: &'static str) {
        (self.progress)(what);
    }

    fn add(&mut self, check: Check) {
        self.checks.push(check);
    }
}

/// Looks at everything that settings lead to, where they were read from `source`. With `fork`, also runs the running period's
/// cycle on a copy of the configured chain, made by the anvil that is named there.
pub async fn examine(
    settings: Result<Config, ConfigError>,
    source: String,
    fork: Option<PathBuf>,
    progress: &(dyn Fn(&'static str) + Sync),
) -> Report {
    let mut seen = Seen { checks: Vec::new(), progress };
    match settings {
        Ok(config) => {
            seen.add(Check::ok("settings", source));
            checks::at_everything(&config, &mut seen).await;
            if let Some(anvil) = fork {
                seen.say("cycle on a fork");
                seen.add(fork::check(&config, &anvil).await);
            }
        }
        Err(fault) => seen.add(Check::fail("settings", &fault)),
    }
    Report { healthy: seen.checks.iter().all(|check| check.level != Level::Fail), checks: seen.checks }
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
