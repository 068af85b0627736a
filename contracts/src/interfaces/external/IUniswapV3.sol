// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IUniswapV3Factory
/// @notice The part of Uniswap v3's factory that is used here.
interface IUniswapV3Factory {
    /// @notice The pool of two tokens, in any order, and a fee; zero if there is none.
    /// @param feePips In hundredths of a bip.
    function getPool(address tokenA, address tokenB, uint24 feePips) external view returns (address pool);
}

/// @title IUniswapV3Pool
/// @notice The part of Uniswap v3's pools that is used here.
interface IUniswapV3Pool {
    /// @notice Price, tick, and the state of the ring of observations: `observationCardinality` is how many it holds at most,
    /// 0 before the pool has a price.
    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );

    /// @notice Sums of the tick over time, at so many seconds ago. Reverts where the ring does not reach back so far.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);

    /// @notice Swaps, and calls `uniswapV3SwapCallback` of the caller for the payment.
    /// @param amountSpecified Positive for an exact input.
    /// @return amount0 What the pool's balance changed by; negative is what it paid.
    /// @return amount1 Likewise.
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// @title IUniswapV3SwapCallback
/// @notice What a pool asks of who swaps.
interface IUniswapV3SwapCallback {
    /// @notice Pays the pool what is positive.
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata data) external;
}
