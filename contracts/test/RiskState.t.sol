// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {RiskState} from "../src/libraries/RiskState.sol";
import {Words} from "../src/libraries/Words.sol";
import {Policies} from "./Policies.sol";

/// @notice How a forecast moves a market's regime and applied probability. Specification: RiskState.tree.
contract RiskStateStepTest is Test {
    using PolicyLib for IRegimeRiskOracle.Policy;
    using RiskState for RiskState.PackedParams;

    uint256 private constant START = 119_640 * 14_400 + 75;
    uint8 private constant LOW = 0;
    uint8 private constant HIGH = 0x80;

    PolicyLib.PackedRules private r;

    function setUp() public {
        vm.warp(START);
        r = Policies.ramped().rules(false); // margin 500, dwell 3, rise 2,000, fall 500
    }

    /* REGIME */

    function test_HighAtOneHalfPlusTheMargin() public view {
        _assertStep(LOW, 54_99, LOW, 54_99);
        _assertStep(LOW, 55_00, HIGH, 55_00);
        _assertStep(HIGH + 2, 55_00, HIGH, 55_00);
    }

    function test_CountsForecastsAtOneHalfMinusTheMargin() public view {
        _assertStep(HIGH, 45_01, HIGH, 50_00);
        _assertStep(HIGH, 45_00, HIGH + 1, 50_00);
        _assertStep(HIGH + 1, 45_00, HIGH + 2, 50_00);
        _assertStep(HIGH + 2, 45_00, LOW, 45_00);
    }

    function test_AForecastBetweenStartsTheCountAnew() public view {
        _assertStep(HIGH + 2, 45_01, HIGH, 50_00);
        _assertStep(HIGH + 2, 54_99, HIGH, 54_99);
    }

    function test_LowCountsNothing() public view {
        _assertStep(LOW, 0, LOW, 0);
        _assertStep(LOW, 45_00, LOW, 45_00);
        _assertStep(LOW, 50_00, LOW, 50_00);
    }

    function test_ADwellOfOneTurnsAtOnce() public {
        r.dwellPeriods = 1;
        _assertStep(HIGH, 45_00, LOW, 45_00);
    }

    function test_TheLongestDwell() public {
        r.dwellPeriods = 127;
        _assertStep(HIGH + 125, 0, HIGH + 126, 50_00);
        _assertStep(HIGH + 126, 0, LOW, 0);
    }

    /// @dev The policy may have changed while the count went on.
    function test_AShortenedDwellTurnsAtTheNextLow() public {
        r.dwellPeriods = 2;
        _assertStep(HIGH + 126, 0, LOW, 0);
    }

    function test_WithoutMarginOneHalfIsHigh() public {
        (r.marginBps, r.dwellPeriods) = (0, 1);
        _assertStep(LOW, 50_00, HIGH, 50_00);
        _assertStep(HIGH, 50_00, HIGH, 50_00);
        _assertStep(HIGH, 49_99, LOW, 49_99);
    }

    /// @dev The regime as a plain rule, over any sequence of forecasts.
    function testFuzz_RegimeFollowsItsRule(uint16[24] memory forecasts, uint16 margin, uint8 dwell) public {
        (r.marginBps, r.dwellPeriods) = (uint16(bound(margin, 0, 4999)), uint8(bound(dwell, 1, 8)));
        RiskState.PackedParams memory stored = RiskState.initial();
        bool high = true;
        uint256 lows = 0;
        for (uint256 i = 0; i < forecasts.length; ++i) {
            uint256 forecast = bound(forecasts[i], 0, 10_000);
            lows = forecast <= 5000 - r.marginBps && forecast < 5000 + r.marginBps ? lows + 1 : 0;
            if (forecast >= 5000 + r.marginBps) high = true;
            else if (lows >= r.dwellPeriods) high = false;
            (uint8 switchState, uint256 requested,) = stored.step(r, forecast, 1);
            assertEq(switchState >> 7, high ? 1 : 0);
            assertEq(requested, high && forecast < 5000 ? 5000 : forecast);
            stored.switchState = switchState;
        }
    }

    /* RATE LIMITS */

    function test_LimitsAreAsymmetric() public view {
        _assertApplied(30_00, 90_00, 1, 50_00);
        _assertApplied(30_00, 90_00, 2, 70_00);
        _assertApplied(30_00, 90_00, 3, 90_00);
        _assertApplied(90_00, 60_00, 1, 85_00);
        _assertApplied(90_00, 60_00, 2, 80_00);
        _assertApplied(90_00, 60_00, 6, 60_00);
    }

    function test_AllowanceGrowsForADay() public {
        (r.maxRiseBpsPerPeriod, r.maxFallBpsPerPeriod) = (3_00, 1_00);
        _assertApplied(60_00, 100_00, 5, 75_00);
        _assertApplied(60_00, 100_00, 6, 78_00);
        _assertApplied(60_00, 100_00, 7, 78_00);
        _assertApplied(60_00, 100_00, type(uint32).max, 78_00);
        _assertApplied(100_00, 60_00, 5, 95_00);
        _assertApplied(100_00, 60_00, 6, 94_00);
        _assertApplied(100_00, 60_00, 7, 94_00);
    }

    function test_LimitsAreInclusive() public view {
        _assertApplied(60_00, 79_99, 1, 79_99);
        _assertApplied(60_00, 80_00, 1, 80_00);
        _assertApplied(60_00, 80_01, 1, 80_00);
        _assertApplied(80_00, 75_00, 1, 75_00);
        _assertApplied(80_00, 74_99, 1, 75_00);
    }

    function test_FallsStopAtZero() public {
        (r.marginBps, r.dwellPeriods) = (0, 1);
        _assertApplied(3_00, 0, 1, 0);
        _assertApplied(3_00, 0, 6, 0);
    }

    function testFuzz_NeverFurtherThanAllowed(
        RiskState.PackedParams memory stored,
        PolicyLib.PackedRules memory rules,
        uint16 forecast,
        uint32 elapsed
    ) public pure {
        stored.appliedProbabilityBps = uint16(bound(stored.appliedProbabilityBps, 0, 10_000));
        (forecast, elapsed) = (uint16(bound(forecast, 0, 10_000)), uint32(bound(elapsed, 1, type(uint32).max)));
        (, uint256 requested, uint256 applied) = stored.step(rules, forecast, elapsed);
        uint256 periods = elapsed < 6 ? elapsed : 6;
        int256 previous = int256(uint256(stored.appliedProbabilityBps));
        int256 moved = int256(applied) - previous;
        int256 asked = int256(requested) - previous;
        int256 most =
            asked < 0 ? -int256(periods * rules.maxFallBpsPerPeriod) : int256(periods * rules.maxRiseBpsPerPeriod);
        assertEq(moved, asked < 0 ? (asked > most ? asked : most) : (asked < most ? asked : most));
        assertLe(applied, 10_000);
    }

    /// @dev Whoever updates more often gets no further: one step over the whole time reaches at least as far.
    function testFuzz_SplittingBeatsNoLimit(uint16 from, uint16 forecast, uint8 first, uint8 second) public view {
        first = uint8(bound(first, 1, 5));
        second = uint8(bound(second, 1, 6 - first));
        forecast = uint16(bound(forecast, 55_00, 100_00));
        RiskState.PackedParams memory stored = RiskState.initial();
        stored.appliedProbabilityBps = uint16(bound(from, 0, 100_00));
        (,, uint256 atOnce) = stored.step(r, forecast, first + second);
        (,, uint256 halfway) = stored.step(r, forecast, first);
        stored.appliedProbabilityBps = uint16(halfway);
        (,, uint256 split) = stored.step(r, forecast, second);
        assertEq(split, atOnce);
    }

    /// @dev However many updates, of whatever forecasts: never further than the limit of the time that has passed.
    function testFuzz_ManyUpdatesStayWithinTheLimitOfTheirTime(uint16[16] memory forecasts, uint8[16] memory gaps)
        public
        view
    {
        RiskState.PackedParams memory stored = RiskState.initial();
        stored.appliedProbabilityBps = 50_00;
        uint256 periods = 0;
        for (uint256 i = 0; i < forecasts.length; ++i) {
            uint256 gap = bound(gaps[i], 1, 9);
            periods += gap;
            uint256 applied;
            (stored.switchState,, applied) = stored.step(r, bound(forecasts[i], 0, 10_000), gap);
            stored.appliedProbabilityBps = uint16(applied);
            assertLe(applied, 50_00 + periods * 20_00);
            assertGe(applied + periods * 5_00, 50_00);
        }
    }

    /* AN UPDATE */

    function test_FirstUpdateStartsFromTheTop() public view {
        RiskState.PackedParams memory none;
        (RiskState.PackedParams memory updated, uint256 requested) = _advanced(none, 119_640, 10_00);
        assertEq(updated.switchState, HIGH + 1);
        assertEq(requested, 50_00);
        assertEq(updated.appliedProbabilityBps, 70_00, "six falls of 5 % from 100 %");
        RiskState.PackedParams memory start = RiskState.initial();
        assertEq(start.switchState, HIGH);
        assertEq(start.appliedProbabilityBps, 100_00);
        assertEq(start.period, 0);
    }

    function test_UpdateFillsEveryField() public view {
        RiskState.PackedParams memory stored;
        (stored.period, stored.switchState, stored.appliedProbabilityBps) = (119_638, LOW, 20_00);
        (RiskState.PackedParams memory updated, uint256 requested) = _advanced(stored, 119_640, 73_11);
        RiskState.PackedParams memory expected = RiskState.PackedParams({
            period: 119_640,
            landedAfterSeconds: 75,
            loosenDelaySeconds: 1 hours,
            probabilityHighBps: 73_11,
            appliedProbabilityBps: 60_00,
            volatility: 50_045,
            switchState: HIGH,
            previousBorrowCollateralRatioBps: 160_00,
            previousAmmFeePips: 2000,
            previousBorrowCapFactorBps: 90_00,
            nextBorrowCollateralRatioBps: 180_00,
            nextAmmFeePips: 6200,
            nextBorrowCapFactorBps: 64_00,
            restingLiquidationRatioBps: 0,
            freshSeconds: 0
        });
        assertEq(requested, 73_11, "what was asked for is reported, not what the limit left of it");
        assertEq(abi.encode(updated), abi.encode(expected));
    }

    function test_LandingTimeIsThatWithinThePeriod() public {
        RiskState.PackedParams memory none;
        vm.warp(119_641 * 14_400 - 1);
        (RiskState.PackedParams memory updated,) = _advanced(none, 119_640, 0);
        assertEq(updated.landedAfterSeconds, 14_399);
        assertEq(Words.landedAt(Words.pack(updated)), block.timestamp);
    }

    /* HELPERS */

    function _advanced(RiskState.PackedParams memory stored, uint32 period, uint16 probabilityBps)
        private
        view
        returns (RiskState.PackedParams memory updated, uint256 requestedBps)
    {
        IRiskParameters.Params memory seen;
        (seen.borrowCollateralRatioBps, seen.ammFeePips, seen.borrowCapFactorBps) = (160_00, 2000, 90_00);
        PolicyLib.PackedGuard memory guard;
        Policies.ramped().writeGuard(guard);
        RiskState.Forecast memory forecast = RiskState.Forecast(period, probabilityBps, 500_451_433_440_611);
        uint256 targetBps;
        (updated, targetBps, requestedBps) = stored.advance(seen, guard, r, forecast);
        assertEq(targetBps, PolicyLib.liquidationAt(r, updated.appliedProbabilityBps));
    }

    /// @dev A step without any rate limit.
    function _assertStep(uint8 before, uint256 forecast, uint8 switchState, uint256 requested) private view {
        PolicyLib.PackedRules memory rules = r;
        (rules.maxRiseBpsPerPeriod, rules.maxFallBpsPerPeriod) = (10_000, 10_000);
        RiskState.PackedParams memory stored;
        stored.switchState = before;
        (uint8 actual, uint256 actuallyRequested, uint256 applied) = stored.step(rules, forecast, 1);
        assertEq(actual, switchState);
        assertEq(actuallyRequested, requested);
        assertEq(applied, requested);
    }

    function _assertApplied(uint16 from, uint256 forecast, uint256 elapsed, uint256 expected) private view {
        RiskState.PackedParams memory stored = RiskState.initial();
        stored.appliedProbabilityBps = from;
        (, uint256 requested, uint256 applied) = stored.step(r, forecast, elapsed);
        assertEq(applied, expected);
        assertEq(requested, forecast);
    }
}
