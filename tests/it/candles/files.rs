//! The commands that make files of candles.

use std::path::Path;

use clap::Parser;
use tokio_util::sync::CancellationToken;
use veriregime_agent::clock::Clock;
use veriregime_agent::cmd::candles::{CandlesCommand, run};
use veriregime_agent::sources::candles::error::CandleError;
use veriregime_agent::sources::candles::market::Market;
use veriregime_agent::sources::candles::simulated::SimulatedMarket;
use veriregime_agent::sources::candles::{exchange_api, file, parquet, serve};
use veriregime_core::types::candle::{Candle, SeriesError};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::venue::Venue;

use super::{NOW_MS, serve_market};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: CandlesCommand,
}

pub(super) async fn candles_command(arguments: &[&str]) -> anyhow::Result<()> {
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
