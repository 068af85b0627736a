// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {AttestedFixture} from "./AttestedFixture.sol";

/// @notice Models that replace each other and share markets. Specification: Overlap.tree.
contract OverlapTest is AttestedFixture {
    /* ONE MARKET */

    function testFuzz_TheOldModelIsAcceptedForTheOverlap(uint8 overlapPeriods) public {
        _assertOverlap(uint16(bound(overlapPeriods, 0, 42)));
    }

    function test_ShortestAndLongestOverlap() public {
        uint256 snapshot = vm.snapshotState();
        _assertOverlap(0);
        vm.revertToState(snapshot);
        _assertOverlap(42);
    }

    /// @dev Both are good for the period; the market moves once.
    function test_WhicheverComesFirstMovesTheMarket() public {
        bytes32 second = _replacement("second", _btc(), 1);
        _expectLanding(_single(modelId));
        _expectRefusal(_single(second), _nothingApplied());
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectLanding(_single(second));
        _expectRefusal(_single(modelId), _nothingApplied());
    }

    function test_TheOldModelCanBeEndedWithinTheOverlap() public {
        _replacement("second", _btc(), 10);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelEnds(modelId, MONDAY - 1);
        vm.prank(GUARDIAN);
        oracle.deprecateModel(modelId);
        _expectRefusal(_single(modelId), _notActive(modelId));
    }

    function test_TheOldModelCanBeEndedInItsLastPeriod() public {
        _replacement("second", _btc(), 0);
        assertEq(oracle.lastPeriod(modelId), MONDAY);
        vm.prank(GUARDIAN);
        oracle.deprecateModel(modelId);
        assertEq(oracle.lastPeriod(modelId), MONDAY - 1);
        _expectRefusal(_single(modelId), _notActive(modelId));
    }

    function test_AnEndIsNeverPutOff() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        _replacement("short", _btc(), 2);
        assertEq(oracle.lastPeriod(both), MONDAY + 2);
        bytes32 long = _replacement("long", _eth(), 3);
        assertEq(oracle.lastPeriod(both), MONDAY + 2);
        _replacement("shorter", _eth(), 1);
        assertEq(oracle.lastPeriod(long), MONDAY + 1);
        assertEq(oracle.lastPeriod(both), MONDAY + 2, "it no longer serves that market");
    }

    function test_AnEndIsBroughtForward() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        _replacement("long", _btc(), 5);
        (bytes32 short, IRegimeRiskOracle.SmokeProof memory smoke) = _proposed("short", _eth(), 1);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelEnds(both, MONDAY + 1);
        oracle.activateModel(short, smoke);
        assertEq(oracle.lastPeriod(both), MONDAY + 1);
    }

    /* SEVERAL MARKETS */

    function test_TheFirstModelOfAMarketEndsNone() public {
        vm.recordLogs();
        bytes32 eth = _replacement("eth", _eth(), 0);
        _assertEnded(0);
        assertEq(oracle.activeModel(BTC), modelId);
        assertEq(oracle.activeModel(ETH), eth);
        _expectLanding(_single(modelId));
        _expectLanding(_single(eth));
    }

    function test_SharedMarketsAreAppliedOnce() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        bytes32 eth = _replacement("eth", _eth(), 1);
        _expectLanding(_single(eth));
        (IRegimeRiskOracle.Params memory before,) = oracle.params(ETH);
        IRegimeRiskOracle.Update memory update = _update(both, new int128[](6));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketSkipped(ETH, MONDAY, both, IRegimeRiskOracle.SkipReason.AlreadyUpdated);
        _expectLanding(update);
        (IRegimeRiskOracle.Params memory moved,) = oracle.params(BTC);
        assertEq(moved.period, MONDAY);
        (IRegimeRiskOracle.Params memory present,) = oracle.params(ETH);
        assertEq(abi.encode(present), abi.encode(before));

        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectLanding(_update(both, new int128[](6)));
        _expectRefusal(_single(eth), _nothingApplied());
    }

    /// @dev Once for the model, not once for each market that it loses.
    function test_AModelOfSeveralMarketsEndsOnce() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        vm.recordLogs();
        _replacement("again", _btcAndEth(), 2);
        _assertEnded(1);
        assertEq(oracle.lastPeriod(both), MONDAY + 2);
    }

    function test_AMarketLeftBehindHasNoModel() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        bytes32 eth = _replacement("eth", _eth(), 1);
        assertEq(oracle.activeModel(BTC), both);
        vm.warp(block.timestamp + 2 * PERIOD_SECONDS);
        _expectRefusal(_update(both, new int128[](6)), _notActive(both));
        _expectLanding(_single(eth));
        bytes32 btc = _replacement("btc", _btc(), 0);
        assertEq(oracle.activeModel(BTC), btc);
        assertEq(oracle.activeModel(ETH), eth);
        assertEq(oracle.lastPeriod(both), MONDAY + 1, "its end is past and stays");
        _expectLanding(_single(btc));
    }

    function test_OneActivationEndsSeveralModels() public {
        bytes32 eth = _replacement("eth", _eth(), 0);
        vm.recordLogs();
        bytes32 both = _replacement("both", _btcAndEth(), 4);
        _assertEnded(2);
        assertEq(oracle.lastPeriod(modelId), MONDAY + 4);
        assertEq(oracle.lastPeriod(eth), MONDAY + 4);
        assertEq(oracle.lastPeriod(both), type(uint32).max);
    }

    /* A SECOND LIFE */

    function test_AModelTakesItsMarketsBack() public {
        bytes32 second = _replacement("second", _btc(), 0);
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectRefusal(_single(modelId), _notActive(modelId));
        bytes32 again = _register(_spec(_btc()));
        assertEq(again, modelId);
        assertEq(oracle.activeModel(BTC), modelId);
        assertEq(oracle.lastPeriod(second), MONDAY + 1);
        _expectLanding(_single(modelId));
    }

    /// @dev The market still points at the ended model when that is activated again.
    function test_AModelDoesNotEndItself() public {
        vm.prank(OWNER);
        oracle.deprecateModel(modelId);
        vm.recordLogs();
        assertEq(_register(_spec(_btc())), modelId);
        _assertEnded(0);
        assertEq(oracle.lastPeriod(modelId), type(uint32).max);
    }

    function test_RevertWhen_ASecondLifeLandsASecondUpdate() public {
        _expectLanding(_single(modelId));
        vm.prank(GUARDIAN);
        oracle.deprecateModel(modelId);
        assertEq(_register(_spec(_btc())), modelId);
        _expectRefusal(
            _single(modelId), abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, MONDAY)
        );
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectLanding(_single(modelId));
    }

    /* HELPERS */

    function _assertOverlap(uint16 overlapPeriods) private {
        (bytes32 second, IRegimeRiskOracle.SmokeProof memory smoke) = _proposed("second", _btc(), overlapPeriods);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelEnds(modelId, MONDAY + overlapPeriods);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelActivated(second);
        oracle.activateModel(second, smoke);
        verifier.acceptAny();
        assertEq(oracle.activeModel(BTC), second);
        assertEq(oracle.lastPeriod(modelId), MONDAY + overlapPeriods);
        vm.warp((MONDAY + overlapPeriods + 1) * PERIOD_SECONDS - 1);
        _expectLanding(_single(modelId));
        vm.warp((MONDAY + overlapPeriods + 1) * PERIOD_SECONDS);
        _expectRefusal(_single(modelId), _notActive(modelId));
        _expectLanding(_single(second));
    }

    /// @dev A model that is ready for its activation, and the proof for that.
    function _proposed(string memory name, bytes32[] memory markets, uint16 overlapPeriods)
        private
        returns (bytes32 id, IRegimeRiskOracle.SmokeProof memory smoke)
    {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(markets);
        spec.manifestSha256 = keccak256(bytes(name));
        vm.prank(OWNER);
        id = oracle.proposeModel(spec, overlapPeriods);
        smoke = _smoke(id);
        verifier.acceptOnly(smoke.proof, oracle.instancesOf(id, smoke.period, smoke.candleFeatures, smoke.outputs));
    }

    function _replacement(string memory name, bytes32[] memory markets, uint16 overlapPeriods)
        private
        returns (bytes32 id)
    {
        IRegimeRiskOracle.SmokeProof memory smoke;
        (id, smoke) = _proposed(name, markets, overlapPeriods);
        oracle.activateModel(id, smoke);
        verifier.acceptAny();
    }

    function _eth() private pure returns (bytes32[] memory markets) {
        markets = new bytes32[](1);
        markets[0] = ETH;
    }

    function _single(bytes32 id) private view returns (IRegimeRiskOracle.Update memory) {
        return _update(id, _outputs(-500, 500, -7600));
    }

    /// @dev So many models were ended since logs are recorded.
    function _assertEnded(uint256 count) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 ended = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IRegimeRiskOracle.ModelEnds.selector) ++ended;
        }
        assertEq(ended, count);
    }

    function _nothingApplied() private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.AlreadyUpdated
            );
    }

    function _notActive(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.ModelNotActive.selector, id);
    }
}
