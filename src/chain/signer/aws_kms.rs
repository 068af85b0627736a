//! Keys in AWS KMS.

use alloy::signers::aws::{AwsSigner, aws_sdk_kms};
use aws_config::BehaviorVersion;

use super::Signer;
use crate::chain::signer::error::KeyError;

/// Asks KMS for the public key of `key`, a key's id, ARN or alias. Region and credentials are found as the AWS SDK does.
///
/// # Errors
/// [`KeyError::Holder`].
pub async fn open(key: &str) -> Result<Signer, KeyError> {
    let settings = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let signer = AwsSigner::new(aws_sdk_kms::Client::new(&settings), key.to_owned(), None).await;
    let fault =
        |error: alloy::signers::aws::AwsSignerError| KeyError::Holder { holder: "AWS KMS", reason: error.to_string() };
    Ok(Signer::new(signer.map_err(fault)?))
}
