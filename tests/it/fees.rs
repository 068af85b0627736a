//! What a transaction costs: base fees that jump, the cap, and what an OP stack asks for beside gas.

use alloy::primitives::U256;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veriregime_agent::health::{Level, checks};
use veriregime_core::types::cycle::Stage;

use crate::proxy::{Proxy, RpcFaultMode, SEND};
use crate::transactions::{GWEI, Scene};
use crate::world::FIRST;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_op_stack_asks_for_l1_must_be_in_the_wallet_too() {
    const GAS_PRICE_ORACLE: &str = "0x420000000000000000000000000000000000000F";
    let scene = Scene::new().await;
    let mut agent = scene.agent().await;
    assert_eq!(agent.chain.read.data_fee_wei(3000).await.unwrap(), U256::ZERO, "anvil is no OP stack");
    // Code that answers whatever it is asked with one word: a million ether, and then one ether.
    let answering = |wei: U256| format!("0x7f{}60005260206000f3", hex::encode(wei.to_be_bytes::<32>()));
    let ether = U256::from(10).pow(U256::from(18));
    scene.request("anvil_setCode", json!([GAS_PRICE_ORACLE, answering(ether * U256::from(1_000_000))])).await;
    let balance = checks::balance(&agent.chain, 10).await;
    assert_eq!((balance.level, balance.code), (Level::Fail, Some("VR-HEALTH-004")), "{balance:?}");
    let cycle = tokio::spawn(async move { agent.run(FIRST, &CancellationToken::new()).await.unwrap() });
    let proved = async || scene.record(FIRST).is_some_and(|record| record.stage == Stage::Proved);
    scene.world.until("proved", proved).await;
    assert!(scene.attempts(FIRST).is_empty(), "nothing is signed that cannot be paid");
    scene.request("anvil_setCode", json!([GAS_PRICE_ORACLE, answering(ether)])).await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_above_the_cap_is_waited_out() {
    let mut scene = Scene::new().await;
    scene.world.config.chain.max_fee_per_gas_wei = 5 * GWEI;
    let spike = format!("{:#x}", 1_000 * GWEI);
    scene.request("anvil_setNextBlockBaseFeePerGas", json!([spike])).await;
    scene.mine().await;
    let cycle = scene.run(FIRST).await;
    let proved = async || scene.record(FIRST).is_some_and(|record| record.stage == Stage::Proved);
    scene.world.until("proved", proved).await;
    scene.request("anvil_setNextBlockBaseFeePerGas", json!(["0x3b9aca00"])).await;
    scene.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    assert!(scene.attempts(FIRST).iter().all(|attempt| attempt.max_fee_per_gas_wei <= 5 * GWEI));
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_fee_that_jumps_over_a_sent_transaction_leads_to_a_dearer_one() {
    let scene = Scene::new().await;
    scene.stop_mining().await;
    let cycle = scene.run(FIRST).await;
    scene.waits(FIRST, 1).await;
    let spike_wei = scene.attempts(FIRST)[0].max_fee_per_gas_wei * 4;
    scene.request("anvil_setNextBlockBaseFeePerGas", json!([format!("{spike_wei:#x}")])).await;
    scene.mine().await;
    assert_eq!(scene.record(FIRST).unwrap().stage, Stage::Submitting, "it was too cheap for that block");
    scene.world.clock.set_ms(scene.world.clock.now_ms() + 60_000);
    scene.world.until("a dearer one", async || scene.attempts(FIRST).len() == 2).await;
    assert!(scene.attempts(FIRST)[1].max_fee_per_gas_wei > spike_wei * 7 / 8);
    scene.waits(FIRST, 2).await;
    scene.mine().await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    scene.world.judge(FIRST, 1).await;
}

/// A node that wants a builder's part of its own: it is refused once, and offered at once what it names.
#[tokio::test(flavor = "multi_thread")]
async fn the_minimum_that_a_node_names_is_offered_at_once() {
    let mut scene = Scene::new().await;
    let proxy = Proxy::start(scene.world.config.chain.rpc_url(), RpcFaultMode::MinimumTip(3 * GWEI)).await;
    scene.world.config.chain.rpc_urls = vec![proxy.rpc()];
    let cycle = scene.run(FIRST).await;
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    let tips: Vec<u128> = scene.attempts(FIRST).iter().map(|attempt| attempt.priority_fee_wei).collect();
    assert_eq!(tips, [GWEI, 3 * GWEI]);
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_of_zero_is_raised() {
    let mut scene = Scene::new().await;
    let proxy = Proxy::start(scene.world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    proxy.set(
        RpcFaultMode::Says(r#"{"code": -32000, "message": "INTERNAL_ERROR: could not replace existing tx"}"#),
        Some(SEND),
    );
    scene.world.config.chain.rpc_urls = vec![proxy.rpc()];
    scene.world.config.chain.priority_fee_wei = 0;
    let cycle = scene.run(FIRST).await;
    scene.world.until("it was offered four times", async || proxy.asked(SEND).len() >= 4).await;
    proxy.set(RpcFaultMode::Fair, None);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    let tips: Vec<u128> = scene.attempts(FIRST).iter().map(|attempt| attempt.priority_fee_wei).collect();
    assert!(tips[0] == 0 && tips.windows(2).all(|pair| pair[1] > pair[0]), "{tips:?}");
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minimum_above_the_cap_is_waited_out() {
    let mut scene = Scene::new().await;
    let proxy = Proxy::start(scene.world.config.chain.rpc_url(), RpcFaultMode::MinimumTip(u128::MAX)).await;
    scene.world.config.chain.rpc_urls = vec![proxy.rpc()];
    let cycle = scene.run(FIRST).await;
    scene.world.until("it was offered twice", async || proxy.asked(SEND).len() >= 2).await;
    proxy.set(RpcFaultMode::Fair, None);
    assert_eq!(cycle.await.unwrap().stage, Stage::Confirmed);
    assert!(
        scene.attempts(FIRST).iter().all(|one| one.max_fee_per_gas_wei <= scene.world.config.chain.max_fee_per_gas_wei)
    );
    scene.world.judge(FIRST, 1).await;
}
