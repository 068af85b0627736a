//! Files that need not fit into memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use veriregime_core::types::digest::{Digest, Pieces};

use super::{FileError, size_bytes, write_atomic_with};

/// What is read at once.
const PIECE_BYTES: usize = 1 << 20;

/// SHA-256 of a file of at most `limit_bytes`.
///
/// # Errors
/// As [`crate::read_bounded`].
pub fn digest(path: &Path, limit_bytes: u64) -> Result<Digest, FileError> {
    let fault = |source| FileError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fault)?;
    let (mut pieces, mut piece, mut length_bytes) = (Pieces::default(), vec![0; PIECE_BYTES], 0_u64);
    loop {
        let count = match file.read(&mut piece) {
            Ok(0) => return Ok(pieces.digest()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(fault)?,
        };
        length_bytes += count as u64;
        if length_bytes > limit_bytes {
            return Err(FileError::TooLarge { path: path.to_owned(), limit_bytes });
        }
        pieces.add(&piece[..count]);
    }
}

/// Copies a file of at most `limit_bytes`, which need not fit into memory.
///
/// # Errors
/// [`FileError::Read`], [`FileError::TooLarge`], or as [`crate::write_atomic`].
pub fn copy(from: &Path, to: &Path, limit_bytes: u64) -> Result<(), FileError> {
    if size_bytes(from)? > limit_bytes {
        return Err(FileError::TooLarge { path: from.to_owned(), limit_bytes });
    }
    let source = File::open(from).map_err(|source| FileError::Read { path: from.to_owned(), source })?;
    write_atomic_with(to, |file| io::copy(&mut source.take(limit_bytes), file).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use veriregime_core::types::diagnostic::Diagnostic;

    use super::*;

    #[test]
    fn what_is_copied_is_the_same_and_bounds_hold() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        let bytes: Vec<u8> = (0..2 * PIECE_BYTES + 5).map(|at| (at % 251) as u8).collect();
        std::fs::write(&from, &bytes).unwrap();
        let length = bytes.len() as u64;
        copy(&from, &to, length).unwrap();
        assert_eq!([digest(&from, length), digest(&to, length)].map(Result::unwrap), [Digest::of(&bytes); 2]);
        for refused in [digest(&from, length - 1).map(|_| ()), copy(&from, &to, length - 1)] {
            assert_eq!(refused.unwrap_err().code(), "VR-FILE-004");
        }
        assert_eq!(digest(&folder.path().join("absent"), 1).unwrap_err().code(), "VR-FILE-001");
    }
}
