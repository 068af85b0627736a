//! Models that another program trained, as bundles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::Bundle;
use super::error::BundleError;
use veriregime_core::hedge::{COLUMNS, GRID, HORIZON_MONTHS};
use veriregime_core::trees::error::TreesError;
use veriregime_core::trees::grid::{IntegerForest, column};
use veriregime_core::trees::xgboost::{XgboostModel, combined};
use veriregime_core::trees::{Forest, MAX_FILE_BYTES, MAX_OUTPUTS, Node, Tree};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::inputs::{Inputs, Table};
use veriregime_core::types::manifest::network::{ModelKind, Trees};
use veriregime_core::types::manifest::verification::Verification;
use veriregime_core::types::manifest::{MANIFEST_FILE, Manifest, Output, SCHEMA, Training};

/// Name of the trees inside a bundle.
pub const TREES_FILE: &str = "trees.json";
/// log2 of the columns' grid: with it every threshold is an exact 32-bit float, as circuits need it.
const INPUT_SCALE: u32 = 14;
/// Bits of the largest output on its grid, for the same reason.
const OUTPUT_BITS: i32 = 22;
/// What an import came to.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// Name of the model.
    pub model_id: String,
    /// Where the bundle is.
    pub folder: PathBuf,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One for each file.
    pub outputs: Vec<ImportedOutput>,
}

/// One output of an imported model.
#[derive(Debug, Serialize)]
pub struct ImportedOutput {
    /// Its name.
    pub name: String,
    /// The file that it comes from.
    pub file: PathBuf,
    /// Its trees.
    pub trees: usize,
    /// Leaves of all of them.
    pub leaves: usize,
    /// Comparisons on the longest way.
    pub depth: usize,
}

/// Makes a bundle of files that XGBoost saved, an output each, in the new folder `to`.
///
/// # Errors
/// [`BundleError::Trees`] with the file's name, [`BundleError::Occupied`], or a file that cannot be read or written.
pub fn xgboost(files: &[PathBuf], to: &Path) -> Result<Imported, BundleError> {
    let in_file = |path: &Path| {
        let path = path.to_owned();
        move |error: TreesError| BundleError::Trees { path, error }
    };
    if files.len() > MAX_OUTPUTS {
        let error = TreesError::TooLarge { what: "files", found: files.len(), most: MAX_OUTPUTS };
        return Err(in_file(to)(error));
    }
    let mut models = Vec::with_capacity(files.len());
    let mut sources = Vec::with_capacity(files.len());
    for path in files {
        let bytes = veriregime_files::read_bounded(path, MAX_FILE_BYTES)?;
        models.push(XgboostModel::parse(&bytes).map_err(in_file(path))?);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        sources.push(json!({ "file": name, "sha256": Digest::of(&bytes) }));
    }
    let names = models.first().map(|model| model.names.clone()).unwrap_or_default();
    let forest = combined(models).map_err(in_file(to))?;
    let inputs = table(&forest, &names).map_err(in_file(to))?;
    // What does not fit the grid is told now, and not when it is proven.
    let scale = output_scale(&forest);
    IntegerForest::new(&forest, &inputs, scale).and_then(|forest| forest.to_onnx()).map_err(in_file(to))?;
    let outputs = outputs(&forest, &inputs, scale);
    if veriregime_files::size_bytes(&to.join(MANIFEST_FILE)).is_ok() {
        return Err(BundleError::Occupied { folder: to.to_owned() });
    }
    veriregime_files::create_folder(to)?;
    let invalid = |reason: String| BundleError::Manifest { path: to.join(MANIFEST_FILE), reason };
    let trees = serde_json::to_vec(&forest).map_err(|error| invalid(error.to_string()))?;
    veriregime_files::write_atomic(&to.join(TREES_FILE), &trees)?;
    let folder = veriregime_files::real_path(to);
    let model_id = folder.file_name().and_then(|name| name.to_str());
    let manifest = Manifest {
        schema: SCHEMA,
        model_id: model_id.ok_or_else(|| invalid("its folder's name is not UTF-8".into()))?.to_owned(),
        model: ModelKind::Trees(Trees { file: TREES_FILE.into(), trees: forest.trees(), depth: forest.depth() }),
        inputs: Inputs::Table(inputs),
        outputs,
        grid: GRID,
        regime: None,
        verification: Verification::default(),
        files: BTreeMap::from([(TREES_FILE.to_owned(), Digest::of(&trees))]),
        training: Training {
            provenance: json!({ "program": "XGBoost 2", "files": sources }),
            baselines: None,
            reference: Vec::new(),
            metrics: json!({}),
        },
    };
    manifest.check().map_err(|error| invalid(error.to_string()))?;
    let bundle = Bundle::seal(to, manifest)?;
    Ok(imported(bundle, &forest, files))
}

impl Bundle {
    /// The trees of a bundle that has some.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] for another kind of model, [`BundleError::Trees`], or a file that cannot be read.
    pub fn forest(&self) -> Result<Forest, BundleError> {
        let ModelKind::Trees(trees) = &self.manifest.model else {
            let reason = format!("its model is {}, not trees", self.manifest.model.kind());
            return Err(BundleError::Manifest { path: self.manifest_path.clone(), reason });
        };
        let path = self.path(&trees.file);
        let forest = Forest::parse(&veriregime_files::read_bounded(&path, MAX_FILE_BYTES)?);
        let found = |forest: &Forest| (forest.columns, forest.outputs.len(), forest.trees(), forest.depth());
        let expected = (self.manifest.columns(), self.manifest.outputs.len(), trees.trees, trees.depth);
        match forest {
            Ok(forest) if found(&forest) == expected => Ok(forest),
            Ok(forest) => {
                let reason = format!(
                    "its columns, outputs, trees and depth are {expected:?}, those of {} {:?}",
                    trees.file,
                    found(&forest)
                );
                Err(BundleError::Manifest { path: self.manifest_path.clone(), reason })
            }
            Err(error) => Err(BundleError::Trees { path, error }),
        }
    }
}

/// Columns by the file's names. A file without names is asked what miners' models are asked.
fn table(forest: &Forest, names: &[String]) -> Result<Table, TreesError> {
    let known: Vec<(&str, &str)> = if names.is_empty() {
        COLUMNS.to_vec()
    } else {
        let unit = |name: &str| COLUMNS.iter().find(|(known, _)| *known == name).map_or("", |(_, unit)| unit);
        names.iter().map(|name| (name.as_str(), unit(name))).collect()
    };
    if known.len() != forest.columns {
        let found = format!("absent, and there are {} columns", forest.columns);
        let supported = "one name a column, or the 11 columns of a miner's model without names,";
        return Err(TreesError::Unsupported { field: "feature_names", found, supported });
    }
    let mut largest = vec![0.0_f32; forest.columns];
    for node in forest.outputs.iter().flat_map(|output| &output.trees).flat_map(Tree::nodes) {
        if let Node::Split { column, threshold, .. } = node {
            largest[*column] = largest[*column].max(threshold.abs());
        }
    }
    let columns = known.iter().zip(largest).map(|((name, unit), largest)| column(name, unit, largest)).collect();
    Ok(Table { columns, input_scale: INPUT_SCALE })
}

/// The finest grid on which every possible output has [`OUTPUT_BITS`].
fn output_scale(forest: &Forest) -> u32 {
    let leaf = |node: &Node<f32, f32>| match node {
        Node::Leaf(value) => f64::from(value.abs()),
        Node::Split { .. } => 0.0,
    };
    let largest = |tree: &Tree<f32, f32>| tree.nodes().iter().map(leaf).fold(0.0, f64::max);
    let outputs = forest.outputs.iter();
    let sums = outputs.map(|output| f64::from(output.base.abs()) + output.trees.iter().map(largest).sum::<f64>());
    let bits = sums.fold(f64::MIN_POSITIVE, f64::max).log2().ceil();
    u32::try_from(OUTPUT_BITS - bits.max(-40.0) as i32).unwrap_or(0)
}

fn outputs(forest: &Forest, inputs: &Table, scale: u32) -> Vec<Output> {
    let is_miner = inputs.columns.iter().map(|column| column.name.as_str()).eq(COLUMNS.map(|(name, _)| name));
    let horizons = (is_miner && forest.outputs.len() == HORIZON_MONTHS.len()).then_some(HORIZON_MONTHS);
    let output = |index: usize| {
        let (name, unit) = match horizons.and_then(|horizons| horizons.get(index).copied()) {
            Some(months) => (format!("btc_for_{months}_months"), "BTC"),
            None => (format!("output_{}", index + 1), ""),
        };
        Output { name, unit: unit.into(), scale, per_market: false }
    };
    (0..forest.outputs.len()).map(output).collect()
}

fn imported(bundle: Bundle, forest: &Forest, files: &[PathBuf]) -> Imported {
    let columns = match &bundle.manifest.inputs {
        Inputs::Table(table) => table.columns.iter().map(|column| column.name.clone()).collect(),
        Inputs::Candles(_) => Vec::new(),
    };
    let outputs = bundle.manifest.outputs.iter().zip(&forest.outputs).zip(files).map(|((output, ensemble), file)| {
        let is_leaf = |node: &&Node<f32, f32>| matches!(node, Node::Leaf(_));
        ImportedOutput {
            name: output.name.clone(),
            file: file.clone(),
            trees: ensemble.trees.len(),
            leaves: ensemble.trees.iter().flat_map(Tree::nodes).filter(is_leaf).count(),
            depth: ensemble.trees.iter().map(Tree::depth).max().unwrap_or(0),
        }
    });
    Imported {
        outputs: outputs.collect(),
        columns,
        model_id: bundle.manifest.model_id,
        folder: bundle.folder,
        manifest: bundle.manifest_digest,
    }
}
