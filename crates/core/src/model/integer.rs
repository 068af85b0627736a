//! The circuit's arithmetic in exact integers: what the proof must show, known before it is made.
//!
//! Every number is an integer at a power-of-two scale. A product adds the scales of its factors, a sum first lifts the
//! coarser term; nothing is ever rounded, so the order of evaluation cannot matter. At load time the largest magnitude
//! of each intermediate result is bounded over all admissible inputs, and a model that could leave 127 bits is refused.

use super::onnx::{Matrix, Network, Operation};
use super::{Layout, ModelError};

/// Bits of the largest magnitude: one less than what the field decoding gives back.
pub const SAFE_BITS: u32 = 126;

/// A network over scaled integers.
#[derive(Debug, Clone)]
pub struct IntegerModel {
    steps: Vec<Step>,
    /// How far the last result is shifted left to reach the declared output scale.
    output_shift: u32,
    layout: Layout,
}

/// One operation over rows. Operands are numbers of rows: 0 is the input, `i + 1` the result of step `i`.
#[derive(Debug, Clone)]
pub enum Step {
    /// Row times a matrix, given row after row.
    MatMul { row: usize, weights: Vec<i128>, columns: usize },
    /// Row, shifted left, plus a constant row.
    AddConstant { row: usize, shift: u32, constant: Vec<i128> },
    /// Row plus row, each shifted left.
    Add { left: usize, left_shift: u32, right: usize, right_shift: u32 },
    /// Row times row, entry by entry.
    Multiply { left: usize, right: usize },
    /// Row with zero in the place of negative entries.
    Relu { row: usize },
}

/// Scale of a row and, column by column, the largest magnitude that it can take.
struct Range {
    scale: u32,
    largest: Vec<u128>,
}

impl Range {
    fn bits(&self) -> u32 {
        self.largest.iter().map(|largest| 128 - largest.leading_zeros()).max().unwrap_or(0)
    }
}

impl IntegerModel {
    /// Puts the network's weights on the circuit's grid.
    ///
    /// # Errors
    /// [`ModelError::OffGrid`], [`ModelError::TooLarge`] or [`ModelError::Scale`].
    pub fn new(network: &Network, layout: Layout) -> Result<Self, ModelError> {
        let Trace { steps, ranges, .. } = trace(network, &layout)?;
        let last = &ranges[ranges.len() - 1];
        let output_shift = layout
            .output_scale
            .checked_sub(last.scale)
            .ok_or(ModelError::Scale { exact: last.scale, declared: layout.output_scale })?;
        let bits = last.bits().saturating_add(output_shift);
        refuse_large(&network.operations[network.operations.len() - 1], bits)?;
        Ok(Self { steps, output_shift, layout })
    }

    /// What it does, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How far the last result is shifted left to reach the declared output scale.
    pub fn output_shift(&self) -> u32 {
        self.output_shift
    }

    /// The layout it was loaded with.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The circuit's outputs, market by market, for the features of all markets in the order of the instances.
    ///
    /// # Errors
    /// [`ModelError::Count`] or [`ModelError::Feature`].
    pub fn evaluate(&self, integers: &[i32]) -> Result<Vec<Vec<i128>>, ModelError> {
        let Layout { markets, features, feature_bound: bound, .. } = self.layout;
        if integers.len() != markets * features {
            return Err(ModelError::Count { given: integers.len(), needed: markets * features });
        }
        integers.chunks_exact(features).map(|row| self.evaluate_row(row, bound)).collect()
    }

    /// The outputs of one market's features.
    fn evaluate_row(&self, row: &[i32], bound: i32) -> Result<Vec<i128>, ModelError> {
        if let Some(index) = row.iter().position(|value| value.unsigned_abs() > bound.unsigned_abs()) {
            return Err(ModelError::Feature { index, value: row[index], bound });
        }
        let mut rows: Vec<Vec<i128>> = Vec::with_capacity(self.steps.len() + 1);
        rows.push(row.iter().map(|value| i128::from(*value)).collect());
        for step in &self.steps {
            let result = step.apply(&rows);
            rows.push(result);
        }
        let last = &rows[rows.len() - 1];
        Ok(last.iter().map(|value| value << self.output_shift).collect())
    }
}

impl Step {
    /// Its name in ONNX.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::MatMul { .. } => "MatMul",
            Self::AddConstant { .. } | Self::Add { .. } => "Add",
            Self::Multiply { .. } => "Mul",
            Self::Relu { .. } => "Relu",
        }
    }

    /// Plain arithmetic: the bounds that were checked at load time leave no room for an overflow.
    fn apply(&self, rows: &[Vec<i128>]) -> Vec<i128> {
        match self {
            Self::MatMul { row, weights, columns } => {
                let mut sums = vec![0_i128; *columns];
                for (value, weights) in rows[*row].iter().zip(weights.chunks_exact(*columns)) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = sum.wrapping_add(value.wrapping_mul(*weight));
                    }
                }
                sums
            }
            Self::AddConstant { row, shift, constant } => {
                rows[*row].iter().zip(constant).map(|(value, constant)| (value << shift) + constant).collect()
            }
            Self::Add { left, left_shift, right, right_shift } => {
                let pairs = rows[*left].iter().zip(&rows[*right]);
                pairs.map(|(left, right)| (left << left_shift) + (right << right_shift)).collect()
            }
            Self::Multiply { left, right } => {
                rows[*left].iter().zip(&rows[*right]).map(|(left, right)| left.wrapping_mul(*right)).collect()
            }
            Self::Relu { row } => rows[*row].iter().map(|value| (*value).max(0)).collect(),
        }
    }
}

/// A network's steps with the range of each result, the input's first.
struct Trace {
    steps: Vec<Step>,
    ranges: Vec<Range>,
    compared_bits: Option<u32>,
}

/// Bits of the largest magnitude that any `Relu` may see over all admissible inputs: a circuit must be able to decompose
/// numbers of this size. `None` for a network without one. The output scale of `layout` plays no part.
///
/// # Errors
/// [`ModelError::OffGrid`] or [`ModelError::TooLarge`].
pub fn compared_bits(network: &Network, layout: &Layout) -> Result<Option<u32>, ModelError> {
    Ok(trace(network, layout)?.compared_bits)
}

fn trace(network: &Network, layout: &Layout) -> Result<Trace, ModelError> {
    let bound = u128::from(layout.feature_bound.unsigned_abs());
    let mut ranges = vec![Range { scale: layout.input_scale, largest: vec![bound; network.features] }];
    let mut steps = Vec::with_capacity(network.operations.len());
    let mut compared_bits = None;
    for operation in &network.operations {
        let (step, range) = integer_step(operation, &ranges, layout.param_scale)?;
        refuse_large(operation, range.bits())?;
        if matches!(step, Step::Relu { .. }) {
            compared_bits = compared_bits.max(Some(range.bits()));
        }
        steps.push(step);
        ranges.push(range);
    }
    Ok(Trace { steps, ranges, compared_bits })
}

fn integer_step(operation: &Operation, ranges: &[Range], param_scale: u32) -> Result<(Step, Range), ModelError> {
    let too_large = |bits| ModelError::TooLarge { operation: operation.name().to_owned(), bits, limit: SAFE_BITS };
    let lift = |range: &Range, shift: u32| -> Result<Vec<u128>, ModelError> {
        let lifted = range.largest.iter().map(|largest| 1_u128.checked_shl(shift)?.checked_mul(*largest));
        lifted.collect::<Option<_>>().ok_or_else(|| too_large(u32::MAX))
    };
    let sum = |left: &[u128], right: &[u128]| -> Result<Vec<u128>, ModelError> {
        let sums = left.iter().zip(right).map(|(left, right)| left.checked_add(*right));
        sums.collect::<Option<_>>().ok_or_else(|| too_large(u32::MAX))
    };
    match operation {
        Operation::MatMul(row, matrix) => {
            let weights = on_grid(matrix, param_scale)?;
            let mut largest = vec![0_u128; matrix.columns];
            for (value, weights) in ranges[*row].largest.iter().zip(weights.chunks_exact(matrix.columns)) {
                for (largest, weight) in largest.iter_mut().zip(weights) {
                    let term = value.checked_mul(weight.unsigned_abs());
                    *largest = term.and_then(|term| largest.checked_add(term)).ok_or_else(|| too_large(u32::MAX))?;
                }
            }
            let scale = ranges[*row].scale + param_scale;
            Ok((Step::MatMul { row: *row, weights, columns: matrix.columns }, Range { scale, largest }))
        }
        Operation::AddConstant(row, matrix) => {
            let range = &ranges[*row];
            let scale = range.scale.max(param_scale);
            let lifted = scale - param_scale;
            let constant: Option<Vec<i128>> = on_grid(matrix, param_scale)?
                .iter()
                .map(|value| 1_i128.checked_shl(lifted)?.checked_mul(*value))
                .collect();
            let constant = constant.ok_or_else(|| too_large(u32::MAX))?;
            let shift = scale - range.scale;
            let magnitudes: Vec<u128> = constant.iter().map(|value| value.unsigned_abs()).collect();
            let largest = sum(&lift(range, shift)?, &magnitudes)?;
            Ok((Step::AddConstant { row: *row, shift, constant }, Range { scale, largest }))
        }
        Operation::Add(left, right) => {
            let (from, with) = (&ranges[*left], &ranges[*right]);
            let scale = from.scale.max(with.scale);
            let (left_shift, right_shift) = (scale - from.scale, scale - with.scale);
            let largest = sum(&lift(from, left_shift)?, &lift(with, right_shift)?)?;
            Ok((Step::Add { left: *left, left_shift, right: *right, right_shift }, Range { scale, largest }))
        }
        Operation::Multiply(left, right) => {
            let (from, with) = (&ranges[*left], &ranges[*right]);
            let products = from.largest.iter().zip(&with.largest).map(|(left, right)| left.checked_mul(*right));
            let largest = products.collect::<Option<_>>().ok_or_else(|| too_large(u32::MAX))?;
            Ok((Step::Multiply { left: *left, right: *right }, Range { scale: from.scale + with.scale, largest }))
        }
        Operation::Relu(row) => {
            let from = &ranges[*row];
            Ok((Step::Relu { row: *row }, Range { scale: from.scale, largest: from.largest.clone() }))
        }
        // These round, or are of use only where something does.
        Operation::Sigmoid(_) | Operation::Tanh(_) | Operation::Slice(..) => {
            Err(ModelError::Unsupported { operation: operation.name().to_owned() })
        }
    }
}

/// The matrix's entries times `2^param_scale`, which must be whole.
pub(super) fn on_grid(matrix: &Matrix, param_scale: u32) -> Result<Vec<i128>, ModelError> {
    let grid = libm::exp2(f64::from(param_scale));
    let entries = matrix.entries.iter().map(|entry| {
        let scaled = f64::from(*entry) * grid;
        // Above 2^53 a product with a power of two says nothing about the entry any more; no sane weight is near.
        let whole = scaled as i64;
        if (whole as f64).to_bits() == (scaled + 0.0).to_bits() && scaled.abs() < 9e15 {
            Ok(i128::from(whole))
        } else {
            Err(ModelError::OffGrid { tensor: matrix.name.clone(), value: entry.to_string(), param_scale })
        }
    });
    entries.collect()
}

fn refuse_large(operation: &Operation, bits: u32) -> Result<(), ModelError> {
    if bits > SAFE_BITS {
        return Err(ModelError::TooLarge { operation: operation.name().to_owned(), bits, limit: SAFE_BITS });
    }
    Ok(())
}
