//! A contract that computes a model itself, with the integers of the circuit: an update then needs no proof.
//!
//! Several sums share a word. A sum `s` of magnitude at most `M` is kept as `s + M`, which is never negative, in a lane as
//! wide as `2 M` has bits. So `Σ (s_j + M_j) · 2^(offset_j)` is an exact sum of lanes, whatever the signs of weights and
//! inputs: arithmetic modulo `2^256` is that of the integers as soon as the total fits, and no lane ever reaches its
//! neighbour. The bounds are those that are proven when the model is loaded; features outside of theirs are refused, and what
//! has been computed of them by then counts for nothing.
//!
//! Three forms share the frame of `contract.rs`. Small networks have their weights in the instructions, each word of them
//! beside its multiplication (`lanes.rs`). Larger ones have them in data that loops read, as words or packed, whichever is
//! the cheapest of those that fit (`plan.rs`, `looped.rs`). The nodes of trees are data too, and a tree is walked (`forest.rs`).
//!
//! # Auditing a contract
//!
//! 1. Write it again from the bundle and compile it: source and code must be those that were deployed, to the last byte.
//! 2. The code hash that is pinned covers all of it. Data that did not fit into the code are the code of contracts that the
//!    constructor created; their addresses and their hashes follow from the verifier's own code and address.
//! 3. All calldata but the one encoding of `verifyProof` with an empty proof and this number of public inputs revert: see
//!    `asked`. So each public input stands where the code says. Each is refused unless it is below the field's order, and each
//!    feature unless it is within the bound: look for `lt(x, R)` and `lt(y, WIDTH)`, where `y` is the feature plus the bound.
//! 4. For each layer, the largest sum `M` in its comment is at least `Σ |weight| · |input| + |constant|` over the largest
//!    inputs: the bound for the first layer, the largest results of the layer before for the others. A lane is as wide as
//!    `2 M` has bits, and no two lanes of a word overlap.
//! 5. A word of sums begins with `constant + M` in each lane (less the bound times the weights, where features are read as
//!    `y`), gains `weight · input` in each for every input, and is read as `lane − M`. Where weights are stored less the
//!    smallest, `smallest · Σ input` is added to each lane.
//! 6. Where markets add something of their own to the outputs, `own` is what the market at hand adds more than the first, a word of
//!    data for each output of each market; `M` bounds the sum with any of them.
//! 7. An output is what is claimed: both sides of the comparison have the same number added, so that neither is negative.
//!
mod contract;
mod forest;
mod lanes;
mod looped;
mod own;
mod plan;
mod word;

use super::ModelError;
use super::dense::{Activation, DenseNetwork};
use crate::trees::grid::IntegerForest;
use contract::Contract;
pub use contract::{CONTRACT, MAX_CODE_BYTES, MAX_CREATION_BYTES};

/// Assembly that computes a model.
struct Written {
    body: word::Lines,
    data: Vec<u8>,
    /// Code that comes out of it, estimated from above.
    code_bytes: usize,
}

/// Runs that the compiler is told to expect: the code is to be cheap, not small.
pub const OPTIMIZER_RUNS: u32 = 1_000_000;

/// The source of a contract that accepts exactly the public inputs whose outputs are the network's: with the weights in
/// its code where they fit, which is cheaper, else in data.
///
/// # Errors
/// [`ModelError::ContractTooLarge`].
pub fn verifier(network: &DenseNetwork, model_id: &str) -> Result<String, ModelError> {
    match lanes::body(network) {
        Some(written) => of_layers(network, model_id, written),
        None => with_data(network, model_id),
    }
}

/// As [`verifier`], with the weights in data whatever their number.
///
/// # Errors
/// [`ModelError::ContractTooLarge`].
pub fn with_data(network: &DenseNetwork, model_id: &str) -> Result<String, ModelError> {
    of_layers(network, model_id, looped::body(network))
}

fn of_layers(network: &DenseNetwork, model_id: &str, written: Written) -> Result<String, ModelError> {
    let layout = network.layout;
    let Written { body, data, code_bytes } = written;
    let own = "Behind the last layer each market adds what is its own, a word of the data for each output.";
    let contract = Contract {
        model_id,
        what: network
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let follows = match layer.activation {
                    Activation::Identity => "",
                    Activation::Square => ", squared",
                    Activation::Relu => ", zero where they are negative",
                };
                let (sums, inputs) = (layer.units.len(), layer.units[0].weights.len());
                let largest = layer.units.iter().map(|unit| unit.largest).max().unwrap_or(0);
                format!("Layer {}: {sums} sums of {inputs} inputs, of magnitude {largest} at most{follows}.", index + 1)
            })
            .chain((!network.offsets.is_empty()).then(|| own.to_owned()))
            .collect(),
        markets: layout.markets,
        features: layout.features,
        outputs: network.outputs(),
        bound: layout.feature_bound,
        data,
        code_bytes,
        body,
    };
    contract.source()
}

/// The source of a contract that accepts exactly the public inputs whose outputs are the trees', of columns on their grid
/// within `bound`.
///
/// # Errors
/// [`ModelError::ContractTooLarge`].
pub fn trees(forest: &IntegerForest, bound: i32, model_id: &str) -> Result<String, ModelError> {
    let Written { body, data, code_bytes } = forest::body(forest)?;
    let what = forest.outputs().iter().enumerate().map(|(index, output)| {
        let nodes: usize = output.trees.iter().map(|tree| tree.nodes().len()).sum();
        format!(
            "Output {}: {} and a leaf of each of {} trees, {nodes} nodes.",
            index + 1,
            output.base,
            output.trees.len()
        )
    });
    let contract = Contract {
        model_id,
        what: what.collect(),
        markets: 1,
        features: forest.columns(),
        outputs: forest.outputs().len(),
        bound,
        data,
        code_bytes,
        body,
    };
    contract.source()
}
