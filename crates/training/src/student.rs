//! The student: the network that the circuit proves, trained through the circuit's own rounding.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation::relu};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::weights::{matrix, numbers};
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::types::prediction::REGIME_OUTPUTS;

/// Heads: half the margin of High over Low in logits, and the log-volatility.
const HEADS: usize = 2;

/// A layer of the student; the heads come behind the last one by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerSettings {
    /// Weighted sums and a bias: this many.
    Linear(usize),
    /// Every number times itself: free of lookups in a circuit.
    Square,
    /// Negative numbers become zero: needs range checks in a circuit.
    Relu,
}

/// Trainable weights. What comes out is what the circuit computes: every weight is rounded to the circuit's grid on
/// the way, and gradients pass the rounding as if it were not there (straight-through, Bengio and others 2013).
#[derive(Module, Debug)]
pub struct Student {
    dense: Vec<Dense>,
    #[module(skip)]
    layers: Vec<LayerSettings>,
    /// log2 of the weights' grid.
    #[module(skip)]
    param_scale: u32,
    /// Mean and standard deviation of the log-volatility over the training part.
    #[module(skip)]
    log_volatility: [f64; 2],
}

/// Weighted sums.
#[derive(Module, Debug)]
struct Dense {
    /// `[inputs, outputs]`.
    weights: Param<Tensor<2>>,
    /// `[1, outputs]`.
    bias: Param<Tensor<2>>,
}

impl Student {
    /// Fresh weights for `features` inputs. Squares have no slope at zero, so the hidden biases start away from it.
    pub fn new(
        features: usize,
        layers: &[LayerSettings],
        param_scale: u32,
        log_volatility: [f64; 2],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let mut draw = |rows: usize, columns: usize, reach: f64| {
            let reach = reach as f32;
            let entries: Vec<f32> = (0..rows * columns).map(|_| random.random_range(-reach..reach)).collect();
            Param::from_data(TensorData::new(entries, [rows, columns]), device)
        };
        let mut dense = Vec::new();
        let mut inputs = features;
        for layer in layers {
            if let LayerSettings::Linear(outputs) = layer {
                let weights = draw(inputs, *outputs, 0.5 / (inputs as f64).sqrt());
                dense.push(Dense { weights, bias: draw(1, *outputs, 1.0) });
                inputs = *outputs;
            }
        }
        let [mean, deviation] = log_volatility;
        let weights = [0.25, 0.5 * deviation].map(|reach| numbers(draw(inputs, 1, reach).val()));
        let weights = weights[0].iter().zip(&weights[1]).flat_map(|(margin, volatility)| [*margin, *volatility]);
        let heads = |entries: Vec<f32>, rows: usize| Param::from_data(TensorData::new(entries, [rows, HEADS]), device);
        dense.push(Dense { weights: heads(weights.collect(), inputs), bias: heads(vec![0.0, mean as f32], 1) });
        Self { dense, layers: layers.to_vec(), param_scale, log_volatility }
    }

    /// The network that the circuit proves: the margin shared out to both logits, divided by `temperature`.
    pub fn to_network(&self, temperature: f64) -> LayeredNetwork {
        let share = |pair: &[f32]| {
            let half = (f64::from(pair[0]) / temperature) as f32;
            [-half, half, pair[1]]
        };
        let spread = |entries: Vec<f32>| entries.chunks_exact(HEADS).flat_map(share).collect::<Vec<f32>>();
        let mut dense = self.dense.iter();
        let mut next = || dense.next().expect("as many as linear layers");
        let mut layers: Vec<Layer> = Vec::with_capacity(self.layers.len() + 1);
        for layer in &self.layers {
            layers.push(match layer {
                LayerSettings::Linear(_) => {
                    let Dense { weights, bias } = next();
                    let [inputs, outputs] = weights.val().dims();
                    Layer::Linear { inputs, outputs, weights: numbers(weights.val()), bias: numbers(bias.val()) }
                }
                LayerSettings::Square => Layer::Square,
                LayerSettings::Relu => Layer::Relu,
            });
        }
        let heads = next();
        let [inputs, _] = heads.weights.val().dims();
        layers.push(Layer::Linear {
            inputs,
            outputs: REGIME_OUTPUTS.len(),
            weights: spread(numbers(heads.weights.val())),
            bias: spread(numbers(heads.bias.val())),
        });
        let [features, _] = self.dense[0].weights.val().dims();
        LayeredNetwork { features, layers }
    }

    /// Entries on the grid.
    fn on_grid(&self, tensor: Tensor<2>) -> Tensor<2> {
        let grid = libm::exp2(f64::from(self.param_scale));
        let rounded = (tensor.clone() * grid).round() / grid;
        tensor.clone() + (rounded - tensor).detach()
    }

    fn apply(&self, dense: &Dense, inputs: Tensor<2>) -> Tensor<2> {
        inputs.matmul(self.on_grid(dense.weights.val())) + self.on_grid(dense.bias.val())
    }
}

impl Network for Student {
    fn forward(&self, inputs: Tensor<2>, _: Option<&mut ChaCha8Rng>) -> Tensor<2> {
        let device = inputs.device();
        let mut dense = self.dense.iter();
        let mut next = |inputs: Tensor<2>| self.apply(dense.next().expect("as many as linear layers"), inputs);
        let mut values = inputs;
        for layer in &self.layers {
            values = match layer {
                LayerSettings::Linear(_) => next(values),
                LayerSettings::Square => values.clone() * values,
                LayerSettings::Relu => relu(values),
            };
        }
        let [mean, deviation] = self.log_volatility;
        let row = |entries: [f64; HEADS]| matrix(entries.map(|entry| entry as f32).to_vec(), HEADS, &device);
        (next(values) - row([0.0, mean])) * row([2.0, 1.0 / deviation])
    }
}
