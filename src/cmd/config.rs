//! `config check` and `config show`.

use std::path::Path;

use clap::Subcommand;

use super::print;
use crate::config::{self, DEFAULTS};
use crate::operator::settings;

/// Subcommands of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check settings, keys, model bundle, SRS and candle policy without starting anything.
    #[command(after_help = "Examples:\n  veriregime-agent --config agent.toml config check")]
    Check,
    /// Print every setting with its default and meaning: a file to start from.
    #[command(after_help = "Examples:\n  veriregime-agent config show > agent.toml")]
    Show,
}

/// Runs the subcommand.
///
/// # Errors
/// The first thing that is not right.
pub async fn run(command: ConfigCommand, file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show => print!("{DEFAULTS}"),
        ConfigCommand::Check => print::output(json, &settings::check(&config::load(file)?).await?),
    }
    Ok(())
}
