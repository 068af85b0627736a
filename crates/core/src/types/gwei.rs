//! Prices of gas as people write them: in gwei, exact down to a wei.

use std::fmt;
use std::str::FromStr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Wei in a gwei.
const WEI_PER_GWEI: u128 = 1_000_000_000;
/// Decimals down to a wei.
const DECIMALS: usize = 9;
/// An ether for a unit of gas: no chain has ever asked for anything near it.
const MAX_WEI: u128 = WEI_PER_GWEI * WEI_PER_GWEI;

/// A price of a unit of gas, in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gwei(pub u128);

impl FromStr for Gwei {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_decimal = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_decimal(whole) || !is_decimal(fraction) {
            return Err("wants gwei as a decimal number such as 2 or 0.001".into());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err("has more than 9 decimals: a wei is 0.000000001 gwei".into());
        }
        let wei = format!("{whole}{fraction:0<DECIMALS$}").parse().ok().filter(|wei| *wei <= MAX_WEI);
        wei.map(Self).ok_or_else(|| format!("is above {} gwei, an ether for a unit of gas", Self(MAX_WEI)))
    }
}

impl fmt::Display for Gwei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:0DECIMALS$}", self.0 % WEI_PER_GWEI);
        let (whole, fraction) = (self.0 / WEI_PER_GWEI, fraction.trim_end_matches('0'));
        if fraction.is_empty() { whole.fmt(f) } else { write!(f, "{whole}.{fraction}") }
    }
}

impl Serialize for Gwei {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Gwei {
    /// From its text: numbers on the way would round it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Gwei;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("gwei as a decimal number")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Gwei, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gwei_are_exact_down_to_a_wei() {
        let cases = [
            ("0", 0),
            ("0.000000001", 1),
            ("0.001", 1_000_000),
            ("0.4", 400_000_000),
            ("1.5000000000", 1_500_000_000),
            ("123456789.123456789", 123_456_789_123_456_789),
            ("1000000000", MAX_WEI),
        ];
        for (text, wei) in cases {
            assert_eq!(text.parse(), Ok(Gwei(wei)), "{text}");
        }
        for text in
            ["", ".", ".5", "5.", "-1", "+1", "1e3", "inf", "nan", "0x1", " 1", "1_0", "0.0000000001", "1000000000.1"]
        {
            assert!(text.parse::<Gwei>().is_err(), "{text}");
        }
        assert!("9".repeat(400).parse::<Gwei>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(wei in 0..=MAX_WEI) {
            prop_assert_eq!(Gwei(wei).to_string().parse(), Ok(Gwei(wei)));
        }
    }
}
