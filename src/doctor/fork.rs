//! A whole cycle on a copy of the configured chain.

use std::io;
use std::path::Path;

use alloy::eips::BlockId;
use alloy::primitives::{B256, U256};
use anyhow::Context;
use serde_json::json;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::failed;
use crate::bundle::Bundle;
use crate::config::Config;
use crate::devnet::{Anvil, relayed};
use crate::diagnosis;
use crate::health::Check;
use crate::job::Agent;
use crate::node::yields::publishers;
use crate::node::{assemble, parts, replay};
use crate::state::Store;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::replica::Replica;

/// Where the registry keeps its attestor set: the version in the last four bytes, the threshold in the one before.
const ATTESTOR_SET_SLOT: &str = "0x2";
/// What the wallet has on the fork: a thousand ether, in wei.
const BALANCE_WEI: &str = "0x3635c9adc5dea00000";

/// How the cycle on the fork went wrong.
#[derive(Debug, Error)]
enum ForkError {
    /// It ended without an update.
    #[error("on the fork, period {period} ended as {}: {why}", stage.name())]
    Outcome { period: PeriodId, stage: Stage, why: String },
    /// The RPC has no state from before the period's update.
    #[error("period {period} has its update already, and the RPC has no state from before block {block}: {reason}")]
    NoState { period: PeriodId, block: u64, reason: String },
    /// anvil does not run, or makes no copy.
    #[error("there is no copy of the chain to run it on: {reason}")]
    NoFork { reason: String },
}

impl Diagnostic for ForkError {
    fn code(&self) -> &'static str {
        match self {
            Self::Outcome { .. } => "VR-DOCTOR-001",
            Self::NoState { .. } => "VR-DOCTOR-002",
            Self::NoFork { .. } => "VR-DOCTOR-003",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Outcome { .. } => {
                "look the code up in docs/OPERATOR.md: a cycle on the real chain would end the same way"
            }
            Self::NoState { .. } => {
                "run it again after the next period has begun and before its update, or on an archive node"
            }
            Self::NoFork { .. } => "install foundry's anvil, as `make setup` does, or name it with --anvil",
        }
    }
}

/// Runs the running period's cycle on a fork and says how it went.
pub(super) async fn check(config: &Config, anvil: &Path) -> Check {
    const NAME: &str = "cycle on a fork";
    let stop = CancellationToken::new();
    let outcome = run(config, anvil, &stop).await;
    stop.cancel();
    let (record, threshold) = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            return match error.downcast_ref::<ForkError>() {
                Some(fault) => Check::fail(NAME, fault),
                None => failed(NAME, &error),
            };
        }
    };
    let period = record.period;
    match record.landed {
        Some(landed) if record.stage == Stage::Confirmed => Check::ok(
            NAME,
            format!(
                "period {period} landed there: {} gas, proof in {} ms, {} ms in all{}",
                landed.gas_used,
                record.prove_ms.unwrap_or_default(),
                record.updated_ms - record.started_ms,
                if threshold > 1 {
                    format!("; with one attestation for {threshold}: nobody else was asked")
                } else {
                    String::new()
                }
            ),
        ),
        _ => {
            let why = record.miss.map_or_else(String::new, |miss| format!("{} {}", miss.code, miss.message));
            Check::fail(NAME, &ForkError::Outcome { period, stage: record.stage, why })
        }
    }
}

/// The cycle on the fork, and how many attestations the contract wants in truth.
async fn run(config: &Config, anvil: &Path, stop: &CancellationToken) -> anyhow::Result<(CycleRecord, u8)> {
    let clock = replay::clock(config, stop).await?;
    let now_ms = clock.now_ms();
    let grid = config.grid();
    let period = grid.period_at(now_ms);
    let before = block_before_update(config, period).await?;
    let upstream = relayed(config, stop.clone()).await?;
    // Without the state of its block anvil may not even start; that there is no anvil is another matter.
    let without_state = |fault: anyhow::Error| match before {
        Some(block) if !fault.is::<io::Error>() => {
            ForkError::NoState { period, block: block + 1, reason: diagnosis::words(&fault) }.into()
        }
        _ => fault,
    };
    let copied = Anvil::fork(anvil, &upstream, before).await.map_err(without_state);
    let fork = copied.map_err(|fault| {
        if fault.is::<ForkError>() { fault } else { ForkError::NoFork { reason: diagnosis::words(&fault) }.into() }
    })?;

    // From here on there is one RPC, and it is the fork's.
    let mut forked = fork.settings(config);
    // Nobody else acts there, and what the wallet has sent before is no business of the fork's empty database.
    forked.replica = Replica::ALONE;
    let scratch = tempfile::tempdir().context("no scratch folder")?;
    forked.state_path = scratch.path().join("fork.sqlite");
    forked.evidence_dir = scratch.path().join("evidence");
    if forked.strategy.as_ref().is_some_and(|of| publishers(&forked).of(of.kind).is_some()) {
        forked.yields.dir = scratch.path().join("yields");
    }
    if let Some(hedge) = &mut forked.hedge {
        hedge.dir = scratch.path().join("tables");
    }
    let store = Store::open(&forked.state_path)?;
    let mut agent = parts::agent(&forked, clock, store).await?;
    let state = async {
        fork.request("anvil_setBalance", json!([agent.chain.address(), BALANCE_WEI])).await?;
        anyhow::Ok((agent.chain.read.head().await?, want_one_attestation(&fork, &agent).await?))
    };
    let (head, threshold) = state.await.map_err(without_state)?;
    fork.set_time((now_ms / 1000).max(head.timestamp_seconds + 1)).await?;
    let record = agent.run(period, stop).await;
    agent.prover.stop().await;
    Ok((record?, threshold))
}

/// Makes this node's attestation enough on the fork: the others would refuse a chain with its id. Gives back how many the
/// contract wants in truth.
async fn want_one_attestation(fork: &Anvil, agent: &Agent) -> anyhow::Result<u8> {
    let set = agent.chain.read.attestor_set(agent.action.contract()).await?;
    if set.threshold > 1 {
        let registry = agent.chain.read.registry_of(agent.action.contract()).await?;
        let one = B256::from((U256::ONE << 32) | U256::from(set.version));
        fork.request("anvil_setStorageAt", json!([registry, ATTESTOR_SET_SLOT, one])).await?;
        let lowered = agent.chain.read.attestor_set(agent.action.contract()).await?;
        anyhow::ensure!(
            (lowered.version, lowered.threshold) == (set.version, 1),
            "the registry keeps its attestor set elsewhere: it is none that this program deploys"
        );
    }
    Ok(set.threshold)
}

/// The block before the one with the period's update; `None` where there is no update yet, and the newest block will do.
async fn block_before_update(config: &Config, period: PeriodId) -> anyhow::Result<Option<u64>> {
    let (reader, action) = (assemble::reader(config)?, assemble::action(config, &Bundle::open(&config.bundle)?)?);
    let model_id = action.model_id(&reader).await?;
    if action.last_period(&reader, OmittedMarkets::NONE, BlockId::latest()).await? != Some(period) {
        return Ok(None);
    }
    let published = action.block_of(&reader, model_id, period).await?;
    let block = published.context("the contract has an update of this period, and the RPC no event of it")?;
    Ok(Some(block.saturating_sub(1)))
}
