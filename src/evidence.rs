//! The folder of evidence bundles: each file is named by the digest of what it holds, and holds it compressed.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use thiserror::Error;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::evidence::{Evidence, FORMAT};
use veriregime_files::FileError;

/// Largest bundle: eight markets, each with two months of candles.
pub const MAX_BYTES: u64 = 64 << 20;
/// How every gzip file begins.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why evidence cannot be written or read.
#[derive(Debug, Error)]
pub enum EvidenceError {
    /// The file system fails.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is there is not an evidence bundle of this form.
    #[error("{name} is no evidence bundle: {reason}")]
    Malformed { name: String, reason: String },
    /// The content is not what its name says.
    #[error("the evidence {expected} has another digest: {found}")]
    Altered { expected: Digest, found: Digest },
    /// It is of a model whose bundle is not at hand.
    #[error("the evidence is of the model with manifest {wanted}; the bundle in {} has {found}, and none beside it that one", bundle.display())]
    OtherModel { wanted: Digest, found: Digest, bundle: PathBuf },
}

impl Diagnostic for EvidenceError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(fault) => fault.code(),
            Self::Malformed { .. } => "VR-EVIDENCE-001",
            Self::Altered { .. } => "VR-EVIDENCE-002",
            Self::OtherModel { .. } => "VR-EVIDENCE-003",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::File(fault) => fault.hint(),
            Self::Malformed { .. } => "fetch it again, or use the version of this program that wrote it",
            Self::Altered { .. } => "do not trust it; fetch it again from its node or from another one",
            Self::OtherModel { .. } => "get that model's bundle and name it with --model",
        }
    }
}

/// Where bundles are kept.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    path: PathBuf,
}

impl EvidenceStore {
    /// The bundles below `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file of a bundle, whether it is there or not: gzip of the JSON that the digest is of.
    pub fn file(&self, digest: Digest) -> PathBuf {
        self.path.join(format!("{digest}.json.gz"))
    }

    /// Removes what a crash in the middle of a write has left. For the one who writes here, before anything is written.
    ///
    /// # Errors
    /// [`EvidenceError::File`].
    pub fn tidy(&self) -> Result<(), EvidenceError> {
        Ok(veriregime_files::remove_partial_files(&self.path)?)
    }

    /// Keeps a bundle. To keep it again changes nothing.
    ///
    /// # Errors
    /// [`EvidenceError::File`].
    pub fn write(&self, evidence: &Evidence) -> Result<Digest, EvidenceError> {
        let bytes = serde_json::to_vec(evidence).expect("evidence has only names, numbers and lists");
        let digest = Digest::of(&bytes);
        veriregime_files::create_folder(&self.path)?;
        veriregime_files::write_atomic_with(&self.file(digest), |file| {
            let mut encoder = GzEncoder::new(file, Compression::default());
            encoder.write_all(&bytes)?;
            encoder.finish().map(|_| ())
        })?;
        Ok(digest)
    }

    /// The bytes of a bundle's file, as they are.
    ///
    /// # Errors
    /// [`EvidenceError::File`].
    pub fn read_file(&self, digest: Digest) -> Result<Vec<u8>, EvidenceError> {
        Ok(veriregime_files::read_bounded(&self.file(digest), MAX_BYTES)?)
    }

    /// Deletes a bundle; one that is not there is as good as deleted.
    ///
    /// # Errors
    /// [`EvidenceError::File`].
    pub fn remove(&self, digest: Digest) -> Result<(), EvidenceError> {
        Ok(veriregime_files::remove_file(&self.file(digest))?)
    }
}

/// Reads the bundle in a file, compressed or not, and gives its digest with it. A file whose name is a digest must hold
/// just that.
///
/// # Errors
/// [`EvidenceError`].
pub fn read(path: &Path) -> Result<(Digest, Evidence), EvidenceError> {
    parse(path, veriregime_files::read_bounded(path, MAX_BYTES)?)
}

/// As [`read`], of a file's bytes.
///
/// # Errors
/// [`EvidenceError::Malformed`] or [`EvidenceError::Altered`].
pub fn parse(path: &Path, mut bytes: Vec<u8>) -> Result<(Digest, Evidence), EvidenceError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let malformed = |reason: String| EvidenceError::Malformed { name: path.display().to_string(), reason };
    if bytes.starts_with(&GZIP_MAGIC) {
        let mut content = Vec::new();
        let decoder = GzDecoder::new(bytes.as_slice());
        decoder.take(MAX_BYTES + 1).read_to_end(&mut content).map_err(|error| malformed(error.to_string()))?;
        if content.len() as u64 > MAX_BYTES {
            return Err(malformed(format!("it unpacks to more than {MAX_BYTES} bytes")));
        }
        bytes = content;
    }
    let found = Digest::of(&bytes);
    let named = name.split('.').next().and_then(|stem| stem.parse().ok());
    if let Some(expected) = named.filter(|expected| *expected != found) {
        return Err(EvidenceError::Altered { expected, found });
    }
    let evidence: Evidence = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    if evidence.format != FORMAT {
        return Err(malformed(format!("its form is {}, this program knows {FORMAT}", evidence.format)));
    }
    Ok((found, evidence))
}
