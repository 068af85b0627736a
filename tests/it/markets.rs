//! A model of two markets, each with statistics, a threshold and a constant of its own: the second one added without training, the same
//! integers by every way, and a cycle on a chain.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use alloy::primitives::{Address, Bytes, U256};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::clock::Clock;
use veriregime_agent::config::Config;
use veriregime_agent::node::assemble;
use veriregime_agent::verification::Prover;
use veriregime_core::forecast::RegimeModel;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::card::CARD_FILE;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::public_inputs::instances;
use veriregime_core::types::time::parse_utc_ms;

use crate::dashboard::{close, explained, list, number, outputs};
use crate::direct::asking::{Asking, call};
use crate::direct::row;
use crate::market::candles;
use crate::node::Node;
use crate::omission::{Exchange, strings};
use crate::world::{FIRST, World, config};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/btc-regime-4h-v1");
/// Four weeks of look-back, three of which statistics are, and what comes after.
const MINUTES: usize = 80_000;
/// Rows that EZKL runs its circuit on, and that are proven by each way.
const ROWS: usize = 200;
const PROVEN: usize = 3;

/// Ether's candles: returns twice those of a market with another seed.
fn ether() -> Vec<Candle> {
    let doubled = |price: f64| price * price / 20_000.0;
    let twice = |candle: Candle| Candle {
        open: doubled(candle.open),
        high: doubled(candle.high),
        low: doubled(candle.low),
        close: doubled(candle.close),
        ..candle
    };
    candles(21, start_ms(), MINUTES).into_iter().map(twice).collect()
}

fn start_ms() -> i64 {
    parse_utc_ms("2024-09-01").unwrap()
}

fn write(path: &Path, candles: &[Candle]) {
    let mut text = String::new();
    for Candle { open_time_ms, open, high, low, close, volume } in candles {
        writeln!(text, "{open_time_ms},{open},{high},{low},{close},{volume}").unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Runs `models add-market` of ether to the shipped model, with `changed` instead of what it would be given; what it says.
fn add(config: &Config, scratch: &Path, changed: &[(&str, &str)]) -> (bool, Value) {
    let (file, out) = (scratch.join("ether.csv"), scratch.join("models/btc-eth-4h-v1"));
    let mut options = vec![
        ("--model", SHIPPED.to_owned()),
        ("--market", "ETH-USD".to_owned()),
        ("--symbol", "ETHUSDT".to_owned()),
        ("--candles", file.display().to_string()),
        ("--out", out.display().to_string()),
        ("--srs-dir", config.prover.srs_dir.display().to_string()),
        ("--python", config.prover.python.display().to_string()),
    ];
    for (name, value) in changed {
        options.retain(|(known, _)| known != name);
        options.push((name, (*value).to_owned()));
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
    program.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("VERIREGIME_CONFIG");
    program.args(["--json", "models", "add-market"]);
    program.args(options.iter().flat_map(|(name, value)| [*name, value.as_str()]));
    let output = program.output().unwrap();
    let complaint = || Value::String(String::from_utf8_lossy(&output.stderr).into_owned());
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| complaint()))
}

/// The shipped model with ether added.
async fn with_ether(config: &mut Config, scratch: &Path) -> (PathBuf, Value) {
    strings(config, scratch).await;
    write(&scratch.join("ether.csv"), &ether());
    let (succeeded, said) = add(config, scratch, &[]);
    assert!(succeeded, "{said}");
    (scratch.join("models/btc-eth-4h-v1"), said)
}

async fn deployed(chain: &Asking, bundle: &Bundle, way: Way) -> Address {
    let code = std::fs::read_to_string(bundle.path(bundle.manifest.offer(way).unwrap().bytecode_file)).unwrap();
    chain.put(code.trim().parse().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_market_is_its_own_and_all_ways_give_the_same_integers() {
    let (scratch, mut config) = (TempDir::new().unwrap(), config());
    let (folder, said) = with_ether(&mut config, scratch.path()).await;
    let (shipped, bundle) = (Bundle::open(Path::new(SHIPPED)).unwrap(), Bundle::open(&folder).unwrap());
    let (before, spec) = (shipped.manifest.regime().unwrap(), bundle.manifest.regime().unwrap());
    let [btc, eth] = [0, 1].map(|market| spec.market(market).unwrap());
    assert_eq!((&btc.features, &btc.label), (&before.candles.features, &before.labels[0]), "the first is as it was");
    assert_eq!(spec.candles.markets.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["BTC-USD", "ETH-USD"]);
    assert_eq!(eth.features.calendar, btc.features.calendar);
    assert!(
        eth.features
            .candle
            .iter()
            .zip(&btc.features.candle)
            .all(|(one, other)| one.mean.to_bits() != other.mean.to_bits())
    );
    assert!(eth.label.threshold > btc.label.threshold, "it moves twice as much: {}", eth.label.threshold);
    // As many of its horizons are above the threshold as of the first market's were in training.
    let [own, first] = [eth.baselines, btc.baselines].map(|baselines| baselines.training_share_high);
    assert!((own - first).abs() < 0.05, "{own} and {first}");
    assert_ne!(spec.candles.features_digest(), before.candles.features_digest());
    let card = std::fs::read_to_string(bundle.path(CARD_FILE)).unwrap();
    assert!(card.contains("**not trained** on these") && card.contains("| ETH-USD (ETHUSDT) |"), "{card}");
    assert_eq!(said["measured"]["rows"].as_u64(), Some(said_rows(&said)), "{said}");
    assert!(number(&said["measured"]["figures"]["student_circuit"]["accuracy"]["value"]) > 0.4, "{said}");

    // Golden rows: bitcoin's integers are the shipped model's, ether's those moved by a constant, whoever computes them.
    let (one, two) = (shipped.integer_model().unwrap(), bundle.integer_model().unwrap());
    let layout = two.layout();
    let moved = libm::log(eth.label.threshold / btc.label.threshold);
    let random = &mut ChaCha8Rng::seed_from_u64(4_016);
    let rows: Vec<Vec<i32>> = (0..ROWS).map(|_| row(random, 2 * layout.features, layout.feature_bound)).collect();
    for row in &rows {
        let [own, other] = [&row[..layout.features], &row[layout.features..]];
        let all = two.evaluate(row).unwrap();
        assert_eq!(all[0], one.evaluate(own).unwrap()[0]);
        let expected = one.evaluate(other).unwrap().remove(0);
        assert_eq!(all[1][..2], expected[..2], "its logits are relative to its threshold");
        let found = (all[1][2] - expected[2]) as f64 * libm::exp2(-f64::from(layout.output_scale));
        assert!((found - moved).abs() < libm::exp2(-16.0), "{found}, not {moved}");
    }
    let exact: Vec<Vec<U256>> = rows.iter().map(|row| instances(row, &two.evaluate(row).unwrap().concat())).collect();
    let Prover::Ezkl(mut ezkl) = assemble::prover_of(&config, &bundle, Way::Ezkl).await.unwrap() else {
        unreachable!("EZKL was asked for")
    };
    assert!(ezkl.witness(&rows).await.unwrap() == exact, "EZKL");
    ezkl.stop().await;

    // Real proofs, each taken by its own verifier on chain and by no other; none of outputs in another order.
    let chain = Asking::new().await;
    let mut calls: Vec<(Way, Bytes)> = Vec::new();
    for way in Way::ALL {
        let mut prover = assemble::prover_of(&config, &bundle, way).await.unwrap();
        for (row, exact) in rows.iter().zip(&exact).take(PROVEN) {
            let proof = prover.prove(row, &two.evaluate(row).unwrap().concat()).await.unwrap().proof;
            assert_eq!(proof.instances, *exact, "{way}");
            calls.push((way, call(&proof.bytes, &proof.instances)));
            let mut swapped = proof.instances.clone();
            swapped[2 * layout.features..].rotate_left(layout.outputs);
            assert_ne!(swapped, proof.instances);
            calls.push((way, call(&proof.bytes, &swapped)));
        }
        prover.stop().await;
    }
    let data: Vec<Bytes> = calls.iter().map(|(_, data)| data.clone()).collect();
    for way in Way::ALL {
        let verifier = deployed(&chain, &bundle, way).await;
        let answers = chain.ask_calls(verifier, &data).await;
        for (index, ((made_by, _), answer)) in calls.iter().zip(answers).enumerate() {
            let is_right = *made_by == way && index % 2 == 0;
            assert_eq!(answer.is_accepted, is_right, "{made_by}'s call {index}, asked {way}");
        }
    }
    let verifier = deployed(&chain, &bundle, Way::Direct).await;
    let answers = chain.ask(verifier, &exact).await;
    assert_eq!(answers.iter().position(|answer| !answer.is_accepted), None, "the contract");
}

/// Decision times from the end of the statistics on, all but the last horizon.
fn said_rows(said: &Value) -> u64 {
    let [from, to] = ["from", "to"].map(|edge| parse_utc_ms(said["measured"][edge].as_str().unwrap()).unwrap());
    u64::try_from((to - from) / MINUTE_MS).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_markets_of_different_thresholds_land_are_audited_and_are_explained() {
    let (scratch, clock, mut config) = (TempDir::new().unwrap(), Clock::manual(FIRST.start_ms()), config());
    config.prover.kind = Way::Halo2.into();
    (config.bundle, _) = with_ether(&mut config, scratch.path()).await;
    let exchange = Exchange::start(&clock).await;
    config.candles.only_from(exchange.url.clone());
    let world = World::of(config, clock, scratch).await;
    world.enter(FIRST).await;
    let mut agent = world.agent("agent.sqlite").await;
    let record = agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    assert_eq!(record.stage, Stage::Confirmed, "{:?}", record.miss);
    let record = agent.store.cycle(agent.job(), FIRST).unwrap().unwrap();
    let forecast = record.forecast.clone().unwrap();

    // What bitcoin is told does not depend on ether: the shipped model says the same of the same candles.
    let shipped = Bundle::open(Path::new(SHIPPED)).unwrap();
    let alone = RegimeModel::load(&shipped.manifest, &std::fs::read(shipped.path(ONNX_FILE)).unwrap()).unwrap();
    let stored = agent.store.candles(agent.job(), FIRST).unwrap();
    let [btc, eth] = [0, 1].map(|market| {
        let window = alone.window(&stored[market], FIRST).unwrap();
        alone.compute(&[Some(window)], FIRST).unwrap()
    });
    assert_eq!((&btc.features[0], &btc.outputs[0]), (&forecast.features[0], &forecast.outputs[0]));
    assert_ne!(eth.features[0], forecast.features[1], "ether is normalised by its own past");
    let file = agent.evidence.file(record.evidence.expect("evidence was left"));
    let spec = world.chain.bundle.manifest.regime().unwrap();
    drop(agent);

    let told = |arguments: &[&str]| -> Value {
        let output = world.program(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    };
    let verified = told(&["--json", "verify-bundle", file.to_str().unwrap()]);
    assert_eq!(verified["verdict"], "match", "{verified}");
    let audited = told(&["--json", "audit", "--period", &FIRST.0.to_string()]);
    assert_eq!(audited[0]["verdict"], "match", "{audited}");

    let node = Node::start(&world, json!({"api": {"check_seconds": 1}})).await;
    let explained = explained(&world, &node, FIRST).await;
    for (index, market) in list(&explained, "markets").iter().enumerate() {
        let own = spec.market(index).unwrap();
        let features = list(market, "features");
        let row: Vec<Value> = features.iter().map(|feature| feature["integer"].clone()).collect();
        let said: Vec<&str> = list(market, "outputs").iter().map(|one| one["integer"].as_str().unwrap()).collect();
        let computed: Vec<String> =
            outputs(&explained["network"], &row, index).iter().map(ToString::to_string).collect();
        assert_eq!(computed, said);
        for (feature, scaled) in features.iter().zip(own.features.candle.iter().chain(&own.features.calendar)) {
            if feature["is_clipped"] == false {
                close(number(&feature["value"]), scaled.mean + number(&feature["z"]) * scaled.standard_deviation);
            }
        }
        for (at, name) in ["logit_high", "log_volatility"].into_iter().enumerate() {
            let shares: f64 = features.iter().map(|feature| number(&feature["contribution"][name])).sum();
            close(number(&market["neutral"][name]) + shares, number(&list(market, "outputs")[at + 1]["value"]));
        }
        let name = &spec.candles.markets[index].name;
        let (_, series) = node.json(&format!("/v1/series?market={name}")).await;
        close(number(&series["threshold_volatility"]), own.label.threshold);
        let (status, score) = node.json(&format!("/v1/score?market={name}")).await;
        assert_eq!(status, 200, "{score}");
    }
    let (_, model) = node.json("/v1/model").await;
    assert_eq!(list(&model, "market_thresholds").len(), 2, "{model}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_cannot_be_added_is_refused_by_code_and_nothing_is_left() {
    let (scratch, config) = (TempDir::new().unwrap(), config());
    let past = ether();
    write(&scratch.path().join("ether.csv"), &past);
    let refused = |changed: &[(&str, &str)], code: &str, words: &str| {
        let (succeeded, said) = add(&config, scratch.path(), changed);
        let said = said.as_str().unwrap();
        assert!(!succeeded && said.contains(code) && said.contains(words), "{changed:?}: {said}");
        let left: Vec<_> = std::fs::read_dir(scratch.path().join("models")).into_iter().flatten().collect();
        assert!(left.is_empty(), "{changed:?} left {left:?}");
    };
    refused(&[("--market", "BTC-USD")], "VR-MODELS-010", "BTC-USD");
    refused(&[("--symbol", "BTCUSDT")], "VR-MODELS-010", "BTCUSDT");
    refused(&[("--market", "ETH USD")], "VR-MODELS-011", "ETH USD");
    refused(&[("--out", SHIPPED)], "VR-MANIFEST-006", "holds a bundle");
    refused(&[("--to", "2024-11-01")], "VR-MODELS-014", "2024-11-01");
    refused(&[("--to", "2024-09-29")], "VR-TRAIN-002", "the market's");
    let file = scratch.path().join("holes.csv");
    let holes = ("--candles", file.to_str().unwrap());
    let kept = |minute: &usize| !(50_000..50_500).contains(minute);
    write(&file, &past.iter().enumerate().filter(|(minute, _)| kept(minute)).map(|(_, one)| *one).collect::<Vec<_>>());
    refused(&[holes], "VR-MODELS-012", "row 50000");
    let idle =
        |(minute, one): (usize, &Candle)| Candle { volume: if kept(&minute) { one.volume } else { 0.0 }, ..*one };
    write(&file, &past.iter().enumerate().map(idle).collect::<Vec<_>>());
    refused(&[holes], "VR-MODELS-013", "row 50001");
}
