//! An update from a forecast and its proof: attested, simulated, signed.

use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::Decodable2718;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, Bytes, U256};
use alloy::rpc::types::TransactionRequest;

use super::abi::{IRegimeRiskOracle, RiskOracle};
use super::attest::{Statement, attestation};
use super::fault::{ChainFault, Rejection};
use super::{Chain, Update};
use crate::types::cycle::{Attempt, Purpose};
use crate::types::feature::FeatureVector;
use crate::types::prediction::Outputs;
use crate::types::proof::instances;

impl Chain {
    /// Attests and simulates the update and signs it. Nothing is sent.
    ///
    /// # Errors
    /// [`ChainFault::Rejected`] with the contract's reason, [`ChainFault::EmptyWallet`], [`ChainFault::FeeAboveCap`],
    /// else [`ChainFault`].
    pub async fn sign_update(
        &self,
        oracle: Address,
        update: &Update<'_>,
        nonce: u64,
        replaced: Option<&Attempt>,
    ) -> Result<Attempt, ChainFault> {
        let outputs = Outputs::concat(update.outputs);
        let instances = instances(&FeatureVector::concat(update.features), &outputs);
        let statement = Statement {
            model_id: update.model_id,
            period: update.period,
            instances: &instances,
            closes_e8: &[],
            attestor_set_version: self.attestor_set_version(oracle).await?,
        };
        let contract = RiskOracle::new(oracle, &self.read.provider);
        let call = contract.submit(IRegimeRiskOracle::Update {
            modelId: update.model_id,
            period: update.period.0,
            candleFeatures: update.features.iter().flat_map(|vector| vector.candle.clone()).collect(),
            outputs,
            closesE8: vec![],
            proof: update.proof.clone(),
            attestations: attestation(&self.attestor, statement.digest(self.read.settings.chain_id, oracle))?,
        });
        self.sign(Purpose::Update, call.into_transaction_request(), nonce, replaced).await
    }

    /// Signs a payment of nothing to ourselves that uses up `nonce`. Nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::sign_update`]; the cap is the one of cancellations.
    pub async fn sign_cancel(&self, nonce: u64, replaced: Option<&Attempt>) -> Result<Attempt, ChainFault> {
        let request = TransactionRequest::default().with_to(self.address()).with_value(U256::ZERO);
        self.sign(Purpose::Cancel, request, nonce, replaced).await
    }

    /// Signs what `attempt` says once more, offering enough more to replace it. Nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::sign_update`]; [`ChainFault::Signing`] for bytes that hold no transaction.
    pub async fn sign_dearer(&self, attempt: &Attempt) -> Result<Attempt, ChainFault> {
        let stored = envelope(attempt)?;
        let request = TransactionRequest { to: Some(stored.kind()), ..TransactionRequest::default() };
        let request = request.with_input(stored.input().clone()).with_value(stored.value());
        self.sign(attempt.purpose, request, attempt.nonce, Some(attempt)).await
    }

    /// The version of the contract's attestor set, if our attestation alone makes an update acceptable.
    ///
    /// # Errors
    /// [`ChainFault::MoreAttestations`] or [`Rejection::NotAttestor`], else [`ChainFault`].
    pub async fn attestor_set_version(&self, oracle: Address) -> Result<u32, ChainFault> {
        let contract = RiskOracle::new(oracle, &self.read.provider);
        let set = contract.attestorSet().call().await?;
        if set.threshold > 1 {
            return Err(ChainFault::MoreAttestations { threshold: set.threshold });
        }
        if !contract.isAttestor(self.attestor()).call().await? {
            return Err(ChainFault::Rejected(Rejection::NotAttestor(self.attestor())));
        }
        Ok(set.version)
    }
}

/// What a stored transaction sends.
///
/// # Errors
/// [`ChainFault::Signing`] for bytes that hold no transaction.
pub fn calldata(attempt: &Attempt) -> Result<Bytes, ChainFault> {
    Ok(envelope(attempt)?.input().clone())
}

fn envelope(attempt: &Attempt) -> Result<TxEnvelope, ChainFault> {
    let unreadable = |_| ChainFault::Signing("the stored bytes hold no transaction".into());
    TxEnvelope::decode_2718(&mut attempt.raw.as_ref()).map_err(unreadable)
}
