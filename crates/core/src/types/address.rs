//! Addresses that people write.

use std::str::FromStr;

use alloy::primitives::Address;

/// An address in lower case, in upper case, or in the mixed case that is its checksum (EIP-55).
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str) -> Result<Address, String> {
    let address = Address::from_str(text).map_err(|error| error.to_string())?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let has = |case: fn(&u8) -> bool| digits.as_bytes().iter().any(case);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    if is_mixed && address.to_checksum(None)[2..] != *digits {
        return Err("its capitals are not those of its checksum (EIP-55): is a digit wrong? Copy it again".into());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mis_cased_address_is_refused() {
        // From EIP-55.
        const ADDRESS: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let right = Address::from_str(ADDRESS).unwrap();
        for text in [
            ADDRESS.to_owned(),
            ADDRESS.to_lowercase(),
            format!("0x{}", ADDRESS[2..].to_uppercase()),
            ADDRESS[2..].to_owned(),
        ] {
            assert_eq!(parse(&text), Ok(right), "{text}");
        }
        for text in [ADDRESS.replace("aA", "Aa"), ADDRESS.replace("Aed", "aed"), ADDRESS.replace('5', "6")] {
            assert!(parse(&text).expect_err(&text).contains("EIP-55"), "{text}");
        }
        for text in ["", "0x", "0x12", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedaa", "ether"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
