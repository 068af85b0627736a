//! A proof as it travels from the prover to the chain.

use alloy::primitives::{Bytes, U256};
use serde::{Deserialize, Serialize};

use super::field;

/// A proof with the public inputs that it was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The proof as the Solidity verifier takes it.
    pub bytes: Bytes,
    /// Features of all markets, then outputs of all markets, as field elements.
    pub instances: Vec<U256>,
}

/// Public inputs of the statement "the model maps `inputs` to `outputs`". An output without an encoding, which is
/// `i128::MIN` alone and out of reach of any circuit here, becomes the order of the field: no proof has that.
pub fn instances(inputs: &[i32], outputs: &[i128]) -> Vec<U256> {
    let inputs = inputs.iter().map(|input| i128::from(*input));
    inputs.chain(outputs.iter().copied()).map(|value| field::encode(value).unwrap_or(field::FIELD_ORDER)).collect()
}
