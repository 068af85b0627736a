//! `doctor` in a healthy world, in sick ones, and on a fork.

use std::path::Path;

use ::veriregime_files;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::actions::risk_oracle::abi::registry::ModelRegistry;
use veriregime_agent::bundle::Bundle;
use veriregime_core::types::manifest::ONNX_FILE;

use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, World};

/// A section, a key of it, a value that is wrong, and what then fails.
type Case<'a> = (&'a str, &'a str, Value, &'a [(&'a str, &'a str)]);

fn doctor(world: &World, settings: &Value, arguments: &[&str]) -> (i32, Value) {
    let output = world.program_with(settings, &[&["--json", "doctor"], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

/// Names and codes of the checks that fail.
fn failing(said: &Value) -> Vec<(&str, &str)> {
    let checks = said["checks"].as_array().unwrap().iter().filter(|check| check["level"] == "fail");
    checks.map(|check| (check["name"].as_str().unwrap(), check["code"].as_str().unwrap())).collect()
}

/// Copies the bundle's files into a new folder.
pub fn copy_of_the_bundle(world: &World, to: &Path) {
    veriregime_files::create_folder(to).unwrap();
    for entry in std::fs::read_dir(&world.config.bundle).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// Makes a bundle another model, with another threshold of its label.
pub fn make_another_model(folder: &Path) {
    let mut manifest = Bundle::open(folder).unwrap().manifest;
    manifest.regime.as_mut().unwrap().threshold = 0.001.into();
    Bundle::seal(folder, manifest).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_node_has_nothing_to_complain_of_and_a_sick_one_is_told_what_is_wrong() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let healthy = world.settings();
    let (status, said) = doctor(&world, &healthy, &[]);
    assert_eq!((status, said["healthy"].as_bool(), failing(&said)), (0, Some(true), vec![]), "{said}");
    let names: Vec<_> =
        said["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    let wanted = "settings,model files,database,disk,SRS,prover,clock,candle source,RPC,chain head,model on chain,\
                  last update,keys,attestor,wallet balance";
    assert_eq!(names.join(","), wanted);

    let broken = world.scratch.path().join("broken");
    copy_of_the_bundle(&world, &broken);
    let mut bytes = std::fs::read(broken.join(ONNX_FILE)).unwrap();
    bytes[100] ^= 1;
    veriregime_files::write_atomic(&broken.join(ONNX_FILE), &bytes).unwrap();
    let nobody = "http://127.0.0.1:1";
    let cases: [Case; 8] = [
        ("model", "bundle", json!(broken), &[("model files", "VR-PROVE-003")]),
        (
            "prover",
            "srs_dir",
            json!(world.scratch.path().join("none")),
            &[("SRS", "VR-PROVE-006"), ("prover", "VR-PROVE-006")],
        ),
        ("prover", "python", json!("/nowhere/python"), &[("prover", "VR-PROVE-001")]),
        ("chain", "chain_id", json!(1337), &[("RPC", "VR-CHAIN-003"), ("chain head", "VR-CHAIN-003")]),
        ("chain", "oracle", json!("0x00000000000000000000000000000000000000aa"), &[("model on chain", "VR-CHAIN-004")]),
        ("signer", "file", json!(world.scratch.path().join("none")), &[("keys", "VR-KEY-001")]),
        ("chain", "rpc_url", json!([world.config.chain.rpc_url().as_str(), nobody]), &[("RPC", "VR-CHAIN-001")]),
        ("chain", "confirmations", json!(0), &[("settings", "VR-CONFIG-002")]),
    ];
    for (section, key, value, wanted) in cases {
        let mut settings = healthy.clone();
        settings[section][key] = value.clone();
        let (status, said) = doctor(&world, &settings, &[]);
        assert_eq!((status, said["healthy"].as_bool()), (3, Some(false)), "{key} = {value}");
        let failing = failing(&said);
        assert!(wanted.iter().all(|one| failing.contains(one)), "{key} = {value}: {failing:?}");
    }

    // A wallet that can pay for one update, and then for none.
    let wallet = json!(veriregime_agent::node::assemble::chain(&world.config).await.unwrap().address());
    for (balance_wei, level) in [("0x71afd498d0000", "warn"), ("0x0", "fail")] {
        world.chain.anvil.request("anvil_setBalance", json!([wallet, balance_wei])).await.unwrap();
        let (_, said) = doctor(&world, &healthy, &[]);
        let checks = said["checks"].as_array().unwrap();
        let balance = checks.iter().find(|check| check["name"] == "wallet balance").unwrap();
        assert_eq!((&balance["level"], &balance["code"]), (&level.into(), &"VR-HEALTH-004".into()), "{balance}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_cycle_runs_on_a_fork_and_the_chain_sees_nothing_of_it() {
    let world = World::new().await;
    world.enter(FIRST).await;
    // Even with an empty wallet: the money on the fork is made up.
    let wallet = json!(veriregime_agent::node::assemble::chain(&world.config).await.unwrap().address());
    world.chain.anvil.request("anvil_setBalance", json!([wallet, "0x0"])).await.unwrap();
    let (_, said) = doctor(&world, &world.settings(), &["--fork"]);
    let forked = said["checks"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&forked["name"], &forked["level"]), (&"cycle on a fork".into(), &"ok".into()), "{forked}");
    assert_eq!(world.updates(FIRST).await, 0);
    assert_eq!(setup_nonce(&world).await, 0);

    // With the period's update on chain, the fork is of the block before it.
    world.chain.anvil.request("anvil_setBalance", json!([wallet, "0xde0b6b3a7640000"])).await.unwrap();
    let mut agent = world.agent("one").await;
    agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    agent.prover.stop().await;
    let (status, said) = doctor(&world, &world.settings(), &["--fork"]);
    assert_eq!((status, failing(&said)), (0, vec![]), "{said}");
    world.judge(FIRST, 1).await;

    // Where the contract wants more attestations, this node's is enough on the fork, and the check says so.
    let attestors = World::attestors(3);
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors, threshold: 3 }).await;
    world.enter(FIRST.next()).await;
    let mut settings = world.settings();
    settings["attestation"] = json!({"peers": ["http://127.0.0.1:1", "http://127.0.0.1:2"]});
    let (_, said) = doctor(&world, &settings, &["--fork"]);
    let forked = said["checks"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(forked["level"], "ok", "{forked}");
    assert!(forked["figure"].as_str().unwrap().contains("one attestation for 3"), "{forked}");
    assert_eq!(std::fs::read_dir(&world.config.evidence_dir).unwrap().count(), 1, "of the one real update");

    // An attestor that the contract does not know fails there as it would here.
    let stranger = world.scratch.path().join("stranger.key");
    veriregime_files::write_private(&stranger, "77".repeat(32).as_bytes()).unwrap();
    let mut settings = world.settings();
    settings["attestor"] = json!({"kind": "file", "file": stranger});
    let (status, said) = doctor(&world, &settings, &["--fork"]);
    assert_eq!(status, 3);
    assert!(failing(&said).contains(&("cycle on a fork", "VR-DOCTOR-001")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_of_a_block_whose_state_is_gone_is_told_from_a_cycle_that_fails() {
    let mut world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("one").await;
    agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    agent.prover.stop().await;
    // As a node without an archive: the newest state is there and no other.
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Pruned).await;
    world.config.chain.use_rpc(proxy.url.clone());
    let (status, said) = doctor(&world, &world.settings(), &["--fork"]);
    assert_eq!((status, failing(&said)), (3, vec![("cycle on a fork", "VR-DOCTOR-002")]), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_without_anvil_is_not_called_an_rpc_that_does_not_answer() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let (status, said) = doctor(&world, &world.settings(), &["--fork", "--anvil", "/nowhere/anvil"]);
    assert_eq!((status, failing(&said)), (3, vec![("cycle on a fork", "VR-DOCTOR-003")]), "{said}");
    let forked = said["checks"].as_array().unwrap().last().unwrap().clone();
    assert!(forked["figure"].as_str().unwrap().contains("No such file"), "{forked}");
}

async fn setup_nonce(world: &World) -> u64 {
    veriregime_agent::node::assemble::chain(&world.config).await.unwrap().nonce().await.unwrap()
}
