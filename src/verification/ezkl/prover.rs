//! The real prover: EZKL on a checked bundle.

use std::path::PathBuf;

use alloy::primitives::{B256, U256};

use super::protocol::{CircuitFiles, Prove, Verify, Witness, Witnessed};
use super::supervisor::Ezkl;
use super::worker::Settings;
use crate::bundle::Bundle;
use crate::verification::error::ProofError;
use crate::verification::{Proved, agree, srs_of_keys};
use veriregime_core::types::field::FIELD_ORDER;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::manifest::{CIRCUIT_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFYING_KEY_FILE};
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;

/// Proves forecasts of one bundle.
#[derive(Debug)]
pub struct EzklProver {
    ezkl: Ezkl,
    input_scale: u32,
    instances: usize,
    proof_bytes: usize,
}

impl EzklProver {
    /// Starts a worker on `bundle`, whose files [`Bundle::open`] has checked, for submissions to chain `chain_id`.
    ///
    /// # Errors
    /// An SRS that is absent, not the one of the bundle's keys, or not the ceremony's on a chain that is
    /// not a development chain; a worker that does not start.
    pub async fn start(
        settings: Settings,
        bundle: &Bundle,
        srs_folder: &std::path::Path,
        chain_id: u64,
    ) -> Result<Self, ProofError> {
        let offer = bundle.manifest.offer(Way::Ezkl)?;
        let srs = srs_of_keys(&offer, srs_folder, chain_id)?;
        let mut ezkl = Ezkl::new(settings);
        ezkl.load(files(bundle, srs.path)).await?;
        Ok(Self {
            ezkl,
            input_scale: bundle.manifest.input_scale(),
            instances: offer.instances,
            proof_bytes: offer.proof_bytes,
        })
    }

    /// Proves that the circuit maps `inputs` to `outputs`; EZKL has verified the proof and its public inputs are
    /// exactly these integers.
    ///
    /// # Errors
    /// [`ProofError::Instances`], [`ProofError::Unverified`] or what the worker ran into.
    pub async fn prove(&mut self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        let made = self.ezkl.call(&Prove { row: self.reals(inputs) }).await?;
        agree(&made.instances, &instances(inputs, outputs))?;
        if !made.verified || made.proof.len() != self.proof_bytes {
            return Err(ProofError::Unverified);
        }
        Ok(Proved {
            proof: Proof { bytes: made.proof, instances: made.instances },
            witness_sha256: Some(made.witness_sha256),
            witness_ms: made.witness_ms,
            prove_ms: made.prove_ms,
            verify_ms: made.verify_ms,
            reused: false,
        })
    }

    /// Whether a proof holds. EZKL alone would let bytes behind a proof pass and reads what is not canonical
    /// differently from Solidity, so both are refused here.
    ///
    /// # Errors
    /// What the worker ran into.
    pub async fn verify(&mut self, proof: &Proof) -> Result<bool, ProofError> {
        if proof.bytes.len() != self.proof_bytes
            || proof.instances.len() != self.instances
            || proof.instances.iter().any(|instance| *instance >= FIELD_ORDER)
        {
            return Ok(false);
        }
        let instances = proof.instances.iter().map(|instance| B256::from(*instance)).collect();
        Ok(self.ezkl.call(&Verify { proof: proof.bytes.clone(), instances }).await?.valid)
    }

    /// Public inputs of each row of feature integers, from running the circuit without proving.
    ///
    /// # Errors
    /// What the worker ran into.
    pub async fn witness(&mut self, rows: &[Vec<i32>]) -> Result<Vec<Vec<U256>>, ProofError> {
        Ok(self.run(rows).await?.instances)
    }

    /// Runs the circuit on rows of feature integers without proving.
    ///
    /// # Errors
    /// What the worker ran into.
    pub async fn run(&mut self, rows: &[Vec<i32>]) -> Result<Witnessed, ProofError> {
        let rows = rows.iter().map(|row| self.reals(row)).collect();
        self.ezkl.call(&Witness { rows }).await
    }

    /// Largest resident set of the worker, in bytes.
    ///
    /// # Errors
    /// What the worker ran into.
    pub async fn peak_rss_bytes(&mut self) -> Result<u64, ProofError> {
        self.ezkl.peak_rss_bytes().await
    }

    /// Id of the worker's process, if one runs.
    pub fn process_id(&self) -> Option<u32> {
        self.ezkl.process_id()
    }

    /// Ends the worker in good order.
    pub async fn stop(&mut self) {
        self.ezkl.stop().await;
    }

    /// The integers as the real numbers that EZKL quantises back without rounding.
    fn reals(&self, inputs: &[i32]) -> Vec<f64> {
        let unit = libm::exp2(-f64::from(self.input_scale));
        inputs.iter().map(|input| f64::from(*input) * unit).collect()
    }
}

fn files(bundle: &Bundle, srs: PathBuf) -> CircuitFiles {
    CircuitFiles {
        circuit: bundle.path(CIRCUIT_FILE),
        proving_key: bundle.path(PROVING_KEY_FILE),
        verifying_key: bundle.path(VERIFYING_KEY_FILE),
        settings: bundle.path(SETTINGS_FILE),
        srs,
    }
}
