//! A model on another grid: the same network, asked more or less often.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::BundleError;
use super::upgrade::{copy_files, written};
use super::{Bundle, MAX_MANIFEST_BYTES, present, refused};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::MANIFEST_FILE;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::period::Grid;

/// A bundle that was made of another one.
#[derive(Debug, Serialize)]
pub struct OnGrid {
    /// Name of the model.
    pub model_id: String,
    /// Where its bundle is.
    pub folder: PathBuf,
    /// Digest of its manifest.
    pub manifest: Digest,
    /// When it forecasts, and how far.
    pub grid: Grid,
}

/// Makes a bundle of the regime model in `folder` that forecasts once in `period_seconds`, as far ahead as before, in the new folder
/// `to`, whose name is the model's. Network, circuit, keys and verifier stay as they are, byte for byte: the network is asked at other times, and the
/// contract has the calendar features of each of them.
///
/// # Errors
/// A period that the contract of risk parameters does not take, [`BundleError::Occupied`], what is wrong with the bundle, or a file that cannot
/// be written.
pub fn set_grid(folder: &Path, period_seconds: u64, to: &Path) -> Result<OnGrid, BundleError> {
    let path = folder.join(MANIFEST_FILE);
    let old = present(&path, veriregime_files::read_bounded(&path, MAX_MANIFEST_BYTES))?;
    let mut manifest = Bundle::open(folder)?.manifest;
    manifest.grid.period_seconds = period_seconds;
    manifest.model_id = to.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    manifest.regime().map_err(|error| refused(&path, &error))?;
    copy_files(&manifest, folder, to)?;
    let text = written(&manifest, &old).map_err(|error| refused(&path, &ManifestError::invalid(error)))?;
    veriregime_files::write_atomic(&to.join(MANIFEST_FILE), text.as_bytes())?;
    let Bundle { manifest, manifest_digest, folder, .. } = Bundle::open(to)?;
    Ok(OnGrid { model_id: manifest.model_id, folder, manifest: manifest_digest, grid: manifest.grid })
}
