//! `demo`: the whole system on a chain of one's own, and a table of what happened.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use super::circuit::way;
use super::print;
use super::shown::shown;
use crate::demo::Demo;
use crate::demo::scenario::{MAX_JOBS, Scenario, Source, Told};
use crate::operator::status::NodeStatus;
use crate::render::Render;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::time::parse_utc_ms;

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
  veriregime-agent demo --verify halo2    without EZKL; direct: without any proof
  veriregime-agent demo --jobs 3      one node, two chains, and a model over three markets
  veriregime-agent demo --keep        leaves chain and dashboard running, until Ctrl-C")]
pub struct DemoArgs {
    /// How many consecutive periods of four hours to run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PERIODS)))]
    periods: u32,
    /// How many jobs one node runs: 1 is the model on a chain, 2 the same on a second chain, too, 3 also a model over three markets.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=MAX_JOBS as i64))]
    jobs: u8,
    /// How the chain is convinced: ezkl, halo2 or direct; as the settings say where absent.
    #[arg(long, value_name = "WAY", value_parser = way)]
    verify: Option<Way>,
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
    /// Leave the chain, the API and its dashboard running until Ctrl-C.
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
        Scenario { periods: self.periods, jobs: self.jobs.into(), source, from_ms: self.from, anvil: self.anvil }
    }
}

/// Runs the demo.
///
/// # Errors
/// The first period that does not land, or what keeps the demo from starting.
pub async fn run(args: DemoArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let mut config = crate::config::load(settings)?;
    if let Some(way) = args.verify {
        config.prover.kind = way.into();
    }
    let stop = CancellationToken::new();
    let (keep, periods, jobs) = (args.keep, args.periods, args.jobs);
    let scenario = args.scenario();
    let start = async |told: &Told<'_>| {
        let mut demo = Demo::start(&scenario, config, &stop, told).await?;
        if keep {
            demo.serve(&stop, told).await?;
        }
        Ok(demo)
    };
    let next = async |demo: &mut Demo, begins: &dyn Fn(i64)| {
        begins(demo.next_start_ms());
        demo.run_next(&stop).await
    };
    let mut demo = shown(json, (periods, "periods"), start, next).await?;
    print::output(json, &demo.report().await?);
    match jobs {
        _ if json => {}
        1 => println!("{}", demo.how_to_read().await?),
        _ => {
            let node = demo.configs();
            let status = NodeStatus::of(&node, &node, periods).await?;
            println!("\nWhat `veriregime-agent status` says of these jobs:\n\n{}", status.text());
        }
    }
    if keep {
        let program = std::env::args().next().unwrap_or_else(|| "veriregime-agent".into());
        let what =
            if jobs == 1 { "The chain stays up; Ctrl-C ends it." } else { "The chains stay up; Ctrl-C ends them." };
        let settings = demo.settings().display();
        if !json {
            let dashboard = demo.dashboard().unwrap_or_default();
            println!(
                "\n{what} Meanwhile, in a browser:\n\n  {dashboard}\n\nor in another terminal:\n\n  \
                 {program} --config {settings} status"
            );
        }
        tokio::signal::ctrl_c().await?;
    }
    stop.cancel();
    demo.stop().await;
    Ok(())
}
