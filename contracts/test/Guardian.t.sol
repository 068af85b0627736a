// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Governed} from "../src/base/Governed.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {MarketFixture} from "./MarketFixture.sol";

/// @notice Pauses. Specification: the last branches of Markets.tree.
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
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Governed.NotGuardian.selector, caller));
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
    }

    function test_RevertWhen_MarketIsUnknown() public {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SOL));
        oracle.pauseMarket(SOL, uint40(block.timestamp + 1));
    }

    /* WHAT A PAUSE DOES */

    function test_APauseWithholdsUntilItsEnd() public {
        _submit(modelId, _low());
        uint40 until = uint40(block.timestamp + 1 hours);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketPaused(BTC, until);
        _pause(until);
        assertEq(oracle.pausedUntil(BTC), until);
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
        _pause(block.timestamp + 1 hours);
        _assertStatus(ETH, IRiskParameters.Status.Fresh);
    }

    /// @dev An update that met a pause was lost for its period.
    function test_Fault1_AMomentarySkipDoesNotSpendThePeriod() public {
        _pause(block.timestamp + 2 minutes);
        _submit(modelId, _low());
        _assertCautious();
        vm.warp(block.timestamp + 2 minutes);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).periodStart, START);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    function test_APauseLeavesTheLiquidationRatioAlone() public {
        _registerRamped();
        _submit(_register(_spec(_one(SOL))), _low());
        IRiskParameters.Params memory before = _params(SOL);
        vm.prank(GUARDIAN);
        oracle.pauseMarket(SOL, uint40(block.timestamp + 1));
        assertEq(_params(SOL).liquidationCollateralRatioBps, before.liquidationCollateralRatioBps);
    }

    function test_APauseBeforeTheFirstUpdateShowsUnset() public {
        _pause(block.timestamp + 1 hours);
        _assertStatus(BTC, IRiskParameters.Status.Unset);
    }

    /* THE ALLOWANCE */

    function test_RevertWhen_APauseIsTooLong() public {
        uint256 latest = block.timestamp + LONGEST;
        _expectTooLong(latest + 1, latest);
        _pause(latest);
        vm.warp(latest - 1);
        _expectTooLong(latest + 1, latest);
        _expectTooLong(type(uint40).max, latest);
        vm.warp(latest);
        _expectTooLong(latest + 1, latest);
        vm.warp(latest + 1 days);
        _pause(block.timestamp + 1 days);
    }

    /// @dev A pause of seven days by mistake could not be lifted.
    function test_Fault8_APauseIsLifted() public {
        _submit(modelId, _low());
        _pause(block.timestamp + LONGEST);
        vm.warp(block.timestamp + 60);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketPaused(BTC, block.timestamp);
        _pause(0);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        _expectTooLong(block.timestamp + LONGEST - 59, block.timestamp + LONGEST - 60);
        vm.warp(block.timestamp + 60);
        _pause(block.timestamp + LONGEST); // as good as never paused
    }

    /// @dev Rule 5 of SECURITY.md: what is read when a pause was lifted is no looser than without the pause.
    function testFuzz_ALiftedPauseLoosensNothing(bool highFirst, bool highThen, uint256 wait, uint256 lift) public {
        _registerRamped();
        bytes32 sol = _register(_spec(_one(SOL)));
        (wait, lift) = (bound(wait, 1, PERIOD_SECONDS - 80), bound(lift, 0, PERIOD_SECONDS));
        uint256 snapshot = vm.snapshotState();
        IRiskParameters.Params memory without = _story(sol, highFirst, highThen, wait, lift, false);
        vm.revertToState(snapshot);
        IRiskParameters.Params memory lifted = _story(sol, highFirst, highThen, wait, lift, true);
        assertEq(lifted.liquidationCollateralRatioBps, without.liquidationCollateralRatioBps);
        assertGe(lifted.borrowCollateralRatioBps, without.borrowCollateralRatioBps);
        assertGe(lifted.ammFeePips, without.ammFeePips);
        assertLe(lifted.borrowCapFactorBps, without.borrowCapFactorBps);
    }

    function test_APauseIsShortened() public {
        uint256 begin = block.timestamp;
        _pause(begin + 5 days);
        _pause(begin + 2 days);
        vm.warp(begin + 2 days);
        _expectTooLong(begin + LONGEST + 1, begin + LONGEST);
        _pause(begin + LONGEST);
    }

    /// @dev Half of the time and the allowance at most, whatever the guardian tries; there were two brakes with two rules.
    function testFuzz_Fault8_AMarketIsOpenHalfOfTheTime(uint40[16] memory untils, uint24[16] memory waits) public {
        uint256 begin = block.timestamp;
        uint256 paused = 0;
        for (uint256 i = 0; i < untils.length; ++i) {
            vm.prank(GUARDIAN);
            try oracle.pauseMarket(BTC, uint40(bound(untils[i], block.timestamp, block.timestamp + LONGEST))) {}
                catch {}
            uint256 next = block.timestamp + bound(waits[i], 0, 8 days);
            uint256 until = oracle.pausedUntil(BTC);
            if (until > block.timestamp) paused += (until < next ? until : next) - block.timestamp;
            vm.warp(next);
        }
        assertLe(paused, (block.timestamp - begin) / 2 + LONGEST);
    }

    /* HELPERS */

    function _pause(uint256 until) private {
        _pause(BTC, until);
    }

    function _pause(bytes32 market, uint256 until) private {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(market, uint40(until));
    }

    /// @dev Two updates in two periods, with a pause over the second or with none, and what is read when it was lifted.
    function _story(bytes32 sol, bool highFirst, bool highThen, uint256 wait, uint256 lift, bool paused)
        private
        returns (IRiskParameters.Params memory)
    {
        uint256 begin = block.timestamp;
        _submit(sol, highFirst ? _high() : _low());
        vm.warp(begin + wait);
        if (paused) _pause(SOL, begin + 5 days);
        vm.warp(begin + PERIOD_SECONDS);
        _submit(sol, highThen ? _high() : _low());
        vm.warp(begin + PERIOD_SECONDS + lift);
        if (paused) _pause(SOL, 0);
        _assertStatus(SOL, IRiskParameters.Status.Fresh);
        return _params(SOL);
    }

    function _expectTooLong(uint256 until, uint256 latest) private {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.PauseTooLong.selector, until, latest));
        oracle.pauseMarket(BTC, uint40(until));
    }

    function _assertCautious() private view {
        _assertStatus(BTC, IRiskParameters.Status.Withheld);
        IRiskParameters.Params memory seen = _params(BTC);
        IRiskParameters.RiskVector memory tightest = _policy().knots[1].vector;
        assertEq(seen.borrowCollateralRatioBps, tightest.borrowCollateralRatioBps);
        assertEq(seen.ammFeePips, tightest.ammFeePips);
        assertEq(seen.borrowCapFactorBps, tightest.borrowCapFactorBps);
        assertEq(seen.liquidationCollateralRatioBps, 130_00);
    }
}
