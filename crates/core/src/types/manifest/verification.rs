//! How a chain can be convinced that a model was run.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

use super::{CIRCUIT_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFIER_BYTECODE_FILE, VERIFIER_FILE, VERIFYING_KEY_FILE};
use crate::types::digest::Digest;

/// The ways that a bundle offers, one entry each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// A halo2-KZG proof of an EZKL circuit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ezkl: Option<EzklCircuit>,
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
