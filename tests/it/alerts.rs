//! Alerts of a running daemon at a real HTTP server, and settings that change while it runs.

use ::veriregime_files;
use serde_json::{Value, json};
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::state::Store;
use veriregime_agent::state::jobs::Scope;
use veriregime_core::types::venue::Venue;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::bad_exchange::{BadExchange, ExchangeFaultMode};
use crate::node::Node;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, World};

/// A server that takes messages once it has refused so many.
pub async fn webhook(refused: u64) -> MockServer {
    let server = MockServer::start().await;
    if refused > 0 {
        let busy = Mock::given(method("POST")).respond_with(ResponseTemplate::new(503));
        busy.up_to_n_times(refused).mount(&server).await;
    }
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    server
}

/// What the server was sent about `key`, the tries that it refused left out.
async fn told(server: &MockServer, key: &str, refused: usize) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    let bodies = requests.iter().skip(refused).map(|request| request.body_json::<Value>().unwrap());
    bodies.filter(|body| body["key"] == key).collect()
}

pub fn hook(world: &World, server: &MockServer) -> Value {
    let path = world.scratch.path().join("webhook");
    veriregime_files::write_private(&path, format!("{}/secret-path\n", server.uri()).as_bytes()).unwrap();
    json!(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_chain_is_told_once_also_over_a_restart_and_so_is_its_return() {
    const REFUSED: usize = 2;
    let mut world = World::new().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.enter(FIRST).await;
    let server = webhook(REFUSED as u64).await;
    let sections = json!({"api": {"check_seconds": 1}, "alerts": {"webhook_file": hook(&world, &server)}});
    let node = Node::start(&world, sections.clone()).await;
    world.until("the first cycle", async || node.newest_stage().await == "confirmed").await;
    assert!(told(&server, "VR-CHAIN-001", 0).await.is_empty(), "nothing is wrong yet");

    proxy.set(RpcFaultMode::Drop, None);
    world
        .until("it is told, and tried until it is taken", async || {
            told(&server, "VR-CHAIN-001", REFUSED).await.len() == 1
        })
        .await;
    let body = told(&server, "VR-CHAIN-001", REFUSED).await.remove(0);
    assert_eq!(
        (&body["status"], &body["severity"], &body["code"]),
        (&"firing".into(), &"critical".into(), &"VR-CHAIN-001".into())
    );
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("chain head") && text.contains("attestor") && text.contains("VR-CHAIN-001"), "{text}");
    assert!(!body["hint"].as_str().unwrap().is_empty() && body["node"].as_str().unwrap().starts_with("0x"));
    let log = std::fs::read_to_string(&node.log).unwrap();
    assert!(!log.contains("secret-path"), "the webhook's address is in the log");
    world.until("it is noted", async || node.said("alert delivered").is_some()).await;

    drop(node);
    let node = Node::start(&world, sections).await;
    world
        .until("checks after the restart", async || {
            node.json("/readyz").await.1["checks"].as_array().unwrap().len() > 1
        })
        .await;
    proxy.set(RpcFaultMode::Fair, None);
    let over = async || told(&server, "VR-CHAIN-001", REFUSED).await.iter().any(|body| body["status"] == "resolved");
    world.until("it is over", over).await;
    assert_eq!(told(&server, "VR-CHAIN-001", REFUSED).await.len(), 2, "told once, and once that it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn candles_of_a_fallback_are_told() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let server = webhook(0).await;
    let exchange = |venue| BadExchange::start(venue, Market::simulated("BTCUSDT", 13), world.clock.clone());
    let (first, fallback) = (exchange(Venue::Binance).await, exchange(Venue::Bybit).await);
    first.set(ExchangeFaultMode::Status { status: 451, retry_after_seconds: None, times: usize::MAX });
    let sections = json!({
        "api": {"check_seconds": 1},
        "alerts": {"webhook_file": hook(&world, &server)},
        "candles": {"base_url": first.url, "fallbacks": ["bybit"], "foreign_volumes": true},
        "candles.sources.bybit": {"exchange": "bybit", "base_url": fallback.url, "weight_per_minute": 1_000_000},
        "candles.sources.bybit.symbols": {"BTC-USD": "BTCUSDT"},
    });
    let _node = Node::start(&world, sections).await;
    world.until("it is told", async || !told(&server, "fallback", 0).await.is_empty()).await;
    let body = told(&server, "fallback", 0).await.remove(0);
    assert_eq!((&body["code"], &body["severity"]), (&"VR-ALERT-004".into(), &"warning".into()), "{body}");
    assert!(body["text"].as_str().unwrap().contains("binance (VR-CANDLE-005)"), "{body}");
}

/// What the verifier says from now on: to a stopped contract every proof is none, and each period is missed at once. Gives back
/// its code of before.
async fn verify_with(world: &World, code: &Value) -> Value {
    let verifier = world.chain.deployment.contracts.verifier.address;
    let before = world.chain.anvil.request("eth_getCode", json!([verifier, "latest"])).await.unwrap();
    world.chain.anvil.request("anvil_setCode", json!([verifier, code])).await.unwrap();
    before
}

const STOP: &str = "0x00";

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_period_is_told_with_its_reason_and_a_lost_race_is_not() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let server = webhook(0).await;
    let mut other = world.agent("other").await;
    other.run(FIRST, &tokio_util::sync::CancellationToken::new()).await.unwrap();
    other.prover.stop().await;
    let sections = json!({"api": {"check_seconds": 1}, "alerts": {"webhook_file": hook(&world, &server)}});
    let node = Node::start(&world, sections).await;
    world.until("somebody else was first", async || node.newest_stage().await == "already_by_other").await;

    // The contract refuses: the next period is missed at once.
    let verifier = verify_with(&world, &json!(STOP)).await;
    world.enter(FIRST.next()).await;
    world.until("it is told", async || !told(&server, "missed", 0).await.is_empty()).await;
    let body = told(&server, "missed", 0).await.remove(0);
    assert_eq!((&body["code"], body["period"].as_u64()), (&"VR-CHAIN-009".into(), Some(FIRST.next().0)));
    let before: Vec<_> = server.received_requests().await.unwrap();
    assert!(before.iter().all(|one| one.body_json::<Value>().unwrap()["period"] != FIRST.0), "a lost race is no news");

    verify_with(&world, &verifier).await;
    world.enter(FIRST.next().next()).await;
    world.until("the next one lands", async || node.newest_stage().await == "confirmed").await;
    let over = async || told(&server, "missed", 0).await.last().is_some_and(|body| body["status"] == "resolved");
    world.until("it is over", over).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_period_is_told_though_the_webhook_was_down_until_the_next_one_landed() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let verifier = verify_with(&world, &json!(STOP)).await;
    let sections = json!({
        "api": {"check_seconds": 1},
        "alerts": {"webhook_file": hook(&world, &server), "node_name": "north"},
    });
    let node = Node::start(&world, sections).await;
    world.until("nobody takes it", async || !told(&server, "missed", 0).await.is_empty()).await;
    verify_with(&world, &verifier).await;
    world.enter(FIRST.next()).await;
    world.until("the next one lands", async || node.newest_stage().await == "confirmed").await;
    server.reset().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    world.until("it is told", async || told(&server, "missed", 0).await.len() >= 2).await;
    let told = told(&server, "missed", 0).await;
    assert_eq!((&told[0]["status"], told[0]["period"].as_u64()), (&"firing".into(), Some(FIRST.0)));
    assert_eq!((&told[0]["node"], &told[1]["status"]), (&"north".into(), &"resolved".into()), "and that it is over");
    assert!(told[0]["text"].as_str().unwrap().starts_with("north: VR-CHAIN-009 "), "{}", told[0]);
    let store = Store::open(&world.scratch.path().join("agent.sqlite")).unwrap();
    world.until("it is noted", async || store.untold(Scope::All, 9).unwrap().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn safe_settings_change_at_sighup_and_others_do_not() {
    let world = World::new().await;
    let node = Node::start(&world, json!({"log": {"level": "info"}})).await;
    let text = std::fs::read_to_string(&node.settings).unwrap();
    let reload = |text: &str| {
        veriregime_files::write_atomic(&node.settings, text.as_bytes()).unwrap();
        node.signal("HUP");
    };
    // One that needs a restart keeps the safe one beside it from changing, too.
    let unsafe_change =
        text.replace("recheck_seconds = 1\n", "recheck_seconds = 2\n").replace("burst = 1000000", "burst = 1");
    assert_ne!(unsafe_change, text);
    reload(&unsafe_change);
    let refused = "settings not reloaded, the old ones stay";
    world.until("it is refused", async || node.said(refused).is_some()).await;
    let said = node.said(refused).unwrap();
    assert_eq!(said["code"], "VR-CONFIG-003");
    assert!(said["error"].as_str().unwrap().contains("schedule.recheck_seconds"), "{said}");
    for _ in 0..10 {
        assert_eq!(node.json("/livez").await.0.as_u16(), 200);
    }

    let safe = text
        .replace("burst = 1000000", "burst = 3")
        .replace("requests_per_second = 1000000", "requests_per_second = 1");
    reload(&safe);
    world.until("it is reloaded", async || node.said("settings reloaded").is_some()).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(node.text("/livez").await.0.as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");

    reload("[chain]\nrpc_url = 7");
    world
        .until("nonsense is refused", async || std::fs::read_to_string(&node.log).unwrap().contains("VR-CONFIG-001"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_alerts_and_the_log_s_level_change_at_sighup() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let server = webhook(0).await;
    let sections = json!({
        "api": {"check_seconds": 1},
        "chain": {"priority_fee_gwei": 1},
        "log": {"level": "info"},
        "alerts": {"low_balance_updates": 1},
    });
    let node = Node::start(&world, sections).await;
    world.until("the first cycle", async || node.newest_stage().await == "confirmed").await;
    assert!(!std::fs::read_to_string(&node.log).unwrap().contains("\"DEBUG\""));

    let enough = format!("low_balance_updates = 1000000000000\nwebhook_file = {}", hook(&world, &server));
    let text = std::fs::read_to_string(&node.settings).unwrap();
    let changed = text
        .replace("priority_fee_gwei = 1", "priority_fee_gwei = 3")
        .replace("level = \"info\"", "level = \"debug\"")
        .replace("low_balance_updates = 1", &enough);
    veriregime_files::write_atomic(&node.settings, changed.as_bytes()).unwrap();
    node.signal("HUP");
    world.until("it is reloaded", async || node.said("settings reloaded").is_some()).await;
    world.until("the balance is low now", async || !told(&server, "VR-HEALTH-004", 0).await.is_empty()).await;

    world.enter(FIRST.next()).await;
    let store = Store::open(&world.scratch.path().join("agent.sqlite")).unwrap();
    let attempts = |period| store.attempts(world.job(), period).unwrap();
    world.until("the next update is sent", async || !attempts(FIRST.next()).is_empty()).await;
    let fees: Vec<u128> = [FIRST, FIRST.next()].map(|period| attempts(period)[0].priority_fee_wei).into();
    assert_eq!(fees, [1_000_000_000, 3_000_000_000]);
    assert!(std::fs::read_to_string(&node.log).unwrap().contains("\"DEBUG\""));
}
