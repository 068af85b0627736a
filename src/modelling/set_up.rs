//! A circuit for a model of a table that has none yet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::trial::tried;
use crate::bundle::Bundle;
use crate::render::{Render, lines};
use crate::verification::ezkl::build::{Build, Built, CircuitConfig, Compiler, Decomposition, build};
use crate::verification::ezkl::search::{SEARCH_FILE, Search};
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use veriregime_core::model::MAX_MODEL_BYTES;
use veriregime_core::model::table::TableModel;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::network::ModelKind;
use veriregime_core::types::manifest::verification::EzklCircuit;
use veriregime_core::types::manifest::{ONNX_FILE, Output, PROVING_KEY_FILE};

/// Longest time for one step.
const DEADLINE: Duration = Duration::from_mins(10);
/// log2 of the digits' base, where numbers are compared.
const BASE_BITS: u32 = 7;

/// What to set up.
#[derive(Debug)]
pub struct SetUpRequest<'a> {
    /// The bundle, which is changed.
    pub bundle: &'a Bundle,
    /// What makes circuits.
    pub tools: &'a CircuitTools<'a>,
    /// Products that a row of the circuit adds up: with one the proof is shorter, with two the domain smaller.
    pub inner_columns: u32,
}

/// What makes circuits, keys and verifiers.
#[derive(Debug)]
pub struct CircuitTools<'a> {
    /// Folder with the SRS files.
    pub srs_folder: &'a Path,
    /// Python with the pinned EZKL.
    pub python: PathBuf,
    /// Compiler of the verifier.
    pub compiler: Compiler,
    /// Memory that EZKL may take, in MiB.
    pub memory_limit_mb: u64,
}

/// A circuit that was set up.
#[derive(Debug, Serialize)]
pub struct SetUp {
    model_id: String,
    folder: PathBuf,
    manifest: Digest,
    logrows: u32,
    rows: usize,
    instances: usize,
    proof_bytes: usize,
    proving_key_bytes: u64,
    prove_ms: Option<f64>,
    verify_gas: Option<u64>,
    srs_is_ceremony: bool,
}

/// Makes circuit, keys and verifier of the bundle's model, tries them with one proof, and puts them into the bundle. Its
/// manifest changes, and with it the digest by which the model is known.
///
/// # Errors
/// A bundle of another kind, or what the prover runs into; the bundle is untouched then.
pub async fn set_up(request: &SetUpRequest<'_>) -> anyhow::Result<SetUp> {
    let bundle = request.bundle;
    let table = bundle.table()?;
    let (onnx, param_scale, decomposition) = match &bundle.manifest.model {
        ModelKind::Layers(layers) => {
            let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
            (onnx, layers.param_scale, None)
        }
        ModelKind::Trees(_) => {
            let forest = bundle.integer_forest()?;
            let legs = forest.compared_bits(table.bound()).div_ceil(BASE_BITS);
            (forest.to_onnx()?, table.input_scale, Some(Decomposition { base: 1 << BASE_BITS, legs }))
        }
    };
    let parent = bundle.folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch = tempfile::Builder::new().prefix(".circuit-").tempdir_in(parent)?;
    let folder = scratch.path().join("bundle");
    veriregime_files::create_folder(&folder)?;
    for name in bundle.manifest.files.keys() {
        let bytes = veriregime_files::read_bounded(&bundle.path(name), crate::bundle::MAX_FILE_BYTES)?;
        veriregime_files::write_atomic(&folder.join(name), &bytes)?;
    }
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &onnx)?;
    let form = CircuitConfig {
        inner_columns: request.inner_columns,
        decomposition,
        ..CircuitConfig::plain(table.input_scale, param_scale)
    };
    let mut ezkl = Ezkl::new(WorkerSettings {
        python: request.tools.python.clone(),
        deadline: DEADLINE,
        memory_limit_mb: request.tools.memory_limit_mb,
    });
    let made = made(&mut ezkl, request, &folder, form).await;
    ezkl.stop().await;
    let (Built { circuit, output_scale, .. }, search) = made?;
    let EzklCircuit { logrows, rows, instances, proof_bytes, srs_is_ceremony, .. } = circuit;
    veriregime_files::write_atomic(
        &folder.join(SEARCH_FILE),
        (serde_json::to_string_pretty(&search)? + "\n").as_bytes(),
    )?;
    let mut manifest = bundle.manifest.clone();
    manifest.verification.ezkl = Some(circuit);
    match &manifest.model {
        ModelKind::Layers(_) => manifest.outputs.iter_mut().for_each(|output| output.scale = output_scale),
        ModelKind::Trees(_) => anyhow::ensure!(
            output_scale == param_scale,
            "the circuit's outputs are multiples of 2^-{output_scale}, not of 2^-{param_scale}"
        ),
    }
    // What was there is named already; the network of trees is new.
    manifest.files.insert(ONNX_FILE.to_owned(), Digest::of(&onnx));
    let sealed = Bundle::seal(&folder, manifest)?;
    sealed.table_model()?;
    let measured = search.measured();
    let proving_key_bytes = veriregime_files::size_bytes(&folder.join(PROVING_KEY_FILE))?;
    veriregime_files::replace_folder(&bundle.folder, &folder, &scratch.path().join("replaced"))?;
    Ok(SetUp {
        model_id: bundle.manifest.model_id.clone(),
        folder: bundle.folder.clone(),
        manifest: sealed.manifest_digest,
        logrows,
        rows,
        instances,
        proof_bytes,
        proving_key_bytes,
        prove_ms: measured.map(|measured| measured.prove_ms),
        verify_gas: measured.and_then(|measured| measured.gas),
        srs_is_ceremony,
    })
}

/// Circuit, keys and verifier in `folder`, tried against the model's own integers.
async fn made(
    ezkl: &mut Ezkl,
    request: &SetUpRequest<'_>,
    folder: &Path,
    form: CircuitConfig,
) -> anyhow::Result<(Built, Search)> {
    let (bundle, table) = (request.bundle, request.bundle.table()?);
    let build_request = Build {
        folder,
        srs_folder: request.tools.srs_folder,
        markets: 1,
        features: table.columns.len(),
        outputs: bundle.manifest.outputs.len(),
        form,
        compiler: &request.tools.compiler,
    };
    let built = build(ezkl, &build_request).await?;
    let model = match &bundle.manifest.model {
        // EZKL chooses the scale of a network's outputs, which is that of the exact result or a finer one.
        ModelKind::Layers(layers) => {
            let outputs: Vec<Output> = bundle
                .manifest
                .outputs
                .iter()
                .map(|output| Output { scale: built.output_scale, ..output.clone() })
                .collect();
            let onnx = veriregime_files::read_bounded(&folder.join(ONNX_FILE), MAX_MODEL_BYTES)?;
            TableModel::layers(&onnx, layers, table, &outputs)?
        }
        ModelKind::Trees(_) => bundle.table_model()?,
    };
    let search = tried(ezkl, folder, (&model, table), form, &built).await?;
    Ok((built, search))
}

impl Render for SetUp {
    fn text(&self) -> String {
        let keys = if self.srs_is_ceremony { "the public ceremony" } else { "a local SRS, for development only" };
        lines([
            format!("{} has a circuit in {}", self.model_id, self.folder.display()),
            format!("manifest {}", self.manifest),
            format!("{} of 2^{} rows, {} public inputs", self.rows, self.logrows, self.instances),
            format!("a proof of {} bytes, keys of {} kB from {keys}", self.proof_bytes, self.proving_key_bytes / 1000),
            format!(
                "proven in {}, verified on chain with {}",
                self.prove_ms.map_or_else(|| "?".to_owned(), |ms| format!("{ms:.0} ms")),
                self.verify_gas.map_or_else(|| "gas that was not measured".to_owned(), |gas| format!("{gas} gas"))
            ),
        ])
    }
}
