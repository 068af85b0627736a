//! Candles from files, over HTTP and through the command line.

mod answers;
mod download;
mod files;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::clock::Clock;
use veriregime_agent::sources::candles::http::HttpSettings;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::source::{Source, SourceSettings};
use veriregime_agent::sources::candles::{file, parquet, quality, serve};
use veriregime_core::types::candle::check_all;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_core::types::venue::Venue;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::given;

/// Monday 2024-08-05 00:00 UTC.
const NOW_MS: i64 = 1_722_816_000_000;

#[test]
fn two_million_real_candles_are_read_whole_and_by_range() {
    let Some(path) = given::reference("data/BTCUSDT-1m-2021-01-01_2024-11-08.parquet") else { return };
    let candles = file::read_any(&path).unwrap();
    assert_eq!(candles.len(), 2_026_447);
    check_all(&candles).unwrap();
    let range = parse_utc_ms("2024-08-04").unwrap()..parse_utc_ms("2024-08-06").unwrap();
    let two_days = parquet::read_range(&path, range.clone()).unwrap();
    let report = quality::report(&candles);
    assert!(report.is_clean());
    let outage = quality::Gap { from_ms: parse_utc_ms("2023-03-24T12:40Z").unwrap(), minutes: 80 };
    assert!(report.listed_gaps.contains(&outage));
    assert_eq!(report.minutes - report.missing_minutes, 2_026_447);
    let first = candles.partition_point(|candle| candle.open_time_ms < range.start);
    assert_eq!(two_days, candles[first..first + 2880]);
}

fn source(base_url: &str, http: HttpSettings) -> Source {
    Source::new(SourceSettings { venue: Venue::Binance, base_url: Url::parse(base_url).unwrap(), http }).unwrap()
}

/// A market behind a real socket until the guard is dropped.
async fn serve_market(market: Market, clock: Clock) -> (String, tokio_util::sync::DropGuard) {
    let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    tokio::spawn(serve::serve(Venue::Binance, market, clock, listener, shutdown.clone()));
    (url, shutdown.drop_guard())
}

#[tokio::test]
async fn a_week_comes_over_http_exactly_as_it_was_served() {
    let market = Market::simulated("BTCUSDT", 7);
    let (url, _guard) = serve_market(market, Clock::manual(NOW_MS)).await;
    let source = source(&url, HttpSettings::default());
    let from_ms = NOW_MS - 10_081 * MINUTE_MS;
    let candles = source.candles("BTCUSDT", from_ms, NOW_MS, NOW_MS).await.unwrap();
    assert_eq!(candles, SimulatedMarket::new(7).candles(from_ms..NOW_MS));
}

#[tokio::test]
async fn a_recorded_market_keeps_its_gaps_and_numbers_over_http() {
    let mut recorded = SimulatedMarket::new(9).candles(NOW_MS - 5000 * MINUTE_MS..NOW_MS);
    recorded.drain(800..3200);
    recorded[5].volume = std::f64::consts::PI;
    let (url, _guard) =
        serve_market(Market::recorded("ETHUSDT", recorded.clone()).unwrap(), Clock::manual(NOW_MS)).await;
    let source = source(&url, HttpSettings::default());
    let fetched = source.candles("ETHUSDT", NOW_MS - 5000 * MINUTE_MS, NOW_MS, NOW_MS).await.unwrap();
    assert_eq!(fetched, recorded);
    let error = source.candles("BTCUSDT", NOW_MS - MINUTE_MS, NOW_MS, NOW_MS).await.expect_err("unknown symbol");
    assert_eq!(error.code(), "VR-CANDLE-010");
    assert_eq!(error.retry(), Retry::Never);
}

#[tokio::test]
async fn the_candle_that_still_forms_is_never_taken() {
    let clock = Clock::manual(NOW_MS + 30_000);
    let (url, _guard) = serve_market(Market::simulated("BTCUSDT", 7), clock.clone()).await;
    let source = source(&url, HttpSettings::default());
    let (from_ms, to_ms) = (NOW_MS - 3 * MINUTE_MS, NOW_MS + 3 * MINUTE_MS);
    let raw: serde_json::Value = reqwest::get(format!("{url}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=2"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(raw[1][0], NOW_MS, "the server shows it");
    let candles = source.candles("BTCUSDT", from_ms, to_ms, NOW_MS + 30_000).await.unwrap();
    assert_eq!(candles.last().unwrap().open_time_ms, NOW_MS - MINUTE_MS);
    let ahead = source.candles("BTCUSDT", from_ms, to_ms, NOW_MS + 90_000).await.unwrap();
    assert_eq!(ahead, candles, "a clock ahead of the exchange's does not close a candle");
    clock.set_ms(NOW_MS + 60_000);
    let behind = source.candles("BTCUSDT", from_ms, to_ms, NOW_MS + 59_999).await.unwrap();
    assert_eq!(behind, candles, "nor does an exchange that is ahead of ours");
    let closed = source.candles("BTCUSDT", from_ms, to_ms, NOW_MS + 60_000).await.unwrap();
    assert_eq!(closed.last().unwrap().open_time_ms, NOW_MS);
    assert_eq!(source.check_clock(NOW_MS + 59_000, 1000).await.unwrap(), 1000);
    let error = source.check_clock(NOW_MS + 65_000, 1000).await.expect_err("skew");
    assert_eq!(error.code(), "VR-CANDLE-008");
}

#[tokio::test]
async fn the_server_refuses_as_the_exchange_does() {
    let (url, _guard) = serve_market(Market::simulated("BTCUSDT", 7), Clock::manual(NOW_MS)).await;
    let cases = [
        ("", -1102),
        ("symbol=BTCUSDT", -1102),
        ("symbol=DOGE&interval=1m", -1121),
        ("symbol=BTCUSDT&interval=1s", -1120),
        ("symbol=BTCUSDT&interval=1m&limit=0", -1130),
        ("symbol=BTCUSDT&interval=1m&startTime=-1", -1100),
        ("symbol=BTCUSDT&interval=1m&endTime=soon", -1100),
    ];
    for (query, code) in cases {
        let response = reqwest::get(format!("{url}/api/v3/klines?{query}")).await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
        assert_eq!(response.json::<serde_json::Value>().await.unwrap()["code"], code, "{query}");
    }
    let response = reqwest::get(format!("{url}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5000")).await.unwrap();
    let used: u64 = response.headers()["x-mbx-used-weight-1m"].to_str().unwrap().parse().unwrap();
    assert!((2..=16).contains(&used));
    assert_eq!(response.json::<Vec<serde_json::Value>>().await.unwrap().len(), 1000);
    let response = reqwest::Client::new().post(format!("{url}/clock")).json(&serde_json::json!({"now_ms": 0})).send();
    assert_eq!(response.await.unwrap().status(), 404, "nobody may set the clock unless asked for");
}

#[tokio::test]
async fn a_settable_server_s_clock_is_set_over_http() {
    let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve::serve_settable(
        Venue::Binance,
        Market::simulated("BTCUSDT", 7),
        Clock::manual(0),
        listener,
        shutdown.clone(),
    ));
    let set = |body: &'static str| {
        let request = reqwest::Client::new().post(format!("{url}/clock")).header("content-type", "application/json");
        async move { request.body(body).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(set(r#"{"now_ms":1722816000000}"#).await, 200);
    assert_eq!(source(&url, HttpSettings::default()).server_time_ms().await.unwrap(), NOW_MS);
    assert_eq!(set(r#"{"now_ms":-1}"#).await, 400);
    assert_eq!(set(r#"{"now":1}"#).await, 422);
    shutdown.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = serve::listen(taken.local_addr().unwrap()).await.expect_err("in use");
    assert_eq!(error.code(), "VR-CANDLE-014");
}

/// Limits short enough for tests.
fn impatient() -> HttpSettings {
    HttpSettings {
        total_timeout: Duration::from_millis(300),
        max_attempts: 2,
        max_body_bytes: 10_000,
        max_pause: Duration::from_secs(2),
        ..HttpSettings::default()
    }
}

/// An exchange whose clock works and whose candles are up to each test.
async fn exchange() -> MockServer {
    let server = MockServer::start().await;
    let time = ResponseTemplate::new(200).set_body_string(format!("{{\"serverTime\":{NOW_MS}}}"));
    Mock::given(path("/api/v3/time")).respond_with(time).mount(&server).await;
    server
}
