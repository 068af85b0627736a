//! Attestations: "these features are what public candles give for this period", signed by EIP-712.

use alloy::primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolStruct, eip712_domain};

use super::abi;
use super::fault::ChainFault;
use crate::types::period::PeriodId;

/// What is signed, but for the chain and the contract that it is signed for.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    pub model_id: B256,
    pub period: PeriodId,
    /// The proof's public inputs.
    pub instances: &'a [U256],
    /// Last close of each market's window, 8 decimals; empty where no market of the model has a price check.
    pub closes_e8: &'a [u64],
    /// Version of the contract's attestor set.
    pub attestor_set_version: u32,
}

impl Statement<'_> {
    /// What the contract's `attestationDigest` says too.
    pub fn digest(&self, chain_id: u64, oracle: Address) -> B256 {
        let domain = eip712_domain! {
            name: "VeriRegime RiskOracle",
            version: "1",
            chain_id: chain_id,
            verifying_contract: oracle,
        };
        let attestation = abi::Attestation {
            modelId: self.model_id,
            period: self.period.0,
            instancesHash: hash_of_words(self.instances.iter().copied()),
            closesHash: hash_of_words(self.closes_e8.iter().map(|close| U256::from(*close))),
            attestorSetVersion: self.attestor_set_version,
        };
        attestation.eip712_signing_hash(&domain)
    }
}

/// One attestation as `submit` takes it: signer, length of the signature, signature.
///
/// # Errors
/// [`ChainFault::Signing`].
pub(super) fn attestation(signer: &PrivateKeySigner, digest: B256) -> Result<Bytes, ChainFault> {
    let signature = signer.sign_hash_sync(&digest).map_err(|error| ChainFault::Signing(error.to_string()))?.as_bytes();
    let length = (signature.len() as u16).to_be_bytes();
    Ok([signer.address().as_slice(), &length, &signature].concat().into())
}

/// Bytes of an attestation before its signature: the signer and the signature's length.
const HEAD_BYTES: usize = 22;
/// Length of a signature by a private key; whatever else there is, a contract made.
const KEY_SIGNATURE_BYTES: usize = 65;

/// One attestation of an update.
#[derive(Debug, Clone, Copy)]
pub struct Attestation<'a> {
    pub signer: Address,
    pub signature: &'a [u8],
}

impl Attestation<'_> {
    /// Whether the signature of `digest` is its signer's; `None` for a signature that only a contract can judge.
    pub fn is_by_its_signer(&self, digest: B256) -> Option<bool> {
        if self.signature.len() != KEY_SIGNATURE_BYTES {
            return None;
        }
        let recovered = Signature::from_raw(self.signature).ok()?.recover_address_from_prehash(&digest).ok()?;
        Some(recovered == self.signer)
    }
}

/// The attestations of an update one by one.
///
/// # Errors
/// [`ChainFault::Refused`] for bytes that are none.
pub fn split(mut attestations: &[u8]) -> Result<Vec<Attestation<'_>>, ChainFault> {
    let refused = || ChainFault::Refused("the update's attestations cannot be taken apart".into());
    let mut all = Vec::new();
    while !attestations.is_empty() {
        let (head, rest) = attestations.split_at_checked(HEAD_BYTES).ok_or_else(refused)?;
        let length = usize::from(u16::from_be_bytes([head[20], head[21]]));
        let (signature, rest) = rest.split_at_checked(length).ok_or_else(refused)?;
        all.push(Attestation { signer: Address::from_slice(&head[..20]), signature });
        attestations = rest;
    }
    Ok(all)
}

fn hash_of_words(words: impl Iterator<Item = U256>) -> B256 {
    keccak256(words.flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const VECTORS: &str = include_str!("../../contracts/test/vectors/attestation.json");

    #[derive(Deserialize)]
    struct Vector {
        chain_id: u64,
        oracle: Address,
        model_id: B256,
        period: u64,
        instances: Vec<U256>,
        closes_e8: Vec<u64>,
        attestor_set_version: u32,
        digest: B256,
        key: B256,
        attestation: Bytes,
    }

    #[test]
    fn digests_and_attestations_are_those_of_the_vectors() {
        let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() >= 2, "the vector file is shorter than it should be");
        for vector in vectors {
            let statement = Statement {
                model_id: vector.model_id,
                period: PeriodId(vector.period),
                instances: &vector.instances,
                closes_e8: &vector.closes_e8,
                attestor_set_version: vector.attestor_set_version,
            };
            let digest = statement.digest(vector.chain_id, vector.oracle);
            let signer = PrivateKeySigner::from_bytes(&vector.key).unwrap();
            let attestation = attestation(&signer, digest).unwrap();
            assert_eq!((digest, &attestation), (vector.digest, &vector.attestation));
            let whole = [attestation.clone(), attestation.clone()].concat();
            let parts = split(&whole).unwrap();
            assert!(parts.len() == 2 && parts.iter().all(|part| part.signer == signer.address()));
            assert!(parts.iter().all(|part| part.is_by_its_signer(digest) == Some(true)));
            assert!(parts.iter().all(|part| part.is_by_its_signer(B256::ZERO) == Some(false)));
            assert!(split(&whole[..whole.len() - 1]).is_err());
        }
    }
}
