//! Proofs of the agent's integer networks with halo2 over BN254, and the Solidity contract that verifies them.
//!
//! From an [`IntegerModel`](veriregime_core::model::integer::IntegerModel) follow, each from the one before:
//!
//! 1. [`program`]: the network as squares of weighted sums and sums of squares, over the scalar field;
//! 2. [`table`]: the program as columns of constants, once for each market, and the witness for given public inputs;
//! 3. [`circuit`]: four gates over these columns; why nothing but the network's outputs satisfies them is said there;
//! 4. [`prover`]: keys from the ceremony's reference string, proofs, and their local check;
//! 5. [`solidity`]: a contract with `verifyProof(bytes,uint256[])` for the keys.
//!
//! Public inputs are the feature integers of all markets, then the outputs of all markets; a negative integer stands as
//! the field's modulus minus its magnitude. A proof shows that the outputs are the network's *as field elements*. Nothing
//! is said about the size of a feature: whoever takes a proof compares the features with the model's bound, as the oracle
//! contract does. Within the bound the outputs are far below half the modulus, so that field and integers agree.

pub mod circuit;
pub mod error;
pub mod field;
mod processor;
pub mod program;
pub mod prover;
pub mod solidity;
pub mod srs;
pub mod table;
mod transcript;

pub use error::Halo2Error;
pub use prover::{Keys, Proof};
