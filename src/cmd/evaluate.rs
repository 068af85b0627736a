//! `evaluate`: how good a model is on given candles.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::report::table;
use crate::candles::file;
use crate::evaluation::metrics::Scores;
use crate::evaluation::{ModelScores, Report, Subject, evaluate};
use crate::fs;
use crate::inference::{Layout, MAX_MODEL_BYTES};
use crate::proof::bundle::Bundle;
use crate::types::candle::{Candle, CandleSeries};
use crate::types::manifest::ONNX_FILE;
use crate::types::time::parse_utc_ms;

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet --from 2024-07-30 --json")]
pub struct EvaluateArgs {
    /// Folder of the model bundle.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Candle file: parquet, CSV or zip.
    #[arg(long, value_name = "FILE")]
    candles: PathBuf,
    /// First decision time, UTC; from the start of the candles where absent.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Decision times end before this one, UTC; at the end of the candles where absent.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
}

/// Evaluates and prints.
///
/// # Errors
/// A model, a file or dates that are not usable.
pub fn run(args: EvaluateArgs, json: bool) -> anyhow::Result<()> {
    let bundle = Bundle::open(&args.model).context("the model bundle is not usable")?;
    let manifest = &bundle.manifest;
    let onnx = fs::read_bounded(&args.model.join(ONNX_FILE), MAX_MODEL_BYTES)?;
    let date = |text: Option<&String>, open: i64| text.map_or(Ok(open), |text| parse_utc_ms(text));
    let times = date(args.from.as_ref(), i64::MIN)?..date(args.to.as_ref(), i64::MAX)?;
    let series = whole_series(&file::read_any(&args.candles)?)?;
    let subject = Subject {
        onnx: &onnx,
        layout: Layout::of(manifest),
        features: &manifest.features,
        label: &manifest.label,
        har_logistic: &manifest.training.har_logistic,
    };
    let report = evaluate(&subject, &series, &times)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_table(&manifest.model_id, &report);
    }
    Ok(())
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

fn print_table(model_id: &str, report: &Report) {
    println!(
        "{model_id}: {} decision times, {:.1} % followed by High, float and circuit agree on {:.3} %\n",
        report.rows,
        report.positive_share * 100.0,
        report.agreement * 100.0
    );
    let mut table = table(&["", "accuracy", "F1", "AUC", "Brier", "ECE", "R² of log-volatility"]);
    let cells = |name: &str, scores: &Scores, r2: Option<f64>| {
        let mut row = vec![name.to_owned(), format!("{:.2} %", scores.accuracy * 100.0)];
        row.extend([scores.f1_weighted, scores.auc, scores.brier, scores.ece].map(|score| format!("{score:.4}")));
        row.push(r2.map_or_else(String::new, |r2| format!("{r2:.4}")));
        row
    };
    let model = |name: &str, scores: &ModelScores| cells(name, &scores.regime, scores.log_volatility_r2);
    table.add_row(model("float, every minute", &report.every_minute.float));
    table.add_row(model("circuit, every minute", &report.every_minute.circuit));
    if let Some(grid) = &report.on_grid {
        table.add_row(model("float, on the grid", &grid.forms.float));
        table.add_row(model("circuit, on the grid", &grid.forms.circuit));
    }
    let baselines = &report.baselines;
    table.add_row(cells("HAR logistic", &baselines.har_logistic, None));
    let persistence = baselines.persistence;
    let auc = format!("{:.4}", persistence.auc);
    table.add_row(vec!["persistence", &format!("{:.2} %", persistence.accuracy * 100.0), "", &auc]);
    table.add_row(vec!["majority", &format!("{:.2} %", baselines.majority * 100.0)]);
    println!("{table}");
    if let Some(grid) = &report.on_grid {
        println!("on the grid: {} rows, standard error {:.2} points", grid.rows, grid.standard_error * 100.0);
    }
}
