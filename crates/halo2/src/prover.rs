//! Keys, proofs and their local check.

use alloy::primitives::U256;
use halo2_axiom::SerdeFormat;
use halo2_axiom::halo2curves::bn256::{Bn256, Fr, G1Affine};
use halo2_axiom::plonk::{ProvingKey, create_proof, keygen_pk, keygen_vk, verify_proof};
use halo2_axiom::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_axiom::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_axiom::poly::kzg::strategy::SingleStrategy;
use halo2_axiom::transcript::{TranscriptReadBuffer, TranscriptWriterBuffer};
use rand_core::OsRng;
use rayon::{ThreadPool, ThreadPoolBuilder};
use snark_verifier::loader::native::NativeLoader;
use snark_verifier::system::halo2::transcript::evm::{ChallengeEvm, EvmTranscript};
use veriregime_core::model::integer::IntegerModel;

use crate::Halo2Error;
use crate::circuit::NetworkCircuit;
use crate::field::{from_integer, from_word, to_word};
use crate::srs::Srs;
use crate::table::Table;
use crate::transcript::Sparse;

/// Points of a proof: two columns, halo2's random polynomial, two pieces of the quotient, two of the opening.
const POINTS: usize = 7;
/// Values of a proof: two columns at two rows each, three fixed columns, the random polynomial.
const EVALUATIONS: usize = 8;
/// Length of every proof.
pub const PROOF_BYTES: usize = 64 * POINTS + 32 * EVALUATIONS;

/// What proves and verifies one network. Made anew from network and reference string whenever needed: no file of keys
/// has to be kept or trusted.
#[derive(Debug)]
pub struct Keys {
    pub(crate) table: Table,
    pub(crate) srs: Srs,
    pub(crate) proving: ProvingKey<G1Affine>,
    /// One thread: work of microseconds costs more to hand out than to do, and other provers have cores of their own.
    thread: ThreadPool,
}

/// A proof with what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The proof.
    pub bytes: Vec<u8>,
    /// The public inputs: features of all markets, then outputs of all markets.
    pub instances: Vec<U256>,
}

/// log2 of the rows that a model needs: the `N` of its reference string `kzgN.srs`.
///
/// # Errors
/// [`Halo2Error::Unsupported`], [`Halo2Error::Constant`] or [`Halo2Error::TooLarge`].
pub fn row_bits(model: &IntegerModel) -> Result<u32, Halo2Error> {
    Ok(Table::of(model)?.row_bits)
}

impl Keys {
    /// Keys of a model.
    ///
    /// # Errors
    /// What [`row_bits`] reports, [`Halo2Error::SrsSize`] or [`Halo2Error::Prover`].
    pub fn new(model: &IntegerModel, srs: Srs) -> Result<Self, Halo2Error> {
        Self::of_table(Table::of(model)?, srs)
    }

    fn of_table(table: Table, srs: Srs) -> Result<Self, Halo2Error> {
        if srs.row_bits() != table.row_bits {
            return Err(Halo2Error::SrsSize { found: srs.row_bits(), needed: table.row_bits });
        }
        let circuit = NetworkCircuit { table: &table, witness: None };
        let thread = ThreadPoolBuilder::new().num_threads(1).build();
        let thread = thread.map_err(|error| Halo2Error::Prover { detail: error.to_string() })?;
        let proving = thread.install(|| {
            let verifying = keygen_vk(srs.params(), &circuit)?;
            keygen_pk(srs.params(), verifying, &circuit)
        });
        Ok(Self { proving: proving.map_err(failed)?, table, srs, thread })
    }

    /// The circuit's constants.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The verifying key as bytes: the same for the same network and reference string, whoever makes them.
    pub fn verifying_key(&self) -> Vec<u8> {
        self.proving.get_vk().to_bytes(SerdeFormat::RawBytes)
    }

    /// Size of the proving key, the verifying key in it.
    pub fn key_bytes(&self) -> usize {
        self.proving.to_bytes(SerdeFormat::RawBytes).len()
    }

    /// Proves what the network makes of feature integers. Their bound is the caller's to check.
    ///
    /// # Errors
    /// [`Halo2Error::Count`] or [`Halo2Error::Prover`].
    pub fn prove(&self, features: &[i32]) -> Result<Proof, Halo2Error> {
        let features: Vec<Fr> = features.iter().map(|feature| from_integer(i128::from(*feature))).collect();
        let outputs = self.table.evaluate(&features)?;
        let bytes = self.prove_claim(&features, &outputs)?;
        Ok(Proof { bytes, instances: features.iter().chain(&outputs).map(to_word).collect() })
    }

    /// A proof of outputs that are claimed, right or not; one of wrong outputs does not verify.
    fn prove_claim(&self, features: &[Fr], outputs: &[Fr]) -> Result<Vec<u8>, Halo2Error> {
        let circuit = NetworkCircuit { table: &self.table, witness: Some(self.table.witness(features, outputs)?) };
        let public = self.table.public(features, outputs)?;
        let prove = || {
            let transcript: EvmTranscript<G1Affine, NativeLoader, Vec<u8>, Vec<u8>> =
                TranscriptWriterBuffer::<Vec<u8>, G1Affine, ChallengeEvm<G1Affine>>::init(Vec::new());
            let mut transcript = Sparse::new(transcript, &self.table);
            create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
                self.srs.params(),
                &self.proving,
                &[circuit],
                &[&[&public]],
                OsRng,
                &mut transcript,
            )?;
            Ok(transcript.into_inner().finalize())
        };
        self.thread.install(prove).map_err(failed)
    }

    /// Checks a proof as the contract does: the same public inputs, the same length, canonical numbers.
    ///
    /// # Errors
    /// [`Halo2Error::Count`] or [`Halo2Error::Rejected`].
    pub fn verify(&self, proof: &[u8], instances: &[U256]) -> Result<(), Halo2Error> {
        let rejected = |detail: &str| Halo2Error::Rejected { detail: detail.to_owned() };
        let needed = self.table.instances();
        if instances.len() != needed {
            return Err(Halo2Error::Count { given: instances.len(), needed });
        }
        if proof.len() != PROOF_BYTES {
            return Err(rejected(&format!("it has {} bytes instead of {PROOF_BYTES}", proof.len())));
        }
        let public: Option<Vec<Fr>> = instances.iter().map(from_word).collect();
        let public = public.ok_or_else(|| rejected("a public input is not below the field's modulus"))?;
        let (features, outputs) = public.split_at(self.table.markets * self.table.features);
        let public = self.table.public(features, outputs)?;
        let params = self.srs.params();
        let verify = || {
            let transcript: EvmTranscript<G1Affine, NativeLoader, &[u8], Vec<u8>> =
                TranscriptReadBuffer::<&[u8], G1Affine, ChallengeEvm<G1Affine>>::init(proof);
            let mut transcript = Sparse::new(transcript, &self.table);
            verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
                params,
                self.proving.get_vk(),
                SingleStrategy::new(params),
                &[&[&public]],
                &mut transcript,
            )
        };
        self.thread.install(verify).map_err(|error| rejected(&error.to_string()))
    }
}

fn failed(error: halo2_axiom::plonk::Error) -> Halo2Error {
    Halo2Error::Prover { detail: error.to_string() }
}
