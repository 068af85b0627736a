//! Circuit, keys and verifier of a bundle, from its ONNX file.

use std::collections::BTreeMap;
use std::path::Path;

use alloy::primitives::keccak256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::protocol::{CircuitFiles, CircuitSettings, MakeSettings, Prove, Setup};
use super::srs::{MAX_LOGROWS, MIN_LOGROWS, Srs};
use super::supervisor::Ezkl;
use crate::bundle::EZKL_VERSION;
use crate::verification::compiler::Compiler;
use crate::verification::error::ProofError;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::network::ModelKind;
use veriregime_core::types::manifest::verification::EzklCircuit;
use veriregime_core::types::manifest::{
    CIRCUIT_FILE, Manifest, ONNX_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFIER_BYTECODE_FILE, VERIFIER_FILE,
    VERIFYING_KEY_FILE,
};

/// Rows of the domain that a circuit cannot have: blinding, and EZKL's own reserve. A circuit with more is folded into a
/// second column, which makes its proof and its verification much dearer than the next domain would.
const RESERVED_ROWS: usize = 8;
/// Rebasing would round, and need comparisons to do so: no product of a circuit without lookups may reach this many times the scale.
const NO_REBASING: u32 = 10;
/// With lookups, every product is rounded to the one grid that tables are of.
const REBASING: u32 = 1;
/// What tables cannot have of the domain's rows: blinding.
const RESERVED_TABLE_ROWS: u32 = 32;
/// EZKL's name for [`CircuitConfig::inner_columns`].
const INNER_COLUMNS: &str = "num_inner_cols";
/// EZKL's name for [`Decomposition::base`].
const BASE: &str = "decomp_base";
/// EZKL's name for [`Decomposition::legs`].
const LEGS: &str = "decomp_legs";

/// EZKL's name for the ends of [`CircuitConfig::lookup_bound`].
const LOOKUP_RANGE: &str = "lookup_range";

/// What to build.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// Folder with the ONNX file; everything else is written there.
    pub folder: &'a Path,
    /// Folder with the SRS files.
    pub srs_folder: &'a Path,
    /// Markets of a proof: rows of the network's input.
    pub markets: usize,
    /// Features of a market: columns of the network's input.
    pub features: usize,
    /// Outputs of a market: columns of the network's output.
    pub outputs: usize,
    /// Grids and layout of the circuit.
    pub form: CircuitConfig,
    /// Compiler of the verifier.
    pub compiler: &'a Compiler,
}

/// How a network becomes a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitConfig {
    /// log2 of the inputs' grid.
    pub input_scale: u32,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// Products that a row of the circuit adds up.
    pub inner_columns: u32,
    /// log2 of the domain's rows; the smallest that holds the circuit in one column where absent.
    pub logrows: Option<u32>,
    /// How numbers are taken apart to compare them with zero; nothing for a model that compares nothing.
    pub decomposition: Option<Decomposition>,
    /// Largest magnitude of what is looked up; nothing for a model that looks nothing up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_bound: Option<u32>,
}

/// Digits of a number in a circuit: anything below `base^legs` in magnitude can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decomposition {
    /// Of the digits; the circuit has a table of as many rows.
    pub base: u32,
    /// Number of digits.
    pub legs: u32,
}

impl CircuitConfig {
    /// Plain arithmetic in as little as it needs.
    pub fn plain(input_scale: u32, param_scale: u32) -> Self {
        Self { input_scale, param_scale, inner_columns: 1, logrows: None, decomposition: None, lookup_bound: None }
    }

    /// The form that the circuit of a bundle has, by the arguments in its manifest.
    ///
    /// # Errors
    /// A bundle without such a circuit.
    pub fn of(manifest: &Manifest) -> Result<Self, ManifestError> {
        let EzklCircuit { logrows, run_args, .. } = manifest.ezkl()?;
        // Trees have one grid for all that they compare and add.
        let param_scale = match &manifest.model {
            ModelKind::Layers(layers) => layers.param_scale,
            ModelKind::Trees(_) | ModelKind::Lstm(_) => manifest.input_scale(),
        };
        let lookup_bound = match &manifest.model {
            ModelKind::Lstm(lstm) => Some(lstm.lookup_bound),
            ModelKind::Layers(_) | ModelKind::Trees(_) => None,
        };
        let number =
            |name: &str| run_args.get(name).and_then(Value::as_u64).and_then(|value| u32::try_from(value).ok());
        let decomposition = number(BASE).zip(number(LEGS)).map(|(base, legs)| Decomposition { base, legs });
        Ok(Self {
            input_scale: manifest.input_scale(),
            param_scale,
            inner_columns: number(INNER_COLUMNS).unwrap_or(1),
            logrows: Some(*logrows),
            decomposition,
            lookup_bound,
        })
    }

    /// log2 of the smallest domain whose columns hold the circuit's tables.
    fn smallest_domain(&self) -> u32 {
        let digits = self.decomposition.map_or(0, |digits| digits.base);
        let tables = self.lookup_bound.map(|bound| (2 * bound + 1).max(digits) + RESERVED_TABLE_ROWS);
        tables.map_or(MIN_LOGROWS, |rows| rows.next_power_of_two().ilog2().max(MIN_LOGROWS))
    }
}

/// A circuit that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// What a manifest says of it.
    pub circuit: EzklCircuit,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// log2 of the outputs' grid.
    pub output_scale: u32,
}

/// Makes settings, compiled circuit, keys and compiled verifier, and tries them with one proof. From the same ONNX and
/// SRS the same bytes come out. An SRS that is not in the folder is downloaded where that is possible.
///
/// # Errors
/// [`ProofError::Circuit`] for a network that is not plain arithmetic of the expected shape, [`ProofError::Refused`]
/// for one that EZKL cannot read, [`ProofError::SrsMissing`], [`ProofError::Compiler`], or what the worker ran into.
pub async fn build(ezkl: &mut Ezkl, build: &Build<'_>) -> Result<Built, ProofError> {
    let (settings, run_args) = fit(ezkl, build).await?;
    let output_scale = check(&settings, build).map_err(|reason| ProofError::Circuit { reason })?;
    let logrows = settings.run_args.logrows;
    let srs = Srs::obtain(ezkl, build.srs_folder, logrows).await?;
    let path = |name: &str| build.folder.join(name);
    let files = CircuitFiles {
        circuit: path(CIRCUIT_FILE),
        proving_key: path(PROVING_KEY_FILE),
        verifying_key: path(VERIFYING_KEY_FILE),
        settings: path(SETTINGS_FILE),
        srs: srs.path,
    };
    let verifier = path(VERIFIER_FILE);
    ezkl.call(&Setup { onnx: path(ONNX_FILE), files: files.clone(), verifier: verifier.clone() }).await?;
    ezkl.load(files).await?;
    let trial = ezkl.call(&Prove { row: vec![0.0; build.markets * build.features] }).await?;
    if !trial.verified {
        return Err(ProofError::Unverified);
    }
    let compiled = build.compiler.compile_file(&verifier).await?;
    veriregime_files::write_atomic(&path(VERIFIER_BYTECODE_FILE), compiled.bytecode.to_string().as_bytes())?;
    let circuit = EzklCircuit {
        version: EZKL_VERSION.to_owned(),
        run_args,
        logrows,
        rows: settings.num_rows,
        instances: trial.instances.len(),
        proof_bytes: trial.proof.len(),
        srs_sha256: srs.digest,
        srs_is_ceremony: srs.is_ceremony,
        verifier_code_hash: keccak256(&compiled.deployed_bytecode),
        verify_gas: None,
        files: EzklCircuit::own_files(),
    };
    Ok(Built { circuit, param_scale: build.form.param_scale, output_scale })
}

/// Settings with the form's domain, or the smallest that holds the circuit in one column.
async fn fit(ezkl: &mut Ezkl, build: &Build<'_>) -> Result<(CircuitSettings, BTreeMap<String, Value>), ProofError> {
    let smallest = build.form.smallest_domain();
    let limit = build.form.logrows.unwrap_or(MAX_LOGROWS);
    let mut sizes = build.form.logrows.unwrap_or(smallest)..=limit;
    while let Some(logrows) = sizes.next() {
        let run_args = run_args(&build.form, logrows);
        let settings = ezkl
            .call(&MakeSettings {
                onnx: build.folder.join(ONNX_FILE),
                settings: build.folder.join(SETTINGS_FILE),
                run_args: run_args.clone(),
                calibration_data: None,
            })
            .await?;
        if settings.run_args.logrows == logrows && settings.num_rows + RESERVED_ROWS <= 1 << logrows {
            return Ok((settings, run_args));
        }
        if build.form.lookup_bound.is_some() {
            // A large network takes seconds to lay out: domains that cannot hold it are not tried.
            let rows = u32::try_from(settings.num_rows).unwrap_or(u32::MAX >> 1);
            sizes = rows.next_power_of_two().ilog2().max(logrows + 1)..=limit;
        }
    }
    Err(ProofError::Circuit { reason: format!("it needs more than 2^{limit} rows") })
}

/// EZKL's arguments: for exact arithmetic, nothing rebased and nothing looked up but digits; with lookups, everything on one grid. The range checks of inputs and
/// outputs are left out because the contract checks both ranges itself.
fn run_args(form: &CircuitConfig, logrows: u32) -> BTreeMap<String, Value> {
    let mut arguments: BTreeMap<String, Value> = [
        ("input_visibility", json!("public")),
        ("output_visibility", json!("public")),
        ("param_visibility", json!("fixed")),
        ("input_scale", json!(form.input_scale)),
        ("param_scale", json!(form.param_scale)),
        ("scale_rebase_multiplier", json!(if form.lookup_bound.is_some() { REBASING } else { NO_REBASING })),
        (INNER_COLUMNS, json!(form.inner_columns)),
        ("logrows", json!(logrows)),
        ("ignore_range_check_inputs_outputs", json!(true)),
        ("disable_freivalds", json!(true)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(Decomposition { base, legs }) = form.decomposition {
        arguments.insert(BASE.to_owned(), json!(base));
        arguments.insert(LEGS.to_owned(), json!(legs));
    }
    if let Some(bound) = form.lookup_bound.map(i64::from) {
        arguments.insert(LOOKUP_RANGE.to_owned(), json!([-bound, bound]));
    }
    arguments
}

/// Checks that the circuit is plain arithmetic from `[markets, features]` to `[markets, outputs]`; gives its output scale.
fn check(settings: &CircuitSettings, build: &Build<'_>) -> Result<u32, String> {
    let comparing = build.form.decomposition.is_some();
    let rounding = build.form.lookup_bound.is_some();
    if (!rounding && !settings.required_lookups.is_empty())
        || (!comparing && !settings.required_range_checks.is_empty())
    {
        return Err("it needs lookups, so it would round, or comparisons that it was not given digits for".to_owned());
    }
    let expected = [[build.markets, build.features], [build.markets, build.outputs]];
    if settings.model_instance_shapes != expected {
        return Err(format!("its public tensors are {:?}, not {expected:?}", settings.model_instance_shapes));
    }
    match settings.model_output_scales[..] {
        [scale] => Ok(scale),
        _ => Err(format!("its outputs have scales {:?}, not one", settings.model_output_scales)),
    }
}
