//! The training of networks on normalised rows and targets.

use burn::optim::GradientsParams;
use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::ridge::TARGETS;
use crate::error::TrainingError;
use crate::network::Network;
use crate::optimiser::{Optimiser, OptimizerConfig};
use crate::weights::{flatten, load, matrix, numbers};

/// Rows of one pass without learning.
const FORWARD_ROWS: usize = 8192;
/// Largest numbers of epochs and of rows in a step.
const MAX_EPOCHS: usize = 1000;
const MAX_BATCH: usize = 1 << 16;

/// How a network is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitSettings {
    /// Passes over all rows at most.
    pub epochs: usize,
    /// Rows of a step.
    pub batch_size: usize,
    /// Epochs without a better one after which no further follows.
    pub patience: usize,
    /// Seed of weights, of the rows' order and of dropout.
    pub seed: u64,
    /// How far a step goes.
    pub step: OptimizerConfig,
}

impl Default for FitSettings {
    fn default() -> Self {
        let step = OptimizerConfig { learning_rate: 0.003, weight_decay: 0.01, gradient_norm: 1.0 };
        Self { epochs: 100, batch_size: 256, patience: 12, seed: 1, step }
    }
}

impl FitSettings {
    /// Refuses what no run can follow.
    ///
    /// # Errors
    /// [`TrainingError::Settings`].
    pub fn check(&self) -> Result<(), TrainingError> {
        let rules = [
            ((1..=MAX_EPOCHS).contains(&self.epochs), "epochs: 1 to 1000"),
            ((1..=MAX_BATCH).contains(&self.batch_size), "batch-size: 1 to 65536"),
        ];
        let wrong = rules.iter().find(|(holds, _)| !holds);
        wrong.map_or(Ok(()), |(_, rule)| Err(TrainingError::Settings { reason: (*rule).to_owned() }))
    }
}

/// Rows with what came, both normalised.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lesson {
    /// Numbers in a row.
    pub columns: usize,
    /// Rows, one after the other.
    pub rows: Vec<f32>,
    /// What came.
    pub targets: Vec<[f32; TARGETS]>,
}

/// An epoch that is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss of its steps.
    pub training_loss: f64,
    /// Loss on validation, where there is one.
    pub validation_loss: Option<f64>,
}

/// Trains a network. With a validation part, what comes out are the weights of the best epoch on it, and which it was; without,
/// those after the last one.
///
/// # Errors
/// [`TrainingError::Diverged`] where no epoch had a finite loss.
pub fn fit<N: Network>(
    start: N,
    lesson: &Lesson,
    validation: Option<&Lesson>,
    settings: &FitSettings,
    device: &Device,
    mut observe: impl FnMut(Epoch),
) -> Result<(N, usize), TrainingError> {
    let tracking = device.clone().autodiff();
    let mut network = start;
    let mut optimiser = Optimiser::default();
    let steps = lesson.targets.len().div_ceil(settings.batch_size);
    let mut best: Option<(f64, usize, Vec<f32>)> = None;
    for epoch in 1..=settings.epochs {
        let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
        random.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..lesson.targets.len()).collect();
        order.shuffle(&mut random);
        let mut total = 0.0;
        for (step, batch) in order.chunks(settings.batch_size).enumerate() {
            let row = |at: &usize| lesson.rows[at * lesson.columns..(at + 1) * lesson.columns].iter().copied();
            let rows = matrix(batch.iter().flat_map(row).collect(), lesson.columns, &tracking);
            let targets = batch.iter().flat_map(|at| lesson.targets[*at]).collect();
            let missed = network.forward(rows, Some(&mut random)) - matrix(targets, TARGETS, &tracking);
            let loss = (missed.clone() * missed).mean();
            total += f64::from(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let done = ((epoch - 1) * steps + step) as f64 / (settings.epochs * steps) as f64;
            let rate = settings.step.learning_rate * (1.0 - 0.95 * done);
            network = optimiser.step(&settings.step, rate, network, gradients);
        }
        let training_loss = total / steps as f64;
        let validation_loss = validation.map(|part| loss(&network, part, device));
        observe(Epoch { epoch, training_loss, validation_loss });
        let judged = validation_loss.unwrap_or(training_loss);
        if !judged.is_finite() {
            break;
        }
        if validation.is_none() || best.as_ref().is_none_or(|(least, ..)| judged < *least) {
            best = Some((judged, epoch, flatten(&network)));
        }
        if best.as_ref().is_some_and(|(_, at, _)| epoch - at >= settings.patience) {
            break;
        }
    }
    let (_, epoch, weights) = best.ok_or(TrainingError::Diverged)?;
    Ok((load(network, &weights).ok_or(TrainingError::Diverged)?, epoch))
}

fn loss<N: Network>(network: &N, part: &Lesson, device: &Device) -> f64 {
    let network = network.valid();
    let mut sum = 0.0;
    for (rows, targets) in part.rows.chunks(FORWARD_ROWS * part.columns).zip(part.targets.chunks(FORWARD_ROWS)) {
        let said = numbers(network.forward(matrix(rows.to_vec(), part.columns, device), None));
        let came = targets.iter().flatten();
        sum += said.iter().zip(came).map(|(said, came)| f64::from(said - came) * f64::from(said - came)).sum::<f64>();
    }
    sum / (part.targets.len() * TARGETS) as f64
}
