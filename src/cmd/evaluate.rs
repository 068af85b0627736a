//! `evaluate`: how good a model is on given candles.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::print;
use crate::config::place;
use crate::modelling::candle_file::CandleFile;
use crate::modelling::{DecisionTimes, EvaluateRequest, training};
use veriregime_core::types::time::{TimeError, parse_utc_ms};

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet --split test\n  \
    veriregime-agent evaluate --model models/btc-regime-4h-v1 --candles btc.parquet --from 2024-07-30 --json\n  \
    veriregime-agent evaluate --model models/majors-regime-4h-v1 --candles BTC-USD=btc.parquet --candles ETH-USD=eth.parquet")]
pub struct EvaluateArgs {
    /// Folder of the model bundle.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Candle file: parquet, CSV or zip. Of a model of several markets one for each that is looked at, with its name.
    #[arg(long, value_name = "[NAME=]FILE", required = true)]
    candles: Vec<CandleFile>,
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
/// As [`training::evaluate`].
pub fn run(args: &EvaluateArgs, json: bool) -> anyhow::Result<()> {
    let request = EvaluateRequest {
        bundle: &place::data(&args.model),
        candles: &args.candles,
        times: times(args)?,
        with_networks: !args.without_networks,
        plots: args.plots.as_deref(),
    };
    print::output(json, &training::evaluate(&request)?);
    Ok(())
}

fn times(args: &EvaluateArgs) -> Result<DecisionTimes, TimeError> {
    let date = |text: &Option<String>, open: i64| text.as_deref().map_or(Ok(open), parse_utc_ms);
    Ok(match args.split {
        SplitPart::Train => DecisionTimes::Part("train"),
        SplitPart::Validation => DecisionTimes::Part("validation"),
        SplitPart::Test => DecisionTimes::Part("test"),
        SplitPart::All => DecisionTimes::Range(date(&args.from, i64::MIN)?..date(&args.to, i64::MAX)?),
    })
}
