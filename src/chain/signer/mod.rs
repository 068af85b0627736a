//! Whatever holds a key and signs with it: this process, a cloud's key service, or a device.

#[cfg_attr(feature = "kms-aws", path = "aws_kms.rs")]
#[cfg_attr(not(feature = "kms-aws"), path = "aws_kms_absent.rs")]
pub mod aws_kms;
pub mod error;
#[cfg_attr(feature = "kms-gcp", path = "gcp_kms.rs")]
#[cfg_attr(not(feature = "kms-gcp"), path = "gcp_kms_absent.rs")]
pub mod gcp_kms;
pub mod keystore;
#[cfg_attr(feature = "ledger", path = "ledger.rs")]
#[cfg_attr(not(feature = "ledger"), path = "ledger_absent.rs")]
pub mod ledger;
mod sealed;

use std::fmt;
use std::sync::Arc;

use alloy::network::{EthereumWallet, FullSigner};
use alloy::primitives::{Address, B256, Signature};
use alloy::signers::local::PrivateKeySigner;
use secrecy::{ExposeSecret, SecretString};

use crate::chain::error::ChainError;
use error::KeyError;

/// One key, wherever it is. Copies share it.
#[derive(Clone)]
pub struct Signer(Arc<dyn FullSigner<Signature> + Send + Sync>);

impl Signer {
    fn new(holder: impl FullSigner<Signature> + Send + Sync + 'static) -> Self {
        Self(Arc::new(holder))
    }

    /// A key in hex digits.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_key(key: &SecretString) -> Result<Self, KeyError> {
        Ok(Self::new(key.expose_secret().parse::<PrivateKeySigner>().map_err(|_| KeyError::NotAKey)?))
    }

    /// The key's address.
    pub fn address(&self) -> Address {
        alloy::signers::Signer::address(&*self.0)
    }

    /// Refuses a key of another address than the settings name.
    ///
    /// # Errors
    /// [`KeyError::OtherAddress`].
    pub fn expect(self, configured: Option<Address>) -> Result<Self, KeyError> {
        match configured {
            Some(configured) if configured != self.address() => {
                Err(KeyError::OtherAddress { configured, actual: self.address() })
            }
            _ => Ok(self),
        }
    }

    /// What signs transactions with this key.
    pub(crate) fn wallet(&self) -> EthereumWallet {
        EthereumWallet::from(self.0.clone())
    }

    /// The signature of a digest: 65 bytes.
    ///
    /// # Errors
    /// [`ChainError::Signing`].
    pub(crate) async fn sign(&self, digest: B256) -> Result<Signature, ChainError> {
        self.0.sign_hash(&digest).await.map_err(|error| ChainError::Signing(error.to_string()))
    }
}

/// The address, and nothing of the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.address()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veriregime_core::types::diagnostic::Diagnostic;

    #[test]
    fn a_signer_shows_its_address_and_nothing_of_its_key() {
        let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let signer = Signer::from_key(&SecretString::from(key)).unwrap();
        let shown = format!("{signer:?} {:?}", signer.wallet());
        assert!(shown.contains(&format!("{:?}", signer.address())) && !shown.contains(&key[..8]), "{shown}");
        assert!(signer.clone().expect(Some(signer.address())).is_ok() && signer.clone().expect(None).is_ok());
        assert_eq!(signer.expect(Some(Address::ZERO)).expect_err("another address").code(), "VR-KEY-007");
        // Zero, and the order of the curve: hex digits, but no keys.
        for none in ["0".repeat(64), "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".into()] {
            assert_eq!(Signer::from_key(&SecretString::from(none)).expect_err("no key").code(), "VR-KEY-003");
        }
    }
}
