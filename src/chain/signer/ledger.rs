//! Keys in a Ledger.

use alloy::signers::ledger::{HDPath, LedgerSigner};

use super::Signer;
use crate::chain::signer::error::KeyFault;

/// Asks the device for the address at the derivation path `key`.
///
/// # Errors
/// [`KeyFault::Holder`].
pub async fn open(key: &str) -> Result<Signer, KeyFault> {
    let signer = LedgerSigner::new(HDPath::Other(key.to_owned()), None).await;
    let fault = |reason: String| KeyFault::Holder { holder: "the ledger", reason };
    Ok(Signer::new(signer.map_err(|error| fault(error.to_string()))?))
}
