//! What the contract says of its models and markets.

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, U256, keccak256};

use super::abi::oracle::RiskOracle;
use super::abi::registry::IModelRegistry::ModelSpec;
use super::abi::registry::ModelRegistry;
use super::spec::{Expected, PURPOSE};
use crate::actions::error::ActionError;
use crate::chain::answers::MAX_SECONDS;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::period::{Grid, PeriodId};

/// What a market's parameters can be by the contract: its `Status` in words, in its order.
pub const STATUS_WORDS: [&str; 5] = ["unset", "fresh", "grace", "stale", "withheld"];

/// The contract's `Status` in a word.
pub fn status_word(status: u8) -> &'static str {
    STATUS_WORDS[usize::from(status).min(STATUS_WORDS.len() - 1)]
}

impl Reader {
    /// The id of the model that serves the expected markets, after checking that it is the bundle's.
    ///
    /// # Errors
    /// [`ActionError::NoContract`] or [`ActionError::ForeignModel`], else [`ActionError`].
    pub async fn model_id(&self, oracle: Address, expected: &Expected) -> Result<B256, ActionError> {
        if !self.has_code(oracle).await? {
            return Err(ActionError::NoContract(oracle));
        }
        let registry = ModelRegistry::new(self.registry_of(oracle).await?, &self.provider);
        let foreign = |what: &str| ActionError::ForeignModel(what.into());
        let first = *expected.markets.first().ok_or_else(|| foreign("the bundle has no market"))?;
        let model_id = registry.activeModel(keccak256(PURPOSE), first).call().await.map_err(ChainError::from)?;
        if model_id.is_zero() {
            return Err(foreign("no model is active for the market"));
        }
        match expected.difference(&self.model_spec(oracle, model_id).await?) {
            Some(difference) => Err(foreign(difference)),
            None => Ok(model_id),
        }
    }

    /// The model that serves a market for a purpose; zero where none does.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn active_model(&self, contract: Address, purpose: B256, market: B256) -> Result<B256, ChainError> {
        let registry = ModelRegistry::new(self.registry_of(contract).await?, &self.provider);
        Ok(registry.activeModel(purpose, market).call().await?)
    }

    /// A registered model's specification.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn model_spec(&self, oracle: Address, model_id: B256) -> Result<ModelSpec, ChainError> {
        let registry = ModelRegistry::new(self.registry_of(oracle).await?, &self.provider);
        Ok(registry.modelSpec(model_id).call().await?)
    }

    /// The markets of a registered model, and when its periods are.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn markets_of(&self, oracle: Address, model_id: B256) -> Result<(Vec<B256>, Grid), ChainError> {
        let registry = ModelRegistry::new(self.registry_of(oracle).await?, &self.provider);
        let facts = registry.facts(model_id).call().await?;
        Ok((facts.markets, Grid::of_seconds(facts.periodSeconds.into())))
    }

    /// The last period of the grid for which each of these markets that has a policy has an update, 0 before the first; `None` where none
    /// of them has a policy, the RPC has no state of the block, or there was no contract yet.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn last_period(
        &self,
        oracle: Address,
        markets: &[B256],
        grid: Grid,
        block: BlockId,
    ) -> Result<Option<PeriodId>, ChainError> {
        let contract = RiskOracle::new(oracle, &self.provider);
        let mut last: Option<PeriodId> = None;
        for market in markets {
            let read = match contract.params(*market).block(block).call().await.map_err(ChainError::from) {
                Ok(read) => read.current,
                Err(ChainError::Refused(_) | ChainError::Rejected(_)) if !block.is_latest() => return Ok(None),
                Err(fault) => return Err(fault),
            };
            // Updates pass by a market without a policy, whose parameters are all zero.
            if read.borrowCollateralRatioBps != 0 {
                let period = period_at(grid, read.periodStart.to())?;
                last = Some(last.map_or(period, |least| least.min(period)));
            }
        }
        Ok(last)
    }

    /// A market's parameters and their status.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn params(&self, oracle: Address, market: B256) -> Result<RiskOracle::paramsReturn, ChainError> {
        Ok(RiskOracle::new(oracle, &self.provider).params(market).call().await?)
    }

    /// What a market's last update leads to, and when.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn pending(&self, oracle: Address, market: B256) -> Result<RiskOracle::pendingReturn, ChainError> {
        Ok(RiskOracle::new(oracle, &self.provider).pending(market).call().await?)
    }
}

/// Shortest periods of a model.
const LEAST_PERIOD_SECONDS: u64 = 60;

/// A period that the contract names.
pub(crate) fn period(id: u64) -> Result<PeriodId, ChainError> {
    if id <= MAX_SECONDS / LEAST_PERIOD_SECONDS {
        return Ok(PeriodId(id));
    }
    Err(ChainError::Garbage(format!("an update of period {id}")))
}

/// The period of the grid that begins at a Unix time in seconds, or contains it.
fn period_at(grid: Grid, start_seconds: u64) -> Result<PeriodId, ChainError> {
    match i64::try_from(start_seconds).ok().filter(|seconds| seconds.unsigned_abs() <= MAX_SECONDS) {
        Some(seconds) => Ok(grid.period_at_seconds(seconds)),
        None => Err(ChainError::Garbage(format!("an update of second {start_seconds}"))),
    }
}

/// A mask of markets, of which a model has 32 at most.
pub(crate) fn omitted_markets(mask: U256) -> Result<OmittedMarkets, ChainError> {
    let bits = u32::try_from(mask).map_err(|_| ChainError::Garbage("a mask of more than 32 markets".into()))?;
    Ok(OmittedMarkets::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_without_sense_are_refused() {
        assert!(period(u64::MAX).is_err() && period(122_748).is_ok());
        assert!(omitted_markets(U256::from(1_u64 << 32)).is_err() && omitted_markets(U256::from(7)).is_ok());
    }
}
