//! The submitting side: this node's attestation, and those of other operators where the contract wants more.

use alloy::primitives::{Address, B256, U256};
use tracing::{info, warn};

use super::once::attest_once;
use super::registry::AttestorSet;
use crate::attestation::error::AttestationError;
use crate::attestation::peers::{PeerError, Peers};
use crate::attestation::statement::{Statement, is_by_its_signer};
use crate::chain::Chain;
use crate::state::Store;
use veriregime_core::types::attestation::Attestation;
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::stated::Stated;

/// Where a job gets the attestations that its contract wants.
#[derive(Debug)]
pub struct Attesting<'a> {
    pub chain: &'a Chain,
    pub store: &'a Store,
    /// The contract.
    pub contract: Address,
    /// Other operators.
    pub peers: &'a Peers,
}

/// What a job's forecast says of a period.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The model, as the contract calls it.
    pub model_id: B256,
    pub period: PeriodId,
    /// When the period ends, Unix milliseconds.
    pub end_ms: i64,
    /// How many markets the model has.
    pub markets: usize,
    pub omitted: OmittedMarkets,
    /// The proof's public inputs, unless it is what stands beside the forecast that is claimed.
    pub instances: Vec<U256>,
    /// What stands beside the forecast.
    pub prices: Option<Stated>,
}

impl Attesting<'_> {
    /// The contract's attestor set, if this node and the operators that it knows can make a call acceptable.
    ///
    /// # Errors
    /// [`AttestationError::Few`], else as [`Chain::attestor_set`].
    pub async fn set(&self) -> Result<AttestorSet, AttestationError> {
        let set = self.chain.attestor_set(self.contract).await?;
        if self.peers.len() + 1 < usize::from(set.threshold) {
            return Err(self.few(set, 1));
        }
        Ok(set)
    }

    /// As many attestations as the contract wants. What others have signed is kept as it comes in, so that after an
    /// interruption only those are asked who have not signed.
    ///
    /// # Errors
    /// As [`Attesting::set`], [`AttestationError::Few`] where too few have signed by now, and what keeps this node from
    /// signing.
    pub async fn of(&self, claim: Claim) -> Result<Vec<Attestation>, AttestationError> {
        let set = self.set().await?;
        let statement = Statement {
            chain_id: self.chain.read.chain_id(),
            oracle: self.contract,
            registry: self.chain.read.registry_of(self.contract).await?,
            model_id: claim.model_id,
            period: claim.period,
            attestor_set_version: set.version,
            omitted_markets: claim.omitted,
            instances: claim.instances,
            prices: claim.prices,
        };
        let digest = statement.digest();
        attest_once(self.store, self.chain, &statement.promise(claim.markets, claim.end_ms), digest).await?;
        let wanted = usize::from(set.threshold);
        if self.store.attestations(digest)?.len() < wanted {
            self.ask_others(&statement, digest, wanted).await?;
        }
        let mut held = self.store.attestations(digest)?;
        if held.len() < wanted {
            return Err(self.few(set, held.len()));
        }
        held.truncate(wanted);
        Ok(held)
    }

    /// Asks all other operators at once, until enough have signed. Nothing that they say is believed: each attestation is
    /// checked against digest and set before it is kept.
    async fn ask_others(&self, statement: &Statement, digest: B256, wanted: usize) -> Result<(), AttestationError> {
        let mut answers = self.peers.ask(statement);
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
    ) -> Result<Result<Attestation, PeerError>, AttestationError> {
        if is_by_its_signer(&attestation, digest) != Some(true) {
            return Ok(Err(PeerError::NotSigned(attestation.signer)));
        }
        if !self.chain.read.is_attestor(self.contract, attestation.signer).await? {
            return Ok(Err(PeerError::NoAttestor(attestation.signer)));
        }
        Ok(Ok(attestation))
    }

    fn few(&self, set: AttestorSet, held: usize) -> AttestationError {
        AttestationError::Few { threshold: set.threshold, held, peers: self.peers.len() }
    }
}
