//! How one model of a registry stands.

use alloy::primitives::{Address, B256};

use super::standing::TRIAL_SLACK_SECONDS;
use super::{Blocked, LIFETIME_SECONDS};
use crate::actions::risk_oracle::abi::registry::ModelRegistry;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use crate::deployment::error::DeploymentError;

/// How a model stands, at a registry that may not be there yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelStanding {
    pub(super) is_active: bool,
    /// When the proposed model can be activated; 0 where it is not proposed.
    ready_at: u64,
    /// Unix seconds of the next block.
    now: u64,
}

impl ModelStanding {
    /// Of a registry that is not there.
    pub(super) fn absent(now: u64) -> Self {
        Self { is_active: false, ready_at: 0, now }
    }

    /// Of one that is.
    pub(super) async fn read(
        read: &Reader,
        registry: Address,
        model_id: B256,
        now: u64,
    ) -> Result<Self, DeploymentError> {
        let registry = ModelRegistry::new(registry, &read.provider);
        let ready_at = registry.modelReadyAt(model_id).call().await.map_err(ChainError::from)?.saturating_to();
        let is_active = match registry.facts(model_id).call().await.map_err(ChainError::from) {
            Ok(facts) => facts.activeUntil.to::<u64>() > now,
            Err(ChainError::Rejected(_)) => false, // it was never proposed
            Err(fault) => return Err(fault.into()),
        };
        Ok(Self { is_active, ready_at, now })
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
