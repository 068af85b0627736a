//! A proof as it travels from the prover to the chain.

use alloy::primitives::{Bytes, U256};
use serde::{Deserialize, Serialize};

/// A proof with the public inputs that it was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The proof as the Solidity verifier takes it.
    pub bytes: Bytes,
    /// Features of all markets, then outputs of all markets, as field elements.
    pub instances: Vec<U256>,
}
