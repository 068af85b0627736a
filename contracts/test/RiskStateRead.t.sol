// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {RiskState} from "../src/libraries/RiskState.sol";
import {Words} from "../src/libraries/Words.sol";
import {Policies} from "./Policies.sol";

/// @notice The ramp, and what readers see of two words. Specification: RiskState.tree.
contract RiskStateReadTest is Test {
    using PolicyLib for IRegimeRiskOracle.Policy;
    using RiskState for *;
    using Words for *;

    uint32 private constant PERIOD = 119_640;
    uint256 private constant START = uint256(PERIOD) * 14_400;
    uint256 private constant LANDED = START + 75;

    PolicyLib.PackedGuard private g;
    RiskState.PackedParams private s;

    function setUp() public {
        vm.warp(LANDED);
        PolicyLib.PackedGuard memory guard;
        Policies.ramped().writeGuard(guard); // turbulent 20,000 / 10,000 / 4,000; grace 5 h, stale 8 h; 200 bps a day
        g = guard;
        (g.rampStartBps, g.rampTargetBps, g.rampStartedAt) = (130_00, 130_00, uint32(LANDED));
        s.period = PERIOD;
        s.landedAfterSeconds = 75;
        s.loosenDelaySeconds = 1 hours;
        (s.probabilityHighBps, s.appliedProbabilityBps) = (40_00, 30_00);
        s.volatility = 50_045;
        s.switchState = 0x82;
        s.previousBorrowCollateralRatioBps = 170_00;
        s.previousAmmFeePips = 2000;
        s.previousBorrowCapFactorBps = 70_00;
        s.nextBorrowCollateralRatioBps = 165_00;
        s.nextAmmFeePips = 3350;
        s.nextBorrowCapFactorBps = 82_00;
    }

    /* THE RAMP */

    function test_RampRisesAtItsSpeed() public {
        g.rampTargetBps = 131_00;
        _assertRamp(0, 130_00);
        _assertRamp(432, 130_01); // a day has 86,400 s, so that 200 bps a day are one bps in 432 s
        _assertRamp(431, 130_00);
        _assertRamp(6 hours, 130_50);
        _assertRamp(12 hours - 1, 130_99);
        _assertRamp(12 hours, 131_00);
        _assertRamp(365 days, 131_00);
    }

    function test_RampTurnsUpwardsFromWhereItIs() public {
        g.rampTargetBps = 140_00;
        vm.warp(LANDED + 1 days);
        _turn(135_00);
        assertEq(g.rampStartBps, 132_00);
        assertEq(g.rampTargetBps, 135_00);
        assertEq(g.rampStartedAt, LANDED + 1 days);
        assertEq(g.liquidationRatioBps(), 132_00);
        vm.warp(LANDED + 2 days);
        _turn(138_00);
        assertEq(g.rampStartBps, 134_00);
        assertEq(g.liquidationRatioBps(), 134_00);
        vm.warp(LANDED + 10 days);
        assertEq(g.liquidationRatioBps(), 138_00);
    }

    function test_RampIsAtALowerTargetAtOnce() public {
        g.rampTargetBps = 140_00;
        vm.warp(LANDED + 1 days);
        _turn(131_00);
        assertEq(g.rampStartBps, 131_00);
        assertEq(g.liquidationRatioBps(), 131_00);
        _turn(140_00);
        assertEq(g.liquidationRatioBps(), 131_00);
    }

    function test_RampTurnedToWhereItIsRests() public {
        g.rampTargetBps = 140_00;
        vm.warp(LANDED + 1 days);
        _turn(132_00);
        assertEq(g.rampStartBps, 132_00);
        assertEq(g.rampTargetBps, 132_00);
    }

    /// @dev Whatever the turn: at its moment the ratio falls or stays, and from then on it rises by no more than its speed.
    function testFuzz_NoTurnRaisesTheRatioInABlock(
        uint16[8] memory targets,
        uint24[8] memory pauses,
        uint16 speedBpsPerDay
    ) public {
        g.rampBpsPerDay = speedBpsPerDay;
        for (uint256 i = 0; i < targets.length; ++i) {
            uint256 before = g.liquidationRatioBps();
            _turn(targets[i]);
            uint256 turned = g.liquidationRatioBps();
            assertEq(turned, before < targets[i] ? before : targets[i]);
            vm.warp(block.timestamp + pauses[i]);
            uint256 later = g.liquidationRatioBps();
            assertGe(later, turned);
            assertLe(later, targets[i]);
            assertLe((later - turned) * 1 days, uint256(speedBpsPerDay) * pauses[i]);
            if (later < targets[i]) assertGt((later - turned + 1) * 1 days, uint256(speedBpsPerDay) * pauses[i]);
        }
    }

    /* STATUS */

    function test_StatusAtEachBoundary() public {
        _assertStatus(START + 5 hours - 1, IRiskParameters.Status.Fresh);
        _assertStatus(START + 5 hours, IRiskParameters.Status.Grace);
        _assertStatus(START + 8 hours - 1, IRiskParameters.Status.Grace);
        _assertStatus(START + 8 hours, IRiskParameters.Status.Stale);
    }

    function test_GraceMayBeEmpty() public {
        g.staleAfterSeconds = g.graceAfterSeconds;
        _assertStatus(START + 5 hours - 1, IRiskParameters.Status.Fresh);
        _assertStatus(START + 5 hours, IRiskParameters.Status.Stale);
    }

    function test_PauseWithholdsUntilItsEnd() public {
        g.pausedUntil = uint40(LANDED + 100);
        _assertStatus(LANDED + 99, IRiskParameters.Status.Withheld);
        _assertStatus(LANDED + 100, IRiskParameters.Status.Fresh);
    }

    function test_DisabledPeriodWithholdsItselfAndThoseBefore() public {
        g.disabledPeriod = PERIOD - 1;
        _assertStatus(LANDED, IRiskParameters.Status.Fresh);
        g.disabledPeriod = PERIOD;
        _assertStatus(LANDED, IRiskParameters.Status.Withheld);
        g.disabledPeriod = PERIOD + 1;
        _assertStatus(LANDED, IRiskParameters.Status.Withheld);
    }

    function testFuzz_WithheldComesBeforeEveryAge(uint32 age, uint8 reason) public {
        reason = reason % 3;
        if (reason == 0) g.pausedUntil = uint40(LANDED + age + 1);
        if (reason == 1) g.disabledPeriod = PERIOD;
        vm.warp(LANDED + age);
        (, IRiskParameters.Status status) = _word().read(g, reason == 2);
        assertEq(uint8(status), uint8(IRiskParameters.Status.Withheld));
    }

    /* VALUES */

    function test_FreshValuesAreThoseOfTheUpdate() public {
        vm.warp(LANDED + 1 hours);
        IRiskParameters.Params memory expected = IRiskParameters.Params({
            period: PERIOD,
            updatedAt: uint40(LANDED),
            borrowCollateralRatioBps: 165_00,
            liquidationCollateralRatioBps: 130_00,
            ammFeePips: 3350,
            borrowCapFactorBps: 82_00,
            probabilityHighBps: 40_00,
            appliedProbabilityBps: 30_00,
            volatilityWad: 500_450_000_000_000,
            regime: 1
        });
        (IRiskParameters.Params memory seen, IRiskParameters.Status status) = _word().read(g, false);
        assertEq(abi.encode(seen), abi.encode(expected));
        assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
        s.switchState = 0x7f;
        (seen,) = _word().read(g, false);
        assertEq(seen.regime, 0);
    }

    function test_LooserValuesWaitForTheirDelayFieldByField() public {
        vm.warp(LANDED + 1 hours - 1);
        _assertValues(170_00, 3350, 70_00); // previous, next, previous
        vm.warp(LANDED + 1 hours);
        _assertValues(165_00, 3350, 82_00);
        vm.warp(LANDED);
        (s.previousBorrowCollateralRatioBps, s.previousAmmFeePips, s.previousBorrowCapFactorBps) = (160_00, 4000, 90_00);
        _assertValues(165_00, 4000, 82_00); // next, previous, next
        s.loosenDelaySeconds = 0;
        _assertValues(165_00, 3350, 82_00);
    }

    function test_StaleTightensAllButLiquidation() public {
        vm.warp(START + 8 hours);
        _assertValues(200_00, 10_000, 40_00);
        (IRiskParameters.Params memory seen,) = _word().read(g, false);
        assertEq(seen.liquidationCollateralRatioBps, 130_00);
        assertEq(seen.probabilityHighBps, 40_00);
        assertEq(seen.appliedProbabilityBps, 30_00);
        assertEq(seen.period, PERIOD);
    }

    /// @dev The policy has been loosened since the update: the fallback must not loosen with it.
    function test_FallbackNeverLoosens() public {
        vm.warp(START + 8 hours);
        g.turbulentBorrowCollateralRatioBps = 164_99;
        g.turbulentAmmFeePips = 3349;
        g.turbulentBorrowCapFactorBps = 82_01;
        _assertValues(165_00, 3350, 82_00);
        g.turbulentBorrowCollateralRatioBps = 165_01;
        g.turbulentAmmFeePips = 3351;
        g.turbulentBorrowCapFactorBps = 81_99;
        _assertValues(165_01, 3351, 81_99);
    }

    function test_BorrowRatioIsNeverBelowTheLiquidationRatio() public {
        vm.warp(LANDED + 1 hours);
        (g.rampStartBps, g.rampTargetBps) = (165_01, 165_01);
        _assertValues(165_01, 3350, 82_00);
        (g.rampStartBps, g.rampTargetBps) = (164_99, 164_99);
        _assertValues(165_00, 3350, 82_00);
    }

    function test_UnsetShowsTheTurbulentVector() public {
        delete s;
        IRiskParameters.Params memory expected;
        expected.borrowCollateralRatioBps = 200_00;
        expected.liquidationCollateralRatioBps = 130_00;
        expected.ammFeePips = 10_000;
        expected.borrowCapFactorBps = 40_00;
        expected.probabilityHighBps = 100_00;
        expected.appliedProbabilityBps = 100_00;
        expected.regime = 1;
        for (uint256 i = 0; i < 2; ++i) {
            (IRiskParameters.Params memory seen, IRiskParameters.Status status) = _word().read(g, i == 1);
            assertEq(abi.encode(seen), abi.encode(expected));
            assertEq(uint8(status), uint8(IRiskParameters.Status.Unset));
            g.pausedUntil = type(uint40).max;
            g.disabledPeriod = type(uint32).max;
        }
    }

    function test_WithoutPolicyEverythingIsZero() public {
        delete s;
        delete g;
        g.pausedUntil = type(uint40).max;
        IRiskParameters.Params memory zeros;
        (IRiskParameters.Params memory seen, IRiskParameters.Status status) = _word().read(g, true);
        assertEq(abi.encode(seen), abi.encode(zeros));
        assertEq(uint8(status), uint8(IRiskParameters.Status.Unset));
    }

    /* WITH AND WITHOUT THE GUARD */

    function test_RestingParametersAreFreshUntilGrace() public {
        s.enableFastPath(g);
        _assertFresh(LANDED + 1 hours - 1, false);
        _assertFresh(LANDED + 1 hours, true);
        _assertFresh(START + 5 hours - 1, true);
        _assertFresh(START + 5 hours, false);
    }

    function test_NothingRestsUnderALiquidationRatioAboveItsOwn() public {
        (g.rampStartBps, g.rampTargetBps) = (165_01, 165_01);
        RiskState.PackedParams memory rested = _rested();
        assertEq(rested.restingLiquidationRatioBps, 0);
        assertEq(rested.freshSeconds, 0);
        (g.rampStartBps, g.rampTargetBps) = (165_00, 165_00);
        rested = _rested();
        assertEq(rested.restingLiquidationRatioBps, 165_00);
        assertEq(rested.freshSeconds, 5 hours);
    }

    function test_LongFreshnessIsCutToItsField() public {
        g.graceAfterSeconds = 2 ** 20 - 1;
        assertEq(_rested().freshSeconds, 2 ** 20 - 1);
        g.graceAfterSeconds = 2 ** 20;
        assertEq(_rested().freshSeconds, 2 ** 20 - 1);
    }

    function test_EmptyParametersAreNotFresh() public {
        delete s;
        assertFalse(_word().onFastPath());
        assertFalse(_word().withoutFastPath().onFastPath());
    }

    /// @dev Any two words that an update may leave behind, at any later time.
    function testFuzz_FreshReadersSeeWhatTheGuardWouldTell(uint256 word, uint256 guardWord, uint32 later) public {
        (s, g) = (word.withoutFastPath().unpackParams(), guardWord.unpackGuard());
        s.period = PERIOD;
        s.landedAfterSeconds %= 14_400;
        g.graceAfterSeconds = uint24(bound(g.graceAfterSeconds, 4 hours, type(uint24).max));
        (g.rampStartBps, g.rampStartedAt, g.pausedUntil) = (g.rampTargetBps, uint32(START), 0);
        g.disabledPeriod %= PERIOD;
        s = _rested();
        vm.warp(_word().landedAt() + bound(later, 0, 2 * uint256(g.graceAfterSeconds)));
        if (!_word().onFastPath()) return;
        (IRiskParameters.Params memory seen, IRiskParameters.Status status) = _word().read(g, false);
        assertEq(abi.encode(_fresh(_word())), abi.encode(seen));
        assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
    }

    /* WHAT COMES NEXT */

    function test_Pending() public {
        (g.rampTargetBps, g.rampStartedAt) = (131_01, uint32(LANDED + 7));
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 reachedAt) = _word().pending(g);
        assertEq(next.borrowCollateralRatioBps, 165_00);
        assertEq(next.liquidationCollateralRatioBps, 131_01);
        assertEq(next.ammFeePips, 3350);
        assertEq(next.borrowCapFactorBps, 82_00);
        assertEq(effectiveAt, LANDED + 1 hours);
        assertEq(reachedAt, LANDED + 7 + 101 * 432);
        vm.warp(reachedAt - 1);
        assertEq(g.liquidationRatioBps(), 131_00);
        vm.warp(reachedAt);
        assertEq(g.liquidationRatioBps(), 131_01);
    }

    /// @dev More than 194 bps: the difference in bps times the seconds of a day exceeds 24 bits.
    function test_PendingOfALongRamp() public {
        g.rampTargetBps = 140_00;
        (,, uint256 reachedAt) = _word().pending(g);
        assertEq(reachedAt, LANDED + 5 days);
    }

    function testFuzz_RampIsReachedWhenPendingSays(uint16 from, uint16 to, uint16 speed) public {
        g.rampStartBps = from;
        g.rampTargetBps = uint16(bound(to, from, type(uint16).max));
        g.rampBpsPerDay = uint16(bound(speed, 1, type(uint16).max));
        (,, uint256 reachedAt) = _word().pending(g);
        vm.warp(reachedAt);
        assertEq(g.liquidationRatioBps(), g.rampTargetBps);
        if (g.rampTargetBps == from) return;
        vm.warp(reachedAt - 1);
        assertLt(g.liquidationRatioBps(), g.rampTargetBps);
    }

    function test_PendingOfARampWithoutSpeedIsItsStart() public {
        g.rampBpsPerDay = 0;
        (,, uint256 reachedAt) = _word().pending(g);
        assertEq(reachedAt, LANDED);
    }

    /* HELPERS */

    function _turn(uint256 targetBps) private {
        PolicyLib.PackedGuard memory guard = g;
        guard.turnRamp(targetBps);
        g = guard;
    }

    function _word() private view returns (uint256) {
        RiskState.PackedParams memory stored = s;
        return stored.pack();
    }

    function _fresh(uint256 word) private pure returns (IRiskParameters.Params memory current) {
        word.readFastPath(current);
    }

    function _rested() private view returns (RiskState.PackedParams memory stored) {
        stored = s;
        stored.enableFastPath(g);
    }

    function _assertRamp(uint256 elapsed, uint256 expected) private {
        vm.warp(LANDED + elapsed);
        assertEq(g.liquidationRatioBps(), expected);
    }

    function _assertStatus(uint256 time, IRiskParameters.Status expected) private {
        vm.warp(time);
        (, IRiskParameters.Status status) = _word().read(g, false);
        assertEq(uint8(status), uint8(expected));
    }

    function _assertValues(uint256 borrowBps, uint256 feePips, uint256 capBps) private view {
        (IRiskParameters.Params memory seen,) = _word().read(g, false);
        assertEq(seen.borrowCollateralRatioBps, borrowBps);
        assertEq(seen.ammFeePips, feePips);
        assertEq(seen.borrowCapFactorBps, capBps);
    }

    function _assertFresh(uint256 time, bool expected) private {
        vm.warp(time);
        uint256 rested = _rested().pack();
        assertEq(rested.onFastPath(), expected);
        (IRiskParameters.Params memory seen,) = _word().read(g, false);
        if (expected) assertEq(abi.encode(_fresh(rested)), abi.encode(seen));
    }
}
