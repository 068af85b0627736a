//! `status`: what happened, what the chain says, what comes next.

use clap::Args;

use super::print;
use super::selection::Selection;
use crate::operator::status::NodeStatus;

/// Options of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml status
  veriregime-agent --config agent.toml status --last 42 --json
  veriregime-agent --config agent.toml status --job btc     one of several jobs")]
pub struct StatusArgs {
    /// How many cycles to show: of all that this node has run, or of each of several jobs.
    #[arg(long, default_value_t = 6, value_name = "N")]
    last: u32,
}

/// Prints the status.
///
/// # Errors
/// Settings, bundle or database that cannot be read.
pub async fn run(args: StatusArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<()> {
    let node = settings.node()?;
    print::output(json, &NodeStatus::of(node.chosen(settings.job)?, node.jobs(), args.last).await?);
    Ok(())
}
