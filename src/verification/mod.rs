//! Ways to convince a chain that a model was run: EZKL in a supervised child process, halo2 in this one, a contract that
//! computes the network itself; and a mock for dry runs.
//!
//! The prover trusts nobody: it compares the public inputs of each proof with the forecast that was asked for, and hands out
//! no proof that does not verify.

pub mod compiler;
pub mod direct;
pub mod error;
pub mod ezkl;
#[cfg_attr(not(feature = "halo2"), path = "halo2_absent.rs")]
pub mod halo2;
pub mod mock;
pub mod set_up;
pub mod shared;

use std::path::Path;

use alloy::primitives::U256;

use direct::DirectProver;
use error::ProofError;
use ezkl::prover::EzklProver;
use ezkl::srs::Srs;
use halo2::Halo2Prover;
use mock::MockProver;

use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::verification::{Offer, Way};
use veriregime_core::types::proof::Proof;

/// A proof and what it took.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The proof with its public inputs.
    pub proof: Proof,
    /// Digest of EZKL's witness; `None` where it was not EZKL that proved.
    pub witness_sha256: Option<Digest>,
    /// Time to run the circuit, in ms.
    pub witness_ms: f64,
    /// Time to prove, in ms.
    pub prove_ms: f64,
    /// Time to verify locally, in ms.
    pub verify_ms: f64,
    /// Whether it was proved before, for another job; the times are those of then.
    pub reused: bool,
}

/// Whatever turns a forecast into a proof.
#[derive(Debug)]
pub enum Prover {
    /// EZKL.
    Ezkl(Box<EzklProver>),
    /// halo2 in this process.
    Halo2(Halo2Prover),
    /// A contract that computes the network.
    Direct(DirectProver),
    /// Nothing is proven.
    Mock(MockProver),
}

impl Prover {
    /// Its name in settings and figures.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ezkl(_) => Way::Ezkl.name(),
            Self::Halo2(_) => Way::Halo2.name(),
            Self::Direct(_) => Way::Direct.name(),
            Self::Mock(_) => "mock",
        }
    }

    /// Proves that the model maps the feature integers `inputs` (all markets) to the circuit's `outputs` (all markets).
    ///
    /// # Errors
    /// Each variant of [`ProofError`] says when; none leaves the prover unusable for the next call.
    pub async fn prove(&mut self, inputs: &[i32], outputs: &[i128]) -> Result<Proved, ProofError> {
        match self {
            Self::Ezkl(prover) => prover.prove(inputs, outputs).await,
            Self::Halo2(prover) => prover.prove(inputs, outputs).await,
            Self::Direct(prover) => prover.prove(inputs, outputs),
            Self::Mock(prover) => Ok(prover.prove(inputs, outputs)),
        }
    }

    /// Whether a proof holds under the bundle's key.
    ///
    /// # Errors
    /// When that could not be found out.
    pub async fn verify(&mut self, proof: &Proof) -> Result<bool, ProofError> {
        match self {
            Self::Ezkl(prover) => prover.verify(proof).await,
            Self::Halo2(prover) => prover.verify(proof).await,
            Self::Direct(prover) => Ok(prover.verify(proof)),
            Self::Mock(prover) => Ok(prover.verify(proof)),
        }
    }

    /// Digest of EZKL's witness of the feature integers `inputs`; `None` where it is not EZKL that proves.
    ///
    /// # Errors
    /// When the circuit could not be run.
    pub async fn witness_sha256(&mut self, inputs: &[i32]) -> Result<Option<Digest>, ProofError> {
        match self {
            Self::Ezkl(prover) => Ok(prover.run(&[inputs.to_vec()]).await?.witness_sha256.pop()),
            Self::Halo2(_) | Self::Direct(_) | Self::Mock(_) => Ok(None),
        }
    }

    /// Ends whatever runs for it.
    pub async fn stop(&mut self) {
        if let Self::Ezkl(prover) = self {
            prover.stop().await;
        }
    }
}

/// The SRS that the keys behind `offer` were made from, for proofs on chain `chain_id`.
///
/// # Errors
/// One that is absent, another one, or not the ceremony's on a chain that is not a development chain; a way without keys.
pub fn srs_of_keys(offer: &Offer, folder: &Path, chain_id: u64) -> Result<Srs, ProofError> {
    let keys = offer.srs.ok_or(ManifestError::NoVerification { way: offer.way })?;
    let srs = Srs::open(folder, keys.logrows)?;
    srs.permit(chain_id)?;
    srs.expect(keys.sha256)?;
    Ok(srs)
}

/// Compares public inputs one by one.
fn agree(found: &[U256], expected: &[U256]) -> Result<(), ProofError> {
    let absent = || "absent".to_owned();
    (0..found.len().max(expected.len())).try_for_each(|index| {
        let (found, expected) = (found.get(index), expected.get(index));
        if found == expected {
            return Ok(());
        }
        Err(ProofError::Instances {
            index,
            found: found.map_or_else(absent, U256::to_string),
            expected: expected.map_or_else(absent, U256::to_string),
        })
    })
}

#[cfg(test)]
mod tests {
    use veriregime_core::types::diagnostic::Diagnostic;

    use super::*;

    #[test]
    fn public_inputs_must_agree_in_value_and_number() {
        let [one, two] = [1_u8, 2].map(U256::from);
        assert!(agree(&[one, two], &[one, two]).is_ok());
        for (found, expected) in
            [(vec![one, one], vec![one, two]), (vec![one], vec![one, two]), (vec![one, two], vec![one])]
        {
            let fault = agree(&found, &expected).expect_err("they differ");
            assert!(matches!(fault, ProofError::Instances { index: 1, .. }));
            assert_eq!(fault.code(), "VR-PROVE-014");
        }
    }
}
