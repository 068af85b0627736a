//! Contracts that compute a model: the same integers as in Rust, on a chain, and nothing else is accepted.

pub mod asking;
mod forests;
mod networks;

use alloy::primitives::U256;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use veriregime_core::types::field::{FIELD_ORDER, encode};
use veriregime_core::types::public_inputs::instances;

use asking::{Asking, call};

/// Rows of each shipped or published model.
pub const ROWS: usize = 10_000;

/// Integers of a row in whose columns edges, zeros and small numbers are as common as all others.
pub fn row(random: &mut ChaCha8Rng, columns: usize, bound: i32) -> Vec<i32> {
    let any = |random: &mut ChaCha8Rng| match random.random_range(0..8) {
        0 => bound,
        1 => -bound,
        2 => 0,
        3 => random.random_range(-2..=2),
        _ => random.random_range(-bound..=bound),
    };
    match random.random_range(0..20) {
        0 => vec![bound; columns],
        1 => vec![-bound; columns],
        2 => vec![0; columns],
        _ => (0..columns).map(|_| any(random)).collect(),
    }
}

/// A model's integers for a row.
type Evaluate<'a> = &'a dyn Fn(&[i32]) -> Vec<i128>;

/// Asks about so many rows, each as it is and with one public input altered.
async fn agrees(
    chain: &Asking,
    contract: alloy::primitives::Address,
    rows: &[Vec<i32>],
    evaluate: Evaluate<'_>,
    random: &mut ChaCha8Rng,
) -> u64 {
    let honest: Vec<Vec<U256>> = rows.iter().map(|row| instances(row, &evaluate(row))).collect();
    let answers = chain.ask(contract, &honest).await;
    let refused = answers.iter().position(|answer| !answer.is_accepted);
    assert!(refused.is_none(), "row {refused:?} is refused: {:?}", refused.map(|row| &rows[row]));
    let altered: Vec<Vec<U256>> = rows
        .iter()
        .zip(&honest)
        .map(|(row, honest)| {
            let mut altered = honest.clone();
            let output = random.random_range(row.len()..honest.len());
            let by = [U256::ONE, FIELD_ORDER - U256::ONE, U256::ONE << 64][random.random_range(0..3)];
            altered[output] = honest[output].add_mod(by, FIELD_ORDER);
            altered
        })
        .collect();
    let answers_to_altered = chain.ask(contract, &altered).await;
    assert_eq!(answers_to_altered.iter().position(|answer| answer.is_accepted), None);
    answers.iter().map(|answer| answer.gas).max().unwrap_or(0)
}

/// Asks about everything that must be refused, given one row.
async fn refuses(
    chain: &Asking,
    contract: alloy::primitives::Address,
    row: &[i32],
    bound: i32,
    evaluate: Evaluate<'_>,
) {
    let outputs = evaluate(row);
    let honest = instances(row, &outputs);
    assert!(chain.ask(contract, std::slice::from_ref(&honest)).await[0].is_accepted);
    let mut wrong: Vec<Vec<U256>> = Vec::new();
    for index in 0..honest.len() {
        let mut with = |value: U256| {
            let mut altered = honest.clone();
            altered[index] = value;
            wrong.push(altered);
        };
        // The same residue by another name, and what is no residue at all.
        with(honest[index] + FIELD_ORDER);
        with(U256::MAX);
        with(U256::MAX - U256::from(bound) + U256::ONE);
        if index < row.len() {
            for outside in [i128::from(bound) + 1, -i128::from(bound) - 1, i128::MAX, i128::MIN] {
                with(encode(outside));
            }
        } else {
            let value = outputs[index - row.len()];
            for other in [value + 1, value - 1, -value - 1, i128::MAX] {
                with(encode(other));
            }
        }
    }
    // Another feature, unless the model does not care about it.
    for column in 0..row.len() {
        for by in [-1, 1] {
            let mut other = row.to_vec();
            other[column] = (other[column] + by).clamp(-bound, bound);
            if evaluate(&other) != outputs {
                wrong.push(instances(&other, &outputs));
            }
        }
    }
    wrong.push(honest[..honest.len() - 1].to_vec());
    wrong.push([&honest[..], &[U256::ZERO]].concat());
    wrong.push(vec![]);
    let mut calls: Vec<_> = wrong.iter().map(|wrong| call(&[], wrong)).collect();
    calls.push(call(&[0], &honest));
    calls.push(call(&[0; 32], &honest));
    let whole = call(&[], &honest);
    calls.push(whole[..whole.len() - 1].to_vec().into());
    calls.push(whole[..4].to_vec().into());
    let answers = chain.ask_calls(contract, &calls).await;
    let accepted: Vec<_> = answers.iter().enumerate().filter(|(_, answer)| answer.is_accepted).collect();
    assert!(accepted.is_empty(), "{accepted:?} of {}", calls.len());
}
