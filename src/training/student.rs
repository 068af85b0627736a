//! The student: one hidden layer whose units are squared, two heads.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation::log_sigmoid};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::export::SquareNetwork;
use crate::types::prediction::Outputs;

/// Heads: the margin of High over Low in logits, and the normalised log-volatility.
const HEADS: usize = 2;

/// Trainable weights.
#[derive(Module, Debug)]
pub struct Student {
    hidden: Param<Tensor<2>>,
    hidden_bias: Param<Tensor<2>>,
    heads: Param<Tensor<2>>,
    heads_bias: Param<Tensor<2>>,
}

/// Outcomes of a batch.
#[derive(Debug, Clone)]
pub struct Targets {
    /// `[n, 1]`: 1 for High.
    pub high: Tensor<2>,
    /// `[n, 1]`: normalised log-volatility.
    pub log_volatility: Tensor<2>,
}

impl Student {
    /// Fresh weights. Squares have no slope at zero, so the hidden biases start away from it.
    pub fn new(features: usize, units: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut draw = |rows: usize, columns: usize, reach: f32| {
            let entries: Vec<f32> = (0..rows * columns).map(|_| random.random_range(-reach..reach)).collect();
            Param::from_data(TensorData::new(entries, [rows, columns]), device)
        };
        Self {
            hidden: draw(features, units, 0.5 / (features as f32).sqrt()),
            hidden_bias: draw(1, units, 1.0),
            heads: draw(units, HEADS, 0.5),
            heads_bias: draw(1, HEADS, 0.01),
        }
    }

    /// `[n, features] -> [n, 2]`.
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let units = features.matmul(self.hidden.val()) + self.hidden_bias.val();
        (units.clone() * units).matmul(self.heads.val()) + self.heads_bias.val()
    }

    /// Cross-entropy of the regime plus `volatility_weight` times the mean squared error of the log-volatility.
    pub fn loss(&self, features: Tensor<2>, targets: Targets, volatility_weight: f32) -> Tensor<1> {
        let heads = self.forward(features);
        let [rows, _] = heads.dims();
        let margin = heads.clone().slice([0..rows, 0..1]);
        let error = heads.slice([0..rows, 1..2]) - targets.log_volatility;
        let likelihood =
            targets.high.clone() * log_sigmoid(margin.clone()) + (targets.high.neg() + 1.0) * log_sigmoid(margin.neg());
        (error.clone() * error).mean() * volatility_weight - likelihood.mean()
    }

    /// The network that the circuit proves: the margin shared out to both logits, the log-volatility in real units.
    pub fn to_network(&self, log_volatility_mean: f64, log_volatility_deviation: f64) -> SquareNetwork {
        let [features, units] = self.hidden.val().dims();
        let heads = entries(&self.heads);
        let bias = entries(&self.heads_bias);
        let share = |margin: f32, volatility: f32, offset: f64| {
            let volatility = f64::from(volatility) * log_volatility_deviation + offset;
            [-0.5 * margin, 0.5 * margin, volatility as f32]
        };
        let output: Vec<f32> = heads.chunks_exact(HEADS).flat_map(|head| share(head[0], head[1], 0.0)).collect();
        debug_assert_eq!(output.len(), units * Outputs::COUNT);
        SquareNetwork {
            features,
            units,
            hidden: entries(&self.hidden),
            hidden_bias: entries(&self.hidden_bias),
            output,
            output_bias: share(bias[0], bias[1], log_volatility_mean).to_vec(),
        }
    }
}

fn entries(weights: &Param<Tensor<2>>) -> Vec<f32> {
    weights.val().into_data().try_to_vec().expect("weights are 32-bit floats")
}
