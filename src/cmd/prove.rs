//! `prove`: one period's forecast from a candle file, proven.

use std::path::PathBuf;

use clap::Args;

use super::print;
use super::selection::Selection;
use crate::config::place;
use crate::operator::proof;
use veriregime_core::types::time::parse_utc_ms;

/// Options of `prove`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent prove --candles btc.parquet --at 2024-08-05T00:00Z --output proof.json
  veriregime-agent verify --proof proof.json")]
pub struct ProveArgs {
    /// Candle file (parquet, CSV or zip); one for each market of the model, in its order.
    #[arg(long, required = true, value_name = "FILE")]
    candles: Vec<PathBuf>,
    /// Any moment of the period, UTC, e.g. 2024-08-05 or 2024-08-05T04:00Z.
    #[arg(long, value_parser = parse_utc_ms, value_name = "TIME")]
    at: i64,
    /// Model bundle instead of the configured one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Where to write the proof; standard output with --json if absent.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Proves and writes or prints the proof.
///
/// # Errors
/// Candles, model or prover that are not usable.
pub async fn run(args: ProveArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<()> {
    let mut config = settings.one()?;
    if let Some(folder) = args.model {
        config.bundle = place::data(&folder);
    }
    let proven = proof::prove(&config, args.at, &args.candles, args.output.as_deref()).await?;
    print::output(json, &proven);
    Ok(())
}
