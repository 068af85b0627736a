//! How good a model is on given candles, and how far they are from what it was trained on.

use std::ops::Range;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::reference_models::ReferenceModels;
use crate::bundle::Bundle;
use crate::bundle::reliability::{self, RELIABILITY_FILE, ReliabilityBin};
use crate::modelling::{DecisionTimes, EvaluateRequest};
use crate::render::layout::Table;
use crate::render::{Render, lines};
use crate::sources::candles::file;
use veriregime_core::bootstrap::BLOCK_DAYS;
use veriregime_core::features::Batch;
use veriregime_core::model::{Layout, MAX_MODEL_BYTES};
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE};
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::evaluation::drift::{self, Action, Drift, Verdict};
use veriregime_training::evaluation::figure::Figure;
use veriregime_training::evaluation::outcomes::{Forecast, Forecaster, Outcomes};
use veriregime_training::evaluation::report::Report;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::evaluation::{Comparison, Subject};
use veriregime_training::plots;

/// What candles say about a bundle.
pub(super) struct EvalResult {
    /// Everybody's forecasts.
    pub comparison: Comparison,
    /// Their scores.
    pub report: Report,
    /// How far the model is from what it was trained on; none where its bundle does not say what that was.
    pub drift: Option<Drift>,
}

/// Scores of a model, and its drift.
#[derive(Debug, Serialize)]
pub(super) struct Evaluation {
    #[serde(skip)]
    model_id: String,
    #[serde(flatten)]
    report: Report,
    drift: Option<Drift>,
}

/// Drift of a model, and what to do about it.
#[derive(Debug, Serialize)]
pub(super) struct DriftResult {
    id: String,
    rows: usize,
    verdict: Verdict,
    drift: Drift,
    #[serde(skip)]
    report: Report,
}

/// As [`super::evaluate()`].
pub(super) fn evaluate(request: &EvaluateRequest<'_>) -> anyhow::Result<Evaluation> {
    let bundle = Bundle::open(request.bundle).context("the model bundle is not usable")?;
    let others = if request.with_networks { ReferenceModels::open(request.bundle)? } else { ReferenceModels::NONE };
    let manifest = &bundle.manifest;
    let times = range(&request.times, manifest)?;
    let EvalResult { comparison, report, drift } = measure(&bundle, &others, request.candles, &times)?;
    if let Some(folder) = request.plots {
        let part = match request.times {
            DecisionTimes::Part(part) => part,
            DecisionTimes::Range(_) => "all",
        };
        write_plots(folder, &comparison, &report, &[(part, &comparison.outcomes)], manifest.regime()?.label.threshold)?;
    }
    Ok(Evaluation { model_id: manifest.model_id.clone(), report, drift })
}

/// As [`super::drift()`].
pub(super) fn drift_of(id: &str, bundle: &Bundle, candles: &Path, from_ms: i64) -> anyhow::Result<(DriftResult, bool)> {
    let EvalResult { report, drift, .. } = measure(bundle, &ReferenceModels::NONE, candles, &(from_ms..i64::MAX))?;
    let drift = drift.context("this bundle does not say what it was trained on; train it again")?;
    let verdict = drift::verdict(&drift, &report.forecasters[&Forecaster::HarLogistic]);
    let is_due = verdict.action == Action::Retrain;
    Ok((DriftResult { id: id.to_owned(), rows: report.rows, verdict, drift, report }, is_due))
}

/// Evaluates a bundle on the candles of a file at the decision times in `times`, ms UTC.
///
/// # Errors
/// A model, a file or dates that are not usable.
pub(super) fn measure(
    bundle: &Bundle,
    others: &ReferenceModels,
    candles: &Path,
    times: &Range<i64>,
) -> anyhow::Result<EvalResult> {
    let manifest = &bundle.manifest;
    let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
    let series = file::read_series(candles)?;
    let model = manifest.regime()?;
    let subject = Subject {
        onnx: &onnx,
        layout: Layout::of(&model),
        features: &model.candles.features,
        label: &model.label,
        grid: manifest.grid,
        baselines: model.baselines,
    };
    let mut comparison = Comparison::new(&subject, &series, times, others.least_before())?;
    others.join(&mut comparison, &series)?;
    let report = comparison.report();
    let drift = drift_from(manifest, &series, &comparison)?;
    Ok(EvalResult { comparison, report, drift })
}

/// How far the model is from what it was trained on; none where its bundle does not say what that was.
fn drift_from(manifest: &Manifest, series: &CandleSeries, comparison: &Comparison) -> anyhow::Result<Option<Drift>> {
    let reference = &manifest.training.reference;
    let circuit = comparison.forecasts.iter().find(|forecast| forecast.by == Forecaster::StudentCircuit);
    let Some(circuit) = circuit.filter(|_| !reference.is_empty()) else { return Ok(None) };
    let batch = Batch::new(manifest.features()?, series)?;
    Ok(Some(drift::drift(reference, &batch, &comparison.outcomes, circuit)))
}

/// Writes every plot of an evaluation, as `plot-NAME.svg`, and the circuit's reliability as a table; the names of the files.
///
/// # Errors
/// A folder that cannot be written to.
pub(super) fn write_plots(
    folder: &Path,
    comparison: &Comparison,
    report: &Report,
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
    let mut names = Vec::new();
    for (name, text) in all {
        let name = format!("plot-{name}.svg");
        veriregime_files::write_atomic(&folder.join(&name), text.as_bytes())?;
        names.push(name);
    }
    if let Some(circuit) = comparison.forecasts.iter().find(|forecast| forecast.by == Forecaster::StudentCircuit) {
        let bins = reliability_of(circuit, &comparison.outcomes.was_high);
        veriregime_files::write_atomic(&folder.join(RELIABILITY_FILE), &reliability::text(&bins)?)?;
        names.push(RELIABILITY_FILE.to_owned());
    }
    Ok(names)
}

/// How often High followed where a forecaster promised it with some probability, in ten classes.
fn reliability_of(forecast: &Forecast, was_high: &[bool]) -> Vec<ReliabilityBin> {
    let filled = plots::promises(forecast, was_high).into_iter().filter(|[count, ..]| *count > 0.0);
    let digits = |share: f64| (share * 1e6).round() / 1e6;
    let bin = |[count, promised, occurred]: [f64; 3]| ReliabilityBin {
        forecast: digits(promised / count),
        observed: digits(occurred / count),
        count: count as u64,
    };
    filled.map(bin).collect()
}

/// The decision times that are asked for, ms UTC.
fn range(times: &DecisionTimes, manifest: &Manifest) -> anyhow::Result<Range<i64>> {
    let part = match times {
        DecisionTimes::Part(part) => part,
        DecisionTimes::Range(range) => return Ok(range.clone()),
    };
    let edge = |edge: &str| {
        let text =
            manifest.training.provenance.pointer(&format!("/split/{part}/{edge}")).and_then(|text| text.as_str());
        let text = text.with_context(|| format!("the model's manifest does not say when {part} was, give dates"))?;
        anyhow::Ok(parse_utc_ms(text)?)
    };
    Ok(edge("from")?..edge("to")?)
}

impl Render for Evaluation {
    fn text(&self) -> String {
        let report = &self.report;
        let mut text = vec![format!(
            "{}: {} decision times, {:.1} % followed by High",
            self.model_id,
            report.rows,
            report.share_high * 100.0
        )];
        if let Some(agreement) = report.agreement {
            text.push(format!("float and circuit call the same regime on {:.3} %", agreement * 100.0));
        }
        text.push(format!("\nevery minute, ± standard error from blocks of {BLOCK_DAYS} days"));
        text.push(scores(report, false).to_string());
        if report.on_grid_rows > 0 {
            text.push(format!("\non the grid of periods, {} rows", report.on_grid_rows));
            text.push(scores(report, true).to_string());
        }
        text.push(format!("\n{}", leads(report)));
        text.extend(self.drift.iter().map(|drift| drift_text(drift, report)));
        lines(text)
    }
}

impl Render for DriftResult {
    fn text(&self) -> String {
        format!("{}: {} decision times\n{}", self.id, self.rows, drift_text(&self.drift, &self.report))
    }
}

fn scores(report: &Report, on_grid: bool) -> Table {
    let header: Vec<&str> = std::iter::once("").chain(Metric::ALL.map(Metric::title)).collect();
    let mut table = Table::new(&header);
    for (by, cells) in report.cells(on_grid) {
        table.add_row(std::iter::once(by.title().to_owned()).chain(cells));
    }
    table
}

/// What the circuit is better by than each of the others, on all rows.
fn leads(report: &Report) -> Table {
    let mut table = Table::new(&["circuit less", "accuracy, points", "AUC", "QLIKE"]);
    for (by, row) in &report.forecasters {
        if *by != Forecaster::StudentCircuit {
            let leads = [(Metric::Accuracy, 100.0, 2), (Metric::Auc, 1.0, 4), (Metric::Qlike, 1.0, 4)];
            let cells = leads.map(|(metric, unit, digits)| row.lead(metric, unit, digits));
            table.add_row(std::iter::once(by.title().to_owned()).chain(cells));
        }
    }
    table
}

fn drift_text(drift: &Drift, report: &Report) -> String {
    let mut table = Table::new(&["feature", "PSI", ""]);
    for feature in &drift.features {
        let word = match feature.psi {
            psi if psi > drift::DRIFTED_PSI => "drifted",
            psi if psi > drift::STABLE_PSI => "look",
            _ => "stable",
        };
        table.add_row(vec![feature.name.clone(), format!("{:.3}", feature.psi), word.to_owned()]);
    }
    let Figure { value, standard_error } = drift.promise;
    let error = standard_error.map_or_else(String::new, |error| format!(" ± {:.2}", error * 100.0));
    let promise = format!("\n{table}\npromised less occurred: {:+.2}{error} points", value * 100.0);
    let verdict = report.forecasters.get(&Forecaster::HarLogistic).map(|baseline| {
        let verdict = drift::verdict(drift, baseline);
        let reasons = verdict.reasons.join("; ");
        format!("{}{}{reasons}", verdict.action.title(), if reasons.is_empty() { "" } else { ": " })
    });
    lines(std::iter::once(promise).chain(verdict))
}
