//! `bench`: what a cycle costs, measured here and now.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::progress::JobsProgress;
use super::signals::stop_on_signal;
use super::{print, train};
use crate::bench;
use crate::config::Config;
use crate::modelling::training;

/// Options of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent bench
  veriregime-agent bench --json --baseline student.onnx --baseline-input input.json
  veriregime-agent bench --training --settings models/train.toml
  veriregime-agent bench --ways --json
  veriregime-agent bench --ways --plot break-even.svg
  veriregime-agent bench --markets 1,2,3
  veriregime-agent bench --jobs 1,10,100 --plot capacity.svg

The baseline is another network, built with EZKL's defaults and proven in the same run: it may take minutes.

With --jobs, each node is a daemon of its own on a chain and an exchange of its own, with a simulated market, a model and a
real proof for each job, and one wallet for all. It runs four periods, the first without any candles; of the other three, the
worst counts. JSON: {\"jobs\": [{\"jobs\", \"landed\", \"last_landed_s\", \"rss_mb\", \"database_mb_per_year\", \"requests\", ...}]},
where requests are those for candles to the one exchange in one period. 100 jobs take some minutes.")]
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
    /// Measure only nodes with so many jobs, each of them on a market of its own.
    #[arg(long, value_delimiter = ',', value_name = "COUNTS", group = "drawn", conflicts_with_all = ["baseline", "training", "api"],
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    jobs: Vec<u32>,
    /// Measure only the ways of verification beside each other: the same model proven by EZKL, by halo2, and computed by a contract.
    #[arg(long, group = "drawn", conflicts_with_all = ["baseline", "training", "api"])]
    ways: bool,
    /// Measure only what a further market costs: the model's network for so many markets, in one proof and one transaction.
    #[arg(long, value_delimiter = ',', value_name = "COUNTS", conflicts_with_all = ["baseline", "training", "api", "jobs", "ways"],
        value_parser = clap::value_parser!(u32).range(1..=12))]
    markets: Vec<u32>,
    /// Draw the curves of --jobs as SVG; with --ways, compute networks of growing size, too, and draw from which on a proof costs less.
    #[arg(long, value_name = "FILE", requires = "drawn")]
    plot: Option<PathBuf>,
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
    if !args.jobs.is_empty() {
        return jobs(&args, &config, json).await;
    }
    if !args.markets.is_empty() {
        let show = |way, markets| eprintln!("measuring {way}, {markets} markets");
        print::output(json, &Box::pin(bench::markets::measure(&config, anvil, args.runs, &args.markets, show)).await?);
        return Ok(());
    }
    if args.ways {
        if args.plot.is_some() {
            training::can_draw()?;
        }
        let show = |way| eprintln!("measuring {way}");
        let mut report = Box::pin(bench::ways::measure(&config, anvil, args.runs, show)).await?;
        if let Some(file) = &args.plot {
            report.sizes = bench::break_even::measure(|weights| eprintln!("computing {weights} weights")).await?;
            let title = "What the chain is asked to do for networks of growing size";
            let drawn = training::draw_over(title, ["weights", "gas of the verifying transaction"], &report.lines())?;
            veriregime_files::write_atomic(file, drawn.as_bytes())?;
        }
        print::output(json, &report);
    } else if args.api {
        print::output(json, &Box::pin(bench::api::measure(config, anvil, args.runs)).await?);
    } else {
        let baseline = args.baseline.as_deref().zip(args.baseline_input.as_deref());
        print::output(json, &bench::cycle::measure(config, anvil, args.runs, baseline).await?);
    }
    Ok(())
}

async fn jobs(args: &BenchArgs, config: &Config, json: bool) -> anyhow::Result<()> {
    if args.plot.is_some() {
        training::can_draw()?;
    }
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(stop.clone())?;
    let progress = JobsProgress::start();
    let measuring = bench::jobs::measure(config, args.anvil.as_deref(), &args.jobs, |step| progress.show(step));
    // Dropped, it kills what it has started.
    let report = tokio::select! {
        report = Box::pin(measuring) => report?,
        () = stop.cancelled() => anyhow::bail!("stopped before the end; whatever was started has ended, too"),
    };
    drop(progress);
    if let Some(file) = &args.plot {
        let drawn = training::draw("A node with more and more jobs", "jobs", &report.curves())?;
        veriregime_files::write_atomic(file, drawn.as_bytes())?;
    }
    print::output(json, &report);
    Ok(())
}
