//! `status`: what happened, what the chain says, what comes next.

use std::path::Path;

use clap::Args;

use super::print;
use crate::node::assemble;
use crate::operator::status::status;

/// Options of `status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent --config agent.toml status
  veriregime-agent --config agent.toml status --last 42 --json")]
pub struct StatusArgs {
    /// How many cycles to show, of all models that this node has run.
    #[arg(long, default_value_t = 6, value_name = "N")]
    last: u32,
}

/// Prints the status.
///
/// # Errors
/// Settings, bundle or database that cannot be read.
pub async fn run(args: StatusArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = assemble::settings(settings)?;
    print::output(json, &status(&config, args.last).await?);
    Ok(())
}
