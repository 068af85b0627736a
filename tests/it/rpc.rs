//! Bad RPCs beside a good one, and one bad RPC alone: one update lands, nothing lands late, no nonce is stuck.

use std::time::Duration;

use alloy::primitives::U256;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::job::Agent;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::rpc_url::RpcUrl;

use crate::proxy::{Proxy, RpcFaultMode, SEND};
use crate::world::{FIRST, World};

fn go() -> CancellationToken {
    CancellationToken::new()
}

/// A world in its first period, and the address of its chain.
async fn world() -> (World, Url) {
    let mut world = World::new().await;
    world.config.chain.poll_interval = Duration::from_millis(20);
    world.config.chain.request_timeout = Duration::from_secs(1);
    world.config.chain.max_head_lag = Duration::from_secs(2);
    world.enter(FIRST).await;
    let upstream = world.config.chain.rpc_url().clone();
    (world, upstream)
}

/// The cycle of an agent that prefers a proxy in that mood and has the chain itself as well. Gives back how often the proxy
/// was asked for the nonce.
async fn beside_a_good_one(mood: RpcFaultMode) -> usize {
    let (mut world, upstream) = Box::pin(world()).await;
    let proxy = Proxy::start(&upstream, mood).await;
    world.config.chain.rpc_urls = vec![proxy.rpc(), upstream.into()];
    let mut agent = Box::pin(world.agent("one")).await;
    let record = Box::pin(agent.run(FIRST, &go())).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    world.judge(FIRST, 1).await;
    proxy.asked("eth_getTransactionCount").len()
}

/// The cycle of an agent that has only the proxy, which gets better once it was asked so often.
async fn until_it_gets_better(mood: RpcFaultMode, method: &'static str, times: usize) {
    let (mut world, upstream) = world().await;
    let proxy = Proxy::start(&upstream, RpcFaultMode::Fair).await;
    proxy.set(mood, Some(method));
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    let mut agent = world.agent("one").await;
    let cycle = tokio::spawn(async move { agent.run(FIRST, &go()).await.unwrap() });
    world.until("the proxy was asked", async || proxy.asked(method).len() >= times).await;
    proxy.set(RpcFaultMode::Fair, None);
    let record = cycle.await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_hangs_up_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Drop).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_does_not_answer_in_time_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Delay(Duration::from_mins(1))).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_with_server_errors_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Status(503)).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_answers_garbage_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Garbage).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_stops_in_the_middle_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Truncate).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_whose_answers_never_end_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Huge).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_lags_behind_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Stale(3)).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_on_another_chain_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Chain(1)).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_arrive_twice_do_no_harm() {
    assert!(beside_a_good_one(RpcFaultMode::Duplicate).await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_rpc_that_hangs_up_is_asked_again() {
    until_it_gets_better(RpcFaultMode::Drop, "eth_getTransactionCount", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_acceptance_got_lost_is_found_on_chain() {
    until_it_gets_better(RpcFaultMode::LoseAnswer, SEND, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_never_arrived_is_sent_again() {
    until_it_gets_better(RpcFaultMode::Drop, SEND, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_make_no_sense_do_not_end_the_cycle() {
    until_it_gets_better(RpcFaultMode::Garbage, "eth_getTransactionReceipt", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_rpc_is_on_another_chain_nothing_is_sent() {
    let (mut world, upstream) = world().await;
    let proxies =
        [Proxy::start(&upstream, RpcFaultMode::Chain(1)).await, Proxy::start(&upstream, RpcFaultMode::Chain(2)).await];
    world.config.chain.rpc_urls = proxies.iter().map(Proxy::rpc).collect();
    let agent = world.agent("lost").await;
    assert_eq!(agent.chain.nonce().await.expect_err("no RPC is right").code(), "VR-CHAIN-003");
    assert!(proxies.iter().all(|proxy| proxy.asked("eth_getTransactionCount").is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_go_to_every_rpc() {
    let (mut world, upstream) = world().await;
    let proxies =
        [Proxy::start(&upstream, RpcFaultMode::Fair).await, Proxy::start(&upstream, RpcFaultMode::Fair).await];
    world.config.chain.rpc_urls = proxies.iter().map(Proxy::rpc).collect();
    let record = world.agent("both").await.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let sent = proxies.each_ref().map(|proxy| proxy.asked(SEND));
    assert!(!sent[0].is_empty() && sent[0] == sent[1], "{sent:?}");
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_that_fails_in_the_middle_of_a_cycle_is_left_for_the_next_one() {
    let (mut world, upstream) = world().await;
    let proxy = Proxy::start(&upstream, RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc(), upstream.into()];
    let mut agent = world.agent("one").await;
    agent.run_until(Stage::Submitting, FIRST, &go()).await.unwrap();
    proxy.set(RpcFaultMode::Status(500), None);
    assert_eq!(agent.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    world.judge(FIRST, 1).await;
}

/// Asked about the pending block, it refuses; then it is asked about the newest one, and never about the other again.
#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_without_a_pending_block_is_asked_about_the_newest() {
    let (mut world, upstream) = world().await;
    let proxy = Proxy::start(&upstream, RpcFaultMode::NoPending).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    let record = world.agent("one").await.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let asked = ["eth_getTransactionCount", "eth_estimateGas"].map(|method| proxy.asked(method));
    let pending = asked.iter().flatten().filter(|params| params.to_string().contains("pending"));
    assert_eq!(pending.count(), 1, "it is remembered");
    world.judge(FIRST, 1).await;
}

const SILENT_REVERT: &str = r#"{"code": -32000, "message": "execution reverted"}"#;
const OLD_SILENT_REVERT: &str = r#"{"code": -32015, "message": "VM execution error.", "data": "Reverted 0x"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_predeploy_that_reverts_without_data_is_not_there() {
    const GAS_PRICE_ORACLE: &str = "0x420000000000000000000000000000000000000f";
    for revert in [SILENT_REVERT, OLD_SILENT_REVERT] {
        let (mut world, upstream) = world().await;
        let proxy = Proxy::start(&upstream, RpcFaultMode::SaysOf(GAS_PRICE_ORACLE, revert)).await;
        world.config.chain.rpc_urls = vec![proxy.rpc()];
        let mut agent = world.agent("one").await;
        assert_eq!(agent.chain.read.data_fee_wei(3000).await.unwrap(), U256::ZERO, "{revert}");
        lands(&world, &mut agent).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_of_one_rpc_is_not_the_truth_when_another_disagrees() {
    for revert in
        [SILENT_REVERT, OLD_SILENT_REVERT, r#"{"code": 3, "message": "execution reverted", "data": "0x09bde339"}"#]
    {
        let (mut world, upstream) = world().await;
        let proxy = Proxy::start(&upstream, RpcFaultMode::Fair).await;
        proxy.set(RpcFaultMode::Says(revert), Some("eth_estimateGas"));
        world.config.chain.rpc_urls = vec![proxy.rpc(), upstream.into()];
        let mut agent = world.agent("one").await;
        lands(&world, &mut agent).await;
        assert!(!proxy.asked("eth_estimateGas").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_without_a_reason_is_asked_about_again() {
    until_it_gets_better(RpcFaultMode::Says(SILENT_REVERT), "eth_estimateGas", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rpc_whose_numbers_make_no_sense_is_passed_over() {
    assert_eq!(beside_a_good_one(RpcFaultMode::Absurd).await, 0);
    // Also where it is believed at first.
    for method in ["eth_getTransactionCount", "eth_estimateGas", "eth_getTransactionReceipt"] {
        let (mut world, upstream) = world().await;
        let proxy = Proxy::start(&upstream, RpcFaultMode::Fair).await;
        proxy.set(RpcFaultMode::Absurd, Some(method));
        world.config.chain.rpc_urls = vec![proxy.rpc(), upstream.into()];
        let mut agent = world.agent("one").await;
        lands(&world, &mut agent).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_rpc_whose_numbers_make_no_sense_ends_nothing() {
    for method in
        ["eth_getTransactionCount", "eth_estimateGas", "eth_getBlockByNumber", "eth_getTransactionReceipt", "eth_call"]
    {
        until_it_gets_better(RpcFaultMode::Absurd, method, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_what_nobody_uses_are_taken() {
    let (mut world, upstream) = world().await;
    let proxy = Proxy::start(&upstream, RpcFaultMode::Terse).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    let mut agent = world.agent("one").await;
    lands(&world, &mut agent).await;
    let record = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    assert!(record.evidence.is_some(), "the receipt's events and the transaction were read");
}

async fn lands(world: &World, agent: &mut Agent) {
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_does_as_well() {
    let (mut world, upstream) = world().await;
    let socket: RpcUrl = upstream.as_str().replace("http", "ws").parse().unwrap();
    world.config.chain.rpc_urls = vec![socket];
    let mut agent = world.agent("socket").await;
    lands(&world, &mut agent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_leads_nowhere_is_passed_over() {
    let (mut world, upstream) = world().await;
    world.config.chain.rpc_urls = vec!["ws://127.0.0.1:9".parse().unwrap(), upstream.into()];
    let mut agent = world.agent("socket").await;
    lands(&world, &mut agent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lagging_rpc_is_asked_once_it_is_the_only_one_left() {
    let (mut world, upstream) = world().await;
    let head = world.chain.anvil.request("eth_blockNumber", json!([])).await.unwrap();
    let head = u64::from_str_radix(&head.as_str().unwrap()[2..], 16).unwrap();
    // It knows all but what is to come.
    let proxy = Proxy::start(&upstream, RpcFaultMode::Stale(head)).await;
    world.config.chain.rpc_urls = vec!["http://127.0.0.1:9".parse().unwrap(), proxy.rpc()];
    let agent = world.agent("left").await;
    assert_eq!(agent.chain.nonce().await.unwrap(), 0);
    assert_eq!(agent.chain.read.head().await.unwrap().number, head);
}
