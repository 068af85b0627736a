//! `yield demo`: strategies on a chain of one's own, day by day.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::circuit::way;
use super::print;
use super::shown::{kept, shown};
use crate::config;
use crate::demo::scenario::Told;
use crate::demo::yields::{YieldDemo, YieldScenario};
use veriregime_core::types::manifest::verification::Way;

/// A month.
const DEFAULT_DAYS: u32 = 30;

/// Options of `yield demo`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent yield demo
  veriregime-agent yield demo --days 5 --verify ezkl      with EZKL's proofs
  veriregime-agent yield demo --data tables               the first three strategies of a folder's tables

The last days of the tables of which all is known that they forecast.")]
pub struct YieldDemoArgs {
    /// How many consecutive days to run.
    #[arg(long, default_value_t = DEFAULT_DAYS, value_parser = clap::value_parser!(u32).range(1..=100))]
    days: u32,
    /// Folder with the tables; those that came with the program if absent.
    #[arg(long, value_name = "DIR", default_value = "deploy/yield-demo")]
    data: PathBuf,
    /// How the chain is convinced: ezkl or halo2, by a proof, or direct, where a contract computes the network.
    #[arg(long, value_name = "WAY", value_parser = way, default_value = "direct")]
    verify: Way,
    /// Leave the chain, the API and its dashboard running until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM")]
    anvil: Option<PathBuf>,
}

/// Runs the demo.
///
/// # Errors
/// The first day that does not land, or what keeps the demo from starting.
pub async fn run(args: YieldDemoArgs, settings: Option<&std::path::Path>, json: bool) -> anyhow::Result<()> {
    let raw = config::read(settings)?;
    let stop = CancellationToken::new();
    let YieldDemoArgs { days, data, verify, keep, anvil } = args;
    let scenario = YieldScenario { days, data, way: verify, anvil };
    let start = async |told: &Told<'_>| {
        let demo = YieldDemo::start(scenario, raw, &stop, told).await?;
        if keep {
            demo.tell_dashboard(told);
        }
        Ok(demo)
    };
    let next = async |demo: &mut YieldDemo, begins: &dyn Fn(i64)| {
        begins(demo.next_start_ms());
        demo.run_next(&stop).await
    };
    let demo = shown(json, (days, "days"), start, next).await?;
    print::output(json, &demo.report().await?);
    if keep {
        kept(json, &demo.dashboard()).await?;
    }
    stop.cancel();
    demo.stop().await;
    Ok(())
}
