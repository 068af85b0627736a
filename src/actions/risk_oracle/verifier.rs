//! What a model's verifier says of proofs, and what it costs to ask it.

use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolCall;

use super::abi::Verifier;
use crate::chain::Chain;
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::proof::Proof;

/// The call by which anybody asks a verifier about a proof.
pub fn verification_call(proof: &Proof) -> Bytes {
    let call = Verifier::verifyProofCall { proof: proof.bytes.clone(), instances: proof.instances.clone() };
    call.abi_encode().into()
}

impl Reader {
    /// What a generated verifier says of a proof. It may revert for "no".
    ///
    /// # Errors
    /// [`ChainError`] when it could not be asked.
    pub async fn verifies(&self, oracle: Address, model_id: B256, proof: &Proof) -> Result<bool, ChainError> {
        let verifier = self.model_spec(oracle, model_id).await?.verifier;
        let contract = Verifier::new(verifier, &self.provider);
        match contract.verifyProof(proof.bytes.clone(), proof.instances.clone()).call().await.map_err(ChainError::from)
        {
            Ok(accepted) => Ok(accepted),
            Err(ChainError::Rejected(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

impl Chain {
    /// Gas of a transaction that asks a generated verifier about a proof.
    ///
    /// # Errors
    /// As [`Chain::send`].
    pub async fn verification_gas(&self, verifier: Address, proof: &Proof) -> Result<u64, ChainError> {
        Ok(self.send(Call::new(verifier, verification_call(proof))).await?.gas_used)
    }
}
