//! The ways to convince a chain: each sets the same parameters, leaves evidence that holds, and is told from the others.

mod differential;

use std::path::Path;
use std::process::{Command, Output};

use alloy::primitives::U256;
use alloy::primitives::aliases::U40;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::diagnosis::coded;
use veriregime_agent::evidence::{self, EvidenceStore};
use veriregime_agent::node::assemble;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::evidence::Evidence;
use veriregime_core::types::manifest::card::{VERIFICATION_CARD_FILE, verification_card};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::manifest::{
    DIRECT_BYTECODE_FILE, DIRECT_VERIFIER_FILE, HALO2_BYTECODE_FILE, HALO2_VERIFIER_FILE, MANIFEST_FILE, Manifest,
};
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs;

use super::given;
use super::world::{FIRST, World, config};

const MODEL: &str = "btc-regime-4h-v1";

fn shipped() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(MODEL)
}

fn copy(to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(shipped()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

fn program(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("VERIREGIME_CONFIG")
        .args(arguments)
        .output()
        .unwrap()
}

fn told(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().expect("a line");
    serde_json::from_str(last).unwrap()
}

/// What strangers see of an update, whatever it was verified by.
fn outcome(evidence: &Evidence, view: &Value) -> Value {
    json!([
        evidence.update.candle_features,
        evidence.update.outputs.iter().map(i128::to_string).collect::<Vec<_>>(),
        view
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_sets_the_same_parameters_and_leaves_evidence_that_holds() {
    let mut outcomes = Vec::new();
    let mut gas = Vec::new();
    for way in Way::ALL {
        let world = World::by(way).await;
        let mut agent = world.agent("agent.sqlite").await;
        world.enter(FIRST).await;
        let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
        assert_eq!(record.stage, Stage::Confirmed, "{way}: {:?}", record.miss);
        let landed = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
        let file = agent.evidence.file(landed.evidence.expect("evidence was left"));
        let (_, left) = evidence::read(&file).unwrap();
        assert_eq!((left.verification, left.versions.ezkl.is_some()), (way, way == Way::Ezkl));
        assert_eq!(left.update.arguments.as_ref().unwrap().proof.is_empty(), !way.has_proof());
        gas.push(left.gas_used);

        let verified = told(&world.program(&["--json", "verify-bundle", file.to_str().unwrap()]));
        assert_eq!(verified["verdict"], "match", "{way}: {verified}");
        let audited = told(&world.program(&["--json", "audit", "--period", &FIRST.0.to_string()]));
        assert_eq!(audited[0]["verdict"], "match", "{way}: {audited}");

        let folder = EvidenceStore::new(world.scratch.path().join("forged"));
        let refused = |change: &dyn Fn(&mut Evidence)| {
            let mut forged = left.clone();
            change(&mut forged);
            let path = folder.file(folder.write(&forged).unwrap());
            told(&world.program(&["--json", "verify-bundle", path.to_str().unwrap()]))
        };
        let longer = refused(&|evidence| {
            let proof = &mut evidence.update.arguments.as_mut().unwrap().proof;
            *proof = [&proof[..], &[0; 32]].concat().into();
        });
        assert_eq!(longer["verdict"], "proof_invalid", "{way}: {longer}");
        for other in Way::ALL.into_iter().filter(|other| *other != way) {
            let renamed = refused(&|evidence| evidence.verification = other);
            assert_eq!(renamed["verdict"], "proof_invalid", "{way} as {other}: {renamed}");
        }
        let market = assemble::expected(&agent.bundle, way).unwrap().markets[0];
        let mut params = agent.chain.read.params(world.config.chain.oracle.unwrap(), market).await.unwrap();
        // A second more or less went by on the chain.
        params.current.updatedAt = U40::ZERO;
        outcomes.push(outcome(&left, &json!(format!("{params:?}"))));
    }
    assert_eq!(outcomes[0], outcomes[1], "ezkl and halo2");
    assert_eq!(outcomes[0], outcomes[2], "ezkl and direct");
    let [ezkl, halo2, direct] = gas[..] else { panic!("{gas:?}") };
    assert!(direct < halo2 && halo2 < ezkl, "{gas:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_one_way_is_none_of_another() {
    let config = config();
    let bundle = Bundle::open(&config.bundle).unwrap();
    let model = assemble::model(&bundle).unwrap();
    let forecast = model.compute(&[None], FIRST).unwrap();
    let (inputs, outputs) = (forecast.inputs(), forecast.output_integers());
    let mut proofs: Vec<(Way, Proof)> = Vec::new();
    for way in Way::ALL {
        let mut prover = assemble::prover_of(&config, &bundle, way).await.unwrap();
        let proved = prover.prove(&inputs, &outputs).await.unwrap();
        assert_eq!(proved.proof.instances, public_inputs::instances(&inputs, &outputs), "{way}");
        let mut wrong = outputs.clone();
        wrong[2] += 1;
        let refused = prover.prove(&inputs, &wrong).await.unwrap_err();
        assert_eq!(coded(&refused.into()).unwrap().code(), "VR-PROVE-014", "{way}");
        proofs.push((way, proved.proof));
        prover.stop().await;
    }
    for way in Way::ALL {
        let mut prover = assemble::prover_of(&config, &bundle, way).await.unwrap();
        for (made_by, proof) in &proofs {
            assert_eq!(prover.verify(proof).await.unwrap(), *made_by == way, "{made_by}'s, asked {way}");
        }
        let (_, own) = proofs.iter().find(|(made_by, _)| *made_by == way).unwrap();
        for index in 0..own.instances.len() {
            let mut other = own.clone();
            other.instances[index] += U256::ONE;
            assert!(!prover.verify(&other).await.unwrap(), "{way}, public input {index}");
        }
        prover.stop().await;
    }
}

#[test]
fn the_shipped_verifiers_are_what_set_up_makes_of_the_network() {
    let (srs, scratch) = (given::shared("srs"), TempDir::new().unwrap());
    if !srs.exists() {
        return given::left_out("srs", "no SRS files");
    }
    let folder = scratch.path().join(MODEL);
    copy(&folder);
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(folder.join(MANIFEST_FILE)).unwrap()).unwrap();
    manifest["verification"]["halo2"].take();
    manifest["verification"]["direct"].take();
    let plain: Manifest = serde_json::from_value(manifest).unwrap();
    Bundle::seal(&folder, plain).unwrap();
    for way in ["halo2", "direct"] {
        let (models, srs) = (scratch.path().to_str().unwrap(), srs.to_str().unwrap());
        let output =
            program(&["--json", "models", "--models", models, "set-up", MODEL, "--way", way, "--srs-dir", srs]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(told(&output)["verify_gas"].as_u64().is_some_and(|gas| gas < 250_000), "{way}");
    }
    for name in [HALO2_VERIFIER_FILE, HALO2_BYTECODE_FILE, DIRECT_VERIFIER_FILE, DIRECT_BYTECODE_FILE] {
        assert!(std::fs::read(folder.join(name)).unwrap() == std::fs::read(shipped().join(name)).unwrap(), "{name}");
    }
    let sealed = Bundle::open(&folder).unwrap().manifest;
    let card = std::fs::read_to_string(folder.join(VERIFICATION_CARD_FILE)).unwrap();
    assert_eq!((&card, sealed.files.contains_key(VERIFICATION_CARD_FILE)), (&verification_card(&sealed), true));
    for offer in sealed.offers() {
        let line =
            card.lines().find(|line| line.starts_with(&format!("| {} |", offer.way))).expect("a line for each way");
        assert!(line.contains(offer.way.trust()), "{line}");
        assert!(offer.verify_gas.is_none_or(|gas| line.contains(&gas.to_string())), "{line}");
    }
    // Proofs are random, and gas depends on their zeros.
    let entries = |folder: &Path| {
        let mut manifest = Bundle::open(folder).unwrap().manifest;
        manifest.verification.halo2.as_mut().unwrap().verify_gas = None;
        manifest.verification
    };
    assert_eq!(entries(&folder), entries(&shipped()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_way_cannot_do_is_refused_by_its_name() {
    let scratch = TempDir::new().unwrap();
    let mut config = config();
    config.bundle = scratch.path().join(MODEL);
    copy(&config.bundle);
    let whole = Bundle::open(&config.bundle).unwrap();
    let code = async |config: &veriregime_agent::config::Config, way| {
        let bundle = Bundle::open(&config.bundle).unwrap();
        let error = assemble::prover_of(config, &bundle, way).await.unwrap_err();
        coded(&error).unwrap().code()
    };

    let mut plain = whole.manifest.clone();
    (plain.verification.halo2, plain.verification.direct) = (None, None);
    Bundle::seal(&config.bundle, plain).unwrap();
    for way in [Way::Halo2, Way::Direct] {
        assert_eq!(code(&config, way).await, "VR-MANIFEST-004");
    }

    // Keys of another network than the bundle's.
    let mut other = whole.manifest.clone();
    let digest = &mut other.verification.halo2.as_mut().unwrap().verifying_key_sha256.0;
    digest[0] ^= 1;
    Bundle::seal(&config.bundle, other).unwrap();
    assert_eq!(code(&config, Way::Halo2).await, "VR-PROVE-022");

    let mut other = whole.manifest.clone();
    other.verification.halo2.as_mut().unwrap().srs_sha256.0[0] ^= 1;
    Bundle::seal(&config.bundle, other).unwrap();
    assert_eq!(code(&config, Way::Halo2).await, "VR-PROVE-007");

    let mut other = whole.manifest.clone();
    other.verification.direct.as_mut().unwrap().instances += 1;
    assert_eq!(
        Bundle::seal(&config.bundle, other).err().map(|error| coded(&error.into()).unwrap().code()),
        Some("VR-PROVE-005")
    );

    Bundle::seal(&config.bundle, whole.manifest).unwrap();
    config.prover.srs_dir = scratch.path().join("nothing");
    assert_eq!(code(&config, Way::Halo2).await, "VR-PROVE-006");
    let bundle = Bundle::open(&config.bundle).unwrap();
    assert!(assemble::prover_of(&config, &bundle, Way::Direct).await.is_ok(), "nothing is proven");
}

/// A contract knows a model together with its verifier: a job that asks for another way asks for another model.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_the_contract_has_not_registered_is_not_submitted() {
    let world = World::by(Way::Halo2).await;
    world.enter(FIRST).await;
    let mut settings = world.settings();
    settings["prover"]["kind"] = json!("direct");
    let checks = told(&world.program_with(&settings, &["--json", "doctor"]))["checks"].clone();
    let said: Vec<_> = checks.as_array().unwrap().iter().filter(|check| check["level"] == "fail").collect();
    assert!(!said.is_empty() && checks.to_string().contains("its verif"), "{checks}");
}
