//! What is put on the chain, and where: code from the committed artifacts, linked, at addresses that follow from it.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, address, keccak256};
use alloy::sol_types::SolConstructor;
use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::actions::risk_oracle::abi::RiskOracle;
use crate::deployment::error::DeploymentError;
use veriregime_core::types::digest::Digest;

/// The contract that creates others by CREATE2 for whoever asks; it is at this address on nearly every chain.
pub const CREATE2_DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
/// Zero, as foundry takes it for libraries: the same code has the same address whoever deploys it.
pub const SALT: B256 = B256::ZERO;

/// Length of an immutable in code.
const WORD_BYTES: usize = 32;

const ARTIFACTS: [(&str, &str); 3] = [
    ("MarketAdmin", include_str!("../../contracts/artifacts/MarketAdmin.json")),
    ("ModelAdmin", include_str!("../../contracts/artifacts/ModelAdmin.json")),
    ("RiskOracle", include_str!("../../contracts/artifacts/RiskOracle.json")),
];

/// What `contracts/artifacts.mjs` wrote.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    compiler: Compiler,
    deployed_bytecode_sha256: Digest,
    creation_links: BTreeMap<String, Vec<usize>>,
    deployed_links: BTreeMap<String, Vec<usize>>,
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
    /// Linked creation code with encoded constructor arguments.
    pub init_code: Bytes,
    pub address: Address,
    check: Check,
}

/// How the code on chain is judged.
#[derive(Debug, Clone)]
enum Check {
    /// By its keccak-256.
    Whole(B256),
    /// By the digest of what remains without links and immutables; links must be the libraries.
    Masked { digest: Digest, links: Vec<(usize, Address)>, immutables: Vec<usize> },
}

/// Everything that is created, in this order.
#[derive(Debug, Clone)]
pub struct Contracts {
    pub market_admin: Creation,
    pub model_admin: Creation,
    pub verifier: Creation,
    pub oracle: Creation,
    pub compiler: Compiler,
}

impl Contracts {
    /// The contracts for what is wanted.
    pub fn of(wanted: &Wanted) -> Self {
        let [market_admin, model_admin, oracle] = ARTIFACTS.map(|(name, json)| {
            let artifact: Artifact = serde_json::from_str(json).expect("committed artifacts are whole");
            (name, artifact)
        });
        let compiler = oracle.1.compiler.clone();
        let market_admin = library(market_admin);
        let model_admin = library(model_admin);
        let libraries = [(market_admin.name, market_admin.address), (model_admin.name, model_admin.address)];
        let arguments = &wanted.constructor;
        let call = RiskOracle::constructorCall {
            initialOwner: arguments.owner,
            initialGuardian: arguments.guardian,
            timelockSeconds_: alloy::primitives::U256::from(arguments.timelock_seconds),
            attestors: arguments.attestors.clone(),
            threshold: arguments.threshold,
            sequencerFeed_: arguments.sequencer_feed,
        };
        let mut init_code = linked(&oracle.1, &libraries);
        init_code.extend(call.abi_encode());
        let verifier = Creation::new("Halo2Verifier", wanted.verifier_code.to_vec(), |_| {
            Check::Whole(wanted.expected.verifier_code_hash)
        });
        let oracle = Creation::new(oracle.0, init_code, |_| masked(&oracle.1, &libraries));
        Self { market_admin, model_admin, verifier, oracle, compiler }
    }

    /// In the order of their creation.
    pub fn all(&self) -> [&Creation; 4] {
        [&self.market_admin, &self.model_admin, &self.verifier, &self.oracle]
    }
}

impl Creation {
    fn new(name: &'static str, init_code: Vec<u8>, check: impl FnOnce(Address) -> Check) -> Self {
        let address = CREATE2_DEPLOYER.create2_from_code(SALT, &init_code);
        Self { name, init_code: init_code.into(), address, check: check(address) }
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
            Check::Masked { digest, links, immutables } => {
                let mut rest = code.to_vec();
                let linked =
                    links.iter().all(|(at, library)| take(&mut rest, *at, Address::len_bytes()) == library[..]);
                for at in immutables {
                    take(&mut rest, *at, WORD_BYTES);
                }
                linked && Digest::of(&rest) == *digest
            }
        };
        if right {
            Ok(hash)
        } else {
            Err(DeploymentError::ForeignCode { name: self.name, address: self.address, hash })
        }
    }
}

/// Cuts a piece out and leaves zeros; nothing where the code is too short.
fn take(code: &mut [u8], at: usize, bytes: usize) -> Vec<u8> {
    let Some(piece) = code.get_mut(at..at + bytes) else { return Vec::new() };
    let taken = piece.to_vec();
    piece.fill(0);
    taken
}

fn library((name, artifact): (&'static str, Artifact)) -> Creation {
    Creation::new(name, artifact.creation_code.to_vec(), |own| masked(&artifact, &[(name, own)]))
}

fn masked(artifact: &Artifact, libraries: &[(&str, Address)]) -> Check {
    Check::Masked {
        digest: artifact.deployed_bytecode_sha256,
        links: places(&artifact.deployed_links, libraries).collect(),
        immutables: artifact.immutables.clone(),
    }
}

fn linked(artifact: &Artifact, libraries: &[(&str, Address)]) -> Vec<u8> {
    let mut code = artifact.creation_code.to_vec();
    for (at, library) in places(&artifact.creation_links, libraries) {
        code[at..at + Address::len_bytes()].copy_from_slice(library.as_slice());
    }
    code
}

fn places<'a>(
    links: &'a BTreeMap<String, Vec<usize>>,
    libraries: &'a [(&str, Address)],
) -> impl Iterator<Item = (usize, Address)> + 'a {
    libraries.iter().flat_map(|(name, library)| links.get(*name).into_iter().flatten().map(|at| (*at, *library)))
}
