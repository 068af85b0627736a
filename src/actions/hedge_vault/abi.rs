//! The vault's interface, from the artifact that forge built, and what is asked of tokens and of Uniswap.
#![allow(missing_debug_implementations, clippy::pedantic, clippy::too_many_arguments)] // generated

/// One owner's vault.
pub mod vault {
    alloy::sol!(
        #[sol(rpc, all_derives)]
        HedgeVault,
        "contracts/artifacts/HedgeVault.json"
    );
}

alloy::sol! {
    /// What is asked of WBTC.
    #[sol(rpc)]
    interface Token {
        function balanceOf(address account) external view returns (uint256);
    }

    /// What is asked of Uniswap v3's factory.
    #[sol(rpc)]
    interface UniswapFactory {
        function getPool(address tokenA, address tokenB, uint24 feePips) external view returns (address pool);
    }

    /// What is asked of its pools.
    #[sol(rpc)]
    interface UniswapPool {
        function liquidity() external view returns (uint128);
    }
}
