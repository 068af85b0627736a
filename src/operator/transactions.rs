//! The wallets' transactions, by hand: shown, raised and cancelled.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use alloy::primitives::{Address, B256};
use anyhow::Context;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::chain::error::ChainError;
use crate::chain::floor::Floor;
use crate::config::Config;
use crate::config::jobs::NodeConfig;
use crate::diagnosis;
use crate::node::{assemble, parts, replay};
use crate::render::layout::Table;
use crate::render::{Render, gwei, lines};
use crate::state::attempts::StoredAttempt;
use crate::state::error::StateError;
use crate::state::jobs::Scope;
use crate::state::{Step, Store};
use veriregime_core::types::cycle::{Attempt, Mined, Purpose, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// A wallet on a chain.
type WalletId = (u64, Address);

/// The wallets of jobs, with the transactions that the database knows.
#[derive(Debug)]
pub struct Wallets {
    store: Store,
    /// The jobs of the settings by their keys, in order.
    names: Vec<(JobKey, String)>,
    /// The one job that is meant.
    only: Option<String>,
    chains: BTreeMap<WalletId, Chain>,
    now_ms: i64,
}

impl Wallets {
    /// Of all jobs, or of the one with that name.
    ///
    /// # Errors
    /// A name that no job has, a key or database that cannot be read, or a replay's clock that does not answer.
    pub async fn open(config: &NodeConfig, only: Option<&str>) -> anyhow::Result<Self> {
        let jobs = config.chosen(only)?;
        let mut opened = BTreeMap::new();
        for job in jobs {
            let key = (&job.names.chain, &job.names.wallet);
            if let Entry::Vacant(place) = opened.entry(key) {
                let chain = assemble::chain(job).await;
                place.insert(chain.with_context(|| format!("the wallet of job {}", job.names.job))?);
            }
        }
        let name = |job: &Config| Some((parts::key(job).ok()??, job.names.job.clone()));
        Ok(Self {
            store: Store::open(&config.node().state_path)?,
            names: config.jobs().iter().filter_map(name).collect(),
            only: only.map(str::to_owned),
            chains: opened.into_values().map(|chain| ((chain.read.chain_id(), chain.address()), chain)).collect(),
            now_ms: replay::now_ms(&jobs[0]).await?,
        })
    }

    /// The job of the settings that a stored one is, or whose contract it was another model's of.
    fn name(&self, job: JobKey) -> Option<&str> {
        let known: Vec<JobKey> =
            self.names.iter().map(|(key, _)| *key).filter(|key| key.contract == job.contract).collect();
        let caretaker = job.caretaker(&known)?;
        self.names.iter().find(|(key, _)| *key == caretaker).map(|(_, name)| name.as_str())
    }

    fn is_meant(&self, job: JobKey) -> bool {
        self.only.is_none() || self.name(job) == self.only.as_deref()
    }

    /// The `last` transactions, newest first, and where each stands.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn list(&self, last: u32) -> Result<Transactions, StateError> {
        let mut meant = self.store.jobs()?;
        meant.retain(|job| self.is_meant(*job));
        let scope = if self.only.is_some() { Scope::Jobs(&meant) } else { Scope::All };
        let stored = self.store.recent_attempts(scope, last)?;
        let mut nonces = BTreeMap::new();
        for (id, chain) in &self.chains {
            nonces.insert(*id, chain.nonce().await);
        }
        let mut rows = Vec::with_capacity(stored.len());
        for (index, one) in stored.iter().enumerate() {
            let id = wallet_of(one);
            let is_outbid =
                stored[..index].iter().any(|newer| (wallet_of(newer), newer.attempt.nonce) == (id, one.attempt.nonce));
            // A wallet of before may be on the same chain.
            let chain = self.chains.iter().find(|((chain_id, _), _)| *chain_id == id.0).map(|(_, chain)| chain);
            let standing = match chain {
                None => "unknown".into(),
                Some(chain) => {
                    let nonce = match nonces.entry(id) {
                        Entry::Vacant(place) => place.insert(chain.read.nonce(id.1).await),
                        Entry::Occupied(known) => known.into_mut(),
                    };
                    match nonce {
                        Ok(nonce) => standing(chain, &one.attempt, *nonce, is_outbid).await,
                        Err(_) => "unknown".into(),
                    }
                }
            };
            let job = self.name(one.job).map(str::to_owned);
            rows.push(Transaction { job, stored: one.clone(), standing, now_ms: self.now_ms });
        }
        nonces.retain(|id, _| self.chains.contains_key(id));
        Ok(Transactions { wallets: nonces, rows })
    }

    /// Signs, stores and sends what replaces each waiting transaction.
    ///
    /// # Errors
    /// [`ChainError::NothingWaits`], or a database that cannot be read. What keeps one from being signed or sent is in the
    /// result.
    pub async fn replace(&self, purpose: Purpose) -> anyhow::Result<Replacements> {
        let mut replaced = Replacements::default();
        for ((chain_id, wallet), chain) in &self.chains {
            // In the order of their nonces: the later ones wait for the earlier.
            let mut waiting: BTreeMap<u64, StoredAttempt> = BTreeMap::new();
            for one in self.store.open_attempts(*chain_id, *wallet)? {
                waiting.insert(one.attempt.nonce, one);
            }
            waiting.retain(|_, one| one.stage == Stage::Submitting && self.is_meant(one.job));
            for one in waiting.into_values() {
                let job = self.name(one.job).unwrap_or("none").to_owned();
                match self.replace_one(chain, &one, purpose).await {
                    Ok(new) => replaced.done.extend(new.map(|new| Replacement::new(job, &one, &new))),
                    Err(error) => replaced.failed.push((job, error)),
                }
            }
        }
        if replaced.done.is_empty() && replaced.failed.is_empty() {
            return Err(ChainError::NothingWaits.into());
        }
        Ok(replaced)
    }

    /// The transaction that takes the place of a waiting one; `None` where that was mined.
    async fn replace_one(
        &self,
        chain: &Chain,
        waiting: &StoredAttempt,
        purpose: Purpose,
    ) -> anyhow::Result<Option<Attempt>> {
        chain.read.check_chain_id().await?;
        if chain.nonce().await? > waiting.attempt.nonce {
            return Ok(None);
        }
        let (mut last, mut named) = (waiting.attempt.clone(), Floor::default());
        // Until an RPC takes it at its price, or the cap ends it.
        loop {
            let new = match purpose {
                Purpose::Action => chain.sign_fee_bump(&last, named).await?,
                Purpose::Cancel => chain.sign_cancel(last.nonce, Some(Floor::above(&last).and(named))).await?,
            };
            self.store.advance(waiting.job, waiting.period, &Step::Submitting(&new), self.now_ms)?;
            match chain.broadcast(&new).await {
                Err(ChainError::Underpriced { minimum, .. }) => (last, named) = (new, minimum),
                outcome => return Ok(outcome.map(|()| Some(new))?),
            }
        }
    }
}

fn wallet_of(stored: &StoredAttempt) -> WalletId {
    (stored.job.contract.chain_id, stored.attempt.wallet)
}

async fn standing(chain: &Chain, attempt: &Attempt, nonce: u64, is_outbid: bool) -> String {
    if attempt.nonce >= nonce {
        return if is_outbid { "outbid" } else { "waiting" }.into();
    }
    match chain.read.mined(attempt.hash).await {
        Ok(Some(Mined::Landed(landed))) => format!("mined in {}", landed.block),
        Ok(Some(Mined::Reverted { block })) => format!("reverted in {block}"),
        Ok(None) => "replaced".into(),
        Err(_) => "unknown".into(),
    }
}

/// Transactions of the jobs' wallets, and of those that were configured before them.
#[derive(Debug)]
pub struct Transactions {
    /// Each wallet's next nonce, or why it is not known.
    wallets: BTreeMap<WalletId, Result<u64, ChainError>>,
    rows: Vec<Transaction>,
}

/// A transaction and where it stands.
#[derive(Debug)]
struct Transaction {
    /// Name of its job; `None` where the settings have none of its contract.
    job: Option<String>,
    stored: StoredAttempt,
    standing: String,
    now_ms: i64,
}

impl Transaction {
    fn age_seconds(&self) -> Option<i64> {
        (self.stored.signed_ms > 0).then(|| (self.now_ms - self.stored.signed_ms) / 1000)
    }
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (one, attempt) = (&self.stored, &self.stored.attempt);
        json!({
            "job": self.job,
            "chain_id": one.job.contract.chain_id,
            "contract": one.job.contract.address,
            "period": one.period,
            "cycle": one.stage,
            "wallet": attempt.wallet,
            "nonce": attempt.nonce,
            "purpose": attempt.purpose.name(),
            "hash": attempt.hash,
            "max_fee_per_gas_wei": attempt.max_fee_per_gas_wei.to_string(),
            "priority_fee_wei": attempt.priority_fee_wei.to_string(),
            "signed_at": (one.signed_ms > 0).then(|| format_utc(one.signed_ms)),
            "age_seconds": self.age_seconds(),
            "standing": self.standing,
        })
        .serialize(serializer)
    }
}

impl Serialize for Transactions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wallet = |((chain_id, wallet), nonce): (&WalletId, &Result<u64, ChainError>)| json!({"chain_id": chain_id, "wallet": wallet, "nonce": nonce.as_ref().ok()});
        let wallets: Vec<Value> = self.wallets.iter().map(wallet).collect();
        let mut said = match wallets.as_slice() {
            [only] => only.clone(),
            _ => json!({}),
        };
        said["wallets"] = wallets.into();
        said["transactions"] = json!(self.rows);
        said.serialize(serializer)
    }
}

impl Render for Transactions {
    fn text(&self) -> String {
        let header = ["job", "chain", "period", "nonce", "purpose", "fee cap", "priority", "age", "standing", "hash"];
        let mut table = Table::new(&header);
        for one in &self.rows {
            let (stored, attempt) = (&one.stored, &one.stored.attempt);
            let is_ours = self.wallets.contains_key(&wallet_of(stored));
            table.add_row([
                one.job.clone().unwrap_or_else(|| "none".into()),
                stored.job.contract.chain_id.to_string(),
                stored.period.to_string(),
                attempt.nonce.to_string(),
                attempt.purpose.name().to_owned(),
                gwei(attempt.max_fee_per_gas_wei),
                gwei(attempt.priority_fee_wei),
                one.age_seconds().map_or_else(String::new, |seconds| format!("{seconds} s")),
                if is_ours { one.standing.clone() } else { format!("{}, of {}", one.standing, attempt.wallet) },
                attempt.hash.to_string(),
            ]);
        }
        let wallet = |((chain_id, wallet), nonce): (&WalletId, &Result<u64, ChainError>)| match nonce {
            Ok(nonce) => format!("wallet {wallet} on chain {chain_id}, next nonce {nonce}"),
            Err(fault) => format!("wallet {wallet} on chain {chain_id}: {} {fault}; {}", fault.code(), fault.hint()),
        };
        lines(self.wallets.iter().map(wallet).chain([table.to_string()]))
    }
}

/// What took the place of waiting transactions, and what could not.
#[derive(Debug, Default)]
pub struct Replacements {
    done: Vec<Replacement>,
    /// By the names of their jobs.
    pub failed: Vec<(String, anyhow::Error)>,
}

/// A transaction that took another one's place.
#[derive(Debug)]
struct Replacement {
    job: String,
    chain_id: u64,
    period: PeriodId,
    nonce: u64,
    purpose: Purpose,
    old: B256,
    new: B256,
    old_fee_cap_wei: u128,
    max_fee_per_gas_wei: u128,
}

impl Replacement {
    fn new(job: String, old: &StoredAttempt, new: &Attempt) -> Self {
        Self {
            job,
            chain_id: old.job.contract.chain_id,
            period: old.period,
            nonce: new.nonce,
            purpose: new.purpose,
            old: old.attempt.hash,
            new: new.hash,
            old_fee_cap_wei: old.attempt.max_fee_per_gas_wei,
            max_fee_per_gas_wei: new.max_fee_per_gas_wei,
        }
    }

    fn json(&self) -> Value {
        json!({
            "job": self.job, "chain_id": self.chain_id, "period": self.period, "nonce": self.nonce,
            "purpose": self.purpose.name(), "old": self.old, "new": self.new,
            "max_fee_per_gas_wei": self.max_fee_per_gas_wei.to_string(),
        })
    }

    fn text(&self) -> String {
        let Self { job, chain_id, period, nonce, purpose, old, new, old_fee_cap_wei, max_fee_per_gas_wei } = self;
        let (was, is) = (gwei(*old_fee_cap_wei), gwei(*max_fee_per_gas_wei));
        format!(
            "job {job} on chain {chain_id}, period {period}, nonce {nonce}: {new} replaces {old}\n  {}, fee cap {was} before, {is} now; `tx list` shows what becomes of it",
            purpose.name()
        )
    }
}

impl Serialize for Replacements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut said = match self.done.as_slice() {
            [only] => only.json(),
            _ => json!({}),
        };
        said["replaced"] = self.done.iter().map(Replacement::json).collect();
        let failed = |(job, error): &(String, anyhow::Error)| json!({"job": job, "code": diagnosis::coded(error).map(Diagnostic::code), "message": diagnosis::words(error)});
        said["failed"] = self.failed.iter().map(failed).collect();
        said.serialize(serializer)
    }
}

impl Render for Replacements {
    fn text(&self) -> String {
        match self.done.len() {
            0 => "nothing was replaced".into(),
            _ => lines(self.done.iter().map(Replacement::text)),
        }
    }
}
