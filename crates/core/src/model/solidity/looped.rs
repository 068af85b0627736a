//! Networks whose weights are data: one loop for each layer over groups of units, and within it products of all inputs.
//!
//! The data of a group are a word of constants for each class, every lane with its unit's constant and the layer's largest sum,
//! then the records of the layer's inputs (see [`super::plan`]). Where weights are stored less the smallest, that many
//! times the sum of the inputs is added to each lane.

use alloy::primitives::U256;

use super::contract::{BODY_DEPTH, DATA};
use super::lanes::activated;
use super::plan::{self, Plan};
use super::word::{Lines, WORD_BITS, WORD_BYTES, after, hex, mask, shifted, shr, word};
use super::{Written, own};
use crate::model::dense::{Activation, DenseLayer, DenseNetwork};
use crate::model::integer::SAFE_BITS;

/// Code of everything but layers.
const REST_CODE_BYTES: usize = 900;

/// Assembly that computes the network, and the data that it reads.
pub fn body(network: &DenseNetwork) -> Written {
    let plans = plan::cheapest(&network.layers, REST_CODE_BYTES);
    let mut data = own::data(network);
    let data_bytes: usize = data.len() + plans.iter().map(Plan::bytes).sum::<usize>();
    let width = plans.iter().map(Plan::results).max().unwrap_or(0).max(network.layout.features);
    // Behind the data are the inputs and the results of a layer, which change places from one to the next.
    let first = DATA + data_bytes.next_multiple_of(WORD_BYTES);
    let areas = [first, first + WORD_BYTES * width];
    let mut code = Lines::new(BODY_DEPTH + usize::from(network.layout.markets > 1));
    let is_summed = |index: usize| plans.get(index).is_some_and(|plan| plan.least != 0);
    features(&mut code, areas[0], network.layout.features, is_summed(0));
    for (index, (layer, plan)) in network.layers.iter().zip(&plans).enumerate() {
        let (from, to) = (areas[index % 2], areas[(index + 1) % 2]);
        code.open("");
        code.line("let total := 0");
        code.line(format_args!("let p := {}", DATA + data.len()));
        let (end, next) = (to + WORD_BYTES * plan.results(), WORD_BYTES * plan.group());
        code.open(format_args!("for {{ let to := {to} }} lt(to, {end}) {{ to := add(to, {next}) }} "));
        sums(&mut code, plan, from);
        results(&mut code, layer.activation, plan, is_summed(index + 1));
        code.close();
        code.line("sum := total");
        code.close();
        write(&mut data, layer, plan);
    }
    outputs(&mut code, network, areas[plans.len() % 2]);
    let code_bytes = REST_CODE_BYTES + plans.iter().map(Plan::code_bytes).sum::<usize>();
    Written { body: code, data, code_bytes }
}

/// Reads a market's features into memory, and their sum.
fn features(code: &mut Lines, to: usize, count: usize, is_summed: bool) {
    code.line("let sum := 0");
    let end = to + WORD_BYTES * count;
    code.open(format_args!("for {{ let to := {to} }} lt(to, {end}) {{ at := add(at, 32) to := add(to, 32) }} "));
    code.line("let x := calldataload(at)");
    code.line("let y := addmod(x, BOUND, R)");
    code.line("fits := and(fits, and(lt(y, WIDTH), lt(x, R)))");
    code.line("x := sub(y, BOUND)");
    code.line("mstore(to, x)");
    if is_summed {
        code.line("sum := add(sum, x)");
    }
    code.close();
}

/// The words of a group, one for each class, over all inputs, which lie at `from`.
fn sums(code: &mut Lines, plan: &Plan, from: usize) {
    let least = hex(word((0..plan.lanes).map(|lane| (plan.least, plan.offset(lane)))));
    for class in 0..plan.classes {
        let constants = format!("mload({})", after("p", WORD_BYTES * class));
        let lifted = if plan.least == 0 { constants } else { format!("add({constants}, mul(sum, {least}))") };
        code.line(format_args!("let s{class} := {lifted}"));
    }
    code.line(format_args!("p := add(p, {})", WORD_BYTES * plan.classes));
    let (rounds, round, rest) = plan.rounds();
    if rounds > 0 {
        let end = from + WORD_BYTES * round * rounds;
        let next = format!("q := add(q, {}) p := add(p, {})", WORD_BYTES * round, round * plan.record_bytes());
        code.open(format_args!("for {{ let q := {from} }} lt(q, {end}) {{ {next} }} "));
        products(code, plan, round, &|input| format!("mload({})", after("q", WORD_BYTES * input)));
        code.close();
    }
    let left = from + WORD_BYTES * round * rounds;
    products(code, plan, rest, &|input| format!("mload({})", left + WORD_BYTES * input));
    if rest > 0 {
        code.line(format_args!("p := add(p, {})", rest * plan.record_bytes()));
    }
}

/// Adds the products of so many inputs, whose records begin at `p`, to the words of a group.
fn products(code: &mut Lines, plan: &Plan, inputs: usize, input: &dyn Fn(usize) -> String) {
    let empty = WORD_BITS - 8 * plan.record_bytes() as u32;
    let weights = (0..plan.lanes).fold(U256::ZERO, |all, lane| all | mask(plan.bits) << plan.offset(lane) as usize);
    for class in 0..plan.classes {
        // One expression: the sum stays on the stack between two products.
        let mut sum = format!("s{class}");
        for index in 0..inputs {
            let record = format!("mload({})", after("p", index * plan.record_bytes()));
            let moved = shr(empty + plan.place(class, 0), &record);
            let own = if plan.is_masked() { format!("and({moved}, {})", hex(weights)) } else { moved };
            sum = format!("add(mul({}, {own}), {sum})", input(index));
        }
        if inputs > 0 {
            code.line(format_args!("s{class} := {sum}"));
        }
    }
}

/// Takes the sums of a group out of their lanes and puts what the activation makes of them into memory.
fn results(code: &mut Lines, activation: Activation, plan: &Plan, is_summed: bool) {
    for lane in 0..plan.lanes {
        for class in 0..plan.classes {
            let moved = shr(plan.offset(lane), &format!("s{class}"));
            // Above the top lane there is nothing.
            let is_top = lane + 1 == plan.lanes;
            let moved = if is_top { moved } else { format!("and({moved}, {})", hex(mask(plan.spacing))) };
            code.open("");
            code.line(format_args!("let x := sub({moved}, {})", plan.largest));
            if let Some(value) = activated(activation, "x") {
                code.line(format_args!("x := {value}"));
            }
            code.line(format_args!("mstore({}, x)", after("to", WORD_BYTES * plan.unit(class, lane))));
            if is_summed {
                code.line("total := add(total, x)");
            }
            code.close();
        }
    }
}

/// Compares the results of the last layer, which lie at `from`, with the public inputs that claim them.
fn outputs(code: &mut Lines, network: &DenseNetwork, from: usize) {
    let (end, shift, most) = (WORD_BYTES * network.outputs(), network.output_shift, hex(shifted(1, SAFE_BITS)));
    code.open(format_args!("for {{ let i := 0 }} lt(i, {end}) {{ i := add(i, 32) }} "));
    code.line("let x := calldataload(add(outputs, i))");
    code.line(format_args!("let y := mload(add({from}, i))"));
    if !network.offsets.is_empty() {
        code.line(format_args!("y := add(y, {})", own::word_of(network, "add(outputs, i)", 0)));
    }
    let found = if shift == 0 { "y".to_owned() } else { format!("shl({shift}, y)") };
    code.line(format_args!("fits := and(fits, and(lt(x, R), eq(add({found}, {most}), addmod(x, {most}, R))))"));
    code.close();
}

/// Appends the data of a layer.
fn write(data: &mut Vec<u8>, layer: &DenseLayer, plan: &Plan) {
    for group in 0..plan.groups() {
        let unit = |class, lane| layer.units.get(group * plan.group() + plan.unit(class, lane));
        for class in 0..plan.classes {
            let constants = word((0..plan.lanes).flat_map(|lane| {
                let constant = unit(class, lane).map_or(0, |unit| unit.constant);
                [(constant, plan.offset(lane)), (plan.largest as i128, plan.offset(lane))]
            }));
            data.extend(constants.to_be_bytes::<WORD_BYTES>());
        }
        for input in 0..plan.inputs {
            let places = (0..plan.lanes).flat_map(|lane| (0..plan.classes).map(move |class| (class, lane)));
            let record = word(places.map(|(class, lane)| {
                let weight = unit(class, lane).map_or(0, |unit| unit.weights[input]);
                (weight - plan.least, plan.place(class, lane))
            }));
            data.extend(&record.to_be_bytes::<WORD_BYTES>()[WORD_BYTES - plan.record_bytes()..]);
        }
    }
}
