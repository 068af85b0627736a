// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title ForecastMath
/// @notice From proven fixed-point outputs to a probability and a volatility. Every function is monotone.
/// @dev Callers keep each output below `2**(scale + OUTPUT_LIMIT_LOG2)` in absolute value, and scales at most
/// `MAX_OUTPUT_SCALE`; within these limits nothing overflows.
library ForecastMath {
    /// @notice Outputs stand for less than `2**6 = 64` in absolute value. The logit of one bps is 9.2, and a logarithm
    /// of a volatility is between -20 and 0, so nothing sensible comes near.
    uint256 internal constant OUTPUT_LIMIT_LOG2 = 6;

    /// @notice Largest output scale: `2**(120 + 6)` still fits an `int128`.
    uint256 internal constant MAX_OUTPUT_SCALE = 120;

    /// @notice Highest exponent that is used, wad. `exp(2) = 7.39`, a deviation of 739 % a minute, fits 64 bits.
    int256 internal constant MAX_LOG_VOLATILITY_WAD = 2e18;

    int256 private constant WAD = 1e18;
    uint256 private constant BPS = 10_000;

    /// @notice `1 / (1 + exp(logitLow - logitHigh))` in bps, rounded to nearest: the softmax of two logits.
    function probabilityHighBps(int256 logitLow, int256 logitHigh, uint256 scale) internal pure returns (uint16) {
        uint256 odds = uint256(FixedPointMathLib.expWad(_toWad(logitLow - logitHigh, scale)));
        uint256 denominator = uint256(WAD) + odds;
        return uint16((BPS * uint256(WAD) + denominator / 2) / denominator);
    }

    /// @notice `exp(logVolatility)`, wad, rounded down; exponents above `MAX_LOG_VOLATILITY_WAD` count as that.
    function volatilityWad(int256 logVolatility, uint256 scale) internal pure returns (uint64) {
        int256 exponent = FixedPointMathLib.min(_toWad(logVolatility, scale), MAX_LOG_VOLATILITY_WAD);
        return uint64(uint256(FixedPointMathLib.expWad(exponent)));
    }

    /// @dev Rounds toward negative infinity.
    function _toWad(int256 value, uint256 scale) private pure returns (int256) {
        return (value * WAD) >> scale;
    }
}
