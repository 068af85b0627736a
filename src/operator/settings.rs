//! Settings, keys, bundles, SRS and candle policy of every job, checked without starting anything.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::config::Config;
use crate::config::jobs::{self, Findings};
use crate::config::raw::RawConfig;
use crate::diagnosis;
use crate::job::tables::SOURCE;
use crate::node::{assemble, distinct_keys, feeds};
use crate::render::{Render, lines};
use crate::verification::error::ProofError;
use crate::verification::ezkl::srs::Srs;
use veriregime_core::types::chain_id::is_development;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::manifest::verification::Way;

/// What was found.
#[derive(Debug)]
pub struct Checked {
    /// Whether there is but one job.
    is_alone: bool,
    jobs: Vec<JobInOrder>,
    pub faults: Vec<Fault>,
}

/// What is wrong.
#[derive(Debug)]
pub struct Fault {
    /// Names of the jobs that it is wrong with; none where the words name them, or where there is but one.
    pub jobs: Vec<String>,
    pub error: anyhow::Error,
}

/// A job of which everything is in order.
#[derive(Debug)]
struct JobInOrder {
    config: Config,
    model_id: String,
    /// Names of the candle sources in their order.
    sources: Vec<String>,
    /// `None` on a development chain, where it may be made later.
    srs: Option<Srs>,
    srs_dir: PathBuf,
}

/// Opens everything that the settings name, of all jobs or of the one with that name, and says all that is wrong.
pub async fn check(raw: RawConfig, only: Option<&str>) -> Checked {
    let is_alone = raw.jobs.len() <= 1;
    let mut names: Vec<String> = raw.jobs.iter().map(|job| job.name.clone()).collect();
    let Findings { mut jobs, faults } = jobs::find(raw);
    let mut checked = Checked { is_alone, jobs: Vec::new(), faults: Vec::new() };
    // A contract that is not there yet is no fault of settings that describe one job.
    let same = if is_alone { Vec::new() } else { distinct_keys(&jobs).1 };
    for fault in faults.into_iter().chain(same) {
        checked.note(None, fault.into());
    }
    if let Some(name) = only {
        if names.is_empty() {
            names.extend(jobs.iter().map(|job| job.names.job.clone()));
        }
        jobs.retain(|job| job.names.job == name);
        if !names.iter().any(|known| known == name) {
            checked.note(None, jobs::unknown_job(name, names.iter().map(String::as_str)).into());
        }
    }
    for config in jobs {
        let name = config.names.job.clone();
        match in_order(config).await {
            Ok(job) => checked.jobs.push(job),
            Err(errors) => errors.into_iter().for_each(|error| checked.note(Some(&name), error)),
        }
    }
    checked
}

impl Checked {
    /// Notes what is wrong, once for all jobs.
    fn note(&mut self, job: Option<&str>, error: anyhow::Error) {
        let words = diagnosis::words(&error);
        let known = self.faults.iter().position(|fault| diagnosis::words(&fault.error) == words);
        let at = known.unwrap_or_else(|| {
            self.faults.push(Fault { jobs: Vec::new(), error });
            self.faults.len() - 1
        });
        self.faults[at].jobs.extend(job.filter(|_| !self.is_alone).map(str::to_owned));
    }
}

async fn in_order(config: Config) -> Result<JobInOrder, Vec<anyhow::Error>> {
    let mut errors = Vec::new();
    for signer in [Some(&config.signer), config.attestor.as_ref()].into_iter().flatten() {
        errors.extend(assemble::signer(signer).await.err());
    }
    let bundle = match Bundle::open(&config.bundle) {
        Ok(bundle) => bundle,
        Err(fault) => {
            errors.push(fault.into());
            return Err(errors);
        }
    };
    let sources = sources(&config, &bundle);
    let srs = match assemble::srs(&config, &bundle) {
        Err(ProofError::SrsMissing { .. }) if is_development(config.chain.chain_id) => Ok(None),
        found => found,
    };
    match (sources, srs) {
        (Ok(sources), Ok(srs)) if errors.is_empty() => Ok(JobInOrder {
            model_id: bundle.manifest.model_id,
            sources,
            srs,
            srs_dir: config.prover.srs_dir.clone(),
            config,
        }),
        (sources, srs) => {
            errors.extend(sources.err());
            errors.extend(srs.err().map(anyhow::Error::from));
            Err(errors)
        }
    }
}

/// Names of what the job is fed by, once that is as it should be.
fn sources(config: &Config, bundle: &Bundle) -> anyhow::Result<Vec<String>> {
    if config.hedge.is_some() {
        bundle.electricity_model()?;
        return Ok(vec![SOURCE.to_owned()]);
    }
    if config.strategy.is_some() {
        bundle.strategy_model()?;
        return Ok(vec![SOURCE.to_owned()]);
    }
    let feeds = feeds::feeds(config, &bundle.manifest)?;
    Ok(feeds.order.iter().map(|feed| feed.name.clone()).collect())
}

impl JobInOrder {
    fn json(&self) -> Value {
        let Config { names, chain, schedule, bundle, .. } = &self.config;
        json!({
            "job": names.job,
            "chain": names.chain,
            "chain_id": chain.chain_id,
            "contract": chain.oracle,
            "wallet": names.wallet,
            "attestor": names.attestor,
            "bundle": bundle,
            "model_id": self.model_id,
            "schedule": schedule.cron.source(),
            "sources": self.sources,
            "verification": self.way(),
            "srs": self.srs.as_ref().map(|srs| &srs.path),
        })
    }

    /// As one of several.
    fn line(&self) -> String {
        let Config { names, chain, schedule, bundle, .. } = &self.config;
        format!(
            "job {}: chain {} ({}), {}, wallet {}, model {} in {}, schedule {}, {}",
            names.job,
            names.chain,
            chain.chain_id,
            self.contract(),
            names.wallet,
            self.model_id,
            bundle.display(),
            schedule.cron.source(),
            self.srs(),
        )
    }

    /// As the only one.
    fn whole(&self) -> String {
        format!(
            "settings, keys and model bundle {} are in order\ncandles from {}\nchain {}, {}\n{}",
            self.model_id,
            self.sources.join(", then "),
            self.config.chain.chain_id,
            self.contract(),
            self.srs(),
        )
    }

    fn contract(&self) -> String {
        self.config.chain.oracle.map_or("contract not set".into(), |one| format!("contract {one}"))
    }

    fn way(&self) -> Way {
        self.config.prover.kind.way()
    }

    fn srs(&self) -> String {
        match &self.srs {
            Some(srs) => format!("verified by {}, SRS {srs}", self.way()),
            None if !self.way().has_proof() => format!("verified by {}: no SRS is needed", self.way()),
            None => format!("NO SRS in {}: nothing can be proven", self.srs_dir.display()),
        }
    }
}

impl Fault {
    fn json(&self) -> Value {
        let fault = diagnosis::coded(&self.error);
        json!({
            "jobs": self.jobs,
            "code": fault.map(Diagnostic::code),
            "message": diagnosis::words(&self.error),
            "hint": fault.map(Diagnostic::hint),
        })
    }
}

impl Serialize for Checked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let jobs: Vec<Value> = self.jobs.iter().map(JobInOrder::json).collect();
        let mut said = match jobs.as_slice() {
            [only] if self.is_alone => only.clone(),
            _ => json!({}),
        };
        said["ok"] = json!(self.faults.is_empty());
        said["jobs"] = jobs.into();
        said["errors"] = self.faults.iter().map(Fault::json).collect();
        said.serialize(serializer)
    }
}

impl Render for Checked {
    fn text(&self) -> String {
        let mut text = match self.jobs.as_slice() {
            [only] if self.is_alone && self.faults.is_empty() => return only.whole(),
            jobs => lines(jobs.iter().map(JobInOrder::line)),
        };
        let wrong = match self.faults.len() {
            0 => "all in order".to_owned(),
            1 => "one error".to_owned(),
            count => format!("{count} errors"),
        };
        let _ = write!(text, "{}{wrong}", if text.is_empty() { "" } else { "\n" });
        text
    }
}
