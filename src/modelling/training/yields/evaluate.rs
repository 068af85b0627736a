//! How good yield models are on a folder's tables.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

use super::samples;
use crate::bundle::yields::YieldModels;
use crate::modelling::Progress;
use crate::modelling::yield_request::YieldEvaluateRequest;
use crate::render::layout::{self, Table};
use crate::render::{Render, lines};
use crate::sources::yields::folder::Yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::time::{format_day, parse_day};
use veriregime_core::yields::Kind;
use veriregime_core::yields::forecast::Said;
use veriregime_training::device::{Backend, open};
use veriregime_training::optimiser::OptimizerConfig;
use veriregime_training::plots::yields::plots;
use veriregime_training::yields::documented::{self, Documented};
use veriregime_training::yields::fit::{Epoch, FitSettings};
use veriregime_training::yields::model::{Form, Lessons};
use veriregime_training::yields::samples::{Sample, Samples};
use veriregime_training::yields::score::{
    Judged, Score, by_month, ewma, instead, judge, last_day, last_week, said_otherwise, score,
};

/// How the documented LSTM is trained.
const LSTM_SETTINGS: FitSettings = FitSettings {
    epochs: 100,
    batch_size: 128,
    patience: 4,
    seed: 1,
    step: OptimizerConfig { learning_rate: 0.001, weight_decay: 0.0, gradient_norm: 1.0 },
};

/// Figures of models.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// By kind.
    kinds: BTreeMap<Kind, KindFigures>,
    /// Models by kind.
    models: BTreeMap<Kind, String>,
    /// First day of decisions.
    from: String,
    /// Kinds whose model learnt outcomes of the days that it is judged on.
    overlapping: Vec<Kind>,
}

/// Figures of a kind.
#[derive(Debug, Serialize)]
struct KindFigures {
    /// Of strategies that the model was fitted on.
    seen: Score,
    /// Of strategies that it was not.
    unseen: Score,
    /// Both, by the month of the decision.
    months: BTreeMap<String, Score>,
    /// Others on the same rows; of regressions those fitted on what was known by the first day.
    others: BTreeMap<String, Score>,
}

/// Judges models on the decisions from a day on.
///
/// # Errors
/// Bundles or tables that are not usable.
pub fn evaluate(request: &YieldEvaluateRequest<'_>, mut show: impl FnMut(Progress<'_>)) -> anyhow::Result<Evaluation> {
    let models = YieldModels::open(request.model)?;
    let yields = Yields::read(request.data)?;
    let mut kinds = BTreeMap::new();
    let mut overlapping = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| request.kinds.is_empty() || request.kinds.contains(kind)) {
        let Some(model) = models.of(kind) else { continue };
        let samples = samples(&yields, &[kind]);
        let seen = model.seen();
        let is_seen: Vec<bool> = samples.pools.iter().map(|id| seen.contains(&id.as_str())).collect();
        let say = |sample: &Sample| model.say(&sample.row).map(|(said, _)| said);
        let rows = samples.all.iter().map(|sample| Ok((sample, is_seen[sample.pool], say(sample)?)));
        let rows: Vec<(&Sample, bool, Said)> = rows.collect::<anyhow::Result<_>>()?;
        let judged = judge(&rows, request.from);
        let of = |wanted: bool| score(judged.iter().filter(|one| one.is_seen == wanted));
        let trained_to =
            model.bundle.manifest.training.provenance.pointer("/split/train/to").and_then(serde_json::Value::as_str);
        if trained_to.is_some_and(|day| parse_day(day).is_ok_and(|day| day >= request.from)) {
            overlapping.push(kind);
        }
        let mut others = others(&samples, &judged, kind, request.from)?;
        if let Some(epochs) = request.lstm_epochs {
            others.extend(lstm(&samples, &judged, kind, request, epochs, &mut show)?);
        }
        if let Some(folder) = request.plots {
            veriregime_files::create_folder(folder)?;
            for (name, svg) in plots(kind.name(), &judged) {
                veriregime_files::write_atomic(&folder.join(format!("{name}.svg")), svg.as_bytes())?;
            }
        }
        let figures = KindFigures { seen: of(true), unseen: of(false), months: by_month(&judged), others };
        kinds.insert(kind, figures);
    }
    show(Progress::Done);
    Ok(Evaluation { kinds, models: models.ids(), from: format_day(request.from), overlapping })
}

/// Those who forecast the same decisions otherwise.
pub(super) fn others(
    samples: &Samples,
    judged: &[Judged<'_>],
    kind: Kind,
    from: Day,
) -> anyhow::Result<BTreeMap<String, Score>> {
    let of = |say: &dyn Fn(&Sample) -> Said| score(instead(judged, say).iter());
    let mut others = BTreeMap::from([
        ("last_day".to_owned(), of(&last_day)),
        ("mean_7".to_owned(), of(&last_week)),
        ("ewma".to_owned(), of(&ewma)),
    ]);
    let device = open(Backend::Cpu)?.device;
    let settings = FitSettings::default();
    for (name, form) in [("ar", Form::Autoregression), ("ridge", Form::Ridge)] {
        let lessons = Lessons { samples, kinds: &[kind], until: from, form, settings: &settings, device: &device };
        // Where the data begin too late for it, this row is not there.
        if let Ok(fitted) = lessons.fit(|_| ()) {
            others.insert(name.to_owned(), of(&|sample| fitted.say(&sample.row)));
        }
    }
    Ok(others)
}

/// The documented LSTM on the same decisions, with both targets.
fn lstm(
    samples: &Samples,
    judged: &[Judged<'_>],
    kind: Kind,
    request: &YieldEvaluateRequest<'_>,
    epochs: usize,
    show: &mut impl FnMut(Progress<'_>),
) -> anyhow::Result<BTreeMap<String, Score>> {
    let device = open(Backend::Cpu)?.device;
    let settings = FitSettings { epochs, ..LSTM_SETTINGS };
    settings.check()?;
    let asked: Vec<&Sample> = judged.iter().map(|one| one.sample).collect();
    let mut rows = BTreeMap::new();
    for (name, form) in [("lstm_absolute", documented::Form::Absolute), ("lstm_residual", documented::Form::Residual)] {
        let started = Instant::now();
        let run = request.lstm_run.map(|folder| folder.join(format!("{}-{name}", kind.name())));
        let fitted = Documented::fit(samples, request.from, form, &settings, &device, run.as_deref(), |epoch| {
            let Epoch { epoch, training_loss, validation_loss } = epoch;
            let validation = validation_loss.map_or_else(String::new, |loss| format!(", validation {loss:.4}"));
            let seconds = started.elapsed().as_secs();
            let kind = kind.name();
            show(Progress::Epoch(format!(
                "{name} of {kind}, epoch {epoch}/{epochs}: loss {training_loss:.4}{validation}, {seconds} s"
            )));
        })?;
        rows.insert(name.to_owned(), score(said_otherwise(judged, &fitted.say(&asked)).iter()));
    }
    Ok(rows)
}

impl Render for Evaluation {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        for (kind, figures) in &self.kinds {
            let model = self.models.get(kind).map_or("", String::as_str);
            let mut table = table();
            add(&mut table, "seen strategies", &figures.seen);
            add(&mut table, "unseen strategies", &figures.unseen);
            for (name, score) in &figures.others {
                add(&mut table, name, score);
            }
            for (month, score) in &figures.months {
                add(&mut table, month, score);
            }
            parts.push(format!("{}, {model}, decisions from {}\n{table}", kind.name(), self.from));
        }
        if !self.overlapping.is_empty() {
            let kinds = self.overlapping.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            parts.push(layout::text(&format!(
                "The models for {kinds} were fitted on outcomes after {}: their figures say little.",
                self.from
            )));
        }
        lines(parts)
    }
}

pub(super) fn table() -> Table {
    Table::new(&["", "rows", "R²", "MAE pp", "over last day", "over 7-day mean", "volatility", "inside 90 %"])
}

pub(super) fn add(table: &mut Table, name: &str, score: &Score) {
    let Score { rows, r2, mae_pp, skill_last, skill_mean7, volatility_skill, coverage90 } = *score;
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let inside = coverage90.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0));
    table.add_row([
        name.to_owned(),
        rows.to_string(),
        number(r2),
        number(mae_pp),
        number(skill_last),
        number(skill_mean7),
        number(volatility_skill),
        inside,
    ]);
}
