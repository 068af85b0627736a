// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {RiskState} from "./RiskState.sol";
import {BPS} from "./Units.sol";
import {UpdateLib} from "./UpdateLib.sol";

/// @title ForecastMath
/// @notice From proven fixed-point outputs to a probability and a volatility. Every function is monotone.
/// @dev Outputs of an accepted update stand for less than 64 in absolute value, at a scale of at most 120; within these
/// limits nothing overflows.
library ForecastMath {
    using UpdateLib for bytes;

    /// @notice Highest exponent that is used, wad: `1e9 * exp(1.4) = 4.06e9`, a deviation of 406 % a minute, fits 32 bits.
    int256 internal constant MAX_LOG_VOLATILITY_WAD = 1.4e18;

    /// @notice Outputs per market: the logit of Low, the logit of High, and the logarithm of the volatility.
    uint256 internal constant OUTPUTS_PER_MARKET = 3;

    int256 private constant WAD = 1e18;

    /// @notice What an update says about the model's market of this index.
    function forecastOf(IModelRegistry.Update calldata update, IModelRegistry.Facts memory model, uint256 index)
        internal
        pure
        returns (RiskState.Forecast memory forecast)
    {
        unchecked {
            (bytes calldata outputs, uint256 first) = (update.outputs, index * OUTPUTS_PER_MARKET);
            forecast.periodStart = uint40(update.period * uint256(model.periodSeconds));
            forecast.periodSeconds = model.periodSeconds;
            forecast.probabilityHighBps =
                probabilityHighBps(outputs.outputAt(first), outputs.outputAt(first + 1), model.outputScale);
            forecast.volatilityE9 = volatilityE9(outputs.outputAt(first + 2), model.outputScale);
        }
    }

    /// @notice `1 / (1 + exp(logitLow - logitHigh))` in bps, rounded to nearest: the softmax of two logits.
    function probabilityHighBps(int256 logitLow, int256 logitHigh, uint256 scale) internal pure returns (uint16) {
        unchecked {
            uint256 denominator = uint256(WAD + FixedPointMathLib.expWad(_toWad(logitLow - logitHigh, scale)));
            return uint16((BPS * uint256(WAD) + denominator / 2) / denominator);
        }
    }

    /// @notice `1e9 * exp(logVolatility)`, rounded down; exponents above `MAX_LOG_VOLATILITY_WAD` count as that.
    function volatilityE9(int256 logVolatility, uint256 scale) internal pure returns (uint32) {
        int256 exponent = FixedPointMathLib.min(_toWad(logVolatility, scale), MAX_LOG_VOLATILITY_WAD);
        return uint32(uint256(FixedPointMathLib.expWad(exponent)) / 1e9);
    }

    /// @dev Rounds toward negative infinity.
    function _toWad(int256 value, uint256 scale) private pure returns (int256) {
        unchecked {
            return (value * WAD) >> scale;
        }
    }
}
