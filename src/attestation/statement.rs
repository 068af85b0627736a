//! Attestations: "these features are what public candles give for this period", signed by EIP-712.

use alloy::primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy::sol_types::{SolStruct, eip712_domain};

use crate::actions::risk_oracle::abi;
use crate::chain::Chain;
use crate::chain::error::{ChainError, Rejection};
use crate::chain::read::AttestorSet;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;

/// What is signed, but for the chain and the contract that it is signed for.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    pub model_id: B256,
    pub period: PeriodId,
    /// Markets about which nothing is said.
    pub omitted: OmittedMarkets,
    /// The proof's public inputs.
    pub instances: &'a [U256],
    /// Last close of each market's window, 8 decimals; empty where no market of the model has a price check.
    pub closes_e8: &'a [u64],
    /// Version of the contract's attestor set.
    pub attestor_set_version: u32,
}

impl Statement<'_> {
    /// Of each of a model's `markets` that is not omitted, its index and the hash of what is said about it: of that there is
    /// only one for a period. A statement that omits more or fewer markets, or names another version of the attestor set,
    /// says the same with another digest.
    pub fn payloads(&self, markets: usize) -> Vec<(usize, B256)> {
        let rows = public_inputs::by_market(self.instances, markets).enumerate();
        let said = rows.filter(|(index, _)| !self.omitted.omits(*index)).map(|(index, (inputs, outputs))| {
            let close = self.closes_e8.get(index).map(|close| U256::from(*close));
            (index, hash_of_words(inputs.iter().chain(outputs).copied().chain(close)))
        });
        said.collect()
    }

    fn instances_hash(&self) -> B256 {
        hash_of_words(self.instances.iter().copied())
    }

    fn closes_hash(&self) -> B256 {
        hash_of_words(self.closes_e8.iter().map(|close| U256::from(*close)))
    }

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
            omittedMarkets: U256::from(self.omitted.bits()),
            instancesHash: self.instances_hash(),
            closesHash: self.closes_hash(),
            attestorSetVersion: self.attestor_set_version,
        };
        attestation.eip712_signing_hash(&domain)
    }
}

/// Bytes of an attestation before its signature: the signer and the signature's length.
const HEAD_BYTES: usize = 22;
/// Length of a signature by a private key; whatever else there is, a contract made.
const KEY_SIGNATURE_BYTES: usize = 65;

impl Chain {
    /// The contract's attestor set, if this node is in it.
    ///
    /// # Errors
    /// [`Rejection::NotAttestor`], else [`ChainError`].
    pub async fn attestor_set(&self, oracle: Address) -> Result<AttestorSet, ChainError> {
        if !self.read.is_attestor(oracle, self.attestor()).await? {
            return Err(ChainError::Rejected(Rejection::NotAttestor(self.attestor())));
        }
        self.read.attestor_set(oracle).await
    }

    /// This node's attestation of `digest`.
    ///
    /// # Errors
    /// [`ChainError::Signing`].
    pub async fn attest(&self, digest: B256) -> Result<Attestation, ChainError> {
        let signature = self.attestor.sign(digest).await?.as_bytes().to_vec();
        Ok(Attestation { signer: self.attestor(), signature: signature.into() })
    }
}

/// Attestations as `submit` takes them, one after another: signer, length of the signature, signature. In the contract's
/// order, which is that of the signers.
pub fn pack(attestations: &[Attestation]) -> Bytes {
    let mut attestations = attestations.to_vec();
    attestations.sort_unstable();
    let packed = attestations.iter().flat_map(|attestation| {
        let length = (attestation.signature.len() as u16).to_be_bytes();
        [attestation.signer.as_slice(), &length, &attestation.signature].concat()
    });
    packed.collect::<Vec<u8>>().into()
}

/// The attestations of an update one by one.
///
/// # Errors
/// [`ChainError::Refused`] for bytes that are none.
pub fn split(mut attestations: &[u8]) -> Result<Vec<Attestation>, ChainError> {
    let refused = || ChainError::Refused("the update's attestations cannot be taken apart".into());
    let mut all = Vec::new();
    while !attestations.is_empty() {
        let (head, rest) = attestations.split_at_checked(HEAD_BYTES).ok_or_else(refused)?;
        let length = usize::from(u16::from_be_bytes([head[20], head[21]]));
        let (signature, rest) = rest.split_at_checked(length).ok_or_else(refused)?;
        all.push(Attestation { signer: Address::from_slice(&head[..20]), signature: signature.to_vec().into() });
        attestations = rest;
    }
    Ok(all)
}

/// Whether the signature of `digest` is its signer's; `None` for a signature that only a contract can judge.
pub fn is_by_its_signer(attestation: &Attestation, digest: B256) -> Option<bool> {
    if attestation.signature.len() != KEY_SIGNATURE_BYTES {
        return None;
    }
    let recovered = Signature::from_raw(&attestation.signature).ok()?.recover_address_from_prehash(&digest).ok()?;
    Some(recovered == attestation.signer)
}

fn hash_of_words(words: impl Iterator<Item = U256>) -> B256 {
    keccak256(words.flat_map(|word| word.to_be_bytes::<32>()).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde::Deserialize;

    use super::*;
    use crate::chain::signer::Signer;

    const VECTORS: &str = include_str!("../../contracts/test/vectors/attestation.json");

    #[derive(Deserialize)]
    struct Vector {
        chain_id: u64,
        oracle: Address,
        model_id: B256,
        period: u64,
        omitted_markets: u32,
        instances: Vec<U256>,
        closes_e8: Vec<u64>,
        attestor_set_version: u32,
        digest: B256,
        key: B256,
        attestation: Bytes,
    }

    #[tokio::test]
    async fn digests_and_attestations_are_those_of_the_vectors() {
        let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() >= 4, "the vector file is shorter than it should be");
        for vector in vectors {
            let statement = Statement {
                model_id: vector.model_id,
                period: PeriodId(vector.period),
                omitted: OmittedMarkets::from_bits(vector.omitted_markets),
                instances: &vector.instances,
                closes_e8: &vector.closes_e8,
                attestor_set_version: vector.attestor_set_version,
            };
            let digest = statement.digest(vector.chain_id, vector.oracle);
            let signer = Signer::from_key(&SecretString::from(vector.key.to_string())).unwrap();
            let signature = signer.sign(digest).await.unwrap().as_bytes().to_vec();
            let attestation = Attestation { signer: signer.address(), signature: signature.into() };
            assert_eq!((digest, &pack(std::slice::from_ref(&attestation))), (vector.digest, &vector.attestation));
            let whole = pack(&[attestation.clone(), attestation.clone()]);
            let parts = split(&whole).unwrap();
            assert!(parts.len() == 2 && parts.iter().all(|part| part.signer == signer.address()));
            assert!(parts.iter().all(|part| is_by_its_signer(part, digest) == Some(true)));
            assert!(parts.iter().all(|part| is_by_its_signer(part, B256::ZERO) == Some(false)));
            assert!(split(&whole[..whole.len() - 1]).is_err());
        }
    }
}
