// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IAggregatorV3} from "../src/interfaces/external/IAggregatorV3.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice Several markets in one update, several models in one period. Specification: Submit.tree.
/// @dev BTC and SOL belong to the model; SOL's close is compared with a feed, with a tolerance of 1 %.
contract SubmitIsolationTest is MarketFixture {
    uint256 private constant CLOSE_E8 = 150e8;

    MockFeed private feed;
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        feed = new MockFeed();
        feed.price(int256(CLOSE_E8), 8, block.timestamp);
        vm.prank(OWNER);
        oracle.registerMarket(
            SOL,
            MARKET_OWNER,
            _bounds(),
            IRegimeRiskOracle.PriceCheck({feed: address(feed), toleranceBps: 100, maxAgeSeconds: 1 hours})
        );
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, _policy());
        modelId = _register(_spec(_btcAndSol()));
    }

    function test_BothMarketsChange() public {
        oracle.submit(_bothLow(uint64(CLOSE_E8)));
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        _assertStatus(SOL, IRiskParameters.Status.Fresh);
    }

    /* WITHHELD */

    function test_APausedMarketHoldsUpNoOther() public {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        _expectSkip(_bothLow(uint64(CLOSE_E8)), BTC, IRegimeRiskOracle.SkipReason.Withheld);
        assertEq(_params(BTC).period, 0);
        assertEq(_params(SOL).period, MONDAY);
        assertEq(oracle.latestPeriod(modelId), MONDAY);
    }

    function test_APauseIsOverAtItsEnd() public {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        vm.warp(block.timestamp + 1);
        oracle.submit(_bothLow(uint64(CLOSE_E8)));
        assertEq(_params(BTC).period, MONDAY);
    }

    function test_ADisabledPeriodHoldsUpNoOther() public {
        vm.prank(GUARDIAN);
        oracle.disablePeriod(SOL, MONDAY);
        _expectSkip(_bothLow(uint64(CLOSE_E8)), SOL, IRegimeRiskOracle.SkipReason.Withheld);
        assertEq(_params(BTC).period, MONDAY);
        assertEq(_params(SOL).period, 0);
        _warpTo(MONDAY + 1, 75);
        feed.price(int256(CLOSE_E8), 8, block.timestamp);
        oracle.submit(_bothLow(uint64(CLOSE_E8)));
        assertEq(_params(SOL).period, MONDAY + 1);
    }

    /* THE PRICE */

    function test_APriceMismatchHoldsUpNoOther() public {
        _expectSkip(_bothLow(uint64(CLOSE_E8 * 102 / 100)), SOL, IRegimeRiskOracle.SkipReason.PriceMismatch);
        assertEq(_params(BTC).period, MONDAY);
        assertEq(_params(SOL).period, 0);
    }

    function test_ACloseWithinTheToleranceIsApplied() public {
        oracle.submit(_bothLow(uint64(CLOSE_E8 * 101 / 100)));
        assertEq(_params(SOL).period, MONDAY);
    }

    function test_AMissingCloseIsAMismatch() public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _both(_low(), _low()));
        _expectSkip(update, SOL, IRegimeRiskOracle.SkipReason.PriceMismatch);
        assertEq(_params(SOL).period, 0);
    }

    /// @dev Whatever a feed does, the other market gets its update, for bounded gas.
    function test_ABrokenFeedHoldsUpNoOther() public {
        for (uint8 failure = 1; failure <= uint8(type(MockFeed.Failure).max); ++failure) {
            _warpTo(MONDAY + failure, 75);
            feed.fail(IAggregatorV3.latestRoundData.selector, MockFeed.Failure(failure));
            _expectSkip(_bothLow(uint64(CLOSE_E8)), SOL, IRegimeRiskOracle.SkipReason.PriceMismatch);
            assertLt(vm.lastCallGas().gasTotalUsed, 500_000);
            assertEq(_params(BTC).period, MONDAY + failure);
            assertEq(_params(SOL).period, 0);
        }
    }

    function test_ClosesBelongToTheirMarkets() public {
        uint64[] memory closes = new uint64[](2);
        closes[0] = uint64(CLOSE_E8); // BTC's, which nobody looks at
        _expectSkip(_update(modelId, _both(_low(), _low()), closes), SOL, IRegimeRiskOracle.SkipReason.PriceMismatch);
    }

    function test_TheClosesAreAttested() public {
        IRegimeRiskOracle.Update memory update = _bothLow(uint64(CLOSE_E8));
        update.closesE8[1] += 1;
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidAttestation.selector, attestor));
        oracle.submit(update);
    }

    /* NOTHING */

    function test_RevertWhen_EveryMarketIsSkipped() public {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        IRegimeRiskOracle.Update memory update = _bothLow(0);
        _expectNothing(update, IRegimeRiskOracle.SkipReason.PriceMismatch);
        assertEq(oracle.latestPeriod(modelId), 0);
        vm.warp(block.timestamp + 1);
        oracle.submit(update);
        assertEq(_params(BTC).period, MONDAY, "the same update, once the pause is over");
    }

    /// @dev The last market is applied or skipped, the first the other way round: one is enough.
    function test_OneMarketIsEnough() public {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(SOL, uint40(block.timestamp + 1));
        oracle.submit(_bothLow(uint64(CLOSE_E8)));
        assertEq(_params(BTC).period, MONDAY);
        assertEq(oracle.latestPeriod(modelId), MONDAY);
    }

    /* TWO MODELS */

    /// @dev Old and new model in the overlap: the first update of the period stands, whichever model made it.
    function test_InTheOverlapTheFirstUpdateStands() public {
        bytes32 successor = _successor();
        oracle.submit(_update(successor, _high()));
        IRiskParameters.Params memory landed = _params(BTC);
        _expectSkip(_bothLow(uint64(CLOSE_E8)), BTC, IRegimeRiskOracle.SkipReason.AlreadyUpdated);
        _assertParams(_params(BTC), landed);
        assertEq(_params(SOL).period, MONDAY);
    }

    function test_InTheOverlapTheSecondMayChangeNothing() public {
        bytes32 successor = _successor();
        oracle.submit(_bothLow(uint64(CLOSE_E8)));
        IRegimeRiskOracle.Update memory update = _update(successor, _high());
        _expectNothing(update, IRegimeRiskOracle.SkipReason.AlreadyUpdated);
        assertEq(oracle.latestPeriod(successor), 0);
        assertEq(_params(BTC).regime, 0);
        _warpTo(MONDAY + 1, 75);
        oracle.submit(_update(successor, _high()));
        assertEq(_params(BTC).regime, 1);
    }

    /// @dev What was updated already is said first, also of a market that is paused meanwhile.
    function test_AlreadyUpdatedComesBeforeWithheld() public {
        bytes32 successor = _successor();
        oracle.submit(_bothLow(uint64(CLOSE_E8)));
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        _expectNothing(_update(successor, _high()), IRegimeRiskOracle.SkipReason.AlreadyUpdated);
    }

    /* HELPERS */

    function _btcAndSol() private pure returns (bytes32[] memory markets) {
        markets = new bytes32[](2);
        (markets[0], markets[1]) = (BTC, SOL);
    }

    /// @dev A model of BTC alone that replaces the fixture's, which goes on for two periods.
    function _successor() private returns (bytes32 successor) {
        vm.prank(OWNER);
        successor = oracle.proposeModel(_spec(_btc()), 2);
        _activate(successor);
        assertEq(oracle.activeModel(BTC), successor);
    }

    function _bothLow(uint64 solCloseE8) private view returns (IRegimeRiskOracle.Update memory) {
        uint64[] memory closes = new uint64[](2);
        closes[1] = solCloseE8;
        return _update(modelId, _both(_low(), _low()), closes);
    }

    /// @dev Exactly one market is skipped, the other changes.
    function _expectSkip(IRegimeRiskOracle.Update memory update, bytes32 market, IRegimeRiskOracle.SkipReason reason)
        private
    {
        vm.recordLogs();
        oracle.submit(update);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 skips = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRegimeRiskOracle.MarketSkipped.selector) continue;
            ++skips;
            assertEq(logs[i].topics[1], market);
            assertEq(uint256(logs[i].topics[2]), update.period);
            assertEq(logs[i].topics[3], update.modelId);
            assertEq(logs[i].data, abi.encode(reason));
        }
        assertEq(skips, 1);
        assertEq(logs.length, 3, "accepted, one changed, one skipped");
    }

    function _expectNothing(IRegimeRiskOracle.Update memory update, IRegimeRiskOracle.SkipReason reason) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.NothingApplied.selector, reason));
        oracle.submit(update);
    }
}
