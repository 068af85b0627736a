//! Networks whose weights stand in the code, each word of them beside its multiplication.

use alloy::primitives::U256;

use super::contract::{BODY_DEPTH, MAX_CODE_BYTES};
use super::word::{Lines, WORD_BITS, after, bits, hex, mask, shr, word};
use super::{Written, own};
use crate::model::dense::{Activation, DenseLayer, DenseNetwork, Unit};

/// Words of sums that are on the stack together: those of a block of the first layer with those of the second, and those of
/// all layers but the first. A further one would be out of its reach.
const MAX_WORDS_AT_ONCE: usize = 6;
const MAX_LATER_WORDS: usize = 8;
/// Words of the first layer that are summed up together at most: a block.
const MAX_BLOCK_WORDS: usize = 4;
/// Features that are on the stack together, for the same reason.
const FEATURES_AT_ONCE: usize = 2;
/// Code of a product besides its weights, of a feature in each block, of a result, and of all the rest.
const PRODUCT_CODE_BYTES: usize = 7;
const FEATURE_CODE_BYTES: usize = 85;
const RESULT_CODE_BYTES: usize = 50;
const REST_CODE_BYTES: usize = 600;

/// One sum's place in a word.
#[derive(Debug, Clone, Copy)]
struct Lane {
    unit: usize,
    offset: u32,
    bits: u32,
}

/// Sums that share a word, the lowest lane first.
type Word = Vec<Lane>;

/// Puts the sums of a layer into words, in order, as many as fit.
fn words(units: &[Unit]) -> Vec<Word> {
    let mut words: Vec<Word> = vec![];
    let mut offset = WORD_BITS;
    for (unit, sum) in units.iter().enumerate() {
        let bits = bits(sum.largest * 2);
        if offset + bits > WORD_BITS {
            words.push(vec![]);
            offset = 0;
        }
        if let Some(word) = words.last_mut() {
            word.push(Lane { unit, offset, bits });
        }
        offset += bits;
    }
    words
}

/// Assembly that computes the network; nothing where it would not fit, be it into a contract, be it onto the stack.
pub fn body(network: &DenseNetwork) -> Option<Written> {
    let layers: Vec<Layer<'_>> = network.layers.iter().enumerate().map(Layer::new).collect();
    let (first, later) = layers.split_first()?;
    let room = MAX_WORDS_AT_ONCE.checked_sub(later.first().map_or(0, |next| next.words.len()))?;
    if room == 0 || later.iter().map(|layer| layer.words.len()).sum::<usize>() > MAX_LATER_WORDS {
        return None;
    }
    let blocks: Vec<Layer<'_>> = first.blocks(room.min(MAX_BLOCK_WORDS)).collect();
    let features = network.layout.features;
    let results: usize = network.layers.iter().map(|layer| layer.units.len()).sum();
    let code_bytes = REST_CODE_BYTES
        + layers.iter().map(Layer::product_code_bytes).sum::<usize>()
        + FEATURE_CODE_BYTES * features * blocks.len()
        + RESULT_CODE_BYTES * results;
    if code_bytes > MAX_CODE_BYTES {
        return None;
    }
    let mut code = Lines::new(BODY_DEPTH + usize::from(network.layout.markets > 1));
    code.line("let x");
    if let Some(next) = later.first() {
        next.declare(&mut code, 0);
    }
    for block in &blocks {
        code.open("");
        block.declare(&mut code, i128::from(network.layout.feature_bound));
        let features: Vec<usize> = (0..features).collect();
        for chunk in features.chunks(FEATURES_AT_ONCE) {
            features_of(&mut code, block, chunk);
        }
        block.results(&mut code, network, later.first());
        code.close();
    }
    if network.layout.markets > 1 {
        code.line(format_args!("at := add(at, {})", 32 * features));
    }
    for (index, layer) in later.iter().enumerate() {
        let next = later.get(index + 1);
        if let Some(next) = next {
            next.declare(&mut code, 0);
        }
        layer.results(&mut code, network, next);
    }
    Some(Written { body: code, data: own::data(network), code_bytes })
}

/// Reads features, each moved by its bound, and adds what they give to a block's words.
fn features_of(code: &mut Lines, block: &Layer<'_>, features: &[usize]) {
    code.open("");
    let mut checks = String::from("fits");
    for feature in features {
        code.line(format_args!("let x{feature} := calldataload({})", after("at", 32 * feature)));
        code.line(format_args!("let y{feature} := addmod(x{feature}, BOUND, R)"));
        checks = format!("and(lt(y{feature}, WIDTH), and(lt(x{feature}, R), {checks}))");
    }
    code.line(format_args!("fits := {checks}"));
    let inputs: Vec<_> = features.iter().map(|feature| (*feature, format!("y{feature}"))).collect();
    block.add_products(code, &inputs);
    code.close();
}

/// Words of a layer, each with its number.
struct Layer<'a> {
    index: usize,
    dense: &'a DenseLayer,
    words: Vec<(usize, Word)>,
}

impl<'a> Layer<'a> {
    fn new((index, dense): (usize, &'a DenseLayer)) -> Self {
        Self { index, dense, words: words(&dense.units).into_iter().enumerate().collect() }
    }

    /// The same layer, so many words at a time.
    fn blocks(&self, size: usize) -> impl Iterator<Item = Layer<'a>> {
        let (index, dense) = (self.index, self.dense);
        self.words.chunks(size).map(move |words| Layer { index, dense, words: words.to_vec() })
    }

    /// Declares the words, each holding the constants of its sums. The inputs are moved by `moved`.
    fn declare(&self, code: &mut Lines, moved: i128) {
        for (number, lanes) in &self.words {
            let start = word(lanes.iter().flat_map(|lane| {
                let unit = &self.dense.units[lane.unit];
                let weights: i128 = unit.weights.iter().sum();
                [(unit.constant - moved * weights, lane.offset), (unit.largest as i128, lane.offset)]
            }));
            code.line(format_args!("let s{}_{number} := {}", self.index, hex(start)));
        }
    }

    /// The weights of an input in a word of sums.
    fn weights(&self, lanes: &[Lane], input: usize) -> U256 {
        word(lanes.iter().map(|lane| (self.dense.units[lane.unit].weights[input], lane.offset)))
    }

    /// Code of all products, of which those with zero are left out.
    fn product_code_bytes(&self) -> usize {
        let inputs = 0..self.dense.units[0].weights.len();
        let weights = inputs.flat_map(|input| self.words.iter().map(move |(_, lanes)| self.weights(lanes, input)));
        weights.filter(|weights| !weights.is_zero()).map(|weights| weights.byte_len() + PRODUCT_CODE_BYTES).sum()
    }

    /// Adds the products of inputs, each in its variable.
    fn add_products(&self, code: &mut Lines, inputs: &[(usize, String)]) {
        for (number, lanes) in &self.words {
            let name = format!("s{}_{number}", self.index);
            let mut sum = name.clone();
            for (input, variable) in inputs {
                let weights = self.weights(lanes, *input);
                if !weights.is_zero() {
                    sum = format!("add(mul({variable}, {}), {sum})", hex(weights));
                }
            }
            if sum != name {
                code.line(format_args!("{name} := {sum}"));
            }
        }
    }

    /// Takes each sum out of its lane, and hands it to the next layer or compares it with what is claimed.
    fn results(&self, code: &mut Lines, network: &DenseNetwork, next: Option<&Layer<'_>>) {
        for (number, lanes) in &self.words {
            for (place, lane) in lanes.iter().enumerate() {
                let moved = shr(lane.offset, &format!("s{}_{number}", self.index));
                // Above the top lane there is nothing.
                let is_top = place + 1 == lanes.len();
                let moved = if is_top { moved } else { format!("and({moved}, {})", hex(mask(lane.bits))) };
                let largest = self.dense.units[lane.unit].largest;
                if let Some(next) = next {
                    code.line(format_args!("x := sub({moved}, {largest})"));
                    if let Some(value) = activated(self.dense.activation, "x") {
                        code.line(format_args!("x := {value}"));
                    }
                    next.add_products(code, &[(lane.unit, "x".to_owned())]);
                } else {
                    code.line(format_args!("x := calldataload({})", after("outputs", 32 * lane.unit)));
                    let moved = if own::has(network, lane.unit) {
                        format!("add({moved}, {})", own::word_of(network, "outputs", lane.unit))
                    } else {
                        moved
                    };
                    claimed(code, self.dense.activation, network.output_shift, &moved, largest);
                }
            }
        }
    }
}

/// A sum after its activation; nothing where it stays as it is.
pub fn activated(activation: Activation, sum: &str) -> Option<String> {
    match activation {
        Activation::Identity => None,
        Activation::Square => Some(format!("mul({sum}, {sum})")),
        Activation::Relu => Some(format!("mul({sum}, sgt({sum}, 0))")),
    }
}

/// Compares the public input in `x` with a result, given as its sum moved by `largest`.
fn claimed(code: &mut Lines, activation: Activation, shift: u32, moved: &str, largest: u128) {
    let shifted = |value: &str| if shift == 0 { value.to_owned() } else { format!("shl({shift}, {value})") };
    match activated(activation, "y") {
        None => {
            let (found, largest) = (shifted(moved), largest << shift);
            code.line(format_args!("fits := and(fits, and(lt(x, R), eq({found}, addmod(x, {largest}, R))))"));
        }
        // Never negative, and far below the field's order.
        Some(value) => {
            code.open("");
            code.line(format_args!("let y := sub({moved}, {largest})"));
            code.line(format_args!("fits := and(fits, eq({}, x))", shifted(&value)));
            code.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Sums with their bounds added, put together in a word, come out of their lanes again.
        #[test]
        fn lanes_do_not_touch(sums in prop::collection::vec((0_u32..126).prop_flat_map(|bits| {
            let largest = 1_i128 << bits;
            (-largest..=largest).prop_map(move |sum| (sum, largest))
        }), 1..12)) {
            let units: Vec<_> = sums
                .iter()
                .map(|(_, largest)| Unit { weights: vec![], constant: 0, largest: largest.unsigned_abs() })
                .collect();
            for lanes in words(&units) {
                let whole = word(lanes.iter().flat_map(|lane| {
                    let (sum, largest) = sums[lane.unit];
                    [(sum, lane.offset), (largest, lane.offset)]
                }));
                for lane in &lanes {
                    let (sum, largest) = sums[lane.unit];
                    let value = (whole >> lane.offset as usize) & mask(lane.bits);
                    prop_assert_eq!(value, U256::from(sum + largest));
                }
                prop_assert!(lanes.iter().map(|lane| lane.bits).sum::<u32>() <= WORD_BITS);
            }
        }
    }
}
