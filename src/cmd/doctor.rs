//! `doctor`: looks at everything that a node needs, and changes nothing.

pub mod checks;
mod fork;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use thiserror::Error;

use super::EXIT_DONE;
use crate::health::{Check, Level};
use crate::node::assemble;
use crate::render::layout::{self, hanging};
use veriregime_core::types::diagnostic::Diagnostic;

/// Something does not work.
const EXIT_SICK: u8 = 3;

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

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml doctor
  veriregime-agent --config agent.toml doctor --json
  veriregime-agent --config agent.toml doctor --fork    a whole cycle, proof and transaction, on a copy of the chain

It reads and asks, and changes nothing. With --fork, anvil makes a copy of the configured chain on this machine; the cycle
knows no other chain, its transactions carry another chain id, and the wallet's money there is made up.
Exit status: 0 nothing fails (warnings may be there), 1 error, 3 something fails.")]
pub struct DoctorArgs {
    /// Also run the running period's cycle on a fork of the configured chain.
    #[arg(long)]
    fork: bool,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM", requires = "fork")]
    anvil: Option<PathBuf>,
}

/// Looks, and says what it saw.
///
/// # Errors
/// Only what keeps it from looking at all.
pub async fn run(args: DoctorArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let mut seen = Seen::begin();
    match assemble::settings(settings) {
        Ok(config) => {
            seen.add(Check::ok(
                "settings",
                settings.map_or_else(|| "defaults".into(), |path| path.display().to_string()),
            ));
            checks::at_everything(&config, &mut seen).await;
            if args.fork {
                seen.say("cycle on a fork");
                seen.add(fork::check(&config, args.anvil).await);
            }
        }
        Err(fault) => seen.add(Check::fail("settings", &fault)),
    }
    let checks = seen.end();
    let worst = checks.iter().map(|check| check.level).max().unwrap_or(Level::Ok);
    if json {
        println!("{}", json!({"healthy": worst != Level::Fail, "checks": checks}));
    } else {
        let columns = layout::columns().unwrap_or(usize::MAX);
        for check in &checks {
            println!("{}", shown(check, columns));
        }
    }
    Ok(if worst == Level::Fail { EXIT_SICK } else { EXIT_DONE })
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

/// What was seen so far. On a terminal it says what is being looked at.
struct Seen {
    checks: Vec<Check>,
    bar: ProgressBar,
}

impl Seen {
    fn begin() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { checks: Vec::new(), bar }
    }

    /// Says what comes next.
    fn say(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    fn end(self) -> Vec<Check> {
        self.bar.finish_and_clear();
        self.checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
