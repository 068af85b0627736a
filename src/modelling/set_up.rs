//! A way of verification for a model that has none yet: its verifier, with circuit and keys where it needs them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::trial::{self, tried};
use crate::bundle::Bundle;
use crate::devnet::CHAIN_ID;
use crate::render::{Render, lines};
use crate::verification::Prover;
use crate::verification::compiler::Compiler;
use crate::verification::direct::DirectProver;
use crate::verification::ezkl::build::{Build, Built, CircuitConfig, Decomposition, build};
use crate::verification::ezkl::search::{SEARCH_FILE, Search};
use crate::verification::ezkl::supervisor::Ezkl;
use crate::verification::ezkl::worker::Settings as WorkerSettings;
use crate::verification::halo2::Halo2Prover;
use crate::verification::set_up::make;
use veriregime_core::model::MAX_MODEL_BYTES;
use veriregime_core::model::table::TableModel;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::network::ModelKind;
use veriregime_core::types::manifest::verification::{EzklCircuit, Way};
use veriregime_core::types::manifest::{ONNX_FILE, Output, PROVING_KEY_FILE};
use veriregime_files::FileError;

/// Longest time for one step.
const DEADLINE: Duration = Duration::from_mins(10);
/// log2 of the digits' base, where numbers are compared.
const BASE_BITS: u32 = 7;

/// What to set up.
#[derive(Debug)]
pub struct SetUpRequest<'a> {
    /// The bundle, which is changed.
    pub bundle: &'a Bundle,
    /// The way of verification.
    pub way: Way,
    /// What makes circuits.
    pub tools: &'a CircuitTools<'a>,
    /// Products that a row of EZKL's circuit adds up: with one the proof is shorter, with two the domain smaller.
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

/// A way of verification that was set up.
#[derive(Debug, Serialize)]
pub struct SetUp {
    model_id: String,
    folder: PathBuf,
    manifest: Digest,
    way: Way,
    logrows: Option<u32>,
    /// Rows of EZKL's circuit in use.
    rows: Option<usize>,
    instances: usize,
    proof_bytes: usize,
    /// Size of EZKL's proving key.
    proving_key_bytes: Option<u64>,
    prove_ms: Option<f64>,
    verify_gas: Option<u64>,
    srs_is_ceremony: Option<bool>,
}

/// Makes the verifier of the bundle's model, with circuit and keys where the way has any, tries it with a few proofs, and puts it
/// into the bundle. Its manifest changes, and with it the digest by which the model is known.
///
/// # Errors
/// A bundle of another kind, or what the prover runs into; the bundle is untouched then.
pub async fn set_up(request: &SetUpRequest<'_>) -> anyhow::Result<SetUp> {
    match request.way {
        Way::Ezkl => ezkl(request).await,
        way => without_ezkl(request, way).await,
    }
}

/// A copy of the bundle's folder beside it, with what the manifest does not name, too; it replaces it when all is done.
struct Copied {
    scratch: tempfile::TempDir,
    folder: PathBuf,
}

impl Copied {
    fn of(bundle: &Bundle) -> anyhow::Result<Self> {
        let parent = bundle.folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let scratch = tempfile::Builder::new().prefix(".set-up-").tempdir_in(parent)?;
        let folder = scratch.path().join("bundle");
        veriregime_files::create_folder(&folder)?;
        for name in veriregime_files::listing::files_in(&bundle.folder)? {
            veriregime_files::large::copy(&bundle.path(&name), &folder.join(&name), crate::bundle::MAX_FILE_BYTES)?;
        }
        Ok(Self { scratch, folder })
    }

    fn replace(&self, bundle: &Bundle) -> Result<(), FileError> {
        veriregime_files::replace_folder(&bundle.folder, &self.folder, &self.scratch.path().join("replaced"))
    }
}

async fn without_ezkl(request: &SetUpRequest<'_>, way: Way) -> anyhow::Result<SetUp> {
    let (bundle, tools) = (request.bundle, request.tools);
    bundle.manifest.permit(way)?;
    let copied = Copied::of(bundle)?;
    let mut made = make(bundle, way, tools.srs_folder, &tools.compiler).await?;
    let code = made.compiled.bytecode.clone();
    let sealed = made.clone().seal(&copied.folder, bundle.manifest.clone())?;
    let mut prover = match way {
        Way::Direct => Prover::Direct(DirectProver::new(&sealed)?),
        _ => Prover::Halo2(Halo2Prover::start(&sealed, tools.srs_folder, CHAIN_ID).await?),
    };
    let measured = trial::measured(&mut prover, &sealed, &code).await?;
    if let Some(gas) = measured.gas {
        made.set_verify_gas(gas);
    }
    let sealed = made.seal(&copied.folder, bundle.manifest.clone())?;
    let offer = sealed.manifest.offer(way)?;
    copied.replace(bundle)?;
    Ok(SetUp {
        model_id: bundle.manifest.model_id.clone(),
        folder: bundle.folder.clone(),
        manifest: sealed.manifest_digest,
        way,
        logrows: offer.srs.map(|srs| srs.logrows),
        rows: None,
        instances: offer.instances,
        proof_bytes: offer.proof_bytes,
        proving_key_bytes: None,
        prove_ms: way.has_proof().then_some(measured.prove_ms),
        verify_gas: measured.gas,
        srs_is_ceremony: offer.srs.map(|srs| srs.is_ceremony),
    })
}

async fn ezkl(request: &SetUpRequest<'_>) -> anyhow::Result<SetUp> {
    let bundle = request.bundle;
    let table = bundle.table()?;
    let (onnx, param_scale, decomposition, lookup_bound) = match &bundle.manifest.model {
        ModelKind::Layers(layers) => {
            let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
            (onnx, layers.param_scale, None, None)
        }
        ModelKind::Trees(_) => {
            let forest = bundle.integer_forest()?;
            let legs = forest.compared_bits(table.bound()).div_ceil(BASE_BITS);
            (forest.to_onnx()?, table.input_scale, Some(Decomposition { base: 1 << BASE_BITS, legs }), None)
        }
        ModelKind::Lstm(lstm) => {
            let onnx = veriregime_files::read_bounded(&bundle.path(ONNX_FILE), MAX_MODEL_BYTES)?;
            (onnx, lstm.scale, Some(Decomposition { base: lstm.digit_base, legs: 1 }), Some(lstm.lookup_bound))
        }
    };
    let copied = Copied::of(bundle)?;
    let folder = &copied.folder;
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &onnx)?;
    let form = CircuitConfig {
        inner_columns: request.inner_columns,
        decomposition,
        lookup_bound,
        ..CircuitConfig::plain(table.input_scale, param_scale)
    };
    let mut ezkl = Ezkl::new(WorkerSettings {
        python: request.tools.python.clone(),
        deadline: DEADLINE,
        memory_limit_mb: request.tools.memory_limit_mb,
    });
    let made = circuit(&mut ezkl, request, folder, form).await;
    ezkl.stop().await;
    let (Built { mut circuit, output_scale, .. }, search) = made?;
    let measured = search.measured();
    circuit.verify_gas = measured.and_then(|measured| measured.gas);
    let EzklCircuit { logrows, rows, instances, proof_bytes, srs_is_ceremony, .. } = circuit;
    veriregime_files::write_atomic(
        &folder.join(SEARCH_FILE),
        (serde_json::to_string_pretty(&search)? + "\n").as_bytes(),
    )?;
    let mut manifest = bundle.manifest.clone();
    manifest.verification.ezkl = Some(circuit);
    match &manifest.model {
        ModelKind::Layers(_) => manifest.outputs.iter_mut().for_each(|output| output.scale = output_scale),
        ModelKind::Trees(_) | ModelKind::Lstm(_) => anyhow::ensure!(
            output_scale == param_scale,
            "the circuit's outputs are multiples of 2^-{output_scale}, not of 2^-{param_scale}"
        ),
    }
    // What was there is named already; the network of trees is new.
    manifest.files.insert(ONNX_FILE.to_owned(), Digest::of(&onnx));
    let sealed = Bundle::seal(folder, manifest)?;
    sealed.table_model()?;
    let proving_key_bytes = veriregime_files::size_bytes(&folder.join(PROVING_KEY_FILE))?;
    copied.replace(bundle)?;
    Ok(SetUp {
        model_id: bundle.manifest.model_id.clone(),
        folder: bundle.folder.clone(),
        manifest: sealed.manifest_digest,
        way: Way::Ezkl,
        logrows: Some(logrows),
        rows: Some(rows),
        instances,
        proof_bytes,
        proving_key_bytes: Some(proving_key_bytes),
        prove_ms: measured.map(|measured| measured.prove_ms),
        verify_gas: measured.and_then(|measured| measured.gas),
        srs_is_ceremony: Some(srs_is_ceremony),
    })
}

/// Circuit, keys and verifier in `folder`, tried against the model's own integers.
async fn circuit(
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
        ModelKind::Trees(_) | ModelKind::Lstm(_) => bundle.table_model()?,
    };
    let search = tried(ezkl, folder, (&model, table), form, &built).await?;
    Ok((built, search))
}

impl Render for SetUp {
    fn text(&self) -> String {
        let mut said = vec![
            format!("{} can be verified by {}, in {}", self.model_id, self.way, self.folder.display()),
            format!("manifest {}", self.manifest),
        ];
        if let Some(logrows) = self.logrows {
            let rows = self.rows.map(|rows| format!("{rows} of ")).unwrap_or_default();
            said.push(format!("{rows}2^{logrows} rows, {} public inputs", self.instances));
        }
        if let Some(is_ceremony) = self.srs_is_ceremony {
            let keys = if is_ceremony { "the public ceremony" } else { "a local SRS, for development only" };
            let size = self.proving_key_bytes.map(|bytes| format!(" of {} kB", bytes / 1000)).unwrap_or_default();
            said.push(format!("a proof of {} bytes, keys{size} from {keys}", self.proof_bytes));
        }
        let proven = self.prove_ms.map(|ms| format!("proven in {ms:.0} ms, ")).unwrap_or_default();
        let gas = self.verify_gas.map_or_else(|| "gas that was not measured".to_owned(), |gas| format!("{gas} gas"));
        said.push(format!("{proven}verified on chain with {gas}"));
        said.push(format!("trusted is {}", self.way.trust()));
        lines(said)
    }
}
