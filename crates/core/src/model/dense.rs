//! A network as layers of weighted sums, with the largest magnitude of each: what is needed to compute it elsewhere.

use super::integer::{IntegerModel, Step};
use super::{Layout, ModelError};

/// What follows the weighted sums of a layer, entry by entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Each sum as it is.
    Identity,
    /// Each sum times itself.
    Square,
    /// Zero in the place of negative sums.
    Relu,
}

/// One weighted sum: `Σ weight · input + constant`, at the scale of the integer model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// One for each input of the layer.
    pub weights: Vec<i128>,
    /// What is added.
    pub constant: i128,
    /// Bound of the sum's magnitude over all admissible inputs; below `2^126`.
    pub largest: u128,
}

/// Weighted sums of the same inputs and what is done with each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseLayer {
    /// The sums, in order.
    pub units: Vec<Unit>,
    /// What follows them.
    pub activation: Activation,
}

/// An integer model as dense layers, the same numbers to the last bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseNetwork {
    /// In the order of evaluation; at least one.
    pub layers: Vec<DenseLayer>,
    /// How far the last layer's results are shifted left to reach the declared output scale.
    pub output_shift: u32,
    /// Markets, features, bound of a feature and scales.
    pub layout: Layout,
}

impl DenseNetwork {
    /// Folds a model's steps into layers.
    ///
    /// # Errors
    /// [`ModelError::NotDense`] names the first step that belongs to no layer of this kind.
    pub fn new(model: &IntegerModel) -> Result<Self, ModelError> {
        let steps = model.steps();
        let bound = u128::from(model.layout().feature_bound.unsigned_abs());
        let mut inputs = vec![bound; model.layout().features];
        let mut layers = Vec::new();
        let mut at = 0;
        while at < steps.len() {
            let (mut units, used) = sums(steps, at)?;
            for unit in &mut units {
                let terms = unit.weights.iter().zip(&inputs).map(|(weight, input)| weight.unsigned_abs() * input);
                unit.largest = terms.sum::<u128>() + unit.constant.unsigned_abs();
            }
            at += used;
            let activation = match steps.get(at) {
                Some(Step::Multiply { left, right }) if *left == at && *right == at => Activation::Square,
                Some(Step::Relu { row }) if *row == at => Activation::Relu,
                _ => Activation::Identity,
            };
            at += usize::from(activation != Activation::Identity);
            let square = activation == Activation::Square;
            let results = units.iter().map(|unit| if square { unit.largest * unit.largest } else { unit.largest });
            inputs = results.collect();
            layers.push(DenseLayer { units, activation });
        }
        Ok(Self { layers, output_shift: model.output_shift(), layout: model.layout() })
    }

    /// Outputs of a market.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.units.len())
    }
}

/// The weighted sums that begin with step `at`, and how many steps they are. Row 0 is the input, so that a step's operand
/// is the result of the step before where it has the step's own number.
fn sums(steps: &[Step], at: usize) -> Result<(Vec<Unit>, usize), ModelError> {
    let Step::MatMul { row, weights, columns } = &steps[at] else {
        return Err(ModelError::NotDense { step: at, what: steps[at].name() });
    };
    if *row != at {
        return Err(ModelError::NotDense { step: at, what: "a branch" });
    }
    let column = |index: usize| weights.iter().skip(index).step_by(*columns).copied();
    let plain = |index: usize| Unit { weights: column(index).collect(), constant: 0, largest: 0 };
    match steps.get(at + 1) {
        Some(Step::AddConstant { row, shift, constant }) if *row == at + 1 => {
            let unit = |(index, constant): (usize, &i128)| Unit {
                weights: column(index).map(|weight| weight << shift).collect(),
                constant: *constant,
                largest: 0,
            };
            Ok((constant.iter().enumerate().map(unit).collect(), 2))
        }
        _ => Ok(((0..*columns).map(plain).collect(), 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::onnx::{Matrix, Network, Operation};
    use super::*;

    fn matrix(rows: usize, columns: usize, entries: &[f32]) -> Matrix {
        Matrix { name: "w".into(), rows, columns, entries: entries.to_vec() }
    }

    fn layout() -> Layout {
        Layout { markets: 1, features: 2, outputs: 1, feature_bound: 100, input_scale: 4, output_scale: 20 }
    }

    fn dense(operations: Vec<Operation>) -> Result<DenseNetwork, ModelError> {
        let network = Network { operations, features: 2 };
        DenseNetwork::new(&IntegerModel::new(&network, layout()).unwrap())
    }
}
