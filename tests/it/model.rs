//! The shipped model: whole, as good as its card says, and proven exactly as the integer evaluation foretells.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::U256;
use veriregime_agent::candles::parquet;
use veriregime_agent::evaluation::{Subject, evaluate};
use veriregime_agent::features::{Batch, calendar_table};
use veriregime_agent::fs;
use veriregime_agent::inference::{Layout, MAX_MODEL_BYTES, Model};
use veriregime_agent::proof::bundle::Bundle;
use veriregime_agent::proof::ezkl::EzklProver;
use veriregime_agent::proof::worker::Settings as WorkerSettings;
use veriregime_agent::training::card::{CARD_FILE, card};
use veriregime_agent::types::candle::CandleSeries;
use veriregime_agent::types::manifest::ONNX_FILE;
use veriregime_agent::types::period::PeriodId;
use veriregime_agent::types::proof::instances;
use veriregime_agent::types::time::parse_utc_ms;

use crate::market::candles;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file or folder of the reference data beside the checkout, where there is one.
fn reference(path: &str) -> Option<PathBuf> {
    let path = project("../shared").join(path);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not here", path.display());
        return None;
    }
    Some(path)
}

fn shipped() -> (Bundle, Vec<u8>) {
    let bundle = Bundle::open(&project("models/btc-regime-4h-v1")).expect("the shipped bundle is whole");
    let onnx = fs::read_bounded(&bundle.folder.join(ONNX_FILE), MAX_MODEL_BYTES).expect("was just digested");
    (bundle, onnx)
}

/// Feature integers of many decision times of simulated candles.
fn rows(bundle: &Bundle, count: usize) -> Vec<Vec<i32>> {
    let spec = &bundle.manifest.features;
    let minutes = spec.lookback_minutes + 97 * count;
    let candles = candles(11, parse_utc_ms("2024-01-01").expect("a date"), minutes);
    let (first, last) = (candles[0].open_time_ms, candles[minutes - 1].close_time_ms());
    let series = CandleSeries::new(&candles, first, last, 0).expect("no minute is absent");
    let batch = Batch::new(spec, &series).expect("the shipped spec is usable");
    let row = |index: usize| {
        let mut row = Vec::new();
        batch.append(spec.lookback_minutes + 97 * index, &mut row);
        row
    };
    (0..count).map(row).collect()
}

#[test]
fn the_shipped_bundle_is_whole_and_its_model_loads() {
    let (bundle, onnx) = shipped();
    let layout = Layout::of(&bundle.manifest);
    let model = Model::load(&onnx, layout).unwrap();
    assert_eq!(bundle.manifest.circuit.instances, layout.features + 3);
    assert!(bundle.manifest.circuit.logrows <= 9 && bundle.manifest.circuit.srs_is_ceremony);
    for row in rows(&bundle, 200) {
        model.predict(&row).unwrap();
    }
    let table = calendar_table(&bundle.manifest.features).unwrap();
    assert_eq!(table.len() as u64, PeriodId::PER_WEEK);
}

#[test]
fn the_card_is_the_one_that_its_manifest_gives() {
    let (bundle, _) = shipped();
    let text = fs::read_text(&bundle.folder.join(CARD_FILE), 1 << 20).unwrap();
    assert_eq!(text, card(&bundle.manifest));
}

#[test]
fn the_shipped_model_scores_what_its_manifest_claims() {
    let Some(path) = reference("data/BTCUSDT-1m-2021-01-01_2024-11-08.parquet") else { return };
    let (bundle, onnx) = shipped();
    let manifest = &bundle.manifest;
    let candles = parquet::read(&path).unwrap();
    let (first, last) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
    let series = CandleSeries::new(&candles, first, last, usize::MAX).unwrap();
    let subject = Subject {
        onnx: &onnx,
        layout: Layout::of(manifest),
        features: &manifest.features,
        label: &manifest.label,
        har_logistic: &manifest.training.har_logistic,
    };
    let time = |edge: &str| {
        let text = manifest.training.provenance.pointer(&format!("/split/test/{edge}")).and_then(|text| text.as_str());
        parse_utc_ms(text.expect("the manifest names its test split")).expect("a time")
    };
    let report = evaluate(&subject, &series, &(time("from")..time("to"))).unwrap();
    let found = serde_json::to_value(report).unwrap();
    assert_eq!(found["rows"], manifest.training.metrics["rows"]);
    for form in ["every_minute/float", "every_minute/circuit", "on_grid/circuit", "baselines/har_logistic"] {
        for score in ["accuracy", "f1_weighted", "auc", "brier", "ece"] {
            let read =
                |metrics: &serde_json::Value| metrics.pointer(&format!("/{form}/{score}")).unwrap().as_f64().unwrap();
            let distance = (read(&found) - read(&manifest.training.metrics)).abs();
            assert!(distance < 1e-12, "{form} {score} is off by {distance}");
        }
    }
    assert!(report.every_minute.circuit.regime.accuracy >= 0.81);
    assert!(report.agreement >= 0.999);
    assert!(report.every_minute.circuit.regime.auc > report.baselines.har_logistic.auc + 0.05);
}

/// EZKL's witness for a thousand rows, instance by instance.
#[tokio::test]
async fn ezkl_proves_exactly_what_the_integers_foretell() {
    let Some(srs_folder) = reference("srs") else { return };
    let python = std::env::var_os("VERIREGIME_PYTHON").map_or_else(|| project(".venv/bin/python"), PathBuf::from);
    if !python.exists() {
        eprintln!("SKIPPED: {} is not here, `make setup` installs it", python.display());
        return;
    }
    let (bundle, onnx) = shipped();
    let model = Model::load(&onnx, Layout::of(&bundle.manifest)).unwrap();
    let settings = WorkerSettings { python, deadline: Duration::from_mins(5), memory_limit_mb: 4096 };
    let mut prover = EzklProver::start(settings, &bundle, &srs_folder, 1).await.unwrap();
    let bound = bundle.manifest.features.bound();
    let mut rows = rows(&bundle, 998);
    rows.push(vec![bound; model.layout().features]);
    rows.push(vec![-bound; model.layout().features]);
    let witnessed = prover.witness(&rows).await.unwrap();
    assert_eq!(witnessed.len(), 1000);
    for (row, found) in rows.iter().zip(witnessed) {
        let outputs = model.integer().evaluate(row).unwrap();
        let expected: Vec<U256> = instances(row, &outputs[0].as_array());
        assert_eq!(found, expected);
    }
    let outputs = model.integer().evaluate(&rows[0]).unwrap()[0].as_array();
    let proved = prover.prove(&rows[0], &outputs).await.unwrap();
    assert!(prover.verify(&proved.proof).await.unwrap());
    prover.stop().await;
}
