//! An update from a forecast and its proof: attested, simulated, signed.

use alloy::primitives::Address;

use super::abi::{IRegimeRiskOracle, RiskOracle};
use super::attest::{Statement, attestation};
use super::fault::{ChainFault, Rejection};
use super::{Chain, Update};
use crate::types::cycle::Attempt;
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
        self.sign(call.into_transaction_request(), nonce, replaced).await
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
