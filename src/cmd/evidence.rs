//! `evidence list` and `evidence prune`: the bundles that landed updates left behind.

use clap::Subcommand;

use super::print;
use super::selection::Selection;
use crate::evidence::EvidenceStore;
use crate::operator::evidence;
use crate::state::Store;
use veriregime_core::types::time::parse_utc_ms;

/// Subcommands of `evidence`.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Show the bundles that are kept.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml evidence list
  veriregime-agent --config agent.toml --json evidence list | jq -r '.[0].file'")]
    List,
    /// Delete the bundles of periods before a moment. They are not made again.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml evidence prune --before 2026-06-01

The daemon deletes what is older than evidence.keep_days by itself. Safe beside a running daemon.")]
    Prune {
        /// Periods that start before this moment, UTC.
        #[arg(long, value_parser = parse_utc_ms, value_name = "DATE")]
        before: i64,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// Settings, database or folder that cannot be used.
pub fn run(command: EvidenceCommand, settings: Selection<'_>, json: bool) -> anyhow::Result<()> {
    let config = settings.node()?.node().clone();
    let store = Store::open(&config.state_path)?;
    let folder = EvidenceStore::new(config.evidence_dir);
    match command {
        EvidenceCommand::List => print::output(json, &evidence::list(&store, &folder)?),
        EvidenceCommand::Prune { before } => print::output(json, &evidence::prune(&store, &folder, before)?),
    }
    Ok(())
}
