//! From a folder's tables to a bundle of an electricity model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use super::evaluate::{panel, rivals};
use crate::bundle::Bundle;
use crate::modelling::hedge_request::HedgeTrainRequest;
use crate::modelling::set_up::{SetUpRequest, set_up};
use crate::render::{Render, lines};
use crate::sources::tables::folder::{self, ELECTRICITY, Tables};
use veriregime_core::hedge::GRID;
use veriregime_core::hedge::forecast::{OUTPUTS, outputs};
use veriregime_core::hedge::panel::Panel;
use veriregime_core::model::onnx::Network;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::card::CARD_FILE;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::network::{Layers, ModelKind};
use veriregime_core::types::manifest::verification::{Verification, Way};
use veriregime_core::types::manifest::{Manifest, ONNX_FILE, SCHEMA, Training};
use veriregime_core::types::time::{format_day, parse_day};
use veriregime_training::error::TrainingError;
use veriregime_training::hedge::card::card;
use veriregime_training::hedge::ridge::{Ridge, RidgeSettings};
use veriregime_training::hedge::samples::Samples;
use veriregime_training::hedge::score::{self, Report, Score};
use veriregime_training::hedge::walk::{Walk, outcomes};

/// log2 of the inputs' grid.
const INPUT_SCALE: u32 = 13;
/// log2 of the weights' grid.
const PARAM_SCALE: u32 = 16;
/// First day of the figures in the card: two years after the data begin, the widths have seen enough.
const REPORT_FROM: &str = "2019-01-01";
/// Largest table.
const MAX_TABLE_BYTES: u64 = 64 << 20;

/// A new bundle.
#[derive(Debug, Serialize)]
pub struct NewHedgeBundle {
    model_id: String,
    bundle: PathBuf,
    manifest: Digest,
    /// Figures of the walk forward.
    walk_forward: Vec<Score>,
    /// Cells of a year and a horizon with a positive skill, and all of them.
    cells: [usize; 2],
}

/// Trains on everything before a day, walks forward through it, and writes the bundle.
///
/// # Errors
/// Tables that are not usable or too few, or what the set-up of the circuit runs into; an existing bundle is untouched then.
pub async fn train(request: &HedgeTrainRequest<'_>) -> anyhow::Result<NewHedgeBundle> {
    let tables =
        Tables { electricity: folder::electricity(request.data)?, rates: None, difficulty: None, bitcoin: None };
    let panel = panel(&tables)?;
    let samples = Samples::new(&panel);
    let settings = RidgeSettings::default();
    // A decision's outcome is known when its last day is: the day `until` itself is left out.
    let cut = request.until.map_or(panel.days(), |until| panel.position(until).min(panel.days()));
    let walk = Walk::new(&samples, &settings)?;
    let from = panel.position(parse_day(REPORT_FROM)?);
    let mut report = score::report(&samples, &walk.judged, from, cut);
    report.rivals = rivals(&panel, &walk.judged, from, cut, Some(settings.share));
    let ridge = Ridge::fit(samples.before(cut), cut, &settings)?;
    let widths = walk.half_widths(cut).into_iter().collect::<Option<Vec<_>>>();
    let widths = widths.and_then(|widths| widths.try_into().ok()).ok_or_else(|| TrainingError::TooFew {
        part: "the walk forward".into(),
        found: walk.judged.len(),
        needed: 10_000,
    })?;
    let network = ridge.network(widths).on_grid(PARAM_SCALE);

    let name = request.out.file_name().and_then(|name| name.to_str());
    let model_id = name.context("the bundle's folder needs a name, which is the model's")?.to_owned();
    let parent = request.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    veriregime_files::create_folder(parent)?;
    let scratch = tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent)?;
    let folder = scratch.path().join("bundle");
    veriregime_files::create_folder(&folder)?;
    let onnx = network.to_onnx(1);
    let trained_to = format_day(panel.day(cut.saturating_sub(1)));
    let text = card(&model_id, &trained_to, samples.countries.len(), &report);
    veriregime_files::write_atomic(&folder.join(ONNX_FILE), &onnx)?;
    veriregime_files::write_atomic(&folder.join(CARD_FILE), text.as_bytes())?;
    let manifest = Manifest {
        schema: SCHEMA,
        model_id,
        model: ModelKind::Layers(Layers {
            param_scale: PARAM_SCALE,
            layers: Network::parse(&onnx, 1, network.features, OUTPUTS)?.layers(),
        }),
        inputs: Inputs::Table(ridge.table(INPUT_SCALE)),
        outputs: outputs(INPUT_SCALE + PARAM_SCALE),
        grid: GRID,
        regime: None,
        verification: Verification::default(),
        files: BTreeMap::from([(CARD_FILE.to_owned(), Digest::of(text.as_bytes()))]),
        training: Training {
            provenance: provenance(request, &panel, &samples, &settings, network.parameters(), cut)?,
            baselines: None,
            reference: Vec::new(),
            metrics: serde_json::to_value(&report)?,
        },
    };
    let mut bundle = Bundle::seal(&folder, manifest)?;
    bundle.table_model()?;
    if let Some(tools) = &request.circuit {
        let set_up = set_up(&SetUpRequest { bundle: &bundle, way: Way::Ezkl, tools, inner_columns: 1 }).await;
        set_up.context("the circuit cannot be set up")?;
        bundle = Bundle::open(&folder)?;
    }
    veriregime_files::replace_folder(request.out, &folder, &scratch.path().join("replaced"))?;
    let Report { horizons, cells, .. } = report;
    Ok(NewHedgeBundle {
        model_id: bundle.manifest.model_id,
        bundle: request.out.to_owned(),
        manifest: bundle.manifest_digest,
        walk_forward: horizons,
        cells,
    })
}

/// Where the model comes from.
fn provenance(
    request: &HedgeTrainRequest<'_>,
    panel: &Panel,
    samples: &Samples,
    settings: &RidgeSettings,
    parameters: usize,
    cut: usize,
) -> anyhow::Result<serde_json::Value> {
    let file = folder::file(request.data, ELECTRICITY).context("the electricity prices are gone")?;
    Ok(json!({
        "program": concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
        "settings": settings,
        "electricity": {
            "source": "Ember, European wholesale electricity prices (day-ahead, daily), CC BY 4.0",
            "sha256": veriregime_files::large::digest(&file, MAX_TABLE_BYTES)?,
            "countries": samples.countries,
        },
        "split": { "train": { "from": format_day(panel.first_day()), "to": format_day(panel.day(cut.saturating_sub(1))) } },
        "outcomes": outcomes(samples.before(cut), cut),
        "parameters": parameters,
    }))
}

impl Render for NewHedgeBundle {
    fn text(&self) -> String {
        let skill = self.walk_forward.iter().map(|score| {
            format!("{} months: skill {:.3}, MAPE {:.1} %", score.months, score.skill, score.mape * 100.0)
        });
        let [positive, cells] = self.cells;
        let head = format!("{}, manifest {}", self.bundle.display(), self.manifest);
        let cells = format!("positive in {positive} of {cells} cells of a year and a horizon; see {CARD_FILE}");
        lines(std::iter::once(head).chain(skill).chain([cells]))
    }
}
