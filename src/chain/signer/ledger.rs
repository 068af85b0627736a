//! Keys in a Ledger.

use alloy::signers::ledger::{HDPath, LedgerSigner};

use super::Signer;
use crate::chain::signer::error::KeyError;

/// Asks the device for the address at the derivation path `key`.
///
/// # Errors
/// [`KeyError::Holder`].
pub async fn open(key: &str) -> Result<Signer, KeyError> {
    let signer = LedgerSigner::new(HDPath::Other(key.to_owned()), None).await;
    let fault = |reason: String| KeyError::Holder { holder: "the ledger", reason };
    Ok(Signer::new(signer.map_err(|error| fault(error.to_string()))?))
}
