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
pub mod pool;
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
use blocks::Scale;
use checkpoint::RunFolder;
use dataset::{Decision, Split, Wanted};
use error::TrainingError;
use network::Network;
use pool::Pool;
use reference::{TeacherSpec, TrainedTeacher};
use reproduction::{OriginalInputs, OriginalSpec, TrainedOriginal};
use settings::Settings;
use student::Student;
use teacher::TeacherSettings;
use trainer::{Event, FitSettings, Progress, SelectBy, TrainInputs};
use veriregime_core::features::har::LEAST_BEFORE;
use veriregime_core::model::export::LayeredNetwork;
use veriregime_core::types::baselines::Baselines;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::manifest::regime::Label;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::prediction::REGIME_OUTPUTS;

/// What a training run works on.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// How.
    pub settings: &'a Settings,
    /// From what: the candles of each market of the settings, in their order.
    pub series: &'a [CandleSeries],
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

/// What training leaves of a market.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedMarket {
    /// Its names.
    pub market: Market,
    /// What is forecast of it.
    pub label: Label,
    /// What is added to the network's log-volatility: nothing of a model of one market.
    pub log_offset: f64,
    /// What is added to it besides, where the settings ask for the variance to be expected; else nothing.
    pub log_lift: f64,
    /// The features with the market's statistics.
    pub features: FeatureSpec,
    /// What the network is compared with.
    pub baselines: Baselines,
    /// Training and validation as the student saw them.
    pub parts: [Part; 2],
}

/// What a training run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The network, calibrated, not yet on the circuit's grid; of several markets without what each adds.
    pub network: LayeredNetwork,
    /// The markets, in the order of the settings; at least one.
    pub markets: Vec<TrainedMarket>,
    /// Which decision times served for what.
    pub split: Split,
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

impl Trained {
    /// The network as it is proven: of several markets with what each adds to the log-volatility.
    pub fn of_markets(&self) -> LayeredNetwork {
        let network = self.network.clone();
        if self.markets.iter().all(|market| (market.log_offset + market.log_lift).abs() < f64::EPSILON) {
            return network;
        }
        let volatility = REGIME_OUTPUTS.len() - 1;
        let more = |market: &TrainedMarket| {
            let mut row = vec![0.0; REGIME_OUTPUTS.len()];
            row[volatility] = market.log_offset + market.log_lift;
            row
        };
        let more: Vec<_> = self.markets.iter().map(more).collect();
        network.for_markets(&more).expect("it ends with sums and one bias")
    }
}

/// Trains teacher and student. `observe` hears of every step of every stage.
///
/// # Errors
/// [`TrainingError`].
pub fn train(run: &Run<'_>, mut observe: impl FnMut(&Stage, Event)) -> Result<Trained, TrainingError> {
    let Run { settings, series, device, .. } = *run;
    let tracking = device.clone().autodiff();
    settings.check()?;
    let split = Split::new(settings, series.iter().map(CandleSeries::end_ms).min().unwrap_or(0))?;
    let pool = Pool::new(settings, series, &split)?;
    let mut curves = Vec::new();

    let teacher = match &settings.teacher {
        Some(teacher) => Some(train_teacher(run, teacher, &pool, &mut curves, &mut observe)?),
        None => None,
    };

    let original = match &settings.original_cnn {
        Some(fit) => Some(train_original(run, fit, &pool, &mut curves, &mut observe)?),
        None => None,
    };

    let fit = &settings.student.fit;
    let [train, validation] = pool.decisions(fit)?;
    let moments = pool.log_volatility_moments(&train);
    let features = dataset::fit_specs(&settings.features, &pool.fit_parts(&train, &pool.profile(fit)))?;
    let [mut train_samples, validation_samples] =
        [&train, &validation].map(|decisions| pool.samples(decisions, moments));
    if let Some(teacher) = &teacher {
        train_samples.teacher = Some(lesson_of(teacher, &pool, &train, moments, device)?);
    }
    let count = features.first().map_or(0, FeatureSpec::count);
    let inputs =
        pool.inputs(&vec![&[][..]; series.len()], &features.iter().collect::<Vec<_>>(), [&train, &validation])?;
    let start = |seed: u64| {
        let random = &mut ChaCha8Rng::seed_from_u64(seed);
        let student = &settings.student;
        Student::new(count, &student.layers, student.param_scale, moments, random, &tracking)
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

    let part = |times: &Range<i64>, decisions: &[Decision], label: &Label| Part {
        times: times.clone(),
        samples: decisions.len(),
        share_high: frozen(dataset::samples(decisions, label.threshold, 0.0, moments).share_high()),
    };
    let mut lifts = vec![0.0; pool.markets.len()];
    if settings.student.expects_variance {
        let said = trainer::forward(&student.valid(), &inputs, &train_samples.at, device);
        let gaps = said.iter().zip(&train_samples.log_volatility).map(|([_, said], came)| f64::from(came - said));
        let gaps: Vec<f64> = gaps.map(|gap| gap * moments[1]).collect();
        lifts = pool.parted(&train, &gaps).map(calibration::lift).map(frozen).collect();
    }
    let markets = pool.markets.iter().zip(features).zip(lifts).zip(train.iter().zip(&validation));
    let markets = markets.map(|(((market, features), log_lift), (train, validation))| {
        let baselines = baselines::fit(&market.sums, train, validation, &market.label).ok_or_else(|| {
            TrainingError::TooFew { part: "the baselines".into(), found: train.len(), needed: LEAST_BEFORE }
        })?;
        let parts = [part(&split.train, train, &market.label), part(&split.validation, validation, &market.label)];
        Ok(TrainedMarket {
            market: market.settings.market(),
            label: market.label.clone(),
            log_offset: market.log_offset,
            log_lift,
            features,
            baselines,
            parts,
        })
    });
    Ok(Trained {
        network: student.to_network(temperature),
        markets: markets.collect::<Result<_, TrainingError>>()?,
        split: split.clone(),
        temperature,
        curves,
        student: name,
        teacher,
        original,
    })
}

/// What a teacher says about training decisions, as the student learns it.
fn lesson_of(
    teacher: &TrainedTeacher,
    pool: &Pool<'_>,
    train: &[Vec<Decision>],
    [mean, deviation]: [f64; 2],
    device: &Device,
) -> Result<Vec<[f32; 2]>, TrainingError> {
    let mut lesson = Vec::new();
    for (index, (market, decisions)) in pool.markets.iter().zip(train).enumerate() {
        let at: Vec<usize> = decisions.iter().map(|(at, _)| *at).collect();
        let own = teacher.forecast(index, market.series, &at, device)?;
        lesson.extend(own.iter().map(|[margin, log_volatility]| {
            [*margin as f32, ((log_volatility - market.log_offset - mean) / deviation) as f32]
        }));
    }
    Ok(lesson)
}

fn train_teacher(
    run: &Run<'_>,
    settings: &TeacherSettings,
    pool: &Pool<'_>,
    curves: &mut Vec<Curve>,
    observe: &mut impl FnMut(&Stage, Event),
) -> Result<TrainedTeacher, TrainingError> {
    let [train, validation] = pool.decisions(&settings.fit)?;
    let moments = pool.log_volatility_moments(&train);
    let summaries = dataset::fit_specs(&settings.summary, &pool.fit_parts(&train, &pool.profile(&settings.fit)))?;
    let of_market = |(market, decisions): (&pool::PooledMarket<'_>, &Vec<Decision>)| {
        let at: Vec<usize> = decisions.iter().map(|(at, _)| *at).collect();
        settings.scales.iter().map(|scale| Scale::fit(scale, &market.sums, &at)).collect::<Result<Vec<_>, _>>()
    };
    let scales = pool.markets.iter().zip(&train).map(of_market).collect::<Result<Vec<_>, _>>()?;
    let inputs = {
        let scales: Vec<&[Scale]> = scales.iter().map(Vec::as_slice).collect();
        pool.inputs(&scales, &summaries.iter().collect::<Vec<_>>(), [&train, &validation])?
    };
    let log_offsets = pool.markets.iter().map(|market| market.log_offset).collect();
    let spec = TeacherSpec::new(settings, summaries, scales, moments, log_offsets)?;
    let [train, validation] = [&train, &validation].map(|decisions| pool.samples(decisions, moments));
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

/// The source system's network by its own protocol: its own years, every channel normalised over all parts together. Of the first
/// market: settings with several have none.
fn train_original(
    run: &Run<'_>,
    fit: &FitSettings,
    pool: &Pool<'_>,
    curves: &mut Vec<Curve>,
    observe: &mut impl FnMut(&Stage, Event),
) -> Result<TrainedOriginal, TrainingError> {
    let series = pool.markets[0].series;
    let candles = series.candles();
    let split = pool.split;
    let index = |time_ms: i64| usize::try_from((time_ms - series.start_ms()) / MINUTE_MS).unwrap_or(0);
    let spec = OriginalSpec::fit(candles, index(split.protocol.start)..index(split.protocol.end))?;
    let inputs = OriginalInputs::new(&spec, candles);
    let own = Split { train: split.protocol.start..split.train.end, ..split.clone() };
    let wanted = Wanted { lookback_minutes: baseline_cnn::WINDOW_MINUTES, ..pool.wanted() };
    let [train, validation] = pool.decisions_in(&wanted, &own, fit)?;
    let moments = pool.log_volatility_moments(&train);
    let [train, validation] = [&train, &validation].map(|decisions| pool.samples(decisions, moments));
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
