//! The HTTP API of a running daemon.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::node::Node;
use crate::proxy::{Proxy, RpcFaultMode};
use crate::world::{FIRST, World};

/// Longest wait for a connection to be closed.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn periods_and_the_model_are_told_while_the_daemon_works() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let mut node = Node::start(&world, json!({})).await;
    assert_eq!(node.json("/livez").await.1["alive"], true);
    world.until("an update is told", async || node.newest_stage().await == "confirmed").await;

    let (status, page) = node.json("/v1/periods").await;
    assert_eq!((status, page["next_before"].is_null()), (StatusCode::OK, true), "{page}");
    let told = &page["periods"][0];
    assert_eq!((told["period"].as_u64(), &told["source"]), (Some(FIRST.0), &"binance".into()));
    let probability = told["forecasts"][0]["probability_high"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability), "{told}");
    assert!(told["landed"]["transaction"].as_str().unwrap().starts_with("0x"), "{told}");

    let (_, detail) = node.json(&format!("/v1/periods/{FIRST}")).await;
    let (_, model) = node.json("/v1/model").await;
    assert_eq!(model["manifest_sha256"], world.chain.bundle.manifest_digest.to_string());
    assert_eq!(model["period_seconds"], world.chain.bundle.manifest.grid.period_seconds);
    assert_eq!(detail["features"].as_array().unwrap().len(), model["features"].as_array().unwrap().len());
    assert_eq!(detail["outputs"].as_array().unwrap().len(), 3);
    let proof_digits = detail["proof"].as_str().unwrap().len() as u64 - 2;
    assert_eq!(Some(proof_digits / 2), model["proof_bytes"].as_u64());

    // Pages go back in time without a gap.
    world.enter(FIRST.next()).await;
    world
        .until("the next one", async || node.json("/v1/periods").await.1["periods"][0]["period"] == FIRST.next().0)
        .await;
    let (_, newest) = node.json("/v1/periods?limit=1").await;
    assert_eq!(newest["next_before"], FIRST.next().0);
    let (_, older) = node.json(&format!("/v1/periods?limit=1&before={}", FIRST.next().0)).await;
    assert_eq!(older["periods"][0]["period"], FIRST.0);

    node.signal("TERM");
    assert!(node.process.wait().unwrap().success());
    assert!(TcpStream::connect(node.url.socket_addrs(|| None).unwrap()[0]).await.is_err(), "it listens no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_told_and_a_job_that_is_none_has_its_code() {
    let world = World::new().await;
    world.enter(FIRST).await;
    let node = Node::start(&world, json!({"api": {"check_seconds": 1}})).await;
    world.until("an update is told", async || node.newest_stage().await == "confirmed").await;
    let (_, told) = node.json("/v1/jobs").await;
    let [job] = told["jobs"].as_array().unwrap().as_slice() else { unreachable!("one job: {told}") };
    let (_, model) = node.json("/v1/model").await;
    assert_eq!((&job["opened"], &job["model_id"]), (&json!(true), &model["model_id"]), "{job}");
    assert_eq!(job["chain_id"], world.config.chain.chain_id);
    assert_eq!(job["last_cycle"]["period"], FIRST.0);
    let name = job["name"].as_str().unwrap();
    assert_eq!(node.json(&format!("/v1/jobs/{name}")).await.1["name"], name);
    for path in ["/v1/model", "/v1/periods", "/v1/params/BTC-USD", &format!("/v1/periods/{FIRST}")] {
        assert_eq!(node.json(&format!("{path}?job={name}")).await.0, StatusCode::OK, "{path}");
        let (status, body) = node.json(&format!("{path}?job=another")).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("VR-API-013")), "{path}");
    }
    assert_eq!(node.json("/v1/jobs/another").await.1["code"], "VR-API-013");
    world.until("the checks are there", async || node.json("/readyz").await.1["checks"][0]["chain_id"].is_u64()).await;
    let (_, ready) = node.json("/readyz").await;
    assert!(ready["checks"].as_array().unwrap().iter().all(|check| check["job"] == name), "{ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_with_a_code() {
    let world = World::new().await;
    let node = Node::start(&world, json!({"api": {"max_body_bytes": 1000, "dashboard": false}})).await;
    let cases = [
        ("/", 404, "VR-API-002"),
        ("/v1/periods/", 404, "VR-API-002"),
        ("/v1/../livez/..", 404, "VR-API-002"),
        ("/v1/periods/1", 404, "VR-API-004"),
        ("/v1/periods/-1", 400, "VR-API-005"),
        ("/v1/periods/18446744073709551616", 400, "VR-API-005"),
        ("/v1/periods/1'%20OR%201", 400, "VR-API-005"),
        ("/v1/periods?limit=0", 400, "VR-API-005"),
        ("/v1/periods?limit=101", 400, "VR-API-005"),
        ("/v1/periods?limit=many", 400, "VR-API-005"),
        ("/v1/periods?offset=1", 400, "VR-API-005"),
        ("/v1/params/DOGE-USD", 404, "VR-API-010"),
        ("/v1/params/..%2f..%2fetc", 404, "VR-API-010"),
    ];
    for (path, status, code) in cases {
        let (told, body) = node.json(path).await;
        assert_eq!((told.as_u16(), &body["code"]), (status, &code.into()), "{path}: {body}");
        assert!(!body["message"].as_str().unwrap().is_empty() && !body["hint"].as_str().unwrap().is_empty());
    }
    assert_eq!(node.json(&format!("/v1/periods?before={}", u64::MAX)).await.0, StatusCode::OK);

    let http = Client::new();
    let answer = http.delete(node.url.join("/v1/periods").unwrap()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "VR-API-003");
    let answer = http.get(node.url.join("/livez").unwrap()).body(vec![b'x'; 1001]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "VR-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_and_a_database_that_cannot_be_read_have_their_codes() {
    let mut world = World::new().await;
    let proxy = Proxy::start(world.config.chain.rpc_url(), RpcFaultMode::Fair).await;
    world.config.chain.rpc_urls = vec![proxy.rpc()];
    world.enter(FIRST).await;
    let sections = json!({"api": {"request_timeout_ms": 1000}, "schedule": {"recheck_seconds": 3600}});
    let node = Node::start(&world, sections).await;
    world.until("the first cycle", async || node.newest_stage().await == "confirmed").await;

    proxy.set(RpcFaultMode::Delay(Duration::from_hours(1)), None);
    world
        .until("too slow", async || {
            let (status, body) = node.json("/v1/params/BTC-USD").await;
            status == StatusCode::SERVICE_UNAVAILABLE && body["code"] == "VR-API-007"
        })
        .await;

    let database = Connection::open(world.scratch.path().join("agent.sqlite")).unwrap();
    database.execute("ALTER TABLE cycles RENAME TO hidden", []).unwrap();
    world.until("unreadable", async || node.json("/v1/periods").await.1["code"] == "VR-API-009").await;
    assert_eq!(node.json("/livez").await.0, StatusCode::OK);
    database.execute("ALTER TABLE hidden RENAME TO cycles", []).unwrap();
    world.until("readable again", async || node.newest_stage().await == "confirmed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_gets_so_much_and_no_more() {
    let world = World::new().await;
    let limits =
        json!({"api": {"requests_per_second": 1, "burst": 5, "max_connections": 3, "request_timeout_ms": 300}});
    let node = Node::start(&world, limits).await;
    let http = Client::new();
    let mut refused = None;
    for _ in 0..10 {
        let answer = http.get(node.url.join("/livez").unwrap()).send().await.unwrap();
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("ten requests at once are too many");
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], "VR-API-006");

    // Clients that send their request by the byte, or none: each is closed in time and others get in again.
    let address = node.url.socket_addrs(|| None).unwrap()[0];
    for head in ["", "GET /livez HTTP/1.1\r\nHos"] {
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(head.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "a connection with {head:?} stays open");
    }
    // More connections than there may be: the last ones are closed at once, without an answer.
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let mut one_more = TcpStream::connect(address).await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, one_more.read_to_end(&mut rest)).await.unwrap();
    assert!(read.is_err() || rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    drop(held);
    world
        .until("a place is free again", async || http.get(node.url.join("/livez").unwrap()).send().await.is_ok())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named() {
    let world = World::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = world.settings();
    settings["api"] = json!({"listen": taken.local_addr().unwrap().to_string()});
    let output = world.program_with(&settings, &["daemon"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("VR-API-001"));
}
