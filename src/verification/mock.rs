//! A prover that proves nothing, for dry runs on development chains.

use alloy::primitives::{Bytes, U256, keccak256};

use super::Proved;
use super::error::ProofError;
use veriregime_core::types::chain_id::is_development;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

/// Head of every mock proof, so that none can be taken for a real one.
const MARK: &[u8] = b"veriregime mock proof, proves nothing";

/// Makes marked byte strings in place of proofs.
#[derive(Debug)]
pub struct MockProver(());

impl MockProver {
    /// A mock for submissions to chain `chain_id`.
    ///
    /// # Errors
    /// [`ProofError::MockOnRealChain`] unless that is a development chain.
    pub fn new(chain_id: u64) -> Result<Self, ProofError> {
        if is_development(chain_id) { Ok(Self(())) } else { Err(ProofError::MockOnRealChain { chain_id }) }
    }

    /// The mark and the digest of the public inputs.
    pub fn prove(&self, inputs: &[i32], outputs: &[i128]) -> Proved {
        let instances = instances(inputs, outputs);
        let bytes = mock_bytes(&instances);
        Proved {
            proof: Proof { bytes, instances },
            witness_sha256: None,
            witness_ms: 0.0,
            prove_ms: 0.0,
            verify_ms: 0.0,
            reused: false,
        }
    }

    /// Whether [`MockProver::prove`] made this.
    pub fn verify(&self, proof: &Proof) -> bool {
        proof.bytes == mock_bytes(&proof.instances)
    }
}

fn mock_bytes(instances: &[U256]) -> Bytes {
    let words: Vec<u8> = instances.iter().flat_map(U256::to_be_bytes::<32>).collect();
    [MARK, keccak256(words).as_slice()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn a_real_chain_gets_no_mock() {
        for chain_id in [0, 1, 10, 8453, 42_161, 11_155_111] {
            assert_eq!(MockProver::new(chain_id).expect_err("a real chain").code(), "VR-PROVE-016");
        }
    }

    #[test]
    fn a_mock_proof_is_tied_to_its_public_inputs() {
        let prover = MockProver::new(31_337).expect("anvil");
        let mut proof = prover.prove(&[1, -2], &[3]).proof;
        assert!(prover.verify(&proof));
        proof.instances[2] += U256::ONE;
        assert!(!prover.verify(&proof));
    }
}
