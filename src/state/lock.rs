//! Who runs the cycles of a database: one process at a time, from its start to its end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::StateError;
use veriregime_files::{FileError, FileLock, Locked};

/// The right to run a database's cycles, until it is dropped or the process ends, however that ends.
#[derive(Debug)]
pub struct CycleLock {
    _file: FileLock,
}

impl CycleLock {
    /// Takes it for the database at `path`, which need not be there yet.
    ///
    /// # Errors
    /// [`StateError::InUse`] while another process has it, or [`StateError::Open`].
    pub fn take(path: &Path) -> Result<Self, StateError> {
        let open_fault = |fault: FileError| StateError::Open { path: path.to_owned(), reason: fault.to_string() };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            veriregime_files::create_folder(folder).map_err(open_fault)?;
        }
        match veriregime_files::lock(&lock_file(path)).map_err(open_fault)? {
            Locked::Ours(lock) => Ok(Self { _file: lock }),
            Locked::Held { by } => Err(StateError::InUse { by }),
        }
    }
}

/// The file beside the database: the same one by whatever way the database is named.
fn lock_file(path: &Path) -> PathBuf {
    let mut name = OsString::from(veriregime_files::real_path(path));
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn a_second_process_on_one_database_is_refused_and_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/agent.sqlite");
        let first = CycleLock::take(&path).unwrap();
        std::fs::write(&path, b"").unwrap();
        let link = folder.path().join("link.sqlite");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for path in [path.clone(), folder.path().join("deeper/../deeper/agent.sqlite"), link] {
            let fault = CycleLock::take(&path).expect_err("held");
            assert_eq!(fault.code(), "VR-STATE-010");
            assert!(fault.to_string().contains(&std::process::id().to_string()), "{fault}");
        }
        CycleLock::take(&folder.path().join("other.sqlite")).unwrap();
        drop(first);
        CycleLock::take(&path).unwrap();
    }
}
