//! What a contract gives back when it refuses a call. What that means, only those know who know the contract.

use std::fmt;

use alloy::primitives::Bytes;
use alloy::sol_types::decode_revert_reason;

use veriregime_core::types::diagnostic::quoted;

/// Most revert data that is kept.
const MAX_BYTES: usize = 4096;
/// Most of it that is shown.
const MAX_SHOWN_BYTES: usize = 120;

/// The error of a contract, or of whoever ran it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    data: Bytes,
    /// What the node says where the contract says nothing; empty where it says nothing either.
    said: String,
}

impl Revert {
    /// By a contract's revert data, of which the first 4,096 bytes are kept.
    pub fn new(data: &[u8]) -> Self {
        Self { data: Bytes::copy_from_slice(&data[..data.len().min(MAX_BYTES)]), said: String::new() }
    }

    /// Of a call that gave back nothing, by the node's words.
    pub fn without_data(said: &str) -> Self {
        Self { data: Bytes::new(), said: quoted(&format!("it fails without a reason ({said})")) }
    }

    /// What the contract gave back.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Whether nobody gives a reason. That may be a node's own trouble.
    pub fn is_silent(&self) -> bool {
        self.data.is_empty() && self.said.is_empty()
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_silent() {
            return f.write_str("it reverts without a reason");
        }
        if self.data.is_empty() {
            return f.write_str(&self.said);
        }
        let shown = &self.data[..self.data.len().min(MAX_SHOWN_BYTES)];
        let words = decode_revert_reason(&self.data);
        f.write_str(&quoted(&words.unwrap_or_else(|| format!("revert data 0x{}", alloy::hex::encode(shown)))))
    }
}

#[cfg(test)]
mod tests {
    use alloy::sol_types::{Revert as Words, SolError};

    use super::*;

    #[test]
    fn revert_data_without_end_is_cut_before_it_is_kept() {
        let kept = Revert::new(&vec![0xee; 1 << 20]);
        assert_eq!(kept.data().len(), MAX_BYTES);
        let shown = kept.to_string();
        assert!(shown.starts_with("revert data 0xeeee") && shown.len() == 14 + 2 * MAX_SHOWN_BYTES, "{}", shown.len());
    }

    #[test]
    fn what_every_contract_can_say_is_said_in_words() {
        let words = Words::from("too little").abi_encode();
        assert!(Revert::new(&words).to_string().contains("too little"));
        let silent = Revert::new(&[]);
        assert!(silent.is_silent() && silent.to_string() == "it reverts without a reason");
        let failed = Revert::without_data("out of gas");
        assert!(!failed.is_silent() && failed.to_string() == "it fails without a reason (out of gas)");
    }
}
