//! Downloads that break off, go on and find holes.

use std::path::Path;
use std::process::Command;

use veriregime_agent::clock::Clock;
use veriregime_agent::sources::candles::download::Download;
use veriregime_agent::sources::candles::error::CandleError;
use veriregime_agent::sources::candles::http::HttpSettings;
use veriregime_agent::sources::candles::market::{Keep, Market};
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::{exchange_api, parquet};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;
use wiremock::matchers::path;
use wiremock::{Mock, ResponseTemplate};

use super::files::candles_command;
use super::{NOW_MS, exchange, impatient, serve_market, source};
use crate::bad_exchange::{BadExchange, ExchangeFaultMode};

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
