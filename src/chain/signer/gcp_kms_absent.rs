//! A build without the feature `kms-gcp`.

use super::Signer;
use crate::chain::signer::error::KeyError;

/// Refuses.
///
/// # Errors
/// [`KeyError::NotInThisBuild`].
#[expect(clippy::unused_async, reason = "the build with the feature waits here")]
pub async fn open(_key: &str) -> Result<Signer, KeyError> {
    Err(KeyError::NotInThisBuild { kind: "gcp-kms" })
}
