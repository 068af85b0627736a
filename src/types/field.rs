//! Signed integers as elements of the BN254 scalar field, the way that EZKL and `FieldLib.sol` write them.

use alloy::primitives::{U256, uint};

/// The order `r` of BN254's scalar field.
pub const FIELD_ORDER: U256 = uint!(0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001_U256);

/// Largest magnitude that the signed decoding gives back: `2^127 - 1`.
pub const MAX_MAGNITUDE: i128 = i128::MAX;

/// `value` for `value >= 0`, else `r + value`. `i128::MIN` has no encoding, as decoding could not give it back.
pub fn encode(value: i128) -> Option<U256> {
    let magnitude = U256::from(value.unsigned_abs());
    match value {
        i128::MIN => None,
        0.. => Some(magnitude),
        _ => Some(FIELD_ORDER - magnitude),
    }
}

/// The signed integer of a canonical element whose magnitude is at most [`MAX_MAGNITUDE`], else `None`.
pub fn decode(element: U256) -> Option<i128> {
    let limit = U256::from(MAX_MAGNITUDE.unsigned_abs());
    if element <= limit {
        return i128::try_from(u128::try_from(element).ok()?).ok();
    }
    let magnitude = FIELD_ORDER.checked_sub(element)?;
    if magnitude.is_zero() || magnitude > limit {
        return None;
    }
    Some(-i128::try_from(u128::try_from(magnitude).ok()?).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decoding_inverts_encoding(value in (i128::MIN + 1)..=i128::MAX) {
            let element = encode(value).expect("has an encoding");
            prop_assert!(element < FIELD_ORDER);
            prop_assert_eq!(decode(element), Some(value));
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        assert_eq!(encode(i128::MIN), None);
        assert_eq!(decode(FIELD_ORDER), None);
        assert_eq!(decode(FIELD_ORDER + U256::ONE), None);
        assert_eq!(decode(U256::from(1_u8) << 127), None);
        assert_eq!(decode(U256::MAX), None);
        assert_eq!(decode(FIELD_ORDER - (U256::from(1_u8) << 127)), None);
    }
}
