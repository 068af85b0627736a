//! `tx list`, `tx bump` and `tx cancel` beside a cycle that watches its transaction.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use veriregime_agent::job::Agent;
use veriregime_core::types::cycle::{CycleRecord, Purpose, Stage};

use crate::proxy::{Proxy, RpcFaultMode, SEND};
use crate::transactions::GWEI;
use crate::world::{FIRST, World};

async fn world() -> World {
    let mut world = World::new().await;
    world.config.chain.poll_interval = Duration::from_millis(20);
    world.enter(FIRST).await;
    world
}

fn said(world: &World, arguments: &[&str]) -> Value {
    let output = world.program(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A running cycle whose transaction is signed, on a chain that mines nothing.
async fn waiting(world: &World) -> JoinHandle<(Agent, CycleRecord)> {
    world.chain.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let mut agent = world.agent("agent.sqlite").await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    tokio::spawn(async move {
        let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
        (agent, record)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_transaction_is_listed_raised_and_lands() {
    let world = world().await;
    let cycle = waiting(&world).await;
    let raised = said(&world, &["--json", "tx", "bump"]);
    let listed = said(&world, &["--json", "tx", "list"]);
    let standing = |index: usize| listed["transactions"][index]["standing"].clone();
    assert_eq!((standing(0), standing(1)), ("waiting".into(), "outbid".into()));
    assert_eq!(listed["transactions"][0]["hash"], raised["new"]);
    assert_eq!(listed["transactions"][1]["hash"], raised["old"]);
    world.chain.anvil.request("evm_mine", json!([])).await.unwrap();
    let (agent, record) = cycle.await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    assert_eq!(json!(record.landed.unwrap().hash), raised["new"]);
    assert_eq!(agent.store.attempts(agent.job(), FIRST).unwrap().len(), 2);
    let listed = said(&world, &["--json", "tx", "list"]);
    assert!(listed["transactions"][0]["standing"].as_str().unwrap().starts_with("mined in "), "{listed}");
    assert_eq!(listed["transactions"][1]["standing"], "replaced");
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_transaction_is_cancelled_and_its_period_missed() {
    let world = world().await;
    let cycle = waiting(&world).await;
    let cancelled = said(&world, &["--json", "tx", "cancel"]);
    assert_eq!(cancelled["purpose"], "cancel");
    world.chain.anvil.request("evm_mine", json!([])).await.unwrap();
    let (agent, record) = cycle.await.unwrap();
    assert_eq!(record.miss.unwrap().code, "VR-CYCLE-004");
    let attempts = agent.store.attempts(agent.job(), FIRST).unwrap();
    assert_eq!(attempts.last().unwrap().purpose, Purpose::Cancel);
    world.judge(FIRST, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_waits_nothing_is_signed() {
    let world = world().await;
    let table = world.program(&["tx", "list"]);
    assert!(table.status.success() && String::from_utf8_lossy(&table.stdout).contains("wallet 0x"));
    for command in ["bump", "cancel"] {
        let output = world.program(&["tx", command]);
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && words.contains("error VR-CHAIN-017: "), "{words}");
    }
    let mut agent = world.agent("agent.sqlite").await;
    agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(world.program(&["tx", "cancel"]).status.code(), Some(1));
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bump_goes_at_once_to_the_minimum_that_a_node_names() {
    let mut world = world().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.chain.anvil.request("evm_setAutomine", json!([false])).await.unwrap();
    let mut agent = world.agent("agent.sqlite").await;
    agent.run_until(Stage::Submitting, FIRST, &CancellationToken::new()).await.unwrap();
    let attempts = || agent.store.attempts(agent.job(), FIRST).unwrap();
    agent.chain.broadcast(&attempts()[0]).await.unwrap();
    proxy.set(RpcFaultMode::MinimumTip(5 * GWEI), Some(SEND));
    let raised = tokio::task::block_in_place(|| said(&world, &["--json", "tx", "bump"]));
    let tips: Vec<u128> = attempts().iter().map(|attempt| attempt.priority_fee_wei).collect();
    assert_eq!(tips, [GWEI, GWEI * 9 / 8, 5 * GWEI], "refused once");
    let found = world.chain.anvil.request("eth_getTransactionByHash", json!([raised["new"]])).await.unwrap();
    assert_eq!(found["hash"], raised["new"]);
}
