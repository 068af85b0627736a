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
use crate::trainer;
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss of its steps.
    pub training_loss: f64,
    /// Loss on validation, where there is one.
    pub validation_loss: Option<f64>,
}

/// A fit after some epoch: enough to go on.
pub type Progress = trainer::Progress<Epoch>;

/// What is told of a run, and where it goes on.
pub trait Watch {
    /// What an earlier run left, or nothing.
    ///
    /// # Errors
    /// What is left cannot be used.
    fn begun(&mut self) -> Result<Progress, TrainingError> {
        Ok(Progress::default())
    }

    /// After each epoch.
    ///
    /// # Errors
    /// What is to be left cannot be.
    fn done(&mut self, progress: &Progress) -> Result<(), TrainingError>;
}

/// Only told of epochs; nothing is left.
impl<F: FnMut(Epoch)> Watch for F {
    fn done(&mut self, progress: &Progress) -> Result<(), TrainingError> {
        if let Some(epoch) = progress.curve.last() {
            self(*epoch);
        }
        Ok(())
    }
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
    watch: &mut impl Watch,
) -> Result<(N, usize), TrainingError> {
    let tracking = device.clone().autodiff();
    let mut progress = watch.begun()?;
    let useless = || TrainingError::Checkpoint { reason: "it is of another network".into() };
    let mut network = start;
    if !progress.weights.is_empty() {
        network = load(network, &progress.weights).ok_or_else(useless)?;
    }
    let mut optimiser = Optimiser::restore(&progress.optimiser, &network).ok_or_else(useless)?;
    let steps = lesson.targets.len().div_ceil(settings.batch_size);
    let judged = |epoch: &Epoch| epoch.validation_loss.unwrap_or(epoch.training_loss);
    for epoch in progress.curve.len() + 1..=settings.epochs {
        if epoch - 1 - progress.best_epoch >= settings.patience {
            break;
        }
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
        let now = Epoch { epoch, training_loss, validation_loss: validation.map(|part| loss(&network, part, device)) };
        if !judged(&now).is_finite() {
            break;
        }
        let best = progress.best_epoch.checked_sub(1).and_then(|at| progress.curve.get(at));
        let is_best = validation.is_none() || best.is_none_or(|best| judged(&now) < judged(best));
        progress.curve.push(now);
        progress.weights = flatten(&network);
        progress.optimiser = optimiser.state();
        if is_best {
            (progress.best_epoch, progress.best_weights) = (epoch, progress.weights.clone());
        }
        watch.done(&progress)?;
    }
    if progress.best_epoch == 0 {
        return Err(TrainingError::Diverged);
    }
    Ok((load(network, &progress.best_weights).ok_or_else(useless)?, progress.best_epoch))
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
