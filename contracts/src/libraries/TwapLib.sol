// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IHedgeVault} from "../interfaces/IHedgeVault.sol";
import {IUniswapV3Pool} from "../interfaces/external/IUniswapV3.sol";

/// @title TwapLib
/// @notice A Uniswap v3 pool's price as the geometric mean over time.
library TwapLib {
    /// @dev `1e18 * ln(1.0001)`, the logarithm of a tick. Of the largest tick's price its rounding is less than 1e-12.
    int256 private constant LOG_TICK_WAD = 99_995_000_333_308;

    /// @notice Units of the other token for a unit of one, wad. Reverts with `ThinHistory` or `NoTwap`.
    /// @param ofToken0 Whether the one is the pool's first token.
    function priceWad(IUniswapV3Pool pool, bool ofToken0, uint32 twapSeconds, uint256 minObservations)
        internal
        view
        returns (uint256)
    {
        (,,, uint16 observations,,,) = pool.slot0();
        if (observations < minObservations) revert IHedgeVault.ThinHistory(observations, minObservations);
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = twapSeconds;
        try pool.observe(secondsAgos) returns (int56[] memory sums, uint160[] memory) {
            int256 ticks;
            unchecked {
                ticks = sums[1] - sums[0]; // their sums are meant to wrap
            }
            int256 logarithm = ticks * LOG_TICK_WAD / int256(uint256(twapSeconds));
            return uint256(FixedPointMathLib.expWad(ofToken0 ? logarithm : -logarithm));
        } catch {
            revert IHedgeVault.NoTwap(twapSeconds);
        }
    }
}
