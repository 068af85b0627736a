//! Why a bundle is not usable.

use std::path::PathBuf;

use thiserror::Error;

use veriregime_core::model::ModelError;
use veriregime_core::trees::error::TreesError;
use veriregime_core::types::diagnostic::{Diagnostic, Retry};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_files::FileError;

/// What is wrong with a bundle on disk.
#[derive(Debug, Error)]
pub enum BundleError {
    /// A file of the bundle is not the one that the manifest names.
    #[error("{} has digest {found}, the manifest says {expected}", path.display())]
    Digest { path: PathBuf, found: Digest, expected: Digest },
    /// A file of the bundle is absent.
    #[error("{} is missing", path.display())]
    Missing { path: PathBuf },
    /// The manifest cannot be understood or contradicts itself.
    #[error("{} is not a valid manifest: {reason}", path.display())]
    Manifest { path: PathBuf, reason: String },
    /// A bundle with a manifest of schema 1.
    #[error("{0} is a bundle of schema 1: run `veriregime-agent models upgrade {0}`", folder.display())]
    OldManifest { folder: PathBuf },
    /// A bundle that needs no upgrade.
    #[error("{} is of the present schema already", path.display())]
    NotOld { path: PathBuf },
    /// A folder that holds a bundle already.
    #[error("{} holds a bundle already", folder.display())]
    Occupied { folder: PathBuf },
    /// A model of another kind than is asked for.
    #[error(transparent)]
    Kind(#[from] ManifestError),
    /// A network that is not what the manifest says.
    #[error(transparent)]
    Network(#[from] ModelError),
    /// Trees that are none.
    #[error("{}: {error}", path.display())]
    Trees { path: PathBuf, error: TreesError },
    /// A bundle that another EZKL made.
    #[error("{} was made by EZKL {found}, this program proves with {expected}", path.display())]
    ForeignBundle { path: PathBuf, found: String, expected: String },
    /// The settings that the circuit was made with are not those of the manifest.
    #[error("{} says {found} for {name}, the manifest {expected}", path.display())]
    RunArgument { path: PathBuf, name: String, found: String, expected: String },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Diagnostic for BundleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "VR-PROVE-003",
            Self::Missing { .. } => "VR-PROVE-004",
            Self::Manifest { .. } => "VR-PROVE-005",
            Self::OldManifest { .. } => ManifestError::OldSchema.code(),
            Self::NotOld { .. } => "VR-MANIFEST-005",
            Self::Occupied { .. } => "VR-MANIFEST-006",
            Self::Kind(error) => error.code(),
            Self::Network(error) => error.code(),
            Self::Trees { error, .. } => error.code(),
            Self::ForeignBundle { .. } => "VR-PROVE-019",
            Self::RunArgument { .. } => "VR-PROVE-020",
            Self::File(error) => error.code(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Digest { .. } | Self::Missing { .. } | Self::Manifest { .. } | Self::RunArgument { .. } => {
                "restore the bundle from where it was published; never edit its files"
            }
            Self::OldManifest { .. } => "the command converts it in place, or with --to FOLDER into another one",
            Self::NotOld { .. } => "nothing: use it as it is",
            Self::Occupied { .. } => "name another folder with --to",
            Self::Kind(error) => error.hint(),
            Self::Network(error) => error.hint(),
            Self::Trees { error, .. } => error.hint(),
            Self::ForeignBundle { .. } => {
                "take a bundle that was made for this version of the program, or make it anew with `train`"
            }
            Self::File(error) => error.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::File(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}
