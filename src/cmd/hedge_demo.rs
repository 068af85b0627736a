//! `hedge demo`: a vault on a chain of one's own, week by week.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::circuit::way;
use super::print;
use super::shown::{kept, shown};
use crate::config;
use crate::demo::hedge::{HedgeDemo, HedgeScenario};
use crate::demo::scenario::Told;
use veriregime_core::types::manifest::verification::Way;

/// Its bitcoin goes up and down.
const DEFAULT_SEED: u64 = 13;
/// Half a year.
const DEFAULT_WEEKS: u32 = 26;

/// Options of `hedge demo`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent hedge demo
  veriregime-agent hedge demo --weeks 4 --country FRA
  veriregime-agent hedge demo --data tables      with bitcoin's real price, where btc_daily_usd is there
  veriregime-agent hedge demo --verify direct    without any proof

The last weeks of the tables of which all is known that they sell for: half a year in seconds.")]
pub struct HedgeDemoArgs {
    /// How many consecutive weeks to run.
    #[arg(long, default_value_t = DEFAULT_WEEKS, value_parser = clap::value_parser!(u32).range(1..=100))]
    weeks: u32,
    /// Whose electricity, by its ISO 3166 code.
    #[arg(long, value_name = "CODE", default_value = "DEU")]
    country: String,
    /// What the machines draw: by default a hundred of Antminer S19j Pro.
    #[arg(long, value_name = "W", default_value_t = 305_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    watts: u32,
    /// Months that the vault covers.
    #[arg(long, value_name = "MONTHS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=5))]
    months: u8,
    /// Folder with the tables; those that came with the program if absent.
    #[arg(long, value_name = "DIR", default_value = "deploy/hedge-demo")]
    data: PathBuf,
    /// How the chain is convinced: ezkl, halo2 or direct. As the settings say where absent, and directly where the ceremony's
    /// file is not here.
    #[arg(long, value_name = "WAY", value_parser = way)]
    verify: Option<Way>,
    /// Seed of the simulated price of a bitcoin.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
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
/// The first week that does not land, or what keeps the demo from starting.
pub async fn run(args: HedgeDemoArgs, settings: Option<&std::path::Path>, json: bool) -> anyhow::Result<()> {
    let raw = config::read(settings)?;
    let stop = CancellationToken::new();
    let weeks = args.weeks;
    let HedgeDemoArgs { country, watts, months, data, verify, seed, keep, anvil, .. } = args;
    let scenario = HedgeScenario { weeks, country, watts, months, data, seed, way: verify, anvil };
    let start = async |told: &Told<'_>| {
        let mut demo = HedgeDemo::start(scenario, raw, &stop, told).await?;
        if keep {
            demo.serve(&stop, told).await?;
        }
        Ok(demo)
    };
    let next = async |demo: &mut HedgeDemo, begins: &dyn Fn(i64)| {
        begins(demo.next_start_ms());
        demo.run_next(&stop).await
    };
    let demo = shown(json, (weeks, "weeks"), start, next).await?;
    print::output(json, &demo.report());
    if let Some(dashboard) = demo.dashboard() {
        kept(json, &dashboard).await?;
    }
    stop.cancel();
    demo.stop().await;
    Ok(())
}
