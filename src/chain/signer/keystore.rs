//! Encrypted key files. Deriving the key from the passphrase takes a second or two: not on the runtime.

use std::path::Path;

use alloy::signers::k256::elliptic_curve::rand_core::OsRng;
use alloy::signers::local::PrivateKeySigner;
use secrecy::{ExposeSecret, SecretString};

use super::Signer;
use super::sealed::{Refusal, Sealed, seal};
use crate::chain::signer::error::KeyError;

/// Far more than any keystore has.
const MAX_KEYSTORE_BYTES: u64 = 64 << 10;

impl Signer {
    /// Opens a keystore.
    ///
    /// # Errors
    /// [`KeyError::Keystore`], [`KeyError::KeystoreForm`] or [`KeyError::KeystoreAddress`].
    pub async fn from_keystore(path: &Path, passphrase: &SecretString) -> Result<Self, KeyError> {
        let json = veriregime_files::read_bounded(path, MAX_KEYSTORE_BYTES).map_err(|error| unopened(path, &error))?;
        let sealed = Sealed::parse(&json).map_err(|refusal| refused(path, refusal))?;
        let passphrase = passphrase.clone();
        let opened = tokio::task::spawn_blocking(move || sealed.open(&passphrase)).await;
        Ok(Self::new(opened.map_err(|error| unopened(path, &error))?.map_err(|refusal| refused(path, refusal))?))
    }
}

/// Writes a keystore with a new key, or with the given one, and gives back its signer.
///
/// # Errors
/// [`KeyError::Exists`] rather than replace a file, [`KeyError::NotAKey`] or [`KeyError::Keystore`].
pub async fn write(path: &Path, key: Option<&SecretString>, passphrase: &SecretString) -> Result<Signer, KeyError> {
    if veriregime_files::size_bytes(path).is_ok() {
        return Err(KeyError::Exists { path: path.to_owned() });
    }
    let signer: PrivateKeySigner = match key {
        Some(key) => key.expose_secret().parse().map_err(|_| KeyError::NotAKey)?,
        None => PrivateKeySigner::random_with(&mut OsRng),
    };
    let (sealed, passphrase) = (signer.clone(), passphrase.clone());
    let json = tokio::task::spawn_blocking(move || seal(&sealed, &passphrase)).await;
    let json = json.map_err(|error| unopened(path, &error))?;
    veriregime_files::write_private(path, &json).map_err(|error| unopened(path, &error))?;
    Ok(Signer::new(signer))
}

fn unopened(path: &Path, reason: &dyn std::error::Error) -> KeyError {
    KeyError::Keystore { path: path.to_owned(), reason: reason.to_string() }
}

fn refused(path: &Path, refusal: Refusal) -> KeyError {
    let path = path.to_owned();
    match refusal {
        Refusal::Unknown(reason) => KeyError::KeystoreForm { path, reason },
        Refusal::Malformed(reason) => KeyError::Keystore { path, reason },
        Refusal::Passphrase => KeyError::Keystore { path, reason: "the passphrase is not its own".into() },
        Refusal::OtherAddress { named, actual } => KeyError::KeystoreAddress { path, named, actual },
    }
}
