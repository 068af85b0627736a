// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IFeed} from "../interfaces/IFeed.sol";

/// @title YieldMath
/// @notice From a model's outputs and an attested level to rates. `z` is `sign(r) * ln(1 + |r|)` of a rate r in percent a year.
library YieldMath {
    /// @notice Outputs of a model: change of z, logarithm of the deviation of z, width of a first interval.
    uint256 internal constant OUTPUTS = 3;

    /// @notice The largest z of a rate: 2,980 %.
    int256 internal constant MAX_Z_E9 = 8e9;

    /// @notice The widest interval that is taken, in sizes of an error.
    uint256 internal constant MAX_FACTOR_E9 = 100e9;

    int256 private constant WAD = 1e18;
    int256 private constant E9 = 1e9;
    /// @dev Of a share of 1 in percent, from 18 decimals to 8.
    int256 private constant TO_E8 = 100 * 1e10;
    /// @dev What is believed of a change, and of a deviation: `ln(0.01)` at least.
    int256 private constant MAX_CHANGE_WAD = 2e18;
    int256 private constant MIN_LOG_DEVIATION_WAD = -4_605_170_185_988_091_368;
    int256 private constant MAX_LOG_DEVIATION_WAD = 1.5e18;

    /// @notice The rates of a forecast; its times are left out.
    /// @param change The model's first output, and `logDeviation` its second, in units of `2**-scale`.
    function ratesOf(IFeed.Level calldata level, int256 change, int256 logDeviation, uint256 scale)
        internal
        pure
        returns (IFeed.Forecast memory forecast)
    {
        change = FixedPointMathLib.clamp(_wad(change, scale), -MAX_CHANGE_WAD, MAX_CHANGE_WAD);
        logDeviation = FixedPointMathLib.clamp(_wad(logDeviation, scale), MIN_LOG_DEVIATION_WAD, MAX_LOG_DEVIATION_WAD);
        int256 middle = int256(level.levelE9) * E9 + change;
        int256 half = int256(uint256(level.factorE9)) * FixedPointMathLib.expWad(logDeviation / 2) / E9;
        int256 percent = percentWad(middle);
        int256 size = WAD + (percent < 0 ? -percent : percent);
        forecast.apyE8 = int64(percent / TO_E8);
        forecast.volatilityE8 = uint64(uint256(FixedPointMathLib.expWad(logDeviation) * size / WAD / TO_E8));
        forecast.lowE8 = int64(percentWad(middle - half) / TO_E8);
        forecast.highE8 = int64(percentWad(middle + half) / TO_E8);
    }

    /// @notice The rate of a z in percent, both wad; z beyond the largest counts as the largest.
    function percentWad(int256 z) internal pure returns (int256 percent) {
        z = FixedPointMathLib.clamp(z, -MAX_Z_E9 * E9, MAX_Z_E9 * E9);
        percent = FixedPointMathLib.expWad(z < 0 ? -z : z) - WAD;
        if (z < 0) percent = -percent;
    }

    function _wad(int256 output, uint256 scale) private pure returns (int256) {
        return (output * WAD) >> scale;
    }
}
