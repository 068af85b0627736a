// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {Words} from "../src/libraries/Words.sol";
import {Policies} from "./Policies.sol";

/// @notice What bounds and policies may say, and what a probability makes of a policy. Specification: Policy.tree.
contract PolicyTest is Test {
    using PolicyLib for IRegimeRiskOracle.Bounds;
    using PolicyLib for IRegimeRiskOracle.Policy;
    using Words for *;

    IRegimeRiskOracle.Bounds private b;
    IRegimeRiskOracle.Policy private p;

    function setUp() public {
        b = Policies.bounds();
        p = Policies.ramped();
    }

    /* BOUNDS */

    function test_RevertWhen_LowestRatioIsNotAboveOne() public {
        b.minBorrowCollateralRatioBps = 10_001;
        this.checkBounds(b);
        b.minBorrowCollateralRatioBps = 10_000;
        _expectInvalidBounds("minBorrowCollateralRatioBps");
    }

    function test_RevertWhen_HighestRatioIsBelowTheLowest() public {
        b.maxBorrowCollateralRatioBps = b.minBorrowCollateralRatioBps;
        this.checkBounds(b);
        --b.maxBorrowCollateralRatioBps;
        _expectInvalidBounds("maxBorrowCollateralRatioBps");
    }

    function test_RevertWhen_FeesExceedEverything() public {
        b.maxAmmFeePips = 1_000_000;
        this.checkBounds(b);
        b.maxAmmFeePips = 1_000_001;
        _expectInvalidBounds("maxAmmFeePips");
    }

    function test_RevertWhen_LowestFeeExceedsTheHighest() public {
        b.minAmmFeePips = b.maxAmmFeePips;
        this.checkBounds(b);
        ++b.minAmmFeePips;
        _expectInvalidBounds("minAmmFeePips");
    }

    /* POLICIES: ONE VECTOR AGAINST THE OTHER */

    function test_RevertWhen_TurbulentBorrowRatioIsLooser() public {
        p.turbulent.borrowCollateralRatioBps = p.calm.borrowCollateralRatioBps;
        _expectValid();
        --p.turbulent.borrowCollateralRatioBps;
        _expectInvalid("turbulent.borrowCollateralRatioBps");
    }

    function test_RevertWhen_TurbulentLiquidationRatioIsLower() public {
        p.turbulent.liquidationCollateralRatioBps = p.calm.liquidationCollateralRatioBps;
        _expectValid();
        --p.turbulent.liquidationCollateralRatioBps;
        _expectInvalid("turbulent.liquidationCollateralRatioBps");
    }

    function test_RevertWhen_TurbulentFeeIsLower() public {
        p.turbulent.ammFeePips = p.calm.ammFeePips;
        _expectValid();
        --p.turbulent.ammFeePips;
        _expectInvalid("turbulent.ammFeePips");
    }

    function test_RevertWhen_TurbulentCapIsHigher() public {
        p.turbulent.borrowCapFactorBps = p.calm.borrowCapFactorBps;
        _expectValid();
        ++p.turbulent.borrowCapFactorBps;
        _expectInvalid("turbulent.borrowCapFactorBps");
    }

    /* POLICIES: BOUNDS */

    function test_RevertWhen_BorrowRatiosLeaveTheBounds() public {
        p.calm.borrowCollateralRatioBps = b.minBorrowCollateralRatioBps;
        p.calm.liquidationCollateralRatioBps = b.minBorrowCollateralRatioBps - 1;
        p.turbulent.borrowCollateralRatioBps = b.maxBorrowCollateralRatioBps;
        _expectValid();
        --p.calm.borrowCollateralRatioBps;
        _expectInvalid("borrowCollateralRatioBps");
        ++p.calm.borrowCollateralRatioBps;
        ++p.turbulent.borrowCollateralRatioBps;
        _expectInvalid("borrowCollateralRatioBps");
    }

    function test_RevertWhen_FeesLeaveTheBounds() public {
        (p.calm.ammFeePips, p.turbulent.ammFeePips) = (b.minAmmFeePips, b.maxAmmFeePips);
        _expectValid();
        --p.calm.ammFeePips;
        _expectInvalid("ammFeePips");
        ++p.calm.ammFeePips;
        ++p.turbulent.ammFeePips;
        _expectInvalid("ammFeePips");
    }

    function test_RevertWhen_CapExceedsTheWhole() public {
        (p.calm.borrowCapFactorBps, p.turbulent.borrowCapFactorBps) = (10_000, 0);
        _expectValid();
        p.calm.borrowCapFactorBps = 10_001;
        _expectInvalid("calm.borrowCapFactorBps");
    }

    function test_RevertWhen_LiquidationRatioIsNotAboveOne() public {
        p.calm.liquidationCollateralRatioBps = 10_001;
        _expectValid();
        p.calm.liquidationCollateralRatioBps = 10_000;
        _expectInvalid("liquidationCollateralRatioBps");
    }

    function test_RevertWhen_LiquidationRatioExceedsTheBorrowRatio() public {
        p.calm.liquidationCollateralRatioBps = p.calm.borrowCollateralRatioBps;
        p.turbulent.liquidationCollateralRatioBps = p.turbulent.borrowCollateralRatioBps;
        _expectValid();
        ++p.calm.liquidationCollateralRatioBps;
        _expectInvalid("liquidationCollateralRatioBps");
        --p.calm.liquidationCollateralRatioBps;
        ++p.turbulent.liquidationCollateralRatioBps;
        _expectInvalid("liquidationCollateralRatioBps");
    }

    /* POLICIES: SPEED AND TIME */

    function test_RevertWhen_MarginReachesTheEnds() public {
        p.marginBps = 4999;
        _expectValid();
        p.marginBps = 5000;
        _expectInvalid("marginBps");
    }

    function test_RevertWhen_DwellIsOutOfRange() public {
        p.dwellPeriods = 1;
        _expectValid();
        p.dwellPeriods = 127;
        _expectValid();
        p.dwellPeriods = 128;
        _expectInvalid("dwellPeriods");
        p.dwellPeriods = 0;
        _expectInvalid("dwellPeriods");
    }

    function test_RevertWhen_RateLimitsAreOutOfRange() public {
        (p.maxRiseBpsPerPeriod, p.maxFallBpsPerPeriod) = (1, 1);
        _expectValid();
        (p.maxRiseBpsPerPeriod, p.maxFallBpsPerPeriod) = (10_000, 10_000);
        _expectValid();
        p.maxRiseBpsPerPeriod = 10_001;
        _expectInvalid("maxRiseBpsPerPeriod");
        p.maxRiseBpsPerPeriod = 0;
        _expectInvalid("maxRiseBpsPerPeriod");
        p.maxRiseBpsPerPeriod = 1;
        p.maxFallBpsPerPeriod = 10_001;
        _expectInvalid("maxFallBpsPerPeriod");
        p.maxFallBpsPerPeriod = 0;
        _expectInvalid("maxFallBpsPerPeriod");
    }

    function test_RevertWhen_DelayIsLongerThanAPeriod() public {
        p.loosenDelaySeconds = 4 hours;
        _expectValid();
        p.loosenDelaySeconds = 4 hours + 1;
        _expectInvalid("loosenDelaySeconds");
    }

    function test_RevertWhen_LiquidationRatioRisesTooFast() public {
        p.liquidationRiseBpsPerDay = b.maxLiquidationRiseBpsPerDay;
        _expectValid();
        ++p.liquidationRiseBpsPerDay;
        _expectInvalid("liquidationRiseBpsPerDay");
    }

    function test_RevertWhen_LiquidationRatioMustRiseAndCannot() public {
        p.liquidationRiseBpsPerDay = 1;
        _expectValid();
        p.liquidationRiseBpsPerDay = 0;
        _expectInvalid("liquidationRiseBpsPerDay");
        p.turbulent.liquidationCollateralRatioBps = p.calm.liquidationCollateralRatioBps;
        _expectValid();
    }

    function test_RevertWhen_AgesAreUnusable() public {
        (p.graceAfterSeconds, p.staleAfterSeconds) = (4 hours, 4 hours);
        _expectValid();
        p.staleAfterSeconds = 4 hours - 1;
        _expectInvalid("staleAfterSeconds");
        p.graceAfterSeconds = 4 hours - 1;
        _expectInvalid("graceAfterSeconds");
    }

    /* STORAGE */

    function testFuzz_StorageGivesBackTheSamePolicy(
        IRegimeRiskOracle.Policy memory any,
        PolicyLib.PackedGuard memory guard,
        bool priceChecked
    ) public view {
        any = Policies.valid(any, b);
        any.check(_market());
        PolicyLib.PackedGuard memory before = guard.pack().unpackGuard();
        any.writeGuard(guard);
        PolicyLib.PackedRules memory rules = any.rules(priceChecked).pack().unpackRules();
        assertEq(abi.encode(PolicyLib.unpack(guard.pack().unpackGuard(), rules)), abi.encode(any));
        assertEq(rules.priceChecked, priceChecked);

        assertEq(guard.rampStartBps, before.rampStartBps);
        assertEq(guard.rampTargetBps, before.rampTargetBps);
        assertEq(guard.rampStartedAt, before.rampStartedAt);
        assertEq(guard.pausedUntil, before.pausedUntil);
        assertEq(guard.disabledPeriod, before.disabledPeriod);
    }

    /* INTERPOLATION */

    function test_InterpolationGoldenValues() public view {
        _assertVector(0, 150_00, 130_00, 500, 100_00);
        _assertVector(1, 150_01, 130_00, 501, 99_99); // 15,000.5, 13,000.1, 500.95, 9,999.4
        _assertVector(5000, 175_00, 135_00, 5250, 70_00);
        _assertVector(7311, 186_56, 137_31, 7446, 56_13); // 18,655.5, 13,731.1, 7,445.45, 5,613.4
        _assertVector(9999, 200_00, 139_99, 10_000, 40_00); // 19,999.5, 13,999.9, 9,999.05, 4,000.6
        _assertVector(10_000, 200_00, 140_00, 10_000, 40_00);
    }

    function testFuzz_InterpolationStaysBetweenTheVectorsAndTightens(
        IRegimeRiskOracle.Policy memory any,
        uint16 low,
        uint16 high
    ) public view {
        any = Policies.valid(any, b);
        low = uint16(bound(low, 0, 10_000));
        high = uint16(bound(high, low, 10_000));
        IRiskParameters.RiskVector memory atLow = _interpolated(any, low);
        IRiskParameters.RiskVector memory atHigh = _interpolated(any, high);
        _assertTighter(atLow, any.calm);
        _assertTighter(atHigh, atLow);
        _assertTighter(any.turbulent, atHigh);
        assertLe(atHigh.liquidationCollateralRatioBps, atHigh.borrowCollateralRatioBps);
        assertEq(abi.encode(_interpolated(any, 0)), abi.encode(any.calm));
        assertEq(abi.encode(_interpolated(any, 10_000)), abi.encode(any.turbulent));
    }

    function testFuzz_InterpolationIsExactButForRounding(IRegimeRiskOracle.Policy memory any, uint16 share)
        public
        view
    {
        any = Policies.valid(any, b);
        share = uint16(bound(share, 0, 10_000));
        IRiskParameters.RiskVector memory v = _interpolated(any, share);
        IRiskParameters.RiskVector memory calm = any.calm;
        IRiskParameters.RiskVector memory turbulent = any.turbulent;
        _assertRoundedUp(
            v.borrowCollateralRatioBps, calm.borrowCollateralRatioBps, turbulent.borrowCollateralRatioBps, share
        );
        _assertRoundedUp(v.ammFeePips, calm.ammFeePips, turbulent.ammFeePips, share);
        _assertRoundedDown(
            v.liquidationCollateralRatioBps,
            calm.liquidationCollateralRatioBps,
            turbulent.liquidationCollateralRatioBps,
            share
        );
        _assertRoundedDown(v.borrowCapFactorBps, calm.borrowCapFactorBps, turbulent.borrowCapFactorBps, share);
    }

    /* HELPERS */

    function checkBounds(IRegimeRiskOracle.Bounds memory bounds) external pure {
        bounds.check();
    }

    function checkPolicy(IRegimeRiskOracle.Policy memory policy) external view {
        policy.check(_market());
    }

    function _market() private view returns (PolicyLib.PackedMarket memory) {
        return PolicyLib.PackedMarket(
            address(1),
            b.minBorrowCollateralRatioBps,
            b.maxBorrowCollateralRatioBps,
            b.minAmmFeePips,
            b.maxAmmFeePips,
            b.maxLiquidationRiseBpsPerDay
        );
    }

    function _expectInvalidBounds(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, field));
        this.checkBounds(b);
    }

    function _expectValid() private view {
        this.checkPolicy(p);
    }

    function _expectInvalid(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, field));
        this.checkPolicy(p);
    }

    function _interpolated(IRegimeRiskOracle.Policy memory policy, uint256 share)
        private
        pure
        returns (IRiskParameters.RiskVector memory)
    {
        PolicyLib.PackedGuard memory guard;
        policy.writeGuard(guard);
        return PolicyLib.interpolate(guard, policy.rules(false), share);
    }

    function _assertVector(uint256 share, uint256 borrowBps, uint256 liquidationBps, uint256 feePips, uint256 capBps)
        private
        view
    {
        IRiskParameters.RiskVector memory vector = _interpolated(p, share);
        assertEq(vector.borrowCollateralRatioBps, borrowBps);
        assertEq(vector.liquidationCollateralRatioBps, liquidationBps);
        assertEq(vector.ammFeePips, feePips);
        assertEq(vector.borrowCapFactorBps, capBps);
    }

    function _assertTighter(IRiskParameters.RiskVector memory tighter, IRiskParameters.RiskVector memory looser)
        private
        pure
    {
        assertGe(tighter.borrowCollateralRatioBps, looser.borrowCollateralRatioBps);
        assertGe(tighter.liquidationCollateralRatioBps, looser.liquidationCollateralRatioBps);
        assertGe(tighter.ammFeePips, looser.ammFeePips);
        assertLe(tighter.borrowCapFactorBps, looser.borrowCapFactorBps);
    }

    function _assertRoundedUp(uint256 value, uint256 calm, uint256 turbulent, uint256 share) private pure {
        uint256 exact = calm * (10_000 - share) + turbulent * share;
        assertGe(value * 10_000, exact);
        assertLt(value * 10_000, exact + 10_000);
    }

    function _assertRoundedDown(uint256 value, uint256 calm, uint256 turbulent, uint256 share) private pure {
        uint256 exact = calm * (10_000 - share) + turbulent * share;
        assertLe(value * 10_000, exact);
        assertGt((value + 1) * 10_000, exact);
    }
}
