//! `doctor`: looks at everything that a node needs, and changes nothing.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use super::selection::Selection;
use super::{EXIT_DONE, print};
use crate::devnet::foundry;
use crate::doctor;

/// Something does not work.
const EXIT_SICK: u8 = 3;

/// Options of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml doctor
  veriregime-agent --config agent.toml doctor --json
  veriregime-agent --config agent.toml doctor --job btc-on-base   one of several jobs
  veriregime-agent --config agent.toml doctor --fork    a whole cycle, proof and transaction, on a copy of the chain

It reads and asks, and changes nothing. With --fork, anvil makes a copy of the configured chain on this machine; the cycle
knows no other chain, its transactions carry another chain id, and the wallet's money there is made up.
Exit status: 0 nothing fails (warnings may be there), 1 error, 3 something fails.")]
pub struct DoctorArgs {
    /// Also run the running period's cycle on a fork of the configured chain.
    #[arg(long)]
    fork: bool,
    /// anvil, instead of the one that `make setup` installs.
    #[arg(long, value_name = "PROGRAM", requires = "fork")]
    anvil: Option<PathBuf>,
    /// Folder of the records that `deploy` wrote: the roles on chain are held against them.
    #[arg(long, value_name = "DIR", default_value = "deploy")]
    record: PathBuf,
}

/// Looks, and says what it saw.
///
/// # Errors
/// Only what keeps it from looking at all.
pub async fn run(args: DoctorArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.enable_steady_tick(Duration::from_millis(200));
    let source = settings.file.map_or_else(|| "defaults".into(), |path| path.display().to_string());
    let fork = args.fork.then(|| args.anvil.unwrap_or_else(|| foundry("anvil")));
    let report =
        doctor::examine(settings.node(), settings.job, source, fork, &args.record, &|what| bar.set_message(what)).await;
    bar.finish_and_clear();
    print::output(json, &report);
    Ok(if report.healthy { EXIT_DONE } else { EXIT_SICK })
}
