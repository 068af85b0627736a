//! `bench`: what a cycle costs, measured here and now.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{print, train};
use crate::bench;
use crate::modelling::training;

/// Options of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent bench
  veriregime-agent bench --json --baseline student.onnx --baseline-input input.json
  veriregime-agent bench --training --settings models/train.toml

The baseline is another network, built with EZKL's defaults and proven in the same run: it may take minutes.")]
pub struct BenchArgs {
    /// Proofs and cycles to measure.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(3..=10_000))]
    runs: u32,
    /// ONNX file of a network to compare with.
    #[arg(long, value_name = "ONNX", requires = "baseline_input")]
    baseline: Option<PathBuf>,
    /// Its input, as EZKL takes it: `{"input_data": [[...]]}`.
    #[arg(long, value_name = "JSON", requires = "baseline")]
    baseline_input: Option<PathBuf>,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM")]
    anvil: Option<PathBuf>,
    /// Training settings, for --training.
    #[arg(long, value_name = "FILE", default_value = train::DEFAULT_SETTINGS)]
    settings: PathBuf,
    /// Measure only how fast the networks of the training settings learn.
    #[arg(long, conflicts_with_all = ["baseline", "anvil"])]
    training: bool,
    /// Measure only the HTTP API: 2000 requests a second while cycles run.
    #[arg(long, conflicts_with_all = ["baseline", "training"])]
    api: bool,
}

/// Measures and prints.
///
/// # Errors
/// Whatever a cycle can run into.
pub async fn run(args: BenchArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    if args.training {
        print::output(json, &training::speed(&args.settings, settings)?);
        return Ok(());
    }
    let (config, anvil) = (crate::config::load(settings)?, args.anvil.as_deref());
    if args.api {
        print::output(json, &Box::pin(bench::api::measure(config, anvil, args.runs)).await?);
    } else {
        let baseline = args.baseline.as_deref().zip(args.baseline_input.as_deref());
        print::output(json, &bench::cycle::measure(config, anvil, args.runs, baseline).await?);
    }
    Ok(())
}
