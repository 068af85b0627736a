//! What an exchange may answer, right and wrong.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use url::Url;
use veriregime_agent::sources::candles::error::CandleError;
use veriregime_agent::sources::candles::source::{Source, SourceSettings};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{NOW_MS, exchange, impatient, source};

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
