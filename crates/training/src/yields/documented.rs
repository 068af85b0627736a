//! The documented LSTM, fitted and asked: with the original's absolute target on raw rates, or with residual targets.

use std::path::Path;

use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::json;

use super::fit::{Epoch, FitSettings, Lesson, fit};
use super::inputs::{BESIDE, Inputs, unrolled_places};
use super::kept::Kept;
use super::lstm::{DOCUMENTED_UNITS, Lstm, unrolled};
use super::model::{scalers, targets};
use super::ridge::TARGETS;
use super::samples::{Sample, Samples};
use crate::checkpoint::{RunFolder, Unfinished};
use crate::error::TrainingError;
use crate::network::Network;
use crate::weights::{matrix, numbers};
use burn::module::Module;
use veriregime_core::hedge::panel::Day;
use veriregime_core::types::digest::Digest;
use veriregime_core::yields::WINDOW_DAYS;
use veriregime_core::yields::features::Target;
use veriregime_core::yields::forecast::Said;
use veriregime_core::yields::scale::{MAX_Z, apy_percent, z};

/// Inputs of a row: of each day its rate, and what stands beside it.
const COLUMNS: usize = WINDOW_DAYS * (1 + BESIDE.len());
/// Share of the decisions, the latest ones, that choose the epoch.
const VALIDATION_SHARE: f64 = 0.15;
/// Rows of one pass without learning.
const FORWARD_ROWS: usize = 4096;
/// Fewest decisions that it is fitted on.
const LEAST_SAMPLES: usize = 500;

/// Name of a kept run's only network.
const STAGE: &str = "lstm";

/// Name of the file with what a kept run learns from.
const LESSON_FILE: &str = "lesson.csv";

/// What is forecast, from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The mean rate and its deviation in percent, from rates in percent: the original.
    Absolute,
    /// The change of `z` and the logarithm of its deviation, from changes of `z`.
    Residual,
}

/// A fitted LSTM.
#[derive(Debug)]
pub struct Documented {
    form: Form,
    inputs: Inputs,
    /// Mean and standard deviation of the rates, percent.
    rates: (f64, f64),
    scalers: [(f64, f64); TARGETS],
    network: Lstm,
    device: Device,
}

impl Documented {
    /// Fits on the outcomes that are known at the end of a day; the latest of these decisions choose the epoch. Where a folder is
    /// given, the run is kept in it, and goes on where it stopped.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`], [`TrainingError::Diverged`], or another run in the folder.
    pub fn fit(
        samples: &Samples,
        until: Day,
        form: Form,
        settings: &FitSettings,
        device: &Device,
        folder: Option<&Path>,
        mut observe: impl FnMut(Epoch),
    ) -> Result<Self, TrainingError> {
        let known: Vec<(&Sample, Target)> = samples.known(until).collect();
        let few = |found: usize| TrainingError::TooFew { part: "the LSTM's part".into(), found, needed: LEAST_SAMPLES };
        if known.len() < LEAST_SAMPLES {
            return Err(few(known.len()));
        }
        let first = known[(known.len() as f64 * (1.0 - VALIDATION_SHARE)) as usize].0.day;
        let early: Vec<(&Sample, Target)> = samples.known(first).collect();
        let late: Vec<(&Sample, Target)> = known.into_iter().filter(|(sample, _)| sample.day >= first).collect();
        if early.len() < LEAST_SAMPLES / 2 {
            return Err(few(early.len()));
        }
        let rates = || early.iter().flat_map(|(sample, _)| sample.window.apy);
        let count = (early.len() * WINDOW_DAYS) as f64;
        let mean = rates().sum::<f64>() / count;
        let deviation = (rates().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / count).sqrt().max(1e-9);
        let mut fitted = Self {
            form,
            inputs: Inputs::fit(unrolled_places(), early.iter().map(|(sample, _)| &sample.row)),
            rates: (mean, deviation),
            scalers: scalers(early.iter().map(|(_, target)| learnt(form, target))),
            network: Lstm::new(
                WINDOW_DAYS,
                1 + BESIDE.len(),
                DOCUMENTED_UNITS,
                &mut ChaCha8Rng::seed_from_u64(settings.seed),
                &device.clone().autodiff(),
            ),
            device: device.clone(),
        };
        let [lesson, validation] = [&early, &late].map(|rows| fitted.lesson(rows));
        let start = fitted.network.clone();
        let (network, _) = if let Some(folder) = folder {
            let bytes: Vec<u8> = lesson.rows.iter().flat_map(|number| number.to_le_bytes()).collect();
            let identity = json!({ "form": form, "settings": settings, "until": until, "rows": Digest::of(&bytes) });
            let run = RunFolder::open(folder, &identity, Unfinished::Resume)?;
            run.put(LESSON_FILE, fitted.csv([&lesson, &validation]).as_bytes())?;
            let mut kept = Kept { run: &run, stage: STAGE, tell: observe };
            fit(start, &lesson, Some(&validation), settings, device, &mut kept)?
        } else {
            fit(start, &lesson, Some(&validation), settings, device, &mut observe)?
        };
        fitted.network = network.valid();
        Ok(fitted)
    }

    /// What it says of decisions.
    pub fn say(&self, samples: &[&Sample]) -> Vec<Said> {
        let mut said = Vec::with_capacity(samples.len());
        for chunk in samples.chunks(FORWARD_ROWS) {
            let rows: Vec<f32> = chunk.iter().flat_map(|sample| self.row(sample)).collect();
            let outputs = numbers(self.network.forward(matrix(rows, COLUMNS, &self.device), None));
            said.extend(chunk.iter().zip(outputs.chunks_exact(TARGETS)).map(|(sample, pair)| self.said(sample, pair)));
        }
        said
    }

    fn said(&self, sample: &Sample, outputs: &[f32]) -> Said {
        let of = |index: usize| self.scalers[index].0 + self.scalers[index].1 * f64::from(outputs[index]);
        match self.form {
            Form::Residual => Said::new(of(0), of(1), 0.0),
            Form::Absolute => {
                let most = apy_percent(MAX_Z);
                let rate = of(0).clamp(-most, most);
                // What it says of a week must count in full, however far from the last week it lies.
                let change = z(rate) - sample.window.level;
                let log_deviation = libm::log(of(1).max(1e-6) / (1.0 + rate.abs()));
                Said { change, ..Said::new(0.0, log_deviation, 0.0) }
            }
        }
    }

    /// Day after day: its rate, then what stands beside it.
    fn row(&self, sample: &Sample) -> Vec<f32> {
        let normalised = self.inputs.normalised(&sample.row);
        let (changes, beside) = normalised.split_at(WINDOW_DAYS);
        match self.form {
            Form::Residual => unrolled(changes, beside),
            Form::Absolute => unrolled(&sample.window.apy.map(|rate| (rate - self.rates.0) / self.rates.1), beside),
        }
    }

    fn lesson(&self, rows: &[(&Sample, Target)]) -> Lesson {
        let normalised = |target: &Target| {
            let targets = learnt(self.form, target);
            std::array::from_fn(|index| ((targets[index] - self.scalers[index].0) / self.scalers[index].1) as f32)
        };
        Lesson {
            columns: COLUMNS,
            rows: rows.iter().flat_map(|(sample, _)| self.row(sample)).collect(),
            targets: rows.iter().map(|(_, target)| normalised(target)).collect(),
        }
    }

    /// The rows to learn from and those that choose the epoch, for networks elsewhere: whether it is one of the latter, what stands for no
    /// change, the inputs day after day, what came.
    fn csv(&self, parts: [&Lesson; 2]) -> String {
        let none = -self.scalers[0].0 / self.scalers[0].1;
        let inputs = (0..COLUMNS).map(|column| format!("input_{column}")).collect::<Vec<_>>().join(",");
        let mut lines = vec![format!("validation,no_change,{inputs},change,log_deviation")];
        for (is_validation, part) in parts.iter().enumerate() {
            for (row, came) in part.rows.chunks_exact(COLUMNS).zip(&part.targets) {
                let numbers = row.iter().chain(came).map(f32::to_string).collect::<Vec<_>>().join(",");
                lines.push(format!("{is_validation},{none},{numbers}"));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// What is learnt of an outcome.
fn learnt(form: Form, target: &Target) -> [f64; TARGETS] {
    match form {
        Form::Residual => targets(target),
        Form::Absolute => {
            let rate = target.apy_percent;
            [rate, libm::exp(target.log_deviation) * (1.0 + rate.abs())]
        }
    }
}
