//! `once`: the running period's cycle and nothing else.

use std::path::Path;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::signals::stop_on_signal;
use super::{EXIT_DONE, EXIT_MISSED, print};
use crate::node::{assemble, replay};
use crate::operator::cycle::CycleResult;
use crate::state::Store;
use crate::state::lock::CycleLock;
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

/// Options of `once`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml once            for a system timer or a rescue by hand
  veriregime-agent --config agent.toml once --dry-run  everything up to the proof, nothing signed or sent

It also closes what earlier periods left open. Beside a running daemon it is refused (VR-STATE-010), since the daemon runs the
cycle already; --dry-run is not.
Exit status: 0 landed (or was there already), 1 error, 3 missed.")]
pub struct OnceArgs {
    /// Stop after the proof; sign, send and store nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs one cycle.
///
/// # Errors
/// What keeps it from starting, or a database that fails.
pub async fn run(args: OnceArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let config = assemble::settings(settings)?;
    let stop = CancellationToken::new();
    // A dry run keeps nothing, so that nobody is in its way.
    let lock = if args.dry_run { None } else { Some(CycleLock::take(&config.state_path)?) };
    let path = if args.dry_run { Path::new(":memory:") } else { &config.state_path };
    let clock = replay::clock(&config, &stop).await?;
    let mut agent = assemble::agent(&config, clock, Store::open(path)?).await?;
    let _signals = stop_on_signal(stop.clone())?;
    let period = PeriodId::at_ms(agent.clock.now_ms());
    let record = if args.dry_run {
        agent.run_until(Stage::Proved, period, &stop).await?
    } else {
        agent.settle(&config.schedule.cron).await?;
        agent.run(period, &stop).await?
    };
    stop.cancel();
    agent.prover.stop().await;
    drop(lock);
    let result = CycleResult::of(&agent, record);
    print::output(json, &result);
    let good = if args.dry_run { Stage::Proved } else { Stage::Confirmed };
    Ok(if result.stage() == good || result.stage() == Stage::AlreadyByOther { EXIT_DONE } else { EXIT_MISSED })
}
