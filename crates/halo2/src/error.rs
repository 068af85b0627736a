//! Why a network cannot be proven, or a proof does not hold.

use thiserror::Error;
use veriregime_core::types::diagnostic::Diagnostic;

/// What can go wrong between a network and an accepted proof.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Halo2Error {
    /// The circuit has no gate for an operation.
    #[error("step {step} of the network is {operation}, which the halo2 circuit cannot prove")]
    Unsupported { step: usize, operation: &'static str },
    /// The outputs do not depend on the features through any square.
    #[error("the network's outputs are constant, there is nothing to prove")]
    Constant,
    /// The circuit would need a larger domain than is offered.
    #[error("the network needs {rows} rows, more than the {most} of the largest domain")]
    TooLarge { rows: usize, most: usize },
    /// The bytes are no structured reference string.
    #[error("the reference string cannot be read: {detail}")]
    Srs { detail: String },
    /// The reference string is for another number of rows.
    #[error("the reference string is for 2^{found} rows, the network needs 2^{needed}")]
    SrsSize { found: u32, needed: u32 },
    /// Keys or a proof could not be made.
    #[error("halo2: {detail}")]
    Prover { detail: String },
    /// Not the number of features, or of public inputs, that the network has.
    #[error("{given} numbers were given, the network takes {needed}")]
    Count { given: usize, needed: usize },
    /// The proof does not show these public inputs.
    #[error("the proof is not accepted: {detail}")]
    Rejected { detail: String },
    /// The generated verifier does not look as this version of its generator writes it.
    #[error("the generated verifier is not as expected: {detail}")]
    Generator { detail: String },
    /// The processor lacks what the arithmetic is compiled for.
    #[error("this processor lacks the instructions ADX and BMI2, which the proof's arithmetic takes")]
    Processor,
}

impl Diagnostic for Halo2Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "VR-HALO-001",
            Self::Constant => "VR-HALO-002",
            Self::TooLarge { .. } => "VR-HALO-003",
            Self::Srs { .. } => "VR-HALO-004",
            Self::SrsSize { .. } => "VR-HALO-005",
            Self::Prover { .. } => "VR-HALO-006",
            Self::Count { .. } => "VR-HALO-007",
            Self::Rejected { .. } => "VR-HALO-008",
            Self::Generator { .. } => "VR-HALO-009",
            Self::Processor => "VR-HALO-010",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "train the network with square activations, or let EZKL prove it",
            Self::Constant => "restore the model bundle: its weights are all zero",
            Self::TooLarge { .. } => "train a smaller network, or let EZKL prove it",
            Self::Srs { .. } => "copy the ceremony's file again and compare its sha256",
            Self::SrsSize { .. } => "take the ceremony's file kzgN.srs with the N that the network needs",
            Self::Count { .. } => "compute the features with the manifest of this very model",
            Self::Rejected { .. } => "prove again; if it persists, the keys are of another network or reference string",
            Self::Processor => "run this on an x86-64 processor made after 2014, or choose another way of verification",
            Self::Prover { .. } | Self::Generator { .. } => "report this with the model bundle; nothing was submitted",
        }
    }
}
