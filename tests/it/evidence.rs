//! What landed updates leave behind, and what a stranger makes of it.

use std::path::{Path, PathBuf};

use ::veriregime_files;
use alloy::primitives::U256;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::evidence;
use veriregime_agent::evidence::EvidenceStore;
use veriregime_agent::job::Agent;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::evidence::Evidence;
use veriregime_core::types::period::PeriodId;

use crate::doctor::{copy_of_the_bundle, make_another_model};
use crate::node::Node;
use crate::world::{FIRST, World};

const DATABASE: &str = "agent.sqlite";

async fn landed(world: &World, agent: &mut Agent, period: PeriodId) -> CycleRecord {
    world.enter(period).await;
    let record = agent.run(period, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    stored(agent, period)
}

fn stored(agent: &Agent, period: PeriodId) -> CycleRecord {
    agent.store.cycle(agent.job(), period).unwrap().unwrap()
}

fn verified(world: &World, file: &Path) -> (i32, Value) {
    let output = world.program(&["--json", "verify-bundle", file.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

/// Writes a changed copy under the name that it then deserves.
fn forged(folder: &EvidenceStore, original: &Evidence, change: impl FnOnce(&mut Evidence)) -> PathBuf {
    let mut evidence = original.clone();
    change(&mut evidence);
    folder.file(folder.write(&evidence).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_recomputes_an_update_from_its_evidence_alone() {
    let world = World::new().await;
    let mut agent = world.agent(DATABASE).await;
    let digest = landed(&world, &mut agent, FIRST).await.evidence.expect("evidence was left");
    let file = agent.evidence.file(digest);
    let (code, report) = verified(&world, &file);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("match")), "{report}");
    assert_eq!(report["evidence_sha256"], digest.to_string());
    assert_eq!((&report["attestors"][0]["signed"], &report["attestors"][0]["in_set"]), (&true.into(), &Value::Null));

    let (_, original) = evidence::read(&file).unwrap();
    assert!(original.witness_sha256.is_some() && original.markets[0].candles.len() > 40_000);
    let folder = EvidenceStore::new(world.scratch.path().join("forged"));
    let cases: [(&str, &str, PathBuf); 7] = [
        (
            "data_differ",
            "published",
            forged(&folder, &original, |evidence| {
                let last = evidence.markets[0].candles.len() - 30;
                let candle = &mut evidence.markets[0].candles[last].0;
                candle.close *= 1.01;
                candle.high = candle.high.max(candle.close);
            }),
        ),
        (
            "data_differ",
            "markets",
            forged(&folder, &original, |evidence| evidence.markets[0].market = "ETH-USD".into()),
        ),
        (
            "proof_invalid",
            "calldata",
            forged(&folder, &original, |evidence| evidence.update.candle_features.swap(0, 1)),
        ),
        (
            "proof_invalid",
            "EZKL refuses",
            forged(&folder, &original, |evidence| {
                let proof = &mut evidence.update.arguments.as_mut().unwrap().proof;
                let mut bytes = proof.to_vec();
                bytes[40] ^= 1;
                *proof = bytes.into();
            }),
        ),
        ("proof_invalid", "public inputs", forged(&folder, &original, |evidence| evidence.instances[0] += U256::ONE)),
        (
            "proof_invalid",
            "witness",
            forged(&folder, &original, |evidence| evidence.witness_sha256 = Some(Digest([0; 32]))),
        ),
        ("attestation_invalid", "not theirs", forged(&folder, &original, |evidence| evidence.chain_id = 1)),
    ];
    for (verdict, words, file) in cases {
        let (code, report) = verified(&world, &file);
        assert_eq!(report["verdict"], verdict, "{words}: {report}");
        assert_eq!(code, if verdict == "data_differ" { 3 } else { 4 });
        assert!(report.to_string().contains(words), "{words}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_another_model_is_told_by_its_manifest_and_its_bundle_found_beside_the_configured_one() {
    let world = World::new().await;
    let mut agent = world.agent(DATABASE).await;
    let digest = landed(&world, &mut agent, FIRST).await.evidence.unwrap();
    let file = agent.evidence.file(digest);
    let models = world.scratch.path().join("models");
    let other = models.join("other");
    copy_of_the_bundle(&world, &other);
    make_another_model(&other);
    let mut settings = world.settings();
    settings["model"]["bundle"] = json!(other);
    let output = world.program_with(&settings, &["verify-bundle", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let manifest = agent.manifest().to_string();
    assert!(said.contains("error VR-EVIDENCE-003: ") && said.contains(&manifest) && !said.contains("shape"), "{said}");

    copy_of_the_bundle(&world, &models.join("same"));
    let output = world.program_with(&settings, &["verify-bundle", file.to_str().unwrap()]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("match") && said.contains("not checked: that the exchange said so"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_named_evidence_is_refused_with_a_code() {
    let world = World::new().await;
    let refused = |name: &str, bytes: &[u8]| {
        let file = world.scratch.path().join(name);
        veriregime_files::write_atomic(&file, bytes).unwrap();
        let output = world.program(&["verify-bundle", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("evidence.json", b"{}").contains("VR-EVIDENCE-001"));
    assert!(refused("evidence.json.gz", &[0x1f, 0x8b, 8, 0]).contains("VR-EVIDENCE-001"));
    let name = format!("{}.json", Digest::of(b"something else"));
    assert!(refused(&name, b"{}").contains("VR-EVIDENCE-002"));
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_survives_crashes_follows_the_update_and_is_pruned_for_good() {
    let world = World::new().await;
    let mut agent = world.agent(DATABASE).await;
    let record = landed(&world, &mut agent, FIRST).await;
    let digest = record.evidence.unwrap();

    // Killed before it was noted, and before it was written.
    let forget = || {
        let database = Connection::open(world.scratch.path().join(DATABASE)).unwrap();
        database.execute("UPDATE cycles SET evidence = NULL", []).unwrap();
    };
    forget();
    agent.leave_evidence().await.unwrap();
    assert_eq!(stored(&agent, FIRST).evidence, Some(digest), "the same bytes again");
    forget();
    agent.evidence.remove(digest).unwrap();
    agent.leave_evidence().await.unwrap();
    assert_eq!(evidence::read(&agent.evidence.file(digest)).unwrap().0, digest);

    // The update is found in another block: what was written is not its evidence any more.
    let mut moved = record.landed.unwrap();
    moved.block += 1;
    agent.store.settle_at(agent.job(), FIRST, moved, false).unwrap();
    assert_eq!(stored(&agent, FIRST).evidence, None);
    agent.leave_evidence().await.unwrap();
    assert_eq!(stored(&agent, FIRST).evidence, None, "the chain does not show it there");
    agent.recheck(&stored(&agent, FIRST)).await.unwrap();
    agent.leave_evidence().await.unwrap();
    assert_eq!(stored(&agent, FIRST).evidence, Some(digest));

    let second = FIRST.next();
    let kept = landed(&world, &mut agent, second).await.evidence.unwrap();
    let output = world.program(&["--json", "evidence", "list"]);
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(rows[0]["sha256"], kept.to_string());
    agent.evidence_keep_ms = 0;
    agent.leave_evidence().await.unwrap();
    assert!(!agent.evidence.file(digest).exists() && agent.evidence.file(kept).exists());
    assert_eq!(stored(&agent, FIRST).evidence, None);
    let output = world.program(&["evidence", "prune", "--before", "2026-01-06"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("1 bundles deleted"));
    agent.leave_evidence().await.unwrap();
    assert!(!agent.evidence.file(kept).exists(), "what was pruned is not made again");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_served_as_it_lies_in_its_folder() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({})).await;
    let named = async || node.json(&format!("/v1/periods/{FIRST}")).await.1["evidence"].as_str().map(str::to_owned);
    world.until("evidence is named", async || named().await.is_some()).await;
    let digest = named().await.unwrap();
    let (status, bytes) = node.bytes(&format!("/v1/evidence/{digest}")).await;
    assert_eq!(status, 200);
    let file = world.scratch.path().join(&digest);
    veriregime_files::write_atomic(&file, &bytes).unwrap();
    let (code, report) = verified(&world, &file);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("match")), "{report}");

    let (status, answer) = node.json(&format!("/v1/evidence/{}", Digest([1; 32]))).await;
    assert_eq!((status.as_u16(), &answer["code"]), (404, &"VR-API-012".into()));
    for not_a_digest in ["abc", "..%2Fagent.sqlite", &"z".repeat(64)] {
        let (status, answer) = node.json(&format!("/v1/evidence/{not_a_digest}")).await;
        assert_eq!((status.as_u16(), &answer["code"]), (400, &"VR-API-005".into()), "{not_a_digest}");
    }
}
