//! What a node does with what it was before: another wallet's transactions, another model's cycles, another contract's
//! database; and with another process on its own.

use std::path::PathBuf;
use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, U256};
use alloy::rpc::types::TransactionRequest;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::evidence;
use veriregime_agent::job::Agent;
use veriregime_agent::state::Store;
use veriregime_agent::state::jobs::Scope;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::job::JobKey;
use veriregime_core::types::period::PeriodId;

use crate::doctor::{copy_of_the_bundle, make_another_model};
use crate::node::Node;
use crate::world::{FIRST, KEYS, World};

const DATABASE: &str = "agent.sqlite";

fn go() -> CancellationToken {
    CancellationToken::new()
}

async fn world() -> World {
    let mut world = World::new().await;
    world.config.chain.poll_interval = Duration::from_millis(20);
    world.enter(FIRST).await;
    world
}

async fn request(world: &World, method: &'static str, params: Value) {
    world.chain.anvil.request(method, params).await.unwrap();
}

/// Signs the first period's update and sends it to a chain that mines nothing.
async fn left_waiting(world: &World) {
    let mut agent = world.agent(DATABASE).await;
    request(world, "evm_setAutomine", json!([false])).await;
    agent.run_until(Stage::Submitting, FIRST, &go()).await.unwrap();
    agent.chain.broadcast(&agent.store.attempts(agent.job(), FIRST).unwrap()[0]).await.unwrap();
    agent.prover.stop().await;
}

/// Mines what waits, in the period that runs.
async fn mined(world: &World) {
    request(world, "evm_mine", json!([])).await;
    request(world, "evm_setAutomine", json!([true])).await;
}

/// Nobody knows any more of what waits.
async fn forgotten(world: &World) {
    request(world, "anvil_dropAllTransactions", json!([])).await;
    request(world, "evm_setAutomine", json!([true])).await;
}

/// A new wallet; the attestor stays.
fn take_another_wallet(world: &mut World) {
    let fresh = Signer::file(world.key_file("another.key", KEYS[1]));
    world.config.attestor = Some(std::mem::replace(&mut world.config.signer, fresh));
}

/// Where another model's bundle lies, in a folder of its own.
fn another_bundle(world: &World) -> PathBuf {
    world.scratch.path().join("elsewhere/another")
}

/// Puts another model on the contract, and lets the node run it.
async fn go_over_to_another_model(world: &mut World) {
    let folder = another_bundle(world);
    copy_of_the_bundle(world, &folder);
    make_another_model(&folder);
    world.rotate(&folder).await;
    world.config.bundle = folder;
}

fn of_model(agent: &Agent, manifest: Digest, period: PeriodId) -> CycleRecord {
    agent.store.cycle(JobKey { manifest, ..agent.job() }, period).unwrap().unwrap()
}

fn miss(record: &CycleRecord) -> &str {
    record.miss.as_ref().map_or("", |miss| &miss.code)
}

/// The next period's cycle lands, after everything before it is settled.
async fn next_lands(world: &World) -> Agent {
    world.enter(FIRST.next()).await;
    let mut agent = world.agent(DATABASE).await;
    agent.settle(&world.config.schedule.cron).await.unwrap();
    let record = agent.run(FIRST.next(), &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    world.judge(FIRST.next(), 1).await;
    agent
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wallet_s_nonces_do_not_vouch_for_what_the_new_one_has_sent() {
    let mut world = world().await;
    let mut agent = world.agent(DATABASE).await;
    assert_eq!(agent.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed);
    take_another_wallet(&mut world);
    let agent = world.agent(DATABASE).await;
    // The new wallet is in use elsewhere, as often as the old one was here.
    let payment = TransactionRequest::default().with_to(Address::repeat_byte(1)).with_value(U256::from(1));
    agent.chain.send(payment).await.unwrap();
    let fault = agent.ensure_exclusive_wallet().await.expect_err("it has sent what this database does not know of");
    assert_eq!(fault.code(), "VR-CYCLE-005");
    assert!(fault.to_string().contains("has sent 1 transactions, this database knows of 0"), "{fault}");
    // What a deployment has sent is noted by it.
    agent.store.know_nonces(world.config.chain.chain_id, agent.chain.address(), 1).unwrap();
    agent.ensure_exclusive_wallet().await.unwrap();
    next_lands(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_wallet_left_waiting_is_settled_and_holds_no_nonce_of_the_new_one() {
    let mut world = world().await;
    left_waiting(&world).await;
    forgotten(&world).await;
    take_another_wallet(&mut world);
    let agent = next_lands(&world).await;
    let record = of_model(&agent, agent.manifest(), FIRST);
    assert_eq!((record.stage, miss(&record)), (Stage::Missed, "VR-CYCLE-001"));
    assert_eq!(agent.store.attempts(agent.job(), FIRST).unwrap().len(), 1, "nobody could cancel it");
    world.judge(FIRST, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_wallet_left_waiting_counts_where_it_was_mined() {
    let mut world = world().await;
    left_waiting(&world).await;
    take_another_wallet(&mut world);
    let waiting = world.agent(DATABASE).await;
    mined(&world).await;
    let agent = next_lands(&world).await;
    let record = of_model(&agent, agent.manifest(), FIRST);
    let attempts = waiting.store.attempts(agent.job(), FIRST).unwrap();
    assert_eq!(record.landed.map(|landed| landed.hash), Some(attempts[0].hash));
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_not_lost_with_the_wallet_that_signed_it() {
    let mut world = world().await;
    left_waiting(&world).await;
    forgotten(&world).await;
    // The RPC refuses the old wallet's bytes for ever: their nonce is taken.
    let old = world.agent(DATABASE).await;
    old.chain.send(TransactionRequest::default().with_to(old.chain.address())).await.unwrap();
    take_another_wallet(&mut world);
    let mut agent = world.agent(DATABASE).await;
    world.clock.set_ms(world.clock.now_ms() + 60_000);
    let record = agent.run(FIRST, &go()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let attempts = agent.store.attempts(agent.job(), FIRST).unwrap();
    let wallets: Vec<Address> = attempts.iter().map(|attempt| attempt.wallet).collect();
    assert_eq!(wallets, [old.chain.address(), agent.chain.address()]);
    world.judge(FIRST, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_model_before_is_settled_and_leaves_evidence() {
    let mut world = world().await;
    let before = world.chain.bundle.manifest_digest;
    left_waiting(&world).await;
    mined(&world).await;
    go_over_to_another_model(&mut world).await;
    let agent = next_lands(&world).await;
    assert_ne!(agent.manifest(), before);
    let record = of_model(&agent, before, FIRST);
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let file = agent.evidence.file(record.evidence.expect("it left evidence"));
    let (_, evidence) = evidence::read(&file).unwrap();
    assert_eq!((evidence.manifest_sha256, evidence.update.period), (before, FIRST));
    assert_eq!(evidence.markets[0].market, world.chain.bundle.manifest.markets().unwrap()[0].name);
    let mut settings = world.settings();
    settings["model"]["bundle"] = json!(world.chain.bundle.folder);
    let verdict = world.program_with(&settings, &["--json", "verify-bundle", file.to_str().unwrap()]);
    assert_eq!(verdict.status.code(), Some(0), "{}", String::from_utf8_lossy(&verdict.stdout));
    let status = world.program(&["--json", "status"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let shown = |index: usize| (&status["cycles"][index]["period"], &status["cycles"][index]["manifest_sha256"]);
    assert_eq!(shown(0), (&json!(FIRST.next()), &json!(agent.manifest())));
    assert_eq!(shown(1), (&json!(FIRST), &json!(before)), "the cycles of the model before are shown, too");
    assert!(status["cycles"][1]["model_id"].as_str().unwrap().starts_with("btc-regime"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_a_model_whose_manifest_is_nowhere_waits_for_its_bundle() {
    let mut world = world().await;
    let before = world.chain.bundle.manifest_digest;
    left_waiting(&world).await;
    mined(&world).await;
    let database = Connection::open(world.scratch.path().join(DATABASE)).unwrap();
    database.execute("DELETE FROM manifests", []).unwrap();
    go_over_to_another_model(&mut world).await;
    let agent = next_lands(&world).await;
    assert_eq!(of_model(&agent, before, FIRST).evidence, None);
    // The bundle of the model before is put beside the present one.
    world.config.bundle = world.chain.bundle.folder.clone();
    let another = another_bundle(&world);
    copy_of_the_bundle(&world, &another.with_file_name("the-one-before"));
    world.config.bundle = another;
    world.agent(DATABASE).await.leave_evidence().await.unwrap();
    assert!(of_model(&agent, before, FIRST).evidence.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_the_model_before_that_nobody_mines_is_cancelled_and_frees_its_nonce() {
    let mut world = world().await;
    let before = world.chain.bundle.manifest_digest;
    left_waiting(&world).await;
    forgotten(&world).await;
    go_over_to_another_model(&mut world).await;
    let agent = next_lands(&world).await;
    let record = of_model(&agent, before, FIRST);
    assert_eq!((record.stage, miss(&record)), (Stage::Missed, "VR-CYCLE-004"));
    world.judge(FIRST, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_model_before_is_watched_until_its_block_is_final() {
    let mut world = world().await;
    let before = world.chain.bundle.manifest_digest;
    let snapshot = world.chain.anvil.request("evm_snapshot", json!([])).await.unwrap();
    let mut agent = world.agent(DATABASE).await;
    agent.run(FIRST, &go()).await.unwrap();
    request(&world, "evm_revert", json!([snapshot])).await;
    go_over_to_another_model(&mut world).await;
    assert_eq!(world.updates(FIRST).await, 0, "the chain dropped it");
    let mut agent = world.agent(DATABASE).await;
    let landed = of_model(&agent, before, FIRST).landed;
    // Within the period the same bytes are sent again; the overlap takes them.
    agent.watch_over(FIRST, &go()).await.unwrap();
    assert_eq!(of_model(&agent, before, FIRST).landed.map(|now| now.hash), landed.map(|before| before.hash));
    assert_eq!(of_model(&agent, before, FIRST).stage, Stage::Confirmed);
    assert_eq!(world.updates(FIRST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_model_before_that_lost_its_nonce_is_not_signed_anew() {
    let mut world = world().await;
    let before = world.chain.bundle.manifest_digest;
    let snapshot = world.chain.anvil.request("evm_snapshot", json!([])).await.unwrap();
    let mut agent = world.agent(DATABASE).await;
    agent.run(FIRST, &go()).await.unwrap();
    request(&world, "evm_revert", json!([snapshot])).await;
    agent.chain.send(TransactionRequest::default().with_to(agent.chain.address())).await.unwrap();
    go_over_to_another_model(&mut world).await;
    let mut agent = world.agent(DATABASE).await;
    agent.watch_over(FIRST, &go()).await.unwrap();
    assert_eq!(miss(&of_model(&agent, before, FIRST)), "VR-CYCLE-006");
    assert_eq!(agent.run(FIRST, &go()).await.unwrap().stage, Stage::Confirmed, "the present model serves the period");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_holds_several_contracts_and_doctor_names_one_that_is_open_and_nobody_s() {
    let mut world = world().await;
    left_waiting(&world).await;
    mined(&world).await;
    let orphaned = world.job();
    let database = |settings: &Value| {
        let doctor = world.program_with(settings, &["--json", "doctor"]);
        let said: Value = serde_json::from_slice(&doctor.stdout).unwrap();
        said["checks"].as_array().unwrap().iter().find(|check| check["name"] == "database").unwrap().clone()
    };
    assert_eq!(database(&world.settings())["level"], "ok", "it is the settings' own");
    let mut settings = world.settings();
    settings["chain"]["oracle"] = json!(Address::repeat_byte(7));
    let check = database(&settings);
    assert_eq!((&check["level"], &check["code"]), (&json!("warn"), &json!("VR-STATE-009")), "{check}");
    assert!(check["figure"].as_str().unwrap().contains(&orphaned.contract.to_string()), "{check}");
    settings["schedule"]["clock"] = json!("system");
    for command in [&["status"][..], &["tx", "list"]] {
        let output = world.program_with(&settings, command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // The node goes over to another contract with the same database, and closes what it had open at the first one.
    let before = world.agent(DATABASE).await;
    world.config.chain.oracle = Some(Address::repeat_byte(7));
    world.enter(FIRST.next()).await;
    let agent = world.agent(DATABASE).await;
    assert_ne!(agent.job(), orphaned);
    agent.settle(&world.config.schedule.cron.clone()).await.unwrap();
    let record = before.store.cycle(orphaned, FIRST).unwrap().unwrap();
    let sent = before.store.attempts(orphaned, FIRST).unwrap();
    assert_eq!(record.landed.map(|landed| landed.hash), Some(sent[0].hash), "{:?}", record.miss);
    assert!(agent.store.recent(agent.job(), 9).unwrap().is_empty(), "no period of the new contract was missed");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_a_second_one_and_once_are_refused_and_status_and_tx_are_not() {
    let world = world().await;
    let mut node = Node::start(&world, json!({})).await;
    world.until("the first cycle", async || node.newest_stage().await == "confirmed").await;
    let pid = node.process.id().to_string();
    for command in ["daemon", "once"] {
        let refused = world.program(&[command]);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && words.contains("error VR-STATE-010: "), "{command}: {words}");
        assert!(words.contains(&format!("process {pid} ")), "{words}");
    }
    for command in [&["status"][..], &["tx", "list"], &["once", "--dry-run"]] {
        let output = world.program(command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(node.newest_stage().await, "confirmed", "nobody was disturbed");
    node.process.kill().unwrap();
    node.process.wait().unwrap();
    let output = world.program(&["once"]);
    assert!(output.status.success(), "kill -9 frees it: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_status_and_tx_go_by_a_replay_s_clock() {
    let world = world().await;
    let said = |arguments: &[&str]| {
        let output = world.program(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let cycle = said(&["--json", "once"]);
    assert_eq!((&cycle["period"], &cycle["outcome"]), (&json!(FIRST.0), &json!("confirmed")));
    let store = Store::open(&world.scratch.path().join(DATABASE)).unwrap();
    let record = store.cycle(world.job(), FIRST).unwrap().unwrap();
    assert!(record.evidence.is_some(), "what lands by hand leaves evidence, too");
    let signed_ms = store.recent_attempts(Scope::All, 1).unwrap()[0].signed_ms;
    assert_eq!(PeriodId::at_ms(signed_ms), FIRST);
    world.clock.set_ms(signed_ms + 100_000);
    assert_eq!(said(&["--json", "tx", "list"])["transactions"][0]["age_seconds"], 100);
    let status = said(&["--json", "status"]);
    assert_eq!(status["next"], "2026-01-05T04:00:05Z");
    let left_ms = FIRST.end_ms() - signed_ms - 100_000;
    assert_eq!(status["period"], json!({"period": FIRST, "left_seconds": left_ms / 1000}));
}
