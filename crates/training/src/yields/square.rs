//! The student: a layer of squares on normalised features, whose circuit needs no lookups.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::ridge::TARGETS;
use crate::network::Network;
use crate::weights::numbers;
use veriregime_core::model::export::{Layer, LayeredNetwork};

/// Units of the layer.
pub const UNITS: usize = 10;

/// Trainable weights; targets are normalised.
#[derive(Module, Debug)]
pub struct Square {
    hidden: Param<Tensor<2>>,
    hidden_bias: Param<Tensor<2>>,
    output: Param<Tensor<2>>,
    output_bias: Param<Tensor<2>>,
}

impl Square {
    /// Fresh weights. Squares have no slope at zero, so the hidden biases start away from it; the outputs start small.
    pub fn new(features: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut draw = |rows: usize, columns: usize, reach: f32| {
            let entries: Vec<f32> = (0..rows * columns).map(|_| random.random_range(-reach..reach)).collect();
            Param::from_data(TensorData::new(entries, [rows, columns]), device)
        };
        Self {
            hidden: draw(features, UNITS, 0.5 / (features as f32).sqrt()),
            hidden_bias: draw(1, UNITS, 1.0),
            output: draw(UNITS, TARGETS, 0.1),
            output_bias: draw(1, TARGETS, 1e-3),
        }
    }

    /// The network in the targets' own units, `mean + deviation · normalised`, whose last output is a constant.
    pub fn to_network(&self, scalers: [(f64, f64); TARGETS], width_factor: f64) -> LayeredNetwork {
        let [features, _] = self.hidden.val().dims();
        let [means, deviations] = [scalers.map(|(mean, _)| mean), scalers.map(|(_, deviation)| deviation)];
        let output = numbers(self.output.val());
        let scaled = |entries: &[f32], target: usize| f64::from(entries[target]) * deviations[target];
        let weights = output.chunks_exact(TARGETS).flat_map(|unit| [scaled(unit, 0), scaled(unit, 1), 0.0]);
        let bias = numbers(self.output_bias.val());
        let bias = [means[0] + scaled(&bias, 0), means[1] + scaled(&bias, 1), width_factor];
        let hidden = Layer::Linear {
            inputs: features,
            outputs: UNITS,
            weights: numbers(self.hidden.val()),
            bias: numbers(self.hidden_bias.val()),
        };
        let heads = Layer::Linear {
            inputs: UNITS,
            outputs: bias.len(),
            weights: weights.map(|weight| weight as f32).collect(),
            bias: bias.map(|constant| constant as f32).to_vec(),
        };
        LayeredNetwork { features, layers: vec![hidden, Layer::Square, heads] }
    }
}

impl Network for Square {
    fn forward(&self, inputs: Tensor<2>, _: Option<&mut ChaCha8Rng>) -> Tensor<2> {
        let units = inputs.matmul(self.hidden.val()) + self.hidden_bias.val();
        (units.clone() * units).matmul(self.output.val()) + self.output_bias.val()
    }
}
