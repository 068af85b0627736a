//! Words of 256 bits that hold several numbers side by side.

use std::fmt::Write as _;

use alloy::primitives::{I256, U256};

/// Bits of a word.
pub const WORD_BITS: u32 = 256;
/// Bytes of a word.
pub const WORD_BYTES: usize = 32;

/// `value · 2^shift` modulo `2^256`.
pub fn shifted(value: i128, shift: u32) -> U256 {
    I256::unchecked_from(value).into_raw() << shift as usize
}

/// The sum modulo `2^256` of numbers, each at its place.
pub fn word(numbers: impl IntoIterator<Item = (i128, u32)>) -> U256 {
    numbers.into_iter().fold(U256::ZERO, |sum, (value, shift)| sum.wrapping_add(shifted(value, shift)))
}

/// So many ones, the rest zeros.
pub fn mask(bits: u32) -> U256 {
    if bits >= WORD_BITS { U256::MAX } else { (U256::ONE << bits as usize) - U256::ONE }
}

/// Bits that a number needs.
pub fn bits(number: u128) -> u32 {
    u128::BITS - number.leading_zeros()
}

/// A constant as Solidity reads it.
pub fn hex(word: U256) -> String {
    format!("{word:#x}")
}

/// A right shift of an expression, left out where it moves nothing.
pub fn shr(by: u32, of: &str) -> String {
    if by == 0 { of.to_owned() } else { format!("shr({by}, {of})") }
}

/// The place so many bytes behind another one.
pub fn after(place: &str, bytes: usize) -> String {
    if bytes == 0 { place.to_owned() } else { format!("add({place}, {bytes})") }
}

/// Lines of assembly, indented by block.
#[derive(Debug)]
pub struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    /// None yet, of blocks within so many others.
    pub fn new(depth: usize) -> Self {
        Self { text: String::new(), depth }
    }

    /// Adds a line.
    pub fn line(&mut self, line: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = 4 * self.depth);
    }

    /// Adds a line and opens a block behind it.
    pub fn open(&mut self, head: impl std::fmt::Display) {
        self.line(format_args!("{head}{{"));
        self.depth += 1;
    }

    /// Closes the block that was opened last.
    pub fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// All of them.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_of_shifted_numbers_are_those_of_integers(
            terms in prop::collection::vec((-(1_i128 << 60)..1 << 60, 0_u32..60), 0..20),
        ) {
            let exact: i128 = terms.iter().map(|(value, shift)| value << shift).sum();
            prop_assert_eq!(I256::from_raw(word(terms)), I256::unchecked_from(exact));
        }
    }

    #[test]
    fn masks_are_as_wide_as_they_say() {
        assert_eq!((mask(0), mask(1), mask(10)), (U256::ZERO, U256::ONE, U256::from(1023)));
        assert_eq!((mask(256), mask(255) << 1), (U256::MAX, U256::MAX - U256::ONE));
        assert_eq!((bits(0), bits(1), bits(255), bits(256)), (0, 1, 8, 9));
    }
}
