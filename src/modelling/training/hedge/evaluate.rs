//! How good an electricity model is on a folder's tables.

use serde::Serialize;

use super::others::Trees;
use crate::bundle::Bundle;
use crate::modelling::hedge_request::HedgeEvaluateRequest;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::tables::folder::Tables;
use veriregime_core::hedge::HORIZON_MONTHS;
use veriregime_core::hedge::forecast::{self, PriceForecast};
use veriregime_core::hedge::panel::Panel;
use veriregime_core::types::time::parse_day;
use veriregime_training::hedge::ridge::RidgeSettings;
use veriregime_training::hedge::samples::{HORIZONS, Samples};
use veriregime_training::hedge::score::{self, Cell, Judged, Report, Rival, Score};
use veriregime_training::hedge::walk::Walk;

/// Figures of a model.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// The figures.
    #[serde(flatten)]
    pub report: Report,
    model_id: String,
    /// Whether it was fitted anew each quarter.
    walk_forward: bool,
    /// Last day that the model was trained on, where it tells.
    trained_to: Option<String>,
    /// Countries of the data.
    countries: usize,
}

/// Judges a bundle, or a walk forward with its settings, on the decisions of a range of days.
///
/// # Errors
/// A bundle or tables that are not usable.
pub fn evaluate(request: &HedgeEvaluateRequest<'_>) -> anyhow::Result<Evaluation> {
    let bundle = Bundle::open(request.model)?;
    let tables = Tables::read(request.data)?;
    let panel = panel(&tables)?;
    let samples = Samples::new(&panel);
    let is_ours = bundle.table().is_ok_and(|table| forecast::is_electricity(&bundle.manifest, table));
    let from = panel.position(request.from);
    let to = request.to.map_or(panel.days(), |to| panel.position(to));
    let settings = settings(&bundle);
    let judged = match (request.walks, is_ours) {
        (true, _) => Walk::new(&samples, &settings)?.judged,
        (false, true) => ours(&bundle, &samples, from, to)?,
        (false, false) => of_trees(&Trees::new(&bundle, &tables, request.data)?, &panel, &samples, from, to),
    };
    let mut report = score::report(&samples, &judged, from, to);
    report.rivals = rivals(&panel, &judged, from, to, (request.walks || is_ours).then_some(settings.share));
    if let Some(folder) = request.trees {
        let trees = Trees::new(&Bundle::open(folder)?, &tables, request.data)?;
        report.rivals.push(score::rival("the miner's trees", &judged, from, to, |one| {
            trees.log_ratios(&panel, one.country, one.at).map_or([None; HORIZONS], |ratios| ratios.map(Some))
        }));
    }
    let text = |path: &str| bundle.manifest.training.provenance.pointer(path)?.as_str().map(str::to_owned);
    Ok(Evaluation {
        report,
        trained_to: text("/split/train/to"),
        model_id: bundle.manifest.model_id,
        walk_forward: request.walks,
        countries: samples.countries.len(),
    })
}

/// The prices of tables as a panel.
pub(super) fn panel(tables: &Tables) -> anyhow::Result<Panel> {
    tables
        .electricity
        .panel()
        .ok_or_else(|| anyhow::anyhow!("the electricity prices are of too many countries or days"))
}

/// Those who forecast the same decisions otherwise.
pub(super) fn rivals(panel: &Panel, judged: &[Judged], from: usize, to: usize, share: Option<f64>) -> Vec<Rival> {
    let mut rivals = vec![
        score::rival("persistence", judged, from, to, |_| [Some(0.0); HORIZONS]),
        score::rival("the trailing sum of as many weekdays", judged, from, to, |one| score::trailing_sum(panel, one)),
    ];
    rivals.extend(
        share.map(|share| score::rival("ridge, not shrunk", judged, from, to, |one| score::unshrunk(one, share))),
    );
    rivals
}

/// How the bundle's model was fitted, where it tells; otherwise as models are fitted here.
fn settings(bundle: &Bundle) -> RidgeSettings {
    let told = bundle.manifest.training.provenance.get("settings").cloned();
    told.and_then(|told| serde_json::from_value(told).ok()).unwrap_or_default()
}

/// The bundle's own integers on every decision.
fn ours(bundle: &Bundle, samples: &Samples, from: usize, to: usize) -> anyhow::Result<Vec<Judged>> {
    let (model, table) = (bundle.table_model()?, bundle.table()?);
    let scale = bundle.manifest.outputs.first().map_or(0, |output| output.scale);
    let mut judged = Vec::new();
    for sample in samples.within(from, to) {
        let answer = model.forecast(table, &forecast::numbers(&sample.row, table))?;
        let forecasts = forecast::read(&answer.outputs, scale);
        let forecasts = forecasts.ok_or_else(|| anyhow::anyhow!("the model has another number of outputs"))?;
        judged.push(Judged { country: sample.country, at: sample.at, forecasts, came: sample.targets });
    }
    Ok(judged)
}

fn of_trees(trees: &Trees, panel: &Panel, samples: &Samples, from: usize, to: usize) -> Vec<Judged> {
    let judged = samples.within(from, to).iter().filter_map(|sample| {
        let ratios = trees.log_ratios(panel, sample.country, sample.at)?;
        let forecasts = std::array::from_fn(|horizon| PriceForecast {
            months: HORIZON_MONTHS[horizon],
            log_ratio: ratios[horizon],
            half_width: f64::NAN,
        });
        Some(Judged { country: sample.country, at: sample.at, forecasts, came: sample.targets })
    });
    judged.collect()
}

impl Render for Evaluation {
    fn text(&self) -> String {
        let Self { report, model_id, .. } = self;
        let how = if self.walk_forward { "fitted anew each quarter" } else { "as it is" };
        let Some([from, to]) = &report.decisions else {
            return format!("{model_id}: no decision of these days has an outcome yet");
        };
        let head = format!("{model_id}, {how}, {} countries, decisions {from} to {to}", self.countries);
        let [positive, cells] = report.cells;
        let tables = [
            scores(&report.horizons).to_string(),
            format!("skill by year, positive in {positive} of {cells}:\n{}", cells_table(&report.by_year)),
            format!("skill by country:\n{}", cells_table(&report.by_country)),
            format!("skill of others on the same rows:\n{}", rivals_table(&report.rivals)),
        ];
        let overlap = self.overlap().map(|words| layout::text(&words));
        lines(std::iter::once(head).chain(overlap).chain(tables))
    }
}

impl Evaluation {
    /// What is to be said of decisions that the model was trained on.
    fn overlap(&self) -> Option<String> {
        let trained_to = self.trained_to.as_ref().filter(|_| !self.walk_forward)?;
        let [from, _] = self.report.decisions.as_ref()?;
        (parse_day(from).ok()? <= parse_day(trained_to).ok()?).then(|| {
            format!("The model was trained on outcomes up to {trained_to}: figures of decisions before then say little. See --walk-forward.")
        })
    }
}

fn scores(scores: &[Score]) -> Table {
    let mut table = Table::new(&["months", "rows", "skill", "MAPE", "of persistence", "inside 80 %"]);
    for score in scores {
        table.add_row([
            score.months.to_string(),
            score.rows.to_string(),
            format!("{:.3}", score.skill),
            format!("{:.1} %", score.mape * 100.0),
            format!("{:.1} %", score.mape_persistence * 100.0),
            score.coverage.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0)),
        ]);
    }
    table
}

fn cells_table(cells: &[Cell]) -> Table {
    let mut table = horizons_table();
    let mut names: Vec<&str> = cells.iter().map(|cell| cell.of.as_str()).collect();
    names.dedup();
    for name in names {
        let of = cells.iter().filter(|cell| cell.of == name).map(|cell| cell.score).collect::<Vec<_>>();
        table.add_row(row(name, &of));
    }
    table
}

fn rivals_table(rivals: &[Rival]) -> Table {
    let mut table = horizons_table();
    for rival in rivals {
        table.add_row(row(&rival.name, &rival.horizons));
    }
    table
}

fn horizons_table() -> Table {
    Table::new(&["", "2 months", "3 months", "4 months", "5 months"])
}

fn row(name: &str, scores: &[Score]) -> Vec<String> {
    let skill = |months: u32| {
        let score = scores.iter().find(|score| score.months == months);
        score.map_or_else(|| "–".to_owned(), |score| format!("{:.2}", score.skill))
    };
    std::iter::once(name.to_owned()).chain(HORIZON_MONTHS.map(skill)).collect()
}
