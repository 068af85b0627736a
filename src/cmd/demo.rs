//! `demo`: the whole system on a chain of one's own, and a table of what happened.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::demo::{Demo, Scenario, Source};
use veriregime_core::types::time::{format_utc, parse_utc_ms};

/// Its first day turns from calm to turbulent and back.
const DEFAULT_SEED: u64 = 13;
/// More periods than this make no demo.
const MAX_PERIODS: u32 = 500;

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent demo
  veriregime-agent demo --candles btc.parquet --from 2024-08-04 --periods 12
  veriregime-agent demo --source binance
  veriregime-agent demo --keep        leaves the chain running for `cast`, until Ctrl-C")]
pub struct DemoArgs {
    /// How many consecutive periods of four hours to run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PERIODS)))]
    periods: u32,
    /// Where candles come from.
    #[arg(long, value_enum, default_value_t = SourceArg::Simulated, conflicts_with = "candles")]
    source: SourceArg,
    /// Replay this candle file (parquet, CSV or zip).
    #[arg(long, value_name = "FILE")]
    candles: Option<PathBuf>,
    /// First period, UTC, e.g. 2024-08-04. The last periods of a file, and of the exchange, if absent.
    #[arg(long, value_parser = parse_utc_ms, value_name = "TIME")]
    from: Option<i64>,
    /// Seed of the simulated market.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Leave the chain running until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM")]
    anvil: Option<PathBuf>,
}

/// Where candles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceArg {
    /// A made-up market from a seed.
    Simulated,
    /// The live exchange.
    Binance,
}

impl DemoArgs {
    fn scenario(self) -> Scenario {
        let source = match (self.candles, self.source) {
            (Some(path), _) => Source::Recorded(path),
            (None, SourceArg::Simulated) => Source::Simulated { seed: self.seed },
            (None, SourceArg::Binance) => Source::Binance,
        };
        Scenario { periods: self.periods, source, from_ms: self.from, anvil: self.anvil }
    }
}

/// Runs the demo.
///
/// # Errors
/// The first period that does not land, or what keeps the demo from starting.
pub async fn run(args: DemoArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = crate::config::load(settings)?;
    let stop = CancellationToken::new();
    let say = |line: String| {
        if !json {
            println!("{line}");
        }
    };
    let (keep, periods) = (args.keep, args.periods);
    let mut demo = Demo::start(&args.scenario(), config, &stop, &say).await?;
    say(String::new());
    let bar = ProgressBar::new(u64::from(periods));
    bar.set_style(ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} periods").context("progress bar")?);
    for _ in 0..periods {
        if !print::is_read() {
            break;
        }
        bar.set_message(format_utc(demo.next_start_ms()));
        demo.run_next(&stop).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    print::output(json, &demo.report().await?);
    if !json {
        println!("{}", demo.how_to_read().await?);
    }
    if keep {
        say("\nThe chain stays up; Ctrl-C ends it.".into());
        tokio::signal::ctrl_c().await?;
    }
    stop.cancel();
    demo.stop().await;
    Ok(())
}
