//! What owners have announced, and what is proposed.

use alloy::primitives::{Address, B256, Bytes};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent;
use serde::Serialize;

use super::LIFETIME_SECONDS;
use super::admin::Roles;
use crate::actions::risk_oracle::abi::oracle::RiskOracle::{self, RiskOracleCalls};
use crate::actions::risk_oracle::abi::registry::ModelRegistry::{self, ModelRegistryCalls};
use crate::chain::error::ChainError;
use crate::chain::read::Reader;

/// Something that was announced and is still to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announced {
    /// The call's function, or "a model".
    pub what: String,
    /// Who announced it; nobody in particular for a model, which anyone may activate.
    pub caller: Option<Address>,
    /// What `veto` or `veto-model` takes.
    pub id: B256,
    /// Unix seconds from which the timelock lets it pass.
    pub ready_at: u64,
    pub data: Bytes,
}

impl Reader {
    /// What was announced and is still to come, oldest first.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn announced(
        &self,
        oracle: Address,
        registry: Address,
        roles: &Roles,
    ) -> Result<Vec<Announced>, ChainError> {
        let alive_seconds = roles.timelock_seconds.saturating_add(LIFETIME_SECONDS);
        let since = i64::try_from(roles.now_seconds.saturating_sub(alive_seconds)).unwrap_or(i64::MAX);
        let head = self.head().await?.number;
        let topics = vec![RiskOracle::OperationScheduled::SIGNATURE_HASH, ModelRegistry::ModelProposed::SIGNATURE_HASH];
        let filter = Filter::new().address(vec![oracle, registry]).event_signature(topics);
        let first = self.first_block_at(since, head).await?;
        let models = ModelRegistry::new(registry, &self.provider);
        let mut found: Vec<Announced> = Vec::new();
        for log in self.logs(&filter, first..head.saturating_add(1)).await? {
            let Some(announced) = read_announced(&log) else { continue };
            let ready_at = match announced.caller {
                Some(_) => RiskOracle::new(log.address(), &self.provider).readyAt(announced.id).call().await?,
                None => models.modelReadyAt(announced.id).call().await?,
            };
            let ready_at: u64 = ready_at.saturating_to();
            if ready_at.saturating_add(LIFETIME_SECONDS) >= roles.now_seconds && ready_at != 0 {
                found.retain(|one| one.id != announced.id);
                found.push(Announced { ready_at, ..announced });
            }
        }
        Ok(found)
    }
}

fn read_announced(log: &Log) -> Option<Announced> {
    if let Ok(event) = RiskOracle::OperationScheduled::decode_log(&log.inner) {
        let selector = event.data.data.first_chunk::<4>();
        let name = selector.and_then(|selector| {
            RiskOracleCalls::name_by_selector(*selector).or(ModelRegistryCalls::name_by_selector(*selector))
        });
        return Some(Announced {
            what: name.unwrap_or("a call that the contract does not have").into(),
            caller: Some(event.caller),
            id: event.operation,
            ready_at: event.readyAt.saturating_to(),
            data: event.data.data,
        });
    }
    let event = ModelRegistry::ModelProposed::decode_log(&log.inner).ok()?.data;
    Some(Announced {
        what: "a model".into(),
        caller: None,
        id: event.modelId,
        ready_at: event.readyAt.saturating_to(),
        data: Bytes::new(),
    })
}
