//! In the place of halo2 in a program that was built without it.
#![expect(clippy::unused_async, reason = "the real ones wait")]

use std::convert::Infallible;
use std::path::Path;

use veriregime_core::model::integer::IntegerModel;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::proof::Proof;

use super::Proved;
use super::error::ProofError;
use super::ezkl::srs::Srs;
use crate::bundle::Bundle;

const ABSENT: ProofError = ProofError::WayAbsent { way: Way::Halo2 };

/// There is none.
#[derive(Debug)]
pub struct Halo2Prover(Infallible);

impl Halo2Prover {
    /// # Errors
    /// [`ProofError::WayAbsent`].
    pub async fn start(_: &Bundle, _: &Path, _: u64) -> Result<Self, ProofError> {
        Err(ABSENT)
    }

    /// There is none that could be asked.
    ///
    /// # Errors
    /// None.
    pub async fn prove(&self, _: &[i32], _: &[i128]) -> Result<Proved, ProofError> {
        match self.0 {}
    }

    /// There is none that could be asked.
    ///
    /// # Errors
    /// None.
    pub async fn verify(&self, _: &Proof) -> Result<bool, ProofError> {
        match self.0 {}
    }

    /// There is none that could be asked.
    pub fn key_bytes(&self) -> usize {
        match self.0 {}
    }
}

/// As the real one.
#[derive(Debug)]
pub struct Circuit {
    pub logrows: u32,
    pub proof_bytes: usize,
    pub verifying_key_sha256: Digest,
    pub srs: Srs,
    pub source: String,
}

/// # Errors
/// [`ProofError::WayAbsent`].
pub fn logrows(_: &IntegerModel) -> Result<u32, ProofError> {
    Err(ABSENT)
}

/// # Errors
/// [`ProofError::WayAbsent`].
pub async fn circuit(_: IntegerModel, _: &Path) -> Result<Circuit, ProofError> {
    Err(ABSENT)
}
