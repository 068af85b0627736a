//! What is put on the chain, and where: code from the committed artifacts, at addresses that follow from it.

use alloy::primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy::sol_types::SolConstructor;
use serde::{Deserialize, Serialize};

use super::{Constructor, Wanted};
use crate::actions::feed::abi::Feed;
use crate::actions::hedge_vault::abi::vault::HedgeVault;
use crate::actions::risk_oracle::abi::oracle::RiskOracle;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::deployment::error::DeploymentError;
use veriregime_core::types::digest::Digest;

/// The contract that creates others by CREATE2 for whoever asks; it is at this address on nearly every chain.
pub const CREATE2_DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
/// Zero, as foundry takes it for libraries: the same code has the same address whoever deploys it.
pub const SALT: B256 = B256::ZERO;

/// Length of an immutable in code.
const WORD_BYTES: usize = 32;

const REGISTRY: &str = include_str!("../../contracts/artifacts/ModelRegistry.json");
const FEED: &str = include_str!("../../contracts/artifacts/Feed.json");
const VAULT: &str = include_str!("../../contracts/artifacts/HedgeVault.json");
const ORACLE: &str = include_str!("../../contracts/artifacts/RiskOracle.json");

/// What `contracts/artifacts.mjs` wrote.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    compiler: Compiler,
    deployed_bytecode_sha256: Digest,
    immutables: Vec<usize>,
    creation_code: Bytes,
}

/// What compiled a contract, for whoever verifies its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compiler {
    pub version: String,
    pub settings: serde_json::Value,
}

/// A contract to create.
#[derive(Debug, Clone)]
pub struct Creation {
    pub name: &'static str,
    /// Creation code with encoded constructor arguments.
    pub init_code: Bytes,
    pub address: Address,
    check: Check,
}

/// How the code on chain is judged.
#[derive(Debug, Clone)]
enum Check {
    /// By its keccak-256.
    Whole(B256),
    /// By the digest of what remains without immutables.
    Masked { digest: Digest, immutables: Vec<usize> },
}

/// Everything that is created, in this order.
#[derive(Debug, Clone)]
pub struct Contracts {
    pub verifier: Creation,
    pub registry: Creation,
    pub oracle: Creation,
    pub compiler: Compiler,
}

/// The verifier of that code and hash.
pub fn verifier(code: &Bytes, code_hash: B256) -> Creation {
    Creation::new("Halo2Verifier", code.to_vec(), || Check::Whole(code_hash))
}

/// The registry of these arguments.
pub fn registry(arguments: &Constructor) -> Creation {
    let call = ModelRegistry::constructorCall {
        owner_: arguments.owner,
        guardian_: arguments.guardian,
        timelockSeconds_: U256::from(arguments.timelock_seconds),
        attestors: arguments.attestors.clone(),
        threshold: arguments.threshold,
    };
    Artifact::read(REGISTRY).creation("ModelRegistry", &call.abi_encode())
}

/// The vault of these arguments.
pub fn vault(arguments: &HedgeVault::constructorCall) -> Creation {
    Artifact::read(VAULT).creation("HedgeVault", &arguments.abi_encode())
}

/// The feed of a strategy.
pub fn feed(registry: Address, strategy: &str) -> Creation {
    let call = Feed::constructorCall { registry_: registry, name: strategy.to_owned() };
    Artifact::read(FEED).creation("Feed", &call.abi_encode())
}

impl Contracts {
    /// The contracts for what is wanted.
    pub fn of(wanted: &Wanted) -> Self {
        let (oracle, arguments) = (Artifact::read(ORACLE), &wanted.constructor);
        let verifier = verifier(&wanted.verifier_code, wanted.expected.verifier_code_hash);
        let registry = registry(arguments);
        let call = RiskOracle::constructorCall {
            owner_: arguments.owner,
            guardian_: arguments.guardian,
            timelockSeconds_: U256::from(arguments.timelock_seconds),
            registry_: registry.address,
            sequencerFeed_: arguments.sequencer_feed,
        };
        let compiler = oracle.compiler.clone();
        let oracle = oracle.creation("RiskOracle", &call.abi_encode());
        Self { verifier, registry, oracle, compiler }
    }

    /// In the order of their creation.
    pub fn all(&self) -> [&Creation; 3] {
        [&self.verifier, &self.registry, &self.oracle]
    }
}

impl Artifact {
    fn read(json: &str) -> Self {
        serde_json::from_str(json).expect("committed artifacts are whole")
    }

    /// The contract with encoded constructor arguments.
    fn creation(self, name: &'static str, arguments: &[u8]) -> Creation {
        let check = Check::Masked { digest: self.deployed_bytecode_sha256, immutables: self.immutables };
        Creation::new(name, [&self.creation_code[..], arguments].concat(), || check)
    }
}

impl Creation {
    fn new(name: &'static str, init_code: Vec<u8>, check: impl FnOnce() -> Check) -> Self {
        let address = CREATE2_DEPLOYER.create2_from_code(SALT, &init_code);
        Self { name, init_code: init_code.into(), address, check: check() }
    }

    /// What is sent to [`CREATE2_DEPLOYER`].
    pub fn call(&self) -> Bytes {
        [SALT.as_slice(), &self.init_code].concat().into()
    }

    /// The hash of the code on chain, if it is the code that the artifact promises.
    ///
    /// # Errors
    /// [`DeploymentError::ForeignCode`].
    pub fn verified(&self, code: &[u8]) -> Result<B256, DeploymentError> {
        let hash = keccak256(code);
        let right = match &self.check {
            Check::Whole(expected) => hash == *expected,
            Check::Masked { digest, immutables } => {
                let mut rest = code.to_vec();
                for at in immutables {
                    if let Some(word) = rest.get_mut(*at..*at + WORD_BYTES) {
                        word.fill(0);
                    }
                }
                Digest::of(&rest) == *digest
            }
        };
        if right {
            Ok(hash)
        } else {
            Err(DeploymentError::ForeignCode { name: self.name, address: self.address, hash })
        }
    }
}
