//! `config check` and `config show`.

use clap::Subcommand;

use super::selection::Selection;
use super::{EXIT_DONE, EXIT_FAILED, print, report};
use crate::config::{self, DEFAULTS};
use crate::operator::settings;

/// Subcommands of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check settings, keys, model bundle, SRS and candle policy of every job without starting anything.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml config check
  veriregime-agent --config agent.toml config check --job btc-on-base    one job of several

It says everything that is wrong with any job, and asks nobody.
Exit status: 0 all in order, 1 not.")]
    Check,
    /// Print every setting with its default and meaning: a file to start from.
    #[command(after_help = "Examples:\n  veriregime-agent config show > agent.toml")]
    Show,
}

/// Runs the subcommand.
///
/// # Errors
/// Settings that cannot be read.
pub async fn run(command: ConfigCommand, selected: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    if let ConfigCommand::Show = command {
        print!("{DEFAULTS}");
        return Ok(EXIT_DONE);
    }
    let checked = settings::check(config::read(selected.file)?, selected.job).await;
    print::output(json, &checked);
    for fault in &checked.faults {
        report::say(&fault.error, &fault.jobs);
    }
    Ok(if checked.faults.is_empty() { EXIT_DONE } else { EXIT_FAILED })
}
