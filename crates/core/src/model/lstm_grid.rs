//! The grid of an LSTM's circuit: the coarsest on which it still says what it was trained to say, and tables that are wide enough.

use super::fixed_point::{FixedPointModel, Reach};
use super::lstm::LstmNetwork;
use super::onnx::Network;
use super::{Layout, ModelError};
use crate::types::manifest::network::Lstm;

/// log2 of the grids that are tried, coarsest first.
const SCALES: std::ops::RangeInclusive<u32> = 8..=12;
/// How far an output on the grid may lie from the network's in floats, over all rows.
pub const LARGEST_DEVIATION: f64 = 0.05;
/// How much further tables reach than any row needed.
const MARGIN: u64 = 2;
/// log2 of the largest table.
const MAX_TABLE_BITS: u32 = 20;
/// What a table leaves free of a power of two, so that a circuit's domain of that size holds it beside what blinds it.
const SPARE: u64 = 64;

/// A network on its grid.
#[derive(Debug, Clone, PartialEq)]
pub struct OnGrid {
    /// With weights on the grid.
    pub network: LstmNetwork,
    /// What a manifest says of it.
    pub lstm: Lstm,
    /// Largest distance of an output from the network's in floats.
    pub deviation: f64,
}

/// Puts a network on the coarsest grid that keeps its outputs within [`LARGEST_DEVIATION`] on these rows, which are normalised
/// and clipped; tables reach twice as far as the rows need.
///
/// # Errors
/// [`ModelError::NoGrid`] where none does.
pub fn on_coarsest(network: &LstmNetwork, rows: &[Vec<f64>]) -> Result<OnGrid, ModelError> {
    let expected: Vec<Vec<f64>> = rows.iter().map(|row| network.forward(row)).collect();
    let mut nearest = f64::INFINITY;
    for scale in SCALES {
        let rounded = network.clone().on_grid(scale);
        let (deviation, reach) = measured(&rounded, scale, rows, &expected)?;
        nearest = nearest.min(deviation);
        let size = |reach: u64| ((MARGIN * reach).max((1 << scale) + 1) + SPARE).next_power_of_two() - SPARE;
        let [lookup_bound, digit_base] = [size(reach.lookup), size(reach.digits)];
        let fits = |size: u64| u32::try_from(size).ok().filter(|size| *size <= 1 << MAX_TABLE_BITS);
        if let (true, Some(lookup_bound), Some(digit_base)) =
            (deviation <= LARGEST_DEVIATION, fits(lookup_bound), fits(digit_base))
        {
            let lstm = Lstm { days: network.days, units: network.units(), scale, lookup_bound, digit_base };
            return Ok(OnGrid { network: rounded, lstm, deviation });
        }
    }
    Err(ModelError::NoGrid { finest: *SCALES.end(), deviation: format!("{nearest:.4}") })
}

fn measured(
    rounded: &LstmNetwork,
    scale: u32,
    rows: &[Vec<f64>],
    expected: &[Vec<f64>],
) -> Result<(f64, Reach), ModelError> {
    let (features, outputs) = (rounded.features(), rounded.heads.bias.len());
    let layout = Layout {
        markets: 1,
        features,
        outputs,
        feature_bound: i32::MAX,
        input_scale: scale,
        param_scale: scale,
        output_scale: scale,
    };
    let network = Network::parse(&rounded.to_onnx(), 1, features, outputs)?;
    let model = FixedPointModel::unbounded(&network, layout)?;
    let grid = libm::exp2(f64::from(scale));
    let (mut deviation, mut reach) = (0.0_f64, Reach::default());
    for (row, expected) in rows.iter().zip(expected) {
        let integers: Vec<i32> = row.iter().map(|value| libm::round(value * grid) as i32).collect();
        let (found, own) = model.run(&integers)?;
        reach = reach.max(own);
        for (found, expected) in found.iter().zip(expected) {
            deviation = deviation.max((*found as f64 / grid - expected).abs());
        }
    }
    Ok((deviation, reach))
}

#[cfg(test)]
mod tests {
    use super::super::lstm::tests::made_up;
    use super::*;
    use crate::types::diagnostic::Diagnostic;

    fn rows(size: f64) -> Vec<Vec<f64>> {
        let row = |number: i32| (0..9).map(|column| libm::sin(f64::from(number * 9 + column) * 0.83) * size).collect();
        (0..60).map(row).collect()
    }

    #[test]
    fn the_coarsest_grid_that_holds_is_taken_with_tables_twice_as_wide_as_needed() {
        let network = made_up(0.6);
        let found = on_coarsest(&network, &rows(3.0)).unwrap();
        assert!(found.deviation <= LARGEST_DEVIATION && found.lstm.units == network.units());
        let expected: Vec<Vec<f64>> = rows(3.0).iter().map(|row| network.forward(row)).collect();
        let at = |scale: u32| measured(&network.clone().on_grid(scale), scale, &rows(3.0), &expected).unwrap();
        assert!((8..found.lstm.scale).all(|scale| at(scale).0 > LARGEST_DEVIATION), "coarser ones do not hold");
        let reach = at(found.lstm.scale).1;
        for (size, reach) in [(found.lstm.lookup_bound, reach.lookup), (found.lstm.digit_base, reach.digits)] {
            assert!(u64::from(size) >= 2 * reach && (u64::from(size) + SPARE).is_power_of_two(), "{size} {reach}");
        }
        assert!(found.lstm.lookup_bound > 1 << found.lstm.scale);
    }

    #[test]
    fn a_network_that_no_grid_holds_is_refused() {
        // Heads that are far larger than what the dense layer is rounded to.
        let mut network = made_up(0.6);
        network.heads.weights.iter_mut().for_each(|weight| *weight *= 500.0);
        assert_eq!(on_coarsest(&network, &rows(3.0)).unwrap_err().code(), "VR-MODEL-016");
    }
}
