//! `verify`: a proof document against a model bundle.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::prove::ProofDocument;
use super::{EXIT_DONE, EXIT_MISSED};
use crate::bundle::Bundle;
use crate::config::place;
use crate::node::assemble;
use veriregime_core::features;
use veriregime_core::types::public_inputs;
use veriregime_files::FileError;

/// Largest proof document.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

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
pub async fn run(args: VerifyArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<u8> {
    let mut config = assemble::settings(settings)?;
    if let Some(folder) = args.model {
        config.bundle = place::data(&folder);
    }
    let bundle = Bundle::open(&config.bundle)?;
    let document: ProofDocument =
        serde_json::from_slice(&veriregime_files::read_bounded(&args.proof, MAX_DOCUMENT_BYTES)?)
            .map_err(|error| FileError::Read { path: args.proof.clone(), source: error.into() })?;
    let mut reason = refusal(&bundle, &document)?;
    if reason.is_none() {
        let mut prover = assemble::prover(&config, &bundle).await?;
        let valid = prover.verify(&document.proof).await?;
        prover.stop().await;
        reason = (!valid).then_some("the proof does not hold");
    }
    if json {
        println!("{}", json!({"valid": reason.is_none(), "reason": reason, "period": document.period}));
    } else {
        match reason {
            None => println!("valid: {} maps these features to these outputs", document.model_id),
            Some(reason) => println!("NOT valid: {reason}"),
        }
    }
    Ok(if reason.is_none() { EXIT_DONE } else { EXIT_MISSED })
}

/// What is wrong before any cryptography: another model, or public inputs that do not stand for the document's integers
/// and its period.
fn refusal(bundle: &Bundle, document: &ProofDocument) -> anyhow::Result<Option<&'static str>> {
    let spec = &bundle.manifest.features;
    let markets = bundle.manifest.markets.len();
    if document.manifest_sha256 != bundle.manifest_digest {
        return Ok(Some("it is of another model"));
    }
    let calendar = features::calendar_table(spec)?.swap_remove(document.period.slot_of_week());
    if calendar != document.calendar_features {
        return Ok(Some("its calendar features are not the period's"));
    }
    let Some(outputs) = document.outputs(markets) else {
        return Ok(Some("its outputs are not three integers for each market"));
    };
    if document.candle_features.len() != markets * spec.candle.len() {
        return Ok(Some("it has another number of features"));
    }
    let inputs = public_inputs::published_features(&document.candle_features, spec.candle.len(), &calendar);
    Ok((public_inputs::instances(&inputs, &outputs) != document.proof.instances)
        .then_some("its public inputs are not its features and outputs"))
}
