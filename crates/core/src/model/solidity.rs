//! A contract that computes the network itself, with the integers of the circuit: an update then needs no proof.
//!
//! Several sums share a word. With a feature moved by its bound, `y = x + B`, no factor from outside is negative, and a sum
//! `s` of magnitude at most `M` is kept as `s + M`, which is never negative either. So `Σ (s_j + M_j) · 2^(offset_j)` is an
//! exact sum of lanes as wide as `2 M_j` has bits, whatever the signs of the weights: the arithmetic modulo `2^256` is
//! that of the integers as soon as the total fits, and no lane ever reaches its neighbour. The bounds are those that are
//! proven when the model is loaded; features outside of their bound are refused before anything of them counts.

use std::fmt::Write as _;

use super::ModelError;
use super::dense::{Activation, DenseLayer, DenseNetwork, Unit};

/// Name of the generated contract.
pub const CONTRACT: &str = "DirectVerifier";
/// Words of weights that the code of one contract (24,576 bytes) holds, each with its multiplication.
const MAX_WORDS: usize = 560;
/// Features that are on the stack together: more would be out of its reach in a layer of several words.
const FEATURES_AT_ONCE: usize = 2;
/// Bits of a word.
const WORD_BITS: u32 = 256;

/// One sum's place in a word.
#[derive(Debug, Clone, Copy)]
struct Lane {
    unit: usize,
    offset: u32,
    bits: u32,
}

/// Sums that share a word, the lowest lane first.
type Word = Vec<Lane>;

/// A signed number of up to 256 bits as two's complement words of 64 bits, the lowest first.
#[derive(Clone, Copy, Default)]
struct Wide([u64; 4]);

impl Wide {
    /// Adds `value · 2^shift` modulo `2^256`.
    fn add_shifted(&mut self, value: i128, shift: u32) {
        let mut extended = [value as u64, (value >> 64) as u64, 0, 0];
        let sign = if value < 0 { u64::MAX } else { 0 };
        (extended[2], extended[3]) = (sign, sign);
        let (limbs, bits) = ((shift / 64) as usize, shift % 64);
        let mut carry = false;
        for index in limbs..4 {
            let low = extended[index - limbs] << bits;
            let high = match (index > limbs, bits) {
                (true, 1..) => extended[index - limbs - 1] >> (64 - bits),
                _ => 0,
            };
            let (sum, first) = self.0[index].overflowing_add(low | high);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            self.0[index] = sum;
        }
    }

    fn hex(self) -> String {
        let [a, b, c, d] = self.0;
        let digits = format!("{d:016x}{c:016x}{b:016x}{a:016x}");
        let short = digits.trim_start_matches('0');
        format!("0x{}", if short.is_empty() { "0" } else { short })
    }
}

/// Puts the sums of a layer into words, in order, as many as fit.
fn words(units: &[Unit]) -> Vec<Word> {
    let mut words: Vec<Word> = vec![];
    let mut offset = WORD_BITS;
    for (unit, sum) in units.iter().enumerate() {
        let bits = 128 - (sum.largest * 2).leading_zeros();
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

/// The source of a contract that accepts exactly the public inputs whose outputs are the network's.
///
/// # Errors
/// [`ModelError::ContractTooLarge`].
pub fn verifier(network: &DenseNetwork, model_id: &str) -> Result<String, ModelError> {
    let layout = network.layout;
    let layers: Vec<(&DenseLayer, Vec<Word>)> =
        network.layers.iter().map(|layer| (layer, words(&layer.units))).collect();
    let count: usize = layers.iter().map(|(layer, words)| layer.units[0].weights.len() * words.len()).sum();
    if count > MAX_WORDS {
        return Err(ModelError::ContractTooLarge { words: count, limit: MAX_WORDS });
    }
    let mut body = String::new();
    accumulators(&mut body, 0, &layers[0], i128::from(layout.feature_bound));
    let features: Vec<usize> = (0..layout.features).collect();
    for chunk in features.chunks(FEATURES_AT_ONCE) {
        let mut checks = String::from("fits");
        body.push_str("                {\n");
        for feature in chunk {
            let _ = writeln!(body, "                    let x{feature} := calldataload(add(at, {}))", 32 * feature);
            let _ = writeln!(body, "                    let y{feature} := addmod(x{feature}, BOUND, R)");
            checks = format!("and(lt(y{feature}, WIDTH), and(lt(x{feature}, R), {checks}))");
        }
        let _ = writeln!(body, "                    fits := {checks}");
        let inputs: Vec<_> = chunk.iter().map(|feature| (*feature, format!("y{feature}"))).collect();
        products(&mut body, 0, &layers[0], &inputs);
        body.push_str("                }\n");
    }
    for (index, (layer, own)) in layers.iter().enumerate() {
        let next = layers.get(index + 1);
        if let Some(next) = next {
            accumulators(&mut body, index + 1, next, 0);
        }
        for (word, lanes) in own.iter().enumerate() {
            for (place, lane) in lanes.iter().enumerate() {
                let sum = lane_of(index, word, *lane, place + 1 == lanes.len());
                match next {
                    Some(next) => {
                        activated(&mut body, layer, *lane, &sum);
                        products(&mut body, index + 1, next, &[(lane.unit, "x".to_owned())]);
                    }
                    None => output(&mut body, network, layer, *lane, &sum),
                }
            }
        }
    }
    Ok(contract(network, model_id, &body))
}

/// Declares the words of a layer, each holding the constants of its sums. The inputs are moved by `moved`.
fn accumulators(body: &mut String, index: usize, (layer, words): &(&DenseLayer, Vec<Word>), moved: i128) {
    for (word, lanes) in words.iter().enumerate() {
        let mut start = Wide::default();
        for lane in lanes {
            let unit = &layer.units[lane.unit];
            let weights: i128 = unit.weights.iter().sum();
            start.add_shifted(unit.constant - moved * weights, lane.offset);
            start.add_shifted(unit.largest as i128, lane.offset);
        }
        let _ = writeln!(body, "                let s{index}_{word} := {}", start.hex());
    }
}

/// Adds the products of inputs, each in its variable, to the words of a layer.
fn products(body: &mut String, index: usize, (layer, words): &(&DenseLayer, Vec<Word>), inputs: &[(usize, String)]) {
    for (word, lanes) in words.iter().enumerate() {
        let name = format!("s{index}_{word}");
        let mut sum = name.clone();
        for (input, variable) in inputs {
            let mut weights = Wide::default();
            for lane in lanes {
                weights.add_shifted(layer.units[lane.unit].weights[*input], lane.offset);
            }
            if weights.0 != [0; 4] {
                sum = format!("add(mul({variable}, {}), {sum})", weights.hex());
            }
        }
        if sum != name {
            let _ = writeln!(body, "                    {name} := {sum}");
        }
    }
}

/// A sum with its bound added, taken out of its word; above the top lane there is nothing.
fn lane_of(index: usize, word: usize, lane: Lane, is_top: bool) -> String {
    let whole = format!("s{index}_{word}");
    let shifted = if lane.offset == 0 { whole } else { format!("shr({}, {whole})", lane.offset) };
    if is_top { shifted } else { format!("and({shifted}, {})", mask(lane.bits)) }
}

fn mask(bits: u32) -> String {
    let mut mask = Wide::default();
    mask.add_shifted(1, bits);
    mask.add_shifted(-1, 0);
    mask.hex()
}

/// Puts the next layer's input into `x`.
fn activated(body: &mut String, layer: &DenseLayer, lane: Lane, sum: &str) {
    let _ = writeln!(body, "                x := sub({sum}, {})", layer.units[lane.unit].largest);
    match layer.activation {
        Activation::Identity => {}
        Activation::Square => body.push_str("                x := mul(x, x)\n"),
        Activation::Relu => body.push_str("                x := mul(x, sgt(x, 0))\n"),
    }
}

/// Compares an output with the public input that claims it.
fn output(body: &mut String, network: &DenseNetwork, layer: &DenseLayer, lane: Lane, sum: &str) {
    let largest = layer.units[lane.unit].largest;
    let shift = network.output_shift;
    let _ = writeln!(body, "                x := calldataload(add(outputs, {}))", 32 * lane.unit);
    let claimed =
        |moved: &str| format!("fits := and(fits, and(lt(x, R), eq({moved}, addmod(x, {}, R))))", largest << shift);
    match layer.activation {
        Activation::Identity => {
            let moved = if shift == 0 { sum.to_owned() } else { format!("shl({shift}, {sum})") };
            let _ = writeln!(body, "                {}", claimed(&moved));
        }
        Activation::Square | Activation::Relu => {
            let _ = writeln!(body, "                {{ let y := sub({sum}, {largest})");
            let value = if layer.activation == Activation::Square { "mul(y, y)" } else { "mul(y, sgt(y, 0))" };
            let _ = writeln!(body, "                fits := and(fits, eq(shl({shift}, {value}), x)) }}");
        }
    }
}

fn contract(network: &DenseNetwork, model_id: &str, body: &str) -> String {
    let layout = network.layout;
    let bound = layout.feature_bound;
    let (markets, features, outputs) = (layout.markets, layout.features, network.outputs());
    let instances = markets * (features + outputs);
    let layers = network.layers.len();
    let (opening, closing) = if markets == 1 {
        (String::new(), "")
    } else {
        let (features_bytes, outputs_bytes) = (32 * features, 32 * outputs);
        let next = format!("at := add(at, {features_bytes}) outputs := add(outputs, {outputs_bytes})");
        (format!("            for {{ let end := outputs }} lt(at, end) {{ {next} }} {{\n"), "            }\n")
    };
    format!(
        "// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title {CONTRACT}
/// @notice Computes the network of the model {model_id} ({features} features, {layers} layers, {outputs} outputs a market, {markets} market(s)) and
/// compares what it claims. There is no proof: the chain itself runs the model.
/// @dev Generated. Several sums share a word; each lane is as wide as its sum can become within the features' bound.
contract {CONTRACT} {{
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// Largest magnitude of a feature.
    uint256 private constant BOUND = {bound};
    uint256 private constant WIDTH = {width};

    /// @param proof Empty.
    /// @param instances All markets' features, then all markets' outputs; canonical elements of the BN254 scalar field.
    /// @return accepted Whether each output is what the network gives for its features.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external pure returns (bool accepted) {{
        if (proof.length != 0 || instances.length != {instances}) return false;
        assembly (\"memory-safe\") {{
            let fits := 1
            let x
            let at := instances.offset
            let outputs := add(at, {outputs_at})
{opening}{body}{closing}            accepted := fits
        }}
    }}
}}
",
        width = 2 * bound + 1,
        outputs_at = 32 * markets * features,
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signed(wide: Wide) -> i128 {
        let [low, high, ..] = wide.0;
        (u128::from(high) << 64 | u128::from(low)) as i128
    }

    proptest! {
        #[test]
        fn sums_of_shifted_numbers_are_those_of_integers(
            terms in prop::collection::vec((-(1_i128 << 60)..1 << 60, 0_u32..60), 0..20),
        ) {
            let mut wide = Wide::default();
            for (value, shift) in &terms {
                wide.add_shifted(*value, *shift);
            }
            let exact: i128 = terms.iter().map(|(value, shift)| value << shift).sum();
            prop_assert_eq!(signed(wide), exact);
            let extension = if exact < 0 { u64::MAX } else { 0 };
            prop_assert_eq!([wide.0[2], wide.0[3]], [extension; 2]);
        }

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
            for word in words(&units) {
                let mut wide = Wide::default();
                for lane in &word {
                    let (sum, largest) = sums[lane.unit];
                    wide.add_shifted(sum, lane.offset);
                    wide.add_shifted(largest, lane.offset);
                }
                for lane in &word {
                    let bit = |at: u32| u128::from(wide.0[(at / 64) as usize] >> (at % 64) & 1);
                    let value: u128 = (0..lane.bits).map(|index| bit(lane.offset + index) << index).sum();
                    let (sum, largest) = sums[lane.unit];
                    prop_assert_eq!(value as i128 - largest, sum);
                }
                prop_assert!(word.iter().map(|lane| lane.bits).sum::<u32>() <= WORD_BITS);
            }
        }
    }

    #[test]
    fn a_network_beyond_the_code_s_limit_is_refused() {
        let unit = Unit { weights: vec![1; 700], constant: 0, largest: 1 << 40 };
        let layer = DenseLayer { units: vec![unit], activation: Activation::Identity };
        let layout = super::super::Layout {
            markets: 1,
            features: 700,
            outputs: 1,
            feature_bound: 1 << 15,
            input_scale: 13,
            param_scale: 16,
            output_scale: 29,
        };
        let error = verifier(&DenseNetwork { layers: vec![layer], output_shift: 0, layout }, "wide").unwrap_err();
        assert_eq!(error, ModelError::ContractTooLarge { words: 700, limit: MAX_WORDS });
    }
}
