// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {StateLibrary} from "@uniswap/v4-core/src/libraries/StateLibrary.sol";
import {ForecastFee} from "../../src/consumers/ForecastFee.sol";
import {RealizedVolatilityFeeHook} from "../../src/consumers/RealizedVolatilityFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {RealizedVolatility} from "../../src/libraries/RealizedVolatility.sol";
import {FeeHookFixture} from "./FeeHookFixture.sol";

/// @notice A pool whose fee follows its own volatility, over an oracle that answers as told.
abstract contract OwnFeeFixture is FeeHookFixture {
    uint24 internal constant FORECAST_FEE_PIPS = 1_300;
    uint32 internal constant FORECAST_VOLATILITY_E9 = 500_000;
    uint32 internal constant BLOCK_SECONDS = 12;
    uint32 internal constant TIME_CONSTANT_SECONDS = 900;
    uint32 internal constant MAX_MOVE_E9 = 5_000_000;
    uint32 internal constant QUIET_SECONDS = 300;
    uint16 internal constant LEAST_BPS = 8_000;
    uint32 internal constant MOST_BPS = 15_000;

    RealizedVolatilityFeeHook internal hook;

    function setUp() public virtual {
        _deployOracle(FORECAST_FEE_PIPS);
        oracle.setVolatility(FORECAST_VOLATILITY_E9);
        hook = _deployOwnHook(_limits(), _terms());
        key = _dynamicKey(hook);
        _open(key);
    }

    /// @dev The knots of the default policy.
    function _terms() internal pure returns (RealizedVolatilityFeeHook.Terms memory) {
        RealizedVolatility.Knot[] memory knots = new RealizedVolatility.Knot[](3);
        knots[0] = RealizedVolatility.Knot(600_000, 1_300);
        knots[1] = RealizedVolatility.Knot(1_000_000, 4_500);
        knots[2] = RealizedVolatility.Knot(1_600_000, 15_000);
        return RealizedVolatilityFeeHook.Terms({
            knots: knots,
            leastOfForecastBps: LEAST_BPS,
            mostOfForecastBps: MOST_BPS,
            timeConstantSeconds: TIME_CONSTANT_SECONDS,
            maxMoveE9: MAX_MOVE_E9,
            quietAfterSeconds: QUIET_SECONDS
        });
    }

    function _limits() internal pure returns (ForecastFee.Limits memory) {
        return ForecastFee.Limits(MIN_FEE_PIPS, FALLBACK_FEE_PIPS, MAX_FEE_PIPS, REFRESH_SECONDS);
    }

    function _deployOwnHook(ForecastFee.Limits memory limits, RealizedVolatilityFeeHook.Terms memory terms)
        internal
        returns (RealizedVolatilityFeeHook)
    {
        bytes memory arguments = abi.encode(manager, oracle, BTC, limits, terms);
        bytes memory initCode = abi.encodePacked(type(RealizedVolatilityFeeHook).creationCode, arguments);
        return new RealizedVolatilityFeeHook{salt: _mine(initCode, FLAGS)}(
            manager, IRiskParameters(address(oracle)), BTC, limits, terms
        );
    }

    /// @dev The next block, one block's time later.
    function _nextBlock() internal {
        skip(BLOCK_SECONDS);
    }

    function _sqrtPrice() internal view returns (uint160 sqrtPriceX96) {
        (sqrtPriceX96,,,) = StateLibrary.getSlot0(manager, key.toId());
    }

    function _varianceE18() internal view returns (uint64 varianceE18) {
        (varianceE18,,,,) = hook.estimates(key.toId());
    }
}
