//! What a bundle needs to be verified without EZKL: a verifier, and what the manifest says of it.

use std::path::Path;

use alloy::primitives::keccak256;

use super::compiler::{Compiled, Compiler, Target};
use super::direct::{self, Computation};
use super::error::ProofError;
use super::halo2;
use crate::bundle::Bundle;
use crate::bundle::error::BundleError;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::verification::{DirectContract, Halo2Circuit, Way};
use veriregime_core::types::manifest::{
    DIRECT_BYTECODE_FILE, DIRECT_VERIFIER_FILE, HALO2_BYTECODE_FILE, HALO2_VERIFIER_FILE, Manifest,
};

/// A verifier that no bundle has yet.
#[derive(Debug, Clone)]
pub struct Made {
    source: String,
    /// Its code.
    pub compiled: Compiled,
    entry: Entry,
}

/// What the manifest will say.
#[derive(Debug, Clone)]
enum Entry {
    Halo2(Halo2Circuit),
    Direct(DirectContract),
}

/// Makes the verifier of a bundle's network for a way that is not EZKL's, which has a module of its own. From the same network and SRS
/// the same bytes come out.
///
/// # Errors
/// A network that the way cannot do, an SRS that is absent, or what keeps the verifier from being compiled.
pub async fn make(bundle: &Bundle, way: Way, srs_folder: &Path, compiler: &Compiler) -> Result<Made, ProofError> {
    bundle.manifest.permit(way)?;
    let instances = bundle.manifest.instances();
    match way {
        Way::Ezkl => Err(ManifestError::NoVerification { way }.into()),
        Way::Halo2 => {
            let circuit = halo2::circuit(bundle.integer_model()?, srs_folder).await?;
            let compiled = compiler.compile(circuit.source.as_bytes(), Target::CHEAP).await?;
            let entry = Halo2Circuit {
                logrows: circuit.logrows,
                instances,
                proof_bytes: circuit.proof_bytes,
                verifying_key_sha256: circuit.verifying_key_sha256,
                srs_sha256: circuit.srs.digest,
                srs_is_ceremony: circuit.srs.is_ceremony,
                verifier_code_hash: keccak256(&compiled.deployed_bytecode),
                verify_gas: None,
            };
            Ok(Made { source: circuit.source, compiled, entry: Entry::Halo2(entry) })
        }
        Way::Direct => {
            let source = Computation::of(bundle)?.source(&bundle.manifest.model_id)?;
            let compiled = compiler.compile(source.as_bytes(), direct::TARGET).await?;
            let verifier_code_hash = keccak256(&compiled.deployed_bytecode);
            let entry = DirectContract { instances, verifier_code_hash, verify_gas: None };
            Ok(Made { source, compiled, entry: Entry::Direct(entry) })
        }
    }
}

impl Made {
    /// Notes the gas of a transaction that only asks the verifier.
    pub fn set_verify_gas(&mut self, gas: u64) {
        match &mut self.entry {
            Entry::Halo2(circuit) => circuit.verify_gas = Some(gas),
            Entry::Direct(contract) => contract.verify_gas = Some(gas),
        }
    }

    /// Writes it into `folder`, which has the other files of `manifest`, and seals the bundle there.
    ///
    /// # Errors
    /// What cannot be written, or a bundle that is not right.
    pub fn seal(self, folder: &Path, mut manifest: Manifest) -> Result<Bundle, BundleError> {
        let (source_file, bytecode_file) = match self.entry {
            Entry::Halo2(circuit) => {
                manifest.verification.halo2 = Some(circuit);
                (HALO2_VERIFIER_FILE, HALO2_BYTECODE_FILE)
            }
            Entry::Direct(contract) => {
                manifest.verification.direct = Some(contract);
                (DIRECT_VERIFIER_FILE, DIRECT_BYTECODE_FILE)
            }
        };
        veriregime_files::write_atomic(&folder.join(source_file), self.source.as_bytes())?;
        veriregime_files::write_atomic(&folder.join(bytecode_file), self.compiled.bytecode.to_string().as_bytes())?;
        Bundle::seal(folder, manifest)
    }
}
