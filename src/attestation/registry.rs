//! Whose attestations a contract wants.

use alloy::eips::BlockId;
use alloy::primitives::Address;

use crate::attestation::error::AttestationError;
use crate::chain::Chain;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;

alloy::sol! {
    /// What every contract that wants attestations says of where its attestors are.
    #[sol(rpc)]
    interface Consumer {
        function registry() external view returns (address);
    }

    /// What a registry says of its attestors.
    #[sol(rpc)]
    interface Attestors {
        function attestorSet() external view returns (uint32 version, uint8 threshold);
        function isAttestor(address account) external view returns (bool);
    }
}

/// A contract's attestor set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttestorSet {
    /// Goes up with each change.
    pub version: u32,
    /// How many of its members must attest.
    pub threshold: u8,
}

impl Reader {
    /// The registry of the attestors whose attestations a contract wants.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn registry_of(&self, contract: Address) -> Result<Address, ChainError> {
        Ok(Consumer::new(contract, &self.provider).registry().call().await?)
    }

    /// The contract's attestor set.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn attestor_set(&self, contract: Address) -> Result<AttestorSet, ChainError> {
        let set = Attestors::new(self.registry_of(contract).await?, &self.provider).attestorSet().call().await?;
        Ok(AttestorSet { version: set.version, threshold: set.threshold })
    }

    /// Version of the contract's attestor set at a block.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn attestor_set_version(&self, contract: Address, block: BlockId) -> Result<u32, ChainError> {
        let attestors = Attestors::new(self.registry_of(contract).await?, &self.provider);
        Ok(attestors.attestorSet().block(block).call().await?.version)
    }

    /// Whether an account is in the contract's attestor set.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn is_attestor(&self, contract: Address, account: Address) -> Result<bool, ChainError> {
        Ok(Attestors::new(self.registry_of(contract).await?, &self.provider).isAttestor(account).call().await?)
    }
}

impl Chain {
    /// The contract's attestor set, if this node is in it.
    ///
    /// # Errors
    /// [`AttestationError::NotAttestor`], else [`ChainError`].
    pub async fn attestor_set(&self, contract: Address) -> Result<AttestorSet, AttestationError> {
        if !self.read.is_attestor(contract, self.attestor()).await? {
            return Err(AttestationError::NotAttestor(self.attestor()));
        }
        Ok(self.read.attestor_set(contract).await?)
    }
}
