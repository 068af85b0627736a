//! The page at `/` of a running daemon, and what it is told while it is looked at.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

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
        assert_eq!((&answer.headers()["x-accel-buffering"], is_guarded(answer.headers())), (&"no".parse().unwrap(), true));
        Self { answer, text: String::new() }
    }

    /// Name and data of the next one; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let told = field("event: ").zip(field("data: "));
                self.text = rest.to_owned();
                if let Some((name, data)) = told {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await.expect("something every five seconds");
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
        assert_eq!(head.headers()["content-length"], text.len().to_string());
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
