//! Files: bounded reads and atomic, durable writes. The only place that opens them, but for SQLite and parquet.

pub mod access;
pub mod large;
pub mod listing;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use veriregime_core::types::diagnostic::Diagnostic;

/// How names of files begin that are being written. A kill in the middle of that leaves one behind.
const PARTIAL: &str = ".partial-";
/// Longest content of a lock: a process id.
const MAX_PID_BYTES: u64 = 16;

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The disk has no room.
    #[error("no space left to write {}", path.display())]
    Full { path: PathBuf, source: io::Error },
    /// It is larger than anything expected here.
    #[error("{} is larger than {limit_bytes} bytes", path.display())]
    TooLarge { path: PathBuf, limit_bytes: u64 },
}

impl FileError {
    /// Why `path` could not be written.
    pub fn writing(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path, source },
            _ => Self::Write { path, source },
        }
    }
}

impl Diagnostic for FileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "VR-FILE-001",
            Self::Write { .. } => "VR-FILE-002",
            Self::Full { .. } => "VR-FILE-003",
            Self::TooLarge { .. } => "VR-FILE-004",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check that the path is right and that this user may read it",
            Self::Write { .. } => "check that the folder exists and that this user may write there",
            Self::Full { .. } => "free some space; nothing was half-written",
            Self::TooLarge { .. } => "check that this is the file you meant",
        }
    }
}

/// Reads a whole file of at most `limit_bytes`.
///
/// # Errors
/// [`FileError::Read`] or [`FileError::TooLarge`].
pub fn read_bounded(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, FileError> {
    let fault = |source| FileError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fault)?;
    file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(FileError::TooLarge { path: path.to_owned(), limit_bytes });
    }
    Ok(bytes)
}

/// Reads the first bytes of a file: `length_bytes`, or fewer where it is shorter.
///
/// # Errors
/// [`FileError::Read`].
pub fn read_prefix(path: &Path, length_bytes: u64) -> Result<Vec<u8>, FileError> {
    let fault = |source| FileError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(fault)?.take(length_bytes).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}

/// Reads a whole text file of at most `limit_bytes`.
///
/// # Errors
/// As [`read_bounded`]; text that is not UTF-8 is a read error.
pub fn read_text(path: &Path, limit_bytes: u64) -> Result<String, FileError> {
    String::from_utf8(read_bounded(path, limit_bytes)?).map_err(|error| FileError::Read {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })
}

/// Replaces `path` by `bytes` so that a crash leaves the old file or the new one, never a part: temporary file, fsync,
/// rename, fsync of the folder.
///
/// # Errors
/// [`FileError::Write`] or [`FileError::Full`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_atomic_with(path, |file| file.write_all(bytes))
}

/// As [`write_atomic`], for content that `fill` streams into the temporary file.
///
/// # Errors
/// [`FileError::Write`] or [`FileError::Full`].
pub fn write_atomic_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), FileError> {
    write_with_mode(path, 0o666, fill)
}

/// Mode as for `open(2)`: the process's mask applies.
fn write_with_mode(path: &Path, mode: u32, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), FileError> {
    let fault = |source| FileError::writing(path, source);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(PARTIAL)
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(fault)?;
    fill(file.as_file_mut()).map_err(fault)?;
    file.as_file().sync_all().map_err(fault)?;
    file.persist(path).map_err(|error| fault(error.error))?;
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(fault)
}

/// An empty file, for a process to write to.
///
/// # Errors
/// [`FileError::Write`].
pub fn create(path: &Path) -> Result<File, FileError> {
    File::create(path).map_err(|source| FileError::writing(path, source))
}

/// As [`write_atomic`], readable by its owner only from the first byte on.
///
/// # Errors
/// [`FileError::Write`] or [`FileError::Full`].
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_with_mode(path, 0o600, |file| file.write_all(bytes))
}

/// Permissions of a file.
///
/// # Errors
/// [`FileError::Read`].
pub fn mode(path: &Path) -> Result<fs::Permissions, FileError> {
    let metadata = fs::metadata(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    Ok(metadata.permissions())
}

/// Size of a file in bytes.
///
/// # Errors
/// [`FileError::Read`].
pub fn size_bytes(path: &Path) -> Result<u64, FileError> {
    let metadata = fs::metadata(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    Ok(metadata.len())
}

/// Bytes that are free for this user where `path` lies, or will lie.
///
/// # Errors
/// [`FileError::Read`].
pub fn free_bytes(path: &Path) -> Result<u64, FileError> {
    let above = path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let space =
        rustix::fs::statvfs(above).map_err(|error| FileError::Read { path: above.to_owned(), source: error.into() })?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Makes a folder and its parents.
///
/// # Errors
/// [`FileError::Write`].
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Makes a folder and its parents, those that are not there yet for their owner only.
///
/// # Errors
/// [`FileError::Write`].
pub fn create_private_folder(path: &Path) -> Result<(), FileError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Removes a folder and what is in it; one that is not there is fine.
///
/// # Errors
/// [`FileError::Write`].
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Removes a file; one that is not there is fine.
///
/// # Errors
/// [`FileError::Write`].
pub fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Removes what writes that were killed have left in a folder; one that is not there is fine. Nobody may be writing there.
///
/// # Errors
/// [`FileError::Read`] or [`FileError::Write`].
pub fn remove_partial_files(folder: &Path) -> Result<(), FileError> {
    let fault = |source| FileError::Read { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(fault)?,
    };
    for entry in entries {
        let entry = entry.map_err(fault)?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            remove_file(&entry.path())?;
        }
    }
    Ok(())
}

/// Puts the folder `fresh` in the place of `target`; what was there moves to `replaced`. All three lie on one disk.
///
/// # Errors
/// [`FileError::Write`]; where the second of the two renames fails, the old folder is put back.
pub fn replace_folder(target: &Path, fresh: &Path, replaced: &Path) -> Result<(), FileError> {
    let fault = |source| FileError::Write { path: target.to_owned(), source };
    let was_there = target.exists();
    if was_there {
        fs::rename(target, replaced).map_err(fault)?;
    }
    fs::rename(fresh, target).map_err(|source| {
        if was_there {
            // The first error is the one to report.
            let _ = fs::rename(replaced, target);
        }
        fault(source)
    })
}

/// A locked file. It is free again when this is dropped, and when the process ends, however it does.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// Who has a lock.
#[derive(Debug)]
pub enum Locked {
    /// This process, from now on.
    Ours(FileLock),
    /// Another one, whose id is known unless it has only just taken it.
    Held { by: Option<u32> },
}

/// Locks the file at `path`, which is made where it is not there, and writes this process's id into it. Waits for nobody.
///
/// # Errors
/// [`FileError::Write`].
pub fn lock(path: &Path) -> Result<Locked, FileError> {
    let fault = |source| FileError::Write { path: path.to_owned(), source };
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = read_text(path, MAX_PID_BYTES).unwrap_or_default();
            return Ok(Locked::Held { by: text.trim_end().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(fault(source)),
    }
    file.set_len(0).map_err(fault)?;
    writeln!(file, "{}", std::process::id()).map_err(fault)?;
    Ok(Locked::Ours(FileLock { _file: file }))
}

/// The path without links, as far as it leads to something.
pub fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_and_leaves_the_old_file() {
        let fault =
            write_atomic_with(Path::new("/tmp/never"), |_| Err(io::ErrorKind::StorageFull.into())).expect_err("full");
        assert_eq!(fault.code(), "VR-FILE-003");
        assert!(!Path::new("/tmp/never").exists());
    }

    #[test]
    fn what_a_killed_write_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".partial-a1", "bundle.json.gz", "notes.partial-1"] {
            write_atomic(&folder.path().join(name), b"x").unwrap();
        }
        remove_partial_files(folder.path()).unwrap();
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["bundle.json.gz", "notes.partial-1"]);
        remove_partial_files(&folder.path().join("absent")).unwrap();
    }

    #[test]
    fn reads_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomic(&path, b"12345").unwrap();
        assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
        assert_eq!(read_bounded(&path, 4).expect_err("too large").code(), "VR-FILE-004");
        assert_eq!(read_bounded(&folder.path().join("absent"), 4).expect_err("absent").code(), "VR-FILE-001");
    }

    #[test]
    fn a_folder_is_replaced_whole_or_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        for name in ["old", "new"] {
            create_folder(&path(name)).unwrap();
            write_atomic(&path(name).join("file"), name.as_bytes()).unwrap();
        }
        assert!(replace_folder(&path("old"), &path("absent"), &path("aside")).is_err());
        assert_eq!(read_text(&path("old").join("file"), 9).unwrap(), "old");
        replace_folder(&path("old"), &path("new"), &path("aside")).unwrap();
        assert_eq!(read_text(&path("old").join("file"), 9).unwrap(), "new");
        assert_eq!(read_text(&path("aside").join("file"), 9).unwrap(), "old");
    }
}
