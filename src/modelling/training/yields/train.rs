//! From a folder's tables to bundles of yield models.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::json;

use super::evaluate::{add, others, table};
use super::exported::{Exported, exported};
use super::samples;
use crate::bundle::Bundle;
use crate::modelling::Progress;
use crate::modelling::set_up::{SetUpRequest, set_up};
use crate::modelling::yield_request::{YieldForm, YieldTrainRequest};
use crate::render::{Render, lines};
use crate::sources::yields::error::YieldError;
use crate::sources::yields::folder::Yields;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::verification::{Verification, Way};
use veriregime_core::types::manifest::{Manifest, ONNX_FILE, SCHEMA, Training};
use veriregime_core::types::time::format_day;
use veriregime_core::yields::forecast::outputs;
use veriregime_core::yields::{GRID, Kind};
use veriregime_training::device::{Backend, Computer, open};
use veriregime_training::yields::card::{CARD_FILE, TestRow, card};
use veriregime_training::yields::fit::{Epoch, FitSettings};
use veriregime_training::yields::model::{Fitted, Form, Lessons};
use veriregime_training::yields::samples::{Sample, Samples};
use veriregime_training::yields::score::{Score, judge, score};

/// Products that a row of an LSTM's circuit adds up: with two its domain is half as large.
pub const LSTM_COLUMNS: u32 = 2;
/// Share of the decisions, the latest ones, that the figures of the card are of.
const TEST_SHARE: f64 = 0.2;

/// New bundles.
#[derive(Debug, Serialize)]
pub struct NewYieldBundles {
    bundles: Vec<NewYieldBundle>,
}

/// A new bundle.
#[derive(Debug, Serialize)]
struct NewYieldBundle {
    model_id: String,
    bundle: PathBuf,
    manifest: Digest,
    weights: usize,
    /// Figures of a model that was fitted in the same way up to an earlier day, by kind and by whether it saw the strategy.
    test: BTreeMap<String, Score>,
}

/// Trains on everything before a day, tests the same way of training on the latest part, and writes the bundles.
///
/// # Errors
/// Tables that are not usable or too few; an existing bundle is untouched then.
pub async fn train(
    request: &YieldTrainRequest<'_>,
    mut show: impl FnMut(Progress<'_>),
) -> anyhow::Result<NewYieldBundles> {
    let settings = FitSettings {
        epochs: request.epochs,
        batch_size: request.batch_size,
        seed: request.seed,
        ..FitSettings::default()
    };
    settings.check()?;
    let yields = Yields::read(request.data)?;
    let name = request.out.file_name().and_then(|name| name.to_str());
    let name = name.context("the bundles' folder needs a name, with which those of the models begin")?;
    let there: Vec<Kind> = request.kinds.iter().copied().filter(|kind| yields.last_day(*kind).is_some()).collect();
    if there.is_empty() {
        return Err(YieldError::Absent { folder: request.data.display().to_string() }.into());
    }
    let computer = open(Backend::Cpu)?;
    let plan: Vec<(Vec<Kind>, String, PathBuf)> = if request.is_one {
        vec![(there, name.to_owned(), request.out.to_owned())]
    } else {
        let own = |kind: &Kind| (vec![*kind], format!("{name}-{}", kind.name()), request.out.join(kind.name()));
        there.iter().map(own).collect()
    };
    let mut bundles = Vec::with_capacity(plan.len());
    for (kinds, model_id, out) in plan {
        let run = Run { request, settings, computer: &computer, samples: samples(&yields, &kinds), kinds, model_id };
        bundles.push(run.bundle(&out, &yields, &mut show).await?);
    }
    show(Progress::Done);
    Ok(NewYieldBundles { bundles })
}

/// The making of one model.
struct Run<'a> {
    request: &'a YieldTrainRequest<'a>,
    settings: FitSettings,
    computer: &'a Computer,
    samples: Samples,
    kinds: Vec<Kind>,
    model_id: String,
}

impl Run<'_> {
    fn fit(&self, until: Day, show: &mut impl FnMut(Progress<'_>)) -> anyhow::Result<Fitted> {
        let form = match self.request.form {
            YieldForm::Ridge => Form::Ridge,
            YieldForm::Square => Form::Square,
            YieldForm::Lstm(units) => Form::Lstm(units),
        };
        let Self { samples, kinds, settings, computer, .. } = self;
        let lessons = Lessons { samples, kinds, until, form, settings, device: &computer.device };
        Ok(lessons.fit(|Epoch { epoch, training_loss, validation_loss }| {
            let validation = validation_loss.map_or_else(String::new, |loss| format!(", validation {loss:.4}"));
            let epochs = settings.epochs;
            show(Progress::Epoch(format!(
                "{} epoch {epoch}/{epochs}: loss {training_loss:.4}{validation}",
                self.model_id
            )));
        })?)
    }

    /// The day whose end the last outcome that may be learnt is known at.
    fn until(&self) -> Day {
        let last = self.samples.all.last().map_or(0, |sample| sample.day);
        self.request.until.map_or(last, |until| (until - 1).min(last))
    }

    async fn bundle(
        &self,
        out: &Path,
        yields: &Yields,
        show: &mut impl FnMut(Progress<'_>),
    ) -> anyhow::Result<NewYieldBundle> {
        let until = self.until();
        let (tested_from, rows) = self.test(until, show)?;
        let fitted = self.fit(until, show)?;
        let Exported { onnx, model, weights, input_scale, output_scale, deviation } =
            exported(&fitted, &self.samples, until)?;
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        veriregime_files::create_folder(parent)?;
        let scratch = tempfile::Builder::new().prefix(".bundle-").tempdir_in(parent)?;
        let folder = scratch.path().join("bundle");
        veriregime_files::create_folder(&folder)?;
        let text = card(&self.model_id, &self.kinds, weights, &format_day(until), &format_day(tested_from), &rows);
        veriregime_files::write_atomic(&folder.join(ONNX_FILE), &onnx)?;
        veriregime_files::write_atomic(&folder.join(CARD_FILE), text.as_bytes())?;
        let test: BTreeMap<String, Score> = rows.into_iter().map(|row| (row.name, row.score)).collect();
        let manifest = Manifest {
            schema: SCHEMA,
            model_id: self.model_id.clone(),
            model,
            inputs: Inputs::Table(fitted.inputs.table(input_scale)),
            outputs: outputs(output_scale),
            grid: GRID,
            regime: None,
            verification: Verification::default(),
            files: BTreeMap::from([(CARD_FILE.to_owned(), Digest::of(text.as_bytes()))]),
            training: Training {
                provenance: self.provenance(yields, &fitted, until, tested_from, (weights, deviation)),
                baselines: None,
                reference: Vec::new(),
                metrics: serde_json::to_value(&test)?,
            },
        };
        let mut bundle = Bundle::seal(&folder, manifest)?;
        bundle.table_model()?;
        if let Some(tools) = &self.request.circuit {
            let inner_columns = if matches!(self.request.form, YieldForm::Lstm(_)) { LSTM_COLUMNS } else { 1 };
            let set_up = set_up(&SetUpRequest { bundle: &bundle, way: Way::Ezkl, tools, inner_columns }).await;
            set_up.context("the circuit cannot be set up")?;
            bundle = Bundle::open(&folder)?;
        }
        veriregime_files::replace_folder(out, &folder, &scratch.path().join("replaced"))?;
        let model_id = bundle.manifest.model_id;
        Ok(NewYieldBundle { model_id, bundle: out.to_owned(), manifest: bundle.manifest_digest, weights, test })
    }

    /// Fits up to an earlier day, and judges on what came after it.
    fn test(&self, until: Day, show: &mut impl FnMut(Progress<'_>)) -> anyhow::Result<(Day, Vec<TestRow>)> {
        let days: Vec<Day> = self.samples.known(until).map(|(sample, _)| sample.day).collect();
        let first = (days.len() as f64 * (1.0 - TEST_SHARE)) as usize;
        let from = days.get(first).copied().unwrap_or(until);
        let fitted = self.fit(from, show)?;
        let mut rows = Vec::new();
        for kind in &self.kinds {
            let own = self.samples.all.iter().filter(|sample| sample.kind == *kind && sample.day <= until);
            let said =
                own.map(|sample: &Sample| (sample, !self.samples.held_out[sample.pool], fitted.say(&sample.row)));
            let judged = judge(&said.collect::<Vec<_>>(), from);
            for (name, is_seen) in [("seen", true), ("unseen", false)] {
                let score = score(judged.iter().filter(|one| one.is_seen == is_seen));
                rows.push(TestRow { name: format!("{} {name}", kind.name()), score });
            }
            let others = others(&self.samples, &judged, *kind, from)?;
            rows.extend(
                others.into_iter().map(|(name, score)| TestRow { name: format!("{} {name}", kind.name()), score }),
            );
        }
        Ok((from, rows))
    }

    /// Where the model comes from.
    fn provenance(
        &self,
        yields: &Yields,
        fitted: &Fitted,
        until: Day,
        tested_from: Day,
        (weights, deviation): (usize, Option<f64>),
    ) -> serde_json::Value {
        let pools: std::collections::BTreeSet<&str> =
            self.samples.known(until).map(|(sample, _)| self.samples.pools[sample.pool].as_str()).collect();
        let first = self.samples.all.first().map_or(until, |sample| sample.day);
        let cleaning: BTreeMap<_, _> = yields.cleaning.iter().filter(|(kind, _)| self.kinds.contains(kind)).collect();
        let mut provenance = json!({
            "program": concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
            "kinds": self.kinds,
            "settings": self.settings,
            "split": {
                "train": { "from": format_day(first), "to": format_day(until) },
                "test": { "from": format_day(tested_from), "to": format_day(until) },
            },
            "cleaning": cleaning,
            "pools": pools,
            "held_out": self.samples.held_out.iter().filter(|is| **is).count(),
            "samples": fitted.samples,
            "epochs": fitted.epochs,
            "parameters": weights,
            "backend": self.computer.name,
        });
        if let Some(deviation) = deviation {
            provenance["largest_deviation_of_rounding"] = json!(deviation);
        }
        provenance
    }
}

impl Render for NewYieldBundles {
    fn text(&self) -> String {
        lines(self.bundles.iter().map(|one| {
            let mut table = table();
            for (name, score) in &one.test {
                add(&mut table, name, score);
            }
            let NewYieldBundle { bundle, manifest, weights, .. } = one;
            format!("{}, {weights} weights, manifest {manifest}\n{table}", bundle.display())
        }))
    }
}
