//! The submitting side: this node's attestation, and those of other operators where the contract wants more.

use alloy::primitives::B256;
use tracing::{info, warn};

use super::{CLOSES_E8, attest_once};
use crate::attestation::peers::PeerError;
use crate::attestation::statement::{Statement, is_by_its_signer};
use crate::chain::error::ChainError;
use crate::chain::read::AttestorSet;
use crate::job::Agent;
use crate::job::error::StageError;
use veriregime_core::types::attestation::{AttestRequest, Attestation};
use veriregime_core::types::cycle::Forecast;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::period::PeriodId;

impl Agent {
    /// The contract's attestor set, if this node and the operators that it knows can make an update acceptable.
    ///
    /// # Errors
    /// [`ChainError::FewAttestations`], else as [`crate::chain::Chain::attestor_set`].
    pub async fn attestor_set(&self) -> Result<AttestorSet, ChainError> {
        let set = self.chain.attestor_set(self.oracle).await?;
        if self.peers.len() + 1 < usize::from(set.threshold) {
            return Err(self.few(set, 1));
        }
        Ok(set)
    }

    /// As many attestations of the forecast as the contract wants. What others have signed is kept as it comes in, so that
    /// after an interruption only those are asked who have not signed.
    ///
    /// # Errors
    /// As [`Agent::attestor_set`], [`ChainError::FewAttestations`] where too few have signed by now, and what keeps this
    /// node from signing.
    pub async fn attestations(
        &self,
        model_id: B256,
        period: PeriodId,
        forecast: &Forecast,
    ) -> Result<Vec<Attestation>, StageError> {
        let set = self.attestor_set().await?;
        let instances = forecast.instances();
        let statement = Statement {
            model_id,
            period,
            omitted: forecast.omitted,
            instances: &instances,
            closes_e8: CLOSES_E8,
            attestor_set_version: set.version,
        };
        let digest = statement.digest(self.chain.read.chain_id(), self.oracle);
        let markets = self.bundle.manifest.markets.len();
        attest_once(&self.store, &self.chain, self.oracle, &statement, markets).await?;
        let wanted = usize::from(set.threshold);
        if self.store.attestations(digest)?.len() < wanted {
            let request = AttestRequest {
                chain_id: self.chain.read.chain_id(),
                oracle: self.oracle,
                model_id,
                period,
                attestor_set_version: set.version,
                omitted_markets: forecast.omitted,
                closes_e8: CLOSES_E8.to_vec(),
                instances,
            };
            self.ask_others(&request, digest, wanted).await?;
        }
        let mut held = self.store.attestations(digest)?;
        if held.len() < wanted {
            return Err(self.few(set, held.len()).into());
        }
        held.truncate(wanted);
        Ok(held)
    }

    /// Asks all other operators at once, until enough have signed. Nothing that they say is believed: each attestation is
    /// checked against digest and set before it is kept.
    async fn ask_others(&self, request: &AttestRequest, digest: B256, wanted: usize) -> Result<(), StageError> {
        let mut answers = self.peers.ask(request);
        while let Some(answer) = answers.join_next().await {
            // One that was broken off by the runtime's end has nobody to tell.
            let Ok((peer, answer)) = answer else { continue };
            let checked = match answer {
                Ok(attestation) => self.check(attestation, digest).await?,
                Err(fault) => Err(fault),
            };
            match checked {
                Ok(attestation) => {
                    info!(peer, attestor = %attestation.signer, "attested by another operator");
                    self.store.keep_attestation(digest, &attestation)?;
                    if self.store.attestations(digest)?.len() >= wanted {
                        break;
                    }
                }
                Err(fault) => {
                    warn!(peer, code = fault.code(), error = %fault, hint = fault.hint(), "not attested");
                }
            }
        }
        Ok(())
    }

    async fn check(
        &self,
        attestation: Attestation,
        digest: B256,
    ) -> Result<Result<Attestation, PeerError>, ChainError> {
        if is_by_its_signer(&attestation, digest) != Some(true) {
            return Ok(Err(PeerError::NotSigned(attestation.signer)));
        }
        if !self.chain.read.is_attestor(self.oracle, attestation.signer).await? {
            return Ok(Err(PeerError::NoAttestor(attestation.signer)));
        }
        Ok(Ok(attestation))
    }

    fn few(&self, set: AttestorSet, held: usize) -> ChainError {
        ChainError::FewAttestations { threshold: set.threshold, held, peers: self.peers.len() }
    }
}
