//! Keys that are made or taken over, each in an encrypted file, and the addresses of those in use.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use secrecy::SecretString;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::chain::signer::error::KeyError;
use crate::chain::signer::{Signer, keystore};
use crate::config::secret;
use crate::render::Render;

/// Random bytes of a passphrase that is made up here.
const PASSPHRASE_BYTES: usize = 32;

/// A key in its file.
#[derive(Debug)]
pub struct MadeKey {
    address: Address,
    keystore: PathBuf,
}

impl Serialize for MadeKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"address": self.address.to_string(), "keystore": self.keystore}).serialize(serializer)
    }
}

impl Render for MadeKey {
    fn text(&self) -> String {
        self.address.to_string()
    }
}

/// The addresses of the keys in use.
#[derive(Debug)]
pub struct Addresses {
    pub wallet: Address,
    pub attestor: Address,
}

impl Serialize for Addresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json!({"wallet": self.wallet.to_string(), "attestor": self.attestor.to_string()}).serialize(serializer)
    }
}

impl Render for Addresses {
    fn text(&self) -> String {
        format!("wallet   {}\nattestor {}", self.wallet, self.attestor)
    }
}

/// Writes a key, or a new one, encrypted by the passphrase in a file, which is made with a random one if it is not there. No file
/// is overwritten.
///
/// # Errors
/// A file that is there already or cannot be written, or a passphrase that is none.
pub async fn write(file: &Path, passphrase_file: &Path, key: Option<&SecretString>) -> anyhow::Result<MadeKey> {
    if veriregime_files::size_bytes(file).is_ok() {
        return Err(KeyError::Exists { path: file.to_owned() }.into());
    }
    for folder in [file, passphrase_file].into_iter().filter_map(Path::parent) {
        veriregime_files::create_private_folder(folder)?;
    }
    if veriregime_files::size_bytes(passphrase_file).is_err() {
        let random: [u8; PASSPHRASE_BYTES] = rand::random();
        veriregime_files::write_private(passphrase_file, format!("{}\n", hex::encode(random)).as_bytes())?;
    }
    let passphrase = secret::read_passphrase(passphrase_file)?;
    let made = keystore::write(file, key, &passphrase).await?;
    // What cannot be opened again is worth nothing.
    let opened = Signer::from_keystore(file, &passphrase).await?.expect(Some(made.address()))?;
    Ok(MadeKey { address: opened.address(), keystore: file.to_owned() })
}
