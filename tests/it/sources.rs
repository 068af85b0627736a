//! Every exchange's dialect over HTTP, and what becomes of bad answers in each.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;
use veriregime_agent::clock::Clock;
use veriregime_agent::sources::candles::error::CandleError;
use veriregime_agent::sources::candles::exchange_api;
use veriregime_agent::sources::candles::http::HttpSettings;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::serve;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::source::{Source, SourceSettings};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

use crate::bad_exchange::{BadExchange, ExchangeFaultMode, slow_loris};

/// Monday 2024-08-05 00:00 UTC.
const NOW_MS: i64 = 1_722_816_000_000;

fn patient() -> HttpSettings {
    HttpSettings { weight_per_minute: 1_000_000.try_into().unwrap(), max_attempts: 2, ..HttpSettings::default() }
}

fn source(venue: Venue, base_url: Url, http: HttpSettings) -> Source {
    Source::new(SourceSettings { venue, base_url, http }).unwrap()
}

async fn good(venue: Venue, market: Market, clock: Clock) -> (Source, DropGuard) {
    let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let shutdown = CancellationToken::new();
    tokio::spawn(serve::serve(venue, market, clock, listener, shutdown.clone()));
    (source(venue, url, patient()), shutdown.drop_guard())
}

#[tokio::test]
async fn every_exchange_gives_what_it_has_and_nothing_that_still_forms() {
    for venue in Venue::ALL {
        let symbol = exchange_api::of(venue).bitcoin();
        let clock = Clock::manual(NOW_MS + 30_000);
        let (source, _guard) = good(venue, Market::simulated(symbol, 7), clock).await;
        let (from_ms, to_ms) = (NOW_MS - 2_345 * MINUTE_MS, NOW_MS + 3 * MINUTE_MS);
        let candles = source.candles(symbol, from_ms, to_ms, NOW_MS + 30_000).await.unwrap();
        assert_eq!(candles, SimulatedMarket::new(7).candles(from_ms..NOW_MS), "{venue:?}");
        let ahead = source.candles(symbol, from_ms, to_ms, NOW_MS + 90_000).await.unwrap();
        assert_eq!(ahead, candles, "{venue:?}: a clock ahead of the exchange's closes no candle");
        let behind = source.candles(symbol, from_ms, to_ms, NOW_MS - 1).await.unwrap();
        assert_eq!(behind.last().unwrap().close_time_ms(), NOW_MS - MINUTE_MS, "{venue:?}: nor does one behind it");
        assert_eq!(source.check_clock(NOW_MS + 29_000, 1000).await.unwrap(), 1000);
        let unknown = if symbol.contains('-') { "NO-SUCH" } else { "NOSUCH" };
        let error = source.candles(unknown, from_ms, to_ms, NOW_MS).await.expect_err("unknown");
        assert_eq!((error.code(), error.retry()), ("VR-CANDLE-010", Retry::Never), "{venue:?}");
    }
}

#[tokio::test]
async fn gaps_and_awkward_numbers_survive_every_exchange() {
    for venue in Venue::ALL {
        let symbol = exchange_api::of(venue).bitcoin();
        let mut recorded = SimulatedMarket::new(9).candles(NOW_MS - 3000 * MINUTE_MS..NOW_MS);
        recorded.drain(400..1900);
        recorded.remove(7);
        recorded[5].volume = std::f64::consts::PI;
        recorded[6].volume = 1e-8;
        let market = Market::recorded(symbol, recorded.clone()).unwrap();
        let (source, _guard) = good(venue, market, Clock::manual(NOW_MS)).await;
        let fetched = source.candles(symbol, NOW_MS - 3000 * MINUTE_MS, NOW_MS, NOW_MS).await.unwrap();
        assert_eq!(fetched, recorded, "{venue:?}");
    }
}

#[tokio::test]
async fn pages_of_any_range_over_any_holes_are_exactly_what_is_there() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let start_ms = NOW_MS - 2500 * MINUTE_MS;
    for round in 0..24 {
        let venue = Venue::ALL[round % Venue::ALL.len()];
        let symbol = exchange_api::of(venue).bitcoin();
        let mut recorded = SimulatedMarket::new(round as u64).candles(start_ms..NOW_MS);
        for _ in 0..random.random_range(0..6) {
            let from = random.random_range(0..recorded.len());
            let length = random.random_range(1..400).min(recorded.len() - from);
            recorded.drain(from..from + length);
        }
        let market = Market::recorded(symbol, recorded.clone()).unwrap();
        let (source, _guard) = good(venue, market, Clock::manual(NOW_MS)).await;
        let from_ms = start_ms + random.random_range(-50..2400) * MINUTE_MS;
        let to_ms = from_ms + random.random_range(1..2600) * MINUTE_MS;
        let fetched = source.candles(symbol, from_ms, to_ms, NOW_MS).await.unwrap();
        let there: Vec<Candle> =
            recorded.into_iter().filter(|candle| (from_ms..to_ms).contains(&candle.open_time_ms)).collect();
        assert_eq!(fetched, there, "round {round}, {venue:?}");
    }
}

#[tokio::test]
async fn a_minute_without_trades_is_absent_at_coinbase() {
    let mut recorded = SimulatedMarket::new(9).candles(NOW_MS - 10 * MINUTE_MS..NOW_MS);
    recorded[4].volume = 0.0;
    let market = Market::recorded("BTC-USD", recorded.clone()).unwrap();
    let (source, _guard) = good(Venue::Coinbase, market, Clock::manual(NOW_MS)).await;
    let fetched = source.candles("BTC-USD", NOW_MS - 10 * MINUTE_MS, NOW_MS, NOW_MS).await.unwrap();
    recorded.remove(4);
    assert_eq!(fetched, recorded);
}

#[tokio::test]
async fn rows_from_before_the_range_are_dropped_where_an_exchange_is_known_to_send_them() {
    let server = wiremock::MockServer::start().await;
    let seconds = |ago: i64| NOW_MS / 1000 - 60 * ago;
    let rows: Vec<String> = [1, 2, 3, 4, 5].map(|ago| format!("[{},1,3,2,2.5,4]", seconds(ago))).into();
    let answer = wiremock::ResponseTemplate::new(200).set_body_string(format!("[{}]", rows.join(",")));
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
    let source = source(Venue::Coinbase, Url::parse(&server.uri()).unwrap(), patient());
    let candles = source.closed_candles("BTC-USD", NOW_MS - 3 * MINUTE_MS, NOW_MS, NOW_MS).await.unwrap();
    assert_eq!(candles.iter().map(|candle| (NOW_MS - candle.open_time_ms) / MINUTE_MS).collect::<Vec<_>>(), [3, 2, 1]);
    let error = source.closed_candles("BTC-USD", NOW_MS - 5 * MINUTE_MS, NOW_MS - 3 * MINUTE_MS, NOW_MS).await;
    assert_eq!(error.expect_err("later rows").code(), "VR-CANDLE-009");
}

/// Ten minutes from a bad exchange, its clock checked first.
async fn ten_minutes(source: &Source) -> Result<Vec<Candle>, CandleError> {
    let symbol = exchange_api::of(source.venue()).bitcoin();
    source.check_clock(NOW_MS, 5_000).await?;
    source.closed_candles(symbol, NOW_MS - 10 * MINUTE_MS, NOW_MS, NOW_MS).await
}

/// What each exchange says of a symbol that it does not know.
fn unknown_symbol(venue: Venue) -> ExchangeFaultMode {
    let (status, body) = match venue {
        Venue::Binance => (400, r#"{"code":-1121,"msg":"Invalid symbol."}"#),
        Venue::Coinbase => (404, r#"{"message":"NotFound"}"#),
        Venue::Bybit => (200, r#"{"retCode":10001,"retMsg":"Not supported symbols"}"#),
        Venue::Okx => (200, r#"{"code":"51001","msg":"Instrument ID doesn't exist.","data":[]}"#),
    };
    ExchangeFaultMode::Says { status, body }
}

/// What passes by itself.
fn passing() -> [ExchangeFaultMode; 7] {
    [
        ExchangeFaultMode::None,
        ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(1), times: 1 },
        ExchangeFaultMode::Status { status: 503, retry_after_seconds: None, times: 1 },
        ExchangeFaultMode::Truncated { times: 1 },
        ExchangeFaultMode::SkewedClock { ahead_ms: 4_000 },
        ExchangeFaultMode::Duplicated,
        ExchangeFaultMode::Reversed,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_exchange_does_ends_with_its_code_or_recovers() {
    let mut venues = JoinSet::new();
    for venue in Venue::ALL {
        venues.spawn(async move {
            let market = Market::simulated(exchange_api::of(venue).bitcoin(), 7);
            let exchange = BadExchange::start(venue, market, Clock::manual(NOW_MS)).await;
            let source = source(venue, exchange.url.clone(), patient());
            let all = SimulatedMarket::new(7).candles(NOW_MS - 10 * MINUTE_MS..NOW_MS);
            for mischief in passing() {
                exchange.set(mischief.clone());
                assert_eq!(ten_minutes(&source).await.unwrap(), all, "{venue:?} {mischief:?}");
            }
            // Bybit's 403 is a ban of ten minutes.
            for status in
                [400, 401, 403, 404, 408, 451].into_iter().filter(|code| (venue, *code) != (Venue::Bybit, 403))
            {
                exchange.set(ExchangeFaultMode::Status { status, retry_after_seconds: None, times: 1 });
                assert_eq!(ten_minutes(&source).await.unwrap(), all, "{venue:?} {status}");
            }
            for once in [
                ExchangeFaultMode::Empty,
                ExchangeFaultMode::Contradicts,
                ExchangeFaultMode::OtherMinutes,
                ExchangeFaultMode::Garbage,
                ExchangeFaultMode::Negative,
                ExchangeFaultMode::Html,
                ExchangeFaultMode::Large,
                ExchangeFaultMode::Says {
                    status: 400,
                    body: r#"{"code":-1001,"msg":"Internal error; unable to process."}"#,
                },
                ExchangeFaultMode::Says {
                    status: 400,
                    body: r#"{"code":"50004","msg":"API endpoint request timeout"}"#,
                },
                ExchangeFaultMode::Says { status: 200, body: r#"{"retCode":10016,"retMsg":"Server error."}"# },
                unknown_symbol(venue),
            ] {
                exchange.set(once.clone().times(1));
                assert_eq!(ten_minutes(&source).await.unwrap(), all, "{venue:?} {once:?}");
            }
            let minute = all[3].open_time_ms;
            exchange.set(ExchangeFaultMode::Missing(vec![minute]));
            let present = ten_minutes(&source).await.unwrap();
            assert_eq!(present, all.iter().copied().filter(|candle| candle.open_time_ms != minute).collect::<Vec<_>>());
            let always = usize::MAX;
            let ends = [
                (
                    ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(3600), times: always },
                    "VR-CANDLE-003",
                    1,
                ),
                (
                    ExchangeFaultMode::Status { status: 429, retry_after_seconds: Some(0), times: always },
                    "VR-CANDLE-003",
                    2,
                ),
                (
                    ExchangeFaultMode::Status { status: 418, retry_after_seconds: Some(600), times: always },
                    "VR-CANDLE-004",
                    1,
                ),
                (
                    ExchangeFaultMode::Status { status: 502, retry_after_seconds: None, times: always },
                    "VR-CANDLE-005",
                    2,
                ),
                (
                    ExchangeFaultMode::Status { status: 451, retry_after_seconds: None, times: always },
                    "VR-CANDLE-005",
                    2,
                ),
                (ExchangeFaultMode::Truncated { times: always }, "VR-CANDLE-006", 2),
                (ExchangeFaultMode::Html, "VR-CANDLE-006", 2),
                (ExchangeFaultMode::Garbage, "VR-CANDLE-006", 2),
                (ExchangeFaultMode::Large, "VR-CANDLE-007", 2),
                (ExchangeFaultMode::SkewedClock { ahead_ms: -6_000 }, "VR-CANDLE-008", 0),
                (ExchangeFaultMode::OtherMinutes, "VR-CANDLE-009", 2),
                (ExchangeFaultMode::Negative, "VR-DATA-002", 2),
                (ExchangeFaultMode::Contradicts, "VR-DATA-005", 2),
                (unknown_symbol(venue), "VR-CANDLE-010", 2),
            ];
            for (mischief, code, pages) in ends {
                exchange.set(mischief.clone());
                exchange.take_pages();
                let error = ten_minutes(&source).await.expect_err(code);
                let asked = exchange.take_pages().len();
                assert_eq!((error.code(), asked), (code, pages), "{venue:?} {mischief:?}: {error}");
                // Nothing but an unknown symbol, said twice, is for good.
                assert_eq!(error.retry() == Retry::Never, code == "VR-CANDLE-010", "{venue:?} {mischief:?}");
                assert!(!error.hint().contains("candles check"), "{mischief:?}: {}", error.hint());
            }
        });
    }
    while let Some(outcome) = venues.join_next().await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn an_exchange_that_sends_byte_by_byte_is_given_up_in_time() {
    let url = slow_loris().await;
    for venue in Venue::ALL {
        let http = HttpSettings { total_timeout: Duration::from_millis(200), ..patient() };
        // It never ends by itself.
        let error = source(venue, url.clone(), http).server_time_ms().await.expect_err("too slow");
        assert_eq!(error.code(), "VR-CANDLE-002");
    }
}
