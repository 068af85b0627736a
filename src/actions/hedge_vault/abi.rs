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
        function allowance(address owner, address spender) external view returns (uint256);
        function approve(address spender, uint256 amount) external returns (bool);
    }

    /// What is asked of Uniswap v3's factory.
    #[sol(rpc)]
    interface UniswapFactory {
        function getPool(address tokenA, address tokenB, uint24 feePips) external view returns (address pool);
    }

    /// What is asked of its pools.
    #[sol(rpc)]
    interface UniswapPool {
        function fee() external view returns (uint24);
        function liquidity() external view returns (uint128);
        function slot0() external view returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );
        function observe(uint32[] calldata secondsAgos) external view returns (
            int56[] memory tickCumulatives,
            uint160[] memory secondsPerLiquidityCumulativeX128s
        );
    }

    /// What is asked of its router.
    interface UniswapRouter {
        struct ExactInputSingleParams {
            address tokenIn;
            address tokenOut;
            uint24 fee;
            address recipient;
            uint256 deadline;
            uint256 amountIn;
            uint256 amountOutMinimum;
            uint160 sqrtPriceLimitX96;
        }

        function exactInputSingle(ExactInputSingleParams calldata params) external payable returns (uint256 amountOut);
    }
}
