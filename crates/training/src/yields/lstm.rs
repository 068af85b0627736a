//! The network of the "Aegis Yield ML Engine" as it is documented: LSTM layers of 128 and of 64 units with dropout of 0.2 behind
//! each, a dense layer of 32 with ReLU, two outputs.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::ridge::TARGETS;
use crate::network::Network;
use crate::teacher::mask;

/// Units of the two LSTM layers and of the dense one.
const UNITS: [usize; 3] = [128, 64, 32];
/// Share of a layer's outputs that each training step leaves out.
const DROPOUT: f32 = 0.2;
/// Gates of a cell: input, forget, candidate, output.
const GATES: usize = 4;

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
    pub fn new(days: usize, numbers: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let [first, second, dense] = UNITS;
        Self {
            first: Cell::new(numbers, first, random, device),
            second: Cell::new(first, second, random, device),
            dense: Dense::new(second, dense, random, device),
            heads: Dense::new(dense, TARGETS, random, device),
            days,
        }
    }
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
        let lstm = Lstm::new(7, 6, random, &device);
        let expected = 512 * (6 + 128 + 1) + 256 * (128 + 64 + 1) + 65 * 32 + 33 * 2;
        assert_eq!(flatten(&lstm).len(), expected);
        let rows = matrix((0..84).map(|at| at as f32 * 0.01).collect(), 42, &device);
        let calm = numbers(lstm.forward(rows.clone(), None));
        assert_eq!(calm, numbers(lstm.forward(rows.clone(), None)));
        assert_ne!(calm, numbers(lstm.forward(rows, Some(random))), "dropout");
    }
}
