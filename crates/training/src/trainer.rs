//! The training loop: seeded, the same to the bit on the CPU, stopped early on validation, and able to go on after any
//! epoch from what it left behind.

use std::sync::mpsc;

use burn::optim::GradientsParams;
use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::error::TrainingError;
use super::loss::{Distillation, LossSettings, Samples, class_weights, loss};
use super::network::{Inputs, Network};
use super::optimiser::{Optimiser, OptimiserState, OptimizerConfig};
use super::weights::{flatten, load, matrix, numbers};
use crate::evaluation::metrics::{self, Scored};
use veriregime_core::types::manifest::frozen;

/// The step size ends at this share of where it began.
const LAST_STEP_SHARE: f64 = 0.02;
/// Rows that go through a network at once when nothing is learnt.
const FORWARD_ROWS: usize = 1024;
/// Batches of rows that wait to be learnt from.
const BATCHES_AHEAD: usize = 2;

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitSettings {
    /// Every how many minutes one is taken: neighbours share nearly all of their windows.
    pub stride_minutes: usize,
    /// Passes over the training samples, at most. The step size falls along a cosine over all of them.
    pub epochs: usize,
    /// Passes without a better validation before stopping.
    pub patience: usize,
    /// Samples of one step.
    pub batch: usize,
    /// What is better on validation.
    pub select_by: SelectBy,
    /// How far a step may go.
    pub step: OptimizerConfig,
    /// What is made small.
    pub loss: LossSettings,
}

/// What makes one epoch better than another on validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectBy {
    /// F1 of both regimes, weighted by how often each occurs.
    F1,
    /// Cross-entropy and squared error.
    Loss,
}

impl SelectBy {
    /// The larger, the better.
    pub fn score(self, epoch: &Epoch) -> f64 {
        match self {
            Self::F1 => epoch.validation_f1,
            Self::Loss => -epoch.validation_loss,
        }
    }
}

/// One finished epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss of the steps, the teacher's part included.
    pub training_loss: f64,
    /// Loss on validation without a teacher, class weights or focus.
    pub validation_loss: f64,
    /// Share of right regimes on validation.
    pub validation_accuracy: f64,
    /// F1 of both regimes on validation, weighted.
    pub validation_f1: f64,
}

/// A fit after some epoch: enough to go on. `E` is what is kept of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress<E = Epoch> {
    /// Finished epochs.
    pub curve: Vec<E>,
    /// Weights after the last one.
    pub weights: Vec<f32>,
    /// The optimiser after the last one.
    pub optimiser: OptimiserState,
    /// Which epoch was best so far, from 1; 0 is none.
    pub best_epoch: usize,
    /// Its weights.
    pub best_weights: Vec<f32>,
}

impl<E> Default for Progress<E> {
    fn default() -> Self {
        Self {
            curve: Vec::new(),
            weights: Vec::new(),
            optimiser: OptimiserState::default(),
            best_epoch: 0,
            best_weights: Vec::new(),
        }
    }
}

impl Progress {
    /// Whether no further epoch is due.
    pub fn is_finished(&self, settings: &FitSettings) -> bool {
        let done = self.curve.len();
        done >= settings.epochs || done - self.best_epoch >= settings.patience
    }

    /// The best epoch.
    pub fn best(&self) -> Option<&Epoch> {
        self.curve.get(self.best_epoch.checked_sub(1)?)
    }
}

/// What the trainer tells while it works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A step of an epoch (from 1) is done.
    Step {
        /// Which epoch, from 1.
        epoch: usize,
        /// Which step of it, from 1.
        step: usize,
        /// Steps of an epoch.
        steps: usize,
        /// The batch's loss.
        loss: f64,
    },
    /// An epoch is done.
    Epoch(Epoch),
}

/// What a network learns from.
#[derive(Debug, Clone, Copy)]
pub struct TrainInputs<'a> {
    /// How.
    pub settings: &'a FitSettings,
    /// The teacher's share, where the training samples carry a teacher.
    pub distillation: Option<&'a Distillation>,
    /// Rows of input.
    pub inputs: &'a dyn Inputs,
    /// To learn from.
    pub train: &'a Samples,
    /// To choose the epoch by.
    pub validation: &'a Samples,
    /// Of the order of samples and of dropout.
    pub seed: u64,
    /// Where it is computed; follows gradients.
    pub device: &'a Device,
}

/// Trains from `progress`, which is empty or what an earlier call left, until no epoch is due. `observe` hears of every
/// step and epoch, `save` gets each new state and may refuse to go on.
///
/// # Errors
/// [`TrainingError::Diverged`] where no epoch had finite figures, [`TrainingError::Checkpoint`] for a state of another
/// network, or what `save` returns.
pub fn fit<N: Network>(
    start: N,
    lesson: &TrainInputs<'_>,
    mut progress: Progress,
    mut observe: impl FnMut(Event),
    mut save: impl FnMut(&Progress) -> Result<(), TrainingError>,
) -> Result<Progress, TrainingError> {
    let settings = lesson.settings;
    let foreign = || TrainingError::Checkpoint { reason: "it belongs to a network of another shape".into() };
    let mut network = start;
    if !progress.curve.is_empty() {
        network = load(network, &progress.weights).ok_or_else(foreign)?;
    }
    let mut optimiser = Optimiser::restore(&progress.optimiser, &network).ok_or_else(foreign)?;
    while !progress.is_finished(settings) {
        let epoch = progress.curve.len() + 1;
        let training_loss;
        (network, training_loss) = pass(network, lesson, &mut optimiser, epoch, &mut observe);
        let outputs =
            forward(&network.valid(), lesson.inputs, &lesson.validation.at, &lesson.device.clone().without_autodiff());
        let figures = figures(epoch, training_loss, &outputs, lesson.validation, settings.loss.volatility_weight);
        progress.curve.push(figures);
        progress.weights = flatten(&network);
        progress.optimiser = optimiser.state();
        let is_finite = figures.validation_loss.is_finite();
        if is_finite
            && progress.best().is_none_or(|best| settings.select_by.score(&figures) > settings.select_by.score(best))
        {
            progress.best_epoch = epoch;
            progress.best_weights.clone_from(&progress.weights);
        }
        save(&progress)?;
        observe(Event::Epoch(figures));
        if !is_finite {
            break;
        }
    }
    if progress.best_epoch == 0 { Err(TrainingError::Diverged) } else { Ok(progress) }
}

/// The outputs of a network, `[margin, normalised log-volatility]` for each decision index.
pub fn forward<N: Network>(network: &N, inputs: &dyn Inputs, at: &[usize], device: &Device) -> Vec<[f32; 2]> {
    let mut outputs = Vec::with_capacity(at.len());
    for chunk in at.chunks(FORWARD_ROWS) {
        let rows = matrix(entries(inputs, chunk.iter().copied()), inputs.columns(), device);
        let heads = numbers(network.forward(rows, None));
        outputs.extend(heads.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
    }
    outputs
}

/// One pass over the training samples in an order of its own; also the mean loss.
fn pass<N: Network>(
    mut network: N,
    lesson: &TrainInputs<'_>,
    optimiser: &mut Optimiser,
    epoch: usize,
    observe: &mut impl FnMut(Event),
) -> (N, f64) {
    let TrainInputs { settings, train, device, .. } = *lesson;
    // Each epoch has a stream of its own: going on after any epoch needs no generator's state.
    let mut random = ChaCha8Rng::seed_from_u64(lesson.seed);
    random.set_stream(epoch as u64);
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut random);
    let weights = if settings.loss.class_weights { class_weights(train.share_high()) } else { [1.0, 1.0] };
    let steps = train.len().div_ceil(settings.batch);
    let mut total = 0.0;
    std::thread::scope(|scope| {
        // Rows are gathered on one core while the other learns from those before.
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        let batches = order.chunks(settings.batch);
        let ahead = batches.clone();
        scope.spawn(move || {
            for batch in ahead {
                let rows = entries(lesson.inputs, batch.iter().map(|row| train.at[*row]));
                if sender.send(rows).is_err() {
                    break;
                }
            }
        });
        for (step, (batch, rows)) in batches.zip(receiver).enumerate() {
            let inputs = matrix(rows, lesson.inputs.columns(), device);
            let targets = train.targets(batch, weights, device);
            let loss = loss(&settings.loss, lesson.distillation, network.forward(inputs, Some(&mut random)), targets);
            let value = f64::from(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = settings.step.learning_rate * cosine((epoch - 1) * steps + step, settings.epochs * steps);
            network = optimiser.step(&settings.step, rate, network, gradients);
            total += value;
            observe(Event::Step { epoch, step: step + 1, steps, loss: value });
        }
        (network, total / steps as f64)
    })
}

/// Rows of input, one after the other.
fn entries(inputs: &dyn Inputs, at: impl Iterator<Item = usize>) -> Vec<f32> {
    let mut entries = Vec::with_capacity(at.size_hint().0 * inputs.columns());
    for at in at {
        inputs.append(at, &mut entries);
    }
    entries
}

fn figures(
    epoch: usize,
    training_loss: f64,
    outputs: &[[f32; 2]],
    validation: &Samples,
    volatility_weight: f32,
) -> Epoch {
    let count = outputs.len() as f64;
    let mut loss = 0.0;
    let mut scored = Vec::with_capacity(outputs.len());
    for ((output, high), log_volatility) in outputs.iter().zip(&validation.high).zip(&validation.log_volatility) {
        let [margin, forecast] = output.map(f64::from);
        let was_high = *high > 0.5;
        let miss = if was_high { -margin } else { margin };
        loss += libm::log1p(libm::exp(-miss.abs())) + miss.max(0.0);
        loss += f64::from(volatility_weight) * (forecast - f64::from(*log_volatility)).powi(2);
        let probability = 1.0 / (1.0 + libm::exp(-margin));
        scored.push(Scored { probability, called_high: margin > 0.0, was_high });
    }
    let right = scored.iter().filter(|row| row.called_high == row.was_high).count() as f64;
    // Frozen, so that a checkpoint gives back the same bits.
    Epoch {
        epoch,
        training_loss: frozen(training_loss),
        validation_loss: frozen(loss / count),
        validation_accuracy: frozen(right / count),
        validation_f1: frozen(metrics::f1_weighted(&scored)),
    }
}

fn cosine(step: usize, steps: usize) -> f64 {
    let turn = libm::cos(step as f64 / steps as f64 * std::f64::consts::PI);
    LAST_STEP_SHARE + (1.0 - LAST_STEP_SHARE) * 0.5 * (1.0 + turn)
}
