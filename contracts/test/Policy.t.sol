// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice What a market owner may set, and what a probability makes of it.
contract PolicyTest is OracleFixture {
    /* SETTING */

    function test_SetPolicy() public {
        IRegimeRiskOracle.Policy memory next = _policy();
        next.turbulent.ammFeePips = 20_000;
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.PolicySet(BTC, next);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, next);
        assertEq(abi.encode(oracle.policy(BTC)), abi.encode(next));
    }

    function testFuzz_AcceptedPolicySurvivesStorage(IRegimeRiskOracle.Policy memory next) public {
        next = _valid(next);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, next);
        assertEq(abi.encode(oracle.policy(BTC)), abi.encode(next));
    }

    function testFuzz_RevertWhen_NotMarketOwner(address caller) public {
        vm.assume(caller != MARKET_OWNER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.NotMarketOwner.selector, BTC, caller));
        oracle.setPolicy(BTC, _policy());
    }

    function test_RevertWhen_MarketIsUnknown() public {
        bytes32 unknown = keccak256("DOGE-USD");
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, unknown));
        oracle.setPolicy(unknown, _policy());
    }

    function test_LiquidationRatioMayOnlyFall() public {
        IRegimeRiskOracle.Policy memory next = _policy();
        next.liquidationCollateralRatioBps = 125_00;
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, next);
        next.liquidationCollateralRatioBps = 125_01;
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.LiquidationRatioRaised.selector, 125_00, 125_01));
        oracle.setPolicy(BTC, next);
    }

    function test_RevertWhen_TurbulentIsLooserThanCalm() public {
        IRegimeRiskOracle.Policy memory bad = _policy();
        bad.turbulent.borrowCollateralRatioBps = bad.calm.borrowCollateralRatioBps - 1;
        _expectInvalid(bad, "turbulent.borrowCollateralRatioBps");
        bad = _policy();
        bad.turbulent.ammFeePips = bad.calm.ammFeePips - 1;
        _expectInvalid(bad, "turbulent.ammFeePips");
        bad = _policy();
        bad.calm.borrowCapFactorBps = bad.turbulent.borrowCapFactorBps - 1;
        _expectInvalid(bad, "turbulent.borrowCapFactorBps");
    }

    function test_RevertWhen_VectorLeavesTheBounds() public {
        IRegimeRiskOracle.Policy memory bad = _policy();
        bad.calm.borrowCollateralRatioBps = 120_00 - 1;
        _expectInvalid(bad, "borrowCollateralRatioBps");
        bad = _policy();
        bad.turbulent.borrowCollateralRatioBps = 300_00 + 1;
        _expectInvalid(bad, "borrowCollateralRatioBps");
        bad = _policy();
        bad.calm.ammFeePips = 100 - 1;
        _expectInvalid(bad, "ammFeePips");
        bad = _policy();
        bad.turbulent.ammFeePips = 20_000 + 1;
        _expectInvalid(bad, "ammFeePips");
        bad = _policy();
        bad.calm.borrowCapFactorBps = 10_001;
        _expectInvalid(bad, "calm.borrowCapFactorBps");
    }

    function test_RevertWhen_LiquidationRatioIsNotBetweenOneAndBorrowRatio() public {
        IRegimeRiskOracle.Policy memory bad = _policy();
        bad.liquidationCollateralRatioBps = 100_00;
        _expectInvalid(bad, "liquidationCollateralRatioBps");
        bad.liquidationCollateralRatioBps = bad.calm.borrowCollateralRatioBps + 1;
        _expectInvalid(bad, "liquidationCollateralRatioBps");
    }

    function test_RevertWhen_StalenessIsUnusable() public {
        IRegimeRiskOracle.Policy memory bad = _policy();
        bad.graceAfterSeconds = 4 hours - 1;
        _expectInvalid(bad, "graceAfterSeconds");
        bad = _policy();
        bad.staleAfterSeconds = bad.graceAfterSeconds - 1;
        _expectInvalid(bad, "staleAfterSeconds");
    }

    /* INTERPOLATION */

    function test_InterpolationGoldenValues() public view {
        _assertVector(0, 150_00, 500, 100_00);
        _assertVector(1, 150_01, 501, 99_99); // 15_000.5, 500.95, 9_999.4: each to the tighter side
        _assertVector(5000, 175_00, 5250, 70_00);
        _assertVector(7311, 186_56, 7446, 56_13); // 18_655.5, 7_445.45, 5_613.4
        _assertVector(10_000, 200_00, 10_000, 40_00);
    }

    function testFuzz_InterpolationStaysBetweenTheVectorsAndTightens(
        IRegimeRiskOracle.Policy memory next,
        uint16 low,
        uint16 high
    ) public view {
        next = _valid(next);
        low = uint16(bound(low, 0, 10_000));
        high = uint16(bound(high, low, 10_000));
        IRegimeRiskOracle.RiskVector memory atLow = this.interpolate(next, low);
        IRegimeRiskOracle.RiskVector memory atHigh = this.interpolate(next, high);
        _assertTighter(atLow, next.calm);
        _assertTighter(atHigh, atLow);
        _assertTighter(next.turbulent, atHigh);
    }

    function testFuzz_InterpolationIsExactToTheTighterSide(IRegimeRiskOracle.Policy memory next, uint16 share)
        public
        view
    {
        next = _valid(next);
        share = uint16(bound(share, 0, 10_000));
        IRegimeRiskOracle.RiskVector memory vector = this.interpolate(next, share);
        uint256 exactFee = uint256(next.calm.ammFeePips) * (10_000 - share) + uint256(next.turbulent.ammFeePips) * share;
        assertGe(uint256(vector.ammFeePips) * 10_000, exactFee);
        assertLt(uint256(vector.ammFeePips) * 10_000, exactFee + 10_000);
        uint256 exactCap = uint256(next.calm.borrowCapFactorBps) * (10_000 - share)
            + uint256(next.turbulent.borrowCapFactorBps) * share;
        assertLe(uint256(vector.borrowCapFactorBps) * 10_000, exactCap);
        assertGt((uint256(vector.borrowCapFactorBps) + 1) * 10_000, exactCap);
    }

    function interpolate(IRegimeRiskOracle.Policy calldata next, uint256 share)
        external
        pure
        returns (IRegimeRiskOracle.RiskVector memory)
    {
        return PolicyLib.interpolate(PolicyLib.pack(next), share);
    }

    /* HELPERS */

    /// @dev Brings an arbitrary policy within the rules and the fixture's bounds.
    function _valid(IRegimeRiskOracle.Policy memory p) private pure returns (IRegimeRiskOracle.Policy memory) {
        p.calm.borrowCollateralRatioBps = uint24(bound(p.calm.borrowCollateralRatioBps, 120_00, 300_00));
        p.turbulent.borrowCollateralRatioBps =
            uint24(bound(p.turbulent.borrowCollateralRatioBps, p.calm.borrowCollateralRatioBps, 300_00));
        p.calm.ammFeePips = uint24(bound(p.calm.ammFeePips, 100, 20_000));
        p.turbulent.ammFeePips = uint24(bound(p.turbulent.ammFeePips, p.calm.ammFeePips, 20_000));
        p.calm.borrowCapFactorBps = uint16(bound(p.calm.borrowCapFactorBps, 0, 10_000));
        p.turbulent.borrowCapFactorBps = uint16(bound(p.turbulent.borrowCapFactorBps, 0, p.calm.borrowCapFactorBps));
        uint256 highest = p.calm.borrowCollateralRatioBps < 130_00 ? p.calm.borrowCollateralRatioBps : 130_00;
        p.liquidationCollateralRatioBps = uint24(bound(p.liquidationCollateralRatioBps, 100_01, highest));
        p.graceAfterSeconds = uint32(bound(p.graceAfterSeconds, PERIOD_SECONDS, type(uint32).max));
        p.staleAfterSeconds = uint32(bound(p.staleAfterSeconds, p.graceAfterSeconds, type(uint32).max));
        return p;
    }

    function _expectInvalid(IRegimeRiskOracle.Policy memory bad, string memory field) private {
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, field));
        oracle.setPolicy(BTC, bad);
    }

    function _assertVector(uint256 share, uint256 ratioBps, uint256 feePips, uint256 capBps) private view {
        IRegimeRiskOracle.RiskVector memory vector = this.interpolate(_policy(), share);
        assertEq(vector.borrowCollateralRatioBps, ratioBps);
        assertEq(vector.ammFeePips, feePips);
        assertEq(vector.borrowCapFactorBps, capBps);
    }

    function _assertTighter(IRegimeRiskOracle.RiskVector memory tighter, IRegimeRiskOracle.RiskVector memory looser)
        private
        pure
    {
        assertGe(tighter.borrowCollateralRatioBps, looser.borrowCollateralRatioBps);
        assertGe(tighter.ammFeePips, looser.ammFeePips);
        assertLe(tighter.borrowCapFactorBps, looser.borrowCapFactorBps);
    }
}
