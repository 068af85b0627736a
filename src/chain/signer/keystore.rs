//! Encrypted key files, geth's version 3. Deriving the key from the passphrase takes a second or two: not on the runtime.

use std::path::Path;

use alloy::signers::k256::elliptic_curve::rand_core::OsRng;
use alloy::signers::local::PrivateKeySigner;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Signer;
use super::fault::KeyFault;
use crate::fs;

/// Far more than any keystore has.
const MAX_KEYSTORE_BYTES: u64 = 64 << 10;
const FILE_NAME: &str = "keystore";

impl Signer {
    /// Opens a keystore.
    ///
    /// # Errors
    /// [`KeyFault::Keystore`].
    pub async fn from_keystore(path: &Path, passphrase: &SecretString) -> Result<Self, KeyFault> {
        let fault = |reason: String| KeyFault::Keystore { path: path.to_owned(), reason };
        // Read here as well, because its own reader has no bound.
        fs::read_bounded(path, MAX_KEYSTORE_BYTES).map_err(|error| fault(error.to_string()))?;
        let (from, passphrase) = (path.to_owned(), passphrase.clone());
        let opened = move || PrivateKeySigner::decrypt_keystore(from, passphrase.expose_secret());
        let opened = tokio::task::spawn_blocking(opened).await.map_err(|error| fault(error.to_string()))?;
        Ok(Self::new(opened.map_err(|error| fault(error.to_string()))?))
    }
}

/// Writes a keystore with a new key, or with the given one, and gives back its signer.
///
/// # Errors
/// [`KeyFault::Exists`] rather than replace a file, [`KeyFault::NotAKey`] or [`KeyFault::Keystore`].
pub async fn write(path: &Path, key: Option<&SecretString>, passphrase: &SecretString) -> Result<Signer, KeyFault> {
    let fault = |reason: String| KeyFault::Keystore { path: path.to_owned(), reason };
    if fs::size_bytes(path).is_ok() {
        return Err(KeyFault::Exists { path: path.to_owned() });
    }
    let signer: PrivateKeySigner = match key {
        Some(key) => key.expose_secret().parse().map_err(|_| KeyFault::NotAKey)?,
        None => PrivateKeySigner::random_with(&mut OsRng),
    };
    let (sealed, passphrase) = (signer.clone(), passphrase.clone());
    let sealed = tokio::task::spawn_blocking(move || seal(&sealed, &passphrase)).await;
    let json = sealed.map_err(|error| fault(error.to_string()))?.map_err(fault)?;
    fs::write_private(path, &json).map_err(|error| fault(error.to_string()))?;
    Ok(Signer::new(signer))
}

/// The keystore's bytes, by way of a folder that only this user can look into.
fn seal(signer: &PrivateKeySigner, passphrase: &SecretString) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let key = signer.to_bytes();
    PrivateKeySigner::encrypt_keystore(folder.path(), &mut OsRng, key, passphrase.expose_secret(), Some(FILE_NAME))
        .map_err(|error| error.to_string())?;
    let json =
        fs::read_bounded(&folder.path().join(FILE_NAME), MAX_KEYSTORE_BYTES).map_err(|error| error.to_string())?;
    // Geth finds an account by this, and nothing else needs it.
    let mut sealed: Value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    sealed["address"] = alloy::hex::encode(signer.address()).into();
    serde_json::to_vec(&sealed).map_err(|error| error.to_string())
}
