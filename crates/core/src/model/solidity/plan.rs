//! How the sums of a layer are laid out in data: which share a word, and how densely their weights are packed.
//!
//! The units of a layer are dealt into groups. For each of its inputs a group has a record with one weight of each unit.
//!
//! - Wide: a record is a word, with each weight at the place of its sum's lane. It is multiplied as it is.
//! - Packed: a record is as few bytes as its weights need. It is read as words of lanes: with `classes` words of `lanes` sums
//!   each, the unit of class `c` in lane `l` has its weight at bit `l · spacing + c · bits` of the record, so that a shift by
//!   `c · bits` and one mask leave a weight alone in each lane. Weights are stored less the smallest of the layer, hence never
//!   negative.

use super::contract::Place;
use super::word::{WORD_BITS, WORD_BYTES, bits};
use crate::model::dense::DenseLayer;

/// Words that are summed up together: a further one would be out of the stack's reach.
const MAX_CLASSES: usize = 6;
/// Most inputs whose products are added without a loop.
const MAX_STRAIGHT: usize = 24;
/// Inputs that one round of a loop takes.
const ROUND: usize = 8;

/// Gas of a product, of reading its input in a loop, of its shift, of its mask; of a round, of a result, of a group besides.
const PRODUCT_GAS: usize = 26;
const INPUT_GAS: usize = 6;
const SHIFT_GAS: usize = 6;
const MASK_GAS: usize = 6;
const ROUND_GAS: usize = 50;
const RESULT_GAS: usize = 68;
const GROUP_GAS: usize = 100;
/// Bytes of data that are copied for a unit of gas.
const BYTES_A_GAS: usize = 5;

/// Code of a layer, of a product besides its mask, and of a result.
const LAYER_CODE_BYTES: usize = 400;
const PRODUCT_CODE_BYTES: usize = 20;
const RESULT_CODE_BYTES: usize = 70;

/// What a byte of data may cost at most, in gas, where data are scarce; the first is for where they are not.
const RATES: [usize; 9] = [0, 1, 2, 4, 8, 16, 32, 64, 1024];

/// The layout of a layer's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub inputs: usize,
    pub units: usize,
    /// Whether records are words that need no unpacking.
    pub is_wide: bool,
    /// Sums in a word.
    pub lanes: usize,
    /// Words that a record is read as.
    pub classes: usize,
    /// Bits from a lane to the next: what the layer's largest sum needs.
    pub spacing: u32,
    /// Bits of a weight in a packed record.
    pub bits: u32,
    /// What has been taken from each weight: the smallest, or zero.
    pub least: i128,
    /// Bound of the magnitude of all sums.
    pub largest: u128,
}

/// The cheapest plans of a network's layers that fit into what can be created besides so much code; the smallest, if none
/// fits.
pub fn cheapest(layers: &[DenseLayer], code_bytes: usize) -> Vec<Plan> {
    let candidates: Vec<Vec<Plan>> = layers.iter().map(Plan::all).collect();
    let mut best: Option<(usize, Vec<Plan>)> = None;
    let mut smallest = Vec::new();
    for rate in RATES {
        let cost = |plan: &Plan| plan.gas() + rate * plan.bytes();
        let chosen: Vec<Plan> = candidates.iter().filter_map(|plans| plans.iter().copied().min_by_key(cost)).collect();
        let total = |part: fn(&Plan) -> usize| chosen.iter().map(part).sum::<usize>();
        if let Ok(place) = Place::of(total(Plan::bytes), code_bytes + total(Plan::code_bytes)) {
            let gas = total(Plan::gas) + place.gas();
            if best.as_ref().is_none_or(|(least, _)| gas < *least) {
                best = Some((gas, chosen.clone()));
            }
        }
        smallest = chosen;
    }
    best.map_or(smallest, |(_, plans)| plans)
}

impl Plan {
    /// Every possible layout of a layer.
    fn all(layer: &DenseLayer) -> Vec<Self> {
        let weights = || layer.units.iter().flat_map(|unit| unit.weights.iter().copied());
        let least = weights().min().unwrap_or(0).min(0);
        let width = bits((weights().max().unwrap_or(0) - least).unsigned_abs()).max(1);
        let largest = layer.units.iter().map(|unit| unit.largest).max().unwrap_or(0);
        let spacing = bits(largest * 2).max(width);
        let (inputs, units) = (layer.units[0].weights.len(), layer.units.len());
        let most = (WORD_BITS / spacing) as usize;
        let packed = |lanes, classes| Self {
            inputs,
            units,
            is_wide: false,
            lanes,
            classes,
            spacing,
            bits: width,
            least,
            largest,
        };
        let wide = Self { is_wide: true, least: 0, ..packed(most.min(units), 1) };
        let pairs = (1..=most).flat_map(|lanes| (1..=MAX_CLASSES).map(move |classes| packed(lanes, classes)));
        pairs.filter(Self::is_possible).chain([wide]).collect()
    }

    /// Whether no weight of a packed record reaches another, and no lane leaves the word.
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

    /// Results of the layer, with those of units that it does not have.
    pub fn results(&self) -> usize {
        self.groups() * self.group()
    }

    /// Rounds of the loop over inputs, of how many inputs each, and inputs that are left.
    pub fn rounds(&self) -> (usize, usize, usize) {
        if self.inputs <= MAX_STRAIGHT {
            return (0, ROUND, self.inputs);
        }
        (self.inputs / ROUND, ROUND, self.inputs % ROUND)
    }

    /// Bytes of a record.
    pub fn record_bytes(&self) -> usize {
        if self.is_wide {
            return WORD_BYTES;
        }
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

    /// Whether a record has more weights than a word of sums takes.
    pub fn is_masked(&self) -> bool {
        self.classes > 1
    }

    /// Bytes of data.
    pub fn bytes(&self) -> usize {
        self.groups() * (WORD_BYTES * self.classes + self.inputs * self.record_bytes())
    }

    /// Bytes of code, estimated from above.
    pub fn code_bytes(&self) -> usize {
        let (rounds, round, rest) = self.rounds();
        let products = self.classes * (rest + if rounds > 0 { round } else { 0 });
        let mask = if self.is_masked() { WORD_BYTES } else { 0 };
        LAYER_CODE_BYTES + products * (PRODUCT_CODE_BYTES + mask) + RESULT_CODE_BYTES * self.group()
    }

    /// About the gas of the layer.
    pub fn gas(&self) -> usize {
        let (rounds, ..) = self.rounds();
        let product = PRODUCT_GAS
            + if rounds > 0 { INPUT_GAS } else { 0 }
            + if self.is_wide { 0 } else { SHIFT_GAS }
            + if self.is_masked() { MASK_GAS } else { 0 };
        let inputs = self.inputs * self.classes * product + rounds * ROUND_GAS;
        self.groups() * (inputs + self.group() * RESULT_GAS + GROUP_GAS) + self.bytes() / BYTES_A_GAS
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::MAX_CREATION_BYTES;
    use super::*;
    use crate::model::dense::{Activation, Unit};

    fn layer(units: usize, weights: &[i128], largest: u128) -> DenseLayer {
        let unit = Unit { weights: weights.to_vec(), constant: 0, largest };
        DenseLayer { units: vec![unit; units], activation: Activation::Identity }
    }

    #[test]
    fn weights_of_a_record_and_lanes_of_a_word_do_not_touch() {
        for (units, largest) in [(1, 1 << 17), (3, 1 << 104), (14, 1 << 40), (175, 1 << 33), (1000, 1 << 125)] {
            let plans = Plan::all(&layer(units, &[-(1 << 16), 3, (1 << 16) - 1], largest));
            assert!(plans.len() > 1);
            for plan in plans {
                assert!((plan.lanes as u32 - 1) * plan.spacing + bits(largest * 2) <= WORD_BITS, "{plan:?}");
                assert!(plan.results() >= units && plan.record_bytes() <= WORD_BYTES);
                if plan.is_wide {
                    continue;
                }
                assert_eq!((plan.least, plan.bits), (-(1 << 16), 17));
                let lanes = 0..plan.lanes;
                let mut places: Vec<u32> =
                    lanes.flat_map(|lane| (0..plan.classes).map(move |class| plan.place(class, lane))).collect();
                places.sort_unstable();
                assert!(places.windows(2).all(|pair| pair[0] + plan.bits <= pair[1]), "{plan:?}");
                assert!(places[places.len() - 1] + plan.bits <= 8 * plan.record_bytes() as u32, "{plan:?}");
            }
        }
    }

    #[test]
    fn weights_are_packed_where_data_are_scarce() {
        let few = cheapest(&[layer(60, &[-(1 << 16), 1 << 16].repeat(8), 1 << 34)], 1_000);
        assert!(few[0].is_wide, "{few:?}");
        let many = cheapest(&[layer(600, &[-(1 << 16), 1 << 16].repeat(8), 1 << 34)], 1_000);
        assert!(!many[0].is_wide && many[0].classes > 1, "{many:?}");
        let bytes = many[0].bytes();
        assert!(bytes > 600 * 16 * 2 && bytes < MAX_CREATION_BYTES, "{bytes}");
    }
}
