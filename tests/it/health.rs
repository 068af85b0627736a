//! Readiness, parameters and figures of a running daemon, and what asking for them costs.

use std::str::FromStr;
use std::time::Duration;

use ::veriregime_files;
use cron::Schedule;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::health::checks;
use veriregime_agent::node::assemble;
use veriregime_core::types::manifest::MANIFEST_FILE;
use veriregime_core::types::period::{Grid, PeriodId};

use crate::doctor::{copy_of_the_bundle, make_another_model};
use crate::node::Node;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, World};

/// Requests of a client that asks without pause.
const FLOOD: usize = 300;

async fn check(node: &Node, name: &str) -> Value {
    let (_, body) = node.json("/readyz").await;
    body["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned().unwrap_or_default()
}

async fn is_ready(node: &Node) -> bool {
    let (status, body) = node.json("/readyz").await;
    assert_eq!(status == StatusCode::OK, body["ready"] == true, "{body}");
    status == StatusCode::OK
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_chain() {
    let mut world = World::new().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({"api": {"check_seconds": 1}})).await;
    world
        .until("ready after the first cycle", async || {
            is_ready(&node).await && check(&node, "last update").await["level"] == "ok"
        })
        .await;
    for name in ["chain head", "model on chain", "attestor", "wallet balance", "clock", "model files", "disk"] {
        assert_eq!(check(&node, name).await["level"], "ok", "{name}");
    }
    let (status, params) = node.json("/v1/params/BTC-USD").await;
    assert_eq!(
        (status, &params["status"], params["period"].as_u64()),
        (StatusCode::OK, &"fresh".into(), Some(FIRST.0))
    );
    assert_eq!(node.json("/v1/params/ETH-USD").await.1["code"], "VR-API-010");

    proxy.set(RpcFaultMode::Drop, None);
    world.until("not ready without a chain", async || !is_ready(&node).await).await;
    let head = check(&node, "chain head").await;
    assert_eq!((&head["level"], &head["code"]), (&"fail".into(), &"VR-CHAIN-001".into()));
    assert!(head["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    world
        .until("parameters are not made up", async || {
            let (status, body) = node.json("/v1/params/BTC-USD").await;
            status == StatusCode::SERVICE_UNAVAILABLE && body["code"] == "VR-API-011"
        })
        .await;
    assert_eq!(node.json("/livez").await.0, StatusCode::OK);

    proxy.set(RpcFaultMode::Fair, None);
    world.until("ready again", async || is_ready(&node).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_does_not_end_fails_and_so_does_a_node_that_has_not_looked() {
    let mut world = World::new().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.enter(FIRST).await;
    proxy.set(RpcFaultMode::Delay(Duration::from_hours(1)), Some("eth_getBalance"));
    let sections = json!({"api": {"check_seconds": 1}, "chain": {"request_timeout_ms": 3_600_000}});
    let node = Node::start(&world, sections).await;
    assert!(!is_ready(&node).await);
    assert_eq!(check(&node, "checks").await["code"], "VR-HEALTH-007");
    let without_result = async || check(&node, "wallet balance").await["code"] == "VR-HEALTH-006";
    world.until("the check is given up", without_result).await;
    assert_eq!(check(&node, "chain head").await["level"], "ok", "the others have ended");
    assert!(!is_ready(&node).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_exchanged_under_a_running_node_is_seen() {
    let mut world = World::new().await;
    let folder = world.scratch.path().join("copy");
    copy_of_the_bundle(&world, &folder);
    world.config.bundle = folder.clone();
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({"api": {"check_seconds": 1}})).await;
    world.until("ready", async || check(&node, "model files").await["level"] == "ok").await;
    let manifest = folder.join(MANIFEST_FILE);
    let original = veriregime_files::read_bounded(&manifest, 1 << 20).unwrap();
    make_another_model(&folder);
    world.until("not ready", async || check(&node, "model files").await["code"] == "VR-HEALTH-008").await;
    veriregime_files::write_atomic(&manifest, &original).unwrap();
    world.until("ready again", async || check(&node, "model files").await["level"] == "ok").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_overdue_by_the_schedule() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("one").await;
    agent.run(FIRST, &CancellationToken::new()).await.unwrap();
    agent.prover.stop().await;
    // The first period begins at midnight; each case is so many periods later.
    let (default, daily) = ("0 0 0,4,8,12,16,20 * * *", "0 0 0 * * *");
    for (cron, later, code) in [
        (default, 1, None),
        (default, 2, Some("VR-HEALTH-001")),
        (daily, 2, None),
        (daily, 6, None),
        (daily, 7, Some("VR-HEALTH-001")),
    ] {
        let (schedule, now_ms) = (Schedule::from_str(cron).unwrap(), PeriodId(FIRST.0 + later).start_ms());
        let check = checks::last_update(&agent.chain.read, &agent.action, (&schedule, Grid::FOUR_HOURS), now_ms).await;
        assert_eq!(check.code, code, "{cron} {later}: {check:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_chain_s_newest_block_must_be_young() {
    const MAINNET: u64 = 1;
    let mut world = World::new().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Chain(MAINNET)).await;
    world.enter(FIRST).await;
    world.config.chain.use_rpc(proxy.url.clone());
    world.config.chain.chain_id = MAINNET;
    let reader = assemble::reader(&world.config).unwrap();
    let at_ms = world.clock.now_ms();
    for (late_seconds, code) in [(60, None), (61, Some("VR-HEALTH-003"))] {
        let check = checks::head(&reader, MAINNET, at_ms + late_seconds * 1000, 60).await;
        assert_eq!(check.code, code, "{check:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_the_node_does_not_make_it_ask_the_chain() {
    let mut world = World::new().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.enter(FIRST).await;
    let node =
        Node::start(&world, json!({"api": {"check_seconds": 3600}, "schedule": {"recheck_seconds": 3600}})).await;
    world.until("the first cycle", async || node.newest_stage().await == "confirmed").await;
    world
        .until("the first checks", async || node.json("/readyz").await.1["checks"].as_array().unwrap().len() > 1)
        .await;
    let before = proxy.asked("eth_call").len();
    for _ in 0..FLOOD {
        node.text("/readyz").await;
        node.text("/metrics").await;
        node.text("/v1/params/BTC-USD").await;
    }
    // Two calls for parameters every five seconds, and a machine as slow as anybody has.
    let asked = proxy.asked("eth_call").len() - before;
    assert!(asked <= 20, "{asked} calls for {FLOOD} requests");
}

/// The value of a series that has these labels, and any others.
fn figure_of(text: &str, series: &str) -> Option<f64> {
    let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
    let wanted: Vec<&str> = labels.split("\",").map(|label| label.trim_end_matches('"')).collect();
    text.lines().find_map(|line| {
        let (one, value) = line.rsplit_once(' ')?;
        let (found, labels) = one.split_once('{').unwrap_or((one, ""));
        (found == name && wanted.iter().all(|label| labels.contains(label))).then(|| value.parse().ok())?
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_cycle_are_counted() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({"api": {"check_seconds": 1}})).await;
    world.until("the first cycle", async || node.newest_stage().await == "confirmed").await;
    world.until("the checks have seen it", async || check(&node, "last update").await["level"] == "ok").await;
    let (status, text) = node.text("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let value = |line: &str| -> f64 { figure_of(&text, line).unwrap_or_else(|| unreachable!("no {line} in\n{text}")) };
    assert!((value("veriregime_cycles_total{outcome=\"confirmed\"}") - 1.0).abs() < f64::EPSILON);
    for stage in ["planned", "collected", "forecast", "proved", "submitting"] {
        assert!(value(&format!("veriregime_cycle_stage_seconds_count{{stage=\"{stage}\"}}")) > 0.0);
    }
    assert!(value("veriregime_proof_seconds_count{verification=\"ezkl\"}") > 0.0);
    assert!(value("veriregime_proof_seconds_count") > 0.0 && value("veriregime_proof_seconds_sum") < 60.0);
    assert!(value("veriregime_transactions_total{purpose=\"update\"}") > 0.0);
    assert!(value("veriregime_fees_paid_gwei_total") > 0.0);
    assert!(value("veriregime_wallet_balance_gwei") > 1e9);
    assert!(value("veriregime_source_used_total{source=\"binance\"}") > 0.0);
    assert!((value("veriregime_last_landed_period") - FIRST.0 as f64).abs() < f64::EPSILON);
    let period_seconds = world.chain.bundle.manifest.grid.period_seconds;
    assert!((value("veriregime_model_period_seconds") - period_seconds as f64).abs() < f64::EPSILON);
    assert!(value("veriregime_ready{check=\"model on chain\"}") > 0.0);
    for name in [
        "veriregime_build_info{version=",
        "veriregime_model_info{job_name=",
        "veriregime_chain_head_lag_seconds{chain=",
    ] {
        assert!(text.contains(name), "no {name} in\n{text}");
    }
    for line in text.lines().filter(|line| !line.is_empty()) {
        assert!(line.starts_with("veriregime_") || line.starts_with('#'), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_labels_are_counted_from_nothing_and_each_market_has_its_figures() {
    let world = World::new().await;
    // A second before the first cycle is due.
    world.clock.set_ms(FIRST.start_ms() + 4_000);
    let node = Node::start(&world, json!({"api": {"check_seconds": 1}})).await;
    let figure = async |series: &str| {
        let (_, text) = node.text("/metrics").await;
        figure_of(&text, series)
    };
    for series in [
        "veriregime_cycles_total{outcome=\"confirmed\"}",
        "veriregime_cycles_total{outcome=\"already_by_other\"}",
        "veriregime_cycles_total{outcome=\"missed\"}",
        "veriregime_transactions_total{purpose=\"update\"}",
        "veriregime_transactions_total{purpose=\"cancel\"}",
        "veriregime_fees_paid_gwei_total",
        "veriregime_source_used_total{source=\"binance\"}",
        "veriregime_candles_revised_minutes_total{source=\"binance\"}",
        "veriregime_rpc_errors_total{endpoint=\"0\",code=\"VR-CHAIN-001\"}",
        "veriregime_alerts_total{delivered=\"false\"}",
        "veriregime_proof_seconds_count{verification=\"ezkl\"}",
        "veriregime_cycle_stage_seconds_count{stage=\"planned\"}",
    ] {
        assert_eq!(figure(series).await, Some(0.0), "{series}");
    }
    let status =
        async |word: &str| figure(&format!("veriregime_market_status{{market=\"BTC-USD\",status=\"{word}\"}}")).await;
    world.until("the market is seen", async || status("unset").await == Some(1.0)).await;
    let market = async |name: &str| figure(&format!("veriregime_market_{name}{{market=\"BTC-USD\"}}")).await;
    assert_eq!(market("probability_high").await, None, "nothing was forecast yet");

    world.enter(FIRST).await;
    world.until("the update is seen", async || status("fresh").await == Some(1.0)).await;
    assert_eq!(status("unset").await, Some(0.0));
    let (_, params) = node.json("/v1/params/BTC-USD").await;
    for (name, key, unit) in [
        ("probability_high", "probability_high_bps", 1e4),
        ("applied_volatility", "applied_volatility", 1.0),
        ("borrow_collateral_ratio", "borrow_collateral_ratio_bps", 1e4),
        ("amm_fee", "amm_fee_pips", 1e6),
    ] {
        assert_eq!(market(name).await, params[key].as_f64().map(|value| value / unit), "{name}");
    }
    assert!(market("volatility").await.is_some_and(|volatility| (1e-6..0.1).contains(&volatility)));
    assert!(market("age_seconds").await.is_some_and(|seconds| seconds < PeriodId::SECONDS as f64));
}
