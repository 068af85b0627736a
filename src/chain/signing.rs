//! Transactions that take the place of others.

use alloy::consensus::Transaction;
use alloy::network::TransactionBuilder;
use alloy::primitives::U256;
use alloy::rpc::types::TransactionRequest;

use super::Chain;
use super::envelope::envelope;
use super::floor::Floor;
use crate::chain::error::ChainError;
use veriregime_core::types::cycle::{Attempt, Purpose};

impl Chain {
    /// Signs a payment of nothing to ourselves that uses up `nonce`. Nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::sign`]; the cap is the one of cancellations.
    pub async fn sign_cancel(&self, nonce: u64, replaces: Option<Floor>) -> Result<Attempt, ChainError> {
        let request = TransactionRequest::default().with_to(self.address()).with_value(U256::ZERO);
        self.sign(Purpose::Cancel, request, nonce, replaces).await
    }

    /// Signs what `attempt` says once more, offering enough more to replace it, and `named` at least. Nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::sign`]; [`ChainError::Signing`] for bytes that hold no transaction.
    pub async fn sign_fee_bump(&self, attempt: &Attempt, named: Floor) -> Result<Attempt, ChainError> {
        let stored = envelope(attempt)?;
        let request = TransactionRequest { to: Some(stored.kind()), ..TransactionRequest::default() };
        let request = request.with_input(stored.input().clone()).with_value(stored.value());
        self.sign(attempt.purpose, request, attempt.nonce, Some(Floor::above(attempt).and(named))).await
    }
}
