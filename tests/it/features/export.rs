//! `candles features`, as a person runs it.

use std::process::{Command, Output};

use tempfile::TempDir;
use veriregime_agent::sources::candles::parquet;
use veriregime_core::features;
use veriregime_core::features::Batch;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::Manifest;

use super::PERIOD;
use crate::market::candles;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/btc-regime-4h-v1");

fn export(arguments: &[&str]) -> Output {
    let command = ["--json", "candles", "features", "--model", MODEL, "--candles"];
    Command::new(env!("CARGO_BIN_EXE_veriregime-agent")).args(command).args(arguments).output().unwrap()
}

fn shipped() -> FeatureSpec {
    let text = std::fs::read_to_string(format!("{MODEL}/manifest.json")).unwrap();
    Manifest::parse(text.as_bytes()).unwrap().features().unwrap().clone()
}

/// From Sunday noon to Wednesday: days of a weekend, working days and both changes between blocks.
#[test]
fn the_shipped_rows_at_once_are_those_one_at_a_time() {
    let spec = shipped();
    let (from_ms, to_ms) = features::window_ms(&spec, PERIOD.start_ms());
    let before_ms = 8 * 3_600_000;
    let all = candles(9, from_ms - before_ms, spec.lookback_minutes + 480 + 4_000);
    let end_ms = all.last().unwrap().close_time_ms();
    assert!(end_ms - to_ms > 2 * 86_400_000);
    let series = CandleSeries::new(&all, from_ms - before_ms, end_ms, 0).unwrap();
    let batch = Batch::new(&spec, &series).unwrap();
    let decisions = spec.lookback_minutes..all.len() + 1;
    let mut rows = Vec::new();
    decisions.clone().for_each(|at| batch.append(at, &mut rows));
    assert!(rows == batch.rows(decisions));
}

#[test]
fn exported_rows_are_what_the_model_is_fed() {
    let spec = shipped();
    let (from_ms, to_ms) = features::window_ms(&spec, PERIOD.start_ms());
    let all = candles(6, from_ms - 600_000, spec.lookback_minutes + 10);
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    parquet::write(path("candles.parquet").as_ref(), &all).unwrap();

    let output = export(&[&path("candles.parquet"), "--out", &path("features.csv")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((said["rows"].as_u64(), said["range"][1].as_i64()), (Some(11), Some(to_ms)));
    let csv = std::fs::read_to_string(path("features.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 12);
    let labels: Vec<String> = spec.candle.iter().chain(&spec.calendar).map(|one| one.feature.label()).collect();
    assert_eq!(lines[0], format!("time_ms,{}", labels.join(",")));
    let last: Vec<i64> = lines[11].split(',').map(|cell| cell.parse().unwrap()).collect();
    let series = CandleSeries::new(&all, from_ms, to_ms, 0).unwrap();
    let vector = features::vector(&spec, &series, PERIOD.start_ms()).unwrap();
    assert_eq!(last[0], to_ms);
    assert!(last[1..].iter().copied().eq(vector.integers().map(i64::from)));

    parquet::write(path("short.parquet").as_ref(), &all[..spec.lookback_minutes - 1]).unwrap();
    let output = export(&[&path("short.parquet"), "--out", &path("none.csv")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("VR-FEATURE-002"));
    assert!(!folder.path().join("none.csv").exists());
}
