//! `verify`: a proof document against a model bundle.

use std::path::PathBuf;

use clap::Args;

use super::selection::Selection;
use super::{EXIT_DONE, EXIT_MISSED, print};
use crate::config::place;
use crate::operator::proof;

/// Options of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  veriregime-agent verify --proof proof.json
  veriregime-agent verify --proof proof.json --model models/btc-regime-4h-v1 --json

It checks that the registered model maps these features to these outputs. It does not check where the features came
from: recompute them from public candles for that. Exit status: 0 valid, 1 error, 3 not valid.")]
pub struct VerifyArgs {
    /// What `prove` wrote.
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    /// Model bundle instead of the configured one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

/// Verifies and says what came out.
///
/// # Errors
/// A document or bundle that cannot be read.
pub async fn run(args: VerifyArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let mut config = settings.one()?;
    if let Some(folder) = args.model {
        config.bundle = place::data(&folder);
    }
    let judgement = proof::verify(&config, &args.proof).await?;
    print::output(json, &judgement);
    Ok(if judgement.valid { EXIT_DONE } else { EXIT_MISSED })
}
