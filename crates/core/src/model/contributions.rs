//! How much each feature has to do with an output, exactly: the gradient integrated along the straight line from the neutral
//! row, on which every feature is at its mean, to the market's row (Sundararajan, Taly & Yan 2017).
//!
//! The output of a hidden layer of squares is a polynomial of degree two on that line, and its gradient is linear there: the
//! mean of the gradients at both ends is the integral, in integers. What all features have to do with an output adds up to the
//! output less that of the neutral row. Of a network whose markets add something of their own, [`DenseNetwork::of_market`] is
//! asked.

use super::dense::{Activation, DenseLayer, DenseNetwork};

/// What each feature of a market's row contributes to each output, feature by feature, on the outputs' grid. `None` for a
/// network of another shape than one layer of squares and one of sums (or sums alone), for a row of another length, and for numbers
/// that leave 128 bits.
pub fn contributions(network: &DenseNetwork, row: &[i32]) -> Option<Vec<Vec<i128>>> {
    let row: Vec<i128> = row.iter().map(|value| i128::from(*value)).collect();
    match network.layers.as_slice() {
        [sums] => through(network, &row, &linear(sums)?),
        [hidden, sums] if hidden.activation == Activation::Square => {
            through(network, &row, &squares(hidden, &linear(sums)?, &row)?)
        }
        _ => None,
    }
}

/// What a network gives for a row in which every feature is at its mean.
pub fn neutral_outputs(network: &DenseNetwork) -> Option<Vec<i128>> {
    outputs(network, &vec![0; network.layout.features])
}

/// What a network gives for one market's row, `None` for numbers that leave 128 bits or a row of another length.
pub fn outputs(network: &DenseNetwork, row: &[i32]) -> Option<Vec<i128>> {
    let mut values: Vec<i128> = row.iter().map(|value| i128::from(*value)).collect();
    for layer in &network.layers {
        let sums = layer.units.iter().map(|unit| sum(&unit.weights, &values)?.checked_add(unit.constant));
        let after = |sum: i128| match layer.activation {
            Activation::Identity => Some(sum),
            Activation::Square => sum.checked_mul(sum),
            Activation::Relu => Some(sum.max(0)),
        };
        values = sums.map(|sum| after(sum?)).collect::<Option<_>>()?;
    }
    values.iter().map(|value| lifted(network, *value)).collect()
}

/// The weights of each output, of a layer without an activation.
fn linear(layer: &DenseLayer) -> Option<Vec<Vec<i128>>> {
    let is_plain = layer.activation == Activation::Identity;
    is_plain.then(|| layer.units.iter().map(|unit| unit.weights.clone()).collect())
}

/// The gradient of each output by each input, as the mean of those at both ends of the line.
fn squares(hidden: &DenseLayer, outputs: &[Vec<i128>], row: &[i128]) -> Option<Vec<Vec<i128>>> {
    // The derivative of s² is 2 s: the mean over the line is the sum of s at both ends.
    let both_ends = |unit: &super::dense::Unit| {
        let at_row = sum(&unit.weights, row)?.checked_add(unit.constant)?;
        at_row.checked_add(unit.constant)
    };
    let slopes: Vec<i128> = hidden.units.iter().map(both_ends).collect::<Option<_>>()?;
    let gradient = |output: &Vec<i128>| {
        let by_input = |input: usize| {
            let terms = hidden.units.iter().zip(&slopes).zip(output);
            terms
                .map(|((unit, slope), weight)| weight.checked_mul(*slope)?.checked_mul(*unit.weights.get(input)?))
                .try_fold(0_i128, |total, term| total.checked_add(term?))
        };
        (0..row.len()).map(by_input).collect::<Option<Vec<i128>>>()
    };
    outputs.iter().map(gradient).collect()
}

fn through(network: &DenseNetwork, row: &[i128], gradients: &[Vec<i128>]) -> Option<Vec<Vec<i128>>> {
    let fits = |gradient: &Vec<i128>| gradient.len() == row.len();
    let of_feature = |(feature, value): (usize, &i128)| {
        let share = |gradient: &Vec<i128>| lifted(network, gradient[feature].checked_mul(*value)?);
        gradients.iter().map(share).collect::<Option<Vec<i128>>>()
    };
    if row.len() != network.layout.features || !gradients.iter().all(fits) {
        return None;
    }
    row.iter().enumerate().map(of_feature).collect()
}

/// On the outputs' grid.
fn lifted(network: &DenseNetwork, value: i128) -> Option<i128> {
    value.checked_mul(1_i128.checked_shl(network.output_shift)?)
}

fn sum(weights: &[i128], values: &[i128]) -> Option<i128> {
    if weights.len() != values.len() {
        return None;
    }
    weights.iter().zip(values).try_fold(0_i128, |total, (weight, value)| total.checked_add(weight.checked_mul(*value)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Layout;
    use super::super::dense::Unit;
    use super::*;

    const FEATURES: usize = 5;

    fn unit(weights: Vec<i128>, constant: i128) -> Unit {
        Unit { weights, constant, largest: 0 }
    }

    fn network(hidden: Vec<Unit>, outputs: Vec<Unit>, output_shift: u32) -> DenseNetwork {
        let layout = Layout {
            markets: 1,
            features: FEATURES,
            outputs: outputs.len(),
            feature_bound: 1 << 15,
            input_scale: 13,
            param_scale: 16,
            output_scale: 65,
        };
        let layer = |units, activation| DenseLayer { units, activation };
        let layers = vec![layer(hidden, Activation::Square), layer(outputs, Activation::Identity)];
        DenseNetwork { layers, offsets: Vec::new(), output_shift, layout }
    }

    fn units(count: usize, inputs: usize, weight: i64, constant: i64) -> impl Strategy<Value = Vec<Unit>> {
        let weights = proptest::collection::vec((-weight..=weight).prop_map(i128::from), inputs);
        let one = (weights, (-constant..=constant).prop_map(i128::from));
        proptest::collection::vec(one.prop_map(|(weights, constant)| unit(weights, constant)), count)
    }

    proptest! {
        #[test]
        fn contributions_add_up_to_the_output_less_the_neutral_one(
            hidden in units(4, FEATURES, 1 << 18, 1 << 30),
            sums in units(3, 4, 1 << 18, 1 << 60),
            row in proptest::collection::vec(-(1_i32 << 15)..=1 << 15, FEATURES),
            shift in 0_u32..4,
        ) {
            let network = network(hidden, sums, shift);
            let shares = contributions(&network, &row).unwrap();
            let (given, neutral) = (outputs(&network, &row).unwrap(), neutral_outputs(&network).unwrap());
            for output in 0..3 {
                let total: i128 = shares.iter().map(|share| share[output]).sum();
                prop_assert_eq!(total, given[output] - neutral[output]);
            }
        }

        #[test]
        fn a_feature_at_its_mean_contributes_nothing_and_simpson_says_the_same(
            hidden in units(4, FEATURES, 1 << 10, 1 << 12),
            sums in units(3, 4, 1 << 10, 1 << 20),
            row in proptest::collection::vec((-64_i32..=64).prop_map(|value| 2 * value), FEATURES),
            at in 0..FEATURES,
        ) {
            let network = network(hidden, sums, 0);
            let mut row = row;
            row[at] = 0;
            let shares = contributions(&network, &row).unwrap();
            prop_assert!(shares[at].iter().all(|share| *share == 0));
            // The gradient by a feature at a point of the line, from the network alone: a parabola's is its central difference.
            let slope = |point: &[i32], feature: usize, output: usize| {
                let (mut up, mut down) = (point.to_vec(), point.to_vec());
                up[feature] += 1;
                down[feature] -= 1;
                outputs(&network, &up).unwrap()[output] - outputs(&network, &down).unwrap()[output]
            };
            let half: Vec<i32> = row.iter().map(|value| value / 2).collect();
            for (feature, share) in shares.iter().enumerate() {
                for (output, share) in share.iter().enumerate() {
                    let ends = slope(&[0; FEATURES], feature, output) + slope(&row, feature, output);
                    let simpson = ends + 4 * slope(&half, feature, output);
                    prop_assert_eq!(12 * share, i128::from(row[feature]) * simpson);
                }
            }
        }
    }

    #[test]
    fn another_shape_has_none() {
        let mut deep = network(vec![unit(vec![1; FEATURES], 0)], vec![unit(vec![1], 0)], 0);
        assert!(contributions(&deep, &[1; FEATURES - 1]).is_none(), "a row of another length");
        deep.layers[0].activation = Activation::Relu;
        assert!(contributions(&deep, &[1; FEATURES]).is_none());
        deep.layers.remove(1);
        deep.layers[0].activation = Activation::Identity;
        assert_eq!(contributions(&deep, &[3; FEATURES]).unwrap(), vec![vec![3]; FEATURES], "sums alone");
        deep.layers[0].units[0].weights[0] = i128::MAX;
        assert!(contributions(&deep, &[3; FEATURES]).is_none(), "too large");
    }
}
