//! What an update did to markets, by its events, and what held before it.

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent;

use super::abi::oracle::IRegimeRiskOracle::{Knot as ContractKnot, Policy};
use super::abi::oracle::IRiskParameters::RiskVector;
use super::abi::oracle::RiskOracle;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;
use veriregime_core::risk::{Applied, Before, Knot, Move, Rules, Vector};
use veriregime_core::types::period::{Grid, PeriodId};

impl Reader {
    /// What a transaction did to these markets of a contract, each by its index; `None` where the chain does not have the
    /// transaction. What held before and the rules are asked of the blocks around it, and are `None` where the RPC has no state of
    /// them any more.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn applied_in(
        &self,
        oracle: Address,
        transaction: B256,
        markets: &[B256],
    ) -> Result<Option<Vec<Applied>>, ChainError> {
        let Some(receipt) = self.receipt(transaction).await? else { return Ok(None) };
        let Some(block) = receipt.block_number else { return Ok(None) };
        let mut found = Vec::new();
        let is_move =
            |log: &&Log| log.address() == oracle && log.topic0() == Some(&RiskOracle::ParamsUpdated::SIGNATURE_HASH);
        for log in receipt.logs.iter().filter(is_move) {
            found.extend(self.applied_by(oracle, log, block, markets).await?);
        }
        Ok(Some(found))
    }

    /// What all updates of a period did to these markets, whoever sent them; a market that was moved twice is there once, as it was
    /// moved last.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn applied_for(
        &self,
        oracle: Address,
        grid: Grid,
        period: PeriodId,
        markets: &[B256],
    ) -> Result<Vec<Applied>, ChainError> {
        let filter = Filter::new()
            .address(oracle)
            .event_signature(RiskOracle::ParamsUpdated::SIGNATURE_HASH)
            .topic3(B256::from(U256::from(grid.start_seconds(period).unsigned_abs())));
        let mut found = BTreeMap::new();
        for log in self.logs(&filter, self.blocks_of(grid, period).await?).await? {
            let block = log.block_number.unwrap_or_default();
            let moved = self.applied_by(oracle, &log, block, markets).await?;
            found.extend(moved.map(|moved| (moved.market, moved)));
        }
        Ok(found.into_values().collect())
    }

    /// What an event says; `None` where it is of another market.
    async fn applied_by(
        &self,
        oracle: Address,
        log: &Log,
        block: u64,
        markets: &[B256],
    ) -> Result<Option<Applied>, ChainError> {
        let event = RiskOracle::ParamsUpdated::decode_log(&log.inner)
            .map_err(|error| ChainError::Refused(error.to_string()))?
            .data;
        let Some(market) = markets.iter().position(|market| *market == event.market) else { return Ok(None) };
        Ok(Some(Applied {
            market,
            probability_high_bps: event.probabilityHighBps,
            moved: Move {
                forecast_e9: event.volatilityE9,
                requested_e9: event.requestedVolatilityE9,
                applied_e9: event.appliedVolatilityE9,
                after: vector(&event.next),
            },
            effective_at_seconds: event.effectiveAt.saturating_to(),
            before: self.before(oracle, event.market, block.saturating_sub(1)).await?,
            rules: self.rules_at(oracle, event.market, block).await?,
        }))
    }

    /// What readers saw of a market at a block, and what its parameters followed.
    async fn before(&self, oracle: Address, market: B256, block: u64) -> Result<Option<Before>, ChainError> {
        let contract = RiskOracle::new(oracle, &self.provider);
        let read = known(contract.params(market).block(BlockId::number(block)).call().await.map_err(ChainError::from))?;
        Ok(read.map(|read| Before {
            applied_e9: read.current.appliedVolatilityE9,
            vector: Vector {
                borrow_collateral_ratio_bps: read.current.borrowCollateralRatioBps,
                liquidation_collateral_ratio_bps: read.current.liquidationCollateralRatioBps,
                amm_fee_pips: read.current.ammFeePips.to(),
                borrow_cap_factor_bps: read.current.borrowCapFactorBps,
            },
        }))
    }

    /// The rules of a market at a block.
    async fn rules_at(&self, oracle: Address, market: B256, block: u64) -> Result<Option<Rules>, ChainError> {
        let contract = RiskOracle::new(oracle, &self.provider);
        let read = known(contract.policy(market).block(BlockId::number(block)).call().await.map_err(ChainError::from))?;
        Ok(read.map(|policy| rules(&policy)))
    }
}

/// What a node says of a block of whose state it may have nothing any more.
fn known<T>(read: Result<T, ChainError>) -> Result<Option<T>, ChainError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ChainError::Refused(_) | ChainError::Rejected(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Parameters as the contract has them.
pub(super) fn vector(vector: &RiskVector) -> Vector {
    Vector {
        borrow_collateral_ratio_bps: vector.borrowCollateralRatioBps,
        liquidation_collateral_ratio_bps: vector.liquidationCollateralRatioBps,
        amm_fee_pips: vector.ammFeePips.to(),
        borrow_cap_factor_bps: vector.borrowCapFactorBps,
    }
}

/// What of a policy decides how an update moves a market.
pub(super) fn rules(policy: &Policy) -> Rules {
    let knot = |knot: &ContractKnot| Knot { volatility_e9: knot.volatilityE9, vector: vector(&knot.vector) };
    Rules {
        knots: policy.knots.iter().map(knot).collect(),
        margin_bps: policy.marginBps,
        dwell_periods: policy.dwellPeriods,
        max_rise_bps_per_period: policy.maxRiseBpsPerPeriod,
        max_fall_bps_per_period: policy.maxFallBpsPerPeriod,
        loosen_delay_seconds: policy.loosenDelaySeconds.to(),
    }
}
