//! The network of the "Aegis Yield ML Engine": two LSTM layers with dropout of 0.2 behind each, a dense layer with ReLU, two outputs. As
//! it is documented the layers have 128, 64 and 32 units.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::ridge::TARGETS;
use crate::network::Network;
use crate::teacher::mask;
use crate::weights::numbers as entries;
use veriregime_core::model::lstm::{Cell as ExportedCell, GATES, LstmNetwork, Sums};

/// Units of the two LSTM layers and of the dense one, as documented.
pub const DOCUMENTED_UNITS: [usize; 3] = [128, 64, 32];
/// Share of a layer's outputs that each training step leaves out.
const DROPOUT: f32 = 0.2;

/// Trainable weights.
#[derive(Module, Debug)]
pub struct Lstm {
    first: Cell,
    second: Cell,
    dense: Dense,
    heads: Dense,
    /// Days of a row.
    #[module(skip)]
    days: usize,
}

/// An LSTM layer (Hochreiter and Schmidhuber 1997, with forget gates).
#[derive(Module, Debug)]
struct Cell {
    inputs: Param<Tensor<2>>,
    hidden: Param<Tensor<2>>,
    bias: Param<Tensor<2>>,
    #[module(skip)]
    units: usize,
}

/// Weighted sums.
#[derive(Module, Debug)]
struct Dense {
    weights: Param<Tensor<2>>,
    bias: Param<Tensor<2>>,
}

impl Lstm {
    /// Fresh weights for so many days of so many numbers each.
    pub fn new(days: usize, numbers: usize, units: [usize; 3], random: &mut ChaCha8Rng, device: &Device) -> Self {
        let [first, second, dense] = units;
        Self {
            first: Cell::new(numbers, first, random, device),
            second: Cell::new(first, second, random, device),
            dense: Dense::new(second, dense, random, device),
            heads: Dense::new(dense, TARGETS, random, device),
            days,
        }
    }
}

impl Lstm {
    /// The network in the targets' own units, `mean + deviation · normalised`, whose last output is a constant.
    pub fn to_network(&self, scalers: [(f64, f64); TARGETS], width_factor: f64) -> LstmNetwork {
        let mut heads = self.heads.exported();
        let scaled = |pair: &[f32], means: [f64; TARGETS]| {
            let one = |target: usize| means[target] + f64::from(pair[target]) * scalers[target].1;
            [one(0) as f32, one(1) as f32]
        };
        let rows = heads.weights.chunks_exact(TARGETS);
        heads.weights = rows.flat_map(|pair| scaled(pair, [0.0; TARGETS]).into_iter().chain([0.0])).collect();
        let bias = scaled(&heads.bias, scalers.map(|(mean, _)| mean));
        heads.bias = bias.into_iter().chain([width_factor as f32]).collect();
        let [numbers, _] = self.first.inputs.val().dims();
        LstmNetwork {
            days: self.days,
            beside: numbers - 1,
            cells: [self.first.exported(), self.second.exported()],
            dense: self.dense.exported(),
            heads,
        }
    }
}

/// Rows as the network takes them, of rows as a table has them: of each day its number, and what stands beside it, which in a table
/// comes once behind all days.
pub fn unrolled(days: &[f64], beside: &[f64]) -> Vec<f32> {
    days.iter().flat_map(|day| std::iter::once(day).chain(beside)).map(|value| *value as f32).collect()
}

fn draw([rows, columns]: [usize; 2], reach: f64, random: &mut ChaCha8Rng, device: &Device) -> Param<Tensor<2>> {
    let reach = reach as f32;
    let entries: Vec<f32> = (0..rows * columns).map(|_| random.random_range(-reach..reach)).collect();
    Param::from_data(TensorData::new(entries, [rows, columns]), device)
}

impl Dense {
    fn new(inputs: usize, outputs: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let reach = 1.0 / (inputs as f64).sqrt();
        Self {
            weights: draw([inputs, outputs], reach, random, device),
            bias: draw([1, outputs], reach, random, device),
        }
    }

    fn exported(&self) -> Sums {
        Sums { weights: entries(self.weights.val()), bias: entries(self.bias.val()) }
    }

    fn forward(&self, values: Tensor<2>) -> Tensor<2> {
        values.matmul(self.weights.val()) + self.bias.val()
    }
}

impl Cell {
    fn new(inputs: usize, units: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let reach = 1.0 / (units as f64).sqrt();
        Self {
            inputs: draw([inputs, GATES * units], reach, random, device),
            hidden: draw([units, GATES * units], reach, random, device),
            bias: draw([1, GATES * units], reach, random, device),
            units,
        }
    }

    fn exported(&self) -> ExportedCell {
        let inputs = Sums { weights: entries(self.inputs.val()), bias: entries(self.bias.val()) };
        ExportedCell { units: self.units, inputs, hidden: entries(self.hidden.val()) }
    }

    /// What it says after each day.
    fn forward(&self, days: Vec<Tensor<2>>, noise: &mut Option<&mut ChaCha8Rng>) -> Vec<Tensor<2>> {
        let mut state: Option<[Tensor<2>; 2]> = None;
        let mut said = Vec::with_capacity(days.len());
        for day in days {
            let [rows, _] = day.dims();
            let mut sums = day.matmul(self.inputs.val()) + self.bias.val();
            if let Some([hidden, _]) = &state {
                sums = sums + hidden.clone().matmul(self.hidden.val());
            }
            let gate = |gate: usize| sums.clone().slice([0..rows, gate * self.units..(gate + 1) * self.units]);
            let mut memory = sigmoid(gate(0)) * tanh(gate(2));
            if let Some([_, before]) = state {
                memory = memory + sigmoid(gate(1)) * before;
            }
            let hidden = sigmoid(gate(3)) * tanh(memory.clone());
            said.push(match noise {
                Some(random) => hidden.clone() * mask(hidden.dims(), DROPOUT, random, &hidden.device()),
                None => hidden.clone(),
            });
            state = Some([hidden, memory]);
        }
        said
    }
}

impl Network for Lstm {
    fn forward(&self, inputs: Tensor<2>, mut noise: Option<&mut ChaCha8Rng>) -> Tensor<2> {
        let [rows, columns] = inputs.dims();
        let numbers = columns / self.days;
        let day = |day: usize| inputs.clone().slice([0..rows, day * numbers..(day + 1) * numbers]);
        let first = self.first.forward((0..self.days).map(day).collect(), &mut noise);
        let mut second = self.second.forward(first, &mut noise);
        let last = second.pop().expect("a row has days");
        self.heads.forward(relu(self.dense.forward(last)))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::weights::{flatten, load, matrix, numbers};

    /// A cell of one unit against the formulas, by hand.
    #[test]
    fn a_cell_is_what_the_hand_computes() {
        let device = Device::flex();
        let cell = Cell::new(1, 1, &mut ChaCha8Rng::seed_from_u64(1), &device);
        // Weights of inputs, of the state, and biases: input, forget, candidate, output.
        let cell = load(cell, &[1.0, 0.5, -1.0, 2.0, 0.1, 0.2, 0.3, 0.4, 0.0, 1.0, 0.0, -0.5]).unwrap();
        let days = [0.5_f32, -0.25].map(|value| matrix(vec![value], 1, &device));
        let said: Vec<f32> = cell.forward(days.into(), &mut None).into_iter().flat_map(numbers).collect();
        let sigmoid = |value: f64| 1.0 / (1.0 + (-value).exp());
        let memory = sigmoid(0.5) * (-0.5_f64).tanh();
        let hidden = sigmoid(0.5) * memory.tanh();
        assert!((f64::from(said[0]) - hidden).abs() < 1e-6);
        let memory = sigmoid(-0.25 + 0.1 * hidden) * (0.25 + 0.3 * hidden).tanh()
            + sigmoid(0.5 * -0.25 + 0.2 * hidden + 1.0) * memory;
        let hidden = sigmoid(2.0 * -0.25 + 0.4 * hidden - 0.5) * memory.tanh();
        assert!((f64::from(said[1]) - hidden).abs() < 1e-6);
    }

    #[test]
    fn it_has_the_weights_that_are_documented() {
        let device = Device::flex();
        let random = &mut ChaCha8Rng::seed_from_u64(1);
        let lstm = Lstm::new(7, 6, DOCUMENTED_UNITS, random, &device);
        let expected = 512 * (6 + 128 + 1) + 256 * (128 + 64 + 1) + 65 * 32 + 33 * 2;
        assert_eq!(flatten(&lstm).len(), expected);
        let rows = matrix((0..84).map(|at| at as f32 * 0.01).collect(), 42, &device);
        let calm = numbers(lstm.forward(rows.clone(), None));
        assert_eq!(calm, numbers(lstm.forward(rows.clone(), None)));
        assert_ne!(calm, numbers(lstm.forward(rows, Some(random))), "dropout");
    }

    /// What is exported computes what was trained, in the targets' own units.
    #[test]
    fn the_exported_network_says_the_same() {
        let device = Device::flex();
        let lstm = Lstm::new(7, 6, [5, 3, 4], &mut ChaCha8Rng::seed_from_u64(2), &device);
        let network = lstm.to_network([(0.5, 2.0), (-1.0, 0.25)], 1.5);
        assert_eq!((network.units(), network.features()), ([5, 3, 4], 12));
        let row: Vec<f64> = (0..12).map(|at| (f64::from(at) * 0.9).sin()).collect();
        let said = numbers(lstm.forward(matrix(unrolled(&row[..7], &row[7..]), 42, &device), None));
        let exported = network.forward(&row);
        for (found, expected) in exported.iter().zip([0.5 + 2.0 * said[0], -1.0 + 0.25 * said[1], 1.5]) {
            assert!((found - f64::from(expected)).abs() < 1e-5, "{exported:?} {said:?}");
        }
    }
}
