//! Candles from files, over HTTP and through the command line.

use std::path::{Path, PathBuf};
use std::time::Instant;

use veriregime_agent::candles::{file, parquet};
use veriregime_agent::types::candle::check_all;
use veriregime_agent::types::time::parse_utc_ms;

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
