//! What `train` puts into a bundle beside the circuit: networks to compare with, curves, plots, figures, manifest, card.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use super::measuring::{together, write_plots};
use super::reference_models::ReferenceModels;
use crate::bundle;
use crate::verification::ezkl::build::Built;
use veriregime_core::features::Batch;
use veriregime_core::model::Layout;
use veriregime_core::model::onnx::{Network, of_market};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::feature::ScaledFeature;
use veriregime_core::types::manifest::card::{CARD_FILE, VERIFICATION_CARD_FILE, verification_card};
use veriregime_core::types::manifest::inputs::{Candles, Inputs};
use veriregime_core::types::manifest::network::{Layers, ModelKind};
use veriregime_core::types::manifest::of_markets::OfMarkets;
use veriregime_core::types::manifest::regime::{RegimeLabel, outputs};
use veriregime_core::types::manifest::verification::{EzklCircuit, Verification};
use veriregime_core::types::manifest::{Manifest, ONNX_FILE, SCHEMA, Training};
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::reference::FeatureReference;
use veriregime_core::types::time::format_utc;
use veriregime_training::evaluation::card::card;
use veriregime_training::evaluation::drift;
use veriregime_training::evaluation::outcomes::{Forecaster, Outcomes};
use veriregime_training::evaluation::report::Report;
use veriregime_training::evaluation::{Comparison, Subject};
use veriregime_training::plots;
use veriregime_training::plots::chart::Line;
use veriregime_training::reference::{TEACHER_FILE, TEACHER_WEIGHTS_FILE};
use veriregime_training::reproduction::{ORIGINAL_FILE, ORIGINAL_WEIGHTS_FILE};
use veriregime_training::settings::Settings;
use veriregime_training::{Curve, Trained, TrainedMarket};

/// Largest file of a bundle.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Every epoch of every network.
const CURVES_FILE: &str = "curves.csv";
/// Their losses on validation, drawn.
const CURVES_PLOT: &str = "plot-loss.svg";

/// Where a model comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Name and version of the program.
    pub program: &'a str,
    /// What computed.
    pub backend: &'a str,
    /// The candles of each market.
    pub series: &'a [CandleSeries],
}

/// A line of [`CURVES_FILE`].
#[derive(Serialize)]
struct CurveRow<'a> {
    network: &'a str,
    epoch: usize,
    training_loss: f64,
    validation_loss: f64,
    validation_accuracy: f64,
    validation_f1: f64,
    kept: bool,
}

/// Writes the networks to compare with and the course of the training; the names of the files.
///
/// # Errors
/// A file that cannot be written.
pub fn write_extras(folder: &Path, trained: &Trained) -> anyhow::Result<Vec<String>> {
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    if let Some(teacher) = &trained.teacher {
        files.push((TEACHER_FILE, (serde_json::to_string_pretty(&teacher.spec)? + "\n").into_bytes()));
        files.push((TEACHER_WEIGHTS_FILE, teacher.to_bytes()));
    }
    if let Some(original) = &trained.original {
        files.push((ORIGINAL_FILE, (serde_json::to_string_pretty(&original.spec)? + "\n").into_bytes()));
        files.push((ORIGINAL_WEIGHTS_FILE, original.to_bytes()));
    }
    files.push((CURVES_FILE, table(&trained.curves)?));
    files.push((
        CURVES_PLOT,
        plots::curves("Loss on validation", "validation loss", lines(&trained.curves)).into_bytes(),
    ));
    for (name, bytes) in &files {
        veriregime_files::write_atomic(&folder.join(name), bytes)?;
    }
    Ok(files.into_iter().map(|(name, _)| name.to_owned()).collect())
}

/// One line a kind of network: the mean over its runs, as far as all of them went.
fn lines(curves: &[Curve]) -> Vec<Line> {
    let mut kinds: BTreeMap<&str, Vec<&Curve>> = BTreeMap::new();
    for curve in curves {
        kinds.entry(curve.stage.trim_end_matches(|letter: char| letter.is_ascii_digit())).or_default().push(curve);
    }
    let line = |(kind, runs): (&str, Vec<&Curve>)| {
        let epochs = runs.iter().map(|run| run.epochs.len()).min().unwrap_or(0);
        let mean =
            |epoch: usize| runs.iter().map(|run| run.epochs[epoch].validation_loss).sum::<f64>() / runs.len() as f64;
        let name = match runs.len() {
            1 => kind.to_owned(),
            count => format!("{}, mean of {count}", kind.trim_end_matches('-')),
        };
        let by = match kind {
            kind if kind.starts_with("teacher") => Forecaster::Teacher,
            kind if kind.starts_with("student") => Forecaster::StudentCircuit,
            _ => Forecaster::OriginalCnn,
        };
        plots::line(by, name, (0..epochs).map(|epoch| ((epoch + 1) as f64, mean(epoch))).collect(), true)
    };
    kinds.into_iter().map(line).collect()
}

fn table(curves: &[Curve]) -> anyhow::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for curve in curves {
        for epoch in &curve.epochs {
            table.serialize(CurveRow {
                network: &curve.stage,
                epoch: epoch.epoch,
                training_loss: epoch.training_loss,
                validation_loss: epoch.validation_loss,
                validation_accuracy: epoch.validation_accuracy,
                validation_f1: epoch.validation_f1,
                kept: epoch.epoch == curve.best_epoch,
            })?;
        }
    }
    Ok(table.into_inner()?)
}

/// What was measured on the test part.
#[derive(Debug)]
pub struct TestResult {
    /// Of all markets together, where there are several.
    pub report: Report,
    /// By market, of a model of several; else none.
    pub markets: BTreeMap<String, Report>,
}

impl TestResult {
    /// As a manifest has it.
    fn metrics(&self) -> serde_json::Result<serde_json::Value> {
        let mut metrics = serde_json::to_value(&self.report)?;
        if !self.markets.is_empty() {
            metrics["markets"] = serde_json::to_value(&self.markets)?;
        }
        Ok(metrics)
    }
}

/// Scores everybody on the test part and draws it; the names of the plots are added to `names`.
///
/// # Errors
/// A test part without decision times, or a file that cannot be written.
pub fn measure(
    settings: &Settings,
    trained: &Trained,
    built: &Built,
    series: &[CandleSeries],
    folder: &Path,
    names: &mut Vec<String>,
) -> anyhow::Result<TestResult> {
    let onnx = veriregime_files::read_bounded(&folder.join(ONNX_FILE), MAX_FILE_BYTES)?;
    let others = ReferenceModels { teacher: trained.teacher.clone(), original: trained.original.clone() };
    let is_one = trained.markets.len() == 1;
    let (mut comparisons, mut markets) = (Vec::new(), BTreeMap::new());
    for (index, (market, series)) in trained.markets.iter().zip(series).enumerate() {
        let TrainedMarket { label, features, baselines, .. } = market;
        let layout = Layout {
            markets: 1,
            features: features.count(),
            outputs: REGIME_OUTPUTS.len(),
            feature_bound: features.bound(),
            input_scale: features.input_scale,
            param_scale: built.param_scale,
            output_scale: built.output_scale,
        };
        let onnx = of_market(&onnx, index)?;
        let subject = Subject { onnx: &onnx, layout, features, label, grid: settings.grid(), baselines };
        let mut comparison = Comparison::new(&subject, series, &trained.split.test, others.least_before())
            .context("the test split cannot be evaluated")?;
        others.join(&mut comparison, index, series)?;
        let report = comparison.report();
        let batch = Batch::new(features, series)?;
        let part = |times: &Range<i64>| Outcomes::new(&batch, label, settings.grid(), times, 0);
        let (train, validation) = (part(&trained.split.train)?, part(&trained.split.validation)?);
        let parts = [("train", &train), ("validation", &validation), ("test", &comparison.outcomes)];
        let name = (!is_one).then_some(market.market.name.as_str());
        names.extend(write_plots(folder, name, (&comparison, &report), &parts, label.threshold)?);
        comparisons.push((comparison, label.threshold));
        markets.insert(market.market.name.clone(), report);
    }
    let report = together(comparisons.iter().map(|(comparison, threshold)| (comparison, *threshold))).report();
    if is_one {
        markets.clear();
    }
    Ok(TestResult { report, markets })
}

/// Writes card and manifest, the manifest last: a folder with one is whole. `names` are the files beside the required
/// ones.
///
/// # Errors
/// A file that cannot be read or written.
pub fn write_manifest(
    folder: &Path,
    names: &[String],
    settings: &Settings,
    trained: Trained,
    built: Built,
    result: &TestResult,
    origin: &Origin<'_>,
) -> anyhow::Result<Manifest> {
    let own = [ONNX_FILE].into_iter().chain(EzklCircuit::FILES).map(str::to_owned);
    let names = own.chain(names.iter().cloned());
    let digests = names.map(|name| {
        let digest = veriregime_files::large::digest(&folder.join(&name), MAX_FILE_BYTES)?;
        Ok((name, digest))
    });
    let files: BTreeMap<_, _> = digests.collect::<Result<_, veriregime_files::FileError>>()?;
    let reference = reference(settings, &trained, origin.series)?;
    let onnx = veriregime_files::read_bounded(&folder.join(ONNX_FILE), MAX_FILE_BYTES)?;
    let provenance = provenance(settings, &trained, result, origin);
    let first = trained.markets.first().context("no market")?.features.clone();
    let layers = Network::parse(&onnx, trained.markets.len(), first.count(), REGIME_OUTPUTS.len())?.layers();
    let further = trained
        .markets
        .iter()
        .skip(1)
        .map(|market| market.features.candle.iter().map(ScaledFeature::scaler).collect())
        .collect();
    let thresholds = trained.markets.iter().map(|market| market.label.threshold).collect();
    let mut manifest = Manifest {
        schema: SCHEMA,
        model_id: settings.model_id.clone(),
        inputs: Inputs::Candles(Candles {
            markets: trained.markets.iter().map(|market| market.market.clone()).collect(),
            features: first,
            further_scalers: further,
        }),
        model: ModelKind::Layers(Layers { param_scale: built.param_scale, layers }),
        outputs: outputs(built.output_scale),
        grid: settings.grid(),
        regime: Some(RegimeLabel { threshold: OfMarkets::of(thresholds).context("no market")? }),
        verification: Verification { ezkl: Some(built.circuit), ..Verification::default() },
        files,
        training: Training {
            provenance,
            baselines: OfMarkets::of(trained.markets.into_iter().map(|market| market.baselines).collect()),
            reference,
            metrics: result.metrics()?,
        },
    };
    let text = card(&manifest)?;
    let verification = verification_card(&manifest);
    for (name, text) in [(CARD_FILE, text), (VERIFICATION_CARD_FILE, verification)] {
        veriregime_files::write_atomic(&folder.join(name), text.as_bytes())?;
        manifest.files.insert(name.to_owned(), Digest::of(text.as_bytes()));
    }
    bundle::write_manifest(folder, &manifest)?;
    Ok(manifest)
}

/// What features looked like in training. The search for a circuit may have changed the grid: what counts are the integers of the final one.
fn reference(settings: &Settings, trained: &Trained, series: &[CandleSeries]) -> anyhow::Result<Vec<FeatureReference>> {
    let mut parts = Vec::with_capacity(series.len());
    for (market, series) in trained.markets.iter().zip(series) {
        let batch = Batch::new(&market.features, series)?;
        let at = Outcomes::new(&batch, &market.label, settings.grid(), &trained.split.train, 0)?.at;
        parts.push((batch, at));
    }
    Ok(drift::reference(&parts.iter().map(|(batch, at)| (batch, at.as_slice())).collect::<Vec<_>>()))
}

/// Where the model comes from. What is a market's own stands below its name where there are several.
fn provenance(settings: &Settings, trained: &Trained, result: &TestResult, origin: &Origin<'_>) -> serde_json::Value {
    let of_market = |(market, series): (&TrainedMarket, &CandleSeries)| {
        let test = result.markets.get(&market.market.name).unwrap_or(&result.report);
        let [train, validation] = &market.parts;
        json!({
            "candles": {
                "from": format_utc(series.start_ms()),
                "to": format_utc(series.end_ms()),
                "rows": series.candles().len() - series.carried().len(),
                "sha256": series.digest(),
            },
            "samples": { "train": train.samples, "validation": validation.samples, "test": test.rows },
            "share_high": { "train": train.share_high, "validation": validation.share_high, "test": test.share_high },
        })
    };
    let markets = trained.markets.iter().zip(origin.series);
    let mut provenance = json!({
        "settings": settings,
        "program": origin.program,
        "backend": origin.backend,
        "split": {
            "train": times(&trained.split.train),
            "validation": times(&trained.split.validation),
            "test": times(&trained.split.test),
            "weekly_profile": times(&trained.split.profile),
        },
        "student": trained.student,
        "temperature": trained.temperature,
        "parameters": trained.of_markets().parameters(),
    });
    if result.markets.is_empty() {
        for own in markets.map(of_market) {
            for part in ["candles", "samples", "share_high"] {
                provenance[part] = own[part].clone();
            }
        }
    } else {
        let named = markets.map(|(market, series)| (market.market.name.clone(), of_market((market, series))));
        provenance["markets"] = named.collect();
    }
    provenance
}

fn times(times: &Range<i64>) -> serde_json::Value {
    json!({ "from": format_utc(times.start), "to": format_utc(times.end) })
}
