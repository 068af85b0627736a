//! What a vault says of itself, and what a sale would come to.

use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;

use super::abi::vault::HedgeVault;
use super::abi::vault::IHedgeVault::{Sale, State, Terms};
use super::abi::{Token, UniswapFactory, UniswapPool};
use crate::actions::error::ActionError;
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;

/// Fees of Uniswap v3's pools, in hundredths of a bip.
pub const POOL_FEES_PIPS: [u32; 4] = [100, 500, 3000, 10_000];

/// A vault as the chain shows it.
#[derive(Debug, Clone)]
pub struct VaultState {
    /// Its owner.
    pub owner: Address,
    /// What the owner allows.
    pub terms: Terms,
    /// What was done so far.
    pub state: State,
    /// WBTC that it holds, in units of 1e-8.
    pub balance_sats: U256,
}

impl VaultState {
    /// Whether a sale was made for a period that starts then, or a later one.
    pub fn is_done(&self, period_start_seconds: u64) -> bool {
        self.state.lastPeriodStart.to::<u64>() >= period_start_seconds
    }
}

#[cfg(test)]
impl VaultState {
    /// One for tests: a megawatt for two months, with budgets of this week's 0.02 and 0.05 WBTC in all.
    pub fn given(state: State, balance_sats: u64) -> Self {
        let terms = Terms {
            modelId: [7; 32].into(),
            watts: 1_000_000,
            months: 2,
            shareBps: 10_000,
            slippageBps: 100,
            twapSeconds: 300,
            minObservations: 2,
            deadline: alloy::primitives::aliases::U40::from(1),
            maxPerPeriodSats: 2_000_000,
            operatorSeconds: 0,
            maxInAllSats: 5_000_000,
            floorUsdPerBtc: 1,
            operator: Address::ZERO,
        };
        Self { owner: Address::ZERO, terms, state, balance_sats: U256::from(balance_sats) }
    }
}

impl Reader {
    /// A vault.
    ///
    /// # Errors
    /// [`ActionError::NoContract`], else [`ActionError`].
    pub async fn hedge_vault(&self, vault: Address) -> Result<VaultState, ActionError> {
        if !self.has_code(vault).await? {
            return Err(ActionError::NoContract(vault));
        }
        let contract = HedgeVault::new(vault, &self.provider);
        let wbtc = contract.wbtc().call().await?;
        Ok(VaultState {
            owner: contract.owner().call().await?,
            terms: contract.terms().call().await?,
            state: contract.state().call().await?,
            balance_sats: Token::new(wbtc, &self.provider).balanceOf(vault).call().await?,
        })
    }

    /// What a sale would come to if `from` called now.
    ///
    /// # Errors
    /// [`ActionError::Refused`] with what the vault says, else [`ActionError`].
    pub async fn try_sale(&self, from: Address, call: &Call) -> Result<Sale, ActionError> {
        let request = TransactionRequest { from: Some(from), ..call.clone().into() };
        let answer = self.provider.call(request).pending().await.map_err(ChainError::from)?;
        let garbage = |error| ChainError::Garbage(format!("a sale that cannot be read: {error}"));
        Ok(HedgeVault::executeCall::abi_decode_returns(&answer).map_err(garbage)?)
    }

    /// The pool of two tokens with most liquidity at its price, by its fee in hundredths of a bip; `None` where the factory
    /// knows none that has any.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn deepest_pool(&self, factory: Address, tokens: (Address, Address)) -> Result<Option<u32>, ChainError> {
        let contract = UniswapFactory::new(factory, &self.provider);
        let mut deepest = None;
        for fee in POOL_FEES_PIPS {
            let pool = contract.getPool(tokens.0, tokens.1, alloy::primitives::aliases::U24::from(fee)).call().await?;
            if pool.is_zero() {
                continue;
            }
            let liquidity = UniswapPool::new(pool, &self.provider).liquidity().call().await?;
            if liquidity > 0 && deepest.is_none_or(|(most, _)| liquidity > most) {
                deepest = Some((liquidity, fee));
            }
        }
        Ok(deepest.map(|(_, fee)| fee))
    }
}
