//! A model bundle on disk: opened only when every file is the one that the manifest names.

pub mod add_market;
pub mod error;
pub mod import;
mod kept;
mod network;
pub mod registry;
pub mod reliability;
pub mod set_grid;
pub mod table;
pub mod upgrade;
pub mod yields;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use error::BundleError;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::card::{CARD_FILE, VERIFICATION_CARD_FILE, verification_card};
use veriregime_core::types::manifest::error::ManifestError;
use veriregime_core::types::manifest::verification::EzklCircuit;
use veriregime_core::types::manifest::{MANIFEST_1_FILE, MANIFEST_FILE, Manifest, SETTINGS_FILE};
use veriregime_files::FileError;

/// The one version of EZKL that circuits are made and proven with.
pub const EZKL_VERSION: &str = "23.0.5";
/// Largest manifest.
pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Largest other file: the proving key of the documented LSTM, whose circuit has 2^20 rows, is three quarters of it.
pub const MAX_FILE_BYTES: u64 = 8 << 30;

/// A bundle whose every file was right when it was opened.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The folder.
    pub folder: PathBuf,
    /// The file with its manifest.
    pub manifest_path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// SHA-256 of the manifest's bytes, and by it of the whole bundle.
    pub manifest_digest: Digest,
}

impl Bundle {
    /// Reads the manifest and checks the digest of each file that it names. Other files in the folder are ignored.
    ///
    /// # Errors
    /// [`BundleError::Missing`], [`BundleError::Digest`] with the file's name, [`BundleError::Manifest`],
    /// [`BundleError::OldManifest`], [`BundleError::ForeignBundle`], [`BundleError::RunArgument`], or a file fault.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        Self::open_by(folder, MANIFEST_FILE, parse_manifest)
    }

    /// The bundle as that manifest describes it, which is its present one or the one that it had before an upgrade; `None`
    /// where it is neither.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn open_with(folder: &Path, wanted: Digest) -> Result<Option<Self>, BundleError> {
        let is = |name: &str| {
            veriregime_files::large::digest(&folder.join(name), MAX_MANIFEST_BYTES).is_ok_and(|found| found == wanted)
        };
        if is(MANIFEST_FILE) {
            return Self::open(folder).map(Some);
        }
        if is(MANIFEST_1_FILE) {
            return Self::open_by(folder, MANIFEST_1_FILE, upgrade::converted).map(Some);
        }
        Ok(None)
    }

    fn open_by(
        folder: &Path,
        name: &str,
        parse: impl FnOnce(&Path, &[u8]) -> Result<Manifest, BundleError>,
    ) -> Result<Self, BundleError> {
        let path = folder.join(name);
        let bytes = present(&path, veriregime_files::read_bounded(&path, MAX_MANIFEST_BYTES))?;
        let manifest = parse(&path, &bytes)?;
        check_files(folder, &manifest.files)?;
        if let Some(circuit) = &manifest.verification.ezkl {
            let path = folder.join(SETTINGS_FILE);
            check_settings(&path, &veriregime_files::read_bounded(&path, MAX_MANIFEST_BYTES)?, circuit)?;
        }
        let manifest_digest = Digest::of(&bytes);
        Ok(Self { folder: folder.to_owned(), manifest_path: path, manifest, manifest_digest })
    }

    /// Writes `manifest` into `folder` with the digests of the required files and of those that its `files` already
    /// names, then opens the bundle. Where it names a card, one of the ways of verification is written beside it. The manifest
    /// comes last: a folder with one is whole.
    ///
    /// # Errors
    /// As [`Bundle::open`], or a file that cannot be written.
    pub fn seal(folder: &Path, mut manifest: Manifest) -> Result<Self, BundleError> {
        let mut extra: BTreeSet<String> = std::mem::take(&mut manifest.files).into_keys().collect();
        if extra.contains(CARD_FILE) {
            let card = verification_card(&manifest);
            veriregime_files::write_atomic(&folder.join(VERIFICATION_CARD_FILE), card.as_bytes())?;
            extra.insert(VERIFICATION_CARD_FILE.to_owned());
        }
        let required: Vec<String> = manifest.required_files().into_iter().map(str::to_owned).collect();
        for name in required.into_iter().chain(extra) {
            let path = folder.join(&name);
            let digest = present(&path, veriregime_files::large::digest(&path, MAX_FILE_BYTES))?;
            manifest.files.insert(name, digest);
        }
        write_manifest(folder, &manifest)?;
        Self::open(folder)
    }

    /// The digest by which a bundle in `folder` would be known; whether the rest of it is right is not looked at.
    ///
    /// # Errors
    /// [`BundleError::Missing`], or a file fault.
    pub fn manifest_digest_of(folder: &Path) -> Result<Digest, BundleError> {
        let path = folder.join(MANIFEST_FILE);
        present(&path, veriregime_files::large::digest(&path, MAX_MANIFEST_BYTES))
    }

    /// Path of a file of the bundle.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Writes a manifest as bundles have it, and what it has in common with the one that is there as it is written there.
///
/// # Errors
/// A file that cannot be written.
pub fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), FileError> {
    let path = folder.join(MANIFEST_FILE);
    let present = veriregime_files::read_text(&path, MAX_MANIFEST_BYTES).ok();
    let known = present.and_then(|text| Manifest::parse(text.as_bytes()).ok().map(|before| (text, before)));
    let text = known.map_or_else(|| kept::text(manifest), |(text, before)| kept::merged(&text, &before, manifest));
    veriregime_files::write_atomic(&path, (text + "\n").as_bytes())
}

/// A manifest that does not contradict itself. `path` only names the file in errors.
///
/// # Errors
/// [`BundleError::Manifest`], [`BundleError::OldManifest`], or [`BundleError::ForeignBundle`].
pub fn parse_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, BundleError> {
    let manifest = Manifest::parse(bytes).map_err(|error| refused(path, &error))?;
    own_circuit(path, &manifest)?;
    Ok(manifest)
}

/// The bundle's fault behind a manifest that is refused.
fn refused(path: &Path, error: &ManifestError) -> BundleError {
    match error {
        ManifestError::OldSchema => {
            BundleError::OldManifest { folder: path.parent().unwrap_or_else(|| Path::new(".")).to_owned() }
        }
        error => BundleError::Manifest { path: path.to_owned(), reason: error.to_string() },
    }
}

/// Checks the digest of each named file.
fn check_files(folder: &Path, files: &BTreeMap<String, Digest>) -> Result<(), BundleError> {
    for (name, expected) in files {
        let path = folder.join(name);
        let found = present(&path, veriregime_files::large::digest(&path, MAX_FILE_BYTES))?;
        if found != *expected {
            return Err(BundleError::Digest { path, found, expected: *expected });
        }
    }
    Ok(())
}

/// Refuses a circuit of another EZKL.
fn own_circuit(path: &Path, manifest: &Manifest) -> Result<(), BundleError> {
    manifest.verification.ezkl.as_ref().map_or(Ok(()), |circuit| own_version(path, &circuit.version))
}

/// Refuses another EZKL: neither keys nor proofs carry over.
fn own_version(path: &Path, found: &str) -> Result<(), BundleError> {
    if found == EZKL_VERSION {
        return Ok(());
    }
    let (path, expected) = (path.to_owned(), EZKL_VERSION.to_owned());
    Err(BundleError::ForeignBundle { path, found: found.to_owned(), expected })
}

/// What is read of `settings.json`.
#[derive(Deserialize)]
struct SettingsFile {
    version: String,
    run_args: BTreeMap<String, Value>,
}

/// Checks that EZKL's settings were made by this version of it with the manifest's arguments. `path` only names the file in
/// errors.
///
/// # Errors
/// [`BundleError::Manifest`], [`BundleError::ForeignBundle`] or [`BundleError::RunArgument`].
pub fn check_settings(path: &Path, bytes: &[u8], circuit: &EzklCircuit) -> Result<(), BundleError> {
    let settings: SettingsFile = serde_json::from_slice(bytes)
        .map_err(|error| BundleError::Manifest { path: path.to_owned(), reason: error.to_string() })?;
    own_version(path, &settings.version)?;
    // EZKL writes the names of its choices in another case than it reads them.
    let spelled = |value: &Value| value.to_string().to_lowercase();
    for (name, expected) in &circuit.run_args {
        let found = settings.run_args.get(name).unwrap_or(&Value::Null);
        if spelled(found) != spelled(expected) {
            return Err(BundleError::RunArgument {
                path: path.to_owned(),
                name: name.clone(),
                found: found.to_string(),
                expected: expected.to_string(),
            });
        }
    }
    Ok(())
}

/// Names an absent file as the bundle's fault.
fn present<T>(path: &Path, read: Result<T, FileError>) -> Result<T, BundleError> {
    match read {
        Err(FileError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(BundleError::Missing { path: path.to_owned() })
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests;
