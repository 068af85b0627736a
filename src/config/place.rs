//! Where the program's own files lie: the models, programs and scripts that it ships with, not what it makes or is given.

use std::path::{Path, PathBuf};

/// Environment variable that names the folder of an installed program's files.
const VARIABLE: &str = "VERIREGIME_DATA";
/// Where they lie beside the folder of the executable.
const BESIDE_BIN: &str = "share/veriregime-agent";

/// Programs and scripts: the installed ones where the program is installed, else those of the working folder, a checkout.
pub fn tool(path: &Path) -> PathBuf {
    installed(path).unwrap_or_else(|| path.to_owned())
}

/// What a user may have several of, as models: those of the working folder, else the installed ones.
pub fn data(path: &Path) -> PathBuf {
    if path.exists() {
        return path.to_owned();
    }
    installed(path).unwrap_or_else(|| path.to_owned())
}

fn installed(path: &Path) -> Option<PathBuf> {
    // An absolute path would replace the folder.
    let found = path.is_relative().then(folder).flatten()?.join(path);
    found.exists().then_some(found)
}

fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(named.into());
    }
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.join(BESIDE_BIN);
    folder.is_dir().then_some(folder)
}
