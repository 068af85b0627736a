//! The versions of models at hand: what they score and cost, which one is current, and whether they are whole.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::circuit;
use crate::bundle::Bundle;
use crate::bundle::import;
use crate::bundle::registry::figures;
use crate::bundle::registry::figures::{Score, TestRows};
use crate::bundle::registry::{Change, Registry, RegistryError};
use crate::bundle::set_grid::OnGrid;
use crate::bundle::upgrade::Upgraded;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::verification::ezkl::search::{SEARCH_FILE, Search};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::network::{Lstm, ModelKind};
use veriregime_core::types::manifest::regime::RegimeSpec;
use veriregime_core::types::manifest::{MANIFEST_FILE, Manifest, SCHEMA};
use veriregime_files::FileError;

/// Largest file with a circuit search.
const MAX_SEARCH_BYTES: u64 = 1 << 20;

/// A version in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub(super) id: String,
    pub(super) current: bool,
    pub(super) trained_from: Option<String>,
    pub(super) trained_to: Option<String>,
    pub(super) tested_on: Option<TestRows>,
    pub(super) scores: Vec<Score>,
    pub(super) parameters: Option<u64>,
    pub(super) rows: Option<usize>,
    pub(super) logrows: Option<u32>,
    pub(super) instances: Option<usize>,
    pub(super) proof_bytes: Option<usize>,
    pub(super) verify_gas: Option<u64>,
    pub(super) prove_ms: Option<f64>,
    pub(super) size_bytes: u64,
}

/// All versions.
#[derive(Debug, Serialize)]
pub struct List {
    current: Option<String>,
    models: Vec<Summary>,
    broken: Vec<Broken>,
}

/// A version that does not open.
#[derive(Debug, Serialize)]
struct Broken {
    id: String,
    #[serde(serialize_with = "as_text")]
    fault: RegistryError,
}

fn as_text<S: Serializer>(fault: &RegistryError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(fault)
}

/// All versions with what they score and cost.
///
/// # Errors
/// A folder that cannot be read.
pub fn list(registry: &Registry) -> anyhow::Result<List> {
    let current = registry.current()?;
    let (mut models, mut broken) = (Vec::new(), Vec::new());
    for id in registry.ids()? {
        match registry.open(&id) {
            Ok(bundle) => models.push(summary(&id, &bundle, current.as_deref())?),
            Err(fault) => broken.push(Broken { id, fault }),
        }
    }
    Ok(List { current, models, broken })
}

impl Render for List {
    fn text(&self) -> String {
        let mut table = Table::new(&[
            "",
            "model",
            "trained on",
            "tested on",
            "accuracy",
            "AUC",
            "ECE",
            "weights",
            "rows",
            "gas",
            "prove",
            "size",
        ]);
        for one in &self.models {
            let score = |name: &str| one.scores.iter().find(|score| score.name == name).map_or_else(dash, figure);
            table.add_row([
                if one.current { "→".to_owned() } else { String::new() },
                one.id.clone(),
                trained_on(one),
                tested_on(one),
                score("accuracy"),
                score("AUC"),
                score("ECE"),
                one.parameters.map_or_else(dash, |parameters| parameters.to_string()),
                one.rows.zip(one.logrows).map_or_else(dash, |(rows, logrows)| format!("{rows} of 2^{logrows}")),
                one.verify_gas.map_or_else(dash, |gas| gas.to_string()),
                one.prove_ms.map_or_else(dash, |ms| format!("{ms:.0} ms")),
                format!("{} kB", one.size_bytes / 1000),
            ]);
        }
        let broken = self.broken.iter().map(|Broken { id, fault }| format!("{id} is not usable: {fault}"));
        lines(std::iter::once(table.to_string()).chain(broken))
    }
}

/// Everything about one version.
#[derive(Debug, Serialize)]
pub struct Details {
    summary: Summary,
    circuit_search: Option<Search>,
    manifest: Manifest,
    #[serde(skip)]
    digest: Digest,
}

/// Everything about one version, the circuits that were tried included.
///
/// # Errors
/// [`RegistryError`], or a damaged circuit search.
pub fn show(registry: &Registry, id: &str) -> anyhow::Result<Details> {
    let bundle = registry.open(id)?;
    Ok(Details {
        summary: summary(id, &bundle, registry.current()?.as_deref())?,
        circuit_search: search_of(&bundle)?,
        digest: bundle.manifest_digest,
        manifest: bundle.manifest,
    })
}

impl Render for Details {
    fn text(&self) -> String {
        let Self { summary, manifest, .. } = self;
        let mut table = Table::new(&["", &summary.id]);
        let mut line = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        line("current", if summary.current { "yes".to_owned() } else { "no".to_owned() });
        line("manifest", self.digest.to_string());
        if let Ok(spec) = manifest.regime() {
            let (horizon_minutes, RegimeSpec { candles, labels, .. }) = (spec.horizon_minutes(), spec);
            let markets = candles.markets.iter().map(|market| format!("{} ({})", market.name, market.symbol));
            line("markets", markets.collect::<Vec<_>>().join(", "));
            let thresholds: Vec<_> = labels.iter().map(|label| label.threshold.to_string()).collect();
            line("High above", format!("{} over {horizon_minutes} minutes", thresholds.join(", ")));
            line("inputs", format!("{} from {} minutes", candles.features.count(), candles.features.lookback_minutes));
        } else {
            line("inputs", format!("{} of {}", manifest.columns(), manifest.inputs.kind()));
        }
        line("outputs", manifest.outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>().join(", "));
        line("trained on", trained_on(summary));
        line("tested on", tested_on(summary));
        line("weights", summary.parameters.map_or_else(dash, |parameters| parameters.to_string()));
        for score in &summary.scores {
            line(&format!("{} on its test split", score.name), figure(score));
        }
        if let ModelKind::Layers(layers) = &manifest.model {
            line("scales", format!("2^-{} inputs, 2^-{} weights", manifest.input_scale(), layers.param_scale));
        }
        if let ModelKind::Lstm(Lstm { days, units: [first, second, dense], scale, lookup_bound, .. }) = &manifest.model
        {
            line("network", format!("an LSTM of {first}-{second}-{dense} units over {days} days"));
            line("scales", format!("2^-{scale}, tables up to ±{lookup_bound}"));
        }
        if let Some(circuit) = &manifest.verification.ezkl {
            let (rows, logrows, instances) = (circuit.rows, circuit.logrows, circuit.instances);
            line("circuit", format!("{rows} of 2^{logrows} rows, {instances} public inputs"));
            line("proof", format!("{} bytes, EZKL {}", circuit.proof_bytes, circuit.version));
            let keys = if circuit.srs_is_ceremony { "from the public ceremony" } else { "for development only" };
            line("keys", keys.to_owned());
        }
        for offer in manifest.offers() {
            let gas = offer.verify_gas.map(|gas| format!(", {gas} gas")).unwrap_or_default();
            let proof = if offer.way.has_proof() {
                format!("proofs of {} bytes", offer.proof_bytes)
            } else {
                "no proof".into()
            };
            line(&format!("by {}", offer.way), format!("{proof}{gas}; trusted: {}", offer.way.trust()));
        }
        line("verifyProof", summary.verify_gas.map_or_else(dash, |gas| format!("{gas} gas")));
        line("prove", summary.prove_ms.map_or_else(dash, |ms| format!("{ms:.0} ms where it was trained")));
        line("size", format!("{} bytes", summary.size_bytes));
        let search = self.circuit_search.as_ref();
        let search = search.map(|search| format!("\ncircuits that were tried:\n{}", circuit::table(search)));
        lines(std::iter::once(table.to_string()).chain(search))
    }
}

/// Versions of which every byte is as their manifests say.
#[derive(Debug, Serialize)]
pub struct Checked {
    whole: Vec<Whole>,
}

#[derive(Debug, Serialize)]
struct Whole {
    id: String,
    manifest: Digest,
    files: usize,
}

/// Checks every byte of one version, or of all.
///
/// # Errors
/// The first bundle that is not whole.
pub fn check(registry: &Registry, id: Option<String>) -> Result<Checked, RegistryError> {
    let ids = id.map_or_else(|| registry.ids(), |id| Ok(vec![id]))?;
    let whole = ids.into_iter().map(|id| {
        let bundle = registry.open(&id)?;
        Ok(Whole { id, manifest: bundle.manifest_digest, files: bundle.manifest.files.len() + 1 })
    });
    Ok(Checked { whole: whole.collect::<Result<_, RegistryError>>()? })
}

impl Render for Checked {
    fn text(&self) -> String {
        lines(
            self.whole.iter().map(|one| format!("{}: {} files in order, manifest {}", one.id, one.files, one.manifest)),
        )
    }
}

/// A change of the current version.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Current(pub Change);

impl Render for Current {
    fn text(&self) -> String {
        let Change { from, to, .. } = &self.0;
        let before = from.as_deref().unwrap_or("none");
        format!("{to} is current; before: {before}. A running daemon keeps its model until it is started again.")
    }
}

/// A bundle that was made of files of another program.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Imported(pub import::Imported);

impl Render for Imported {
    fn text(&self) -> String {
        let import::Imported { model_id, folder, columns, outputs, .. } = &self.0;
        let mut table = Table::new(&["output", "file", "trees", "leaves", "depth"]);
        for output in outputs {
            table.add_row([
                output.name.clone(),
                output.file.display().to_string(),
                output.trees.to_string(),
                output.leaves.to_string(),
                output.depth.to_string(),
            ]);
        }
        let words = format!("{model_id} is in {}. Its columns: {}.", folder.display(), columns.join(", "));
        format!("{table}\n{}", layout::text(&words))
    }
}

/// A bundle that was converted to the present schema.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Converted(pub Upgraded);

impl Render for Converted {
    fn text(&self) -> String {
        let Upgraded { model_id, folder, manifest_before, manifest } = &self.0;
        format!(
            "{model_id} is of schema {SCHEMA} in {}\nmanifest before: {manifest_before}\nmanifest now:    {manifest}\n\nA contract that \
             runs the old manifest takes no update of the new one until it is told: run `deploy` with this bundle.",
            folder.display()
        )
    }
}

/// A model on another grid, for people.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Regridded(pub OnGrid);

impl Render for Regridded {
    fn text(&self) -> String {
        let OnGrid { model_id, folder, manifest, grid } = &self.0;
        format!(
            "{model_id} forecasts every {} min, {} min ahead, in {}\nmanifest: {manifest}\n\nA job that runs it has schedule.period_seconds = {} \
             and a schedule.cron of that pace; `deploy` registers it.",
            grid.period_seconds / 60,
            grid.horizon_seconds / 60,
            folder.display(),
            grid.period_seconds
        )
    }
}

/// A version in short.
pub(super) fn summary(id: &str, bundle: &Bundle, current: Option<&str>) -> anyhow::Result<Summary> {
    let manifest = &bundle.manifest;
    let circuit = manifest.verification.ezkl.as_ref();
    let provenance = |path: &str| manifest.training.provenance.pointer(path);
    let text = |path: &str| provenance(path).and_then(Value::as_str).map(str::to_owned);
    let search = search_of(bundle)?;
    let measured = search.as_ref().and_then(Search::measured);
    let names = manifest.files.keys().map(String::as_str).chain([MANIFEST_FILE]);
    let sizes: Vec<u64> =
        names.map(|name| veriregime_files::size_bytes(&bundle.path(name))).collect::<Result<_, FileError>>()?;
    Ok(Summary {
        id: id.to_owned(),
        current: current == Some(id),
        trained_from: text("/split/train/from"),
        trained_to: text("/split/train/to"),
        tested_on: figures::test_rows(manifest),
        scores: figures::scores(manifest),
        parameters: provenance("/parameters").and_then(Value::as_u64),
        rows: circuit.map(|circuit| circuit.rows),
        logrows: circuit.map(|circuit| circuit.logrows),
        instances: circuit.map(|circuit| circuit.instances),
        proof_bytes: circuit.map(|circuit| circuit.proof_bytes),
        verify_gas: measured.and_then(|measured| measured.gas),
        prove_ms: measured.map(|measured| measured.prove_ms),
        size_bytes: sizes.iter().sum(),
    })
}

/// The search that led to the bundle's circuit, where it was kept.
fn search_of(bundle: &Bundle) -> anyhow::Result<Option<Search>> {
    let path = &bundle.path(SEARCH_FILE);
    if veriregime_files::size_bytes(path).is_err() {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&veriregime_files::read_bounded(path, MAX_SEARCH_BYTES)?)?)
}

fn trained_on(summary: &Summary) -> String {
    days(summary.trained_from.as_deref(), summary.trained_to.as_deref())
}

fn tested_on(summary: &Summary) -> String {
    let rows = summary.tested_on.as_ref();
    days(rows.map(|rows| rows.from.as_str()), rows.map(|rows| rows.to.as_str()))
}

fn days(from: Option<&str>, to: Option<&str>) -> String {
    let [from, to] =
        [from, to].map(|text| text.map_or_else(dash, |text| text.chars().take("2024-11-08".len()).collect()));
    format!("{from} to {to}")
}

pub(super) fn figure(score: &Score) -> String {
    match score.standard_error {
        Some(error) => format!("{:.4} ± {error:.4}", score.value),
        None => format!("{:.4}", score.value),
    }
}

pub(super) fn dash() -> String {
    "–".to_owned()
}
