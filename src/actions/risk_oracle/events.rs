//! What the contract has said, of whatever model.

use std::ops::Range;

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;

use super::abi::oracle::RiskOracle;
use super::abi::registry::ModelRegistry;
use super::spec::PURPOSE;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::period::{Grid, PeriodId};
use veriregime_core::types::update::PublishedUpdate;

/// Something that concerns whoever watches a contract.
#[derive(Debug)]
pub enum Event {
    /// An update was accepted.
    Updated(Box<PublishedUpdate>),
    /// A model was proposed, or made the one that serves its markets.
    Model { model_id: B256, is_active: bool },
}

impl Reader {
    /// Everything that was said in these blocks, in order.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn events(&self, oracle: Address, blocks: Range<u64>) -> Result<Vec<Event>, ChainError> {
        let topics = vec![
            RiskOracle::UpdateAccepted::SIGNATURE_HASH,
            ModelRegistry::ModelProposed::SIGNATURE_HASH,
            ModelRegistry::ModelActivated::SIGNATURE_HASH,
        ];
        let filter = Filter::new().address(vec![oracle, self.registry_of(oracle).await?]).event_signature(topics);
        let mut events = Vec::new();
        for log in self.logs(&filter, blocks).await? {
            let topic = log.topic0().copied().unwrap_or_default();
            if topic == RiskOracle::UpdateAccepted::SIGNATURE_HASH {
                events.push(Event::Updated(Box::new(self.read_update(oracle, &log).await?)));
            } else if let Some(model_id) = log.topics().get(1) {
                let is_active = topic == ModelRegistry::ModelActivated::SIGNATURE_HASH;
                events.push(Event::Model { model_id: *model_id, is_active });
            }
        }
        Ok(events)
    }

    /// The updates of all models for a period of that grid.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn updates(
        &self,
        oracle: Address,
        grid: Grid,
        period: PeriodId,
    ) -> Result<Vec<PublishedUpdate>, ChainError> {
        let filter = Filter::new()
            .address(oracle)
            .event_signature(RiskOracle::UpdateAccepted::SIGNATURE_HASH)
            .topic2(B256::from(U256::from(period.0)));
        let mut updates = Vec::new();
        for log in self.logs(&filter, self.blocks_of(grid, period).await?).await? {
            updates.push(self.read_update(oracle, &log).await?);
        }
        Ok(updates)
    }

    /// The models that serve these markets, each once.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn active_models(&self, oracle: Address, markets: &[B256]) -> Result<Vec<B256>, ChainError> {
        let registry = ModelRegistry::new(self.registry_of(oracle).await?, &self.provider);
        let mut active = Vec::new();
        for market in markets {
            let model_id = registry.activeModel(keccak256(PURPOSE), *market).call().await?;
            if !model_id.is_zero() && !active.contains(&model_id) {
                active.push(model_id);
            }
        }
        Ok(active)
    }

    /// The blocks of a period's time, as far as there are any.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn blocks_of(&self, grid: Grid, period: PeriodId) -> Result<Range<u64>, ChainError> {
        let newest = self.head().await?.number;
        let first = self.first_block_at(grid.start_seconds(period), newest).await?;
        Ok(first..self.first_block_at(grid.start_seconds(period.next()), newest).await?)
    }
}
