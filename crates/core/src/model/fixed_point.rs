//! EZKL's fixed-point arithmetic, in integers: every number is a multiple of `2^-scale`, products are rounded to one, half away
//! from zero, and sigmoid and hyperbolic tangent are looked up.
//!
//! This is what EZKL's witness gives where inputs and weights have the same grid and nothing may be finer
//! (`scale_rebase_multiplier = 1`). Its circuit leaves a prover two neighbours to choose from at each rounding; the arithmetic here is
//! the rounding that its own prover and every auditor take.

use super::integer::on_grid;
use super::onnx::{Network, Operation};
use super::{Layout, ModelError};
use crate::types::manifest::network::Lstm;

/// Largest weight on the grid: with rows of up to 4096 columns and numbers of 20 bits, sums stay below the 53 bits that EZKL divides
/// exactly.
const MAX_WEIGHT: i128 = 1 << 21;

/// A network in fixed-point arithmetic.
#[derive(Debug, Clone)]
pub struct FixedPointModel {
    steps: Vec<Step>,
    layout: Layout,
    scale: u32,
    /// What tables there are; none of them ends while they are being chosen.
    tables: Option<Tables>,
}

/// Where the tables of a circuit end, on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tables {
    lookup_bound: u32,
    digit_base: u32,
}

/// The largest magnitudes of a row's way through a network, on the grid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Of what is looked up.
    pub lookup: u64,
    /// Of rounded products, and of what `Relu` sees.
    pub digits: u64,
}

impl Reach {
    /// The larger ones of both.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { lookup: self.lookup.max(other.lookup), digits: self.digits.max(other.digits) }
    }
}

/// An operation whose constants are on the grid.
#[derive(Debug, Clone)]
enum Step {
    MatMul { row: usize, weights: Vec<i128>, columns: usize },
    AddConstant { row: usize, constant: Vec<i64> },
    Add(usize, usize),
    Multiply(usize, usize),
    Relu(usize),
    Sigmoid(usize),
    Tanh(usize),
    Slice(usize, [usize; 2]),
}

impl FixedPointModel {
    /// A network whose weights are on the grid, with the tables of its circuit.
    ///
    /// # Errors
    /// [`ModelError::OffGrid`] or [`ModelError::TooLarge`].
    pub fn new(network: &Network, layout: Layout, lstm: &Lstm) -> Result<Self, ModelError> {
        let tables = Tables { lookup_bound: lstm.lookup_bound, digit_base: lstm.digit_base };
        Ok(Self { tables: Some(tables), ..Self::unbounded(network, layout)? })
    }

    /// The same without tables that end, to see how far they must reach.
    ///
    /// # Errors
    /// As [`FixedPointModel::new`].
    pub fn unbounded(network: &Network, layout: Layout) -> Result<Self, ModelError> {
        let scale = layout.param_scale;
        let steps = network.operations.iter().map(|operation| step(operation, scale)).collect::<Result<_, _>>()?;
        Ok(Self { steps, layout, scale, tables: None })
    }

    /// The outputs for a row's integers.
    ///
    /// # Errors
    /// [`ModelError::Count`], [`ModelError::Feature`] or [`ModelError::OutOfTables`].
    pub fn evaluate(&self, integers: &[i32]) -> Result<Vec<i128>, ModelError> {
        Ok(self.run(integers)?.0)
    }

    /// The outputs for a row's integers, and how far tables must reach for them.
    ///
    /// # Errors
    /// As [`FixedPointModel::evaluate`].
    pub fn run(&self, integers: &[i32]) -> Result<(Vec<i128>, Reach), ModelError> {
        let Layout { features, feature_bound: bound, .. } = self.layout;
        if integers.len() != features {
            return Err(ModelError::Count { given: integers.len(), needed: features });
        }
        if let Some(index) = integers.iter().position(|value| value.unsigned_abs() > bound.unsigned_abs()) {
            return Err(ModelError::Feature { index, value: integers[index], bound });
        }
        let mut rows: Vec<Vec<i64>> = Vec::with_capacity(self.steps.len() + 1);
        rows.push(integers.iter().map(|value| i64::from(*value)).collect());
        let mut reach = Reach::default();
        for step in &self.steps {
            let result = step.apply(&rows, self.scale);
            let (looked_up, digits) = step.needs(&rows, &result);
            let own = Reach { lookup: largest(looked_up), digits: largest(digits) };
            reach = reach.max(own);
            if let Some(tables) = self.tables {
                let row = || format!("{integers:?}");
                let end = |values: &[i64]| values.iter().copied().max_by_key(|value| value.unsigned_abs()).unwrap_or(0);
                if own.lookup > u64::from(tables.lookup_bound) {
                    let (value, bound) = (end(looked_up), tables.lookup_bound);
                    return Err(ModelError::OutOfTables { operation: step.name(), value, bound, row: row() });
                }
                if own.digits >= u64::from(tables.digit_base) {
                    let (value, bound) = (end(digits), tables.digit_base - 1);
                    return Err(ModelError::OutOfTables { operation: step.name(), value, bound, row: row() });
                }
            }
            rows.push(result);
        }
        Ok((rows[rows.len() - 1].iter().map(|value| i128::from(*value)).collect(), reach))
    }
}

impl Step {
    fn name(&self) -> &'static str {
        match self {
            Self::MatMul { .. } => "the rounding of a MatMul",
            Self::AddConstant { .. } | Self::Add(..) => "Add",
            Self::Multiply(..) => "the rounding of a Mul",
            Self::Relu(_) => "Relu",
            Self::Sigmoid(_) => "Sigmoid",
            Self::Tanh(_) => "Tanh",
            Self::Slice(..) => "Slice",
        }
    }

    fn apply(&self, rows: &[Vec<i64>], scale: u32) -> Vec<i64> {
        let pairs = |left: &usize, right: &usize, combine: fn(i64, i64, u32) -> i64| {
            rows[*left].iter().zip(&rows[*right]).map(|(left, right)| combine(*left, *right, scale)).collect()
        };
        match self {
            Self::MatMul { row, weights, columns } => {
                let mut sums = vec![0_i128; *columns];
                for (value, weights) in rows[*row].iter().zip(weights.chunks_exact(*columns)) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += i128::from(*value) * weight;
                    }
                }
                sums.into_iter().map(|sum| rounded(sum, scale)).collect()
            }
            Self::AddConstant { row, constant } => {
                rows[*row].iter().zip(constant).map(|(value, constant)| value.saturating_add(*constant)).collect()
            }
            Self::Add(left, right) => pairs(left, right, |left, right, _| left.saturating_add(right)),
            Self::Multiply(left, right) => {
                pairs(left, right, |left, right, scale| rounded(i128::from(left) * i128::from(right), scale))
            }
            Self::Relu(row) => rows[*row].iter().map(|value| (*value).max(0)).collect(),
            Self::Sigmoid(row) => rows[*row].iter().map(|value| sigmoid(*value, scale)).collect(),
            Self::Tanh(row) => rows[*row].iter().map(|value| tanh(*value, scale)).collect(),
            Self::Slice(row, [first, end]) => rows[*row][*first..*end].to_vec(),
        }
    }

    /// What of a step is looked up, and what is taken apart into digits.
    fn needs<'a>(&self, rows: &'a [Vec<i64>], result: &'a [i64]) -> (&'a [i64], &'a [i64]) {
        match self {
            Self::Sigmoid(row) | Self::Tanh(row) => (&rows[*row], &[]),
            Self::MatMul { .. } | Self::Multiply(..) => (&[], result),
            Self::Relu(row) => (&[], &rows[*row]),
            Self::AddConstant { .. } | Self::Add(..) | Self::Slice(..) => (&[], &[]),
        }
    }
}

fn step(operation: &Operation, scale: u32) -> Result<Step, ModelError> {
    let whole = |matrix| {
        let weights = on_grid(matrix, scale)?;
        let is_large = weights.iter().any(|weight| weight.abs() > MAX_WEIGHT);
        let bits = 127 - MAX_WEIGHT.leading_zeros();
        let too_large = || ModelError::TooLarge { operation: operation.name().to_owned(), bits: bits + 1, limit: bits };
        if is_large { Err(too_large()) } else { Ok(weights) }
    };
    Ok(match operation {
        Operation::MatMul(row, matrix) => Step::MatMul { row: *row, weights: whole(matrix)?, columns: matrix.columns },
        Operation::AddConstant(row, matrix) => {
            let constant = whole(matrix)?.into_iter().map(|entry| i64::try_from(entry).unwrap_or(i64::MAX)).collect();
            Step::AddConstant { row: *row, constant }
        }
        Operation::Add(left, right) => Step::Add(*left, *right),
        Operation::Multiply(left, right) => Step::Multiply(*left, *right),
        Operation::Relu(row) => Step::Relu(*row),
        Operation::Sigmoid(row) => Step::Sigmoid(*row),
        Operation::Tanh(row) => Step::Tanh(*row),
        Operation::Slice(row, range) => Step::Slice(*row, *range),
    })
}

fn largest(values: &[i64]) -> u64 {
    values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0)
}

/// A product of two numbers on the grid, on the grid again: half away from zero.
fn rounded(product: i128, scale: u32) -> i64 {
    let half = 1_u128 << scale >> 1;
    let magnitude = i64::try_from((product.unsigned_abs() + half) >> scale).unwrap_or(i64::MAX);
    if product < 0 { -magnitude } else { magnitude }
}

/// As EZKL's tables have it: in 64-bit floats, rounded half away from zero.
fn sigmoid(value: i64, scale: u32) -> i64 {
    let unit = libm::exp2(f64::from(scale));
    libm::round(unit / (1.0 + libm::exp(-(value as f64 / unit)))) as i64
}

fn tanh(value: i64, scale: u32) -> i64 {
    let unit = libm::exp2(f64::from(scale));
    libm::round(unit * libm::tanh(value as f64 / unit)) as i64
}

#[cfg(test)]
mod tests {
    use super::super::onnx::Matrix;
    use super::*;
    use crate::types::diagnostic::Diagnostic;

    const LAYOUT: Layout = Layout {
        markets: 1,
        features: 2,
        outputs: 1,
        feature_bound: 3 << 4,
        input_scale: 4,
        param_scale: 4,
        output_scale: 4,
    };

    fn lstm(lookup_bound: u32, digit_base: u32) -> Lstm {
        Lstm { days: 1, units: [1; 3], scale: 4, lookup_bound, digit_base }
    }

    fn matrix(rows: usize, columns: usize, entries: &[f32]) -> Matrix {
        Matrix { name: "weights".into(), rows, columns, entries: entries.to_vec() }
    }

    /// One of each operation, by hand on a grid of sixteenths.
    #[test]
    fn every_step_is_what_the_hand_computes() {
        let operations = vec![
            Operation::MatMul(0, matrix(2, 2, &[0.25, -0.5, 1.0, 0.125])),
            Operation::AddConstant(1, matrix(1, 2, &[0.5, -0.0625])),
            Operation::Sigmoid(2),
            Operation::Tanh(2),
            Operation::Multiply(3, 4),
            Operation::Add(5, 2),
            Operation::Relu(6),
            Operation::Slice(7, [0, 1]),
        ];
        let network = Network { operations, features: 2 };
        let model = FixedPointModel::unbounded(&network, LAYOUT).unwrap();
        // Rows 6, -11: sums (6·4 − 11·16, −6·8 − 11·2)/16 = (−9.5, −4.375) -> (−10, −4); with constants (−2, −5).
        // Sigmoid 16/(1+e^(2/16)) = 7.5007 -> 8, 16/(1+e^(5/16)) = 6.76 -> 7; tanh −1.99 -> −2, −4.84 -> −5.
        // Products −16/16 = −1, −35/16 = −2.19 -> −2; plus (−2, −5): (−3, −7).
        assert_eq!(model.run(&[6, -11]).unwrap(), (vec![0], Reach { lookup: 5, digits: 10 }));
        // 44·4/16 + 8 = 19 and −44·8/16 − 1 = −23: sigmoid 12.26 -> 12, tanh 13.28 -> 13, 12·13/16 = 9.75 -> 10; 10 + 19.
        assert_eq!(model.evaluate(&[44, 0]).unwrap(), [29]);
        let bounded = |lookup, digits| FixedPointModel::new(&network, LAYOUT, &lstm(lookup, digits)).unwrap();
        assert_eq!(bounded(23, 30).evaluate(&[44, 0]).unwrap(), [29]);
        for (lookup, digits, told) in [(22, 30, "Sigmoid sees reaches -23"), (23, 29, "Relu sees reaches 29")] {
            let error = bounded(lookup, digits).evaluate(&[44, 0]).unwrap_err();
            assert_eq!(error.code(), "VR-MODEL-015");
            assert!(error.to_string().contains(told), "{error}");
        }
        assert_eq!(model.evaluate(&[1]).unwrap_err().code(), "VR-MODEL-007");
        assert_eq!(model.evaluate(&[49, 0]).unwrap_err().code(), "VR-MODEL-008");
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!([-24, -23, -8, -7, 7, 8, 23, 24].map(|product| rounded(product, 4)), [-2, -1, -1, 0, 0, 1, 1, 2]);
    }

    /// No entry of a table is so near to a half that another library's last bit could turn it.
    #[test]
    fn tables_are_the_same_whoever_computes_them() {
        for scale in 4..=12 {
            let unit = libm::exp2(f64::from(scale));
            for value in 1..=8_i64 << scale {
                let real = value as f64 / unit;
                for exact in [unit / (1.0 + libm::exp(-real)), unit * libm::tanh(real)] {
                    let from_half = ((exact - libm::floor(exact)) - 0.5).abs();
                    assert!(from_half > 1e-9, "2^-{scale}, {value}: {exact}");
                }
            }
        }
    }

    #[test]
    fn weights_off_the_grid_and_beyond_it_are_refused() {
        for (entry, code) in [(0.03, "VR-MODEL-004"), (200_000.0, "VR-MODEL-005")] {
            let operations = vec![Operation::MatMul(0, matrix(2, 1, &[entry, 0.0]))];
            let refused = FixedPointModel::unbounded(&Network { operations, features: 2 }, LAYOUT);
            assert_eq!(refused.unwrap_err().code(), code);
        }
    }
}
