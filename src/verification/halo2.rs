//! Proofs of this project's own circuit, made in this process: no other program, no file of keys.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use veriregime_core::model::integer::IntegerModel;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs::instances;
use veriregime_halo2::prover::{PROOF_BYTES, row_bits};
use veriregime_halo2::srs::Srs as ReferenceString;
use veriregime_halo2::{Halo2Error, Keys, solidity};

use super::error::ProofError;
use super::ezkl::srs::Srs;
use super::{Proved, agree, srs_of_keys};
use crate::bundle::Bundle;

/// Largest SRS, which is of more rows than the circuit is offered.
const MAX_SRS_BYTES: u64 = 64 << 20;

/// Proves forecasts of one bundle.
#[derive(Debug)]
pub struct Halo2Prover {
    keys: Arc<Keys>,
}

impl Halo2Prover {
    /// Makes the keys of `bundle`, whose files [`Bundle::open`] has checked, for submissions to chain `chain_id`.
    ///
    /// # Errors
    /// An SRS that is absent, not the one of the bundle's keys, or not the ceremony's on a chain that is not a development
    /// chain; [`ProofError::ForeignKeys`] where network and SRS give other keys than the manifest says.
    pub async fn start(bundle: &Bundle, srs_folder: &Path, chain_id: u64) -> Result<Self, ProofError> {
        let offer = bundle.manifest.offer(Way::Halo2)?;
        let srs = srs_of_keys(&offer, srs_folder, chain_id)?;
        let model = bundle.integer_model()?;
        let keys = blocking(move || keys(&model, &srs)).await?;
        let found = Digest::of(&keys.verifying_key());
        match offer.verifying_key_sha256 {
            Some(expected) if expected != found => Err(ProofError::ForeignKeys { found, expected }),
            _ => Ok(Self { keys: Arc::new(keys) }),
        }
    }

    /// Proves that the network maps `inputs` to `outputs`; the proof has been verified and its public inputs are exactly
    /// these integers.
    ///
    /// # Errors
    /// [`ProofError::Instances`], or [`ProofError::Halo2`].
    pub async fn prove(&self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        let (keys, features) = (self.keys.clone(), inputs.to_vec());
        let (made, prove_ms, verify_ms) = blocking(move || {
            let started = Instant::now();
            let proof = keys.prove(&features)?;
            let proven = Instant::now();
            keys.verify(&proof.bytes, &proof.instances)?;
            let verify_ms = proven.elapsed().as_secs_f64() * 1e3;
            Ok((proof, (proven - started).as_secs_f64() * 1e3, verify_ms))
        })
        .await?;
        agree(&made.instances, &instances(inputs, outputs))?;
        let proof = Proof { bytes: made.bytes.into(), instances: made.instances };
        Ok(Proved { proof, witness_sha256: None, witness_ms: 0.0, prove_ms, verify_ms, reused: false })
    }

    /// Whether a proof holds.
    ///
    /// # Errors
    /// A task that broke off.
    pub async fn verify(&self, proof: &Proof) -> Result<bool, ProofError> {
        let (keys, proof) = (self.keys.clone(), proof.clone());
        match blocking(move || Ok(keys.verify(&proof.bytes, &proof.instances)?)).await {
            Err(ProofError::Halo2(Halo2Error::Rejected { .. } | Halo2Error::Count { .. })) => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// Bytes of the keys in memory.
    pub fn key_bytes(&self) -> usize {
        self.keys.key_bytes()
    }
}

/// The circuit of a network, and the source of its verifier.
#[derive(Debug)]
pub struct Circuit {
    /// log2 of its rows.
    pub logrows: u32,
    /// Length of a proof.
    pub proof_bytes: usize,
    /// Digest of the verifying key.
    pub verifying_key_sha256: Digest,
    /// The SRS of the keys.
    pub srs: Srs,
    /// The verifier's source.
    pub source: String,
}

/// log2 of the rows that the circuit of a network needs.
///
/// # Errors
/// [`ProofError::Halo2`] for a network that has no such circuit.
pub fn logrows(model: &IntegerModel) -> Result<u32, ProofError> {
    Ok(row_bits(model)?)
}

/// The circuit of a network with the SRS in `srs_folder`, tried with one proof of zeros.
///
/// # Errors
/// A network that has no such circuit, or an SRS that is absent or damaged.
pub async fn circuit(model: IntegerModel, srs_folder: &Path) -> Result<Circuit, ProofError> {
    let logrows = logrows(&model)?;
    let srs = Srs::open(srs_folder, logrows)?;
    let of_keys = srs.clone();
    let (verifying_key_sha256, source) = blocking(move || {
        let keys = keys(&model, &of_keys)?;
        let layout = model.layout();
        let proof = keys.prove(&vec![0; layout.markets * layout.features])?;
        keys.verify(&proof.bytes, &proof.instances)?;
        Ok((Digest::of(&keys.verifying_key()), solidity::verifier(&keys)?))
    })
    .await?;
    Ok(Circuit { logrows, proof_bytes: PROOF_BYTES, verifying_key_sha256, srs, source })
}

fn keys(model: &IntegerModel, srs: &Srs) -> Result<Keys, ProofError> {
    let bytes = veriregime_files::read_bounded(&srs.path, MAX_SRS_BYTES)?;
    srs.expect(Digest::of(&bytes))?;
    Ok(Keys::new(model, ReferenceString::parse(&bytes)?)?)
}

/// Milliseconds of all cores, away from what answers to others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ProofError> + Send + 'static,
) -> Result<T, ProofError> {
    let broke_off = |error: tokio::task::JoinError| {
        ProofError::Halo2(Halo2Error::Prover { detail: format!("the proof broke off: {error}") })
    };
    tokio::task::spawn_blocking(work).await.map_err(broke_off)?
}
