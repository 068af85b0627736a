//! A forecast from candle files, proven, and such a proof checked by whoever has the model's bundle.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bundle::Bundle;
use crate::config::Config;
use crate::node::assemble;
use crate::render::{Render, volatility_bps};
use crate::sources::candles::file;
use veriregime_core::features;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs;
use veriregime_core::types::time::format_utc;
use veriregime_files::FileError;

/// Largest proof document.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// The proof document in a file, of a kind.
pub(super) fn read_document<T: DeserializeOwned>(file: &Path) -> Result<T, FileError> {
    serde_json::from_slice(&veriregime_files::read_bounded(file, MAX_DOCUMENT_BYTES)?)
        .map_err(|error| FileError::Read { path: file.to_owned(), source: error.into() })
}

/// Integers that a document holds as decimal strings, `None` unless there are so many.
pub(super) fn integers(texts: &[String], count: usize) -> Option<Vec<i128>> {
    let integers: Vec<i128> = texts.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
    (integers.len() == count).then_some(integers)
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

/// A proof that was made, and what it says.
#[derive(Debug, Serialize)]
pub struct Proven {
    #[serde(flatten)]
    pub document: ProofDocument,
    /// Forecasts and durations, for people.
    #[serde(skip)]
    lines: Vec<String>,
}

impl Render for Proven {
    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// Proves the forecast of the period around `at_ms` from candle files, one for each market of the model in its order, and writes the document to
/// `output`, if any.
///
/// # Errors
/// Candles, model or prover that are not usable.
pub async fn prove(config: &Config, at_ms: i64, candles: &[PathBuf], output: Option<&Path>) -> anyhow::Result<Proven> {
    let bundle = Bundle::open(&config.bundle)?;
    let model = assemble::model(&bundle)?;
    let period = model.grid.period_at(at_ms);
    let markets = model.candles.markets.len();
    anyhow::ensure!(candles.len() == markets, "the model has {markets} markets: give a candle file for each");
    let mut windows = Vec::with_capacity(markets);
    for path in candles {
        let window = model
            .window(&file::read_any(path)?, period)
            .with_context(|| format!("{} does not cover the period's window", path.display()))?;
        windows.push(Some(window));
    }
    let forecast = model.compute(&windows, period)?;
    let outputs = forecast.output_integers();
    let mut prover = assemble::prover(config, &bundle).await?;
    let proved = prover.prove(&forecast.inputs(), &outputs).await?;
    prover.stop().await;
    let document = ProofDocument {
        model_id: bundle.manifest.model_id.clone(),
        manifest_sha256: bundle.manifest_digest,
        period,
        start: format_utc(model.grid.start_ms(period)),
        candle_features: public_inputs::candle_features(&forecast.features),
        calendar_features: forecast.features[0].calendar.clone(),
        outputs: outputs.iter().map(ToString::to_string).collect(),
        proof: proved.proof,
    };
    let forecasts = model.candles.markets.iter().zip(&forecast.outputs).filter_map(|(market, outputs)| {
        let prediction = model.read(outputs)?;
        Some(format!(
            "{} {}: {} with probability {:.1} %, volatility {} a minute",
            market.name,
            document.start,
            prediction.regime,
            prediction.probability_high * 100.0,
            volatility_bps(prediction.volatility)
        ))
    });
    let mut lines: Vec<String> = forecasts.collect();
    let (prove_ms, verify_ms, bytes) = (proved.prove_ms, proved.verify_ms, document.proof.bytes.len());
    lines.push(format!("proven in {prove_ms:.0} ms, verified in {verify_ms:.0} ms, {bytes} bytes"));
    if let Some(path) = output {
        veriregime_files::write_atomic(path, &serde_json::to_vec_pretty(&document)?)?;
        lines.push(format!("written to {}", path.display()));
    }
    Ok(Proven { document, lines })
}

/// How a proof document was judged.
#[derive(Debug, Serialize)]
pub struct Judgement {
    pub valid: bool,
    pub reason: Option<&'static str>,
    pub period: PeriodId,
    #[serde(skip)]
    model_id: String,
}

impl Render for Judgement {
    fn text(&self) -> String {
        match self.reason {
            None => format!("valid: {} maps these features to these outputs", self.model_id),
            Some(reason) => format!("NOT valid: {reason}"),
        }
    }
}

/// Checks the proof document in a file by the configured bundle.
///
/// # Errors
/// A document or bundle that cannot be read, or a prover that does not start.
pub async fn verify(config: &Config, file: &Path) -> anyhow::Result<Judgement> {
    let bundle = Bundle::open(&config.bundle)?;
    let document: ProofDocument = read_document(file)?;
    let mut reason = refusal(&bundle, &document)?;
    if reason.is_none() {
        let mut prover = assemble::prover(config, &bundle).await?;
        let valid = prover.verify(&document.proof).await?;
        prover.stop().await;
        reason = (!valid).then_some("the proof does not hold");
    }
    Ok(Judgement { valid: reason.is_none(), reason, period: document.period, model_id: document.model_id })
}

impl ProofDocument {
    /// The integers that the public inputs must stand for, `None` unless there are so many.
    pub fn outputs(&self, count: usize) -> Option<Vec<i128>> {
        integers(&self.outputs, count)
    }
}

/// What is wrong before any cryptography: another model, or public inputs that do not stand for the document's integers
/// and its period.
fn refusal(bundle: &Bundle, document: &ProofDocument) -> anyhow::Result<Option<&'static str>> {
    let spec = bundle.manifest.features()?;
    let markets = bundle.manifest.rows();
    if document.manifest_sha256 != bundle.manifest_digest {
        return Ok(Some("it is of another model"));
    }
    let calendar = features::calendar_table(spec, bundle.manifest.grid)?
        .swap_remove(bundle.manifest.grid.slot_of_week(document.period));
    if calendar != document.calendar_features {
        return Ok(Some("its calendar features are not the period's"));
    }
    let Some(outputs) = document.outputs(markets * bundle.manifest.outputs.len()) else {
        return Ok(Some("its outputs are not as many integers as the model has outputs"));
    };
    if document.candle_features.len() != markets * spec.candle.len() {
        return Ok(Some("it has another number of features"));
    }
    let inputs = public_inputs::published_features(&document.candle_features, spec.candle.len(), &calendar);
    Ok((public_inputs::instances(&inputs, &outputs) != document.proof.instances)
        .then_some("its public inputs are not its features and outputs"))
}
