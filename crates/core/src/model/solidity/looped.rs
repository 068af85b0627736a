//! Networks whose weights are data: one loop for each layer over groups of units, and within it over the layer's inputs.
//!
//! The data of a group are a word of constants for each class, every lane with its unit's constant and the layer's largest sum,
//! then the records of the layer's inputs (see [`super::plan`]). Since weights are stored less the smallest, that many
//! times the sum of the inputs is added to each lane.

use alloy::primitives::U256;

use super::Written;
use super::contract::BODY_DEPTH;
use super::lanes::activated;
use super::plan::{Plan, UNROLLED};
use super::word::{Lines, WORD_BITS, WORD_BYTES, after, hex, mask, shifted, shr, word};
use crate::model::dense::{Activation, DenseLayer, DenseNetwork};
use crate::model::integer::SAFE_BITS;

/// Code of everything but layers, of a layer, of a class' share of an input, and of a result.
const REST_CODE_BYTES: usize = 700;
const LAYER_CODE_BYTES: usize = 250;
const TERM_CODE_BYTES: usize = 60;
const RESULT_CODE_BYTES: usize = 65;

/// Assembly that computes the network, and the data that it reads.
pub fn body(network: &DenseNetwork) -> Written {
    let plans: Vec<Plan> = network.layers.iter().map(Plan::of).collect();
    let width = plans.iter().map(|plan| plan.groups() * plan.group()).max().unwrap_or(0);
    let width = 32 * width.max(network.layout.features);
    let mut code = Lines::new(BODY_DEPTH + usize::from(network.layout.markets > 1));
    // Inputs and results of a layer change places from one to the next.
    let areas = ["free".to_owned(), after("free", width)];
    features(&mut code, network.layout.features);
    let (mut data, mut code_bytes) = (Vec::new(), REST_CODE_BYTES);
    for (index, (layer, plan)) in network.layers.iter().zip(&plans).enumerate() {
        let area = |index: usize| areas[index % 2].as_str();
        code.open("");
        code.line(format_args!("let to := {}", area(index + 1)));
        code.line("let total := 0");
        code.line(format_args!("let p := {}", after("data", data.len())));
        let end = 32 * plan.groups() * plan.group();
        code.open(format_args!("for {{ let last := add(to, {end}) }} lt(to, last) {{ to := add(to, {}) }} ", 32 * plan.group()));
        sums(&mut code, plan, area(index));
        results(&mut code, layer.activation, plan);
        code.close();
        code.line("sum := total");
        code.close();
        write(&mut data, layer, plan);
        let terms = plan.classes * (UNROLLED + plan.inputs % UNROLLED).min(plan.inputs);
        code_bytes += LAYER_CODE_BYTES + TERM_CODE_BYTES * terms + RESULT_CODE_BYTES * plan.group();
    }
    outputs(&mut code, network, &areas[plans.len() % 2]);
    Written { body: code, data, code_bytes }
}

/// Reads a market's features into memory, and their sum.
fn features(code: &mut Lines, count: usize) {
    code.line("let sum := 0");
    let head = format!("let q := free let end := add(at, {})", 32 * count);
    code.open(format_args!("for {{ {head} }} lt(at, end) {{ at := add(at, 32) q := add(q, 32) }} "));
    code.line("let x := calldataload(at)");
    code.line("let y := addmod(x, BOUND, R)");
    code.line("fits := and(fits, and(lt(y, WIDTH), lt(x, R)))");
    code.line("x := sub(y, BOUND)");
    code.line("mstore(q, x)");
    code.line("sum := add(sum, x)");
    code.close();
}

/// The words of a group, one for each class, over all inputs, which lie at `from`.
fn sums(code: &mut Lines, plan: &Plan, from: &str) {
    let least = hex(word((0..plan.lanes).map(|lane| (plan.least, plan.offset(lane)))));
    for class in 0..plan.classes {
        let constants = format!("mload({})", after("p", 32 * class));
        let lifted = if plan.least == 0 { constants } else { format!("add({constants}, mul(sum, {least}))") };
        code.line(format_args!("let s{class} := {lifted}"));
    }
    code.line(format_args!("p := add(p, {})", 32 * plan.classes));
    code.open("");
    code.line(format_args!("let q := {from}"));
    let (rounds, rest) = (plan.inputs / UNROLLED, plan.inputs % UNROLLED);
    let forward = |inputs: usize| format!("p := add(p, {})", inputs * plan.record_bytes());
    if rounds > 0 {
        let next = format!("q := add(q, {}) {}", 32 * UNROLLED, forward(UNROLLED));
        code.open(format_args!("for {{ let end := add(q, {}) }} lt(q, end) {{ {next} }} ", 32 * UNROLLED * rounds));
        (0..UNROLLED).for_each(|input| term(code, plan, input));
        code.close();
    }
    (0..rest).for_each(|input| term(code, plan, input));
    if rest > 0 {
        code.line(forward(rest));
    }
    code.close();
}

/// Adds the products of the input that is so many behind `q`.
fn term(code: &mut Lines, plan: &Plan, input: usize) {
    let empty = WORD_BITS - 8 * plan.record_bytes() as u32;
    let weights = (0..plan.lanes).fold(U256::ZERO, |all, lane| all | mask(plan.bits) << plan.offset(lane) as usize);
    code.open("");
    code.line(format_args!("let record := mload({})", after("p", input * plan.record_bytes())));
    code.line(format_args!("let x := mload({})", after("q", 32 * input)));
    for class in 0..plan.classes {
        let moved = shr(empty + plan.place(class, 0), "record");
        let own = if plan.classes == 1 { moved } else { format!("and({moved}, {})", hex(weights)) };
        code.line(format_args!("s{class} := add(s{class}, mul(x, {own}))"));
    }
    code.close();
}

/// Takes the sums of a group out of their lanes and puts what the activation makes of them into memory.
fn results(code: &mut Lines, activation: Activation, plan: &Plan) {
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
            code.line(format_args!("mstore({}, x)", after("to", 32 * plan.unit(class, lane))));
            code.line("total := add(total, x)");
            code.close();
        }
    }
}

/// Compares the results of the last layer, which lie at `from`, with the public inputs that claim them.
fn outputs(code: &mut Lines, network: &DenseNetwork, from: &str) {
    let (end, shift, most) = (32 * network.outputs(), network.output_shift, hex(shifted(1, SAFE_BITS)));
    code.open(format_args!("for {{ let i := 0 }} lt(i, {end}) {{ i := add(i, 32) }} "));
    code.line("let x := calldataload(add(outputs, i))");
    let found = format!("shl({shift}, mload(add({from}, i)))");
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
