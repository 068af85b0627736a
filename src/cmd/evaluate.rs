//! `evaluate`: how good a model is on given candles.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::report::table;
use crate::bundle::Bundle;
use crate::cmd::reference_models::Compared;
use crate::config::place;
use crate::sources::candles::file;
use veriregime_core::features::Batch;
use veriregime_core::model::{Layout, MAX_MODEL_BYTES};
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::manifest::{Manifest, ONNX_FILE};
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::evaluation::bootstrap::BLOCK_DAYS;
use veriregime_training::evaluation::drift;
use veriregime_training::evaluation::drift::Drift;
use veriregime_training::evaluation::outcomes::{Forecaster, Outcomes};
use veriregime_training::evaluation::report::{Figure, Report};
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::evaluation::{Comparison, Subject};
use veriregime_training::plots;

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet --split test\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet --from 2024-07-30 --json")]
pub struct EvaluateArgs {
    /// Folder of the model bundle.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Candle file: parquet, CSV or zip.
    #[arg(long, value_name = "FILE")]
    candles: PathBuf,
    /// The decision times of this part of the split that the model was trained with.
    #[arg(long, value_enum, default_value_t = SplitPart::All, conflicts_with_all = ["from", "to"])]
    split: SplitPart,
    /// First decision time, UTC; from the start of the candles where absent.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Decision times end before this one, UTC; at the end of the candles where absent.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Leave the teacher and the original network out: they take minutes on years of candles.
    #[arg(long)]
    without_networks: bool,
    /// Folder for the plots, as SVG.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

/// A part of a model's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SplitPart {
    /// What it was fitted on.
    Train,
    /// What it was chosen by.
    Validation,
    /// What its card's figures are from.
    Test,
    /// Everything in the file.
    All,
}

/// Evaluates and prints.
///
/// # Errors
/// A model, a file or dates that are not usable.
pub fn run(args: EvaluateArgs, json: bool) -> anyhow::Result<()> {
    let folder = place::data(&args.model);
    let bundle = Bundle::open(&folder).context("the model bundle is not usable")?;
    let compared = if args.without_networks { Compared::NONE } else { Compared::open(&folder)? };
    let manifest = &bundle.manifest;
    let EvalResult { panel, report, drift } = judge(&bundle, &compared, &args.candles, &times(&args, manifest)?)?;
    if let Some(folder) = &args.plots {
        let part = args.split.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        write_plots(folder, &panel, &report, &[(part.as_str(), &panel.outcomes)], manifest.label.threshold)?;
    }
    if json {
        let mut value = serde_json::to_value(&report)?;
        value["drift"] = serde_json::to_value(&drift)?;
        println!("{value}");
    } else {
        print_report(&manifest.model_id, &report);
        if let Some(drift) = &drift {
            print_drift(drift, &report);
        }
    }
    Ok(())
}

/// What candles say about a bundle.
pub(super) struct EvalResult {
    /// Everybody's forecasts.
    pub panel: Comparison,
    /// Their scores.
    pub report: Report,
    /// How far the model is from what it was trained on; none where its bundle does not say what that was.
    pub drift: Option<Drift>,
}

/// Evaluates a bundle on the candles of a file at the decision times in `times`, ms UTC.
///
/// # Errors
/// A model, a file or dates that are not usable.
pub(super) fn judge(
    bundle: &Bundle,
    compared: &Compared,
    candles: &Path,
    times: &Range<i64>,
) -> anyhow::Result<EvalResult> {
    let manifest = &bundle.manifest;
    let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
    let series = whole_series(&file::read_any(candles)?)?;
    let subject = Subject {
        onnx: &onnx,
        layout: Layout::of(manifest),
        features: &manifest.features,
        label: &manifest.label,
        baselines: &manifest.training.baselines,
    };
    let mut panel = Comparison::new(&subject, &series, times, compared.least_before())?;
    compared.join(&mut panel, &series)?;
    let report = panel.report();
    let drift = drift(manifest, &series, &panel)?;
    Ok(EvalResult { panel, report, drift })
}

/// How far the model is from what it was trained on; none where its bundle does not say what that was.
fn drift(manifest: &Manifest, series: &CandleSeries, panel: &Comparison) -> anyhow::Result<Option<Drift>> {
    let reference = &manifest.training.reference;
    let circuit = panel.forecasts.iter().find(|forecast| forecast.by == Forecaster::StudentCircuit);
    let Some(circuit) = circuit.filter(|_| !reference.is_empty()) else { return Ok(None) };
    let batch = Batch::new(&manifest.features, series)?;
    Ok(Some(drift::drift(reference, &batch, &panel.outcomes, circuit)))
}

/// Writes every plot of an evaluation, as `plot-NAME.svg`; the names of the files.
///
/// # Errors
/// A folder that cannot be written to.
pub(super) fn write_plots(
    folder: &Path,
    panel: &Comparison,
    report: &Report,
    parts: &[(&str, &Outcomes)],
    threshold: f64,
) -> anyhow::Result<Vec<String>> {
    veriregime_files::create_folder(folder)?;
    let mut all = vec![
        ("roc", plots::roc(panel)),
        ("reliability", plots::reliability(panel)),
        ("timeline", plots::timeline(panel)),
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
    Ok(names)
}

/// The decision times that are asked for, ms UTC.
fn times(args: &EvaluateArgs, manifest: &Manifest) -> anyhow::Result<Range<i64>> {
    let part = match args.split {
        SplitPart::Train => "train",
        SplitPart::Validation => "validation",
        SplitPart::Test => "test",
        SplitPart::All => {
            let date = |text: Option<&String>, open: i64| text.map_or(Ok(open), |text| parse_utc_ms(text));
            return Ok(date(args.from.as_ref(), i64::MIN)?..date(args.to.as_ref(), i64::MAX)?);
        }
    };
    let edge = |edge: &str| {
        let text =
            manifest.training.provenance.pointer(&format!("/split/{part}/{edge}")).and_then(|text| text.as_str());
        let text = text.with_context(|| format!("the model's manifest does not say when {part} was, give dates"))?;
        anyhow::Ok(parse_utc_ms(text)?)
    };
    Ok(edge("from")?..edge("to")?)
}

/// All candles as one series. Gaps are carried forward here; decision times that look back over too many are left out
/// later, and so is every forecast window with a gap.
///
/// # Errors
/// The first broken rule.
pub(super) fn whole_series(candles: &[Candle]) -> anyhow::Result<CandleSeries> {
    let (Some(first), Some(last)) = (candles.first(), candles.last()) else {
        anyhow::bail!("the file holds no candles");
    };
    Ok(CandleSeries::new(candles, first.open_time_ms, last.close_time_ms(), usize::MAX)?)
}

fn print_report(model_id: &str, report: &Report) {
    println!("{model_id}: {} decision times, {:.1} % followed by High", report.rows, report.share_high * 100.0);
    if let Some(agreement) = report.agreement {
        println!("float and circuit call the same regime on {:.3} %", agreement * 100.0);
    }
    println!("\nevery minute, ± standard error from blocks of {BLOCK_DAYS} days");
    print_rows(report, false);
    if report.on_grid_rows > 0 {
        println!("\non the grid of periods, {} rows", report.on_grid_rows);
        print_rows(report, true);
    }
    print_leads(report);
}

fn print_rows(report: &Report, on_grid: bool) {
    let header: Vec<&str> = std::iter::once("").chain(Metric::ALL.map(Metric::title)).collect();
    let mut table = table(&header);
    for (by, cells) in report.cells(on_grid) {
        table.add_row(std::iter::once(by.title().to_owned()).chain(cells));
    }
    println!("{table}");
}

pub(super) fn print_drift(drift: &Drift, report: &Report) {
    let mut table = table(&["feature", "PSI", ""]);
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
    println!("\n{table}\npromised less occurred: {:+.2}{error} points", value * 100.0);
    if let Some(baseline) = report.forecasters.get(&Forecaster::HarLogistic) {
        let verdict = drift::verdict(drift, baseline);
        println!(
            "{}{}{}",
            verdict.action.title(),
            if verdict.reasons.is_empty() { "" } else { ": " },
            verdict.reasons.join("; ")
        );
    }
}

/// What the circuit is better by than each of the others, on all rows.
fn print_leads(report: &Report) {
    let mut table = table(&["circuit less", "accuracy, points", "AUC", "QLIKE"]);
    for (by, row) in &report.forecasters {
        if *by != Forecaster::StudentCircuit {
            let leads = [(Metric::Accuracy, 100.0, 2), (Metric::Auc, 1.0, 4), (Metric::Qlike, 1.0, 4)];
            let cells = leads.map(|(metric, unit, digits)| row.lead(metric, unit, digits));
            table.add_row(std::iter::once(by.title().to_owned()).chain(cells));
        }
    }
    println!("\n{table}");
}
