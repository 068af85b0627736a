// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

/// @title RealizedVolatility
/// @notice An exponentially weighted mean of a pool's squared returns, and a fee that follows its root.
/// @dev Variances are those of one minute, times 1e18; volatilities are their roots, times 1e9; fees are pips.
library RealizedVolatility {
    /// @notice A volatility and the fee there; linear between two of them.
    struct Knot {
        uint32 volatilityE9;
        uint24 feePips;
    }

    /// @dev Bits of a packed knot.
    uint256 private constant KNOT_BITS = 56;
    uint256 private constant FEE_BITS = 24;
    uint256 private constant WAD = 1e18;

    /// @notice The relative move between two square roots of prices in Q96, times 1e9, cut at `limitE9` on either side.
    /// @dev Twice the move of the root: within 0.5 % of the logarithm's for moves up to 1 %.
    function moveE9(uint160 fromSqrtX96, uint160 toSqrtX96, uint256 limitE9) internal pure returns (uint256) {
        uint256 distance = toSqrtX96 > fromSqrtX96 ? toSqrtX96 - fromSqrtX96 : fromSqrtX96 - toSqrtX96;
        return FixedPointMathLib.min(distance * 2e9 / fromSqrtX96, limitE9);
    }

    /// @notice The mean with one more observation: of weight 1 − e^(−elapsed/τ), the rest of the weight is the past's.
    /// @param moveE9_ A move of at most 1e9 that took `elapsedSeconds`, at least 1.
    /// @param timeConstantSeconds τ, at least 1.
    function fold(uint64 varianceE18, uint256 moveE9_, uint256 elapsedSeconds, uint256 timeConstantSeconds)
        internal
        pure
        returns (uint64)
    {
        uint256 kept = uint256(FixedPointMathLib.expWad(-int256(elapsedSeconds * WAD / timeConstantSeconds)));
        uint256 perMinute = moveE9_ * moveE9_ * 1 minutes / elapsedSeconds;
        return _limited((varianceE18 * kept + perMinute * (WAD - kept)) / WAD);
    }

    /// @notice The variance of a volatility.
    function square(uint32 volatilityE9) internal pure returns (uint64) {
        return _limited(uint256(volatilityE9) * volatilityE9);
    }

    /// @notice The fee at the root of a variance.
    /// @param packed What `pack` gave.
    function fee(uint256 packed, uint64 varianceE18) internal pure returns (uint24) {
        uint256 volatilityE9 = FixedPointMathLib.sqrt(varianceE18);
        (uint256 lowE9, uint256 lowPips) = _first(packed);
        while (volatilityE9 > lowE9) {
            packed >>= KNOT_BITS;
            if (packed == 0) return uint24(lowPips);
            (uint256 highE9, uint256 highPips) = _first(packed);
            if (volatilityE9 <= highE9) {
                return uint24(lowPips + (highPips - lowPips) * (volatilityE9 - lowE9) / (highE9 - lowE9));
            }
            (lowE9, lowPips) = (highE9, highPips);
        }
        return uint24(lowPips);
    }

    /// @notice Two to four knots in one word, if volatilities rise and fees do not fall.
    function pack(Knot[] memory knots) internal pure returns (bool ok, uint256 packed) {
        if (knots.length < 2 || knots.length > 4 || knots[0].volatilityE9 == 0) return (false, 0);
        for (uint256 i = 0; i < knots.length; ++i) {
            if (i > 0 && knots[i].volatilityE9 <= knots[i - 1].volatilityE9) return (false, 0);
            if (i > 0 && knots[i].feePips < knots[i - 1].feePips) return (false, 0);
            packed |= (uint256(knots[i].volatilityE9) << FEE_BITS | knots[i].feePips) << (i * KNOT_BITS);
        }
        return (true, packed);
    }

    /// @notice The knots in a word.
    function unpack(uint256 packed) internal pure returns (Knot[] memory knots) {
        uint256 count = 0;
        for (uint256 rest = packed; rest > 0; rest >>= KNOT_BITS) {
            ++count;
        }
        knots = new Knot[](count);
        for (uint256 i = 0; i < count; ++i) {
            (uint256 volatilityE9, uint256 feePips) = _first(packed >> (i * KNOT_BITS));
            knots[i] = Knot(uint32(volatilityE9), uint24(feePips));
        }
    }

    function _first(uint256 packed) private pure returns (uint256 volatilityE9, uint256 feePips) {
        return (uint32(packed >> FEE_BITS), uint24(packed));
    }

    function _limited(uint256 varianceE18) private pure returns (uint64) {
        return uint64(FixedPointMathLib.min(varianceE18, type(uint64).max));
    }
}
