//! The running period's cycles, run by hand or by a system timer.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use serde::{Serialize, Serializer};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::cycle::CycleResult;
use super::sale_outlook::sale_outlook;
use crate::config::Config;
use crate::config::jobs::NodeConfig;
use crate::diagnosis;
use crate::node::job_keys;
use crate::node::parts::Parts;
use crate::render::Render;
use crate::state::Store;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::diagnostic::Diagnostic;

/// How far cycles go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// To their end.
    Whole,
    /// Up to the proof; nothing is signed, sent or stored.
    UpToProof,
}

/// How cycles came out, the better one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As was wanted.
    Done,
    /// The period ended without an update.
    Missed,
    /// It could not be run.
    Failed,
}

/// The cycles of several jobs, by their names.
#[derive(Debug)]
pub struct Cycles(Vec<(String, anyhow::Result<CycleResult>)>);

impl Cycles {
    /// How the worst of them came out.
    pub fn worst(&self, extent: Extent) -> Outcome {
        let good = if extent == Extent::Whole { Stage::Confirmed } else { Stage::Proved };
        let outcome = |result: &anyhow::Result<CycleResult>| match result {
            Err(_) => Outcome::Failed,
            Ok(cycle) if cycle.stage() == good || cycle.stage() == Stage::AlreadyByOther => Outcome::Done,
            Ok(_) => Outcome::Missed,
        };
        self.0.iter().map(|(_, result)| outcome(result)).max().unwrap_or(Outcome::Done)
    }

    /// Takes out the only one; `None` where there are several.
    pub fn take_only(&mut self) -> Option<anyhow::Result<CycleResult>> {
        if self.0.len() == 1 { self.0.pop().map(|(_, result)| result) } else { None }
    }
}

impl Serialize for Cycles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let job = |(name, result): &(String, anyhow::Result<CycleResult>)| {
            let mut said = match result {
                Ok(cycle) => json!(cycle),
                Err(error) => {
                    let code = diagnosis::coded(error).map(Diagnostic::code);
                    json!({"error": {"code": code, "message": diagnosis::words(error)}})
                }
            };
            said["job"] = json!(name);
            said
        };
        json!({"jobs": self.0.iter().map(job).collect::<Vec<_>>()}).serialize(serializer)
    }
}

impl Render for Cycles {
    fn text(&self) -> String {
        let line = |(name, result): &(String, anyhow::Result<CycleResult>)| match result {
            Ok(cycle) => format!("{name}: {}", cycle.text()),
            Err(error) => {
                let code = diagnosis::coded(error).map_or("without a code", |fault| fault.code());
                format!("{name}: error {code}: {}", diagnosis::words(error))
            }
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Runs the running period's cycle of each job, or of the one with that name, all at the same time.
///
/// # Errors
/// A name that no job has, jobs without a contract or that are the same, or a database that does not open.
pub async fn once(
    config: &NodeConfig,
    job: Option<&str>,
    extent: Extent,
    stop: CancellationToken,
) -> anyhow::Result<Cycles> {
    let chosen = config.chosen(job)?.to_vec();
    let running = job_keys(config.jobs())?.into_iter().flatten().collect();
    let path = if extent == Extent::Whole { &config.node().state_path } else { Path::new(":memory:") };
    let parts = Arc::new(Parts::new(Arc::new(Store::open(path)?), running, stop.clone()));
    let mut cycles = Vec::with_capacity(chosen.len());
    for job in chosen {
        let name = job.names.job.clone();
        let cycle = cycle(parts.clone(), job, extent, stop.clone());
        cycles.push((name, AbortOnDropHandle::new(tokio::spawn(cycle))));
    }
    let mut results = Vec::with_capacity(cycles.len());
    for (name, cycle) in cycles {
        results.push((name, cycle.await.context("the job broke off").flatten()));
    }
    stop.cancel();
    parts.stop_provers().await;
    Ok(Cycles(results))
}

/// The running period's cycle of one job.
async fn cycle(
    parts: Arc<Parts>,
    config: Config,
    extent: Extent,
    stop: CancellationToken,
) -> anyhow::Result<CycleResult> {
    let mut agent = parts.job(&config).await?;
    let period = agent.running_period();
    let record = match extent {
        Extent::UpToProof => agent.run_until(Stage::Proved, period, &stop).await?,
        Extent::Whole => {
            agent.settle(&config.schedule.cron).await?;
            agent.run(period, &stop).await?
        }
    };
    let sale = sale_outlook(&agent, &record).await?;
    Ok(CycleResult::of(&agent, record, sale))
}
