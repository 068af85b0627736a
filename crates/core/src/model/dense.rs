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
    /// What each market adds to the last layer's results besides, before they are shifted: of the first one nothing. None where all
    /// markets take the same way.
    pub offsets: Vec<Vec<i128>>,
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
        let offsets = model.offsets().to_vec();
        if let Some(layer) = layers.last_mut().filter(|_| !offsets.is_empty()) {
            if layer.activation != Activation::Identity {
                return Err(ModelError::NotDense { step: steps.len(), what: "constants of each market" });
            }
            for (output, unit) in layer.units.iter_mut().enumerate() {
                let with = |own: &Vec<i128>| (unit.constant + own[output]).unsigned_abs();
                let most = offsets.iter().map(with).max().unwrap_or(0);
                unit.largest += most - unit.constant.unsigned_abs();
            }
        }
        Ok(Self { layers, offsets, output_shift: model.output_shift(), layout: model.layout() })
    }

    /// The network of the market of this index alone, with what it adds in its constants.
    #[must_use]
    pub fn of_market(&self, market: usize) -> Self {
        let mut network = Self { offsets: Vec::new(), ..self.clone() };
        network.layout.markets = 1;
        let own = self.offsets.get(market).into_iter().flatten();
        if let Some(layer) = network.layers.last_mut() {
            for (unit, more) in layer.units.iter_mut().zip(own) {
                unit.constant += more;
            }
        }
        network
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
        Matrix { name: "weights".into(), rows, columns, entries: entries.to_vec() }
    }

    fn dense(operations: Vec<Operation>, output_scale: u32) -> Result<DenseNetwork, ModelError> {
        let layout = Layout {
            markets: 1,
            features: 2,
            outputs: 1,
            feature_bound: 100,
            input_scale: 4,
            param_scale: 3,
            output_scale,
        };
        DenseNetwork::new(&IntegerModel::new(&Network { operations, features: 2 }, layout)?)
    }

    #[test]
    fn layers_carry_weights_constants_and_bounds_on_the_circuit_s_grid() {
        let network = dense(
            vec![
                Operation::MatMul(0, matrix(2, 1, &[0.5, -2.0])),
                Operation::AddConstant(1, matrix(1, 1, &[1.0])),
                Operation::Multiply(2, 2),
                Operation::MatMul(3, matrix(1, 1, &[-0.125])),
            ],
            20,
        )
        .unwrap();
        // Weights at 2^3; the constant is lifted to the scale of the sums, 4 + 3.
        let hidden = Unit { weights: vec![4, -16], constant: 128, largest: 2_128 };
        let output = Unit { weights: vec![-1], constant: 0, largest: 2_128 * 2_128 };
        assert_eq!(
            network.layers,
            [
                DenseLayer { units: vec![hidden], activation: Activation::Square },
                DenseLayer { units: vec![output], activation: Activation::Identity },
            ]
        );
        assert_eq!(network.output_shift, 3, "14 + 3 bits are lifted to 20");
    }

    #[test]
    fn what_is_no_sequence_of_layers_is_named() {
        let linear = || Operation::MatMul(0, matrix(2, 2, &[1.0, 0.0, 0.0, 1.0]));
        let not_dense = |operations| match dense(operations, 40).unwrap_err() {
            ModelError::NotDense { step, what } => (step, what),
            other => panic!("{other}"),
        };
        assert_eq!(not_dense(vec![Operation::Relu(0)]), (0, "Relu"));
        assert_eq!(not_dense(vec![linear(), Operation::Multiply(0, 1)]), (1, "Mul"));
        assert_eq!(not_dense(vec![linear(), Operation::Relu(1), Operation::Add(1, 2)]), (2, "Add"));
        assert_eq!(not_dense(vec![linear(), Operation::MatMul(0, matrix(2, 1, &[1.0, 1.0]))]), (1, "a branch"));
    }
}
