//! Sending what is no update: one transaction after the other, each known to the node's database before it is sent.

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::TransactionRequest;
use tracing::warn;

use crate::chain::Chain;
use crate::chain::answers::Receipt;
use crate::config::Config;
use crate::deployment::error::DeploymentError;
use crate::state::Store;
use crate::state::error::StateError;
use veriregime_core::types::diagnostic::Diagnostic;

/// A wallet that sends.
#[derive(Debug)]
pub struct Outbox<'a> {
    pub chain: &'a Chain,
    /// The memory of the node that has the same wallet, so that it takes nothing of this for another node's.
    store: Option<Store>,
}

impl<'a> Outbox<'a> {
    /// Of a wallet that no node has.
    pub fn of(chain: &'a Chain) -> Self {
        Self { chain, store: None }
    }

    /// Of a node's wallet. A database that cannot be opened costs the node a wait, and nobody else anything.
    pub fn of_node(chain: &'a Chain, config: &Config) -> Self {
        let store = match Store::open(&config.state_path) {
            Ok(store) => Some(store),
            Err(fault) => {
                unknown(&fault);
                None
            }
        };
        Self { chain, store }
    }

    /// Sends, and waits until it is mined.
    ///
    /// # Errors
    /// [`DeploymentError::Unmined`], or what keeps it from being sent or mined.
    pub async fn send(&self, to: Address, data: Bytes) -> Result<Receipt, DeploymentError> {
        if !self.chain.is_idle().await? {
            return Err(DeploymentError::Unmined(self.chain.address()));
        }
        if let Some(store) = &self.store {
            let next_nonce = self.chain.nonce().await?.saturating_add(1);
            let noted = store.know_nonces(self.chain.read.chain_id(), self.chain.address(), next_nonce);
            noted.unwrap_or_else(|fault| unknown(&fault));
        }
        Ok(self.chain.send(TransactionRequest::default().with_to(to).with_input(data)).await?)
    }
}

fn unknown(fault: &StateError) {
    let code = fault.code();
    warn!(code, error = %fault, "the node's database does not learn of this: its next start waits until the wallet is quiet");
}
