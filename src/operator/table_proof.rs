//! Proofs of models of a table, from numbers that are given by hand, and such a proof checked by whoever has the bundle.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::proof::{integers, read_document};
use crate::bundle::Bundle;
use crate::render::layout::Table;
use crate::render::{Render, lines};
use crate::verification::ezkl::prover::EzklProver;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::types::chain_id::DEVELOPMENT_CHAIN_IDS;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

/// What proves and verifies.
#[derive(Debug)]
pub struct ProverFiles<'a> {
    /// How EZKL is run.
    pub worker: WorkerSettings,
    /// Folder with the SRS files.
    pub srs_folder: &'a Path,
}

impl ProverFiles<'_> {
    /// A prover of the bundle. Nothing is sent anywhere, so that keys for development will do.
    async fn start(&self, bundle: &Bundle) -> anyhow::Result<EzklProver> {
        Ok(EzklProver::start(self.worker.clone(), bundle, self.srs_folder, DEVELOPMENT_CHAIN_IDS[0]).await?)
    }
}

/// A proof with the integers that it is about.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableProof {
    /// Name of the model.
    pub model_id: String,
    /// Digest of its manifest.
    pub manifest_sha256: Digest,
    /// The columns on their grid.
    pub inputs: Vec<i32>,
    /// The outputs on theirs, as decimal strings.
    pub outputs: Vec<String>,
    /// Proof and public inputs.
    #[serde(flatten)]
    pub proof: Proof,
}

/// A proof that was made, and what it took.
#[derive(Debug, Serialize)]
pub struct Proven {
    /// The proof.
    #[serde(flatten)]
    pub document: TableProof,
    /// Each output as a number in its unit.
    pub numbers: Vec<Number>,
    /// Time to run the circuit and to prove, in ms.
    pub prove_ms: f64,
    /// Time to verify, in ms.
    pub verify_ms: f64,
    /// Largest resident set of the prover, in bytes.
    pub peak_memory_bytes: u64,
}

/// A named output.
#[derive(Debug, Serialize)]
pub struct Number {
    name: String,
    value: f64,
    unit: String,
}

/// Proves what the bundle's model says of `row`, and writes the document to `output`, if any.
///
/// # Errors
/// A bundle without a table or a circuit, a row that is none, or what the prover runs into.
pub async fn prove(
    bundle: &Bundle,
    row: &[f64],
    files: &ProverFiles<'_>,
    output: Option<&Path>,
) -> anyhow::Result<Proven> {
    let forecast = bundle.table_model()?.forecast(bundle.table()?, row)?;
    let mut prover = files.start(bundle).await?;
    let proved = prover.prove(&forecast.inputs, &forecast.outputs).await;
    let memory = prover.peak_rss_bytes().await;
    prover.stop().await;
    let (proved, peak_memory_bytes) = (proved?, memory?);
    let number = |(output, integer): (&veriregime_core::types::manifest::Output, &i128)| Number {
        name: output.name.clone(),
        value: *integer as f64 * libm::exp2(-f64::from(output.scale)),
        unit: output.unit.clone(),
    };
    let document = TableProof {
        model_id: bundle.manifest.model_id.clone(),
        manifest_sha256: bundle.manifest_digest,
        inputs: forecast.inputs,
        outputs: forecast.outputs.iter().map(ToString::to_string).collect(),
        proof: proved.proof,
    };
    if let Some(path) = output {
        veriregime_files::write_atomic(path, &serde_json::to_vec_pretty(&document)?)?;
    }
    Ok(Proven {
        numbers: bundle.manifest.outputs.iter().zip(&forecast.outputs).map(number).collect(),
        document,
        prove_ms: proved.witness_ms + proved.prove_ms,
        verify_ms: proved.verify_ms,
        peak_memory_bytes,
    })
}

impl Render for Proven {
    fn text(&self) -> String {
        let mut table = Table::new(&["output", "value", "unit"]);
        for Number { name, value, unit } in &self.numbers {
            table.add_row([name.clone(), format!("{value:.6}"), unit.clone()]);
        }
        let cost = format!(
            "proven in {:.0} ms, verified in {:.0} ms, {} bytes, {} MB of memory",
            self.prove_ms,
            self.verify_ms,
            self.document.proof.bytes.len(),
            self.peak_memory_bytes / 1_000_000
        );
        lines([table.to_string(), cost])
    }
}

/// How a proof was judged.
#[derive(Debug, Serialize)]
pub struct Judgement {
    /// Whether it holds.
    pub valid: bool,
    /// What is wrong with it, if anything.
    pub reason: Option<&'static str>,
    model_id: String,
}

/// Checks the proof document in `file` by the bundle.
///
/// # Errors
/// A document or a bundle that cannot be read, or a prover that does not start.
pub async fn verify(bundle: &Bundle, file: &Path, files: &ProverFiles<'_>) -> anyhow::Result<Judgement> {
    let document: TableProof = read_document(file)?;
    let mut reason = refusal(bundle, &document);
    if reason.is_none() {
        let mut prover = files.start(bundle).await?;
        let valid = prover.verify(&document.proof).await;
        prover.stop().await;
        reason = (!valid?).then_some("the proof does not hold");
    }
    Ok(Judgement { valid: reason.is_none(), reason, model_id: document.model_id })
}

/// What is wrong before any cryptography.
fn refusal(bundle: &Bundle, document: &TableProof) -> Option<&'static str> {
    if document.manifest_sha256 != bundle.manifest_digest {
        return Some("it is of another model");
    }
    let outputs = integers(&document.outputs, bundle.manifest.outputs.len());
    let Some(outputs) = outputs.filter(|_| document.inputs.len() == bundle.manifest.columns()) else {
        return Some("its inputs or outputs are not as many integers as the model has");
    };
    (instances(&document.inputs, &outputs) != document.proof.instances)
        .then_some("its public inputs are not its inputs and outputs")
}

impl Render for Judgement {
    fn text(&self) -> String {
        match self.reason {
            None => format!("valid: {} maps these inputs to these outputs", self.model_id),
            Some(reason) => format!("NOT valid: {reason}"),
        }
    }
}
