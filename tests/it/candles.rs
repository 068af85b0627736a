//! Candles from files, over HTTP and through the command line.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::candles::binance::{BinanceSettings, BinanceSource};
use veriregime_agent::candles::error::CandleError;
use veriregime_agent::candles::http::HttpSettings;
use veriregime_agent::candles::market::Market;
use veriregime_agent::candles::simulated::SimulatedMarket;
use veriregime_agent::candles::{file, parquet, serve};
use veriregime_agent::clock::Clock;
use veriregime_agent::types::candle::{Candle, check_all};
use veriregime_agent::types::fault::{Fault, Retry};
use veriregime_agent::types::period::MINUTE_MS;
use veriregime_agent::types::time::parse_utc_ms;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Monday 2024-08-05 00:00 UTC.
const NOW_MS: i64 = 1_722_816_000_000;

/// The reference data set beside the checkout, where there is one.
fn reference_file(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is not here", path.display());
    None
}

#[test]
fn two_million_real_candles_are_read_whole_and_by_range() {
    let Some(path) = reference_file("BTCUSDT-1m-2021-01-01_2024-11-08.parquet") else { return };
    let started = Instant::now();
    let candles = file::read_any(&path).unwrap();
    eprintln!("read {} candles in {:?}", candles.len(), started.elapsed());
    assert_eq!(candles.len(), 2_026_447);
    check_all(&candles).unwrap();
    let range = parse_utc_ms("2024-08-04").unwrap()..parse_utc_ms("2024-08-06").unwrap();
    let started = Instant::now();
    let two_days = parquet::read_range(&path, range.clone()).unwrap();
    eprintln!("read 2 days in {:?}", started.elapsed());
    let first = candles.partition_point(|candle| candle.open_time_ms < range.start);
    assert_eq!(two_days, candles[first..first + 2880]);
}

fn source(base_url: &str, http: HttpSettings) -> BinanceSource {
    BinanceSource::new(BinanceSettings { base_url: Url::parse(base_url).unwrap(), http }).unwrap()
}

/// A market behind a real socket until the guard is dropped.
async fn serve_market(market: Market, clock: Clock) -> (String, tokio_util::sync::DropGuard) {
    let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    tokio::spawn(serve::serve(market, clock, listener, shutdown.clone()));
    (url, shutdown.drop_guard())
}

#[tokio::test]
async fn a_week_comes_over_http_exactly_as_it_was_served() {
    let market = Market::simulated("BTCUSDT", 7);
    let (url, _guard) = serve_market(market, Clock::manual(NOW_MS)).await;
    let source = source(&url, HttpSettings::default());
    let from_ms = NOW_MS - 10_081 * MINUTE_MS;
    let started = Instant::now();
    let candles = source.candles("BTCUSDT", from_ms, NOW_MS, NOW_MS).await.unwrap();
    eprintln!("fetched {} candles in {:?}", candles.len(), started.elapsed());
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

/// A minute of the exchange as it would write it.
fn row(minutes_before_now: i64) -> String {
    let open_time_ms = NOW_MS - minutes_before_now * MINUTE_MS;
    let close_time_ms = open_time_ms + MINUTE_MS - 1;
    format!(r#"[{open_time_ms},"100.0","101.0","99.0","100.5","3.0",{close_time_ms},"0",0,"0","0","0"]"#)
}

fn rows(minutes_before_now: &[i64]) -> ResponseTemplate {
    let rows: Vec<String> = minutes_before_now.iter().copied().map(row).collect();
    ResponseTemplate::new(200).set_body_string(format!("[{}]", rows.join(",")))
}

async fn ten_minutes(server: &MockServer) -> Result<Vec<Candle>, CandleError> {
    let (from_ms, to_ms) = (NOW_MS - 10 * MINUTE_MS, NOW_MS);
    source(&server.uri(), impatient()).candles("BTCUSDT", from_ms, to_ms, NOW_MS).await
}

/// What comes of `answer`, given as often as it is asked for, and how often that was.
async fn outcome(answer: ResponseTemplate) -> (CandleError, usize) {
    let server = exchange().await;
    Mock::given(path("/api/v3/klines")).respond_with(answer).mount(&server).await;
    let error = ten_minutes(&server).await.expect_err("a wrong answer");
    let requests = server.received_requests().await.unwrap();
    (error, requests.iter().filter(|request| request.url.path() == "/api/v3/klines").count())
}

#[tokio::test]
async fn wrong_answers_have_their_codes_and_bounds() {
    let text = |status, body: &str| ResponseTemplate::new(status).set_body_string(body);
    let whole = format!("[{}]", row(5));
    let cases = [
        (text(500, "oops"), "VR-CANDLE-005", 2),
        (text(400, r#"{"code":-1100,"msg":"Illegal characters"}"#), "VR-CANDLE-005", 1),
        (text(302, "").insert_header("location", "http://127.0.0.1:1/"), "VR-CANDLE-005", 1),
        (text(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#), "VR-CANDLE-010", 1),
        (text(200, &whole[..whole.len() - 20]), "VR-CANDLE-006", 2),
        (text(200, "<html>captive portal</html>"), "VR-CANDLE-006", 2),
        (text(200, &" ".repeat(20_000)), "VR-CANDLE-007", 1),
        (rows(&[11, 10]), "VR-CANDLE-009", 1),
        (rows(&[2, 1, 0, -1]), "VR-CANDLE-009", 1),
        (rows(&[5, 5]), "VR-DATA-005", 1),
        (rows(&[4, 5]), "VR-DATA-006", 1),
        (text(200, &whole.replace("100.5", "NaN")), "VR-DATA-002", 1),
        (text(200, &whole.replace("99.0", "-99.0")), "VR-DATA-002", 1),
        (text(200, &whole.replace("101.0", "100.2")), "VR-DATA-003", 1),
        (text(200, &whole.replace("3.0", "1e300")), "VR-DATA-004", 1),
        (rows(&[5]).set_delay(Duration::from_secs(5)), "VR-CANDLE-002", 2),
        (text(429, "").insert_header("retry-after", "3600"), "VR-CANDLE-003", 1),
        (text(418, "").insert_header("retry-after", "1"), "VR-CANDLE-004", 2),
        (text(418, ""), "VR-CANDLE-004", 1),
    ];
    for (answer, code, attempts) in cases {
        let (error, asked) = outcome(answer).await;
        assert_eq!((error.code(), asked), (code, attempts), "{error}");
    }
    let (error, _) = outcome(text(429, "").insert_header("retry-after", "3600")).await;
    assert_eq!(error.retry(), Retry::Later(Duration::from_hours(1)));
}

#[tokio::test]
async fn a_pause_that_the_exchange_asks_for_is_kept() {
    let server = exchange().await;
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "1");
    Mock::given(path("/api/v3/klines")).respond_with(limited).up_to_n_times(1).with_priority(1).mount(&server).await;
    Mock::given(path("/api/v3/klines")).respond_with(rows(&[2, 1])).mount(&server).await;
    let started = Instant::now();
    assert_eq!(ten_minutes(&server).await.unwrap().len(), 2);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn pages_follow_each_other_until_the_range_is_covered() {
    let server = exchange().await;
    let page = |start: i64, minutes: &[i64]| {
        Mock::given(method("GET"))
            .and(path("/api/v3/klines"))
            .and(query_param("symbol", "BTCUSDT"))
            .and(query_param("interval", "1m"))
            .and(query_param("limit", "1000"))
            .and(query_param("startTime", (NOW_MS - start * MINUTE_MS).to_string()))
            .and(query_param("endTime", (NOW_MS - 1).to_string()))
            .respond_with(rows(minutes))
            .expect(1)
    };
    page(10, &[10, 9, 8]).mount(&server).await;
    page(7, &[7, 5, 4]).mount(&server).await;
    page(3, &[3, 2, 1, 0]).mount(&server).await;
    let candles = ten_minutes(&server).await.unwrap();
    let minutes: Vec<i64> = candles.iter().map(|candle| (NOW_MS - candle.open_time_ms) / MINUTE_MS).collect();
    assert_eq!(minutes, [10, 9, 8, 7, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn an_exchange_that_sends_one_row_at_a_time_is_given_up() {
    let server = exchange().await;
    for minute in 1..=10 {
        Mock::given(query_param("startTime", (NOW_MS - minute * MINUTE_MS).to_string()))
            .respond_with(rows(&[minute]))
            .mount(&server)
            .await;
    }
    assert_eq!(ten_minutes(&server).await.expect_err("too slow").code(), "VR-CANDLE-006");
}

#[tokio::test]
async fn an_exchange_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = source(&url, impatient()).server_time_ms().await.expect_err("nobody listens");
    assert_eq!(error.code(), "VR-CANDLE-001");
    let error =
        BinanceSource::new(BinanceSettings { base_url: Url::parse("ftp://example.com").unwrap(), http: impatient() });
    assert_eq!(error.expect_err("not HTTP").code(), "VR-CANDLE-018");
}
