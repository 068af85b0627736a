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
    /// What each market adds to the last result besides, before it is shifted; none where all take the same way.
    offsets: Vec<Vec<i128>>,
    layout: Layout,
}

/// One operation over rows. Operands are numbers of rows: 0 is the input, `i + 1` the result of step `i`.
#[derive(Debug, Clone)]
pub enum Step {
    /// Row times a matrix, given row after row.
    MatMul { row: usize, weights: Vec<i128>, columns: usize },
    /// Row, shifted left, plus a constant row: the first market's, from which others have [`IntegerModel::offsets`].
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
        let Trace { steps, ranges, offsets, .. } = trace(network, &layout)?;
        let last = &ranges[ranges.len() - 1];
        let output_shift = layout
            .output_scale
            .checked_sub(last.scale)
            .ok_or(ModelError::Scale { exact: last.scale, declared: layout.output_scale })?;
        let bits = last.bits().saturating_add(output_shift);
        refuse_large(&network.operations[network.operations.len() - 1], bits)?;
        Ok(Self { steps, output_shift, offsets, layout })
    }

    /// What it does, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How far the last result is shifted left to reach the declared output scale.
    pub fn output_shift(&self) -> u32 {
        self.output_shift
    }

    /// What each market adds to the last result of [`IntegerModel::steps`], before it is shifted: of the first one nothing. Empty where
    /// all markets take the same way.
    pub fn offsets(&self) -> &[Vec<i128>] {
        &self.offsets
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
        let rows = integers.chunks_exact(features).enumerate();
        rows.map(|(market, row)| self.evaluate_row(market, row, bound)).collect()
    }

    /// The outputs of one market's features.
    fn evaluate_row(&self, market: usize, row: &[i32], bound: i32) -> Result<Vec<i128>, ModelError> {
        if let Some(index) = row.iter().position(|value| value.unsigned_abs() > bound.unsigned_abs()) {
            return Err(ModelError::Feature { index, value: row[index], bound });
        }
        let mut rows: Vec<Vec<i128>> = Vec::with_capacity(self.steps.len() + 1);
        rows.push(row.iter().map(|value| i128::from(*value)).collect());
        for step in &self.steps {
            let result = step.apply(&rows);
            rows.push(result);
        }
        let mut last = rows.pop().unwrap_or_default();
        for (value, offset) in last.iter_mut().zip(self.offsets.get(market).into_iter().flatten()) {
            *value += offset;
        }
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
    offsets: Vec<Vec<i128>>,
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
    let (mut compared_bits, mut offsets) = (None, Vec::new());
    for operation in &network.operations {
        if !offsets.is_empty() {
            return Err(ModelError::Unsupported { operation: "constants of each market before its end".into() });
        }
        offsets = market_offsets(operation, &ranges, layout)?;
        let (step, range) = integer_step(operation, &ranges, layout.param_scale)?;
        refuse_large(operation, range.bits())?;
        if matches!(step, Step::Relu { .. }) {
            compared_bits = compared_bits.max(Some(range.bits()));
        }
        steps.push(step);
        ranges.push(range);
    }
    Ok(Trace { steps, ranges, compared_bits, offsets })
}

/// A constant's entries at the scale of its sum, row after row.
fn lifted_constant(matrix: &Matrix, lifted: u32, param_scale: u32) -> Result<Vec<i128>, ModelError> {
    let entries = on_grid(matrix, param_scale)?;
    let lift = |value: &i128| 1_i128.checked_shl(lifted)?.checked_mul(*value);
    entries.iter().map(lift).collect::<Option<_>>().ok_or_else(|| ModelError::TooLarge {
        operation: "Add".to_owned(),
        bits: u32::MAX,
        limit: SAFE_BITS,
    })
}

/// How much more each market adds than the first, where an operation adds something else for each.
fn market_offsets(operation: &Operation, ranges: &[Range], layout: &Layout) -> Result<Vec<Vec<i128>>, ModelError> {
    let Operation::AddConstant(row, matrix) = operation else { return Ok(Vec::new()) };
    if matrix.rows == 1 {
        return Ok(Vec::new());
    }
    if matrix.rows != layout.markets {
        let [found, expected] = [matrix.rows, layout.markets].map(|rows| i64::try_from(rows).unwrap_or(i64::MAX));
        return Err(ModelError::Shape { what: matrix.name.clone(), found: vec![found], expected: vec![expected] });
    }
    let scale = ranges[*row].scale.max(layout.param_scale);
    let constant = lifted_constant(matrix, scale - layout.param_scale, layout.param_scale)?;
    let (first, _) = constant.split_at(matrix.columns);
    let more = |own: &[i128]| own.iter().zip(first).map(|(own, first)| own - first).collect();
    Ok(constant.chunks_exact(matrix.columns).map(more).collect())
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
            let mut constant = lifted_constant(matrix, lifted, param_scale)?;
            let shift = scale - range.scale;
            let of_column = |column| constant.iter().skip(column).step_by(matrix.columns);
            let magnitudes: Vec<u128> = (0..matrix.columns)
                .map(|column| of_column(column).map(|value| value.unsigned_abs()).max().unwrap_or(0))
                .collect();
            let largest = sum(&lift(range, shift)?, &magnitudes)?;
            constant.truncate(matrix.columns);
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
    }
}

/// The matrix's entries times `2^param_scale`, which must be whole.
fn on_grid(matrix: &Matrix, param_scale: u32) -> Result<Vec<i128>, ModelError> {
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
