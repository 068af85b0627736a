//! A node that has published answers `POST /predict` with the update on chain that says the same, which whoever asks can fetch and verify.

use std::process::Command;

use serde_json::{Value, json};
use veriregime_agent::actions::feed::contract::YieldFeed;
use veriregime_core::yields::GRID;

use super::Scene;
use crate::cycles::{api_address, until};
use crate::fleet::Daemon;

const API: &str =
    "[api]\nlisten = \"127.0.0.1:0\"\ncheck_seconds = 1\nrequests_per_second = 1_000_000\nburst = 1_000_000\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_over_http_names_the_update_that_proves_it() {
    let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let running = GRID.period_at(now_ms);
    let scene = Scene::of(running, now_ms / 1000).await;
    let settings = scene.settings_file(API);
    let program = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"));
        program.arg("--config").arg(&settings).arg("--json").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let last = said.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        (output.status.code(), last.unwrap_or_else(|| String::from_utf8(output.stderr).unwrap().into()))
    };
    let (code, once) = program(&["--job", "aave", "once"]);
    assert_eq!((code, &once["outcome"]), (Some(0), &json!("confirmed")), "{once}");

    let log = scene.scratch.path().join("log");
    let _daemon = Daemon::start(settings.clone(), log.clone());
    until("the API listens", async || api_address(&log).is_some()).await;
    let (url, client) = (format!("http://{}", api_address(&log).unwrap()), reqwest::Client::new());
    let predict = async || -> Value {
        let body = json!({"strategies": ["aave"], "horizon_days": 7}).to_string();
        client.post(format!("{url}/predict")).body(body).send().await.unwrap().json().await.unwrap()
    };
    until("it names a proof", async || predict().await["predictions"]["aave"]["proof"].is_object()).await;
    let answer = predict().await;
    let (said, proof) = (&answer["predictions"]["aave"], &answer["predictions"]["aave"]["proof"]);
    assert_eq!((&proof["job"], &proof["period"]), (&json!("aave"), &json!(running.0)), "{answer}");
    assert_eq!(proof["verification"], "direct", "{answer}");

    // Its transaction is the one that published, and what the feed says is what was answered.
    let agent = scene.agent(0, "other.sqlite").await;
    let transaction: alloy::primitives::B256 = proof["landed"]["transaction"].as_str().unwrap().parse().unwrap();
    let published = agent.chain.read.publication_in::<YieldFeed>(agent.action.contract(), transaction).await.unwrap();
    assert_eq!(published.unwrap().update.period, running);
    let feed = agent.chain.read.feed(agent.action.contract()).await.unwrap();
    for (told, answered) in [
        (feed.apyE8 as f64, &said["apy"]),
        (feed.volatilityE8 as f64, &said["volatility"]),
        (feed.lowE8 as f64, &said["interval"][0]),
        (feed.highE8 as f64, &said["interval"][1]),
    ] {
        assert!((told / 1e8 - answered.as_f64().unwrap()).abs() < 1e-7, "{told} {said}");
    }

    // The period has its features and outputs; its evidence is fetched and verified, and the chain is audited.
    let get = async |path: String| client.get(format!("{url}{path}")).send().await.unwrap();
    let period: Value = get(format!("/v1/periods/{}?job=aave", proof["period"])).await.json().await.unwrap();
    assert_eq!(period["landed"]["transaction"], proof["landed"]["transaction"], "{period}");
    let apart = period["strategy"]["apy"].as_f64().unwrap() - said["apy"].as_f64().unwrap();
    assert!(apart.abs() < 1e-7, "{period}");
    let digest = period["evidence"].as_str().unwrap();
    let evidence = get(format!("/v1/evidence/{digest}")).await.bytes().await.unwrap();
    let fetched = scene.scratch.path().join("fetched.json.gz");
    std::fs::write(&fetched, &evidence).unwrap();
    let (code, verified) = program(&["--job", "aave", "verify-bundle", fetched.to_str().unwrap()]);
    assert_eq!((code, &verified["verdict"]), (Some(0), &json!("match")), "{verified}");
    let (code, audited) = program(&["--job", "aave", "audit", "--period", &proof["period"].to_string()]);
    assert_eq!((code, &audited[0]["transaction"]), (Some(0), &proof["landed"]["transaction"]), "{audited}");
    assert_eq!(audited[0]["verdict"], "match", "{audited}");
}
