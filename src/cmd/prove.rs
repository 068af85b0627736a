//! `prove`: one period's forecast from a candle file, proven.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::config::place;
use crate::node::assemble;
use crate::render::volatility_bps;
use crate::sources::candles::file;
use veriregime_core::forecast::{compute, window};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::Outputs;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs;
use veriregime_core::types::time::{format_utc, parse_utc_ms};

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

/// A proof with everything that `RiskOracle.submit` takes and what it takes to verify it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofDocument {
    /// Name of the model.
    pub model_id: String,
    /// Digest of its manifest.
    pub manifest_sha256: Digest,
    /// The period.
    pub period: PeriodId,
    /// Its start.
    pub start: String,
    /// Candle features, market after market.
    pub candle_features: Vec<i32>,
    /// The period's calendar features, the same for each market.
    pub calendar_features: Vec<i32>,
    /// Outputs, market after market, as decimal strings.
    pub outputs: Vec<String>,
    /// Proof and public inputs.
    #[serde(flatten)]
    pub proof: Proof,
}

/// Proves and writes or prints the proof.
///
/// # Errors
/// Candles, model or prover that are not usable.
pub async fn run(args: ProveArgs, settings: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let mut config = assemble::settings(settings)?;
    if let Some(folder) = args.model {
        config.bundle = place::data(&folder);
    }
    let bundle = Bundle::open(&config.bundle)?;
    let model = assemble::model(&bundle)?;
    let period = PeriodId::at_ms(args.at);
    let spec = &bundle.manifest.features;
    let markets = bundle.manifest.markets.len();
    anyhow::ensure!(args.candles.len() == markets, "the model has {markets} markets: give a candle file for each");
    let mut windows = Vec::with_capacity(markets);
    for path in &args.candles {
        let window = window(spec, &file::read_any(path)?, period)
            .with_context(|| format!("{} does not cover the period's window", path.display()))?;
        windows.push(Some(window));
    }
    let forecast = compute(spec, &model, &windows, period)?;
    let outputs = forecast.output_integers();
    let mut prover = assemble::prover(&config, &bundle).await?;
    let proved = prover.prove(&forecast.inputs(), &outputs).await?;
    prover.stop().await;
    let document = ProofDocument {
        model_id: bundle.manifest.model_id.clone(),
        manifest_sha256: bundle.manifest_digest,
        period,
        start: format_utc(period.start_ms()),
        candle_features: public_inputs::candle_features(&forecast.features),
        calendar_features: forecast.features[0].calendar.clone(),
        outputs: outputs.iter().map(ToString::to_string).collect(),
        proof: proved.proof,
    };
    if let Some(path) = &args.output {
        veriregime_files::write_atomic(path, &serde_json::to_vec_pretty(&document)?)?;
    }
    if json {
        println!("{}", serde_json::to_string(&document)?);
        return Ok(());
    }
    for (market, outputs) in bundle.manifest.markets.iter().zip(&forecast.outputs) {
        let prediction = outputs.decode(bundle.manifest.circuit.output_scale);
        println!(
            "{} {}: {} with probability {:.1} %, volatility {} a minute",
            market.name,
            document.start,
            prediction.regime,
            prediction.probability_high * 100.0,
            volatility_bps(prediction.volatility)
        );
    }
    println!(
        "proven in {:.0} ms, verified in {:.0} ms, {} bytes",
        proved.prove_ms,
        proved.verify_ms,
        document.proof.bytes.len()
    );
    if let Some(path) = &args.output {
        println!("written to {}", path.display());
    }
    Ok(())
}

impl ProofDocument {
    /// The integers that the public inputs must stand for, `None` unless there are three for each market.
    pub fn outputs(&self, markets: usize) -> Option<Vec<i128>> {
        let outputs: Vec<i128> = self.outputs.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
        (outputs.len() == markets * Outputs::COUNT).then_some(outputs)
    }
}
