//! Sending what is no update: one transaction after the other.

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::TransactionRequest;

use crate::chain::Chain;
use crate::chain::answers::Receipt;
use crate::chain::deploy::fault::DeployFault;

/// A wallet that sends.
#[derive(Debug)]
pub struct Outbox<'a> {
    pub chain: &'a Chain,
}

impl<'a> Outbox<'a> {
    /// Of a wallet.
    pub fn of(chain: &'a Chain) -> Self {
        Self { chain }
    }

    /// Sends, and waits until it is mined.
    ///
    /// # Errors
    /// [`DeployFault::Unmined`], or what keeps it from being sent or mined.
    pub async fn send(&self, to: Address, data: Bytes) -> Result<Receipt, DeployFault> {
        if !self.chain.is_idle().await? {
            return Err(DeployFault::Unmined(self.chain.address()));
        }
        Ok(self.chain.send(TransactionRequest::default().with_to(to).with_input(data)).await?)
    }
}
