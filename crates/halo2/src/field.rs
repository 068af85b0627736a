//! Integers, words of the chain and elements of BN254's scalar field.

use alloy::primitives::U256;
use halo2_axiom::halo2curves::bn256::Fr;
use halo2_axiom::halo2curves::ff::PrimeField;

/// The element that an integer stands for.
pub fn from_integer(integer: i128) -> Fr {
    let magnitude = Fr::from_u128(integer.unsigned_abs());
    if integer < 0 { -magnitude } else { magnitude }
}

/// The element as the word that a contract takes.
pub fn to_word(element: &Fr) -> U256 {
    U256::from_le_bytes(element.to_repr())
}

/// The element that a word is, if it is below the modulus.
pub fn from_word(word: &U256) -> Option<Fr> {
    Option::from(Fr::from_repr(word.to_le_bytes()))
}
