//! `config check` and `config show`.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use crate::bundle::Bundle;
use crate::config::{self, Config, DEFAULTS};
use crate::node::{assemble, feeds};
use crate::verification::error::ProofError;
use crate::verification::ezkl::srs::Srs;
use veriregime_core::types::chain_id::is_development;

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
pub async fn run(command: ConfigCommand, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show => print!("{DEFAULTS}"),
        ConfigCommand::Check => check(settings, json).await?,
    }
    Ok(())
}

async fn check(settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = config::load(settings)?;
    assemble::signer(&config.signer).await?;
    if let Some(attestor) = &config.attestor {
        assemble::signer(attestor).await?;
    }
    let bundle = Bundle::open(&config.bundle)?;
    let sources = feeds::feeds(&config, &bundle.manifest)?;
    let sources: Vec<&str> = sources.order.iter().map(|feed| feed.name.as_str()).collect();
    let srs = reference_string(&config, &bundle)?;
    let (model_id, chain) = (&bundle.manifest.model_id, &config.chain);
    if json {
        let srs = srs.map(|srs| srs.path);
        println!(
            "{}",
            json!({"ok": true, "model_id": model_id, "chain_id": chain.chain_id, "sources": sources, "srs": srs})
        );
        return Ok(());
    }
    let lines = [
        format!("settings, keys and model bundle {model_id} are in order"),
        format!("candles from {}", sources.join(", then ")),
        format!("chain {}, contract {}", chain.chain_id, chain.oracle.map_or("not set".into(), |one| one.to_string())),
        match srs {
            Some(srs) => format!("SRS {srs}"),
            None => format!("NO SRS in {}: nothing can be proven", config.prover.srs_dir.display()),
        },
    ];
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

/// The SRS. On a development chain it may be made later.
fn reference_string(config: &Config, bundle: &Bundle) -> Result<Option<Srs>, ProofError> {
    match assemble::srs(config, bundle) {
        Err(ProofError::SrsMissing { .. }) if is_development(config.chain.chain_id) => Ok(None),
        found => found.map(Some),
    }
}
