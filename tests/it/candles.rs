//! Candles from files, over HTTP and through the command line.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;
use veriregime_agent::clock::Clock;
use veriregime_agent::cmd::candles::{CandlesCommand, run};
use veriregime_agent::sources::candles::download::Download;
use veriregime_agent::sources::candles::error::CandleError;
use veriregime_agent::sources::candles::exchange_api;
use veriregime_agent::sources::candles::http::HttpSettings;
use veriregime_agent::sources::candles::market::{Keep, Market};
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::source::{Source, SourceSettings};
use veriregime_agent::sources::candles::{file, parquet, quality, serve};
use veriregime_core::types::candle::{Candle, SeriesError, check_all};
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_core::types::venue::Venue;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::bad_exchange::{BadExchange, ExchangeFaultMode};
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
        (text(400, r#"{"code":-1100,"msg":"Illegal characters"}"#), "VR-CANDLE-005", 2),
        (text(302, "").insert_header("location", "http://127.0.0.1:1/"), "VR-CANDLE-005", 2),
        (text(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#), "VR-CANDLE-010", 2),
        (text(200, &whole[..whole.len() - 20]), "VR-CANDLE-006", 2),
        (text(200, "<html>captive portal</html>"), "VR-CANDLE-006", 2),
        (text(200, &" ".repeat(20_000)), "VR-CANDLE-007", 2),
        (rows(&[11, 10]), "VR-CANDLE-009", 2),
        (rows(&[2, 1, 0, -1]), "VR-CANDLE-009", 2),
        (text(200, &format!("[{0},{1}]", row(5), row(5).replace("100.5", "100.6"))), "VR-DATA-005", 2),
        (text(200, &whole.replace("100.5", "NaN")), "VR-DATA-002", 2),
        (text(200, &whole.replace("99.0", "-99.0")), "VR-DATA-002", 2),
        (text(200, &whole.replace("101.0", "100.2")), "VR-DATA-003", 2),
        (text(200, &whole.replace("3.0", "1e300")), "VR-DATA-004", 2),
        (text(503, "").insert_header("retry-after", "3600"), "VR-CANDLE-005", 1),
        (rows(&[5]).set_delay(Duration::from_secs(5)), "VR-CANDLE-002", 2),
        (text(429, "").insert_header("retry-after", "3600"), "VR-CANDLE-003", 1),
        (text(418, "").insert_header("retry-after", "1"), "VR-CANDLE-004", 2),
        (text(418, ""), "VR-CANDLE-004", 1),
    ];
    for (answer, code, attempts) in cases {
        let (error, asked) = outcome(answer).await;
        assert_eq!((error.code(), asked), (code, attempts), "{error}");
        assert!(!error.hint().contains("candles check"), "an exchange's answer is no file: {}", error.hint());
        assert_eq!(error.retry() == Retry::Never, code == "VR-CANDLE-010", "{code}");
    }
    let (error, _) = outcome(text(429, "").insert_header("retry-after", "3600")).await;
    assert_eq!(error.retry(), Retry::Later(Duration::from_hours(1)));
}

#[tokio::test]
async fn a_pause_that_the_exchange_asks_for_is_kept() {
    let server = exchange().await;
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "1");
    Mock::given(path("/api/v3/klines")).respond_with(limited).up_to_n_times(1).with_priority(1).mount(&server).await;
    Mock::given(path("/api/v3/klines")).respond_with(all_ten()).mount(&server).await;
    let started = Instant::now();
    assert_eq!(ten_minutes(&server).await.unwrap().len(), 10);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

fn all_ten() -> ResponseTemplate {
    rows(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
}

#[tokio::test]
async fn a_retry_after_with_a_fraction_or_a_date_is_waited_for() {
    // One date is half a minute after the other on the server's clock, which is all that counts.
    let date = ("date", "Mon, 05 Aug 2024 00:00:00 GMT");
    for (status, asks, pause) in [(429, "1.5", 1.5), (503, "0.5", 0.5), (429, "Mon, 05 Aug 2024 00:00:01 GMT", 1.0)] {
        let server = exchange().await;
        let limited = ResponseTemplate::new(status).insert_header("retry-after", asks).insert_header(date.0, date.1);
        Mock::given(path("/api/v3/klines"))
            .respond_with(limited)
            .up_to_n_times(1)
            .with_priority(1)
            .mount(&server)
            .await;
        Mock::given(path("/api/v3/klines")).respond_with(all_ten()).mount(&server).await;
        let started = Instant::now();
        assert_eq!(ten_minutes(&server).await.unwrap().len(), 10, "{asks}");
        assert!(started.elapsed() >= Duration::from_secs_f64(pause), "{asks}");
    }
}

#[tokio::test]
async fn rows_twice_and_out_of_order_are_put_right() {
    let server = exchange().await;
    Mock::given(path("/api/v3/klines")).respond_with(rows(&[3, 10, 9, 8, 7, 6, 5, 3, 4, 1, 2])).mount(&server).await;
    let minutes = ten_minutes(&server).await.unwrap();
    let minutes: Vec<i64> = minutes.iter().map(|candle| (NOW_MS - candle.open_time_ms) / MINUTE_MS).collect();
    assert_eq!(minutes, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn minutes_that_did_not_come_are_asked_for_again_until_nothing_more_comes() {
    let server = exchange().await;
    let answer = |times: u64, minutes: &[i64]| {
        let page = Mock::given(path("/api/v3/klines")).respond_with(rows(minutes));
        page.up_to_n_times(times).expect(times)
    };
    // An empty page, a short one, and then twice nothing of what is left. Binance's next page starts behind the last row.
    answer(1, &[]).mount(&server).await;
    answer(1, &[10, 9, 8]).mount(&server).await;
    answer(1, &[6, 5, 4, 3, 2, 1]).mount(&server).await;
    answer(1, &[]).mount(&server).await;
    let minutes = ten_minutes(&server).await.unwrap();
    let minutes: Vec<i64> = minutes.iter().map(|candle| (NOW_MS - candle.open_time_ms) / MINUTE_MS).collect();
    assert_eq!(minutes, [10, 9, 8, 6, 5, 4, 3, 2, 1]);
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
    let again = query_param("startTime", (NOW_MS - 6 * MINUTE_MS).to_string());
    Mock::given(again).respond_with(rows(&[])).expect(1).mount(&server).await;
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
    let base_url = Url::parse("ftp://example.com").unwrap();
    let error = Source::new(SourceSettings { venue: Venue::Binance, base_url, http: impatient() });
    assert_eq!(error.expect_err("not HTTP").code(), "VR-CANDLE-018");
}

/// A download of the simulated market's last `minutes`, with the number of minutes that were missing before.
async fn download(url: &str, symbol: &str, minutes: i64, file: &Path) -> Result<(Vec<Candle>, u64), CandleError> {
    let source = source(url, impatient_but_large());
    let (from_ms, to_ms) = (NOW_MS - minutes * MINUTE_MS, NOW_MS);
    let download = Download { source: &source, symbol, from_ms, to_ms, now_ms: NOW_MS, file };
    let mut asked = 0;
    let downloaded = download.run(|_, total| asked = total).await?;
    assert_eq!(downloaded.absent_ms, [], "nothing is absent");
    Ok((downloaded.candles, asked))
}

fn impatient_but_large() -> HttpSettings {
    HttpSettings { max_body_bytes: 1 << 20, max_attempts: 1, ..impatient() }
}

#[tokio::test]
async fn a_download_grows_at_both_ends_and_knows_its_symbol() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("candles.parquet");
    let minute = |ago: i64| NOW_MS - ago * MINUTE_MS;
    let held = SimulatedMarket::new(7).candles(minute(20_000)..minute(15_000));
    parquet::write(&file, &held).unwrap();
    let (url, _guard) = serve_market(Market::simulated("BTCUSDT", 7), Clock::manual(NOW_MS)).await;
    let (candles, asked) = download(&url, "BTCUSDT", 30_000, &file).await.unwrap();
    assert_eq!(asked, 25_000);
    assert_eq!(candles, SimulatedMarket::new(7).candles(minute(30_000)..NOW_MS));
    assert_eq!(parquet::read(&file).unwrap(), candles);
    assert_eq!(download(&url, "BTCUSDT", 30_000, &file).await.unwrap(), (candles.clone(), 0));
    let (other, _guard) = serve_market(Market::simulated("ETHUSDT", 8), Clock::manual(NOW_MS)).await;
    let error = download(&other, "ETHUSDT", 40_000, &file).await.expect_err("another market");
    assert_eq!(error.code(), "VR-CANDLE-016");
    assert_eq!(parquet::read(&file).unwrap(), candles, "the file is as it was");
    let entries: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(entries, ["candles.parquet"]);
}

#[tokio::test]
async fn a_broken_download_keeps_its_complete_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("candles.parquet");
    let market = Market::simulated("BTCUSDT", 7);
    let server = exchange().await;
    let good_until = NOW_MS - 12_000 * MINUTE_MS;
    let served = market.clone();
    let klines = move |request: &wiremock::Request| {
        let number =
            |name: &str| -> i64 { request.url.query_pairs().find(|(key, _)| key == name).unwrap().1.parse().unwrap() };
        let range = number("startTime")..number("endTime") + 1;
        if range.start >= good_until {
            return ResponseTemplate::new(503);
        }
        let rows: Vec<String> = served
            .seen(range, 1000, Keep::Oldest, NOW_MS)
            .iter()
            .map(|candle| {
                let Candle { open_time_ms, open, high, low, close, volume } = candle;
                let close_time_ms = open_time_ms + MINUTE_MS - 1;
                format!(r#"[{open_time_ms},"{open}","{high}","{low}","{close}","{volume}",{close_time_ms},"0",0,"0","0","0"]"#)
            })
            .collect();
        ResponseTemplate::new(200).set_body_string(format!("[{}]", rows.join(",")))
    };
    Mock::given(path("/api/v3/klines")).respond_with(klines).mount(&server).await;
    let error = download(&server.uri(), "BTCUSDT", 40_000, &file).await.expect_err("it breaks down");
    assert_eq!(error.code(), "VR-CANDLE-005");
    assert!(!file.exists());
    let parts = std::fs::read_dir(folder.path().join("candles.parquet.parts")).unwrap().count();
    assert!(parts >= 2, "{parts} pieces");

    // This server has nothing of the time before: a piece that was asked for again would come back without candles.
    let late = SimulatedMarket::new(7).candles(good_until - 10_080 * MINUTE_MS..NOW_MS);
    let (url, _guard) = serve_market(Market::recorded("BTCUSDT", late).unwrap(), Clock::manual(NOW_MS)).await;
    let (candles, _) = download(&url, "BTCUSDT", 40_000, &file).await.unwrap();
    assert_eq!(candles, SimulatedMarket::new(7).candles(NOW_MS - 40_000 * MINUTE_MS..NOW_MS));
    assert!(!folder.path().join("candles.parquet.parts").exists());
}

#[tokio::test]
async fn one_empty_page_loses_no_minute_of_a_download() {
    let folder = tempfile::tempdir().unwrap();
    for venue in Venue::ALL {
        let market = Market::simulated(exchange_api::of(venue).bitcoin(), 7);
        let exchange = BadExchange::start(venue, market, Clock::manual(NOW_MS)).await;
        let mischief = Box::new(ExchangeFaultMode::Empty);
        exchange.set(ExchangeFaultMode::Times { after_pages: 3, times: 1, mischief });
        let out = folder.path().join(venue.name());
        let from =
            ["fetch", "--source", venue.name(), "--from", "2024-08-01T12:00Z", "--base-url", exchange.url.as_str()];
        let rest = ["--weight-per-minute", "1000000", "--out", out.to_str().unwrap()];
        candles_command(&[&from[..], &rest].concat()).await.unwrap();
        let all = SimulatedMarket::new(7).candles(NOW_MS - 3 * 1440 * MINUTE_MS - 720 * MINUTE_MS..NOW_MS);
        assert_eq!(parquet::read(&out).unwrap(), all, "{venue:?}");
    }
}

#[tokio::test]
async fn a_resumed_download_finds_and_fills_holes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("candles.parquet");
    let all = SimulatedMarket::new(7).candles(NOW_MS - 20_000 * MINUTE_MS..NOW_MS);
    let mut holed = all.clone();
    holed.drain(9_000..13_000);
    holed.remove(100);
    parquet::write(&file, &holed).unwrap();

    // As long as it cannot be asked for, that is an error, and the file stays as it is.
    let market = Market::simulated("BTCUSDT", 7);
    let exchange = BadExchange::start(Venue::Binance, market, Clock::manual(NOW_MS)).await;
    exchange.set(ExchangeFaultMode::Dies { after_pages: 2 });
    let url = exchange.url.to_string();
    let error = download(&url, "BTCUSDT", 1_000, &file).await.expect_err("two pages are not enough");
    assert_eq!(error.code(), "VR-CANDLE-005");
    assert_eq!(parquet::read(&file).unwrap(), holed);

    exchange.set(ExchangeFaultMode::None);
    let (candles, asked) = download(&url, "BTCUSDT", 1_000, &file).await.unwrap();
    assert_eq!((asked, candles.len()), (4_001, all.len()));
    assert_eq!(parquet::read(&file).unwrap(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_that_the_exchange_does_not_have_are_counted_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("candles.parquet");
    let mut recorded = SimulatedMarket::new(7).candles(NOW_MS - 1440 * MINUTE_MS..NOW_MS);
    recorded.drain(700..780);
    recorded.remove(5);
    let market = Market::recorded("BTCUSDT", recorded.clone()).unwrap();
    let (url, _guard) = serve_market(market, Clock::manual(NOW_MS)).await;
    let fetch = |json: &'static [&'static str], from: &'static str| {
        let program = Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
            .args(json)
            .args(["candles", "fetch", "--from", from, "--base-url", &url, "--out", out.to_str().unwrap()])
            .output()
            .unwrap();
        (program.status.code(), String::from_utf8([program.stdout, program.stderr].concat()).unwrap())
    };
    // The second run asks for the same minutes again, and says the same.
    for _ in 0..2 {
        let (status, said) = fetch(&[], "2024-08-04");
        assert_eq!(status, Some(0), "{said}");
        for part in ["81 of the minutes asked for", "the longest stretch is 80 minutes from 2024-08-04T11:40Z"] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(parquet::read(&out).unwrap(), recorded);
    }
    let said: serde_json::Value = serde_json::from_str(&fetch(&["--json"], "2024-08-04").1).unwrap();
    assert_eq!((&said["absent_minutes"], &said["longest_absence_minutes"]), (&81.into(), &80.into()));
    std::fs::remove_file(&out).unwrap();
    let (status, said) = fetch(&[], "2024-08-04T11:40Z");
    assert_eq!(status, Some(0), "{said}");
}

#[tokio::test]
async fn a_range_without_a_candle_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("candles.parquet");
    let recorded = SimulatedMarket::new(7).candles(NOW_MS - 90_000 * MINUTE_MS..NOW_MS - 80_000 * MINUTE_MS);
    let (url, _guard) = serve_market(Market::recorded("BTCUSDT", recorded).unwrap(), Clock::manual(NOW_MS)).await;
    let error = download(&url, "BTCUSDT", 100, &file).await.expect_err("nothing there");
    assert_eq!(error.code(), "VR-CANDLE-025");
    assert!(!file.exists());
}

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: CandlesCommand,
}

async fn candles_command(arguments: &[&str]) -> anyhow::Result<()> {
    let arguments = std::iter::once("candles").chain(arguments.iter().copied());
    run(Cli::try_parse_from(arguments)?.command, true).await
}

#[tokio::test]
async fn archives_of_two_months_become_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let later = "open_time,open,high,low,close,volume\n1735689600000000,94,95,93,94.5,2\n";
    let earlier = "1735689540000,93,94,92,94,1\n1735689600000,94,95,93,94.5,2\n";
    std::fs::write(at("2025-01.csv"), later).unwrap();
    std::fs::write(at("2024-12.csv"), earlier).unwrap();
    candles_command(&["import", &at("2025-01.csv"), &at("2024-12.csv"), "--out", &at("both.parquet")]).await.unwrap();
    let candles = file::read_any(Path::new(&at("both.parquet"))).unwrap();
    let minutes: Vec<i64> = candles.iter().map(|candle| candle.open_time_ms).collect();
    assert_eq!(minutes, [1_735_689_540_000, 1_735_689_600_000]);
    candles_command(&["check", &at("both.parquet")]).await.unwrap();

    std::fs::write(at("2024-12.csv"), earlier.replace("94.5", "94.6")).unwrap();
    let error = candles_command(&["import", &at("2025-01.csv"), &at("2024-12.csv"), "--out", &at("both.parquet")])
        .await
        .expect_err("two versions of one minute");
    assert_eq!(error.downcast_ref::<SeriesError>().unwrap().code(), "VR-DATA-005");
    assert_eq!(file::read_any(Path::new(&at("both.parquet"))).unwrap(), candles, "the file is as it was");
    std::fs::write(at("bad.csv"), earlier.replace("92", "-92")).unwrap();
    let error = candles_command(&["check", &at("bad.csv")]).await.expect_err("a negative price");
    assert_eq!(error.downcast_ref::<SeriesError>().unwrap().code(), "VR-DATA-002");
}

/// Candles as people have them; `tests/fixtures/candles` has the parquet files.
fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/candles/refused").join(name);
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn candles_off_the_minute_are_moved_and_counted_and_refused_without_being_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (out, file) = (folder.path().join("out.parquet"), case("offgrid_2018.csv"));
    for command in [&["import", &file, "--out", out.to_str().unwrap()][..], &["check", &file]] {
        let error = candles_command(command).await.expect_err("off the grid");
        let error = error.downcast_ref::<CandleError>().unwrap();
        assert_eq!(error.code(), "VR-CANDLE-030");
        assert!(
            error.to_string().starts_with("40 of 70 rows of ") && error.hint().contains("import --snap"),
            "{error}"
        );
    }
    assert!(!out.exists() && file::read_any(Path::new(&file)).is_err());
    candles_command(&["import", &file, "--snap", "--out", out.to_str().unwrap()]).await.unwrap();
    let (moved, rows) = (file::read_any(&out).unwrap(), file::read_rows(Path::new(&file)).unwrap());
    let snapped = moved.iter().zip(&rows).map(|(moved, row)| row.open_time_ms - moved.open_time_ms).collect::<Vec<_>>();
    assert_eq!((snapped[..30].to_vec(), snapped[30..].to_vec()), (vec![0; 30], vec![14_789; 40]));
    assert!(moved.iter().zip(&rows).all(|(moved, row)| Candle { open_time_ms: row.open_time_ms, ..*moved } == *row));
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_veriregime-agent"))
        .args(["candles", "import", &file, "--snap", "--json", "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&program.stdout).unwrap();
    assert_eq!(said["moved"], serde_json::json!({"rows": 40, "farthest_ms": 14_789}), "{said}");
}

#[tokio::test]
async fn candles_of_five_minutes_are_no_candles_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.parquet");
    for file in [case("interval_5m.csv"), case("interval_5m.parquet")] {
        let error =
            candles_command(&["import", &file, "--out", out.to_str().unwrap()]).await.expect_err("five minutes");
        assert_eq!(error.downcast_ref::<CandleError>().unwrap().code(), "VR-CANDLE-028");
        assert!(error.to_string().ends_with("holds candles of 5m, not of one minute"), "{error}");
    }
    assert!(!out.exists());
}

#[tokio::test]
async fn fetch_writes_what_the_exchange_has() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("candles.parquet");
    let (url, _guard) = serve_market(Market::simulated("BTCUSDT", 7), Clock::manual(NOW_MS)).await;
    let arguments = ["fetch", "--from", "2024-08-04", "--out", out.to_str().unwrap(), "--base-url", &url];
    candles_command(&arguments).await.unwrap();
    assert_eq!(parquet::read(&out).unwrap(), SimulatedMarket::new(7).candles(NOW_MS - 1440 * MINUTE_MS..NOW_MS));
    for venue in Venue::ALL {
        let symbol = exchange_api::of(venue).bitcoin();
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let other = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let market = Market::simulated(symbol, 8);
        tokio::spawn(serve::serve(venue, market, Clock::manual(NOW_MS), listener, stop.clone()));
        let out = folder.path().join(format!("{}.parquet", venue.name()));
        let from = ["fetch", "--source", venue.name(), "--from", "2024-08-04T20:00Z", "--base-url", &other];
        candles_command(&[&from[..], &["--out", out.to_str().unwrap()]].concat()).await.unwrap();
        assert_eq!(parquet::read(&out).unwrap(), SimulatedMarket::new(8).candles(NOW_MS - 240 * MINUTE_MS..NOW_MS));
        stop.cancel();
    }
    let error = candles_command(&["fetch", "--from", "2024-08-06", "--out", "never", "--base-url", &url]).await;
    assert_eq!(error.expect_err("the future").downcast_ref::<CandleError>().unwrap().code(), "VR-CANDLE-017");
    for wrong in [
        &["serve", "--speed", "2"][..],
        &["serve", "--settable"],
        &["serve", "--dialect", "kraken"],
        &["serve", "--now", "2024-08-04", "--speed", "-1"],
    ] {
        assert!(candles_command(wrong).await.expect_err("refused").downcast_ref::<clap::Error>().is_some());
    }
}
