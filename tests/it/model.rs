//! The shipped model: whole, as good as its card says, and proven exactly as the integer evaluation foretells.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::veriregime_files;
use alloy::primitives::U256;
use veriregime_agent::bundle::Bundle;
use veriregime_agent::sources::candles::parquet;
use veriregime_agent::verification::ezkl::prover::EzklProver;
use veriregime_agent::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::features::{Batch, calendar_table};
use veriregime_core::forecast::RegimeModel;
use veriregime_core::model::{Layout, MAX_MODEL_BYTES, Model};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::card::CARD_FILE;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs::instances;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::evaluation::card::card;
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::report::Report;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::evaluation::{Comparison, Subject};

use crate::given::reference;
use crate::market::candles;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn shipped() -> (Bundle, Vec<u8>) {
    let bundle = Bundle::open(&project("models/btc-regime-4h-v1")).expect("the shipped bundle is whole");
    let onnx =
        veriregime_files::read_bounded(&bundle.folder.join(ONNX_FILE), MAX_MODEL_BYTES).expect("was just digested");
    (bundle, onnx)
}

/// Feature integers of many decision times of simulated candles.
fn rows(bundle: &Bundle, count: usize) -> Vec<Vec<i32>> {
    let spec = bundle.manifest.features().unwrap();
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
    let model = RegimeModel::load(&bundle.manifest, &onnx).unwrap();
    let layout = model.network().layout();
    assert_eq!(bundle.manifest.ezkl().unwrap().instances, layout.features + 3);
    let circuit = bundle.manifest.ezkl().unwrap();
    assert!(circuit.logrows <= 9 && circuit.srs_is_ceremony);
    for row in rows(&bundle, 200) {
        model.network().predict(&row).unwrap();
    }
    let table = calendar_table(bundle.manifest.features().unwrap(), bundle.manifest.grid).unwrap();
    assert_eq!(table.len() as u64, PeriodId::PER_WEEK);
}

/// A card's lines, those of the table of features without the names: contracts know the shipped card by its digest, and it
/// was written before features had the names that they have now.
fn lines(card: &str) -> Vec<String> {
    let without_name = |line: &str| match line.split('`').collect::<Vec<_>>()[..] {
        [before, _, after] if before.starts_with("| ") => format!("{before}…{after}"),
        _ => line.to_owned(),
    };
    card.lines().map(without_name).collect()
}

#[test]
fn the_card_is_the_one_that_its_manifest_gives() {
    let (bundle, _) = shipped();
    let text = veriregime_files::read_text(&bundle.folder.join(CARD_FILE), 1 << 20).unwrap();
    assert_eq!(lines(&text), lines(&card(&bundle.manifest).unwrap()));
    assert!(lines(&text).iter().any(|line| line == "| 15 | … | 0.0003 | 0.7070 |"));
}

#[test]
fn the_shipped_model_scores_what_its_manifest_claims() {
    let Some(path) = reference("data/BTCUSDT-1m-2021-01-01_2024-11-08.parquet") else { return };
    let (bundle, onnx) = shipped();
    let manifest = &bundle.manifest;
    let candles = parquet::read(&path).unwrap();
    let (first, last) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
    let series = CandleSeries::new(&candles, first, last, usize::MAX).unwrap();
    let spec = manifest.regime().unwrap();
    let subject = Subject {
        onnx: &onnx,
        layout: Layout::of(&spec),
        features: &spec.candles.features,
        label: &spec.labels[0],
        grid: manifest.grid,
        baselines: spec.baselines[0],
    };
    let time = |edge: &str| {
        let text = manifest.training.provenance.pointer(&format!("/split/test/{edge}")).and_then(|text| text.as_str());
        parse_utc_ms(text.expect("the manifest names its test split")).expect("a time")
    };
    let report = Comparison::new(&subject, &series, &(time("from")..time("to")), 0).unwrap().report();
    let claimed: Report = serde_json::from_value(manifest.training.metrics.clone()).unwrap();
    assert_eq!(report.rows, claimed.rows);
    assert_eq!(report.on_grid_rows, claimed.on_grid_rows);
    for (by, found) in &report.forecasters {
        let claimed = &claimed.forecasters[by];
        for (found, claimed) in [
            (Some(&found.every_minute), Some(&claimed.every_minute)),
            (found.on_grid.as_ref(), claimed.on_grid.as_ref()),
        ] {
            let (found, claimed) = (found.unwrap(), claimed.unwrap());
            assert_eq!(found.confusion, claimed.confusion);
            assert_eq!(found.figures.len(), claimed.figures.len());
            for (metric, figure) in &found.figures {
                let claimed = claimed.figures[metric];
                assert!((figure.value - claimed.value).abs() < 1e-9, "{by:?} {metric:?}: {figure:?}, not {claimed:?}");
                let errors = figure.standard_error.unwrap() - claimed.standard_error.unwrap();
                assert!(errors.abs() < 1e-9, "{by:?} {metric:?}: {figure:?}, not {claimed:?}");
            }
        }
    }
    let figure = |by: Forecaster, metric: Metric| report.figure(by, metric).unwrap().value;
    let circuit = |metric: Metric| figure(Forecaster::StudentCircuit, metric);
    assert!(circuit(Metric::Accuracy) >= 0.81);
    assert!(report.agreement.unwrap() >= 0.999);
    assert!(circuit(Metric::Auc) > figure(Forecaster::HarLogistic, Metric::Auc) + 0.05);
    for by in [Forecaster::Persistence, Forecaster::HarVolatility, Forecaster::Garch] {
        assert!(circuit(Metric::LogVolatilityR2) > figure(by, Metric::LogVolatilityR2), "{by:?}");
        assert!(circuit(Metric::Qlike) < figure(by, Metric::Qlike), "{by:?}");
    }
}

/// EZKL's witness for a thousand rows, instance by instance.
#[tokio::test]
async fn ezkl_proves_exactly_what_the_integers_foretell() {
    let Some(srs_folder) = reference("srs") else { return };
    let python = std::env::var_os("VERIREGIME_PYTHON").map_or_else(|| project(".venv/bin/python"), PathBuf::from);
    let (bundle, onnx) = shipped();
    let model = Model::load(&onnx, Layout::of(&bundle.manifest.regime().unwrap())).unwrap();
    let settings = WorkerSettings { python, deadline: Duration::from_mins(5), memory_limit_mb: 4096 };
    let mut prover = EzklProver::start(settings, &bundle, &srs_folder, 1).await.unwrap();
    let bound = bundle.manifest.features().unwrap().bound();
    let mut rows = rows(&bundle, 998);
    rows.push(vec![bound; model.layout().features]);
    rows.push(vec![-bound; model.layout().features]);
    let witnessed = prover.witness(&rows).await.unwrap();
    assert_eq!(witnessed.len(), 1000);
    for (row, found) in rows.iter().zip(witnessed) {
        let outputs = model.integer().evaluate(row).unwrap();
        let expected: Vec<U256> = instances(row, &outputs[0]);
        assert_eq!(found, expected);
    }
    let outputs = model.integer().evaluate(&rows[0]).unwrap().concat();
    let proved = prover.prove(&rows[0], &outputs).await.unwrap();
    assert!(prover.verify(&proved.proof).await.unwrap());
    prover.stop().await;
}
