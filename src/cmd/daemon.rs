//! `daemon`: a cycle of each job at every tick, until stopped.

use std::path::Path;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::EXIT_DONE;
use super::signals::stop_on_signal;
use crate::config;
use crate::node::reload::Reload;
use crate::node::{Node, assemble};
use crate::state::lock::CycleLock;

/// Options of `daemon`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml daemon
  VERIREGIME__CHAIN__RPC_URL=http://node:8545 veriregime-agent daemon

SIGHUP reads the settings again: what can change without harm does. SIGTERM and SIGINT stop it at once and cleanly. Whatever was stored is taken up again at the next start, also after
kill -9: nothing is submitted twice.")]
pub struct DaemonArgs {}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What keeps it from starting, or a database that fails.
pub async fn run(_args: DaemonArgs, settings: Option<&Path>) -> anyhow::Result<u8> {
    let running = config::read(settings)?;
    let config = assemble::checked_node(running.clone())?;
    let stop = CancellationToken::new();
    let _cycles_are_ours = CycleLock::take(&config.node().state_path)?;
    let node = Node::new(config, stop.clone())?;
    let _signals = stop_on_signal(stop)?;
    node.run(Reload { file: settings.map(Path::to_owned), running }).await?;
    Ok(EXIT_DONE)
}
