//! The original network, trained by its own protocol on a simulated market.

use burn::tensor::Device;
use veriregime_core::features::sums::Sums;
use veriregime_core::types::candle::Candle;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::MINUTE_MS;
use veriregime_training::baseline_cnn::WINDOW_MINUTES;
use veriregime_training::dataset::{Decision, Wanted, samples};
use veriregime_training::evaluation::metrics::{Scored, scores};
use veriregime_training::loss::LossSettings;
use veriregime_training::optimiser::OptimizerConfig;
use veriregime_training::reproduction::{OriginalInputs, OriginalSpec, TrainedOriginal};
use veriregime_training::trainer::{FitSettings, Progress, SelectBy, TrainInputs, fit};

use crate::market::candles;

const MINUTES: usize = 30 * 1440;
const TRAINED_MINUTES: usize = 20 * 1440;
const VALIDATED_MINUTES: usize = 25 * 1440;
const HORIZON_MINUTES: usize = 240;
const THRESHOLD: f64 = 0.0006;

fn settings(epochs: usize, stride_minutes: usize) -> FitSettings {
    FitSettings {
        stride_minutes,
        epochs,
        patience: epochs,
        batch: 128,
        select_by: SelectBy::F1,
        step: OptimizerConfig { learning_rate: 1e-3, weight_decay: 0.0, gradient_norm: 1e6 },
        loss: LossSettings { volatility_weight: 0.0, focal_gamma: 0.0, class_weights: false },
    }
}

fn decisions(candles: &[Candle], from: usize, to: usize, stride_minutes: usize) -> Vec<Decision> {
    let wanted = Wanted { lookback_minutes: WINDOW_MINUTES, max_missing_minutes: 0, horizon_minutes: HORIZON_MINUTES };
    let time_ms = |at: usize| i64::try_from(at).unwrap() * MINUTE_MS;
    wanted.decisions(&Sums::new(candles, &[]), 0, &(time_ms(from)..time_ms(to)), stride_minutes)
}

/// Trains on from `progress`; also the normalisation and the state after every epoch.
fn train(candles: &[Candle], settings: &FitSettings, progress: Progress) -> (OriginalSpec, Vec<Progress>) {
    let part = |from, to| {
        let decisions = decisions(candles, from, to - HORIZON_MINUTES, settings.stride_minutes);
        samples(&decisions, THRESHOLD, 0.0, [0.0, 1.0])
    };
    let spec = OriginalSpec::fit(candles, 0..candles.len()).unwrap();
    let device = Device::flex().autodiff();
    let lesson = TrainInputs {
        settings,
        distillation: None,
        inputs: &OriginalInputs::new(&spec, candles),
        train: &part(0, TRAINED_MINUTES),
        validation: &part(TRAINED_MINUTES, VALIDATED_MINUTES),
        seed: 9,
        device: &device,
    };
    let mut states = Vec::new();
    let save = |progress: &Progress| {
        states.push(progress.clone());
        Ok(())
    };
    fit(TrainedOriginal::start(9, &device), &lesson, progress, |_| (), save).unwrap();
    (spec, states)
}

#[test]
fn it_learns_more_than_chance_where_it_was_not_trained() {
    let candles = candles(21, 0, MINUTES);
    let (spec, states) = train(&candles, &settings(6, 12), Progress::default());
    let trained = TrainedOriginal { spec, weights: states[states.len() - 1].best_weights.clone() };
    let tested = decisions(&candles, VALIDATED_MINUTES, MINUTES, 12);
    let at: Vec<usize> = tested.iter().map(|(at, _)| *at).collect();
    let margins = trained.forecast(&candles, &at, &Device::flex()).unwrap();
    let scored: Vec<Scored> = margins
        .iter()
        .zip(&tested)
        .map(|(margin, (_, volatility))| Scored {
            probability: 1.0 / (1.0 + (-margin).exp()),
            called_high: *margin > 0.0,
            was_high: *volatility > THRESHOLD,
        })
        .collect();
    let figures = scores(&scored).unwrap();
    println!("the original network on {} unseen samples: {figures:?}", scored.len());
    assert!(figures.auc > 0.6, "{figures:?}");

    let again = TrainedOriginal::from_bytes(trained.spec.clone(), &trained.to_bytes()).unwrap();
    assert_eq!(again.forecast(&candles, &at[..40], &Device::flex()).unwrap(), margins[..40]);
    let cut = trained.to_bytes();
    let cut = TrainedOriginal::from_bytes(trained.spec, &cut[..cut.len() - 4]);
    assert_eq!(cut.unwrap_err().code(), "VR-TRAIN-009");
}

#[test]
fn its_training_repeats_to_the_bit_and_goes_on_after_any_epoch_as_if_nothing_had_happened() {
    let candles = candles(22, 0, MINUTES);
    let both = settings(2, 60);
    let states = |progress: Progress| train(&candles, &both, progress).1;
    let straight = states(Progress::default());
    assert_eq!(straight.len(), 2);
    assert_eq!(straight, states(Progress::default()));
    assert_eq!(straight[1..], states(straight[0].clone()));
}

#[test]
fn its_normalisation_knows_the_test_as_the_originals_did() {
    let mut candles = candles(23, 0, MINUTES);
    let spec = |candles: &[Candle]| OriginalSpec::fit(candles, 0..MINUTES).unwrap();
    let before = spec(&candles);
    for candle in &mut candles[VALIDATED_MINUTES..] {
        candle.volume *= 3.0;
    }
    assert_ne!(before, spec(&candles), "this is the leak that the report speaks of");
    let text = serde_json::to_string(&before).unwrap();
    assert_eq!(before, serde_json::from_str(&text).unwrap());
}

#[test]
fn candles_that_say_nothing_are_refused_by_code() {
    let mut candles = candles(24, 0, 1000);
    assert_eq!(OriginalSpec::fit(&candles, 0..1001).unwrap_err().code(), "VR-TRAIN-002");
    assert_eq!(OriginalSpec::fit(&candles, 500..600).unwrap_err().code(), "VR-TRAIN-002");
    for candle in &mut candles {
        candle.volume = 7.0;
    }
    assert_eq!(OriginalSpec::fit(&candles, 0..1000).unwrap_err().code(), "VR-TRAIN-003");
}
