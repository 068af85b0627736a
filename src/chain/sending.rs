//! Transactions that belong to no cycle: signed, sent, replaced while nobody mines them, and waited for.

use std::time::Duration;

use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes};
use alloy::rpc::types::TransactionRequest;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

use super::Chain;
use super::answers::Receipt;
use super::floor::Floor;
use crate::chain::error::ChainError;
use veriregime_core::types::cycle::{Attempt, Purpose};
use veriregime_core::types::diagnostic::Diagnostic;

/// Longest wait for a receipt.
const RECEIPT_TIMEOUT: Duration = Duration::from_mins(10);
/// Pause between two looks for one.
const RECEIPT_POLL: Duration = Duration::from_millis(20);

impl Chain {
    /// Signs and sends a transaction, and waits until it is mined. Where no RPC takes it at its price, or nobody mines it in
    /// time, a dearer one replaces it, as far as the cap allows.
    ///
    /// # Errors
    /// [`ChainError::Reverted`], or [`ChainError::Unreachable`] where no receipt comes, else as [`Chain::sign`] and
    /// [`Chain::broadcast`].
    pub async fn send(&self, request: impl Into<TransactionRequest>) -> Result<Receipt, ChainError> {
        let request: TransactionRequest = request.into();
        let end = Instant::now() + RECEIPT_TIMEOUT;
        let nonce = self.nonce().await?;
        let mut newest = self.sign(Purpose::Action, request.clone(), nonce, None).await?;
        let mut sent: Vec<Attempt> = Vec::new();
        while Instant::now() < end {
            let named = match self.broadcast(&newest).await {
                Ok(()) => {
                    sent.push(newest.clone());
                    let due = end.min(Instant::now() + self.read.settings.replace_after);
                    if let Some(receipt) = self.receipt_of_any(&sent, due).await? {
                        return Ok(receipt);
                    }
                    Floor::default()
                }
                Err(ChainError::Underpriced { minimum, .. }) => minimum,
                Err(fault) if sent.is_empty() => return Err(fault),
                Err(fault) => {
                    wait_on(&fault, &newest);
                    break;
                }
            };
            let floor = Floor::above(&newest).and(named);
            match self.sign(Purpose::Action, request.clone(), nonce, Some(floor)).await {
                Ok(dearer) => {
                    warn!(old = %newest.hash, new = %dearer.hash, "replacing a transaction that is not mined");
                    newest = dearer;
                }
                Err(fault) if sent.is_empty() => return Err(fault),
                // It may be that the one before was mined just now.
                Err(fault) => {
                    wait_on(&fault, &newest);
                    break;
                }
            }
        }
        self.receipt_until(&sent, end).await
    }

    /// Waits until a transaction that was sent is mined.
    ///
    /// # Errors
    /// [`ChainError::Reverted`], or [`ChainError::Unreachable`] where no receipt comes, else [`ChainError`].
    pub async fn receipt(&self, attempt: Attempt) -> Result<Receipt, ChainError> {
        self.receipt_until(&[attempt], Instant::now() + RECEIPT_TIMEOUT).await
    }

    async fn receipt_until(&self, sent: &[Attempt], end: Instant) -> Result<Receipt, ChainError> {
        let hashes: Vec<String> = sent.iter().map(|attempt| attempt.hash.to_string()).collect();
        let missing = || ChainError::Unreachable(format!("no receipt for {}", hashes.join(", ")));
        self.receipt_of_any(sent, end).await?.ok_or_else(missing)
    }

    /// The receipt of whichever is mined; `None` where none is until `end`.
    async fn receipt_of_any(&self, sent: &[Attempt], end: Instant) -> Result<Option<Receipt>, ChainError> {
        let found = timeout_at(end, async {
            loop {
                for attempt in sent {
                    if let Some(receipt) = self.read.receipt(attempt.hash).await? {
                        return Ok::<_, ChainError>(receipt);
                    }
                }
                sleep(RECEIPT_POLL).await;
            }
        });
        match found.await {
            Err(_) => Ok(None),
            Ok(Ok(receipt)) if !receipt.succeeded() => Err(ChainError::Reverted(receipt.transaction_hash)),
            Ok(outcome) => outcome.map(Some),
        }
    }

    /// Puts creation code on the chain.
    ///
    /// # Errors
    /// As [`Chain::send`].
    pub async fn create(&self, code: Bytes) -> Result<Address, ChainError> {
        let receipt = self.send(TransactionRequest::default().with_deploy_code(code)).await?;
        receipt.contract_address.ok_or_else(|| ChainError::Refused("a creation's receipt names no contract".into()))
    }
}

fn wait_on(fault: &ChainError, sent: &Attempt) {
    warn!(code = fault.code(), error = %fault, hash = %sent.hash, "no replacement, waiting on");
}
