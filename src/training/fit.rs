//! The training loop: seeded, deterministic on the flex backend, stopped early on validation.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::TrainingError;
use super::dataset::Samples;
use super::export::SquareNetwork;
use super::settings::StudentSettings;
use super::student::{Student, Targets};

/// The step size ends at this share of where it began.
const LAST_STEP_SHARE: f64 = 0.02;

/// The chosen network and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Weights, not yet on the circuit's grid.
    pub network: SquareNetwork,
    /// Loss on validation.
    pub validation_loss: f32,
    /// Which restart it came from.
    pub restart: usize,
    /// After how many epochs.
    pub epochs: usize,
}

/// One finished epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Restart, from 0.
    pub restart: usize,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Loss on validation.
    pub validation_loss: f32,
}

/// Trains `restarts` students and keeps the weights with the smallest validation loss. `report` hears of every epoch.
///
/// # Errors
/// [`TrainingError::Diverged`] where no epoch had a finite loss.
pub fn fit(
    settings: &StudentSettings,
    seed: u64,
    train: &Samples,
    validation: &Samples,
    mut report: impl FnMut(Epoch),
) -> Result<Fit, TrainingError> {
    let (mean, deviation) = moments(&train.log_volatility);
    let device = Device::flex().autodiff();
    let plain = Device::flex();
    let every: Vec<usize> = (0..validation.len()).collect();
    let (validation_features, validation_targets) = tensors(validation, &every, mean, deviation, &plain);
    let steps = train.len().div_ceil(settings.batch) * settings.epochs;
    let mut best: Option<Fit> = None;
    for restart in 0..settings.restarts {
        let mut random = ChaCha8Rng::seed_from_u64(seed.wrapping_add(restart as u64));
        let mut student = Student::new(train.columns, settings.units, &mut random, &device);
        let mut optimiser = AdamConfig::new().with_epsilon(1e-8).init();
        let mut order: Vec<usize> = (0..train.len()).collect();
        let (mut step, mut own_best, mut stale) = (0, f32::INFINITY, 0);
        for epoch in 1..=settings.epochs {
            order.shuffle(&mut random);
            for rows in order.chunks(settings.batch) {
                let (features, targets) = tensors(train, rows, mean, deviation, &device);
                let loss = student.loss(features, targets, settings.volatility_weight);
                let gradients = GradientsParams::from_grads(loss.backward(), &student);
                let rate = settings.learning_rate * cosine(step, steps);
                student = optimiser.step(rate, student, gradients);
                step += 1;
            }
            let loss = student.valid().loss(
                validation_features.clone(),
                validation_targets.clone(),
                settings.volatility_weight,
            );
            let validation_loss: f32 = loss.into_scalar();
            report(Epoch { restart, epoch, validation_loss });
            if validation_loss.is_finite() && best.as_ref().is_none_or(|best| validation_loss < best.validation_loss) {
                let network = student.to_network(mean, deviation);
                best = Some(Fit { network, validation_loss, restart, epochs: epoch });
            }
            stale = if validation_loss < own_best { 0 } else { stale + 1 };
            own_best = own_best.min(validation_loss);
            if stale >= settings.patience {
                break;
            }
        }
    }
    best.ok_or(TrainingError::Diverged)
}

/// Features and normalised targets of some rows as tensors.
fn tensors(samples: &Samples, rows: &[usize], mean: f64, deviation: f64, device: &Device) -> (Tensor<2>, Targets) {
    let columns = samples.columns;
    let features: Vec<f32> =
        rows.iter().flat_map(|row| &samples.features[row * columns..(row + 1) * columns]).copied().collect();
    let high: Vec<f32> = rows.iter().map(|row| samples.high[*row]).collect();
    let normalise = |value: f32| ((f64::from(value) - mean) / deviation) as f32;
    let log_volatility: Vec<f32> = rows.iter().map(|row| normalise(samples.log_volatility[*row])).collect();
    let column = |entries: Vec<f32>| Tensor::from_data(TensorData::new(entries, [rows.len(), 1]), device);
    let features = Tensor::from_data(TensorData::new(features, [rows.len(), columns]), device);
    (features, Targets { high: column(high), log_volatility: column(log_volatility) })
}

fn cosine(step: usize, steps: usize) -> f64 {
    let turn = libm::cos(step as f64 / steps as f64 * std::f64::consts::PI);
    LAST_STEP_SHARE + (1.0 - LAST_STEP_SHARE) * 0.5 * (1.0 + turn)
}

/// Mean and standard deviation.
fn moments(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt().max(1e-6))
}
