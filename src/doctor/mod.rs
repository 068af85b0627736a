//! What is looked at when somebody asks whether a node can work: everything, and nothing is changed.

mod checks;
mod fork;
mod roles;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use serde::Serialize;
use thiserror::Error;

use crate::config::ConfigError;
use crate::config::jobs::NodeConfig;
use crate::diagnosis;
use crate::health::{About, Check, Level};
use crate::node::assemble;
use crate::render::layout::{self, hanging};
use crate::render::{Render, lines};
use veriregime_core::types::alert::Subject;
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
    checks: Vec<Finding>,
    /// Whether the settings have several jobs.
    #[serde(skip)]
    is_of_several: bool,
}

/// A check, and what it is about: a job, or what jobs share.
#[derive(Debug, Serialize)]
struct Finding {
    #[serde(flatten)]
    subject: Subject,
    #[serde(flatten)]
    check: Check,
}

impl Render for Report {
    fn text(&self) -> String {
        let columns = layout::columns().unwrap_or(usize::MAX);
        if !self.is_of_several {
            return lines(self.checks.iter().map(|one| shown(&one.check, columns)));
        }
        let mut subjects: Vec<&Subject> = Vec::new();
        for one in &self.checks {
            if !subjects.contains(&&one.subject) {
                subjects.push(&one.subject);
            }
        }
        subjects.sort_by_key(|subject| place(subject));
        lines(subjects.into_iter().flat_map(|subject| {
            let of_subject = self.checks.iter().filter(move |one| one.subject == *subject);
            [subject.to_string()].into_iter().chain(of_subject.map(|one| shown(&one.check, columns)))
        }))
    }
}

/// What is shared comes first.
fn place(subject: &Subject) -> About {
    match subject {
        Subject::Node {} => About::Node,
        Subject::Chain { .. } => About::Chain,
        Subject::Wallet { .. } => About::Wallet,
        Subject::Source { .. } => About::Source,
        Subject::Job { .. } => About::Job,
    }
}

/// What was seen so far, and who hears what is being looked at.
struct Seen<'a> {
    checks: Vec<Finding>,
    /// The job that is looked at, and its chain.
    job: (String, u64),
    /// What of several jobs was looked at already.
    shared: BTreeSet<String>,
    progress: &'a (dyn Fn(&'static str) + Sync),
}

impl Seen<'_> {
    /// Says what comes next.
    fn say(&self, what: &'static str) {
        (self.progress)(what);
    }

    /// Whether a thing of that kind and name was not looked at for an earlier job. From now on it was.
    fn is_first(&mut self, kind: &str, name: &str) -> bool {
        self.shared.insert(format!("{kind} {name}"))
    }

    /// Adds a check of the job, of its chain or of the node.
    fn add(&mut self, check: Check) {
        let (job, chain_id) = self.job.clone();
        let subject = match check.about() {
            About::Node => Subject::Node {},
            About::Chain => Subject::Chain { chain_id },
            About::Wallet | About::Source | About::Job => Subject::Job { job, chain_id },
        };
        self.checks.push(Finding { subject, check });
    }

    /// Adds a check of a wallet.
    fn add_of_wallet(&mut self, wallet: Address, check: Check) {
        self.checks.push(Finding { subject: Subject::Wallet { wallet, chain_id: self.job.1 }, check });
    }

    /// Adds a check of a source.
    fn add_of_source(&mut self, source: &str, check: Check) {
        self.checks.push(Finding { subject: Subject::Source { source: source.to_owned() }, check });
    }
}

/// Looks at everything that the settings of all jobs, or of the one named `only`, lead to, where they were read from `source`.
/// What several of them share, such as a chain or a wallet, is looked at once. With `fork`, also runs the running period's cycle
/// on a copy of the configured chain, made by the anvil that is named there. Records of deployments are looked for in `records`.
pub async fn examine(
    settings: Result<NodeConfig, ConfigError>,
    only: Option<&str>,
    source: String,
    fork: Option<PathBuf>,
    records: &Path,
    progress: &(dyn Fn(&'static str) + Sync),
) -> Report {
    let mut seen = Seen { checks: Vec::new(), job: (String::new(), 0), shared: BTreeSet::new(), progress };
    let mut is_of_several = false;
    match settings.and_then(|node| Ok((node.chosen(only)?.to_vec(), node))) {
        Ok((jobs, node)) => {
            is_of_several = jobs.len() > 1;
            seen.add(Check::ok("settings", source));
            let contracts: Vec<_> = node.jobs().iter().filter_map(|job| assemble::contract(job).ok()).collect();
            for config in jobs {
                seen.job = (config.names.job.clone(), config.chain.chain_id);
                checks::at_everything(&config, &contracts, &mut seen).await;
                if let Some(check) = roles::check(&config, records).await {
                    seen.add(check);
                }
                if let Some(anvil) = &fork {
                    seen.say("cycle on a fork");
                    seen.add(fork::check(&config, anvil).await);
                }
            }
        }
        Err(fault) => seen.add(Check::fail("settings", &fault)),
    }
    let healthy = seen.checks.iter().all(|one| one.check.level != Level::Fail);
    Report { healthy, checks: seen.checks, is_of_several }
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
