//! How a chain can be convinced that a model was run.

use std::collections::BTreeMap;
use std::fmt;

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

use super::{
    CIRCUIT_FILE, DIRECT_BYTECODE_FILE, DIRECT_VERIFIER_FILE, HALO2_BYTECODE_FILE, HALO2_VERIFIER_FILE,
    PROVING_KEY_FILE, SETTINGS_FILE, VERIFIER_BYTECODE_FILE, VERIFIER_FILE, VERIFYING_KEY_FILE,
};
use crate::types::digest::Digest;

/// A way to convince a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A halo2-KZG proof of a circuit that EZKL made.
    #[default]
    Ezkl,
    /// A halo2-KZG proof of a circuit of this project's own.
    Halo2,
    /// No proof: a contract computes the network.
    Direct,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ezkl, Self::Halo2, Self::Direct];

    /// Its name in settings, manifests and evidence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ezkl => "ezkl",
            Self::Halo2 => "halo2",
            Self::Direct => "direct",
        }
    }

    /// Whom or what one has to trust that the outputs are the network's.
    pub fn trust(self) -> &'static str {
        match self {
            Self::Ezkl => "EZKL's circuit and verifier, which others have audited, and the ceremony of the SRS",
            Self::Halo2 => {
                "a circuit of this project that nobody has audited, snark-verifier, and the ceremony of the SRS"
            }
            Self::Direct => "the chain that computes it, and the generator of the contract",
        }
    }

    /// Whether it proves anything, so that it needs an SRS.
    pub fn has_proof(self) -> bool {
        self != Self::Direct
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a contract and its readers must know of one way that a bundle offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The way.
    pub way: Way,
    /// Public inputs.
    pub instances: usize,
    /// Exact length of a proof in bytes.
    pub proof_bytes: usize,
    /// keccak-256 of the verifier's deployed code.
    pub verifier_code_hash: B256,
    /// Digest of the verifying key; `None` where there is none.
    pub verifying_key_sha256: Option<Digest>,
    /// Digest of the circuit's settings; `None` where there are none.
    pub settings_sha256: Option<Digest>,
    /// The SRS of the keys; `None` where there are none.
    pub srs: Option<SrsOffer>,
    /// The file with the verifier's source.
    pub verifier_file: &'static str,
    /// The file with its creation code.
    pub bytecode_file: &'static str,
    /// Gas of a transaction that verifies a proof and does nothing else, where it was measured.
    pub verify_gas: Option<u64>,
}

/// The SRS that keys were made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SrsOffer {
    /// log2 of its rows.
    pub logrows: u32,
    /// Its digest.
    pub sha256: Digest,
    /// Whether it is the public ceremony's.
    pub is_ceremony: bool,
}

/// The ways that a bundle offers, one entry each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// A halo2-KZG proof of an EZKL circuit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ezkl: Option<EzklCircuit>,
    /// A halo2-KZG proof of this project's own circuit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halo2: Option<Halo2Circuit>,
    /// A contract that computes the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<DirectContract>,
}

impl Verification {
    /// What it says of a way; the digests of keys that are files come from the bundle's `files`.
    pub fn offer(&self, way: Way, files: &BTreeMap<String, Digest>) -> Option<Offer> {
        match way {
            Way::Ezkl => self.ezkl.as_ref().map(|circuit| Offer {
                way,
                instances: circuit.instances,
                proof_bytes: circuit.proof_bytes,
                verifier_code_hash: circuit.verifier_code_hash,
                verifying_key_sha256: files.get(VERIFYING_KEY_FILE).copied(),
                settings_sha256: files.get(SETTINGS_FILE).copied(),
                srs: Some(SrsOffer {
                    logrows: circuit.logrows,
                    sha256: circuit.srs_sha256,
                    is_ceremony: circuit.srs_is_ceremony,
                }),
                verifier_file: VERIFIER_FILE,
                bytecode_file: VERIFIER_BYTECODE_FILE,
                verify_gas: circuit.verify_gas,
            }),
            Way::Halo2 => self.halo2.as_ref().map(|circuit| Offer {
                way,
                instances: circuit.instances,
                proof_bytes: circuit.proof_bytes,
                verifier_code_hash: circuit.verifier_code_hash,
                verifying_key_sha256: Some(circuit.verifying_key_sha256),
                settings_sha256: None,
                srs: Some(SrsOffer {
                    logrows: circuit.logrows,
                    sha256: circuit.srs_sha256,
                    is_ceremony: circuit.srs_is_ceremony,
                }),
                verifier_file: HALO2_VERIFIER_FILE,
                bytecode_file: HALO2_BYTECODE_FILE,
                verify_gas: circuit.verify_gas,
            }),
            Way::Direct => self.direct.as_ref().map(|contract| Offer {
                way,
                instances: contract.instances,
                proof_bytes: 0,
                verifier_code_hash: contract.verifier_code_hash,
                verifying_key_sha256: None,
                settings_sha256: None,
                srs: None,
                verifier_file: DIRECT_VERIFIER_FILE,
                bytecode_file: DIRECT_BYTECODE_FILE,
                verify_gas: contract.verify_gas,
            }),
        }
    }

    /// Names of the files that belong to the ways.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let ezkl = self.ezkl.iter().flat_map(|circuit| &circuit.files).map(String::as_str);
        let halo2 = self.halo2.iter().flat_map(|_| [HALO2_VERIFIER_FILE, HALO2_BYTECODE_FILE]);
        let direct = self.direct.iter().flat_map(|_| [DIRECT_VERIFIER_FILE, DIRECT_BYTECODE_FILE]);
        ezkl.chain(halo2).chain(direct)
    }
}

/// A circuit of this project's own. Its keys are made from network and SRS whenever they are needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halo2Circuit {
    /// log2 of the rows of the proving system's domain.
    pub logrows: u32,
    /// Public inputs: inputs and outputs of the whole network.
    pub instances: usize,
    /// Exact length of a proof in bytes.
    pub proof_bytes: usize,
    /// Digest of the verifying key.
    pub verifying_key_sha256: Digest,
    /// Digest of the SRS that the keys are made from.
    pub srs_sha256: Digest,
    /// As [`EzklCircuit::srs_is_ceremony`].
    pub srs_is_ceremony: bool,
    /// keccak-256 of the verifier's deployed code.
    pub verifier_code_hash: B256,
    /// Gas of a transaction that verifies a proof and does nothing else, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_gas: Option<u64>,
}

/// A contract that computes the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectContract {
    /// Numbers that it takes: inputs and outputs of the whole network.
    pub instances: usize,
    /// keccak-256 of its deployed code.
    pub verifier_code_hash: B256,
    /// Gas of a transaction that asks it and does nothing else, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_gas: Option<u64>,
}

/// An EZKL circuit, as far as others must know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EzklCircuit {
    /// Version of EZKL that made and proves it.
    pub version: String,
    /// Arguments that were given to EZKL.
    pub run_args: BTreeMap<String, serde_json::Value>,
    /// log2 of the rows of the proving system's domain.
    pub logrows: u32,
    /// Rows in use.
    pub rows: usize,
    /// Public inputs: inputs and outputs of the whole network.
    pub instances: usize,
    /// Exact length of a proof in bytes.
    pub proof_bytes: usize,
    /// Digest of the SRS that the keys were made from.
    pub srs_sha256: Digest,
    /// Whether that SRS is the public ceremony's. Keys from another one are for development chains only: who made it can forge
    /// proofs.
    pub srs_is_ceremony: bool,
    /// keccak-256 of the verifier's deployed code.
    pub verifier_code_hash: B256,
    /// Gas of a transaction that verifies a proof and does nothing else, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_gas: Option<u64>,
    /// Names of its files.
    pub files: Vec<String>,
}

impl EzklCircuit {
    /// The files that every circuit has.
    pub const FILES: [&str; 6] =
        [SETTINGS_FILE, CIRCUIT_FILE, VERIFYING_KEY_FILE, PROVING_KEY_FILE, VERIFIER_FILE, VERIFIER_BYTECODE_FILE];

    /// [`EzklCircuit::FILES`] as a manifest holds them.
    pub fn own_files() -> Vec<String> {
        Self::FILES.map(str::to_owned).into()
    }
}
