//! Why a key cannot be used.

use std::path::PathBuf;

use alloy::primitives::Address;
use thiserror::Error;

use veriregime_core::types::diagnostic::Diagnostic;

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Hex digits that are no private key.
    #[error("the digits are not a valid private key")]
    NotAKey,
    /// A key that somebody pipes in and that is none, or a terminal instead of a pipe.
    #[error("the piped key cannot be read: {reason}")]
    Piped { reason: &'static str },
    /// A keystore that the passphrase does not open, or that is none.
    #[error("keystore {} cannot be opened: {reason}", path.display())]
    Keystore { path: PathBuf, reason: String },
    /// A keystore of a form that is not known here.
    #[error("keystore {} is of a form that is not supported: {reason}", path.display())]
    KeystoreForm { path: PathBuf, reason: String },
    /// A keystore that names another address than its key has.
    #[error("keystore {} says that it is of {named}, and its key is that of {actual}", path.display())]
    KeystoreAddress { path: PathBuf, named: Address, actual: Address },
    /// A kind of signer that was not compiled in.
    #[error("signers of kind {kind} are not in this build")]
    NotInThisBuild { kind: &'static str },
    /// The key service or the device does not do what it is asked.
    #[error("{holder} does not give the key: {reason}")]
    Holder { holder: &'static str, reason: String },
    /// Another key than the settings name.
    #[error("the key is that of {actual}, the settings name {configured}")]
    OtherAddress { configured: Address, actual: Address },
    /// There is a file already where a key was to be written.
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    /// A key that a person has to confirm each signature of.
    #[error("a ledger asks a person for each signature: it can deploy, and nothing else")]
    DeployOnly,
}

impl Diagnostic for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotAKey | Self::Piped { .. } => "VR-KEY-003",
            Self::Keystore { .. } => "VR-KEY-004",
            Self::NotInThisBuild { .. } => "VR-KEY-005",
            Self::Holder { .. } => "VR-KEY-006",
            Self::OtherAddress { .. } => "VR-KEY-007",
            Self::Exists { .. } => "VR-KEY-008",
            Self::DeployOnly => "VR-KEY-009",
            Self::KeystoreForm { .. } => "VR-KEY-010",
            Self::KeystoreAddress { .. } => "VR-KEY-011",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotAKey => "write the key as 64 hex digits, with or without 0x, and nothing else",
            Self::Keystore { .. } => {
                "check that the passphrase file belongs to this keystore, and that the keystore is whole"
            }
            Self::KeystoreForm { .. } => {
                "open it with the program that made it, and write its key anew with `veriregime-agent key import`"
            }
            Self::KeystoreAddress { .. } => {
                "do not use it before you know which of the two is yours; take the keystore from your copy"
            }
            Self::Piped { .. } => "pipe 64 hex digits in, or name their file with --from",
            Self::NotInThisBuild { .. } => "build with --features kms-aws, kms-gcp or ledger, or choose another kind",
            Self::Holder { .. } => {
                "check key, credentials and network, or that the device is unlocked with its Ethereum app open"
            }
            Self::OtherAddress { .. } => "correct the key or the address of the section, whichever is wrong",
            Self::Exists { .. } => "name another file, or move that one away: keys are never overwritten",
            Self::DeployOnly => "use the ledger in settings of its own for `deploy`, and another kind for the node",
        }
    }
}
