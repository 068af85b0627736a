//! Training: the split leaks nothing, runs repeat to the bit, and a model comes out that knows more than chance.

use burn::module::Module;
use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use veriregime_core::features::har;
use veriregime_core::features::sums::Sums;
use veriregime_core::model::Layout;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::feature::Feature;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::blocks::RowInputs;
use veriregime_training::checkpoint::{RunFolder, Unfinished};
use veriregime_training::dataset::{Decision, FitPart, Split, Wanted, fit_specs, log_volatility_moments, samples};
use veriregime_training::error::TrainingError;
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::evaluation::{Comparison, Subject};
use veriregime_training::settings::Settings;
use veriregime_training::student::{LayerSettings, Student};
use veriregime_training::trainer::{Progress, TrainInputs, fit, forward};
use veriregime_training::weights;
use veriregime_training::{Run, Trained};

use crate::market::candles;

const DAYS: usize = 70;

/// The shipped settings.
fn shipped() -> Settings {
    toml::from_str(include_str!("../../../../models/train.toml")).expect("the shipped settings are whole")
}

/// Settings for a few weeks of simulated candles.
fn small() -> Settings {
    let mut settings = shipped();
    settings.label.threshold = Some(0.0006);
    settings.split.train_from = "2024-01-02".into();
    settings.split.profile_from = "2024-01-02".into();
    settings.split.protocol_from = "2024-01-01".into();
    settings.split.protocol_to = "2024-03-11".into();
    settings.features.lookback_minutes = 1441;
    settings.features.max_missing_minutes = 30;
    settings.features.candle = vec![
        Feature::LogRmsReturn { minutes: 30 },
        Feature::LogRmsReturn { minutes: 240 },
        Feature::LogMeanAbsoluteReturn { minutes: 1440 },
    ];
    settings.features.calendar = vec![Feature::WeeklyProfile { minutes_before: 0 }, Feature::DaySine { harmonic: 1 }];
    settings.student.layers = vec![LayerSettings::Linear(6), LayerSettings::Square];
    settings.student.fit.stride_minutes = 7;
    settings.student.fit.batch = 256;
    settings.original_cnn = None;
    settings.teacher = None;
    settings.student.restarts = 2;
    settings
}

fn market(seed: u64) -> Vec<Candle> {
    candles(seed, parse_utc_ms("2024-01-01").expect("a date"), DAYS * 1440)
}

/// A whole run in a folder of its own.
fn train(settings: &Settings, series: &[CandleSeries]) -> Result<Trained, TrainingError> {
    let folder = tempfile::tempdir().unwrap();
    let folder = RunFolder::open(&folder.path().join("run"), &json!(settings), Unfinished::Refuse)?;
    let run = Run { settings, series, device: &Device::flex(), folder: &folder };
    veriregime_training::train(&run, |_, _| ())
}

fn wanted(settings: &Settings) -> Wanted {
    Wanted {
        lookback_minutes: settings.features.lookback_minutes,
        max_missing_minutes: settings.features.max_missing_minutes,
        horizon_minutes: settings.label.horizon_minutes,
    }
}

fn series(candles: &[Candle]) -> CandleSeries {
    let (first, last) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
    CandleSeries::new(candles, first, last, 1000).expect("a whole series")
}

#[test]
fn the_shipped_settings_are_accepted_and_a_wrong_key_is_refused() {
    shipped().check().unwrap();
    let mut none = shipped();
    none.student.restarts = 0;
    assert_eq!(none.check().unwrap_err().code(), "VR-TRAIN-001");
    let mut all = shipped();
    all.split.test_share = 0.9;
    assert_eq!(all.check().unwrap_err().code(), "VR-TRAIN-001");
    let text = include_str!("../../../../models/train.toml");
    for (right, wrong, named) in [("patience", "patients", "patients"), ("seed = ", "seed = 0.", "seed")] {
        assert!(text.contains(right));
        let misfit = toml::from_str::<Settings>(&text.replace(right, wrong)).expect_err(wrong).to_string();
        assert!(misfit.contains(named), "{misfit}");
    }
}

#[test]
fn training_repeats_to_the_bit_and_beats_chance_where_it_was_not_trained() {
    let (settings, series) = (small(), [series(&market(1))]);
    let trained = train(&settings, &series).unwrap();
    let [own] = &trained.markets[..] else { panic!("one market") };
    assert_eq!(trained.curves.len(), settings.student.restarts);
    assert!(trained.curves.iter().all(|curve| (1..=settings.student.fit.epochs).contains(&curve.epochs.len())));
    assert_eq!(trained, train(&settings, &series).unwrap());

    let text = serde_json::to_string(&own.features).unwrap();
    assert_eq!(own.features, serde_json::from_str(&text).unwrap(), "the manifest gives back every bit");

    let onnx = trained.network.clone().on_grid(16).to_onnx(1);
    let layout = Layout {
        markets: 1,
        features: own.features.count(),
        outputs: REGIME_OUTPUTS.len(),
        feature_bound: own.features.bound(),
        input_scale: 13,
        param_scale: 16,
        output_scale: 74,
    };
    let subject = Subject {
        onnx: &onnx,
        layout,
        features: &own.features,
        label: &own.label,
        grid: settings.grid(),
        baselines: &own.baselines,
    };
    let report = Comparison::new(&subject, &series[0], &trained.split.test, 0).unwrap().report();
    let figure = |metric: Metric| report.figure(Forecaster::StudentCircuit, metric).unwrap().value;
    let majority = report.share_high.max(1.0 - report.share_high);
    assert!(figure(Metric::Accuracy) > majority + 0.05, "{report:?}");
    assert!(figure(Metric::Auc) > 0.75, "{report:?}");
    assert!(report.agreement.unwrap() > 0.999, "{report:?}");
    assert!(report.on_grid_rows > 40, "{report:?}");
}

#[test]
fn no_label_reaches_into_the_next_part() {
    let settings = shipped();
    let split = Split::new(&settings, parse_utc_ms("2024-11-09").unwrap()).unwrap();
    let horizon_ms = 240 * MINUTE_MS;
    let last = |times: &std::ops::Range<i64>| times.end - MINUTE_MS;
    assert!(last(&split.train) + horizon_ms <= split.validation.start);
    assert!(last(&split.profile) + horizon_ms <= split.validation.start);
    assert!(last(&split.validation) + horizon_ms <= split.test.start);
    assert_eq!(last(&split.test) + horizon_ms, parse_utc_ms("2024-11-09").unwrap());
    let minutes = 678 * 1440;
    assert_eq!((split.test.start - parse_utc_ms("2023-01-01").unwrap()) / MINUTE_MS, minutes * 85 / 100);
}

#[test]
fn what_comes_after_the_training_split_changes_nothing_learnt_from_it() {
    let settings = small();
    let mut candles = market(2);
    let split = Split::new(&settings, series(&candles).end_ms()).unwrap();
    let learnt = |candles: &[Candle]| {
        let series = series(candles);
        let sums = Sums::new(series.candles(), &[]);
        let labels = wanted(&settings).decisions(&sums, series.start_ms(), &split.train, 7);
        let part = FitPart { sums: &sums, start_ms: series.start_ms(), train: &labels, profile: &labels };
        let batch_spec = fit_specs(&settings.features, &[part]).unwrap();
        let past = |at: usize| if at > 10_080 { har::regressors(&sums, at)[4] } else { 0.0 };
        let weeks: Vec<f64> = labels.iter().map(|(at, _)| past(*at)).collect();
        (batch_spec, labels, weeks)
    };
    let before = learnt(&candles);
    let validation = candles.partition_point(|candle| candle.open_time_ms < split.validation.start);
    let other = market(3);
    let ratio = candles[validation].close / other[validation].close;
    for (candle, other) in candles.iter_mut().zip(other).skip(validation) {
        let scaled = |price: f64| price * ratio;
        *candle = Candle {
            open: scaled(other.open),
            high: scaled(other.high),
            low: scaled(other.low),
            close: scaled(other.close),
            ..other
        };
    }
    assert_eq!(before, learnt(&candles));
}

#[test]
fn forecast_windows_with_a_minute_that_nobody_saw_have_no_label() {
    let settings = small();
    let mut candles = market(4);
    candles.remove(30_000);
    let series = series(&candles);
    let sums = Sums::new(series.candles(), series.carried());
    let all = wanted(&settings).decisions(&sums, series.start_ms(), &(i64::MIN / 2..i64::MAX / 2), 1);
    assert!(all.iter().all(|(at, _)| !(30_000 - 239..=30_000).contains(at)));
    assert!(all.iter().any(|(at, _)| *at == 30_001));
    assert!(all.iter().any(|(at, _)| *at == 30_000 - 240));
}

#[test]
fn candles_that_end_too_early_are_refused_by_code() {
    let error = train(&shipped(), &[series(&market(5))]).unwrap_err();
    assert_eq!(error.code(), "VR-TRAIN-002");
}

/// How much less cross-entropy than the best constant a student has on validation, in nats, when it learns labels as
/// `shuffle` leaves them.
fn knowledge(series: &CandleSeries, seed: u64, shuffle: impl Fn(&mut Vec<Decision>)) -> f64 {
    let settings = small();
    let split = Split::new(&settings, series.end_ms()).unwrap();
    let sums = Sums::new(series.candles(), series.carried());
    let part = |times| wanted(&settings).decisions(&sums, series.start_ms(), times, 7);
    let (mut train, validation) = (part(&split.train), part(&split.validation));
    let part = FitPart { sums: &sums, start_ms: series.start_ms(), train: &train, profile: &train };
    let spec = fit_specs(&settings.features, &[part]).unwrap().remove(0);
    shuffle(&mut train);
    let moments = log_volatility_moments(&[(&train, 0.0)]);
    let inputs = RowInputs::new(&[], &spec, series, train[0].0..validation[validation.len() - 1].0 + 1).unwrap();
    let [train, validation] = [train, validation].map(|part| samples(&part, 0.0006, 0.0, moments));
    let device = Device::flex().autodiff();
    let layers = &settings.student.layers;
    let start = || Student::new(spec.count(), layers, 16, moments, &mut ChaCha8Rng::seed_from_u64(seed), &device);
    let lesson = TrainInputs {
        settings: &settings.student.fit,
        distillation: None,
        inputs: &inputs,
        train: &train,
        validation: &validation,
        seed,
        device: &device,
    };
    let progress = fit(start(), &lesson, Progress::default(), |_| (), |_| Ok(())).unwrap();
    let student = weights::load(start(), &progress.weights).unwrap().valid();
    let outputs = forward(&student, &inputs, &validation.at, &Device::flex());
    let surprise = |chance: f64| -chance.max(1e-9).ln();
    let losses = outputs.iter().zip(&validation.high).map(|([margin, _], high)| {
        let chance = 1.0 / (1.0 + f64::from(-margin).exp());
        surprise(if *high > 0.5 { chance } else { 1.0 - chance })
    });
    let share = validation.share_high();
    let constant = share * surprise(share) + (1.0 - share) * surprise(1.0 - share);
    constant - losses.sum::<f64>() / outputs.len() as f64
}

/// Blocks of a little more than a day, so that the hour of the day does not survive the move either.
#[test]
fn labels_that_were_moved_by_days_teach_nothing() {
    let series = series(&market(6));
    for seed in 0..4 {
        let learnt = knowledge(&series, seed, |_| ());
        let moved = knowledge(&series, seed, |train| {
            let labels: Vec<f64> = train.iter().map(|(_, volatility)| *volatility).collect();
            let mut blocks: Vec<&[f64]> = labels.chunks(254).collect();
            blocks.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
            for ((_, volatility), moved) in train.iter_mut().zip(blocks.concat()) {
                *volatility = moved;
            }
        });
        assert!(learnt > 0.1 && moved < learnt / 4.0, "seed {seed}: {learnt} and {moved}");
    }
}
