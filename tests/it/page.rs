//! The page at `/` of a running daemon, what it is told while it is looked at, and what it asks of operations and policies.

use std::path::Path;
use std::time::Duration;

use alloy::primitives::keccak256;
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use veriregime_agent::deployment::policy::MarketRules;

use crate::node::Node;
use crate::world::{FIRST, World};

const PATIENCE: Duration = Duration::from_secs(20);

fn is_guarded(headers: &HeaderMap) -> bool {
    let policy = headers["content-security-policy"].to_str().unwrap();
    policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';")
        && !policy.contains("unsafe")
        && policy.ends_with("frame-ancestors 'none'")
        && headers["x-content-type-options"] == "nosniff"
        && headers["referrer-policy"] == "no-referrer"
}

/// Events as they come.
struct Events {
    answer: Response,
    text: String,
}

impl Events {
    async fn of(node: &Node) -> Self {
        let answer = Client::new().get(node.url.join("/v1/events").unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(
            (&answer.headers()["x-accel-buffering"], is_guarded(answer.headers())),
            (&"no".parse().unwrap(), true)
        );
        Self { answer, text: String::new() }
    }

    /// Name and data of the next one; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let told = field("event: ").zip(field("data: "));
                let rest = rest.to_owned();
                self.text = rest;
                if let Some((name, data)) = told {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
            }
            let chunk =
                tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("something every five seconds");
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let world = World::new().await;
    let limits = json!({"api": {"requests_per_second": 1, "burst": 4}});
    let node = Node::start(&world, limits).await;
    let http = Client::new();
    let (mut refused, mut pages) = (0, Vec::new());
    for path in ["/livez", "/openapi.json", "/nowhere", "/assets/nothing.js", "/livez", "/livez"] {
        let answer = http.get(node.url.join(path).unwrap()).send().await.unwrap();
        assert!(is_guarded(answer.headers()), "{path}");
        refused += u32::from(answer.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0, "what is no file of the page has its price");
    for _ in 0..10 {
        let answer = http.get(node.url.clone()).send().await.unwrap();
        assert!(is_guarded(answer.headers()));
        pages.push((answer.status(), answer.headers().clone(), answer.text().await.unwrap()));
    }
    // A build without the page has none to show, and says what to do.
    let (status, headers, text) = &pages[0];
    if *status == StatusCode::OK {
        assert!(pages.iter().all(|(status, ..)| *status == StatusCode::OK), "it costs nothing of anybody's budget");
        assert!(text.contains("<script type=\"module\""), "{text}");
        let again = http.get(node.url.clone()).header("if-none-match", &headers["etag"]).send().await.unwrap();
        assert_eq!((again.status(), again.text().await.unwrap().len()), (StatusCode::NOT_MODIFIED, 0));
        let head = http.head(node.url.clone()).send().await.unwrap();
        assert_eq!((head.status(), &head.headers()["etag"]), (StatusCode::OK, &headers["etag"]));
        assert!(head.text().await.unwrap().is_empty());
    } else {
        assert!(text.contains("VR-API-017") || text.contains("VR-API-006"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_while_it_happens_and_streams_end_with_the_daemon() {
    let world = World::new().await;
    // Streams outlast what other answers may take, and there are half as many as connections.
    let limits = json!({"api": {"check_seconds": 1, "request_timeout_ms": 300, "max_connections": 4}});
    let mut node = Node::start(&world, limits).await;
    let (mut one, mut other) = (Events::of(&node).await, Events::of(&node).await);
    let (status, body) = node.json("/v1/events").await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("VR-API-018")));
    for events in [&mut one, &mut other] {
        let (name, hello) = events.next().await.unwrap();
        assert_eq!((name.as_str(), &hello["version"]), ("hello", &json!(env!("CARGO_PKG_VERSION"))));
        assert!(hello["started_ms"].as_i64() <= hello["now_ms"].as_i64());
    }
    world.enter(FIRST).await;
    let (mut stages, mut checks) = (Vec::new(), 0);
    while stages.last().is_none_or(|stage| stage != "confirmed") || checks == 0 {
        let (name, data) = one.next().await.unwrap();
        if name == "checks" {
            assert!(data["ready"].is_boolean() && data["job"].is_string(), "{data}");
            checks += 1;
        } else if name == "period" {
            assert_eq!(data["period"], FIRST.0);
            stages.push(data["stage"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(stages, ["planned", "collected", "forecast", "proved", "submitting", "confirmed"]);
    // One who has not read in the meantime was told the same.
    while other.next().await.unwrap().1["stage"] != "confirmed" {}

    node.signal("TERM");
    while one.next().await.is_some() {}
    assert!(node.process.wait().unwrap().success());
}

/// What is posted at `path`, with whatever status.
async fn posted(node: &Node, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Client::new().post(node.url.join(path).unwrap()).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    (answer.status(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_is_tried_by_the_contract_s_rules() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({})).await;
    let mut period = FIRST;
    for _ in 0..3 {
        let number = period.0;
        world
            .until("the update has landed and is read", async || {
                let (_, series) = node.json("/v1/series?market=BTC-USD").await;
                let periods = series["period"].as_array().cloned().unwrap_or_default();
                let at = periods.iter().position(|one| *one == number);
                at.is_some_and(|at| series["applied_volatility"][at].is_number())
            })
            .await;
        period = period.next();
        world.enter(period).await;
    }
    let (_, jobs) = node.json("/v1/jobs").await;
    let job = jobs["jobs"][0]["name"].as_str().unwrap().to_owned();
    let (status, on_chain) = node.json("/v1/policy/BTC-USD").await;
    assert_eq!((status, on_chain["policy"]["dwell_periods"].as_u64()), (StatusCode::OK, Some(2)), "{on_chain}");
    assert!(on_chain["owner"].as_str().unwrap().starts_with("0x") && on_chain["bounds"]["max_amm_fee_pips"] == 20_000);

    // By the policy that the chain has, the chain's own figures come out, to the integer.
    let request = json!({"job": job, "market": "BTC-USD", "policy": on_chain["policy"]});
    let (status, tried) = posted(&node, "/v1/lab", &request).await;
    assert_eq!(status, StatusCode::OK, "{tried}");
    let (_, series) = node.json("/v1/series?market=BTC-USD").await;
    let e9 = |values: &Value, at: usize| values[at].as_f64().map(|value| (value * 1e9).round());
    let mut moves = 0;
    for at in 0..3 {
        assert_eq!(tried["start_ms"][at], series["start_ms"][at]);
        let applied = e9(&tried["applied_volatility"], at);
        assert!(applied.is_some());
        assert_eq!(applied, e9(&series["applied_volatility"], at), "period {at}: {tried} {series}");
        for field in ["borrow_collateral_ratio_bps", "amm_fee_pips", "borrow_cap_factor_bps"] {
            assert_eq!(tried[field][at], series[field][at], "{field} of period {at}");
        }
        moves += usize::from(at > 0 && tried["applied_volatility"][at] != tried["applied_volatility"][at - 1]);
    }
    assert!(moves > 0, "{tried}");
    assert_eq!(&tried["set_policy_calldata"].as_str().unwrap()[..10], &set_policy_selector());
    let text = tried["policy_toml"].as_str().unwrap();
    let read = MarketRules::parse(Path::new("policy.toml"), text).unwrap();
    assert_eq!(read.policy.knots.len(), on_chain["policy"]["knots"].as_array().unwrap().len());
    assert_eq!(read.bounds.maxAmmFeePips.to::<u32>(), 20_000);

    // Four weeks of candles lie before the first update: the static fee is fitted on them, and half a day is too little to judge.
    assert_eq!((&tried["liquidity"], &tried["break_even"]), (&Value::Null, &Value::Null), "{tried}");
    assert_eq!(tried["liquidity_fault"]["code"], "VR-BACKTEST-004");

    // Another one does otherwise; one that the contract would refuse is refused for the same field.
    let mut quick = request.clone();
    quick["policy"]["dwell_periods"] = 1.into();
    quick["policy"]["max_fall_bps_per_period"] = 10_000.into();
    assert_ne!(posted(&node, "/v1/lab", &quick).await.1["applied_volatility"], tried["applied_volatility"]);
    let cases = [
        ("/policy/margin_bps", json!(10_001), 422, "VR-API-019"),
        ("/policy/knots/1/volatility_e9", json!(1), 422, "VR-API-019"),
        ("/policy/knots/2/amm_fee_pips", json!(20_001), 422, "VR-API-019"),
        ("/policy/knots", json!([]), 422, "VR-API-019"),
        ("/policy/margin_bps", json!("many"), 400, "VR-API-005"),
        ("/market", json!("<script>"), 404, "VR-API-010"),
        ("/from_ms", json!(-1), 400, "VR-API-005"),
        ("/eth_usd", json!(-1), 400, "VR-API-005"),
        ("/gas_price_gwei", json!(1e7), 400, "VR-API-005"),
        ("/job", json!("another"), 404, "VR-API-013"),
    ];
    for (place, value, status, code) in cases {
        let mut wrong = request.clone();
        match wrong.pointer_mut(place) {
            Some(field) => *field = value,
            None => wrong[&place[1..]] = value,
        }
        let (told, body) = posted(&node, "/v1/lab", &wrong).await;
        assert_eq!((told.as_u16(), &body["code"]), (status, &code.into()), "{place}: {body}");
    }

    // Operations and the card are of the same periods.
    let (_, operations) = node.json("/v1/operations").await;
    let landed = operations["transactions"].as_array().unwrap().iter().filter(|one| one["landed"].is_object());
    assert!(landed.count() >= 3, "{operations}");
    assert_eq!(
        (&operations["endpoints"][0]["state"], &operations["sources"][0]["state"]),
        (&"good".into(), &"used".into())
    );
    assert!(operations["endpoints"][0]["latency_ms"].is_u64() && operations["endpoints"][0]["head"].is_u64());
    assert!(operations["wallet"]["updates_left"].as_u64().unwrap() > 0);
    assert_eq!(operations["heat"][0]["period"], FIRST.0);
    let (_, card) = node.json("/v1/model/card").await;
    let (_, model) = node.json("/v1/model").await;
    let features = model["features"].as_array().unwrap().len();
    assert_eq!(
        (card["drift"].as_array().unwrap().len(), card["importance"].as_array().unwrap().len()),
        (features, features)
    );
    assert!(card["card_markdown"].as_str().unwrap().starts_with('#') && card["metrics"]["forecasters"].is_object());
    assert_eq!(
        (&card["versions"][0]["is_current"], &card["versions"][0]["model_id"]),
        (&json!(true), &model["model_id"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_with_the_policy_s_fee_is_judged_on_whole_days_behind_those_that_the_static_fee_was_fitted_on() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut agent = world.agent("agent.sqlite").await;
    // Two days and a bit.
    let mut period = FIRST;
    for _ in 0..13 {
        world.enter(period).await;
        agent.run(period, &CancellationToken::new()).await.unwrap();
        period = period.next();
    }
    agent.prover.stop().await;
    world.enter(period).await;
    drop(agent);
    let node = Node::start(&world, json!({})).await;
    let newest = async || node.json("/v1/periods?limit=1").await.1["periods"][0].clone();
    let is_newest = |told: &Value| told["period"] == period.0 && told["stage"] == "confirmed";
    world.until("the newest has landed, too", async || is_newest(&newest().await)).await;
    let job = node.json("/v1/jobs").await.1["jobs"][0]["name"].as_str().unwrap().to_owned();
    let policy = node.json("/v1/policy/BTC-USD").await.1["policy"].clone();
    let request = json!({"job": job, "market": "BTC-USD", "policy": policy});
    let lab = async |more: Value| {
        let mut asked = request.clone();
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        posted(&node, "/v1/lab", &asked).await.1
    };
    let all = lab(json!({})).await;
    let liquidity = &all["liquidity"];
    let time = |value: &Value| value.as_i64().unwrap();
    let day_ms = 86_400_000;
    assert_eq!((&liquidity["is_hindsight"], &liquidity["days"]), (&json!(false), &json!(2)), "{all}");
    assert_eq!(time(&liquidity["judged_to_ms"]) - time(&liquidity["judged_from_ms"]), 2 * day_ms);
    assert!(time(&liquidity["judged_from_ms"]) >= FIRST.start_ms());
    assert_eq!(liquidity["fitted_to_ms"], liquidity["judged_from_ms"]);
    assert!(time(&liquidity["fitted_to_ms"]) - time(&liquidity["fitted_from_ms"]) >= 28 * day_ms, "{liquidity}");
    assert!(liquidity["standard_error_usd"].is_null(), "of two days there is none");
    let number = |value: &Value| value.as_f64().unwrap();
    let more = number(&liquidity["usd_per_year_per_100m"]) - number(&liquidity["static_usd_per_year_per_100m"]);
    assert!((more - number(&liquidity["more_usd_per_year_per_100m"])).abs() < 1e-6 * more.abs().max(1.0));
    let fees: Vec<f64> = all["amm_fee_pips"].as_array().unwrap().iter().map(number).collect();
    let most = fees.iter().fold(number(&policy["knots"][2]["amm_fee_pips"]), |most, fee| most.max(*fee));
    assert!((number(&policy["knots"][0]["amm_fee_pips"])..=most).contains(&number(&liquidity["mean_fee_pips"])));

    // Gas is this node's own; twice its price is twice the cost, and from twice the pool on it pays, if ever.
    let (even, dear) =
        (&all["break_even"], lab(json!({"gas_price_gwei": 10, "eth_usd": 3000})).await["break_even"].clone());
    assert!((100_000.0..2e6).contains(&number(&even["gas_per_update"])), "{even}");
    let expected = number(&even["gas_per_update"]) * 365.25 * 6.0 * 5e-9 * 3_000.0;
    assert!((number(&even["cost_usd_per_year"]) / expected - 1.0).abs() < 1e-9, "{even}");
    assert!((number(&dear["cost_usd_per_year"]) / expected - 2.0).abs() < 1e-9, "{dear}");
    assert_eq!(even["tvl_usd"].is_f64(), more > 0.0, "{even} {more}");

    // A static policy of the very fee that was fitted earns what that earns, once its updates have settled: it never moves.
    let fitted = number(&liquidity["static_fee_pips"]).round();
    let mut flat = policy.clone();
    for knot in flat["knots"].as_array_mut().unwrap() {
        knot["amm_fee_pips"] = (fitted as u64).into();
    }
    let same = lab(json!({"policy": flat})).await["liquidity"].clone();
    let scale = number(&same["static_usd_per_year_per_100m"]).abs().max(1e5);
    assert!(number(&same["more_usd_per_year_per_100m"]).abs() < 5e-2 * scale, "{same}");

    // From a day on, and up to another.
    let from_ms = FIRST.start_ms() + day_ms;
    let second = lab(json!({"from_ms": from_ms, "to_ms": from_ms + day_ms})).await;
    assert_eq!(second["start_ms"][0], from_ms);
    assert_eq!(second["start_ms"].as_array().unwrap().len(), 6);
    let judged = &second["liquidity"];
    assert_eq!(
        (&judged["judged_from_ms"], &judged["judged_to_ms"]),
        (&json!(from_ms), &json!(from_ms + day_ms)),
        "{second}"
    );
    assert_eq!((&judged["days"], &judged["fitted_to_ms"]), (&json!(1), &json!(from_ms)), "{second}");
    // It begins as the policy had left it, and not anew.
    assert_eq!(second["applied_volatility"][0], all["applied_volatility"][6]);
    let none = lab(json!({"from_ms": 0, "to_ms": 1})).await;
    assert_eq!((none["start_ms"].as_array().unwrap().len(), &none["liquidity"]), (0, &Value::Null));
}

/// Of `setPolicy` with the tuple that the contract takes, 0x-hex.
fn set_policy_selector() -> String {
    let signature = "setPolicy(bytes32,((uint32,(uint16,uint16,uint24,uint16))[],uint16,uint8,uint16,uint16,uint24,uint16,uint16,uint16))";
    format!("0x{}", alloy::primitives::hex::encode(&keccak256(signature)[..4]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_happens_and_no_secret() {
    let mut world = World::new().await;
    let secret = "http://operator:QQSECRETQQ@127.0.0.1:1/v2/QQSECRETQQ?key=QQSECRETQQ";
    world.config.chain.rpc_urls.push(secret.parse().unwrap());
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({})).await;
    world.until("an update", async || node.newest_stage().await == "confirmed").await;
    let (status, text) = node.text("/v1/logs").await;
    assert!(status == StatusCode::OK && !text.contains("SECRET"), "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    let entries = told["entries"].as_array().unwrap();
    let aside = entries.iter().find(|line| line["message"] == "RPC set aside").expect("one RPC is not there");
    assert_eq!((&aside["level"], &aside["fields"]["rpc"]), (&"WARN".into(), &"http://127.0.0.1:1".into()), "{aside}");
    let newest = entries.last().unwrap()["seq"].as_u64().unwrap();
    let (_, behind) = node.json(&format!("/v1/logs?after={}&limit=1", newest - 1)).await;
    assert_eq!(behind["entries"][0]["seq"], newest);
    for query in ["limit=0", "limit=501", "after=-1", "before=1"] {
        assert_eq!(node.json(&format!("/v1/logs?{query}")).await.1["code"], "VR-API-005", "{query}");
    }
    let (_, operations) = node.text("/v1/operations").await;
    assert!(!operations.contains("SECRET") && operations.contains("http://127.0.0.1:1"), "{operations}");
}
