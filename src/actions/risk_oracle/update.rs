//! An update from a forecast, its proof and its attestations: simulated and signed.

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::types::TransactionRequest;

use super::abi::{IRegimeRiskOracle, RiskOracle};
use crate::attestation::statement::pack;
use crate::chain::error::ChainError;
use crate::chain::fees::Floor;
use crate::chain::{Chain, Update};
use veriregime_core::types::cycle::{Attempt, Purpose};
use veriregime_core::types::public_inputs;

impl Chain {
    /// Simulates the update and signs it, where it replaces another transaction for that much at least. Nothing is sent.
    ///
    /// # Errors
    /// [`ChainError::Rejected`] with the contract's reason, [`ChainError::EmptyWallet`], [`ChainError::FeeAboveCap`],
    /// else [`ChainError`].
    pub async fn sign_update(
        &self,
        oracle: Address,
        update: &Update<'_>,
        nonce: u64,
        replaces: Option<Floor>,
    ) -> Result<Attempt, ChainError> {
        let contract = RiskOracle::new(oracle, &self.read.provider);
        let call = contract.submit(IRegimeRiskOracle::Update {
            modelId: update.model_id,
            period: update.period.0,
            omittedMarkets: U256::from(update.omitted.bits()),
            candleFeatures: public_inputs::candle_features(update.features),
            outputs: public_inputs::outputs(update.outputs),
            closesE8: vec![],
            proof: update.proof.clone(),
            attestations: pack(update.attestations),
        });
        self.sign(Purpose::Update, call.into_transaction_request(), nonce, replaces).await
    }

    /// Signs a payment of nothing to ourselves that uses up `nonce`. Nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::sign_update`]; the cap is the one of cancellations.
    pub async fn sign_cancel(&self, nonce: u64, replaces: Option<Floor>) -> Result<Attempt, ChainError> {
        let request = TransactionRequest::default().with_to(self.address()).with_value(U256::ZERO);
        self.sign(Purpose::Cancel, request, nonce, replaces).await
    }

    /// Signs what `attempt` says once more, offering enough more to replace it, and `named` at least. Nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::sign_update`]; [`ChainError::Signing`] for bytes that hold no transaction.
    pub async fn sign_fee_bump(&self, attempt: &Attempt, named: Floor) -> Result<Attempt, ChainError> {
        let stored = envelope(attempt)?;
        let request = TransactionRequest { to: Some(stored.kind()), ..TransactionRequest::default() };
        let request = request.with_input(stored.input().clone()).with_value(stored.value());
        self.sign(attempt.purpose, request, attempt.nonce, Some(Floor::above(attempt).and(named))).await
    }
}

/// What a stored transaction sends.
///
/// # Errors
/// [`ChainError::Signing`] for bytes that hold no transaction.
pub fn calldata(attempt: &Attempt) -> Result<Bytes, ChainError> {
    Ok(envelope(attempt)?.input().clone())
}

fn envelope(attempt: &Attempt) -> Result<TxEnvelope, ChainError> {
    let unreadable = |_| ChainError::Signing("the stored bytes hold no transaction".into());
    TxEnvelope::decode_2718(&mut attempt.raw.as_ref()).map_err(unreadable)
}
