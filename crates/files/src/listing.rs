//! What is in a folder.

use std::path::Path;
use std::{fs, io};

use crate::FileError;

/// Most entries of a folder that is listed.
pub const MAX_ENTRIES: usize = 4096;

/// Names of the folders in a folder, in no order; names that are not UTF-8 are left out.
///
/// # Errors
/// [`FileError::Read`], also for more than [`MAX_ENTRIES`] entries.
pub fn folders_in(path: &Path) -> Result<Vec<String>, FileError> {
    names_in(path, fs::Metadata::is_dir)
}

/// As [`folders_in`], of the plain files.
///
/// # Errors
/// As [`folders_in`].
pub fn files_in(path: &Path) -> Result<Vec<String>, FileError> {
    names_in(path, fs::Metadata::is_file)
}

fn names_in(path: &Path, is_wanted: fn(&fs::Metadata) -> bool) -> Result<Vec<String>, FileError> {
    let fault = |source| FileError::Read { path: path.to_owned(), source };
    let mut names = Vec::new();
    for (index, entry) in fs::read_dir(path).map_err(fault)?.enumerate() {
        if index == MAX_ENTRIES {
            return Err(fault(io::Error::other(format!("it has more than {MAX_ENTRIES} entries"))));
        }
        let entry = entry.map_err(fault)?;
        if fs::metadata(entry.path()).is_ok_and(|metadata| is_wanted(&metadata)) {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}
