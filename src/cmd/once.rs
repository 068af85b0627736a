//! `once`: the running period's cycle of each job and nothing else.

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::selection::Selection;
use super::signals::stop_on_signal;
use super::{EXIT_DONE, EXIT_FAILED, EXIT_MISSED, print};
use crate::operator::once::{Extent, Outcome, once};
use crate::state::lock::CycleLock;

/// Options of `once`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml once            for a system timer or a rescue by hand
  veriregime-agent --config agent.toml once --dry-run  everything up to the proof, nothing signed or sent
  veriregime-agent --config agent.toml once --job btc-on-base  one job of several

It also closes what earlier periods left open. Beside a running daemon it is refused (VR-STATE-010), since the daemon runs the
cycle already; --dry-run is not.
Exit status: 0 landed (or was there already), 1 error, 3 missed; of several jobs the worst.")]
pub struct OnceArgs {
    /// Stop after the proof; sign, send and store nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs one cycle of each job, or of one.
///
/// # Errors
/// What keeps the only job from starting, or a database that fails.
pub async fn run(args: OnceArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let config = settings.node()?;
    let extent = if args.dry_run { Extent::UpToProof } else { Extent::Whole };
    // A dry run keeps nothing, so that nobody is in its way.
    let lock = if args.dry_run { None } else { Some(CycleLock::take(&config.node().state_path)?) };
    let stop = CancellationToken::new();
    let _signals = stop_on_signal(stop.clone())?;
    let mut cycles = once(&config, settings.job, extent, stop).await?;
    drop(lock);
    let outcome = cycles.worst(extent);
    match cycles.take_only() {
        Some(only) => print::output(json, &only?),
        None => print::output(json, &cycles),
    }
    Ok(match outcome {
        Outcome::Done => EXIT_DONE,
        Outcome::Missed => EXIT_MISSED,
        Outcome::Failed => EXIT_FAILED,
    })
}
