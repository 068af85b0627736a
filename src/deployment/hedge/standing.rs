//! What the chain shows of a hedge.

use alloy::primitives::Address;
use alloy::providers::Provider;

use super::HedgeDeployment;
use crate::actions::hedge_vault::abi::vault::HedgeVault;
use crate::actions::hedge_vault::abi::vault::IHedgeVault::Terms;
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::deployment::code::CREATE2_DEPLOYER;
use crate::deployment::error::DeploymentError;
use crate::deployment::standing::TRIAL_SLACK_SECONDS;
use crate::deployment::{Blocked, LIFETIME_SECONDS};

/// How a hedge's deployment stands.
#[derive(Debug)]
pub(super) struct HedgeStanding {
    /// Whether verifier, registry and vault are there, their code what was compiled.
    pub(super) exists: [bool; 3],
    pub(super) registry_owner: Address,
    pub(super) is_active: bool,
    /// When the proposed model can be activated; 0 where it is not proposed.
    ready_at: u64,
    /// The vault's, where it is there.
    pub(super) terms: Option<Terms>,
    /// Unix seconds of the next block.
    now: u64,
}

impl HedgeStanding {
    pub(super) async fn read(deployment: &HedgeDeployment, read: &Reader) -> Result<Self, DeploymentError> {
        if !read.has_code(CREATE2_DEPLOYER).await? {
            return Err(DeploymentError::NoDeployer(CREATE2_DEPLOYER));
        }
        let mut exists = [false; 3];
        for (exists, creation) in exists.iter_mut().zip(deployment.contracts()) {
            let code = read.provider.get_code_at(creation.address).await.map_err(ChainError::from)?;
            if !code.is_empty() {
                creation.verified(&code)?;
                *exists = true;
            }
        }
        let [_, has_registry, has_vault] = exists;
        let mut standing = Self {
            exists,
            registry_owner: deployment.constructor.owner,
            is_active: false,
            ready_at: 0,
            terms: None,
            now: read.next_block_seconds().await?,
        };
        if has_registry {
            let registry = ModelRegistry::new(deployment.registry.address, &read.provider);
            standing.registry_owner = registry.owner().call().await.map_err(ChainError::from)?;
            let ready_at = registry.modelReadyAt(deployment.model_id).call().await.map_err(ChainError::from)?;
            standing.ready_at = ready_at.saturating_to();
            standing.is_active = match registry.facts(deployment.model_id).call().await.map_err(ChainError::from) {
                Ok(facts) => facts.activeUntil.to::<u64>() > standing.now,
                Err(ChainError::Rejected(_)) => false, // it was never proposed
                Err(fault) => return Err(fault.into()),
            };
        }
        if has_vault {
            let vault = HedgeVault::new(deployment.vault.address, &read.provider);
            standing.terms = Some(vault.terms().call().await.map_err(ChainError::from)?);
        }
        Ok(standing)
    }

    /// Whether the model waits to be activated, and still can be.
    pub(super) fn is_proposed(&self) -> bool {
        self.ready_at != 0 && self.now <= self.ready_at.saturating_add(LIFETIME_SECONDS)
    }

    /// When the model can be activated: if it is proposed, else if it is next.
    pub(super) fn ripe_at(&self, timelock_seconds: u64) -> u64 {
        let next = self.now.saturating_add(timelock_seconds).saturating_add(TRIAL_SLACK_SECONDS);
        if self.is_proposed() { self.ready_at } else { next }
    }

    /// What keeps a proposed model from being activated.
    pub(super) fn unripe(&self) -> Option<Blocked> {
        (self.now < self.ready_at).then_some(Blocked::Until(self.ready_at))
    }
}
