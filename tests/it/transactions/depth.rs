//! Updates until they are final, and what the chain drops.

use ::veriregime_files;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use veriregime_agent::state::jobs::Scope;
use veriregime_core::types::cycle::Stage;

use super::{Scene, missed_with};
use crate::fleet::daemon;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, toml};

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_confirmed_once_it_is_as_deep_as_wanted() {
    let mut scene = Scene::new().await;
    scene.world.config.chain.confirmations = 3;
    let proxy = Proxy::start(scene.world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    scene.world.config.chain.rpc_urls = vec![proxy.rpc()];
    let receipts = || proxy.asked("eth_getTransactionReceipt").len();
    scene.stop_mining().await;
    let cycle = scene.run(FIRST).await;
    scene.waits(FIRST, 1).await;
    for _ in 0..2 {
        scene.mine().await;
        let before = receipts();
        // One may have been asked for before the block, and what follows from the next is known when another is.
        scene.world.until("looks at the receipt", async || receipts() > before + 2).await;
        assert_eq!(scene.record(FIRST).unwrap().stage, Stage::Submitting);
    }
    // A reorganisation takes it back before it is deep enough: the same bytes land again.
    let hash = scene.attempts(FIRST)[0].hash;
    scene.request("anvil_rollback", json!([2])).await;
    scene.waits(FIRST, 1).await;
    for _ in 0..3 {
        scene.mine().await;
    }
    let record = cycle.await.unwrap();
    assert_eq!((record.stage, record.landed.unwrap().hash), (Stage::Confirmed, hash));
    scene.world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_looked_up_until_its_block_is_final() {
    let scene = Scene::new().await;
    let mut agent = scene.agent().await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    let open = || scene.store.not_final(Scope::All, 9).unwrap().len();
    agent.recheck(&record).await.unwrap();
    assert_eq!(open(), 1);
    // anvil calls final what lies two epochs of 32 slots back.
    scene.request("anvil_mine", json!(["0x50"])).await;
    assert_eq!(agent.recheck(&record).await.unwrap().stage, Stage::Confirmed);
    assert_eq!(open(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_the_chain_drops_after_its_period_is_missed_and_its_nonce_is_freed() {
    let scene = Scene::new().await;
    let snapshot = scene.request("evm_snapshot", json!([])).await;
    let mut agent = scene.agent().await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let second = FIRST.next();
    scene.request("evm_revert", json!([snapshot])).await;
    scene.world.enter(second).await;
    assert_eq!(agent.recheck(&record).await.unwrap().stage, Stage::Submitting);
    agent.settle(&scene.world.config.schedule.cron.clone()).await.unwrap();
    let settled = scene.record(FIRST).unwrap();
    missed_with(&settled, "VR-CYCLE-004");
    assert_eq!(settled.landed, None);
    scene.world.judge(FIRST, 0).await;
    scene.next_lands(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_sends_again_what_the_chain_drops() {
    let scene = Scene::new().await;
    let snapshot = scene.request("evm_snapshot", json!([])).await;
    let path = |name: &str| scene.world.scratch.path().join(name);
    veriregime_files::write_atomic(&path("agent.toml"), toml(&scene.world.settings()).as_bytes()).unwrap();
    let mut daemon = daemon(&path("agent.toml"), &path("log"));
    let confirmed = async || scene.record(FIRST).is_some_and(|record| record.stage == Stage::Confirmed);
    scene.world.until("confirmed", confirmed).await;
    scene.request("evm_revert", json!([snapshot])).await;
    assert_eq!(scene.world.updates(FIRST).await, 0);
    scene.world.until("it landed again", async || scene.world.updates(FIRST).await == 1).await;
    scene.world.until("confirmed again", confirmed).await;
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert_eq!(scene.attempts(FIRST).len(), 1, "the same bytes");
    scene.world.judge(FIRST, 1).await;
}
