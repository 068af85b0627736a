//! How fast the networks learn here and now: rows, forward and backward pass, optimiser; all of an epoch but its
//! validation.

use std::time::Instant;

use serde::Serialize;

use crate::render::Render;
use crate::render::layout::Table;
use crate::sources::candles::simulated::SimulatedMarket;
use veriregime_core::features::sums::Sums;
use veriregime_core::quantile::quantile;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_training::baseline_cnn::WINDOW_MINUTES;
use veriregime_training::blocks::{RowInputs, Scale};
use veriregime_training::dataset;
use veriregime_training::dataset::{Decision, FitPart, Wanted};
use veriregime_training::device::{Backend, open};
use veriregime_training::loss::{LossSettings, Samples};
use veriregime_training::network::{Inputs, Network};
use veriregime_training::optimiser::OptimizerConfig;
use veriregime_training::reference::{TeacherSpec, TrainedTeacher};
use veriregime_training::reproduction::{OriginalInputs, OriginalSpec, TrainedOriginal};
use veriregime_training::settings::Settings;
use veriregime_training::teacher::TeacherSettings;
use veriregime_training::trainer::{Event, FitSettings, Progress, SelectBy, TrainInputs, fit};

/// Batches of a measured epoch; the first one warms up.
const BATCHES: usize = 41;
/// Measured epochs, of which the fastest counts.
const EPOCHS: usize = 3;
const ORIGINAL_BATCHES: usize = 5;
const ORIGINAL_BATCH: usize = 512;
/// Samples of the validation, which is not timed.
const VALIDATION: usize = 64;
const SEED: u64 = 7;

/// What `bench --training` measured.
#[derive(Debug, Serialize)]
pub struct TrainingFigures {
    backend: String,
    original: Speed,
    #[serde(skip_serializing_if = "Option::is_none")]
    teacher: Option<Speed>,
    /// The teacher, for whoever measures the same network elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    teacher_settings: Option<TeacherSettings>,
}

#[derive(Debug, Serialize)]
struct Speed {
    samples_per_s: f64,
    batch: usize,
    columns: usize,
}

/// Measures the original network, and the teacher of `settings` where there is one, on a simulated market.
///
/// # Errors
/// Settings that no network can follow.
pub fn measure(settings: &Settings) -> anyhow::Result<TrainingFigures> {
    Ok(TrainingFigures {
        backend: open(Backend::Cpu)?.name,
        original: original(settings)?,
        teacher: settings.teacher.as_ref().map(|teacher| self::teacher(settings, teacher)).transpose()?,
        teacher_settings: settings.teacher.clone(),
    })
}

impl Render for TrainingFigures {
    fn text(&self) -> String {
        let mut table = Table::new(&["network", "samples learnt from in a second", "batch"]);
        let networks = [("original CNN", Some(&self.original)), ("teacher", self.teacher.as_ref())];
        for (name, speed) in networks.into_iter().filter_map(|(name, speed)| Some((name, speed?))) {
            table.add_row([name.into(), format!("{:.0}", speed.samples_per_s), speed.batch.to_string()]);
        }
        format!("{table}\n{}", self.backend)
    }
}

fn original(settings: &Settings) -> anyhow::Result<Speed> {
    let fit = FitSettings {
        stride_minutes: 1,
        epochs: EPOCHS,
        patience: EPOCHS,
        batch: ORIGINAL_BATCH,
        select_by: SelectBy::F1,
        step: OptimizerConfig { learning_rate: 1e-3, weight_decay: 0.0, gradient_norm: 1e6 },
        loss: LossSettings { volatility_weight: 0.0, focal_gamma: 0.0, class_weights: false },
    };
    let (series, decisions) = market(settings, WINDOW_MINUTES, ORIGINAL_BATCHES * ORIGINAL_BATCH)?;
    let candles = series.candles();
    let inputs = OriginalInputs::new(&OriginalSpec::fit(candles, 0..candles.len())?, candles);
    let device = open(Backend::Cpu)?.device.autodiff();
    speed(TrainedOriginal::start(SEED, &device), &fit, &inputs, &samples(&decisions))
}

fn teacher(settings: &Settings, teacher: &TeacherSettings) -> anyhow::Result<Speed> {
    let fit = FitSettings { epochs: EPOCHS, patience: EPOCHS, ..teacher.fit.clone() };
    let (series, decisions) = market(settings, teacher.lookback_minutes(), BATCHES * fit.batch)?;
    let sums = Sums::new(series.candles(), series.carried());
    let part = FitPart { sums: &sums, start_ms: series.start_ms(), train: &decisions, profile: &decisions };
    let summaries = dataset::fit_specs(&teacher.summary, &[part])?;
    let at: Vec<usize> = decisions.iter().map(|(at, _)| *at).collect();
    let scales = teacher.scales.iter().map(|scale| Scale::fit(scale, &sums, &at)).collect::<Result<Vec<_>, _>>()?;
    let log_volatility = dataset::log_volatility_moments(&[(&decisions, 0.0)]);
    let spec = TeacherSpec::new(teacher, summaries, vec![scales], log_volatility, vec![0.0])?;
    let inputs = RowInputs::new(&spec.scales, &spec.summary, &series, at[0]..at[at.len() - 1] + 1)?;
    let device = open(Backend::Cpu)?.device.autodiff();
    speed(TrainedTeacher::start(&spec, SEED, &device), &fit, &inputs, &samples(&decisions))
}

/// Candles with `count` consecutive decisions that have `lookback_minutes` before them.
fn market(settings: &Settings, lookback_minutes: usize, count: usize) -> anyhow::Result<(CandleSeries, Vec<Decision>)> {
    let horizon_minutes = settings.label.horizon_minutes;
    let minutes = lookback_minutes + count + horizon_minutes;
    let end_ms = i64::try_from(minutes)? * MINUTE_MS;
    let series = CandleSeries::new(&SimulatedMarket::new(SEED).candles(0..end_ms), 0, end_ms, 0)?;
    let wanted = Wanted { lookback_minutes, max_missing_minutes: 0, horizon_minutes };
    let mut decisions = wanted.decisions(&Sums::new(series.candles(), &[]), 0, &(0..end_ms), 1);
    decisions.truncate(count);
    Ok((series, decisions))
}

/// Above their median is High.
fn samples(decisions: &[Decision]) -> Samples {
    let volatilities: Vec<f64> = decisions.iter().map(|(_, volatility)| *volatility).collect();
    let threshold = quantile(&volatilities, 0.5);
    dataset::samples(decisions, threshold, 0.0, dataset::log_volatility_moments(&[(decisions, 0.0)]))
}

fn speed<N: Network>(start: N, settings: &FitSettings, inputs: &dyn Inputs, train: &Samples) -> anyhow::Result<Speed> {
    let validation = Samples {
        at: train.at[..VALIDATION].to_vec(),
        high: train.high[..VALIDATION].to_vec(),
        log_volatility: train.log_volatility[..VALIDATION].to_vec(),
        teacher: None,
        weight: None,
    };
    let device = open(Backend::Cpu)?.device.autodiff();
    let lesson = TrainInputs {
        settings,
        distillation: None,
        inputs,
        train,
        validation: &validation,
        seed: SEED,
        device: &device,
    };
    let (mut since, mut fastest_seconds) = (Instant::now(), f64::INFINITY);
    let observe = |event: Event| match event {
        Event::Step { step: 1, .. } => since = Instant::now(),
        Event::Step { step, steps, .. } if step == steps => {
            fastest_seconds = since.elapsed().as_secs_f64().min(fastest_seconds);
        }
        _ => (),
    };
    fit(start, &lesson, Progress::default(), observe, |_| Ok(()))?;
    let timed = train.len() - settings.batch;
    Ok(Speed { samples_per_s: timed as f64 / fastest_seconds, batch: settings.batch, columns: inputs.columns() })
}
