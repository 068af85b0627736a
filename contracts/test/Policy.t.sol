// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {Policies} from "./Policies.sol";

/// @notice Which bounds and policies there may be, and what a policy says to a volatility. Specification: Policy.tree.
contract PolicyTest is Test {
    using PolicyLib for IRegimeRiskOracle.Policy;
    using PolicyLib for IRegimeRiskOracle.Bounds;

    IRegimeRiskOracle.Bounds private bounds = Policies.bounds();

    function checkBounds(IRegimeRiskOracle.Bounds memory any) external pure {
        any.check();
    }

    function checkPolicy(IRegimeRiskOracle.Policy memory any, IRegimeRiskOracle.Bounds memory within) external pure {
        any.check(within);
    }

    /* BOUNDS */

    /// @dev The liquidation ratio had no lower bound, the cap factor none, and the speed of a ramp no ceiling.
    function test_Fault6_BoundsCoverWhatLendersNeed() public {
        IRegimeRiskOracle.Bounds memory b = bounds;
        b.minLiquidationCollateralRatioBps = 105_00;
        this.checkBounds(b);
        b.minLiquidationCollateralRatioBps = 104_99;
        _expectBound(b, "minLiquidationCollateralRatioBps");
        b = bounds;
        b.maxLiquidationRiseBpsPerDay = 2_01;
        _expectBound(b, "maxLiquidationRiseBpsPerDay");
        b = bounds;
        b.minBorrowCapFactorBps = 100_01;
        _expectBound(b, "minBorrowCapFactorBps");
    }

    function test_RevertWhen_BoundsContradictEachOther() public {
        IRegimeRiskOracle.Bounds memory b = bounds;
        b.minBorrowCollateralRatioBps = b.minLiquidationCollateralRatioBps - 1;
        _expectBound(b, "minBorrowCollateralRatioBps");
        b = bounds;
        b.maxBorrowCollateralRatioBps = b.minBorrowCollateralRatioBps - 1;
        _expectBound(b, "maxBorrowCollateralRatioBps");
        b = bounds;
        b.maxAmmFeePips = 1_000_001;
        _expectBound(b, "maxAmmFeePips");
        b = bounds;
        b.minAmmFeePips = b.maxAmmFeePips + 1;
        _expectBound(b, "minAmmFeePips");
    }

    function test_BoundsReachToTheirEdges() public view {
        IRegimeRiskOracle.Bounds memory b = bounds;
        (b.minLiquidationCollateralRatioBps, b.minBorrowCollateralRatioBps) = (105_00, 105_00);
        b.maxBorrowCollateralRatioBps = 105_00;
        b.maxLiquidationRiseBpsPerDay = 2_00;
        (b.minAmmFeePips, b.maxAmmFeePips) = (1_000_000, 1_000_000);
        b.minBorrowCapFactorBps = 100_00;
        this.checkBounds(b);
    }

    /* POLICIES */

    function test_PoliciesReachToTheirEdges() public view {
        IRegimeRiskOracle.Policy memory p = Policies.ramped();
        p.knots[0].vector = Policies.vector(120_00, 110_00, 100, 100_00);
        p.knots[1].vector = p.knots[0].vector;
        p.knots[2].vector = Policies.vector(300_00, 300_00, 20_000, 10_00);
        (p.marginBps, p.dwellPeriods) = (100_00, 1);
        (p.maxRiseBpsPerPeriod, p.maxFallBpsPerPeriod) = (100_00, 100_00);
        (p.loosenDelaySeconds, p.liquidationRiseBpsPerDay) = (1 days, 2_00);
        (p.graceAfterBps, p.staleAfterBps) = (200_00, 600_00);
        this.checkPolicy(p, bounds);
        (p.graceAfterBps, p.staleAfterBps) = (100_00, 100_00);
        (p.maxRiseBpsPerPeriod, p.maxFallBpsPerPeriod) = (1, 1);
        this.checkPolicy(p, bounds);
    }

    function testFuzz_WhatIsMadeValidIsAccepted(IRegimeRiskOracle.Policy memory any) public view {
        vm.assume(any.knots.length <= 4);
        this.checkPolicy(Policies.valid(any, bounds), bounds);
    }

    function test_RevertWhen_KnotsAreTooFewOrTooMany() public {
        for (uint256 count = 0; count <= 5; ++count) {
            IRegimeRiskOracle.Policy memory p = Policies.ramped();
            p.knots = new IRegimeRiskOracle.Knot[](count);
            for (uint256 i = 0; i < count; ++i) {
                p.knots[i] = IRegimeRiskOracle.Knot(uint32(20_000 * (i + 1)), Policies.plain().knots[0].vector);
            }
            if (count >= 2 && count <= 4) this.checkPolicy(p, bounds);
            else _expect(p, "knots");
        }
    }

    function test_RevertWhen_VolatilitiesDoNotRise() public {
        IRegimeRiskOracle.Policy memory p = Policies.ramped();
        p.knots[0].volatilityE9 = 0;
        _expect(p, "volatilityE9");
        p = Policies.ramped();
        p.knots[2].volatilityE9 = p.knots[1].volatilityE9;
        _expect(p, "volatilityE9");
        p = Policies.plain();
        p.knots[1].volatilityE9 = p.knots[0].volatilityE9 + 9_999;
        _expect(p, "volatilityE9");
        p.knots[1].volatilityE9 += 1;
        this.checkPolicy(p, bounds);
    }

    function test_RevertWhen_AKnotIsLooserThanTheOneBefore() public {
        for (uint256 i = 1; i < 3; ++i) {
            IRegimeRiskOracle.Policy memory p = Policies.ramped();
            p.knots[i].vector.borrowCollateralRatioBps = p.knots[i - 1].vector.borrowCollateralRatioBps - 1;
            _expect(p, "borrowCollateralRatioBps");
            p = Policies.ramped();
            p.knots[i].vector.liquidationCollateralRatioBps = p.knots[i - 1].vector.liquidationCollateralRatioBps - 1;
            _expect(p, "liquidationCollateralRatioBps");
            p = Policies.ramped();
            p.knots[i].vector.ammFeePips = p.knots[i - 1].vector.ammFeePips - 1;
            _expect(p, "ammFeePips");
            p = Policies.ramped();
            p.knots[i].vector.borrowCapFactorBps = p.knots[i - 1].vector.borrowCapFactorBps + 1;
            _expect(p, "borrowCapFactorBps");
        }
    }

    function test_RevertWhen_ABorrowRatioIsBelowTheLiquidationRatio() public {
        for (uint256 i = 0; i < 3; ++i) {
            IRegimeRiskOracle.Policy memory p = Policies.ramped();
            for (uint256 j = i; j < 3; ++j) {
                p.knots[j].vector.liquidationCollateralRatioBps = p.knots[i].vector.borrowCollateralRatioBps + 1;
            }
            _expect(p, "borrowCollateralRatioBps");
        }
    }

    function test_RevertWhen_BoundsAreExceeded() public {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        p.knots[0].vector = Policies.vector(119_99, 110_00, 500, 100_00);
        _expect(p, "borrowCollateralRatioBps");
        p = Policies.plain();
        p.knots[1].vector.borrowCollateralRatioBps = 300_01;
        _expect(p, "borrowCollateralRatioBps");
        p = Policies.ramped();
        p.knots[0].vector.liquidationCollateralRatioBps = 109_99;
        _expect(p, "liquidationCollateralRatioBps");
        p = Policies.plain();
        p.knots[0].vector.ammFeePips = 99;
        _expect(p, "ammFeePips");
        p = Policies.plain();
        p.knots[1].vector.ammFeePips = 20_001;
        _expect(p, "ammFeePips");
        p = Policies.plain();
        p.knots[0].vector.borrowCapFactorBps = 100_01;
        _expect(p, "borrowCapFactorBps");
        p = Policies.plain();
        p.knots[1].vector.borrowCapFactorBps = 9_99;
        _expect(p, "borrowCapFactorBps");
    }

    function test_RevertWhen_ALimitIsUnusable() public {
        IRegimeRiskOracle.Policy memory p = Policies.ramped();
        p.marginBps = 100_01;
        _expect(p, "marginBps");
        p = Policies.ramped();
        p.dwellPeriods = 0;
        _expect(p, "dwellPeriods");
        uint16[2] memory limits = [0, uint16(100_01)];
        for (uint256 i = 0; i < 2; ++i) {
            p = Policies.ramped();
            p.maxRiseBpsPerPeriod = limits[i];
            _expect(p, "maxRiseBpsPerPeriod");
            p = Policies.ramped();
            p.maxFallBpsPerPeriod = limits[i];
            _expect(p, "maxFallBpsPerPeriod");
        }
        p = Policies.ramped();
        p.loosenDelaySeconds = 86_401;
        _expect(p, "loosenDelaySeconds");
        p = Policies.ramped();
        p.liquidationRiseBpsPerDay = 0;
        _expect(p, "liquidationRiseBpsPerDay");
        p.liquidationRiseBpsPerDay = 2_01;
        _expect(p, "liquidationRiseBpsPerDay");
        p = Policies.plain();
        p.liquidationRiseBpsPerDay = 0;
        this.checkPolicy(p, bounds);
    }

    /// @dev A market could stay `Fresh` for half a year.
    function test_Fault6_AgesAreBounded() public {
        IRegimeRiskOracle.Policy memory p = Policies.plain();
        (p.graceAfterBps, p.staleAfterBps) = (200_00, 600_00);
        this.checkPolicy(p, bounds);
        p.graceAfterBps = 200_01;
        _expect(p, "graceAfterBps");
        p.graceAfterBps = 99_99;
        _expect(p, "graceAfterBps");
        p.graceAfterBps = 150_00;
        p.staleAfterBps = 600_01;
        _expect(p, "staleAfterBps");
        p.staleAfterBps = 149_99;
        _expect(p, "staleAfterBps");
    }

    /* VECTORS */

    function test_KnotsAreMetExactly() public pure {
        IRegimeRiskOracle.Policy memory p = Policies.ramped();
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(abi.encode(p.vectorAt(p.knots[i].volatilityE9)), abi.encode(p.knots[i].vector));
        }
        assertEq(abi.encode(p.vectorAt(0)), abi.encode(p.knots[0].vector), "flat below the first");
        assertEq(abi.encode(p.vectorAt(type(uint32).max)), abi.encode(p.knots[2].vector), "and above the last");
    }

    function test_BetweenKnotsItIsLinearAndRoundedToTheTighterSide() public pure {
        IRegimeRiskOracle.Policy memory p = Policies.ramped();
        assertEq(abi.encode(p.vectorAt(750_000)), abi.encode(Policies.vector(155_00, 130_00, 750, 95_00)));
        assertEq(abi.encode(p.vectorAt(500_001)), abi.encode(Policies.vector(150_01, 130_00, 501, 99_99)));
        assertEq(abi.encode(p.vectorAt(2_499_999)), abi.encode(Policies.vector(200_00, 139_99, 10_000, 40_00)));
    }

    function testFuzz_VectorsTightenWithTheVolatility(IRegimeRiskOracle.Policy memory any, uint32 a, uint32 b)
        public
        view
    {
        vm.assume(any.knots.length <= 4);
        IRegimeRiskOracle.Policy memory p = Policies.valid(any, bounds);
        (a, b) = a < b ? (a, b) : (b, a);
        IRiskParameters.RiskVector memory calm = p.vectorAt(a);
        IRiskParameters.RiskVector memory wild = p.vectorAt(b);
        assertGe(wild.borrowCollateralRatioBps, calm.borrowCollateralRatioBps);
        assertGe(wild.liquidationCollateralRatioBps, calm.liquidationCollateralRatioBps);
        assertGe(wild.ammFeePips, calm.ammFeePips);
        assertLe(wild.borrowCapFactorBps, calm.borrowCapFactorBps);
        assertGe(calm.borrowCollateralRatioBps, calm.liquidationCollateralRatioBps);
        assertGe(calm.liquidationCollateralRatioBps, bounds.minLiquidationCollateralRatioBps);
        assertLe(wild.borrowCollateralRatioBps, bounds.maxBorrowCollateralRatioBps);
        assertLe(wild.ammFeePips, bounds.maxAmmFeePips);
        assertGe(wild.borrowCapFactorBps, bounds.minBorrowCapFactorBps);
    }

    /* HELPERS */

    function _expectBound(IRegimeRiskOracle.Bounds memory bad, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, field));
        this.checkBounds(bad);
    }

    function _expect(IRegimeRiskOracle.Policy memory bad, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, field));
        this.checkPolicy(bad, bounds);
    }
}
