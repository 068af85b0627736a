//! `evidence list` and `evidence prune`: the bundles that landed updates left behind.

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::evidence::EvidenceStore;
use crate::node::assemble;
use crate::render::layout::Table;
use crate::state::Store;
use crate::state::jobs::Scope;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::time::{format_utc, parse_utc_ms};

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
pub fn run(command: EvidenceCommand, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = assemble::settings(settings)?;
    let store = Store::open(&config.state_path)?;
    let folder = EvidenceStore::new(config.evidence_dir);
    match command {
        EvidenceCommand::List => list(&store, &folder, json)?,
        EvidenceCommand::Prune { before } => {
            let first_kept = PeriodId::at_ms(before + PeriodId::SECONDS * 1000 - 1);
            let old = store.evidence_before(Scope::All, first_kept)?;
            for kept in &old {
                folder.remove(kept.evidence)?;
                store.prune_evidence(kept)?;
            }
            if json {
                println!("{}", json!({"deleted": old.len()}));
            } else {
                println!("{} bundles deleted", old.len());
            }
        }
    }
    Ok(())
}

fn list(store: &Store, folder: &EvidenceStore, json: bool) -> anyhow::Result<()> {
    let rows: Vec<Value> = store
        .evidence_before(Scope::All, PeriodId(i64::MAX as u64))?
        .into_iter()
        .map(|kept| {
            let file = folder.file(kept.evidence);
            let (period, starts) = (kept.period.0, format_utc(kept.period.start_ms()));
            let (sha256, bytes) = (kept.evidence, veriregime_files::size_bytes(&file).ok());
            json!({"period": period, "starts": starts, "sha256": sha256, "bytes": bytes, "file": file})
        })
        .collect();
    if json {
        println!("{}", Value::from(rows));
        return Ok(());
    }
    let mut table = Table::new(&["period", "starts", "kB", "file"]);
    for row in &rows {
        let kilobytes =
            row["bytes"].as_u64().map_or_else(|| "missing".into(), |bytes| bytes.div_ceil(1000).to_string());
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        table.add_row([row["period"].to_string(), text("starts"), kilobytes, text("file")]);
    }
    println!("{table}");
    Ok(())
}
