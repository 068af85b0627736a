// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {Timelock} from "../src/base/Timelock.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {Policies} from "./Policies.sol";

/// @notice Pauses and disabled periods. Specification: the last two branches of Markets.tree.
contract GuardianTest is MarketFixture {
    uint256 private constant LONGEST = 7 days;

    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
    }

    /* WHO AND WHERE */

    function testFuzz_RevertWhen_NotTheGuardian(address caller) public {
        vm.assume(caller != GUARDIAN);
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(Timelock.NotGuardian.selector, caller));
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        vm.expectRevert(abi.encodeWithSelector(Timelock.NotGuardian.selector, caller));
        oracle.disablePeriod(BTC, MONDAY);
    }

    function test_RevertWhen_MarketIsUnknownOrHasNoPolicy() public {
        vm.startPrank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SOL));
        oracle.pauseMarket(SOL, uint40(block.timestamp + 1));
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SOL));
        oracle.disablePeriod(SOL, MONDAY);
        vm.stopPrank();
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds(), _noPriceCheck());
        vm.startPrank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.PolicyUnset.selector, SOL));
        oracle.pauseMarket(SOL, uint40(block.timestamp + 1));
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.PolicyUnset.selector, SOL));
        oracle.disablePeriod(SOL, MONDAY);
    }

    /* PAUSES */

    function test_APauseWithholdsUntilItsEnd() public {
        _submit(modelId, _low());
        uint40 until = uint40(block.timestamp + 1 hours);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketPaused(BTC, until);
        _pause(until);
        _assertCautious();
        vm.warp(until - 1);
        _assertCautious();
        vm.warp(until);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    function test_APauseOfOneMarketLeavesTheOthersAlone() public {
        bytes32 both = _register(_spec(_btcAndEth()));
        _submit(both, _both(_low(), _low()));
        _pause(uint40(block.timestamp + 1 hours));
        _assertStatus(ETH, IRiskParameters.Status.Fresh);
    }

    function test_RevertWhen_APauseIsTooLong() public {
        uint256 latest = block.timestamp + LONGEST;
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.PauseTooLong.selector, latest + 1, latest));
        oracle.pauseMarket(BTC, uint40(latest + 1));
        _pause(uint40(latest));
        vm.warp(latest - 1);
        vm.prank(GUARDIAN);
        vm.expectRevert(
            abi.encodeWithSelector(IRegimeRiskOracle.PauseTooLong.selector, type(uint40).max, latest - 1 + LONGEST)
        );
        oracle.pauseMarket(BTC, type(uint40).max);
    }

    function test_RevertWhen_AMarketHasNotBeenOpenForLong() public {
        uint256 until = block.timestamp + 1 hours;
        _pause(uint40(until));
        uint256[4] memory moments = [block.timestamp, until - 1, until, until + LONGEST - 1];
        for (uint256 i = 0; i < moments.length; ++i) {
            vm.warp(moments[i]);
            vm.prank(GUARDIAN);
            vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.PauseCoolingDown.selector, until + LONGEST));
            oracle.pauseMarket(BTC, uint40(moments[i]));
        }
        vm.warp(until + LONGEST);
        _pause(uint40(block.timestamp + LONGEST));
    }

    /// @dev Half of the time at most, whatever the guardian tries.
    function testFuzz_AMarketIsOpenHalfOfTheTime(uint40[16] memory untils, uint24[16] memory pauses) public {
        uint256 begin = block.timestamp;
        uint256 paused = 0;
        for (uint256 i = 0; i < untils.length; ++i) {
            uint256 until = bound(untils[i], block.timestamp, block.timestamp + LONGEST);
            vm.prank(GUARDIAN);
            try oracle.pauseMarket(BTC, uint40(until)) {
                paused += until - block.timestamp;
            } catch {}
            vm.warp(block.timestamp + bound(pauses[i], 0, 8 days));
        }
        uint256 elapsed = block.timestamp - begin;
        assertLe(paused, elapsed / 2 + LONGEST);
    }

    function test_APauseLeavesTheLiquidationRatioAlone() public {
        _registerRamped();
        bytes32 sol = _register(_spec(_one(SOL)));
        _submit(sol, _low());
        IRiskParameters.Params memory before = _params(SOL);
        vm.prank(GUARDIAN);
        oracle.pauseMarket(SOL, uint40(block.timestamp + 1));
        assertEq(_params(SOL).liquidationCollateralRatioBps, before.liquidationCollateralRatioBps);
        vm.prank(GUARDIAN);
        oracle.disablePeriod(SOL, MONDAY);
        assertEq(_params(SOL).liquidationCollateralRatioBps, before.liquidationCollateralRatioBps);
    }

    /* DISABLED PERIODS */

    function test_ADisabledPeriodIsWithheld() public {
        _submit(modelId, _low());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.PeriodDisabled(BTC, MONDAY);
        _disable(MONDAY);
        _assertCautious();
        _warpTo(MONDAY + 1, 75);
        _assertCautious();
        _submit(modelId, _low());
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
    }

    function test_AnEarlierDisabledPeriodWithholdsNothing() public {
        _submit(modelId, _low());
        _disable(MONDAY - 1);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    function test_WhatIsSubmittedForADisabledPeriodIsWithheldToo() public {
        _disable(MONDAY);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        vm.expectRevert(
            abi.encodeWithSelector(IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.Withheld)
        );
        oracle.submit(update);
    }

    function test_RevertWhen_APeriodCannotBeDisabled() public {
        _expectCannotDisable(MONDAY + 1);
        _expectCannotDisable(type(uint64).max);
        _expectCannotDisable((uint64(1) << 32) + MONDAY);
        _disable(MONDAY - 2);
        _expectCannotDisable(MONDAY - 2);
        _expectCannotDisable(MONDAY - 3);
        _expectCannotDisable(0);
        _disable(MONDAY - 1);
        _disable(MONDAY);
    }

    /* BOTH, AGAINST EACH OTHER */

    /// @dev The two kinds of withholding share a word with the ramp and the fallback.
    function test_GuardianKeepsTheRestOfTheWord() public {
        _registerRamped();
        _changePolicy(SOL, Policies.ramped());
        vm.prank(GUARDIAN);
        oracle.pauseMarket(SOL, uint40(block.timestamp + 100));
        vm.prank(GUARDIAN);
        oracle.disablePeriod(SOL, MONDAY);
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(Policies.ramped()));
        bytes32 sol = _register(_spec(_one(SOL)));
        _warpTo(MONDAY + 1, 0);
        _submit(sol, _low());
        _assertStatus(SOL, IRiskParameters.Status.Fresh);
    }

    /* HELPERS */

    function _pause(uint40 until) private {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, until);
    }

    function _disable(uint64 period) private {
        vm.prank(GUARDIAN);
        oracle.disablePeriod(BTC, period);
    }

    function _expectCannotDisable(uint64 period) private {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.CannotDisable.selector, period));
        oracle.disablePeriod(BTC, period);
    }

    function _assertCautious() private view {
        _assertStatus(BTC, IRiskParameters.Status.Withheld);
        IRiskParameters.Params memory seen = _params(BTC);
        IRegimeRiskOracle.Policy memory p = _policy();
        assertEq(seen.borrowCollateralRatioBps, p.turbulent.borrowCollateralRatioBps);
        assertEq(seen.ammFeePips, p.turbulent.ammFeePips);
        assertEq(seen.borrowCapFactorBps, p.turbulent.borrowCapFactorBps);
        assertEq(seen.liquidationCollateralRatioBps, 130_00);
    }
}
