//! What candles say about a bundle, market by market.

use std::ops::Range;
use std::path::Path;

use anyhow::Context;

use super::files;
use super::reference_models::ReferenceModels;
use crate::bundle::Bundle;
use crate::modelling::candle_file::CandleFile;
use crate::sources::candles::file;
use veriregime_core::features::Batch;
use veriregime_core::model::onnx::of_market;
use veriregime_core::model::{Layout, MAX_MODEL_BYTES};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE};
use veriregime_training::evaluation::drift::{self, Drift};
use veriregime_training::evaluation::outcomes::{Forecaster, Outcomes};
use veriregime_training::evaluation::pooled::pooled;
use veriregime_training::evaluation::report::Report;
use veriregime_training::evaluation::{Comparison, Subject};
use veriregime_training::plots;

/// What candles say about one market of a bundle.
pub(super) struct MarketResult {
    /// Its name.
    pub name: String,
    /// What is High there.
    pub threshold: f64,
    /// Everybody's forecasts.
    pub comparison: Comparison,
    /// Their scores.
    pub report: Report,
    /// How far the model is from what it was trained on; none where its bundle does not say what that was.
    pub drift: Option<Drift>,
}

/// Evaluates a bundle on candle files at the decision times in `times`, ms UTC: one entry for each market that has a file.
///
/// # Errors
/// A model, files or dates that are not usable.
pub(super) fn measure(
    bundle: &Bundle,
    others: &ReferenceModels,
    candles: &[CandleFile],
    times: &Range<i64>,
) -> anyhow::Result<Vec<MarketResult>> {
    let markets = &bundle.manifest.candles()?.markets;
    let given = files::of_markets(candles, markets)?.into_iter().enumerate();
    given.filter_map(|(market, path)| path.map(|path| of(bundle, others, market, path, times))).collect()
}

fn of(
    bundle: &Bundle,
    others: &ReferenceModels,
    index: usize,
    candles: &Path,
    times: &Range<i64>,
) -> anyhow::Result<MarketResult> {
    let manifest = &bundle.manifest;
    let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
    let series = file::read_series(candles)?;
    let model = manifest.regime()?;
    let market = model.market(index).context("the model has no such market")?;
    let mut comparison = compared((manifest, &onnx, index), &series, times, others.least_before())?;
    others.join(&mut comparison, index, &series)?;
    let report = comparison.report();
    let drift = drift_from(manifest, &market.features, &series, &comparison)?;
    let name = model.candles.markets[index].name.clone();
    Ok(MarketResult { name, threshold: market.label.threshold, comparison, report, drift })
}

/// What a network of a manifest, and the baselines, say of one of its markets at the decision times in `times`, ms UTC.
///
/// # Errors
/// A model of another kind, or candles without such a decision time.
pub(super) fn compared(
    (manifest, onnx, market): (&Manifest, &[u8], usize),
    series: &CandleSeries,
    times: &Range<i64>,
    least_before: usize,
) -> anyhow::Result<Comparison> {
    let model = manifest.regime()?;
    let own = model.market(market).context("the model has no such market")?;
    let onnx = of_market(onnx, market)?;
    let subject = Subject {
        onnx: &onnx,
        layout: Layout::of(&model),
        features: &own.features,
        label: &own.label,
        grid: manifest.grid,
        baselines: own.baselines,
    };
    Ok(Comparison::new(&subject, series, times, least_before)?)
}

/// How far the model is from what it was trained on; none where its bundle does not say what that was.
fn drift_from(
    manifest: &Manifest,
    features: &FeatureSpec,
    series: &CandleSeries,
    comparison: &Comparison,
) -> anyhow::Result<Option<Drift>> {
    let reference = &manifest.training.reference;
    let circuit = comparison.forecasts.iter().find(|forecast| forecast.by == Forecaster::StudentCircuit);
    let Some(circuit) = circuit.filter(|_| !reference.is_empty()) else { return Ok(None) };
    let batch = Batch::new(features, series)?;
    Ok(Some(drift::drift(reference, &batch, &comparison.outcomes, circuit)))
}

/// The markets judged together.
pub(super) fn together<'a>(results: impl Iterator<Item = (&'a Comparison, f64)>) -> Comparison {
    pooled(&results.map(|(comparison, threshold)| (comparison, libm::log(threshold))).collect::<Vec<_>>())
}

/// Writes every plot of an evaluation, as `plot-NAME.svg`, of a market of several with the market's name behind; the names of the files.
///
/// # Errors
/// A folder that cannot be written to.
pub(super) fn write_plots(
    folder: &Path,
    market: Option<&str>,
    (comparison, report): (&Comparison, &Report),
    parts: &[(&str, &Outcomes)],
    threshold: f64,
) -> anyhow::Result<Vec<String>> {
    veriregime_files::create_folder(folder)?;
    let mut all = vec![
        ("roc", plots::roc(comparison)),
        ("reliability", plots::reliability(comparison)),
        ("timeline", plots::timeline(comparison)),
        ("volatility", plots::distribution(parts, threshold)),
        ("shares", plots::shares(parts)),
    ];
    if let Some(circuit) = report.forecasters.get(&Forecaster::StudentCircuit) {
        let title = "Regimes of the circuit, every minute";
        all.push(("confusion", plots::confusion(title, &circuit.every_minute.confusion)));
    }
    let of_market = market.map_or_else(String::new, |name| format!("-{}", plain(name)));
    let mut names = Vec::new();
    for (name, text) in all {
        let name = format!("plot-{name}{of_market}.svg");
        veriregime_files::write_atomic(&folder.join(&name), text.as_bytes())?;
        names.push(name);
    }
    Ok(names)
}

/// A market's name as a part of a file's.
fn plain(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' }).collect()
}
