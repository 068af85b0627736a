//! How the node stands: what happened, what the chain says, what comes next.

mod feed;
mod live;
mod market;
mod vault;

use alloy::primitives::Address;
use alloy::primitives::utils::format_ether;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::actions::error::ActionError;
use crate::actions::feed::abi::IFeed::Forecast;
use crate::actions::hedge_vault::read::VaultState;
use crate::bundle::Bundle;
use crate::chain::error::ChainError;
use crate::config::Config;
use crate::diagnosis;
use crate::health::checks::{self, Funds};
use crate::node::{assemble, distinct_keys, replay};
use crate::render::cycle;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::state::Store;
use crate::state::jobs::Scope;
use live::Live;
use veriregime_core::schedule::next_tick_ms;
use veriregime_core::types::cycle::CycleRecord;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::time::format_utc;

/// How one job stands.
#[derive(Debug)]
struct Status {
    model_id: String,
    wallet: Wallet,
    /// The last cycles, newest first, each with the name of its model.
    cycles: Vec<(String, CycleRecord)>,
    markets: Vec<(String, Result<market::Read, ActionError>)>,
    /// Of a hedge job, whose electricity, and what its vault says of itself.
    vault: Option<(String, Result<VaultState, ActionError>)>,
    /// Of a yield job, the strategy, and what its feed says of itself.
    feed: Option<(String, Result<Forecast, ActionError>)>,
    time: Time,
}

/// A job as the settings describe it, and how it stands.
#[derive(Debug)]
struct JobStatus {
    name: String,
    chain_id: u64,
    contract: Option<Address>,
    found: anyhow::Result<Status>,
}

impl JobStatus {
    fn json(&self, live: &Live) -> Value {
        let mut said = match &self.found {
            Ok(status) => json!(status),
            Err(error) => {
                json!({"error": diagnosis::words(error), "code": diagnosis::coded(error).map(Diagnostic::code)})
            }
        };
        said["name"] = json!(self.name);
        said["chain_id"] = json!(self.chain_id);
        said["contract"] = json!(self.contract);
        said["live"] = live.json(&self.name);
        said
    }

    fn text(&self, live: &Live) -> String {
        let contract = self.contract.map_or_else(|| "not set".into(), |contract| contract.to_string());
        let found = match &self.found {
            Ok(status) => status.text(),
            Err(error) => format!("{} {}", diagnosis::code(error), diagnosis::words(error)),
        };
        format!("job {}   chain {}, contract {contract}\n{}{found}", self.name, self.chain_id, live.line(&self.name))
    }
}

/// How the jobs of a node stand.
#[derive(Debug)]
pub struct NodeStatus {
    jobs: Vec<JobStatus>,
    live: Live,
}

impl NodeStatus {
    /// Asks for everything of these jobs of a `node`, and for the `last` cycles of each, with those of models that its contract
    /// had before; where the node has one job, with those of the whole database. What is wrong with one of several is said in its
    /// place.
    ///
    /// # Errors
    /// Bundle or database of the only job that cannot be read.
    pub async fn of(jobs: &[Config], node: &[Config], last: u32) -> anyhow::Result<Self> {
        let live = Live::ask(jobs.first().and_then(|job| job.api.listen)).await;
        let running: Vec<JobKey> = distinct_keys(node).0.into_iter().flatten().collect();
        let beside = (node.len() > 1).then_some(running.as_slice());
        let mut found = Vec::with_capacity(jobs.len());
        for job in jobs {
            let status = status(job, beside, last).await;
            let found_job = JobStatus {
                name: job.names.job.clone(),
                chain_id: job.chain.chain_id,
                contract: job.chain.oracle,
                found: if jobs.len() == 1 { Ok(status?) } else { status },
            };
            found.push(found_job);
        }
        Ok(Self { jobs: found, live })
    }
}

impl Serialize for NodeStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let jobs: Vec<Value> = self.jobs.iter().map(|job| job.json(&self.live)).collect();
        let mut said = match jobs.as_slice() {
            [only] => only.clone(),
            _ => json!({}),
        };
        said["jobs"] = jobs.into();
        said.serialize(serializer)
    }
}

impl Render for NodeStatus {
    fn text(&self) -> String {
        match self.jobs.as_slice() {
            [JobStatus { found: Ok(status), name, .. }] => self.live.line(name) + &status.text(),
            jobs => jobs.iter().map(|job| job.text(&self.live)).collect::<Vec<_>>().join("\n\n"),
        }
    }
}

/// The configured wallet and what it holds, or why that is not known.
type Wallet = anyhow::Result<(Address, Result<Funds, ChainError>)>;

/// Asks for everything, and for the `last` cycles, less those of jobs that run `beside` this one. A chain, a key or a replay's
/// clock that does not answer is a line of it, not an error.
///
/// # Errors
/// Settings, bundle or database that cannot be read.
async fn status(config: &Config, beside: Option<&[JobKey]>, last: u32) -> anyhow::Result<Status> {
    let bundle = Bundle::open(&config.bundle)?;
    let store = Store::open(&config.state_path)?;
    let own = match (assemble::contract(config), beside) {
        (Ok(contract), Some(running)) => {
            Some(own_jobs(&store, JobKey::new(contract, bundle.manifest_digest), running)?)
        }
        _ => None,
    };
    let scope = own.as_deref().map_or(Scope::All, Scope::Jobs);
    let mut cycles = Vec::new();
    for record in store.recent(scope, last)? {
        cycles.push((model_name(&store, &bundle, record.job.manifest)?, record));
    }
    let (mut markets, mut vault, mut feed) = (Vec::new(), None, None);
    match (&config.hedge, &config.strategy) {
        (Some(hedge), _) => vault = Some((hedge.country.clone(), vault::read(config).await)),
        (None, Some(strategy)) => feed = Some((strategy.name.clone(), feed::read(config).await)),
        (None, None) => {
            for market in bundle.manifest.markets()? {
                markets.push((market.name.clone(), market::read(config, market).await));
            }
        }
    }
    let (wallet, time) = (wallet(config).await, Time::now(config, bundle.manifest.grid).await);
    Ok(Status { model_id: bundle.manifest.model_id, wallet, cycles, markets, vault, feed, time })
}

/// The job itself, and those of its contract's models from before that are nobody else's to close.
fn own_jobs(store: &Store, job: JobKey, running: &[JobKey]) -> anyhow::Result<Vec<JobKey>> {
    let mut jobs = store.cared_for(job, running)?;
    jobs.retain(|one| one.contract == job.contract);
    Ok(jobs)
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut said = json!({"model_id": self.model_id, "wallet": wallet_json(&self.wallet)});
        said["cycles"] = self.cycles.iter().map(|(model, record)| cycle_json(model, record)).collect();
        said["markets"] = self.markets.iter().map(|(name, read)| market::json(name, read)).collect();
        if let Some((country, read)) = &self.vault {
            said["vault"] = vault::json(country, read);
        }
        if let Some((strategy, read)) = &self.feed {
            said["feed"] = feed::json(strategy, read);
        }
        self.time.write(&mut said);
        said.serialize(serializer)
    }
}

impl Render for Status {
    fn text(&self) -> String {
        let head = [
            layout::item("model ", &format!("{}; {}", self.model_id, self.time.words())),
            layout::item("wallet ", &wallet_words(&self.wallet)),
            cycles_table(&self.model_id, &self.cycles).to_string(),
        ];
        let markets = self.markets.iter().map(|(name, read)| layout::item(&format!("{name}: "), &market::line(read)));
        let vault = self.vault.iter().map(|(country, read)| layout::item("vault ", &vault::line(country, read)));
        let feed = self.feed.iter().map(|(strategy, read)| layout::item("feed ", &feed::line(strategy, read)));
        lines(head.into_iter().chain(markets).chain(vault).chain(feed))
    }
}

/// Where the running period stands by the node's clock, or why that is not known.
#[derive(Debug)]
struct Time(anyhow::Result<Moment>);

#[derive(Debug)]
struct Moment {
    period: PeriodId,
    left_seconds: i64,
    /// When the next cycle begins; `None` for a schedule that has ended.
    next: Option<String>,
}

impl Time {
    async fn now(config: &Config, grid: Grid) -> Self {
        let moment = |now_ms: i64| {
            let period = grid.period_at(now_ms);
            let next =
                next_tick_ms(&config.schedule.cron, now_ms).map(|tick| format_utc(tick + config.schedule.delay_ms));
            Moment { period, left_seconds: (grid.end_ms(period) - now_ms) / 1000, next }
        };
        Self(replay::now_ms(config).await.map(moment))
    }

    fn words(&self) -> String {
        match &self.0 {
            Ok(Moment { period, left_seconds, next }) => {
                let (hours, minutes) = (left_seconds / 3600, left_seconds / 60 % 60);
                let next = next.as_deref().unwrap_or("never");
                format!("period {period}, {hours} h {minutes} min left; next cycle {next}")
            }
            Err(error) => format!("next cycle unknown: {}", diagnosis::words(error)),
        }
    }

    fn write(&self, said: &mut Value) {
        match &self.0 {
            Ok(Moment { period, left_seconds, next }) => {
                said["period"] = json!({"period": period, "left_seconds": left_seconds});
                said["next"] = json!(next.as_deref().unwrap_or("never"));
            }
            Err(error) => said["next"] = json!(format!("unknown: {}", diagnosis::words(error))),
        }
    }
}

async fn wallet(config: &Config) -> Wallet {
    let address = match config.signer.address {
        Some(address) => address,
        None => assemble::signer(&config.signer).await?.address(),
    };
    let asked = async {
        let reader = assemble::reader(config)?;
        reader.check_chain_id().await?;
        checks::funds(&reader, address).await
    };
    Ok((address, asked.await))
}

fn wallet_words(wallet: &Wallet) -> String {
    match wallet {
        Ok((address, Ok(Funds { balance_wei, updates }))) => {
            format!("{address}: {} ether, enough for {updates} updates at the fee of now", format_ether(*balance_wei))
        }
        Ok((address, Err(fault))) => format!("{address}: {} {fault}; {}", fault.code(), fault.hint()),
        Err(error) => format!("{} {}", diagnosis::code(error), diagnosis::words(error)),
    }
}

fn wallet_json(wallet: &Wallet) -> Value {
    match wallet {
        Ok((address, Ok(Funds { balance_wei, updates }))) => {
            json!({"address": address, "balance_wei": balance_wei.to_string(), "updates": updates})
        }
        Ok((address, Err(fault))) => json!({"address": address, "error": fault.to_string(), "code": fault.code()}),
        Err(error) => json!({"error": diagnosis::words(error), "code": diagnosis::coded(error).map(Diagnostic::code)}),
    }
}

/// The name of a cycle's model; the beginning of its manifest's digest where the manifest is not known.
fn model_name(store: &Store, bundle: &Bundle, manifest: Digest) -> anyhow::Result<String> {
    if manifest == bundle.manifest_digest {
        return Ok(bundle.manifest.model_id.clone());
    }
    let kept = store.manifest(manifest)?;
    Ok(kept.map_or_else(|| manifest.to_string().chars().take(8).collect(), |manifest| manifest.model_id))
}

fn cycle_json(model: &str, record: &CycleRecord) -> Value {
    let mut said = cycle::json(record);
    said["model_id"] = json!(model);
    said["manifest_sha256"] = json!(record.job.manifest);
    said
}

/// The cycles, with a column for the model where there is another one than `model`.
fn cycles_table(model: &str, cycles: &[(String, CycleRecord)]) -> Table {
    let mut header = vec!["period", "start", "outcome", "candles", "proof", "gas", "why"];
    let several = cycles.iter().any(|(name, _)| name != model);
    if several {
        header.insert(2, "model");
    }
    let mut table = Table::new(&header);
    for (name, record) in cycles {
        let mut row = vec![
            record.period.to_string(),
            format_utc(record.start_ms),
            record.stage.name().to_owned(),
            cycle::origin(record),
            record.prove_ms.map_or_else(String::new, |ms| format!("{ms} ms")),
            record.landed.map_or_else(String::new, |landed| landed.gas_used.to_string()),
            why(record),
        ];
        if several {
            row.insert(2, name.clone());
        }
        table.add_row(row);
    }
    table
}

/// Why a cycle was missed, or does not get on.
fn why(record: &CycleRecord) -> String {
    match (&record.miss, &record.retrying) {
        (Some(miss), _) => format!("{} {}", miss.code, miss.message),
        (None, Some(retrying)) => {
            format!("{} since {}: {}", retrying.code, format_utc(retrying.since_ms), retrying.message)
        }
        (None, None) => String::new(),
    }
}
