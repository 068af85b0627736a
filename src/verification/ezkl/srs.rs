//! SRS files by folder: `kzg<k>.srs`, checked against the public ceremony's digests.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

use super::protocol::{DownloadSrs, GenerateSrs};
use super::supervisor::Ezkl;
use crate::verification::error::ProofError;
use veriregime_core::types::chain_id::is_development;
use veriregime_core::types::digest::Digest;
use veriregime_files::FileError;

/// SHA-256 of the perpetual-powers-of-tau strings in EZKL's format, by log2 of their size, as EZKL itself lists them.
pub const CEREMONY: [(u32, &str); 15] = [
    (6, "85030b2924111fc60acaf4fb8a7bad89531fbe0271aeab0c21e545f71eee273d"),
    (7, "e65f95150519fe01c2bedf8f832f5249822ef84c9c017307419e10374ff9eeb1"),
    (8, "446092fd1d6030e5bb2f2a8368267d5ed0fbdb6a766f6c5e4a4841827ad3106f"),
    (9, "493d088951882ad81af11e08c791a38a37c0ffff14578cf2c7fb9b7bca654d8b"),
    (10, "9705d450e5dfd06adb673705f7bc34418ec86339203198beceb2ae7f1ffefedb"),
    (11, "257fa566ed9bc0767d3e63e92b5e966829fa3347d320a32055dc31ee7d33f8a4"),
    (12, "28b151069f41abc121baa6d2eaa8f9e4c4d8326ddbefee2bd9c0776b80ac6fad"),
    (13, "d5d94bb25bdc024f649213593027d861042ee807cafd94b49b54f1663f8f267d"),
    (14, "c09129f064c08ecb07ea3689a2247dcc177de6837e7d2f5f946e30453abbccef"),
    (15, "90807800a1c3b248a452e1732c45ee5099f38b737356f5542c0584ec9c3ebb45"),
    (16, "2a1a494630e71bc026dd5c0eab4c1b9a5dbc656228c1f0d48f5dbd3909b161d3"),
    (17, "41509f380362a8d14401c5ae92073154922fe23e45459ce6f696f58607655db7"),
    (18, "d0148475717a2ba269784a178cb0ab617bc77f16c58d4a3cbdfe785b591c7034"),
    (19, "d1a1655b4366a766d1578beb257849a92bf91cb1358c1a2c37ab180c5d3a204d"),
    (20, "54ef75911da76d7a6b7ea341998aaf66cb06c679c53e0a88a4fe070dd3add963"),
];
/// Smallest string that is used.
pub const MIN_LOGROWS: u32 = 6;
/// Largest string that is used.
pub const MAX_LOGROWS: u32 = 20;
/// Longest wait for a download.
const DOWNLOAD_DEADLINE: Duration = Duration::from_secs(20);

/// An SRS on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srs {
    /// The file.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// Whether it is the public ceremony's.
    pub is_ceremony: bool,
}

impl fmt::Display for Srs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.is_ceremony { "the public ceremony's" } else { "a local one, for development chains" };
        write!(f, "{}, {origin}", self.path.display())
    }
}

impl Srs {
    /// Reads `kzg<logrows>.srs` of `folder`.
    ///
    /// # Errors
    /// [`ProofError::SrsMissing`], [`ProofError::SrsWrong`] for a size that no such string has, or a file fault.
    pub fn open(folder: &Path, logrows: u32) -> Result<Self, ProofError> {
        let path = path_in(folder, logrows);
        let size_bytes = size_bytes(logrows);
        let bytes = match veriregime_files::read_bounded(&path, size_bytes) {
            Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(ProofError::SrsMissing { path, logrows });
            }
            Err(FileError::TooLarge { .. }) => {
                return Err(ProofError::SrsWrong { path, reason: format!("it is larger than {size_bytes} bytes") });
            }
            other => other?,
        };
        if bytes.len() as u64 != size_bytes {
            let reason = format!("it has {} bytes instead of {size_bytes}", bytes.len());
            return Err(ProofError::SrsWrong { path, reason });
        }
        let digest = Digest::of(&bytes);
        Ok(Self { path, digest, is_ceremony: ceremony_digest(logrows) == Some(digest) })
    }

    /// Whether this string may back proofs on chain `chain_id`.
    ///
    /// # Errors
    /// [`ProofError::SrsNotCeremony`].
    pub fn permit(&self, chain_id: u64) -> Result<(), ProofError> {
        if self.is_ceremony || is_development(chain_id) {
            return Ok(());
        }
        Err(ProofError::SrsNotCeremony { path: self.path.clone(), chain_id })
    }

    /// Whether this is the string that keys were made from.
    ///
    /// # Errors
    /// [`ProofError::SrsWrong`].
    pub fn expect(&self, digest: Digest) -> Result<(), ProofError> {
        if self.digest == digest {
            return Ok(());
        }
        let reason = format!("it has digest {}, the keys were made from {digest}", self.digest);
        Err(ProofError::SrsWrong { path: self.path.clone(), reason })
    }

    /// The string of `folder`, downloaded from the ceremony's mirror where it is absent and the network allows.
    ///
    /// # Errors
    /// As [`Srs::open`]; a download that did not work leaves [`ProofError::SrsMissing`].
    pub async fn obtain(ezkl: &mut Ezkl, folder: &Path, logrows: u32) -> Result<Self, ProofError> {
        match Self::open(folder, logrows) {
            Err(ProofError::SrsMissing { path, .. }) => match download(ezkl, folder, logrows).await {
                Err(ProofError::Refused { .. } | ProofError::Deadline { .. }) => {
                    Err(ProofError::SrsMissing { path, logrows })
                }
                other => other,
            },
            other => other,
        }
    }

    /// Makes a string for development chains: this process knew its secret.
    ///
    /// # Errors
    /// What the worker or the disk ran into.
    pub async fn generate(ezkl: &mut Ezkl, folder: &Path, logrows: u32) -> Result<Self, ProofError> {
        veriregime_files::create_folder(folder)?;
        ezkl.call(&GenerateSrs { path: path_in(folder, logrows), logrows }).await?;
        Self::open(folder, logrows)
    }
}

/// Downloads into a scratch file, since EZKL writes and deletes as it pleases there, and moves only the ceremony's SRS in.
async fn download(ezkl: &mut Ezkl, folder: &Path, logrows: u32) -> Result<Srs, ProofError> {
    let Some(expected) = ceremony_digest(logrows) else {
        return Err(ProofError::SrsMissing { path: path_in(folder, logrows), logrows });
    };
    // Elsewhere, so that a download that does not work leaves nothing behind.
    let scratch = tempfile::tempdir().map_err(|source| FileError::Write { path: std::env::temp_dir(), source })?;
    let path = path_in(scratch.path(), logrows);
    ezkl.call_within(&DownloadSrs { path: path.clone(), logrows }, DOWNLOAD_DEADLINE).await?;
    let bytes = veriregime_files::read_bounded(&path, size_bytes(logrows))?;
    let found = Digest::of(&bytes);
    if found != expected {
        return Err(ProofError::SrsWrong { path, reason: format!("the download has digest {found}") });
    }
    veriregime_files::create_folder(folder)?;
    veriregime_files::write_atomic(&path_in(folder, logrows), &bytes)?;
    Srs::open(folder, logrows)
}

fn ceremony_digest(logrows: u32) -> Option<Digest> {
    let (_, digest) = CEREMONY.iter().find(|(size, _)| *size == logrows)?;
    Some(digest.parse().expect("the table holds digests"))
}

fn path_in(folder: &Path, logrows: u32) -> PathBuf {
    folder.join(format!("kzg{logrows}.srs"))
}

/// Size of a string in EZKL's format: its exponent, `2^logrows` powers of the secret in each of two bases, as 64-byte
/// points of G1, and two 128-byte points of G2.
fn size_bytes(logrows: u32) -> u64 {
    4 + ((2 * 64) << logrows.min(MAX_LOGROWS)) + 2 * 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn the_table_covers_consecutive_sizes() {
        for (position, (logrows, _)) in CEREMONY.iter().enumerate() {
            assert_eq!(*logrows, MIN_LOGROWS + position as u32);
            assert!(ceremony_digest(*logrows).is_some());
        }
        assert_eq!(ceremony_digest(MAX_LOGROWS + 1), None);
        assert_eq!(size_bytes(8), 33_028);
    }

    #[test]
    fn the_handbook_says_where_the_shipped_model_s_string_is_and_what_it_is() {
        let handbook = include_str!("../../../docs/OPERATOR.md");
        let digest = ceremony_digest(8).unwrap().to_string();
        assert!(handbook.contains("/kzg8.srs`, 33,028 bytes") && handbook.contains(digest.trim_start_matches("0x")));
    }

    #[test]
    fn a_string_of_unknown_origin_is_for_development_chains() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Srs::open(folder.path(), 6).expect_err("absent").code(), "VR-PROVE-006");
        let size = usize::try_from(size_bytes(6)).unwrap();
        for wrong in [size - 1, size + 1] {
            veriregime_files::write_atomic(&path_in(folder.path(), 6), &vec![0; wrong]).unwrap();
            assert_eq!(Srs::open(folder.path(), 6).expect_err("wrong size").code(), "VR-PROVE-007");
        }
        veriregime_files::write_atomic(&path_in(folder.path(), 6), &vec![0; size]).unwrap();
        let srs = Srs::open(folder.path(), 6).unwrap();
        assert!(!srs.is_ceremony);
        assert!(srs.permit(31_337).is_ok());
        assert_eq!(srs.permit(1).expect_err("mainnet").code(), "VR-PROVE-008");
        assert_eq!(srs.expect(Digest::of(b"")).expect_err("another").code(), "VR-PROVE-007");
        assert!(srs.expect(srs.digest).is_ok());
    }
}
