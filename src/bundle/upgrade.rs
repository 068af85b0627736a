//! Bundles of schema 1, converted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::BundleError;
use super::{Bundle, MAX_FILE_BYTES, MAX_MANIFEST_BYTES, own_circuit, present, refused};
use veriregime_core::model::MAX_MODEL_BYTES;
use veriregime_core::model::onnx::Network;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::network::ModelKind;
use veriregime_core::types::manifest::regime::RegimeLabel;
use veriregime_core::types::manifest::schema_1::Manifest1;
use veriregime_core::types::manifest::verification::Verification;
use veriregime_core::types::manifest::{MANIFEST_1_FILE, MANIFEST_FILE, Manifest, ONNX_FILE, Output};
use veriregime_core::types::period::Grid;
use veriregime_core::types::prediction::REGIME_OUTPUTS;

/// What an upgrade came to.
#[derive(Debug, Serialize)]
pub struct Upgraded {
    /// Name of the model.
    pub model_id: String,
    /// Where the converted bundle is.
    pub folder: PathBuf,
    /// Digest of the manifest before.
    pub manifest_before: Digest,
    /// Digest of the manifest now.
    pub manifest: Digest,
}

/// Converts the bundle in `folder`, in place or into the folder `to`, every digest checked. All files but the manifest stay
/// as they are, byte for byte; the old manifest stays beside the new one, so that what was published under it can still be
/// audited.
///
/// # Errors
/// [`BundleError::NotOld`], [`BundleError::Occupied`], what is wrong with the bundle, or a file that cannot be written.
pub fn upgrade(folder: &Path, to: Option<&Path>) -> Result<Upgraded, BundleError> {
    let path = folder.join(MANIFEST_FILE);
    let old = present(&path, veriregime_files::read_bounded(&path, MAX_MANIFEST_BYTES))?;
    match Manifest::parse(&old) {
        Err(ManifestError::OldSchema) => {}
        Ok(_) => return Err(BundleError::NotOld { path }),
        Err(error) => return Err(refused(&path, &error)),
    }
    let manifest = Bundle::open_by(folder, MANIFEST_FILE, converted)?.manifest;
    let target = to.unwrap_or(folder);
    if target != folder {
        copy_files(&manifest, folder, target)?;
    }
    // First, so that a crash between the two leaves a bundle that can be upgraded again.
    veriregime_files::write_atomic(&target.join(MANIFEST_1_FILE), &old)?;
    let text = written(&manifest, &old).map_err(|error| refused(&path, &ManifestError::invalid(error)))?;
    veriregime_files::write_atomic(&target.join(MANIFEST_FILE), text.as_bytes())?;
    let bundle = Bundle::open(target)?;
    Ok(Upgraded {
        model_id: bundle.manifest.model_id,
        folder: bundle.folder,
        manifest_before: Digest::of(&old),
        manifest: bundle.manifest_digest,
    })
}

/// Copies the files that a manifest names into a folder that holds no bundle.
///
/// # Errors
/// [`BundleError::Occupied`], or a file that cannot be written.
pub(super) fn copy_files(manifest: &Manifest, from: &Path, to: &Path) -> Result<(), BundleError> {
    if veriregime_files::size_bytes(&to.join(MANIFEST_FILE)).is_ok() {
        return Err(BundleError::Occupied { folder: to.to_owned() });
    }
    veriregime_files::create_folder(to)?;
    for name in manifest.files.keys() {
        veriregime_files::large::copy(&from.join(name), &to.join(name), MAX_FILE_BYTES)?;
    }
    Ok(())
}

/// The text of a manifest that was made of an `old` one. What was measured in training is copied from the old one letter by letter: not every
/// number reads back as it was written.
pub(super) fn written(manifest: &Manifest, old: &[u8]) -> serde_json::Result<String> {
    #[derive(Deserialize)]
    struct Old<'a> {
        #[serde(borrow)]
        training: &'a RawValue,
    }
    #[derive(Serialize)]
    struct New<'a> {
        schema: u32,
        model_id: &'a str,
        inputs: &'a Inputs,
        model: &'a ModelKind,
        outputs: &'a [Output],
        grid: Grid,
        #[serde(skip_serializing_if = "Option::is_none")]
        regime: &'a Option<RegimeLabel>,
        verification: &'a Verification,
        files: &'a BTreeMap<String, Digest>,
        training: &'a RawValue,
    }
    let Manifest { schema, model_id, inputs, model, outputs, grid, regime, verification, files, training: _ } =
        manifest;
    let (schema, grid) = (*schema, *grid);
    let Old { training } = serde_json::from_slice(old)?;
    let new = New { schema, model_id, inputs, model, outputs, grid, regime, verification, files, training };
    Ok(serde_json::to_string_pretty(&new)? + "\n")
}

/// A manifest of schema 1 in today's form, with the layers of the network beside it.
pub(super) fn converted(path: &Path, bytes: &[u8]) -> Result<Manifest, BundleError> {
    let old = Manifest1::parse(bytes).map_err(|error| refused(path, &error))?;
    let [rows, columns] = old.input_shape();
    let onnx = path.with_file_name(ONNX_FILE);
    let network = present(&onnx, veriregime_files::read_bounded(&onnx, MAX_MODEL_BYTES))?;
    let layers = Network::parse(&network, rows, columns, REGIME_OUTPUTS.len())?.layers();
    let manifest = old.upgrade(layers).map_err(|error| refused(path, &error))?;
    own_circuit(path, &manifest)?;
    Ok(manifest)
}
