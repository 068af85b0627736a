// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {RiskState} from "../src/libraries/RiskState.sol";
import {Words} from "../src/libraries/Words.sol";
import {Policies} from "./Policies.sol";

/// @notice Steps of the applied volatility, ramps and words. Specification: RiskState.tree.
contract RiskStateTest is Test {
    using RiskState for RiskState.State;

    uint256 private constant START = 1_722_816_000;
    uint32 private constant PERIOD = 14_400;
    uint32 private constant SPAN = 2_000_000;

    function setUp() public {
        vm.warp(START + 60);
    }

    /* STEPS */

    function test_ARiseHoldsAtOnce() public view {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        p.dwellPeriods = 9;
        p.marginBps = 50_00;
        _assertStep(_at(1_000_000, 0), p, 1_000_001, 1_000_001, 1_000_001, 0);
        _assertStep(_at(1_000_000, 4), p, 1_000_000, 1_000_000, 1_000_000, 0);
    }

    function test_WhatThePolicyDoesNotTellApartIsClamped() public view {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        _assertStep(_at(1_000_000, 0), p, 4_000_000, 2_500_000, 2_500_000, 0);
        _assertStep(_at(1_000_000, 0), p, 1, 500_000, 500_000, 1);
        _assertStep(_at(4_000_000, 0), p, 2_600_000, 2_500_000, 2_500_000, 0);
        _assertStep(_at(1, 0), p, 600_000, 600_000, 600_000, 0);
    }

    function test_AFallWaitsForMarginAndDwell() public view {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        (p.marginBps, p.dwellPeriods) = (5_00, 3); // 100_000
        _assertStep(_at(1_000_000, 0), p, 900_000, 1_000_000, 1_000_000, 0); // by the margin, and not by more
        _assertStep(_at(1_000_000, 2), p, 900_000, 1_000_000, 1_000_000, 0); // begins to count anew
        _assertStep(_at(1_000_000, 0), p, 899_999, 1_000_000, 1_000_000, 1);
        _assertStep(_at(1_000_000, 1), p, 899_999, 1_000_000, 1_000_000, 2);
        _assertStep(_at(1_000_000, 2), p, 899_999, 899_999, 899_999, 3);
        _assertStep(_at(1_000_000, 3), p, 600_000, 600_000, 600_000, 3); // and goes on
        _assertStep(_at(1_000_000, 255), p, 600_000, 600_000, 600_000, 3);
    }

    function test_LimitsActOnWhatIsApplied() public view {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        (p.maxRiseBpsPerPeriod, p.maxFallBpsPerPeriod) = (10_00, 5_00);
        _assertStep(_at(1_000_000, 0), p, 2_500_000, 2_500_000, 1_200_000, 0);
        _assertStep(_at(1_000_000, 0), p, 500_000, 500_000, 900_000, 1);
        _assertStep(_at(1_000_000, 0), p, 1_150_000, 1_150_000, 1_150_000, 0);
    }

    /// @dev Two updates a second apart, across the edge of a period, had two allowances; after a gap there were six.
    function test_Fault8_TheAllowanceGrowsWithTime() public {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        (p.maxRiseBpsPerPeriod, p.maxFallBpsPerPeriod) = (10_00, 5_00);
        RiskState.State memory late = _at(1_000_000, 0);
        late.landedAfterSeconds = uint24(PERIOD - 1); // of the period before
        late.periodStart = uint40(START - PERIOD);
        vm.warp(START + 1);
        _assertStep(late, p, 2_500_000, 2_500_000, 1_000_000 + uint256(SPAN) * 2 / 10 / PERIOD, 0);
        for (uint256 periods = 1; periods <= 9; ++periods) {
            vm.warp(START - 1 + periods * PERIOD);
            uint256 allowances = periods < 6 ? periods : 6;
            _assertStep(late, p, 2_500_000, 2_500_000, 1_000_000 + 200_000 * allowances, 0);
        }
    }

    function testFuzz_AStepStaysBetweenWhereItWasAndTheForecast(
        IRegimeRiskOracle.Policy memory any,
        uint32 applied,
        uint8 count,
        uint32 forecast,
        uint32 elapsed
    ) public {
        vm.assume(any.knots.length <= 4);
        IRegimeRiskOracle.Policy memory p = Policies.valid(any, Policies.bounds());
        RiskState.State memory state = _at(applied, count);
        vm.warp(uint256(state.periodStart) + state.landedAfterSeconds + elapsed);
        (uint256 lowest, uint256 highest) = (p.knots[0].volatilityE9, p.knots[p.knots.length - 1].volatilityE9);
        uint256 was = _clamp(applied, lowest, highest);
        uint256 asked = _clamp(forecast, lowest, highest);
        (uint256 requested, uint256 is_, uint8 counted) = state.step(p, _forecast(forecast));
        assertTrue(requested == was || requested == asked);
        assertLe(counted, p.dwellPeriods);
        if (asked >= was) {
            assertEq(requested, asked, "a rise asks at once");
            assertTrue(is_ >= was && is_ <= asked);
            if (p.maxRiseBpsPerPeriod == 100_00) assertEq(is_, asked);
        } else {
            assertTrue(is_ <= was && is_ >= asked);
            if (counted < p.dwellPeriods) assertEq(is_, was);
        }
        uint256 time = elapsed < 6 * PERIOD ? elapsed : 6 * PERIOD;
        uint256 rise = (highest - lowest) * p.maxRiseBpsPerPeriod * time / (uint256(PERIOD) * 1e4);
        uint256 fall = (highest - lowest) * p.maxFallBpsPerPeriod * time / (uint256(PERIOD) * 1e4);
        if (p.maxRiseBpsPerPeriod != 100_00) assertLe(is_, was + rise);
        if (p.maxFallBpsPerPeriod != 100_00) assertGe(is_ + fall, was);
    }

    /* THE RAMP */

    /// @dev Turned once a day, it lost the hours, the days: whatever did not make a whole bps. Promised 90, 150 and 510 bps
    /// in 30 days, it moved 0, 0 and 360.
    function test_Fault2_TheRampKeepsItsRemainder() public {
        uint16[3] memory speeds = [uint16(3), 5, 17];
        for (uint256 i = 0; i < 3; ++i) {
            RiskState.State memory state = _ramp(130_00, speeds[i]);
            uint256 begin = block.timestamp;
            for (uint256 turn = 1; turn <= 30 * 6; ++turn) {
                vm.warp(begin + turn * PERIOD);
                state.turnRamp(140_00 + turn % 2, speeds[i]);
            }
            assertEq(state.liquidationRatioBps(), 130_00 + 30 * speeds[i]);
        }
    }

    /// @dev A target in the same direction began the clock anew.
    function test_Fault2_TheEndDoesNotRecede() public {
        RiskState.State memory state = _ramp(130_00, 1_00);
        state.turnRamp(140_00, 1_00);
        (,, uint256 reachedAt) = state.pending();
        assertEq(reachedAt, block.timestamp + 10 days);
        for (uint256 i = 1; i < 500; ++i) {
            vm.warp(block.timestamp + 997);
            state.turnRamp(140_00, 1_00);
            (,, uint256 still) = state.pending();
            assertEq(still, reachedAt);
        }
    }

    function testFuzz_Fault2_TurningChangesNothing(uint16 from, uint16 to, uint16 speed, uint32[5] memory waits)
        public
    {
        (from, to) = from < to ? (from, to) : (to, from);
        RiskState.State memory turned = _ramp(from, speed);
        turned.turnRamp(to, speed);
        RiskState.State memory left = abi.decode(abi.encode(turned), (RiskState.State));
        for (uint256 i = 0; i < 5; ++i) {
            vm.warp(block.timestamp + waits[i]);
            turned.turnRamp(to, speed);
            assertEq(turned.liquidationRatioBps(), left.liquidationRatioBps());
        }
    }

    function test_ALowerTargetHoldsAtOnceAndAHigherOneNever() public {
        RiskState.State memory state = _ramp(130_00, 1_00);
        state.turnRamp(120_00, 1_00);
        assertEq(state.liquidationRatioBps(), 120_00);
        state.turnRamp(140_00, 1_00);
        assertEq(state.liquidationRatioBps(), 120_00);
        vm.warp(block.timestamp + 1 days);
        assertEq(state.liquidationRatioBps(), 121_00);
        state.turnRamp(140_00, 50);
        vm.warp(block.timestamp + 1 days);
        assertEq(state.liquidationRatioBps(), 121_50);
    }

    /// @dev 32 bits of seconds end in February 2106, and the ratio stepped.
    function test_Fault8_TheYear2106() public {
        vm.warp(type(uint32).max - 100);
        RiskState.State memory state = _ramp(130_00, 1_00);
        state.turnRamp(140_00, 1_00);
        vm.warp(uint256(type(uint32).max) + 1 days);
        assertEq(state.liquidationRatioBps(), 131_00);
        vm.warp(uint256(type(uint32).max) + 3 days);
        state.turnRamp(150_00, 1_00);
        assertEq(state.liquidationRatioBps(), 133_00);
    }

    /* WORDS */

    function testFuzz_StatesSurviveStorage(RiskState.State memory state) public pure {
        (state.landedAfterSeconds, state.probabilityHighBps) =
        (state.landedAfterSeconds & 0x1ffff, state.probabilityHighBps & 0x3fff);
        (uint256 first, uint256 second) = Words.pack(state);
        assertEq(abi.encode(Words.unpack(first, second)), abi.encode(state));
        assertEq(Words.periodStart(first), state.periodStart);
    }

    function testFuzz_WordsSurviveTheStruct(uint256 first, uint256 second) public pure {
        (first, second) = (first & (2 ** 255 - 1), second & (2 ** 224 - 1));
        (uint256 firstAgain, uint256 secondAgain) = Words.pack(Words.unpack(first, second));
        assertEq(firstAgain, first);
        assertEq(secondAgain, second);
    }

    /* HELPERS */

    /// @dev Landed at this time of the period before.
    function _at(uint32 appliedE9, uint8 looserCount) private view returns (RiskState.State memory state) {
        state.periodStart = uint40(START - PERIOD);
        state.landedAfterSeconds = uint24(block.timestamp - START);
        (state.appliedVolatilityE9, state.looserCount) = (appliedE9, looserCount);
    }

    function _forecast(uint32 volatilityE9) private pure returns (RiskState.Forecast memory) {
        return RiskState.Forecast(uint40(START), PERIOD, 0, volatilityE9);
    }

    function _ramp(uint16 atBps, uint16 speed) private view returns (RiskState.State memory state) {
        (state.rampFrom, state.rampTargetBps) = (uint40(uint256(atBps) * 1 days), atBps);
        (state.rampSince, state.rampBpsPerDay) = (uint40(block.timestamp), speed);
        if (speed != 0) state.turnRamp(uint256(atBps) + 1000 > 65_535 ? 65_535 : atBps + 1000, speed);
    }

    function _assertStep(
        RiskState.State memory state,
        IRegimeRiskOracle.Policy memory p,
        uint32 forecast,
        uint256 requested,
        uint256 applied,
        uint256 count
    ) private view {
        (uint256 requestedE9, uint256 appliedE9, uint8 counted) = state.step(p, _forecast(forecast));
        assertEq(requestedE9, requested, "requested");
        assertEq(appliedE9, applied, "applied");
        assertEq(counted, count, "count");
    }

    function _clamp(uint256 x, uint256 low, uint256 high) private pure returns (uint256) {
        return x < low ? low : x > high ? high : x;
    }
}
