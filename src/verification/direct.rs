//! No proof: a contract computes the network, and so does this program.

use std::time::Instant;

use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::solidity;
use veriregime_core::types::field::decode;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs;

use super::compiler::Target;
use super::error::ProofError;
use super::{Proved, agree};
use crate::bundle::Bundle;

/// The contract is small and runs for every update.
pub const TARGET: Target = Target { contract: solidity::CONTRACT, runs: 1_000_000 };

/// Computes the network of one bundle.
#[derive(Debug)]
pub struct DirectProver {
    model: IntegerModel,
}

impl DirectProver {
    /// Of `bundle`, whose files [`Bundle::open`] has checked.
    ///
    /// # Errors
    /// A bundle without such a contract, or a network that is none.
    pub fn new(bundle: &Bundle) -> Result<Self, ProofError> {
        bundle.manifest.offer(Way::Direct)?;
        Ok(Self { model: bundle.integer_model()? })
    }

    /// Computes again that the network maps `inputs` to `outputs`. The proof is empty.
    ///
    /// # Errors
    /// [`ProofError::Instances`], or inputs out of their bound.
    pub fn prove(&self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        let started = Instant::now();
        let computed = self.model.evaluate(inputs)?.concat();
        let instances = public_inputs::instances(inputs, outputs);
        agree(&public_inputs::instances(inputs, &computed), &instances)?;
        let verify_ms = started.elapsed().as_secs_f64() * 1e3;
        let proof = Proof { bytes: Vec::new().into(), instances };
        Ok(Proved { proof, witness_sha256: None, witness_ms: 0.0, prove_ms: 0.0, verify_ms, reused: false })
    }

    /// Whether the contract would say yes: the proof is empty and the public inputs are what the network maps to one another.
    pub fn verify(&self, proof: &Proof) -> bool {
        let layout = self.model.layout();
        let Some((features, outputs)) = proof.instances.split_at_checked(layout.markets * layout.features) else {
            return false;
        };
        let features: Option<Vec<i32>> = features.iter().map(|feature| i32::try_from(decode(*feature)?).ok()).collect();
        let outputs: Option<Vec<i128>> = outputs.iter().map(|output| decode(*output)).collect();
        let computed = features.and_then(|features| self.model.evaluate(&features).ok());
        proof.bytes.is_empty() && outputs.is_some() && computed.map(|rows| rows.concat()) == outputs
    }
}

/// The contract's source for a network.
///
/// # Errors
/// A network that cannot be computed by a contract.
pub fn source(model: &IntegerModel, model_id: &str) -> Result<String, ProofError> {
    Ok(solidity::verifier(&DenseNetwork::new(model)?, model_id)?)
}
