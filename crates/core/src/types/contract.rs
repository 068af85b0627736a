//! Whose updates a node makes: one contract on one chain.

use std::fmt;

use alloy::primitives::Address;

/// A contract and the chain that it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contract {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// The contract's address there.
    pub address: Address,
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on chain {}", self.address, self.chain_id)
    }
}
