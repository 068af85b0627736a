//! Attestations: "these features are what public data give for this period", signed by EIP-712.

use alloy::primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue, eip712_domain};
use serde::{Deserialize, Serialize};

use crate::chain::error::ChainError;
use veriregime_core::hedge::prices::Prices;
use veriregime_core::types::attestation::{Attestation, Promise};
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::public_inputs;
use veriregime_core::types::stated::Stated;
use veriregime_core::yields::level::Level;

/// What an attestor signs, by EIP-712: the names are part of it.
mod signed {
    alloy::sol! {
        struct Statement {
            bytes32 statement;
            uint32 attestorSetVersion;
        }

        struct Attestation {
            bytes32 modelId;
            uint64 period;
            uint256 omittedMarkets;
            bytes32 instancesHash;
            uint32 attestorSetVersion;
        }
    }
}

/// What is attested: all that the contract will be told, but for the proof. In this form one operator asks another to sign it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The chain.
    pub chain_id: u64,
    /// The contract there that acts on it. Not signed: an attestation is good for whoever has the same registry.
    pub oracle: Address,
    /// The registry of models and attestors.
    pub registry: Address,
    /// The model, as the contract calls it.
    pub model_id: B256,
    /// The period.
    pub period: PeriodId,
    /// Version of the contract's attestor set.
    pub attestor_set_version: u32,
    /// Markets about which nothing is said: their features in the instances are zeros. Absent where there are none.
    #[serde(default, skip_serializing_if = "OmittedMarkets::is_none")]
    pub omitted_markets: OmittedMarkets,
    /// The proof's public inputs: features of all markets, then outputs of all markets.
    pub instances: Vec<U256>,
    /// What is stated beside a forecast, by a kind of its own: a statement has either this or instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Stated>,
}

impl Statement {
    /// What attesting it promises about a model of so many markets, in a period that ends then.
    pub fn promise(&self, markets: usize, end_ms: i64) -> Promise {
        Promise {
            chain_id: self.chain_id,
            registry: self.registry,
            model_id: self.model_id,
            period: self.period,
            ends_seconds: end_ms.div_euclid(1000),
            payloads: self.payloads(markets),
        }
    }

    /// Of each of a model's `markets` that is not omitted, its index and the hash of what is said about it: of that there is
    /// only one for a period. A statement that omits more or fewer markets, or names another version of the attestor set,
    /// says the same with another digest.
    fn payloads(&self, markets: usize) -> Vec<(usize, B256)> {
        if let Some(prices) = self.prices {
            return vec![(PRICES_SLOT, of_stated(prices, self.model_id, self.period))];
        }
        let rows = public_inputs::by_market(&self.instances, markets, REGIME_OUTPUTS.len()).enumerate();
        let said = rows
            .filter(|(index, _)| !self.omitted_markets.omits(*index))
            .map(|(index, (inputs, outputs))| (index, hash_of_words(inputs.iter().chain(outputs).copied())));
        said.collect()
    }

    /// What is signed. The contract's `attestationDigest` says the same.
    pub fn digest(&self) -> B256 {
        if let Some(prices) = self.prices {
            let stated = of_stated(prices, self.model_id, self.period);
            return of_consumer(self.chain_id, self.registry, stated, self.attestor_set_version);
        }
        let attestation = signed::Attestation {
            modelId: self.model_id,
            period: self.period.0,
            omittedMarkets: U256::from(self.omitted_markets.bits()),
            instancesHash: hash_of_words(self.instances.iter().copied()),
            attestorSetVersion: self.attestor_set_version,
        };
        attestation.eip712_signing_hash(&domain(self.chain_id, self.registry))
    }
}

/// What is signed of a statement that a consumer of a registry wants beside an update. The contract's `statementDigest` says
/// the same.
pub fn of_consumer(chain_id: u64, registry: Address, statement: B256, attestor_set_version: u32) -> B256 {
    let signed = signed::Statement { statement, attestorSetVersion: attestor_set_version };
    signed.eip712_signing_hash(&domain(chain_id, registry))
}

/// The contract's type of the prices that are stated beside a country's forecast.
const PRICES_TYPE: &str = "HedgePrices(bytes32 modelId,uint64 period,uint64 eurPerMwhE6,uint64 usdPerEurE6)";
/// The contract's type of the level that is stated beside a strategy's forecast.
const LEVEL_TYPE: &str = "YieldLevel(bytes32 modelId,uint64 period,uint32 day,int64 levelE9,uint64 factorE9)";
/// Stands for a market in what is promised of what is stated beside a forecast: no model has as many.
const PRICES_SLOT: usize = 1 << 16;

/// What is signed of prices for a model's period, by [`of_consumer`]. `HedgeVault.statementOf` says the same.
pub fn of_prices(prices: Prices, model_id: B256, period: PeriodId) -> B256 {
    let Prices { eur_per_mwh_e6, usd_per_eur_e6 } = prices;
    keccak256((keccak256(PRICES_TYPE), model_id, period.0, eur_per_mwh_e6, usd_per_eur_e6).abi_encode())
}

/// The same of a level. `Feed.statementOf` says the same.
pub fn of_level(level: Level, model_id: B256, period: PeriodId) -> B256 {
    let Level { day, level_e9, factor_e9 } = level;
    keccak256((keccak256(LEVEL_TYPE), model_id, period.0, day, level_e9, factor_e9).abi_encode())
}

fn of_stated(stated: Stated, model_id: B256, period: PeriodId) -> B256 {
    match stated {
        Stated::Prices(prices) => of_prices(prices, model_id, period),
        Stated::Level(level) => of_level(level, model_id, period),
    }
}

/// A registry on a chain.
fn domain(chain_id: u64, registry: Address) -> Eip712Domain {
    eip712_domain! {
        name: "VeriRegime ModelRegistry",
        version: "1",
        chain_id: chain_id,
        verifying_contract: registry,
    }
}

/// Bytes of an attestation before its signature: the signer and the signature's length.
const HEAD_BYTES: usize = 22;
/// Length of a signature by a private key; whatever else there is, a contract made.
const KEY_SIGNATURE_BYTES: usize = 65;

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

/// Whether the signature of `digest` is its signer's; `None` for a signature that only a contract can judge. One of a key's
/// length that no key can have made is nobody's.
pub fn is_by_its_signer(attestation: &Attestation, digest: B256) -> Option<bool> {
    if attestation.signature.len() != KEY_SIGNATURE_BYTES {
        return None;
    }
    let recovered = Signature::from_raw(&attestation.signature)
        .and_then(|signature| signature.recover_address_from_prehash(&digest));
    Some(recovered.is_ok_and(|signer| signer == attestation.signer))
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
        registry: Address,
        model_id: B256,
        period: u64,
        omitted_markets: u32,
        instances: Vec<U256>,
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
                chain_id: vector.chain_id,
                oracle: Address::ZERO,
                registry: vector.registry,
                model_id: vector.model_id,
                period: PeriodId(vector.period),
                attestor_set_version: vector.attestor_set_version,
                omitted_markets: OmittedMarkets::from_bits(vector.omitted_markets),
                instances: vector.instances,
                prices: None,
            };
            let digest = statement.digest();
            let signer = Signer::from_key(&SecretString::from(vector.key.to_string())).unwrap();
            let signature = signer.sign(digest).await.unwrap().as_bytes().to_vec();
            let attestation = Attestation { signer: signer.address(), signature: signature.into() };
            assert_eq!((digest, &pack(std::slice::from_ref(&attestation))), (vector.digest, &vector.attestation));
            let whole = pack(&[attestation.clone(), attestation.clone()]);
            let parts = split(&whole).unwrap();
            assert!(parts.len() == 2 && parts.iter().all(|part| part.signer == signer.address()));
            assert!(parts.iter().all(|part| is_by_its_signer(part, digest) == Some(true)));
            assert!(parts.iter().all(|part| is_by_its_signer(part, B256::ZERO) == Some(false)));
            let by_nobody = |part: &Attestation| Attestation { signature: vec![0xff; 65].into(), ..part.clone() };
            assert!(parts.iter().all(|part| is_by_its_signer(&by_nobody(part), digest) == Some(false)));
            assert!(split(&whole[..whole.len() - 1]).is_err());
        }
    }

    /// A regression: half of all altered signatures belong to no point of the curve, and counted as a contract's.
    #[tokio::test]
    async fn a_signature_of_a_key_that_is_altered_is_never_taken_for_a_contract_s() {
        let key = SecretString::from("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
        let signer = Signer::from_key(&key).unwrap();
        let digest = B256::repeat_byte(7);
        let signature = signer.sign(digest).await.unwrap();
        let whole = Attestation { signer: signer.address(), signature: signature.as_bytes().to_vec().into() };
        assert_eq!(is_by_its_signer(&whole, digest), Some(true));
        for bit in 0..512 {
            let mut altered = whole.signature.to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            let altered = Attestation { signature: altered.into(), ..whole.clone() };
            assert_eq!(is_by_its_signer(&altered, digest), Some(false), "bit {bit}");
        }
        let of_a_contract = Attestation { signature: vec![1; 70].into(), ..whole };
        assert_eq!(is_by_its_signer(&of_a_contract, digest), None);
    }
}
