// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {BalanceDelta} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {ForecastFee} from "../../src/consumers/ForecastFee.sol";
import {RealizedVolatilityFeeHook} from "../../src/consumers/RealizedVolatilityFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {RealizedVolatility} from "../../src/libraries/RealizedVolatility.sol";
import {ProgrammableOracle} from "../mocks/ProgrammableOracle.sol";
import {FeeHookRefusals} from "./FeeHookFixture.sol";
import {OwnFeeFixture} from "./OwnFeeFixture.sol";

/// @notice See RealizedVolatilityFeeHook.tree.
contract RealizedVolatilityFeeHookTest is OwnFeeFixture, FeeHookRefusals {
    uint24 private constant LEAST_FEE_PIPS = FORECAST_FEE_PIPS * LEAST_BPS / 10_000;
    uint24 private constant MOST_FEE_PIPS = uint24(FORECAST_FEE_PIPS * MOST_BPS / 10_000);

    /* CONSTRUCTION */

    function test_ConstructorKeepsItsArguments() public view {
        assertEq(abi.encode(hook.knots()), abi.encode(_terms().knots));
        assertEq(hook.leastOfForecastBps(), LEAST_BPS);
        assertEq(hook.mostOfForecastBps(), MOST_BPS);
        assertEq(hook.timeConstantSeconds(), TIME_CONSTANT_SECONDS);
        assertEq(hook.maxMoveE9(), MAX_MOVE_E9);
        assertEq(hook.quietAfterSeconds(), QUIET_SECONDS);
        assertEq(hook.refreshAfterSeconds(), REFRESH_SECONDS);
        assertTrue(hook.getHookPermissions().beforeSwap);
    }

    function test_RevertWhen_TermsAreOutOfRange() public {
        RealizedVolatilityFeeHook.Terms memory terms = _terms();
        terms.knots[1].volatilityE9 = terms.knots[0].volatilityE9;
        _expectInvalid("knots", terms);
        terms = _terms();
        terms.knots[2].feePips = terms.knots[1].feePips - 1;
        _expectInvalid("knots", terms);
        terms = _terms();
        terms.knots[0].volatilityE9 = 0;
        _expectInvalid("knots", terms);
        terms = _terms();
        terms.knots = new RealizedVolatility.Knot[](1);
        _expectInvalid("knots", terms);
        terms = _terms();
        terms.leastOfForecastBps = 10_001;
        _expectInvalid("leastOfForecastBps", terms);
        terms = _terms();
        terms.mostOfForecastBps = 9_999;
        _expectInvalid("mostOfForecastBps", terms);
        for (uint256 i = 0; i < 2; ++i) {
            terms = _terms();
            terms.timeConstantSeconds = i == 0 ? 0 : 1 days + 1;
            _expectInvalid("timeConstantSeconds", terms);
            terms = _terms();
            terms.maxMoveE9 = i == 0 ? 0 : 1e8 + 1;
            _expectInvalid("maxMoveE9", terms);
            terms = _terms();
            terms.quietAfterSeconds = i == 0 ? 0 : 1 days + 1;
            _expectInvalid("quietAfterSeconds", terms);
        }
    }

    /* ENTRY POINTS */

    function test_NoPoolHasNoFee() public view {
        assertEq(hook.currentFeePips(_otherKey().toId()), 0);
    }

    /* BLOCKS */

    function test_APoolBeginsWithTheForecastsFee() public {
        assertEq(_poolFee(key), FORECAST_FEE_PIPS);
        assertEq(_varianceE18(), uint256(FORECAST_VOLATILITY_E9) * FORECAST_VOLATILITY_E9);
        assertEq(_swapFee(key), FORECAST_FEE_PIPS);
        _nextBlock();
        assertEq(_swapFee(key), FORECAST_FEE_PIPS, "nothing observed yet");
    }

    /// @dev The largest swap of a block leaves the fee of that block, and what it observes, as they are.
    function testFuzz_NoSwapMovesTheFeeOfItsOwnBlock(uint96 amount, bool zeroForOne, uint8 others) public {
        _warmUp();
        uint24 feePips = _swapFee(key);
        uint64 variance = _varianceE18();
        for (uint256 i = 0; i <= others % 4; ++i) {
            (, uint24 paid) = _swap(key, _swapParams(zeroForOne, -int256(bound(amount, 1, 1e23))));
            assertEq(paid, feePips);
            assertEq(hook.currentFeePips(key.toId()), feePips);
        }
        assertEq(_varianceE18(), variance);
    }

    function test_WhatIsTradedBackWithinABlockWasNeverThere() public {
        _warmUp();
        router.swap(key, _exactInput(1e18));
        uint256 state = vm.snapshotState();
        _nextBlock();
        uint24 expected = hook.currentFeePips(key.toId());
        vm.revertToState(state);
        uint160 before = _sqrtPrice();
        router.swap(key, _exactInput(5e22));
        SwapParams memory back = _swapParams(false, -1e24);
        back.sqrtPriceLimitX96 = before;
        router.swap(key, back);
        _nextBlock();
        assertEq(hook.currentFeePips(key.toId()), expected);
    }

    function test_ABlocksMoveIsSeenInTheNextAndCountsUpToTheLimit() public {
        _warmUp();
        router.swap(key, _exactInput(5e22));
        uint64 before = _varianceE18();
        _nextBlock();
        assertGt(hook.currentFeePips(key.toId()), LEAST_FEE_PIPS);
        router.swap(key, _exactInput(1));
        uint256 weight = 1e18 - uint256(FixedPointMathLib.expWad(-int256(uint256(BLOCK_SECONDS)) * 1e18 / 900));
        uint256 most = uint256(MAX_MOVE_E9) * MAX_MOVE_E9 * 60 / BLOCK_SECONDS;
        assertApproxEqRel(_varianceE18(), (before * (1e18 - weight) + most * weight) / 1e18, 1e9);
    }

    /// @dev A mean of squares over any sequence of blocks, computed here in one sum at the end instead of step by step.
    function testFuzz_TheVarianceIsTheWeightedMeanOfWhatBlocksMoved(uint256 seed) public {
        uint256 count = bound(seed, 2, 40);
        uint256[] memory times = new uint256[](count + 1);
        uint256[] memory prices = new uint256[](count + 1);
        uint256 start = block.timestamp;
        for (uint256 i = 0; i <= count; ++i) {
            uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
            skip(1 + drawn % (QUIET_SECONDS - 1));
            (times[i], prices[i]) = (block.timestamp, _sqrtPrice());
            router.swap(key, _swapParams(drawn & 1 == 0, -int256(bound(drawn >> 8, 1, 1e21))));
        }
        uint256 sum = 0;
        uint256 ends = times[count - 1];
        for (uint256 i = 1; i <= count; ++i) {
            uint256 from = i == 1 ? start : times[i - 2];
            uint256 took = times[i - 1] - from;
            uint256 moved = FixedPointMathLib.abs(int256(prices[i]) - int256(prices[i - 1])) * 2e9 / prices[i - 1];
            moved = FixedPointMathLib.min(moved, MAX_MOVE_E9);
            uint256 weight = _decay(ends - times[i - 1]) - _decay(ends - from);
            sum += moved * moved * 60 / took * weight / 1e18;
        }
        sum += uint256(FORECAST_VOLATILITY_E9) ** 2 * _decay(ends - start) / 1e18;
        assertApproxEqRel(_varianceE18(), sum, 1e10);
    }

    /* MULTIPLES OF THE FORECAST */

    function testFuzz_TheFeeStaysBetweenTheMultiples(uint24 forecastPips, uint96 amount, uint8 blocks) public {
        forecastPips = uint24(bound(forecastPips, 1, 1_000_000));
        oracle.set(IRiskParameters.Status.Fresh, forecastPips);
        skip(REFRESH_SECONDS);
        uint256 forecast = FixedPointMathLib.clamp(forecastPips, MIN_FEE_PIPS, MAX_FEE_PIPS);
        uint256 least = FixedPointMathLib.clamp(forecast * LEAST_BPS / 10_000, MIN_FEE_PIPS, MAX_FEE_PIPS);
        uint256 most = FixedPointMathLib.clamp(forecast * MOST_BPS / 10_000, MIN_FEE_PIPS, MAX_FEE_PIPS);
        for (uint256 i = 0; i < 3 + blocks % 6; ++i) {
            (, uint24 paid) = _swap(key, _swapParams(i % 2 == 0, -int256(bound(amount, 1, 1e22))));
            assertGe(paid, least);
            assertLe(paid, most);
            _nextBlock();
        }
    }

    function test_ACalmPoolPaysTheLeastAndATurbulentOneTheMost() public {
        for (uint256 i = 0; i < 300; ++i) {
            router.swap(key, _swapParams(i % 2 == 0, -1e18));
            _nextBlock();
        }
        assertEq(hook.currentFeePips(key.toId()), LEAST_FEE_PIPS > 1_300 ? LEAST_FEE_PIPS : 1_300, "the first knot's");
        for (uint256 i = 0; i < 300; ++i) {
            router.swap(key, _swapParams(i % 2 == 0, -1e21));
            _nextBlock();
        }
        assertEq(hook.currentFeePips(key.toId()), MOST_FEE_PIPS);
    }

    /* QUIET POOLS AND AN ORACLE THAT IS AWAY */

    function test_AQuietPoolTakesTheForecastsFeeAndBeginsAgain() public {
        for (uint256 i = 0; i < 50; ++i) {
            router.swap(key, _swapParams(i % 2 == 0, -1e22));
            _nextBlock();
        }
        assertEq(hook.currentFeePips(key.toId()), MOST_FEE_PIPS);
        skip(QUIET_SECONDS + 1);
        assertEq(_swapFee(key), FORECAST_FEE_PIPS);
        assertEq(_varianceE18(), uint256(FORECAST_VOLATILITY_E9) ** 2);
        _nextBlock();
        assertEq(_swapFee(key), FORECAST_FEE_PIPS, "what came after the silence is of unknown age");
        assertEq(_varianceE18(), uint256(FORECAST_VOLATILITY_E9) ** 2);
    }

    function test_WhileTheOracleIsNotVouchedForTheFeeIsTheCautiousOne() public {
        _warmUp();
        for (uint256 i = 1; i <= uint256(type(ProgrammableOracle.Behaviour).max); ++i) {
            uint256 state = vm.snapshotState();
            oracle.behave(ProgrammableOracle.Behaviour(i));
            skip(REFRESH_SECONDS);
            router.swap(key, _exactInput(1e20));
            for (uint256 blocks = 0; blocks < 3; ++blocks) {
                _nextBlock();
                assertEq(_swapFee(key), FALLBACK_FEE_PIPS);
            }
            vm.revertToState(state);
        }
        oracle.set(IRiskParameters.Status.Stale, 13_000);
        skip(REFRESH_SECONDS);
        vm.expectEmit(address(hook));
        emit RealizedVolatilityFeeHook.ForecastFeeChanged(key.toId(), 13_000, false);
        assertEq(_swapFee(key), 13_000, "the oracle's own tightened fee");
        oracle.set(IRiskParameters.Status.Fresh, FORECAST_FEE_PIPS);
        skip(REFRESH_SECONDS);
        assertEq(_swapFee(key), FORECAST_FEE_PIPS);
    }

    /* QUOTES */

    function testFuzz_AQuoteIsWhatTheSwapGives(uint8 status, uint32 elapsedSeconds, uint96 amount, bool zeroForOne)
        public
    {
        _warmUp();
        status = uint8(bound(status, 0, uint256(type(IRiskParameters.Status).max)));
        oracle.set(IRiskParameters.Status(status), FORECAST_FEE_PIPS);
        skip(bound(elapsedSeconds, 0, 3 * REFRESH_SECONDS));
        SwapParams memory swap = _swapParams(zeroForOne, -int256(bound(amount, 1, 1e23)));
        uint24 foretold = hook.currentFeePips(key.toId());
        BalanceDelta quoted = router.quote(key, swap);
        (BalanceDelta delta, uint24 paid) = _swap(key, swap);
        assertEq(BalanceDelta.unwrap(delta), BalanceDelta.unwrap(quoted));
        assertEq(paid, foretold);
    }

    function test_Gas() public {
        _warmUp();
        router.swap(key, _exactInput(1e18));
        _nextBlock();
        _snapshotSwap("swap, first of a block");
        _snapshotSwap("swap, second of a block");
        skip(REFRESH_SECONDS - BLOCK_SECONDS);
        _snapshotSwap("swap that reads the oracle");
        PoolKey memory plain = _key(FORECAST_FEE_PIPS, address(0));
        _open(plain);
        key = plain;
        router.swap(plain, _exactInput(1e18));
        _snapshotSwap("swap in a pool without a hook");
    }

    /* HELPERS */

    function _snapshotSwap(string memory name) private {
        router.swap(key, _exactInput(1e18));
        vm.snapshotGasLastCall("RealizedVolatilityFeeHook", name);
    }

    /// @dev Blocks with small swaps, so that there is something observed.
    function _warmUp() private {
        for (uint256 i = 0; i < 5; ++i) {
            router.swap(key, _swapParams(i % 2 == 0, -1e19));
            _nextBlock();
        }
    }

    /// @dev Share of the weight that is left after so many seconds.
    function _decay(uint256 elapsed) private pure returns (uint256) {
        return uint256(FixedPointMathLib.expWad(-int256(elapsed * 1e18 / TIME_CONSTANT_SECONDS)));
    }

    function _expectInvalid(string memory field, RealizedVolatilityFeeHook.Terms memory terms) private {
        bytes memory arguments = abi.encode(manager, oracle, BTC, _limits(), terms);
        bytes32 salt = _mine(abi.encodePacked(type(RealizedVolatilityFeeHook).creationCode, arguments), FLAGS);
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.InvalidConfiguration.selector, field));
        new RealizedVolatilityFeeHook{salt: salt}(manager, IRiskParameters(address(oracle)), BTC, _limits(), terms);
    }
}
