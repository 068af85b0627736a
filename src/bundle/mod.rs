//! A model bundle on disk: opened only when every file is the one that the manifest names.

pub mod error;
pub mod registry;

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use error::BundleError;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::{
    CIRCUIT_FILE, Circuit, MANIFEST_FILE, Manifest, ONNX_FILE, PROVING_KEY_FILE, SETTINGS_FILE, VERIFIER_BYTECODE_FILE,
    VERIFIER_FILE, VERIFYING_KEY_FILE, is_market, is_model_folder,
};
use veriregime_core::types::prediction::Outputs;
use veriregime_files::FileError;

/// Version of the manifest's format that this program writes and reads.
pub const SCHEMA: u32 = 1;
/// The one version of EZKL that circuits are made and proven with.
pub const EZKL_VERSION: &str = "23.0.5";
/// Files that no bundle goes without.
pub const REQUIRED_FILES: [&str; 7] = [
    ONNX_FILE,
    SETTINGS_FILE,
    CIRCUIT_FILE,
    VERIFYING_KEY_FILE,
    PROVING_KEY_FILE,
    VERIFIER_FILE,
    VERIFIER_BYTECODE_FILE,
];
/// Largest manifest.
pub const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Largest other file: the proving key of a circuit of 2^14 rows has half of it.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most files in a bundle.
const MAX_FILES: usize = 64;

/// A bundle whose every file was right when it was opened.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The folder.
    pub folder: PathBuf,
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
    /// [`BundleError::ForeignBundle`], [`BundleError::RunArgument`], or a file fault.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let path = folder.join(MANIFEST_FILE);
        let bytes = present(&path, veriregime_files::read_bounded(&path, MAX_MANIFEST_BYTES))?;
        let manifest = parse_manifest(&path, &bytes)?;
        for (name, expected) in &manifest.files {
            let path = folder.join(name);
            let found = present(&path, veriregime_files::digest(&path, MAX_FILE_BYTES))?;
            if found != *expected {
                return Err(BundleError::Digest { path, found, expected: *expected });
            }
        }
        let path = folder.join(SETTINGS_FILE);
        check_settings(&path, &veriregime_files::read_bounded(&path, MAX_MANIFEST_BYTES)?, &manifest.circuit)?;
        Ok(Self { folder: folder.to_owned(), manifest, manifest_digest: Digest::of(&bytes) })
    }

    /// Writes `manifest` into `folder` with the digests of the required files and of those that its `files` already
    /// names, then opens the bundle. The manifest comes last: a folder with one is whole.
    ///
    /// # Errors
    /// As [`Bundle::open`], or a file that cannot be written.
    pub fn seal(folder: &Path, mut manifest: Manifest) -> Result<Self, BundleError> {
        let extra = std::mem::take(&mut manifest.files).into_keys();
        for name in REQUIRED_FILES.map(str::to_owned).into_iter().chain(extra) {
            let path = folder.join(&name);
            let digest = present(&path, veriregime_files::digest(&path, MAX_FILE_BYTES))?;
            manifest.files.insert(name, digest);
        }
        let path = folder.join(MANIFEST_FILE);
        let mut bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| BundleError::Manifest { path: path.clone(), reason: error.to_string() })?;
        bytes.push(b'\n');
        veriregime_files::write_atomic(&path, &bytes)?;
        Self::open(folder)
    }

    /// The digest by which a bundle in `folder` would be known; whether the rest of it is right is not looked at.
    ///
    /// # Errors
    /// [`BundleError::Missing`], or a file fault.
    pub fn manifest_digest_of(folder: &Path) -> Result<Digest, BundleError> {
        let path = folder.join(MANIFEST_FILE);
        present(&path, veriregime_files::digest(&path, MAX_MANIFEST_BYTES))
    }

    /// Path of a file of the bundle.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A manifest that does not contradict itself. `path` only names the file in errors.
///
/// # Errors
/// [`BundleError::Manifest`], or [`BundleError::ForeignBundle`].
pub fn parse_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, BundleError> {
    let invalid = |reason: String| BundleError::Manifest { path: path.to_owned(), reason };
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
    check(&manifest).map_err(invalid)?;
    own_version(path, &manifest.circuit.ezkl_version)?;
    Ok(manifest)
}

/// What the manifest alone can get wrong.
fn check(manifest: &Manifest) -> Result<(), String> {
    if manifest.schema != SCHEMA {
        return Err(format!("schema {} instead of {SCHEMA}", manifest.schema));
    }
    if manifest.files.len() > MAX_FILES {
        return Err(format!("more than {MAX_FILES} files"));
    }
    if !is_model_folder(&manifest.model_id) {
        return Err(format!("model_id {:?} cannot be a folder", manifest.model_id));
    }
    if let Some(market) = manifest.markets.iter().find(|market| !is_market(&market.name)) {
        return Err(format!("market {:?} is no name", market.name));
    }
    if let Some(name) = manifest.files.keys().find(|name| !is_plain(name)) {
        return Err(format!("file name {name:?} leads out of the bundle"));
    }
    if let Some(name) = REQUIRED_FILES.iter().find(|name| !manifest.files.contains_key(**name)) {
        return Err(format!("no digest of {name}"));
    }
    let instances = manifest.markets.len() * (manifest.features.count() + Outputs::COUNT);
    if manifest.circuit.instances != instances || instances == 0 {
        return Err(format!("{} public inputs, markets and features make {instances}", manifest.circuit.instances));
    }
    Ok(())
}

/// Refuses a circuit of another EZKL: neither keys nor proofs carry over.
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
pub fn check_settings(path: &Path, bytes: &[u8], circuit: &Circuit) -> Result<(), BundleError> {
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

/// Whether `name` is one ordinary path component.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
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
mod tests {
    use super::*;
    use serde_json::json;
    use veriregime_core::types::diagnostic::Diagnostic;

    fn manifest() -> Manifest {
        serde_json::from_value(json!({
            "schema": SCHEMA, "model_id": "m", "markets": [{"name": "BTC-USD", "symbol": "BTCUSDT"}],
            "features": {"candle": [{"feature": {"name": "log_rms_return", "minutes": 60}, "mean": 0.0, "standard_deviation": 1.0}],
                "calendar": [], "clip": 4.0, "input_scale": 13, "lookback_minutes": 61, "max_missing_minutes": 1},
            "label": {"horizon_minutes": 240, "threshold": 0.0005},
            "circuit": {"ezkl_version": "23.0.5", "param_scale": 16, "output_scale": 74, "logrows": 8, "rows": 9,
                "instances": 4, "proof_bytes": 1856, "srs_sha256": "00".repeat(32), "srs_is_ceremony": true,
                "run_args": {"input_visibility": "public", "logrows": 7},
                "verifier_code_hash": format!("0x{}", "00".repeat(32))},
            "files": {},
            "training": {"provenance": null, "baselines": {
                "training_share_high": 0.5,
                "har_logistic": [0.0, 0.0, 0.0, 0.0, 0.0],
                "har_volatility": {
                    "coefficients": [0.0, 0.0, 0.0, 0.0, 0.0],
                    "residual": {"deviation": 1.0, "variance_ratio": 1.0}
                },
                "garch": {
                    "return_minutes": 1, "omega": 1.0, "news": 0.1, "memory": 0.8, "log_shift": 0.0,
                    "residual": {"deviation": 1.0, "variance_ratio": 1.0}
                }
            }, "metrics": null}
        }))
        .unwrap()
    }

    fn write_settings(folder: &Path, version: &str, visibility: &str, logrows: u32) {
        let run_args = json!({"input_visibility": visibility, "logrows": logrows, "decomp_base": 16_384});
        let settings = json!({"run_args": run_args, "version": version});
        veriregime_files::write_atomic(&folder.join(SETTINGS_FILE), settings.to_string().as_bytes()).unwrap();
    }

    fn sealed() -> (tempfile::TempDir, Bundle) {
        let folder = tempfile::tempdir().unwrap();
        for name in REQUIRED_FILES {
            veriregime_files::write_atomic(&folder.path().join(name), name.as_bytes()).unwrap();
        }
        write_settings(folder.path(), EZKL_VERSION, "Public", 7);
        let bundle = Bundle::seal(folder.path(), manifest()).unwrap();
        (folder, bundle)
    }

    #[test]
    fn one_wrong_byte_in_any_file_refuses_and_names_it() {
        for name in REQUIRED_FILES {
            let (folder, bundle) = sealed();
            let path = bundle.path(name);
            let whole = veriregime_files::read_bounded(&path, 1 << 10).unwrap();
            let mut flipped = whole.clone();
            flipped[0] ^= 1;
            let padded = [&whole[..], &[0]].concat();
            for wrong in [&flipped, &whole[1..].to_vec(), &padded] {
                veriregime_files::write_atomic(&path, wrong).unwrap();
                let fault = Bundle::open(folder.path()).expect_err(name);
                assert_eq!(fault.code(), "VR-PROVE-003");
                assert!(fault.to_string().contains(name), "{fault}");
            }
            std::fs::remove_file(&path).unwrap();
            let fault = Bundle::open(folder.path()).expect_err(name);
            assert_eq!(fault.code(), "VR-PROVE-004");
            assert!(fault.to_string().contains(name), "{fault}");
        }
    }

    #[test]
    fn what_the_manifest_does_not_name_is_ignored_and_its_digest_is_that_of_its_bytes() {
        let (folder, bundle) = sealed();
        veriregime_files::write_atomic(&folder.path().join("notes.txt"), b"mine").unwrap();
        let again = Bundle::open(folder.path()).unwrap();
        assert_eq!(again.manifest_digest, bundle.manifest_digest);
        let bytes = veriregime_files::read_bounded(&bundle.path(MANIFEST_FILE), 1 << 20).unwrap();
        assert_eq!(bundle.manifest_digest, Digest::of(&bytes));
    }

    #[test]
    fn what_another_ezkl_or_other_arguments_made_is_refused() {
        let (folder, bundle) = sealed();
        let sealed_again = |version, visibility, logrows| {
            write_settings(folder.path(), version, visibility, logrows);
            Bundle::seal(folder.path(), bundle.manifest.clone()).map_err(|fault| fault.code())
        };
        assert_eq!(sealed_again("22.3.0", "Public", 7).err(), Some("VR-PROVE-019"));
        assert_eq!(sealed_again(EZKL_VERSION, "Private", 7).err(), Some("VR-PROVE-020"));
        assert_eq!(sealed_again(EZKL_VERSION, "Public", 8).err(), Some("VR-PROVE-020"));
        assert!(sealed_again(EZKL_VERSION, "Public", 7).is_ok());
        let mut other = bundle.manifest.clone();
        other.circuit.ezkl_version = "24.0.0".to_owned();
        assert_eq!(Bundle::seal(folder.path(), other).expect_err("another version").code(), "VR-PROVE-019");
    }

    #[test]
    fn a_manifest_that_contradicts_itself_is_refused() {
        let (folder, bundle) = sealed();
        let edits: [fn(&mut Value); 7] = [
            |document| document["model_id"] = json!("../m"),
            |document| document["markets"][0]["name"] = json!("BTC\u{1b}[31m"),
            |document| document["schema"] = json!(2),
            |document| document["circuit"]["instances"] = json!(5),
            |document| document["files"]["../pk.key"] = json!("00".repeat(32)),
            |document| drop(document["files"].as_object_mut().unwrap().remove(VERIFYING_KEY_FILE)),
            |document| document["surprise"] = json!(1),
        ];
        for edit in edits {
            let mut document = serde_json::to_value(&bundle.manifest).unwrap();
            edit(&mut document);
            veriregime_files::write_atomic(&bundle.path(MANIFEST_FILE), document.to_string().as_bytes()).unwrap();
            assert_eq!(Bundle::open(folder.path()).expect_err("edited").code(), "VR-PROVE-005");
        }
        std::fs::remove_file(bundle.path(MANIFEST_FILE)).unwrap();
        assert_eq!(Bundle::open(folder.path()).expect_err("no manifest").code(), "VR-PROVE-004");
    }
}
