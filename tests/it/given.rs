//! What tests need that not every machine has.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// SRS files, candles and models beside the checkout: `VERIREGIME_SHARED`, by default `../shared`.
pub fn shared(path: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("VERIREGIME_SHARED").map_or_else(beside, PathBuf::from).join(path)
}

/// A file or folder beside the checkout; the test is left out where it is not there.
pub fn reference(path: &str) -> Option<PathBuf> {
    let found = shared(path);
    if found.exists() {
        return Some(found);
    }
    left_out("shared", format!("{} is not here", found.display()));
    None
}

/// A disk of so many kibibytes; the test is left out where none can be mounted.
pub fn small_disk(kibibytes: usize) -> Option<SmallDisk> {
    let folder = TempDir::new().unwrap();
    let size = format!("size={kibibytes}k");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
    if mounted.is_ok_and(|output| output.status.success()) {
        return Some(SmallDisk(folder));
    }
    left_out("disk", "no small disk can be mounted here");
    None
}

/// A mounted disk, taken away when dropped.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Says that a test is left out, and why. It fails instead where `VERIREGIME_MUST_HAVE` has the name of what it lacks: the
/// gate puts everything there that it knows to be on its machine.
pub fn left_out(need: &str, why: impl Display) {
    let wanted = std::env::var("VERIREGIME_MUST_HAVE").unwrap_or_default();
    assert!(wanted.split(',').all(|one| one != need), "{need} must be here: {why}");
    eprintln!("SKIPPED, for want of {need}: {why}");
}
