//! `tx list`, `tx bump` and `tx cancel`: the wallet's transactions, by hand.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::chain::error::ChainError;
use crate::chain::fees::Floor;
use crate::node::{assemble, replay};
use crate::render::gwei;
use crate::render::layout::Table;
use crate::state::attempts::StoredAttempt;
use crate::state::{Step, Store};
use veriregime_core::types::cycle::{Attempt, Mined, Purpose, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::time::format_utc;

/// Transactions among which the newest waiting one is looked for.
const NEWEST: u32 = 1;

/// Subcommands of `tx`.
#[derive(Debug, Subcommand)]
pub enum TxCommand {
    /// Show the transactions that were signed, and where each stands.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml tx list
  veriregime-agent --config agent.toml --json tx list --last 50

waiting: not mined; outbid: a dearer one with its nonce waits; mined, reverted: in that block; replaced: another transaction
with its nonce was mined; unknown: the chain does not answer.")]
    List(ListArgs),
    /// Replace the waiting transaction by a dearer one now.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml tx bump

Signs what the waiting transaction says once more with its nonce, offers at least an eighth more (up to
chain.max_fee_per_gas_gwei), stores it, and sends it to every RPC. Only one of the two can be mined. Safe beside a running
daemon: both write under SQLite's lock, the later one is refused if it does not outbid the other (VR-STATE-007), and the
daemon goes on with whatever is stored.")]
    Bump,
    /// Cancel the waiting transaction: its update will not land, and the period is missed.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml tx cancel

Signs a payment of nothing to the wallet itself with the waiting transaction's nonce (up to
chain.max_cancel_fee_per_gas_gwei), stores it, and sends it to every RPC. If the update is mined first after all, it counts.
Safe beside a running daemon, which watches the cancellation, raises it if it is not mined, and signs no update for the
period any more.")]
    Cancel,
}

/// Options of `tx list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// How many transactions to show.
    #[arg(long, default_value_t = 12, value_name = "N")]
    last: u32,
}

/// Runs the subcommand.
///
/// # Errors
/// Settings, key or database that cannot be read; [`ChainError::NothingWaits`]; what keeps a transaction from being signed
/// or sent.
pub async fn run(command: TxCommand, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = assemble::settings(settings)?;
    let store = Store::open(&config.state_path)?;
    let chain = assemble::chain(&config).await?;
    let now_ms = replay::now_ms(&config).await?;
    match command {
        TxCommand::List(args) => {
            list(&store.recent_attempts(config.chain.chain_id, None, args.last)?, &chain, now_ms, json).await
        }
        TxCommand::Bump => replace(&store, &chain, Purpose::Update, now_ms, json).await?,
        TxCommand::Cancel => replace(&store, &chain, Purpose::Cancel, now_ms, json).await?,
    }
    Ok(())
}

async fn list(stored: &[StoredAttempt], chain: &Chain, now_ms: i64, json: bool) {
    let nonce = chain.nonce().await;
    let mut nonces = BTreeMap::new();
    let mut rows = Vec::with_capacity(stored.len());
    for (index, one) in stored.iter().enumerate() {
        let Attempt { wallet, nonce, .. } = one.attempt;
        let is_outbid =
            stored[..index].iter().any(|newer| (newer.attempt.wallet, newer.attempt.nonce) == (wallet, nonce));
        if let Entry::Vacant(unknown) = nonces.entry(wallet) {
            unknown.insert(chain.read.nonce(wallet).await);
        }
        let standing = match &nonces[&wallet] {
            Ok(nonce) => standing(&one.attempt, *nonce, is_outbid, chain).await,
            Err(_) => "unknown".into(),
        };
        rows.push((one, standing));
    }
    if json {
        let rows: Vec<Value> = rows.iter().map(|(one, standing)| row_json(one, standing, now_ms)).collect();
        println!("{}", json!({"wallet": chain.address(), "nonce": nonce.as_ref().ok(), "transactions": rows}));
        return;
    }
    println!("wallet {}", chain.address());
    let mut table = Table::new(&["period", "nonce", "purpose", "fee cap", "priority", "age", "standing", "hash"]);
    for (one, standing) in &rows {
        let is_ours = one.attempt.wallet == chain.address();
        let standing = if is_ours { standing.clone() } else { format!("{standing}, of {}", one.attempt.wallet) };
        table.add_row([
            one.period.to_string(),
            one.attempt.nonce.to_string(),
            one.attempt.purpose.name().to_owned(),
            gwei(one.attempt.max_fee_per_gas_wei),
            gwei(one.attempt.priority_fee_wei),
            age_seconds(one, now_ms).map_or_else(String::new, |seconds| format!("{seconds} s")),
            standing,
            one.attempt.hash.to_string(),
        ]);
    }
    println!("{table}");
    if let Err(fault) = nonce {
        println!("{} {fault}; {}", fault.code(), fault.hint());
    }
}

async fn standing(attempt: &Attempt, nonce: u64, is_outbid: bool, chain: &Chain) -> String {
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

fn age_seconds(one: &StoredAttempt, now_ms: i64) -> Option<i64> {
    (one.signed_ms > 0).then(|| (now_ms - one.signed_ms) / 1000)
}

fn row_json(one: &StoredAttempt, standing: &str, now_ms: i64) -> Value {
    let attempt = &one.attempt;
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
        "age_seconds": age_seconds(one, now_ms),
        "standing": standing,
    })
}

/// Signs, stores and sends what replaces the waiting transaction.
async fn replace(store: &Store, chain: &Chain, purpose: Purpose, now_ms: i64, json: bool) -> anyhow::Result<()> {
    let newest = store.recent_attempts(chain.read.chain_id(), Some(chain.address()), NEWEST)?.pop();
    let waiting = newest.filter(|one| one.stage == Stage::Submitting).ok_or(ChainError::NothingWaits)?;
    let old = &waiting.attempt;
    chain.read.check_chain_id().await?;
    if chain.nonce().await? > old.nonce {
        return Err(ChainError::NothingWaits.into());
    }
    let (mut last, mut named) = (old.clone(), Floor::default());
    // Until an RPC takes it at its price, or the cap ends it.
    let new = loop {
        let new = match purpose {
            Purpose::Update => chain.sign_fee_bump(&last, named).await?,
            Purpose::Cancel => chain.sign_cancel(last.nonce, Some(Floor::above(&last).and(named))).await?,
        };
        store.advance(waiting.job, waiting.period, &Step::Submitting(&new), now_ms)?;
        match chain.broadcast(&new).await {
            Err(ChainError::Underpriced { minimum, .. }) => (last, named) = (new, minimum),
            outcome => break outcome.map(|()| new)?,
        }
    };
    if json {
        let said = json!({
            "period": waiting.period, "nonce": new.nonce, "purpose": new.purpose, "old": old.hash, "new": new.hash,
            "max_fee_per_gas_wei": new.max_fee_per_gas_wei.to_string(),
        });
        println!("{said}");
    } else {
        println!("period {}, nonce {}: {} replaces {}", waiting.period, new.nonce, new.hash, old.hash);
        let (was, is) = (gwei(old.max_fee_per_gas_wei), gwei(new.max_fee_per_gas_wei));
        println!("  {}, fee cap {was} before, {is} now; `tx list` shows what becomes of it", new.purpose.name());
    }
    Ok(())
}
