//! The original network's own protocol, repeated: what it is shown, how that is normalised, and what is kept of it in a
//! bundle to be compared with.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::error::TrainingError;
use super::network::Inputs;
use super::trainer::forward;
use super::weights;
use crate::baseline_cnn::{OriginalCnn, WINDOW_MINUTES};
use veriregime_core::features::baseline_cnn::{CHANNELS, channels};
use veriregime_core::types::candle::Candle;
use veriregime_core::types::manifest::frozen;

/// Name of the original network's normalisation inside a bundle.
pub const ORIGINAL_FILE: &str = "original.json";
/// Name of the original network's weights inside a bundle, little-endian.
pub const ORIGINAL_WEIGHTS_FILE: &str = "original.weights";

/// Mean and standard deviation of each channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OriginalSpec {
    mean: [f64; CHANNELS],
    standard_deviation: [f64; CHANNELS],
}

impl OriginalSpec {
    /// Statistics over the candles with indices `protocol`.
    ///
    /// The original takes training, validation and test together as `protocol`. That is a leak: the test has a say in
    /// what the network is trained on. It is kept because the report repeats the original's protocol; nothing else may
    /// be normalised so.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`] where `protocol` is empty or not within `candles`, [`TrainingError::Constant`] where
    /// a channel never moves in it.
    pub fn fit(candles: &[Candle], protocol: Range<usize>) -> Result<Self, TrainingError> {
        let mut spec = Self { mean: [0.0; CHANNELS], standard_deviation: [0.0; CHANNELS] };
        for (index, channel) in channels(candles).iter().enumerate() {
            let part = channel.get(protocol.clone()).unwrap_or_default();
            if part.len() < WINDOW_MINUTES {
                let part_name = "the original network's protocol".into();
                return Err(TrainingError::TooFew { part: part_name, found: part.len(), needed: WINDOW_MINUTES });
            }
            let count = part.len() as f64;
            let mean = part.iter().copied().map(f64::from).sum::<f64>() / count;
            let variance = part.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
            spec.mean[index] = frozen(mean);
            spec.standard_deviation[index] = frozen(variance.sqrt());
            if !(spec.standard_deviation[index] > 0.0 && spec.mean[index].is_finite()) {
                return Err(TrainingError::Constant { feature: format!("channel {index} of the original network") });
            }
        }
        Ok(spec)
    }
}

/// The network's inputs: the channels of the [`WINDOW_MINUTES`] candles before the decision, minute after minute. At
/// least so many must precede a decision that is asked for.
#[derive(Debug)]
pub struct OriginalInputs {
    /// Every minute's channels, normalised.
    minutes: Vec<f32>,
}

impl OriginalInputs {
    /// Inputs from consecutive candles. The exponential means start at the first of them.
    pub fn new(spec: &OriginalSpec, candles: &[Candle]) -> Self {
        let mut minutes = vec![0.0; candles.len() * CHANNELS];
        for (index, channel) in channels(candles).iter().enumerate() {
            let [mean, deviation] = [spec.mean[index], spec.standard_deviation[index]];
            for (minute, value) in minutes.chunks_exact_mut(CHANNELS).zip(channel) {
                minute[index] = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
        Self { minutes }
    }
}

impl Inputs for OriginalInputs {
    fn columns(&self) -> usize {
        WINDOW_MINUTES * CHANNELS
    }

    fn append(&self, at: usize, row: &mut Vec<f32>) {
        row.extend_from_slice(&self.minutes[(at - WINDOW_MINUTES) * CHANNELS..at * CHANNELS]);
    }
}

/// The network after its training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedOriginal {
    /// How its inputs are normalised.
    pub spec: OriginalSpec,
    /// Its weights, running moments included.
    pub weights: Vec<f32>,
}

impl TrainedOriginal {
    /// The network before training; the weights follow from `seed`.
    pub fn start(seed: u64, device: &Device) -> OriginalCnn {
        OriginalCnn::new(&mut ChaCha8Rng::seed_from_u64(seed), device)
    }

    /// Puts the network together from what a bundle holds.
    ///
    /// # Errors
    /// [`TrainingError::Teacher`] where the weights are not as many as the network's.
    pub fn from_bytes(spec: OriginalSpec, bytes: &[u8]) -> Result<Self, TrainingError> {
        let trained = Self { spec, weights: weights::from_bytes(bytes) };
        if trained.weights.len() * size_of::<f32>() != bytes.len() {
            return Err(foreign());
        }
        trained.network(&Device::flex()).map(|_| trained)
    }

    /// The weights as a bundle holds them.
    pub fn to_bytes(&self) -> Vec<u8> {
        weights::to_bytes(&self.weights)
    }

    /// Margin of High over Low for each decision index.
    ///
    /// # Errors
    /// [`TrainingError::Teacher`] where the weights are not as many as the network's.
    pub fn forecast(&self, candles: &[Candle], at: &[usize], device: &Device) -> Result<Vec<f64>, TrainingError> {
        let inputs = OriginalInputs::new(&self.spec, candles);
        let outputs = forward(&self.network(device)?, &inputs, at, device);
        Ok(outputs.iter().map(|[margin, _]| f64::from(*margin)).collect())
    }

    fn network(&self, device: &Device) -> Result<OriginalCnn, TrainingError> {
        weights::load(Self::start(0, device), &self.weights).map(|network| network.valid()).ok_or_else(foreign)
    }
}

fn foreign() -> TrainingError {
    TrainingError::Teacher { reason: "the original network has another number of weights".into() }
}
