//! LSTM networks: in floats, as ONNX unrolled over their days, and loaded in EZKL's fixed-point arithmetic.
//!
//! The first columns of a row are the days' numbers; what stands beside each day comes behind them, once, so that its weighted sum is
//! computed once.

use super::fixed_point::FixedPointModel;
use super::float::{self, FloatModel};
use super::onnx::{Matrix, Network, Operation};
use super::{Layout, ModelError, compare_within};
use crate::types::manifest::inputs::Table;
use crate::types::manifest::network::Lstm;

/// Gates of a cell: input, forget, candidate, output.
pub const GATES: usize = 4;
/// How far floats may lie from the circuit's roundings, relative to the larger of the output's magnitude and 1: they tell the same
/// story. How near they are is measured where the grid is chosen.
const TOLERANCE: f64 = 0.25;

/// Weighted sums with a bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// A row of weights for each input.
    pub weights: Vec<f32>,
    /// One for each output.
    pub bias: Vec<f32>,
}

/// An LSTM layer; gates lie side by side, a unit after the other in each.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Units.
    pub units: usize,
    /// What comes in, with the gates' biases.
    pub inputs: Sums,
    /// A row of weights for each unit of the day before.
    pub hidden: Vec<f32>,
}

/// Two LSTM layers, a dense one with `Relu`, and outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct LstmNetwork {
    /// Days.
    pub days: usize,
    /// Numbers that stand beside each day.
    pub beside: usize,
    /// The layers; the first one's inputs are the day's number, then what stands beside it.
    pub cells: [Cell; 2],
    /// The dense layer.
    pub dense: Sums,
    /// The outputs.
    pub heads: Sums,
}

impl LstmNetwork {
    /// A network of zeros.
    fn zeros(days: usize, beside: usize, units: [usize; 3], outputs: usize) -> Self {
        let sums =
            |inputs: usize, outputs: usize| Sums { weights: vec![0.0; inputs * outputs], bias: vec![0.0; outputs] };
        let cell = |inputs: usize, units: usize| Cell {
            units,
            inputs: sums(inputs, GATES * units),
            hidden: vec![0.0; units * GATES * units],
        };
        let [first, second, dense] = units;
        Self {
            days,
            beside,
            cells: [cell(1 + beside, first), cell(first, second)],
            dense: sums(second, dense),
            heads: sums(dense, outputs),
        }
    }

    /// Fresh weights, drawn from numbers between −1 and 1: the more units, the smaller.
    pub fn drawn(days: usize, beside: usize, units: [usize; 3], outputs: usize, mut draw: impl FnMut() -> f64) -> Self {
        let mut network = Self::zeros(days, beside, units, outputs);
        let [first, second, dense] = units;
        let mut fill = |part: &mut Vec<f32>, units: usize| {
            for weight in part.iter_mut() {
                *weight = (draw() / (units as f64).sqrt()) as f32;
            }
        };
        for (cell, units) in network.cells.iter_mut().zip([first, second]) {
            for part in [&mut cell.inputs.weights, &mut cell.inputs.bias, &mut cell.hidden] {
                fill(part, units);
            }
        }
        for (sums, units) in [(&mut network.dense, second), (&mut network.heads, dense)] {
            fill(&mut sums.weights, units);
            fill(&mut sums.bias, units);
        }
        network
    }

    /// Units of the two LSTM layers and of the dense one.
    pub fn units(&self) -> [usize; 3] {
        [self.cells[0].units, self.cells[1].units, self.dense.bias.len()]
    }

    /// Numbers in a row.
    pub fn features(&self) -> usize {
        self.days + self.beside
    }

    fn parts(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        let cells =
            self.cells.iter_mut().flat_map(|cell| [&mut cell.inputs.weights, &mut cell.inputs.bias, &mut cell.hidden]);
        let dense = [&mut self.dense, &mut self.heads].into_iter().flat_map(|sums| [&mut sums.weights, &mut sums.bias]);
        cells.chain(dense)
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        let sums = |sums: &Sums| sums.weights.len() + sums.bias.len();
        let cells = self.cells.iter().map(|cell| sums(&cell.inputs) + cell.hidden.len()).sum::<usize>();
        cells + sums(&self.dense) + sums(&self.heads)
    }

    /// Rounds every weight to the grid of `2^-scale`.
    #[must_use]
    pub fn on_grid(mut self, scale: u32) -> Self {
        let grid = libm::exp2(f64::from(scale));
        for weight in self.parts().flatten() {
            *weight = (libm::round(f64::from(*weight) * grid) / grid) as f32;
        }
        self
    }

    /// What it computes of a row, in floating point.
    pub fn forward(&self, row: &[f64]) -> Vec<f64> {
        let (days, beside) = row.split_at(self.days.min(row.len()));
        let mut sequence: Vec<Vec<f64>> =
            days.iter().map(|day| std::iter::once(*day).chain(beside.iter().copied()).collect()).collect();
        for cell in &self.cells {
            sequence = cell.forward(&sequence);
        }
        let last = sequence.pop().unwrap_or_default();
        let dense: Vec<f64> = self.dense.of(&last).into_iter().map(|value| value.max(0.0)).collect();
        self.heads.of(&dense)
    }
}

impl Sums {
    fn of(&self, row: &[f64]) -> Vec<f64> {
        let mut sums: Vec<f64> = self.bias.iter().map(|constant| f64::from(*constant)).collect();
        add(&mut sums, row, &self.weights);
        sums
    }
}

fn add(sums: &mut [f64], row: &[f64], weights: &[f32]) {
    for (value, weights) in row.iter().zip(weights.chunks_exact(sums.len())) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += value * f64::from(*weight);
        }
    }
}

impl Cell {
    /// What it says after each day.
    fn forward(&self, days: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let sigmoid = |value: f64| 1.0 / (1.0 + libm::exp(-value));
        let (mut hidden, mut memory) = (vec![0.0; self.units], vec![0.0; self.units]);
        let mut said = Vec::with_capacity(days.len());
        for day in days {
            let mut sums = self.inputs.of(day);
            add(&mut sums, &hidden, &self.hidden);
            for unit in 0..self.units {
                let gate = |gate: usize| sums[gate * self.units + unit];
                memory[unit] = sigmoid(gate(0)) * libm::tanh(gate(2)) + sigmoid(gate(1)) * memory[unit];
                hidden[unit] = sigmoid(gate(3)) * libm::tanh(memory[unit]);
            }
            said.push(hidden.clone());
        }
        said
    }
}

/// A loaded LSTM.
#[derive(Debug)]
pub struct LstmModel {
    float: FloatModel,
    fixed: FixedPointModel,
    layout: Layout,
}

impl LstmModel {
    /// Of its ONNX file, whose operations must be those that the manifest sums up.
    ///
    /// # Errors
    /// [`ModelError::Structure`] for another network, or as [`FixedPointModel::new`].
    pub fn load(onnx: &[u8], lstm: &Lstm, table: &Table, outputs: usize) -> Result<Self, ModelError> {
        let layout = Layout::of_lstm(lstm, table, outputs);
        let network = Network::parse(onnx, 1, layout.features, outputs)?;
        let beside = layout.features.saturating_sub(lstm.days);
        let expected = LstmNetwork::zeros(lstm.days, beside, lstm.units, outputs).to_onnx();
        let expected = Network::parse(&expected, 1, layout.features, outputs)?;
        if !is_same_structure(&network, &expected) {
            return Err(ModelError::Structure { days: lstm.days, units: lstm.units });
        }
        let float = FloatModel::load(onnx, 1, layout.features, outputs)?;
        Ok(Self { float, fixed: FixedPointModel::new(&network, layout, lstm)?, layout })
    }

    /// The circuit's outputs, bit for bit; the float model must agree as far as rounding lets it.
    ///
    /// # Errors
    /// As [`FixedPointModel::evaluate`], [`ModelError::Disagreement`], or what tract reports.
    pub fn predict(&self, integers: &[i32]) -> Result<Vec<i128>, ModelError> {
        let circuit = self.fixed.evaluate(integers)?;
        let float = self.float.run(&float::inputs(integers, self.layout.input_scale))?;
        compare_within(TOLERANCE, &float, &circuit, self.layout.output_scale)?;
        Ok(circuit)
    }
}

/// Whether both do the same to the same rows, whatever their constants are.
fn is_same_structure(left: &Network, right: &Network) -> bool {
    let same = |left: &Matrix, right: &Matrix| (left.rows, left.columns) == (right.rows, right.columns);
    let pairs = left.operations.iter().zip(&right.operations);
    left.operations.len() == right.operations.len()
        && pairs.into_iter().all(|pair| match pair {
            (Operation::MatMul(row, matrix), Operation::MatMul(other, theirs))
            | (Operation::AddConstant(row, matrix), Operation::AddConstant(other, theirs)) => {
                row == other && same(matrix, theirs)
            }
            (left, right) => left == right,
        })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::types::diagnostic::Diagnostic;
    use crate::types::manifest::inputs::Column;

    const SCALE: u32 = 10;
    const UNITS: [usize; 3] = [3, 2, 4];

    /// A network of weights up to a size.
    pub fn made_up(size: f32) -> LstmNetwork {
        let mut network = LstmNetwork::zeros(7, 2, UNITS, 3);
        for (at, weight) in network.parts().flatten().enumerate() {
            *weight = libm::sinf(at as f32 * 1.7) * size;
        }
        network
    }

    fn network() -> LstmNetwork {
        made_up(0.6).on_grid(SCALE)
    }

    fn table() -> Table {
        let column = |index: usize| Column {
            name: format!("column-{index}"),
            unit: String::new(),
            mean: 0.0,
            standard_deviation: 1.0,
            clip: 3.0,
        };
        Table { columns: (0..9).map(column).collect(), input_scale: SCALE }
    }

    fn spec() -> Lstm {
        Lstm { days: 7, units: UNITS, scale: SCALE, lookup_bound: 8 << SCALE, digit_base: 8 << SCALE }
    }

    fn row(number: u32) -> Vec<i32> {
        (0..9).map(|column| (libm::sin(f64::from(number * 9 + column) * 0.83) * 3072.0) as i32).collect()
    }

    #[test]
    fn file_floats_and_fixed_point_tell_the_same_story() {
        let network = network();
        let onnx = network.to_onnx();
        let model = LstmModel::load(&onnx, &spec(), &table(), 3).unwrap();
        let float = FloatModel::load(&onnx, 1, 9, 3).unwrap();
        let unit = libm::exp2(f64::from(SCALE));
        for number in 0..50 {
            let row = row(number);
            let reals: Vec<f64> = row.iter().map(|value| f64::from(*value) / unit).collect();
            let exact = network.forward(&reals);
            let by_tract = float.run(&float::inputs(&row, SCALE)).unwrap();
            for (by_tract, exact) in by_tract.iter().zip(&exact) {
                assert!((f64::from(*by_tract) - exact).abs() < 1e-5, "{by_tract} {exact}");
            }
            for (circuit, exact) in model.predict(&row).unwrap().iter().zip(&exact) {
                assert!((*circuit as f64 / unit - exact).abs() < 0.02, "{circuit} {exact}");
            }
        }
        assert_eq!(network.parameters(), 12 * (3 + 3 + 1) + 8 * (3 + 2 + 1) + 4 * 3 + 3 * 5);
    }

    #[test]
    fn a_network_of_another_shape_is_refused() {
        let onnx = network().to_onnx();
        for other in [Lstm { days: 6, ..spec() }, Lstm { units: [3, 2, 5], ..spec() }] {
            assert_eq!(LstmModel::load(&onnx, &other, &table(), 3).unwrap_err().code(), "VR-MODEL-011");
        }
        let finer = Lstm { scale: SCALE - 1, ..spec() };
        assert_eq!(LstmModel::load(&onnx, &finer, &table(), 3).unwrap_err().code(), "VR-MODEL-004");
    }
}
