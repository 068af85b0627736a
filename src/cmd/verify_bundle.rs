//! `verify-bundle`: one update's evidence, computed again and verified without a network.

use std::path::PathBuf;

use clap::Args;

use super::audit::exit_status;
use super::print;
use super::selection::Selection;
use crate::audit::offline;
use crate::config::place;

/// Options of `verify-bundle`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curl -O https://node.example/v1/evidence/<digest>
  veriregime-agent verify-bundle <digest>
  veriregime-agent --json verify-bundle state/evidence/<digest>.json.gz --model models/btc-regime-4h-v1

It needs the model's bundle and the SRS, and asks nobody: from the candles in the file it computes features,
network, public inputs and witness again and compares them bit for bit, verifies the proof and the attestors' signatures,
and checks that the calldata brings just this. A file named by a digest must have it. What it cannot know: whether the
exchange said so, whether the update is on chain, and who was in the attestor set. `audit` asks for these.
Exit status: 0 match, 1 error, 3 data differ, 4 proof or attestation invalid.")]
pub struct VerifyBundleArgs {
    /// The evidence bundle, compressed or not.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Model bundle instead of the configured one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

/// Verifies and says what came out.
///
/// # Errors
/// A file, model or SRS that cannot be used; candles that no update is made from.
pub async fn run(args: VerifyBundleArgs, settings: Selection<'_>, json: bool) -> anyhow::Result<u8> {
    let mut config = settings.one()?;
    if let Some(folder) = args.model {
        config.bundle = place::data(&folder);
    }
    let report = offline::verify_file(&config, &args.file).await?;
    print::output(json, &report);
    Ok(exit_status(report.found.verdict))
}
