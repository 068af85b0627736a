//! No proof: a contract computes the model, and so does this program.

use std::time::Instant;

use veriregime_core::model::ModelError;
use veriregime_core::model::dense::DenseNetwork;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::solidity;
use veriregime_core::trees::grid::IntegerForest;
use veriregime_core::types::field::decode;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::network::ModelKind;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs;

use super::compiler::Target;
use super::error::ProofError;
use super::{Proved, agree};
use crate::bundle::Bundle;
use crate::bundle::error::BundleError;

/// The contract is small and runs for every update.
pub const TARGET: Target = Target { contract: solidity::CONTRACT, runs: solidity::OPTIMIZER_RUNS };

/// A model in exact integers, whatever it is made of.
#[derive(Debug)]
pub enum Computation {
    /// Layers, of any number of markets.
    Layers(IntegerModel),
    /// Trees, of a row within a bound.
    Trees(IntegerForest, i32),
}

impl Computation {
    /// That of a bundle.
    ///
    /// # Errors
    /// A model that is none.
    pub fn of(bundle: &Bundle) -> Result<Self, BundleError> {
        Ok(match &bundle.manifest.model {
            ModelKind::Layers(_) => Self::Layers(bundle.integer_model()?),
            ModelKind::Trees(_) => Self::Trees(bundle.integer_forest()?, bundle.table()?.bound()),
            ModelKind::Lstm(_) => return Err(ManifestError::OnlyEzkl { way: Way::Direct }.into()),
        })
    }

    /// Numbers that it takes, and the largest magnitude of one.
    pub fn inputs(&self) -> (usize, i32) {
        match self {
            Self::Layers(model) => {
                let layout = model.layout();
                (layout.markets * layout.features, layout.feature_bound)
            }
            Self::Trees(forest, bound) => (forest.columns(), *bound),
        }
    }

    /// All outputs for these inputs.
    ///
    /// # Errors
    /// Another number of inputs, or one beyond its bound.
    pub fn evaluate(&self, inputs: &[i32]) -> Result<Vec<i128>, ModelError> {
        Ok(match self {
            Self::Layers(model) => model.evaluate(inputs)?.concat(),
            Self::Trees(forest, _) => forest.evaluate(inputs)?.into_iter().map(i128::from).collect(),
        })
    }

    /// The source of the contract that computes it.
    ///
    /// # Errors
    /// A model that a contract cannot compute.
    pub fn source(&self, model_id: &str) -> Result<String, ModelError> {
        match self {
            Self::Layers(model) => solidity::verifier(&DenseNetwork::new(model)?, model_id),
            Self::Trees(forest, bound) => solidity::trees(forest, *bound, model_id),
        }
    }
}

/// Computes the model of one bundle.
#[derive(Debug)]
pub struct DirectProver {
    model: Computation,
}

impl DirectProver {
    /// Of `bundle`, whose files [`Bundle::open`] has checked.
    ///
    /// # Errors
    /// A bundle without such a contract, or a model that is none.
    pub fn new(bundle: &Bundle) -> Result<Self, ProofError> {
        bundle.manifest.offer(Way::Direct)?;
        Ok(Self { model: Computation::of(bundle)? })
    }

    /// Computes again that the model maps `inputs` to `outputs`. The proof is empty.
    ///
    /// # Errors
    /// [`ProofError::Instances`], or inputs out of their bound.
    pub fn prove(&self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        let started = Instant::now();
        let computed = self.model.evaluate(inputs)?;
        let instances = public_inputs::instances(inputs, outputs);
        agree(&public_inputs::instances(inputs, &computed), &instances)?;
        let verify_ms = started.elapsed().as_secs_f64() * 1e3;
        let proof = Proof { bytes: Vec::new().into(), instances };
        Ok(Proved { proof, witness_sha256: None, witness_ms: 0.0, prove_ms: 0.0, verify_ms, reused: false })
    }

    /// Whether the contract would say yes: the proof is empty and the public inputs are what the model maps to one another.
    pub fn verify(&self, proof: &Proof) -> bool {
        let (count, bound) = self.model.inputs();
        let Some((features, outputs)) = proof.instances.split_at_checked(count) else { return false };
        let features: Option<Vec<i32>> = features.iter().map(|feature| i32::try_from(decode(*feature)?).ok()).collect();
        let outputs: Option<Vec<i128>> = outputs.iter().map(|output| decode(*output)).collect();
        let within = |features: &Vec<i32>| features.iter().all(|one| one.unsigned_abs() <= bound.unsigned_abs());
        let computed = features.filter(within).and_then(|features| self.model.evaluate(&features).ok());
        proof.bytes.is_empty() && outputs.is_some() && computed == outputs
    }
}
