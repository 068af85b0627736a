//! The wallet's transactions, by hand: shown, raised and cancelled.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use alloy::primitives::{Address, B256};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::chain::Chain;
use crate::chain::error::ChainError;
use crate::chain::floor::Floor;
use crate::config::Config;
use crate::node::{assemble, replay};
use crate::render::layout::Table;
use crate::render::{Render, gwei};
use crate::state::attempts::StoredAttempt;
use crate::state::{Step, Store};
use veriregime_core::types::cycle::{Attempt, Mined, Purpose};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::format_utc;

/// The configured wallet with the transactions that the database knows.
#[derive(Debug)]
pub struct Wallet {
    store: Store,
    chain: Chain,
    now_ms: i64,
}

impl Wallet {
    /// Of the settings.
    ///
    /// # Errors
    /// A key or database that cannot be read, or a replay's clock that does not answer.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let store = Store::open(&config.state_path)?;
        Ok(Self { store, chain: assemble::chain(config).await?, now_ms: replay::now_ms(config).await? })
    }

    /// The `last` transactions, newest first, and where each stands.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub async fn list(&self, last: u32) -> anyhow::Result<Transactions> {
        let nonce = self.chain.nonce().await;
        let stored = self.store.recent_attempts(self.chain.read.chain_id(), None, last)?;
        let mut nonces = BTreeMap::new();
        let mut rows = Vec::with_capacity(stored.len());
        for (index, one) in stored.iter().enumerate() {
            let Attempt { wallet, nonce, .. } = one.attempt;
            let is_outbid =
                stored[..index].iter().any(|newer| (newer.attempt.wallet, newer.attempt.nonce) == (wallet, nonce));
            if let Entry::Vacant(unknown) = nonces.entry(wallet) {
                unknown.insert(self.chain.read.nonce(wallet).await);
            }
            let standing = match &nonces[&wallet] {
                Ok(nonce) => self.standing(&one.attempt, *nonce, is_outbid).await,
                Err(_) => "unknown".into(),
            };
            rows.push(Transaction { stored: one.clone(), standing, now_ms: self.now_ms });
        }
        Ok(Transactions { wallet: self.chain.address(), nonce, rows })
    }

    async fn standing(&self, attempt: &Attempt, nonce: u64, is_outbid: bool) -> String {
        if attempt.nonce >= nonce {
            return if is_outbid { "outbid" } else { "waiting" }.into();
        }
        match self.chain.read.mined(attempt.hash).await {
            Ok(Some(Mined::Landed(landed))) => format!("mined in {}", landed.block),
            Ok(Some(Mined::Reverted { block })) => format!("reverted in {block}"),
            Ok(None) => "replaced".into(),
            Err(_) => "unknown".into(),
        }
    }

    /// Signs, stores and sends what replaces the first of the transactions that wait.
    ///
    /// # Errors
    /// [`ChainError::NothingWaits`]; what keeps a transaction from being signed or sent.
    pub async fn replace(&self, purpose: Purpose) -> anyhow::Result<Replacement> {
        let (store, chain) = (&self.store, &self.chain);
        chain.read.check_chain_id().await?;
        let nonce = chain.nonce().await?;
        // Those of all jobs wait for the first one.
        let open = store.open_attempts(chain.read.chain_id(), chain.address())?;
        let first = open.iter().map(|one| one.attempt.nonce).find(|waiting| *waiting >= nonce);
        let first = first.ok_or(ChainError::NothingWaits)?;
        let newest = open.into_iter().rfind(|one| one.attempt.nonce == first);
        let waiting = newest.ok_or(ChainError::NothingWaits)?;
        let old = &waiting.attempt;
        let (mut last, mut named) = (old.clone(), Floor::default());
        // Until an RPC takes it at its price, or the cap ends it.
        let new = loop {
            let new = match purpose {
                Purpose::Action => chain.sign_fee_bump(&last, named).await?,
                Purpose::Cancel => chain.sign_cancel(last.nonce, Some(Floor::above(&last).and(named))).await?,
            };
            store.advance(waiting.job, waiting.period, &Step::Submitting(&new), self.now_ms)?;
            match chain.broadcast(&new).await {
                Err(ChainError::Underpriced { minimum, .. }) => (last, named) = (new, minimum),
                outcome => break outcome.map(|()| new)?,
            }
        };
        Ok(Replacement {
            period: waiting.period,
            nonce: new.nonce,
            purpose: new.purpose,
            old: old.hash,
            new: new.hash,
            old_fee_cap_wei: old.max_fee_per_gas_wei,
            max_fee_per_gas_wei: new.max_fee_per_gas_wei,
        })
    }
}

/// Transactions of a wallet, and of those that were configured before it.
#[derive(Debug)]
pub struct Transactions {
    wallet: Address,
    /// The wallet's next nonce, or why it is not known.
    nonce: Result<u64, ChainError>,
    rows: Vec<Transaction>,
}

/// A transaction and where it stands.
#[derive(Debug)]
struct Transaction {
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
            "period": one.period,
            "cycle": one.stage,
            "wallet": attempt.wallet,
            "nonce": attempt.nonce,
            "purpose": attempt.purpose,
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
        json!({"wallet": self.wallet, "nonce": self.nonce.as_ref().ok(), "transactions": self.rows})
            .serialize(serializer)
    }
}

impl Render for Transactions {
    fn text(&self) -> String {
        let mut table = Table::new(&["period", "nonce", "purpose", "fee cap", "priority", "age", "standing", "hash"]);
        for one in &self.rows {
            let (stored, attempt) = (&one.stored, &one.stored.attempt);
            let is_ours = attempt.wallet == self.wallet;
            table.add_row([
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
        let unknown = self.nonce.as_ref().err();
        let unknown = unknown.map_or_else(String::new, |fault| format!("\n{} {fault}; {}", fault.code(), fault.hint()));
        format!("wallet {}\n{table}{unknown}", self.wallet)
    }
}

/// A transaction that took another one's place.
#[derive(Debug)]
pub struct Replacement {
    period: PeriodId,
    nonce: u64,
    purpose: Purpose,
    old: B256,
    new: B256,
    old_fee_cap_wei: u128,
    max_fee_per_gas_wei: u128,
}

impl Serialize for Replacement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({
            "period": self.period, "nonce": self.nonce, "purpose": self.purpose, "old": self.old, "new": self.new,
            "max_fee_per_gas_wei": self.max_fee_per_gas_wei.to_string(),
        })
        .serialize(serializer)
    }
}

impl Render for Replacement {
    fn text(&self) -> String {
        let Self { period, nonce, purpose, old, new, old_fee_cap_wei, max_fee_per_gas_wei } = self;
        let (was, is) = (gwei(*old_fee_cap_wei), gwei(*max_fee_per_gas_wei));
        format!(
            "period {period}, nonce {nonce}: {new} replaces {old}\n  {}, fee cap {was} before, {is} now; `tx list` shows what becomes of it",
            purpose.name()
        )
    }
}
