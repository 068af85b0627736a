//! Signed integers as elements of the BN254 scalar field, the way that EZKL and `FieldLib.sol` write them.

use alloy::primitives::{U256, uint};

/// The order `r` of BN254's scalar field.
pub const FIELD_ORDER: U256 = uint!(0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001_U256);

/// `value` for `value >= 0`, else `r + value`.
pub fn encode(value: i128) -> U256 {
    let magnitude = U256::from(value.unsigned_abs());
    if value < 0 { FIELD_ORDER - magnitude } else { magnitude }
}

/// The signed integer that a canonical element stands for, or `None` where it stands for none of 128 bits.
pub fn decode(element: U256) -> Option<i128> {
    if let Ok(value) = i128::try_from(element) {
        return Some(value);
    }
    // The magnitude of the least integer has no positive counterpart, so it is negated as it is taken over.
    let magnitude = u128::try_from(FIELD_ORDER.checked_sub(element)?).ok()?;
    0_i128.checked_sub_unsigned(magnitude).filter(|value| *value < 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    proptest! {
        #[test]
        fn decoding_inverts_encoding(value: i128) {
            let element = encode(value);
            prop_assert!(element < FIELD_ORDER);
            prop_assert_eq!(decode(element), Some(value));
        }
    }

    /// The vectors that the contracts' tests read too.
    #[test]
    fn rust_and_solidity_agree_on_every_vector() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../contracts/test/vectors/field.json")).unwrap();
        let element = |row: &Value| row["element"].as_str().unwrap().parse::<U256>().unwrap();
        assert_eq!(vectors["order"].as_str().unwrap().parse::<U256>().unwrap(), FIELD_ORDER);
        let accepted = vectors["accepted"].as_array().unwrap();
        for row in accepted {
            let value: i128 = row["value"].as_str().unwrap().parse().unwrap();
            assert_eq!((encode(value), decode(element(row))), (element(row), Some(value)), "{row}");
        }
        let rejected = vectors["rejected"].as_array().unwrap();
        for row in rejected {
            assert_eq!(decode(element(row)), None, "{row}");
        }
        assert!(!accepted.is_empty() && !rejected.is_empty());
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        assert_eq!(decode(FIELD_ORDER), None);
        assert_eq!(decode(FIELD_ORDER + U256::ONE), None);
        assert_eq!(decode(U256::from(1_u8) << 127), None);
        assert_eq!(decode(U256::MAX), None);
        assert_eq!(decode(FIELD_ORDER - (U256::from(1_u8) << 127) - U256::ONE), None);
    }
}
