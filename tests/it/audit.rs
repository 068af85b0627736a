//! Updates on a real chain, with real proofs, audited from outside.

mod relayed;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

use ::veriregime_files;
use alloy::primitives::{Bytes, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use prost::Message;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tract_onnx::pb::ModelProto;
use url::Url;
use veriregime_agent::actions::risk_oracle::abi::registry::ModelRegistry;
use veriregime_agent::actions::risk_oracle::update::Update;
use veriregime_agent::attestation::statement::{Statement, pack};
use veriregime_agent::bundle::Bundle;
use veriregime_agent::config::Config;
use veriregime_agent::config::signer::Signer;
use veriregime_agent::forecast::JobModel;
use veriregime_agent::job::Agent;
use veriregime_agent::node::{assemble, parts};
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::serve;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::state::Store;
use veriregime_agent::verification::ezkl::build::{Build, CircuitConfig, build};
use veriregime_agent::verification::ezkl::supervisor::Ezkl;
use veriregime_agent::verification::shared::SharedProver;
use veriregime_core::features;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::cycle::{Purpose, Stage};
use veriregime_core::types::manifest::verification::{Verification, Way};
use veriregime_core::types::manifest::{Manifest, ONNX_FILE, VERIFIER_BYTECODE_FILE};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{MINUTE_MS, PeriodId};
use veriregime_core::types::public_inputs;
use veriregime_core::types::time::format_utc;
use veriregime_core::types::venue::Venue;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::doctor::{copy_of_the_bundle, make_another_model};
use crate::proof::compiler;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, KEYS, World, toml};

/// Lands an update by the operator of `config`. `alter` changes candle features, or the agent, before anything is forecast,
/// proven and attested.
async fn land(
    world: &World,
    config: &Config,
    database: &str,
    period: PeriodId,
    alter: impl FnOnce(&mut Agent, &mut Vec<i32>),
) {
    world.enter(period).await;
    let store = Store::open(&world.scratch.path().join(database)).unwrap();
    let mut agent = parts::agent(config, world.clock.clone(), store).await.unwrap();
    let stop = CancellationToken::new();
    let record = agent.run_until(Stage::Forecast, period, &stop).await.unwrap();
    let mut forecast = record.forecast.unwrap();
    alter(&mut agent, &mut forecast.features[0].candle);
    let inputs = forecast.inputs();
    let model = agent.regime().unwrap().model;
    forecast.outputs = model.network().predict(&inputs).unwrap().into_iter().map(|row| model.named(row)).collect();
    let (features, outputs) = (&forecast.features, &forecast.outputs);
    let proved = agent.prover.prove(&inputs, &public_inputs::outputs(outputs)).await.unwrap();
    let model_id = agent.action.model_id(&agent.chain.read).await.unwrap();
    let (proof, attestations) = (&proved.proof.bytes, &agent.attestations(model_id, period, &forecast).await.unwrap());
    let omitted = OmittedMarkets::NONE;
    let update = Update { model_id, period, omitted, features, outputs, proof, attestations };
    let nonce = agent.chain.nonce().await.unwrap();
    let attempt = agent.chain.sign(Purpose::Action, update.call(agent.action.contract()), nonce, None).await.unwrap();
    agent.chain.broadcast(&attempt).await.unwrap();
    agent.chain.receipt(attempt).await.unwrap();
    agent.prover.stop().await;
}

fn audit(world: &World, period: PeriodId) -> (i32, Value) {
    let output = world.program(&["--json", "audit", "--period", &period.0.to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_tells_honest_updates_from_swapped_features() {
    let world = World::new().await;
    land(&world, &world.config, "operator", FIRST, |_, _| ()).await;
    let (code, reports) = audit(&world, FIRST);
    assert_eq!((code, &reports[0]["verdict"]), (0, &Value::from("match")), "{reports}");
    assert_eq!(reports[0]["attestors"][0]["signed"], true);
    assert_eq!(reports[0]["attestors"][0]["in_set"], true);
    let checked = reports[0]["checked"].as_array().unwrap();
    let block = &reports[0]["block"];
    let wanted = [
        "12 features, from 40561 candles of binance as they are now".to_owned(),
        "the proof under the bundle's verifying key".to_owned(),
        "the proof by the verifier on chain".to_owned(),
        format!("who attested: 1 of 1 signatures, 1 of 1 in the attestor set at block {block}"),
    ];
    assert_eq!(
        checked.iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>(),
        wanted,
        "a match says what was checked"
    );
    assert_eq!(reports[0]["not_checked"], Value::Array(vec![]));

    let second = FIRST.next();
    land(&world, &world.config, "operator", second, |_, features| features.swap(0, 1)).await;
    let (code, reports) = audit(&world, second);
    assert_eq!((code, &reports[0]["verdict"]), (3, &Value::from("data_differ")), "{reports}");
    let indices: Vec<_> = reports[0]["differences"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
    assert_eq!(indices, [&Value::from(0), &Value::from(1)]);

    assert_eq!(audit(&world, second.next()), (0, Value::Array(vec![])), "nothing landed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_an_operator_whose_exchange_altered_one_candle() {
    let world = World::new().await;
    let spec = Bundle::open(&world.config.bundle).unwrap().manifest.features().unwrap().clone();
    let (from_ms, to_ms) = features::window_ms(&spec, FIRST.start_ms());
    let mut candles = SimulatedMarket::new(13).candles(from_ms - MINUTE_MS..to_ms + MINUTE_MS);
    // One percent up in the last hour: enough for the short windows.
    let altered = candles.len() - 30;
    candles[altered].close *= 1.01;
    candles[altered].high = candles[altered].high.max(candles[altered].close);
    let minute = format_utc(candles[altered].open_time_ms);
    let market = Market::recorded("BTCUSDT", candles).unwrap();
    let listener = serve::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let mut config = world.config.clone();
    config.candles.only_from(Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
    let stop = CancellationToken::new();
    tokio::spawn(serve::serve(Venue::Binance, market, world.clock.clone(), listener, stop.clone()));

    // In the database that the program's settings name.
    land(&world, &config, "agent.sqlite", FIRST, |_, _| ()).await;
    stop.cancel();
    let output = world.program(&["audit", "--period", &FIRST.0.to_string()]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("data differ") && text.contains("published") && text.contains("recomputed"), "{text}");
    assert!(text.contains(&format!("first candle that differs: {minute}")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_a_proof_of_another_model_behind_a_verifier_that_was_exchanged() {
    let world = World::new().await;
    let bundle = Bundle::open(&world.config.bundle).unwrap();
    let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), 1 << 20).unwrap();
    let mut network = ModelProto::decode(&onnx[..]).unwrap();
    for weight in network.graph.as_mut().unwrap().initializer[0].raw_data.as_chunks_mut::<4>().0 {
        *weight = (-f32::from_le_bytes(*weight)).to_le_bytes();
    }
    let folder = world.scratch.path().join("other");
    veriregime_files::create_folder(&folder).unwrap();
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &network.encode_to_vec()).unwrap();
    let worker = assemble::worker_settings(&world.config);
    let (srs_folder, features, compiler) = (&world.config.prover.srs_dir, bundle.manifest.columns(), compiler());
    let form = CircuitConfig::of(&bundle.manifest).unwrap();
    let request = Build { folder: &folder, srs_folder, markets: 1, features, outputs: 3, form, compiler: &compiler };
    let built = build(&mut Ezkl::new(worker), &request).await.unwrap();
    let verification = Verification { ezkl: Some(built.circuit), ..Verification::default() };
    let manifest = Manifest { verification, files: BTreeMap::new(), ..bundle.manifest.clone() };
    let other = Bundle::seal(&folder, manifest).unwrap();
    assert_ne!(other.manifest.ezkl().unwrap().verifier_code_hash, bundle.manifest.ezkl().unwrap().verifier_code_hash);
    let creation: Bytes =
        veriregime_files::read_text(&other.path(VERIFIER_BYTECODE_FILE), 1 << 20).unwrap().parse().unwrap();
    let tails = (0..creation.len()).map(|start| &creation[start..]);
    let code =
        tails.into_iter().find(|tail| keccak256(tail) == other.manifest.ezkl().unwrap().verifier_code_hash).unwrap();
    let (model, prover) = (assemble::model(&other).unwrap(), assemble::prover(&world.config, &other).await.unwrap());

    let (reader, oracle) = (assemble::reader(&world.config).unwrap(), world.config.chain.oracle.unwrap());
    let verifier = reader.model_spec(oracle, world.chain.deployment.model_id).await.unwrap().verifier;
    world.chain.anvil.request("anvil_setCode", json!([verifier, Bytes::copy_from_slice(code)])).await.unwrap();
    let exchanged = |agent: &mut Agent, _: &mut Vec<i32>| {
        (agent.model, agent.prover) = (JobModel::Regime(Box::new(model)), SharedProver::new(prover));
    };
    land(&world, &world.config, "operator", FIRST, exchanged).await;
    let (code, reports) = audit(&world, FIRST);
    assert_eq!((code, &reports[0]["verdict"]), (4, &Value::from("proof_invalid")), "{reports}");
    let findings = reports[0]["findings"].to_string();
    assert!(findings.contains("EZKL refuses the proof") && !findings.contains("verifier on chain"), "{findings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_finds_attestations_of_an_older_set() {
    let mut world = World::new().await;
    land(&world, &world.config, "operator", FIRST, |_, _| ()).await;
    let old = PrivateKeySigner::from_str(KEYS[0]).unwrap();
    let new = PrivateKeySigner::from_str(KEYS[1]).unwrap();
    world.announce_and_call(&ModelRegistry::setAttestorsCall { attestors: vec![new.address()], threshold: 1 }).await;
    assert_eq!(audit(&world, FIRST).0, 0, "the set of that time counts");

    let mut config = world.config.clone();
    config.attestor = Some(Signer::file(world.key_file("new", KEYS[1])));
    let second = FIRST.next();
    land(&world, &config, "operator", second, |_, _| ()).await;
    assert_eq!(audit(&world, second).0, 0);

    // The contract takes nothing else. So the RPC says that the old attestor vouched: once for what the contract wants, and
    // once for the set that it was in.
    let (oracle, model_id) = (config.chain.oracle.unwrap(), world.chain.deployment.model_id);
    let update =
        assemble::reader(&config).unwrap().published(oracle, model_id, config.grid(), second).await.unwrap().unwrap();
    let landed = update.arguments.as_ref().unwrap().attestations.clone();
    let bundle = Bundle::open(&config.bundle).unwrap();
    let expected = assemble::expected(&bundle, Way::Ezkl).unwrap();
    let calendar = &expected.calendar_table[config.grid().slot_of_week(second)];
    let inputs = public_inputs::published_features(&update.candle_features, expected.candle_features, calendar);
    let instances = public_inputs::instances(&inputs, &update.outputs);
    let proxy = Proxy::start(config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.use_rpc(proxy.url.clone());
    for (version, words) in [(update.attestor_set_version, "was not in the attestor set"), (1, "is not theirs")] {
        let statement = Statement {
            prices: None,
            chain_id: config.chain.chain_id,
            oracle,
            registry: world.chain.owner.read.registry_of(oracle).await.unwrap(),
            model_id,
            period: second,
            attestor_set_version: version,
            omitted_markets: OmittedMarkets::NONE,
            instances: instances.clone(),
        };
        let signature = old.sign_hash_sync(&statement.digest()).unwrap().as_bytes().to_vec();
        let forged = pack(&[Attestation { signer: old.address(), signature: signature.into() }]);
        proxy.lie(&hex::encode(&landed), &hex::encode(&forged));
        let (code, reports) = audit(&world, second);
        assert_eq!((code, &reports[0]["verdict"]), (4, &Value::from("attestation_invalid")), "{reports}");
        assert!(reports[0]["findings"].to_string().contains(words), "{words}: {reports}");
    }
}

/// A folder of models with the world's own, and the settings of somebody who has it; and another model, elsewhere.
fn models(world: &World) -> (PathBuf, Value, PathBuf) {
    let folder = world.scratch.path().join("models");
    let (own, other) = (folder.join("own"), world.scratch.path().join("elsewhere"));
    copy_of_the_bundle(world, &own);
    copy_of_the_bundle(world, &other);
    make_another_model(&other);
    let mut settings = world.settings();
    settings["model"]["bundle"] = json!(own);
    settings["state"]["path"] = json!(world.scratch.path().join("nobody.sqlite"));
    (folder, settings, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_takes_every_update_with_the_bundle_of_its_own_model() {
    let world = World::new().await;
    let (folder, settings, other) = models(&world);
    land(&world, &world.config, "operator", FIRST, |_, _| ()).await;
    let second = FIRST.next();
    world.rotate(&other).await;
    let config = Config { bundle: other.clone(), ..world.config.clone() };
    land(&world, &config, "other", second, |_, _| ()).await;

    let audit = |settings: &Value| {
        let (from, to) = (format_utc(FIRST.start_ms()), format_utc(second.end_ms()));
        let output = world.program_with(settings, &["--json", "audit", "--from", &from, "--to", &to]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let reports: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let verdicts: Vec<_> =
            reports.as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap().to_owned()).collect();
        (output.status.code().unwrap(), verdicts)
    };
    let words = |words: [&str; 2]| words.map(str::to_owned).to_vec();
    assert_eq!(audit(&settings), (3, words(["match", "unknown_model"])));
    std::fs::rename(&other, folder.join("new")).unwrap();
    assert_eq!(audit(&settings), (0, words(["match", "match"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_follows_the_contract_over_a_rotation_and_tells_of_a_model_that_nobody_knows() {
    let world = World::new().await;
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let (folder, mut settings, other) = models(&world);
    let path = |name: &str| world.scratch.path().join(name);
    veriregime_files::write_private(&path("hook"), server.uri().as_bytes()).unwrap();
    settings["alerts"] = json!({"webhook_file": path("hook")});
    veriregime_files::write_atomic(&path("watcher.toml"), toml(&settings).as_bytes()).unwrap();
    world.enter(FIRST).await;
    let mut watcher = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(["--json", "--config", path("watcher.toml").to_str().unwrap(), "audit", "--follow"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(path("seen")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let seen = || -> Vec<Value> {
        let text = std::fs::read_to_string(path("seen")).unwrap();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let updates = || -> Vec<String> {
        let of_updates = seen().into_iter().filter(|one| one["transaction"].is_string());
        of_updates.map(|one| one["verdict"].as_str().unwrap().to_owned()).collect()
    };
    land(&world, &world.config, "operator", FIRST, |_, _| ()).await;
    world.until("the first update is seen", async || updates() == ["match"]).await;

    let second = FIRST.next();
    world.rotate(&other).await;
    let told = async || -> Vec<Value> {
        server.received_requests().await.unwrap().iter().map(|request| request.body_json().unwrap()).collect()
    };
    // The proposal and the activation, perhaps in one look: then the activation is enough.
    world.until("the swap is told", async || told().await.iter().any(|one| one["severity"] == "critical")).await;
    let config = Config { bundle: other.clone(), ..world.config.clone() };
    land(&world, &config, "other", second, |_, _| ()).await;
    world.until("its update is seen", async || updates() == ["match", "unknown_model"]).await;
    // Once its bundle is there, it is audited like any other; and nothing is told twice.
    let swaps = told().await;
    assert!(swaps.iter().all(|one| one["code"] == "VR-AUDIT-001") && swaps.len() <= 2, "{swaps:?}");
    std::fs::rename(&other, folder.join("new")).unwrap();
    let third = second.next();
    let config = Config { bundle: folder.join("new"), ..world.config.clone() };
    land(&world, &config, "other", third, |_, _| ()).await;
    world.until("the next one is audited", async || updates() == ["match", "unknown_model", "match"]).await;
    assert_eq!(told().await.len(), swaps.len());

    assert!(Command::new("kill").arg(watcher.id().to_string()).status().unwrap().success());
    assert_eq!(watcher.wait().unwrap().code(), Some(3), "the worst verdict");
}

#[test]
fn periods_of_an_audit_are_bounded() {
    let run = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.args(arguments).output().unwrap()
    };
    let output = run(&["audit", "--from", "2026-01-05", "--to", "2030-01-05"]);
    assert_eq!(output.status.code(), Some(1));
    let output = run(&["audit", "--from", "2026-01-05"]);
    assert_eq!(output.status.code(), Some(2), "--to is wanted, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_tells_its_webhook_of_an_update_that_does_not_match() {
    let world = World::new().await;
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let (hook, path, seen) = (
        world.scratch.path().join("hook"),
        world.scratch.path().join("watcher.toml"),
        world.scratch.path().join("seen"),
    );
    veriregime_files::write_private(&hook, server.uri().as_bytes()).unwrap();
    let mut settings = world.settings();
    settings["alerts"] = json!({"webhook_file": hook});
    settings["state"]["path"] = json!(world.scratch.path().join("nobody.sqlite"));
    veriregime_files::write_atomic(&path, toml(&settings).as_bytes()).unwrap();
    world.enter(FIRST).await;
    let mut watcher = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(["--json", "--config", path.to_str().unwrap(), "audit", "--follow"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&seen).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let verdicts = || -> Vec<String> {
        let text = std::fs::read_to_string(&seen).unwrap();
        let reports = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        reports.map(|report| report["verdict"].as_str().unwrap().to_owned()).collect()
    };
    land(&world, &world.config, "operator", FIRST, |_, _| ()).await;
    world.until("the honest update is seen", async || verdicts() == ["match"]).await;
    let second = FIRST.next();
    land(&world, &world.config, "operator", second, |_, features| features.swap(0, 1)).await;
    world.until("the other one is told", async || !server.received_requests().await.unwrap().is_empty()).await;
    // And the next period's is not told again with it.
    let third = second.next();
    land(&world, &world.config, "operator", third, |_, _| ()).await;
    world.until("the third is seen", async || verdicts() == ["match", "data_differ", "match"]).await;
    let told: Vec<Value> =
        server.received_requests().await.unwrap().iter().map(|request| request.body_json().unwrap()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["code"], told[0]["period"].as_u64()), (&"VR-ALERT-005".into(), Some(second.0)));
    assert!(told[0]["text"].as_str().unwrap().contains("data differ"));

    let stopped = Command::new("kill").arg(watcher.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert_eq!(watcher.wait().unwrap().code(), Some(3), "the worst verdict");
}
