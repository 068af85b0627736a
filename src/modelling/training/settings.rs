//! Training settings as a file.

use std::path::Path;

use crate::config::{place, written};
use veriregime_training::error::TrainingError;
use veriregime_training::settings::Settings;

/// Largest settings file.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;

/// Refuses training settings in the place of the agent's.
///
/// # Errors
/// [`TrainingError::Misplaced`].
pub fn refuse_as_config(config: Option<&Path>) -> Result<(), TrainingError> {
    match config {
        Some(path) if read(path).is_ok() => Err(TrainingError::Misplaced { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Reads training settings, which may still contradict themselves.
///
/// # Errors
/// A file that cannot be read, or [`TrainingError::Settings`].
pub fn read(path: &Path) -> anyhow::Result<Settings> {
    let text = veriregime_files::read_text(&place::data(path), MAX_SETTINGS_BYTES)?;
    written::from_toml(&text).map_err(|misfit| TrainingError::Settings { reason: misfit.to_string() }.into())
}
