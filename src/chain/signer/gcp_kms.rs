//! Keys in Google's Cloud KMS.

use alloy::signers::gcp::gcloud_sdk::GoogleApi;
use alloy::signers::gcp::gcloud_sdk::google::cloud::kms::v1::key_management_service_client::KeyManagementServiceClient;
use alloy::signers::gcp::{GcpKeyRingRef, GcpSigner, KeySpecifier};

use super::Signer;
use crate::chain::signer::error::KeyError;

const API: &str = "https://cloudkms.googleapis.com";

/// Asks KMS for the public key of `key`, a key version's resource name. Credentials are found as Google's SDK does.
///
/// # Errors
/// [`KeyError::Holder`].
pub async fn open(key: &str) -> Result<Signer, KeyError> {
    let fault = |reason: String| KeyError::Holder { holder: "Google's Cloud KMS", reason };
    let specifier = specifier(key).ok_or_else(|| fault(format!("{key:?} names no key version")))?;
    let client = GoogleApi::from_function(KeyManagementServiceClient::new, API, None).await;
    let client = client.map_err(|error| fault(error.to_string()))?;
    let signer = GcpSigner::new(client, specifier, None).await;
    Ok(Signer::new(signer.map_err(|error| fault(error.to_string()))?))
}

/// `projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V` taken apart.
fn specifier(key: &str) -> Option<KeySpecifier> {
    let parts: Vec<&str> = key.split('/').collect();
    let [
        "projects",
        project,
        "locations",
        location,
        "keyRings",
        ring,
        "cryptoKeys",
        name,
        "cryptoKeyVersions",
        version,
    ] = parts[..]
    else {
        return None;
    };
    Some(KeySpecifier::new(GcpKeyRingRef::new(project, location, ring), name, version.parse().ok()?))
}
