//! From candles to a trained network. Shares the features with the daemon and nothing else: a model reaches it only as
//! files.

pub mod added;
pub mod baseline_cnn;
pub mod blocks;
pub mod calibration;
pub mod checkpoint;
pub mod cholesky;
pub mod dataset;
pub mod device;
pub mod error;
pub mod evaluation;
pub mod feature_settings;
pub mod hedge;
pub mod loss;
pub mod network;
pub mod optimiser;
pub mod pinball;
pub mod plots;
pub mod reference;
pub mod reproduction;
pub mod settings;
pub mod statistics;
pub mod student;
pub mod teacher;
pub mod trainer;
pub mod weights;
pub mod yields;

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::evaluation::baselines;
use blocks::{RowInputs, Scale};
use checkpoint::RunFolder;
use dataset::{Decision, Split, Wanted};
use error::TrainingError;
use loss::Samples;
use network::Network;
use reference::{TeacherSpec, TrainedTeacher, span};
use reproduction::{OriginalInputs, OriginalSpec, TrainedOriginal};
use settings::Settings;
use student::Student;
use teacher::TeacherSettings;
use trainer::{Event, FitSettings, Progress, SelectBy, TrainInputs};
use veriregime_core::features::har::LEAST_BEFORE;
use veriregime_core::features::sums::Sums;
use veriregime_core::model::export::LayeredNetwork;
use veriregime_core::types::baselines::Baselines;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::period::MINUTE_MS;

/// What a training run works on.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// How.
    pub settings: &'a Settings,
    /// From what.
    pub series: &'a CandleSeries,
    /// Where it is computed.
    pub device: &'a Device,
    /// Where its checkpoints are.
    pub folder: &'a RunFolder,
}

/// A network of a run: what progress is reported about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// `teacher-2`, `student-1`.
    pub name: String,
    /// Epochs at most.
    pub epochs: usize,
}

/// A finished stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub stage: String,
    /// Its epochs.
    pub epochs: Vec<trainer::Epoch>,
    /// Which of them was kept, from 1.
    pub best_epoch: usize,
}

/// Samples of one part of the split.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// First and last decision times, ms UTC.
    pub times: Range<i64>,
    /// Samples that the student sees.
    pub samples: usize,
    /// Share that High followed.
    pub share_high: f64,
}

/// What a training run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The network, calibrated, not yet on the circuit's grid.
    pub network: LayeredNetwork,
    /// The features with their statistics.
    pub features: FeatureSpec,
    /// What the network is compared with.
    pub baselines: Baselines,
    /// Which decision times served for what.
    pub split: Split,
    /// Training and validation as the student saw them.
    pub parts: [Part; 2],
    /// What the margins were divided by.
    pub temperature: f64,
    /// Every network's training.
    pub curves: Vec<Curve>,
    /// Which of the student's runs was kept.
    pub student: String,
    /// What the student learnt from.
    pub teacher: Option<TrainedTeacher>,
    /// The source system's network, to be compared with.
    pub original: Option<TrainedOriginal>,
}

/// Trains teacher and student. `observe` hears of every step of every stage.
///
/// # Errors
/// [`TrainingError`].
pub fn train(run: &Run<'_>, mut observe: impl FnMut(&Stage, Event)) -> Result<Trained, TrainingError> {
    let Run { settings, series, device, .. } = *run;
    let tracking = device.clone().autodiff();
    settings.check()?;
    let split = Split::new(settings, series.end_ms())?;
    let sums = Sums::new(series.candles(), series.carried());
    let lookback = settings.teacher.as_ref().map_or(0, TeacherSettings::lookback_minutes);
    let wanted = Wanted {
        lookback_minutes: lookback.max(settings.features.lookback_minutes),
        max_missing_minutes: settings.features.max_missing_minutes,
        horizon_minutes: settings.label.horizon_minutes,
    };
    let parts = Parts { wanted, sums: &sums, series, split: &split, threshold: settings.label.threshold };
    let mut curves = Vec::new();

    let teacher = match &settings.teacher {
        Some(teacher) => Some(train_teacher(run, teacher, &parts, &mut curves, &mut observe)?),
        None => None,
    };

    let original = match &settings.original_cnn {
        Some(fit) => Some(train_original(run, fit, &parts, &mut curves, &mut observe)?),
        None => None,
    };

    let fit = &settings.student.fit;
    let (train, validation) = parts.decisions(fit)?;
    let moments = dataset::log_volatility_moments(&train);
    let features = dataset::fit_spec(&settings.features, &sums, series.start_ms(), &train, &parts.profile(fit))?;
    let [mut train_samples, validation_samples] =
        [&train, &validation].map(|decisions| parts.samples(decisions, moments));
    if let Some(teacher) = &teacher {
        let own = teacher.forecast(series, &train_samples.at, device)?;
        let normalised =
            |[margin, log_volatility]: &[f64; 2]| [*margin as f32, ((log_volatility - moments[0]) / moments[1]) as f32];
        train_samples.teacher = Some(own.iter().map(normalised).collect());
    }
    let inputs = parts.inputs(&[], &features, [&train, &validation])?;
    let start = |seed: u64| {
        let random = &mut ChaCha8Rng::seed_from_u64(seed);
        let student = &settings.student;
        Student::new(features.count(), &student.layers, student.param_scale, moments, random, &tracking)
    };
    let mut best: Option<(String, Progress)> = None;
    for restart in 1..=settings.student.restarts {
        let stage = Stage { name: format!("student-{restart}"), epochs: fit.epochs };
        let seed = settings.seed.wrapping_add(restart as u64 - 1);
        let lesson = TrainInputs {
            settings: fit,
            distillation: teacher.as_ref().map(|_| &settings.student.distillation),
            inputs: &inputs,
            train: &train_samples,
            validation: &validation_samples,
            seed,
            device: &tracking,
        };
        let progress = run_stage(run, &stage, start(seed), &lesson, &mut observe)?;
        curves.push(curve(&stage, &progress));
        if best.as_ref().is_none_or(|(_, best)| is_better(fit.select_by, &progress, best)) {
            best = Some((stage.name, progress));
        }
    }
    let (name, progress) = best.expect("at least one restart");
    let student = weights::load(start(0), &progress.best_weights).expect("its own weights");
    let outputs = trainer::forward(&student.valid(), &inputs, &validation_samples.at, device);
    let rated: Vec<(f64, bool)> = outputs
        .iter()
        .zip(&validation_samples.high)
        .map(|(output, high)| (f64::from(output[0]), *high > 0.5))
        .collect();
    let temperature = frozen(calibration::temperature(&rated));

    let baselines = baselines::fit(&sums, &train, &validation, &settings.label).ok_or_else(|| {
        TrainingError::TooFew { part: "the baselines".into(), found: train.len(), needed: LEAST_BEFORE }
    })?;
    let part = |times: &Range<i64>, samples: &Samples| Part {
        times: times.clone(),
        samples: samples.len(),
        share_high: frozen(samples.share_high()),
    };
    Ok(Trained {
        network: student.to_network(temperature),
        baselines,
        parts: [part(&split.train, &train_samples), part(&split.validation, &validation_samples)],
        features,
        split,
        temperature,
        curves,
        student: name,
        teacher,
        original,
    })
}

/// The decision times of the split's parts.
struct Parts<'a> {
    wanted: Wanted,
    sums: &'a Sums<'a>,
    series: &'a CandleSeries,
    split: &'a Split,
    threshold: f64,
}

impl Parts<'_> {
    fn decisions(&self, fit: &FitSettings) -> Result<(Vec<Decision>, Vec<Decision>), TrainingError> {
        let part = |times: &Range<i64>, part: &str| {
            let found = self.wanted.decisions(self.sums, self.series.start_ms(), times, fit.stride_minutes);
            let high = found.iter().filter(|(_, volatility)| *volatility > self.threshold).count();
            match found.len() {
                0 => Err(TrainingError::TooFew { part: part.to_owned(), found: 0, needed: 1 }),
                all if high == 0 || high == all => Err(TrainingError::OneClass { part: part.to_owned() }),
                _ => Ok(found),
            }
        };
        Ok((part(&self.split.train, "training")?, part(&self.split.validation, "validation")?))
    }

    fn profile(&self, fit: &FitSettings) -> Vec<Decision> {
        let wanted = Wanted { lookback_minutes: 1, ..self.wanted };
        wanted.decisions(self.sums, self.series.start_ms(), &self.split.profile, fit.stride_minutes)
    }

    fn inputs(
        &self,
        scales: &[Scale],
        spec: &FeatureSpec,
        parts: [&[Decision]; 2],
    ) -> Result<RowInputs, TrainingError> {
        let at: Vec<usize> = parts.into_iter().flatten().map(|(at, _)| *at).collect();
        RowInputs::new(scales, spec, self.series, span(&at))
    }

    fn samples(&self, decisions: &[Decision], moments: [f64; 2]) -> Samples {
        dataset::samples(decisions, self.threshold, moments)
    }
}

fn train_teacher(
    run: &Run<'_>,
    settings: &TeacherSettings,
    parts: &Parts<'_>,
    curves: &mut Vec<Curve>,
    observe: &mut impl FnMut(&Stage, Event),
) -> Result<TrainedTeacher, TrainingError> {
    let (train, validation) = parts.decisions(&settings.fit)?;
    let moments = dataset::log_volatility_moments(&train);
    let profile = parts.profile(&settings.fit);
    let summary = dataset::fit_spec(&settings.summary, parts.sums, run.series.start_ms(), &train, &profile)?;
    let at: Vec<usize> = train.iter().map(|(at, _)| *at).collect();
    let scales = settings.scales.iter().map(|scale| Scale::fit(scale, parts.sums, &at)).collect::<Result<_, _>>()?;
    let spec = TeacherSpec { settings: settings.clone(), summary, scales, log_volatility: moments };
    let inputs = parts.inputs(&spec.scales, &spec.summary, [&train, &validation])?;
    let [train, validation] = [&train, &validation].map(|decisions| parts.samples(decisions, moments));
    let tracking = run.device.clone().autodiff();
    let mut members = Vec::with_capacity(settings.members);
    for member in 1..=settings.members {
        let stage = Stage { name: format!("teacher-{member}"), epochs: settings.fit.epochs };
        let seed = run.settings.seed.wrapping_add(1000 + member as u64);
        let lesson = TrainInputs {
            settings: &settings.fit,
            distillation: None,
            inputs: &inputs,
            train: &train,
            validation: &validation,
            seed,
            device: &tracking,
        };
        let progress = run_stage(run, &stage, TrainedTeacher::start(&spec, seed, &tracking), &lesson, observe)?;
        curves.push(curve(&stage, &progress));
        members.push(progress.best_weights);
    }
    Ok(TrainedTeacher { spec, members })
}

/// The source system's network by its own protocol: its own years, every channel normalised over all parts together.
fn train_original(
    run: &Run<'_>,
    fit: &FitSettings,
    parts: &Parts<'_>,
    curves: &mut Vec<Curve>,
    observe: &mut impl FnMut(&Stage, Event),
) -> Result<TrainedOriginal, TrainingError> {
    let candles = run.series.candles();
    let split = parts.split;
    let index = |time_ms: i64| usize::try_from((time_ms - run.series.start_ms()) / MINUTE_MS).unwrap_or(0);
    let spec = OriginalSpec::fit(candles, index(split.protocol.start)..index(split.protocol.end))?;
    let inputs = OriginalInputs::new(&spec, candles);
    let own = Split { train: split.protocol.start..split.train.end, ..split.clone() };
    let wanted = Wanted { lookback_minutes: baseline_cnn::WINDOW_MINUTES, ..parts.wanted };
    let (train, validation) = Parts { wanted, split: &own, ..*parts }.decisions(fit)?;
    let moments = dataset::log_volatility_moments(&train);
    let [train, validation] = [&train, &validation].map(|decisions| parts.samples(decisions, moments));
    let tracking = run.device.clone().autodiff();
    let stage = Stage { name: "original-cnn".into(), epochs: fit.epochs };
    let seed = run.settings.seed.wrapping_add(2000);
    let lesson = TrainInputs {
        settings: fit,
        distillation: None,
        inputs: &inputs,
        train: &train,
        validation: &validation,
        seed,
        device: &tracking,
    };
    let progress = run_stage(run, &stage, TrainedOriginal::start(seed, &tracking), &lesson, observe)?;
    curves.push(curve(&stage, &progress));
    Ok(TrainedOriginal { spec, weights: progress.best_weights })
}

/// Trains one network from where its last checkpoint left it.
fn run_stage<N: Network>(
    run: &Run<'_>,
    stage: &Stage,
    start: N,
    lesson: &TrainInputs<'_>,
    observe: &mut impl FnMut(&Stage, Event),
) -> Result<Progress, TrainingError> {
    let progress = run.folder.load(&stage.name)?;
    let save = |progress: &Progress| run.folder.save(&stage.name, progress);
    trainer::fit(start, lesson, progress, |event| observe(stage, event), save)
}

fn curve(stage: &Stage, progress: &Progress) -> Curve {
    Curve { stage: stage.name.clone(), epochs: progress.curve.clone(), best_epoch: progress.best_epoch }
}

fn is_better(select_by: SelectBy, left: &Progress, right: &Progress) -> bool {
    let score = |progress: &Progress| progress.best().map(|epoch| select_by.score(epoch));
    score(left) > score(right)
}
