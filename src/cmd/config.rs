//! `config check` and `config show`.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::{feeds, setup};
use crate::config::{self, DEFAULTS};
use crate::proof::bundle::Bundle;

/// Subcommands of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check settings, keys, model bundle and candle policy without starting anything.
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
pub async fn run(command: ConfigCommand, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show => print!("{DEFAULTS}"),
        ConfigCommand::Check => {
            let checked = config::load(settings)?;
            setup::signer(&checked.signer).await?;
            if let Some(attestor) = &checked.attestor {
                setup::signer(attestor).await?;
            }
            let bundle = Bundle::open(&checked.bundle)?;
            let sources = feeds::feeds(&checked, &bundle.manifest)?;
            let sources: Vec<&str> = sources.order.iter().map(|feed| feed.name.as_str()).collect();
            if json {
                println!(
                    "{}",
                    json!({"ok": true, "model_id": bundle.manifest.model_id, "chain_id": checked.chain.chain_id, "sources": sources})
                );
            } else {
                println!(
                    "settings, keys and model bundle {} are in order; candles from {}; chain {}, contract {}",
                    bundle.manifest.model_id,
                    sources.join(", then "),
                    checked.chain.chain_id,
                    checked.chain.oracle.map_or_else(|| "not set".into(), |oracle| oracle.to_string())
                );
            }
        }
    }
    Ok(())
}
