//! The way without a vault: WBTC of a wallet through Uniswap's router, with the checks of a vault.

use alloy::primitives::aliases::{U24, U160};
use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;

use super::abi::vault::HedgeVault;
use super::abi::{Token, UniswapFactory, UniswapPool, UniswapRouter};
use crate::chain::call::Call;
use crate::chain::error::ChainError;
use crate::chain::read::Reader;

/// `ln(1.0001)`, the logarithm of a tick.
const LOG_TICK: f64 = 9.999_500_033_330_8e-5;
/// Dollars for a bitcoin from units of USDC for a unit of WBTC.
const PER_BTC: f64 = 1e2;

/// A pool of WBTC and USDC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolMean {
    /// Time-weighted mean in dollars for a bitcoin.
    pub btc_usd: f64,
    /// Observations for which there is room.
    pub observations: u16,
    /// Its fee in hundredths of a bip.
    pub fee_pips: u32,
}

/// A sale through the router.
#[derive(Debug, Clone, Copy)]
pub struct WalletSale {
    pub router: Address,
    pub wbtc: Address,
    pub usdc: Address,
    pub fee_pips: u32,
    /// Whose WBTC, and who gets the dollars.
    pub wallet: Address,
    pub sats: u64,
    /// Fewest units of USDC.
    pub min_usdc: u64,
    /// Unix seconds after which the router refuses.
    pub deadline_seconds: u64,
}

impl WalletSale {
    /// Lets the router take exactly what is sold.
    pub fn approve(&self) -> Call {
        let call = Token::approveCall { spender: self.router, amount: U256::from(self.sats) };
        Call::new(self.wbtc, call.abi_encode())
    }

    /// Sells.
    pub fn swap(&self) -> Call {
        let params = UniswapRouter::ExactInputSingleParams {
            tokenIn: self.wbtc,
            tokenOut: self.usdc,
            fee: U24::saturating_from(self.fee_pips),
            recipient: self.wallet,
            deadline: U256::from(self.deadline_seconds),
            amountIn: U256::from(self.sats),
            amountOutMinimum: U256::from(self.min_usdc),
            sqrtPriceLimitX96: U160::ZERO,
        };
        Call::new(self.router, UniswapRouter::exactInputSingleCall { params }.abi_encode())
    }
}

impl Reader {
    /// The mean price of a pool over the last seconds; `None` where there is no such pool, or its observations do not reach
    /// back so far.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn pool_mean(
        &self,
        factory: Address,
        (wbtc, usdc, fee_pips): (Address, Address, u32),
        twap_seconds: u32,
    ) -> Result<Option<PoolMean>, ChainError> {
        let factory = UniswapFactory::new(factory, &self.provider);
        let pool = factory.getPool(wbtc, usdc, U24::saturating_from(fee_pips)).call().await?;
        if pool.is_zero() {
            return Ok(None);
        }
        self.mean_of(pool, wbtc < usdc, twap_seconds).await
    }

    /// The mean price of a vault's pool, over its terms' time.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn vault_mean(&self, vault: Address, twap_seconds: u32) -> Result<Option<PoolMean>, ChainError> {
        let contract = HedgeVault::new(vault, &self.provider);
        let (wbtc, usdc) = (contract.wbtc().call().await?, contract.usdc().call().await?);
        self.mean_of(contract.pool().call().await?, wbtc < usdc, twap_seconds).await
    }

    async fn mean_of(
        &self,
        pool: Address,
        wbtc_is_first: bool,
        twap_seconds: u32,
    ) -> Result<Option<PoolMean>, ChainError> {
        if twap_seconds == 0 {
            return Ok(None);
        }
        let pool = UniswapPool::new(pool, &self.provider);
        let fee_pips: u32 = pool.fee().call().await?.to();
        let observations = pool.slot0().call().await?.observationCardinality;
        let sums = match pool.observe(vec![twap_seconds, 0]).call().await.map_err(ChainError::from) {
            Ok(observed) => observed.tickCumulatives,
            Err(ChainError::Rejected(_)) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let [before, now] = sums.as_slice() else {
            return Err(ChainError::Garbage("a pool that answers with another number of observations".into()));
        };
        let ticks = now.as_i64().wrapping_sub(before.as_i64()) as f64 / f64::from(twap_seconds);
        let ticks = if wbtc_is_first { ticks } else { -ticks };
        Ok(Some(PoolMean { btc_usd: libm::exp(ticks * LOG_TICK) * PER_BTC, observations, fee_pips }))
    }

    /// WBTC of an account, and how much of it a router may take.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn wbtc_of(&self, wbtc: Address, account: Address, router: Address) -> Result<(u64, u64), ChainError> {
        let token = Token::new(wbtc, &self.provider);
        let balance = token.balanceOf(account).call().await?;
        let allowed = token.allowance(account, router).call().await?;
        Ok((balance.saturating_to(), allowed.saturating_to()))
    }
}
