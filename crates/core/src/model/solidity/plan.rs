//! How the sums of a layer are laid out in data: which share a word, and how densely their weights are packed.
//!
//! The units of a layer are dealt into groups. For each of its inputs a group has a record, a few bytes with one weight of
//! each unit. A record is read as words of lanes: with `classes` words of `lanes` sums each, the unit of class `c` in lane
//! `l` has its weight at bit `l · spacing + c · bits` of the record, so that a shift by `c · bits` and one mask leave a
//! weight alone in each lane. Weights are stored less the smallest of the layer, hence never negative.

use super::word::{WORD_BITS, bits};
use crate::model::dense::DenseLayer;

/// Words that are summed up together: a further one would be out of the stack's reach.
const MAX_CLASSES: usize = 6;
/// Inputs that one round of the loop takes.
pub const UNROLLED: usize = 4;

/// Gas of an input besides its classes, of each class, of a round, of a result, and of a group besides all these.
const INPUT_GAS: usize = 24;
const CLASS_GAS: usize = 31;
const ROUND_GAS: usize = 40;
const RESULT_GAS: usize = 45;
const GROUP_GAS: usize = 60;
/// Bytes of data that are copied for a unit of gas.
const BYTES_A_GAS: usize = 5;

/// The layout of a layer's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub inputs: usize,
    pub units: usize,
    /// Sums in a word.
    pub lanes: usize,
    /// Words that a record is read as.
    pub classes: usize,
    /// Bits from a lane to the next: what the layer's largest sum needs.
    pub spacing: u32,
    /// Bits of a weight.
    pub bits: u32,
    /// The smallest weight, zero at most: what has been taken from each.
    pub least: i128,
    /// Bound of the magnitude of all sums.
    pub largest: u128,
}

impl Plan {
    /// The cheapest.
    pub fn of(layer: &DenseLayer) -> Self {
        let weights = || layer.units.iter().flat_map(|unit| unit.weights.iter().copied());
        let least = weights().min().unwrap_or(0).min(0);
        let width = bits((weights().max().unwrap_or(0) - least).unsigned_abs()).max(1);
        let largest = layer.units.iter().map(|unit| unit.largest).max().unwrap_or(0);
        let spacing = bits(largest * 2).max(width);
        let (inputs, units) = (layer.units[0].weights.len(), layer.units.len());
        let plan = |lanes, classes| Self { inputs, units, lanes, classes, spacing, bits: width, least, largest };
        let mut best = plan(1, 1);
        for lanes in 1..=(WORD_BITS / spacing) as usize {
            for classes in 1..=MAX_CLASSES {
                let next = plan(lanes, classes);
                if next.is_possible() && next.gas() < best.gas() {
                    best = next;
                }
            }
        }
        best
    }

    /// Whether no weight of a record reaches another, and no lane leaves the word.
    fn is_possible(&self) -> bool {
        let packed = self.classes as u32 * self.bits;
        let last = (self.lanes as u32 - 1) * self.spacing;
        (self.lanes == 1 || packed <= self.spacing) && last + self.spacing.max(packed) <= WORD_BITS
    }

    /// Units of a group. Those of the last that the layer does not have are zero.
    pub fn group(&self) -> usize {
        self.lanes * self.classes
    }

    /// Groups of the layer.
    pub fn groups(&self) -> usize {
        self.units.div_ceil(self.group())
    }

    /// Bytes of a record.
    pub fn record_bytes(&self) -> usize {
        let bits = (self.lanes as u32 - 1) * self.spacing + self.classes as u32 * self.bits;
        bits.div_ceil(8) as usize
    }

    /// Unit of a group that has lane `lane` of class `class`.
    pub fn unit(&self, class: usize, lane: usize) -> usize {
        lane * self.classes + class
    }

    /// Where a lane begins in its word.
    pub fn offset(&self, lane: usize) -> u32 {
        lane as u32 * self.spacing
    }

    /// Where a weight stands in its record.
    pub fn place(&self, class: usize, lane: usize) -> u32 {
        self.offset(lane) + class as u32 * self.bits
    }

    /// Bytes of data.
    pub fn bytes(&self) -> usize {
        self.groups() * (32 * self.classes + self.inputs * self.record_bytes())
    }

    /// About the gas of the layer.
    pub fn gas(&self) -> usize {
        let inputs = self.inputs * (INPUT_GAS + self.classes * CLASS_GAS) + self.inputs / UNROLLED * ROUND_GAS;
        self.groups() * (inputs + self.group() * RESULT_GAS + GROUP_GAS) + self.bytes() / BYTES_A_GAS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dense::{Activation, Unit};

    fn layer(units: usize, weights: &[i128], largest: u128) -> DenseLayer {
        let unit = Unit { weights: weights.to_vec(), constant: 0, largest };
        DenseLayer { units: vec![unit; units], activation: Activation::Identity }
    }

    #[test]
    fn weights_of_a_record_and_lanes_of_a_word_do_not_touch() {
        for (units, largest) in [(1, 1), (3, 1 << 104), (14, 1 << 40), (175, 1 << 33), (1000, 1 << 125)] {
            let plan = Plan::of(&layer(units, &[-(1 << 16), 3, (1 << 16) - 1], largest));
            assert_eq!((plan.least, plan.bits), (-(1 << 16), 17));
            let mut places: Vec<u32> = Vec::new();
            for lane in 0..plan.lanes {
                places.extend((0..plan.classes).map(|class| plan.place(class, lane)));
                assert!(plan.offset(lane) + bits(largest * 2) <= WORD_BITS);
            }
            places.sort_unstable();
            assert!(places.windows(2).all(|pair| pair[0] + plan.bits <= pair[1]), "{plan:?}");
            assert!(places[places.len() - 1] + plan.bits <= 8 * plan.record_bytes() as u32 && plan.record_bytes() <= 32);
            assert!(plan.groups() * plan.group() >= units);
        }
    }

    #[test]
    fn narrow_sums_are_packed_and_wide_ones_are_not() {
        let narrow = Plan::of(&layer(60, &[-5, 5], 1 << 20));
        assert!(narrow.lanes > 8 && narrow.classes > 1, "{narrow:?}");
        let wide = Plan::of(&layer(2, &[1 << 100], 1 << 125));
        assert_eq!((wide.lanes, wide.bits), (2, 101));
    }
}
