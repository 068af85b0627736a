// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
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
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelEnds(modelId, block.timestamp);
        vm.prank(GUARDIAN);
        registry.deprecateModel(modelId);
        _expectRefusal(_single(modelId), _notActive(modelId));
    }

    function test_TheOldModelCanBeEndedInItsLastPeriod() public {
        _replacement("second", _btc(), 1);
        assertEq(_activeUntil(modelId), _after(1));
        vm.prank(GUARDIAN);
        registry.deprecateModel(modelId);
        assertEq(_activeUntil(modelId), block.timestamp);
        _expectRefusal(_single(modelId), _notActive(modelId));
    }

    function test_AnEndIsNeverPutOff() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        _replacement("short", _btc(), 2);
        assertEq(_activeUntil(both), _after(2));
        bytes32 long = _replacement("long", _eth(), 3);
        assertEq(_activeUntil(both), _after(2));
        _replacement("shorter", _eth(), 1);
        assertEq(_activeUntil(long), _after(1));
        assertEq(_activeUntil(both), _after(2), "it no longer serves that market");
    }

    function test_AnEndIsBroughtForward() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        _replacement("long", _btc(), 5);
        (bytes32 short, IModelRegistry.Update memory smoke) = _proposed("short", _eth(), 1);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelEnds(both, _after(1));
        registry.activateModel(smoke);
        assertEq(_activeUntil(both), _after(1));
    }

    /* SEVERAL MARKETS */

    function test_TheFirstModelOfAMarketEndsNone() public {
        vm.recordLogs();
        bytes32 eth = _replacement("eth", _eth(), 0);
        _assertEnded(0);
        assertEq(_activeModel(BTC), modelId);
        assertEq(_activeModel(ETH), eth);
        _expectLanding(_single(modelId));
        _expectLanding(_single(eth));
    }

    function test_SharedMarketsAreAppliedOnce() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        bytes32 eth = _replacement("eth", _eth(), 2);
        _expectLanding(_single(eth));
        (IRegimeRiskOracle.Params memory before,) = oracle.params(ETH);
        IModelRegistry.Update memory update = _update(both, new int128[](6));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketSkipped(
            ETH, both, MONDAY * PERIOD_SECONDS, IRegimeRiskOracle.SkipReason.AlreadyUpdated
        );
        _expectLanding(update);
        (IRegimeRiskOracle.Params memory moved,) = oracle.params(BTC);
        assertEq(moved.periodStart, MONDAY * PERIOD_SECONDS);
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
        assertEq(_activeUntil(both), _after(2));
    }

    function test_AMarketLeftBehindHasNoModel() public {
        bytes32 both = _replacement("both", _btcAndEth(), 0);
        bytes32 eth = _replacement("eth", _eth(), 1);
        assertEq(_activeModel(BTC), both);
        vm.warp(block.timestamp + 2 * PERIOD_SECONDS);
        _expectRefusal(_update(both, new int128[](6)), _notActive(both));
        _expectLanding(_single(eth));
        bytes32 btc = _replacement("btc", _btc(), 0);
        assertEq(_activeModel(BTC), btc);
        assertEq(_activeModel(ETH), eth);
        assertEq(_activeUntil(both), _after(1), "its end is past and stays");
        _expectLanding(_single(btc));
    }

    function test_OneActivationEndsSeveralModels() public {
        bytes32 eth = _replacement("eth", _eth(), 0);
        vm.recordLogs();
        bytes32 both = _replacement("both", _btcAndEth(), 4);
        _assertEnded(2);
        assertEq(_activeUntil(modelId), _after(4));
        assertEq(_activeUntil(eth), _after(4));
        assertEq(_activeUntil(both), type(uint40).max);
    }

    /* A SECOND LIFE */

    function test_AModelTakesItsMarketsBack() public {
        bytes32 second = _replacement("second", _btc(), 0);
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectRefusal(_single(modelId), _notActive(modelId));
        bytes32 again = _register(_spec(_btc()));
        assertEq(again, modelId);
        assertEq(_activeModel(BTC), modelId);
        assertEq(_activeUntil(second), _after(1));
        _expectLanding(_single(modelId));
    }

    /// @dev The market still points at the ended model when that is activated again.
    function test_AModelDoesNotEndItself() public {
        vm.prank(OWNER);
        registry.deprecateModel(modelId);
        vm.recordLogs();
        assertEq(_register(_spec(_btc())), modelId);
        _assertEnded(0);
        assertEq(_activeUntil(modelId), type(uint40).max);
    }

    function test_RevertWhen_ASecondLifeLandsASecondUpdate() public {
        _expectLanding(_single(modelId));
        vm.prank(GUARDIAN);
        registry.deprecateModel(modelId);
        assertEq(_register(_spec(_btc())), modelId);
        _expectRefusal(_single(modelId), _nothingApplied());
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectLanding(_single(modelId));
    }

    /* HELPERS */

    function _activeModel(bytes32 market) private view returns (bytes32) {
        return registry.activeModel(oracle.PURPOSE(), market);
    }

    function _activeUntil(bytes32 id) private view returns (uint256) {
        return registry.facts(id).activeUntil;
    }

    /// @dev So many periods after the moment at which the fixture begins.
    function _after(uint256 periods) private pure returns (uint256) {
        return (MONDAY + periods) * PERIOD_SECONDS + 75;
    }

    function _assertOverlap(uint16 overlapPeriods) private {
        (bytes32 second, IModelRegistry.Update memory smoke) = _proposed("second", _btc(), overlapPeriods);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelEnds(modelId, _after(overlapPeriods));
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelActivated(second);
        registry.activateModel(smoke);
        verifier.acceptAny();
        assertEq(_activeModel(BTC), second);
        assertEq(_activeUntil(modelId), _after(overlapPeriods));
        if (overlapPeriods != 0) {
            vm.warp(_after(overlapPeriods) - 1);
            _expectLanding(_single(modelId));
        }
        vm.warp(_after(overlapPeriods) + PERIOD_SECONDS);
        _expectRefusal(_single(modelId), _notActive(modelId));
        _expectLanding(_single(second));
    }

    /// @dev A model that is ready for its activation, and the proof for that.
    function _proposed(string memory name, bytes32[] memory markets, uint16 overlapPeriods)
        private
        returns (bytes32 id, IModelRegistry.Update memory smoke)
    {
        IModelRegistry.ModelSpec memory spec = _spec(markets);
        spec.manifestSha256 = keccak256(bytes(name));
        vm.prank(OWNER);
        id = registry.proposeModel(spec, overlapPeriods * PERIOD_SECONDS);
        smoke = _smoke(id);
        verifier.acceptOnly(smoke.proof, registry.instancesOf(id, smoke.period, smoke.features, smoke.outputs));
    }

    function _replacement(string memory name, bytes32[] memory markets, uint16 overlapPeriods)
        private
        returns (bytes32 id)
    {
        IModelRegistry.Update memory smoke;
        (id, smoke) = _proposed(name, markets, overlapPeriods);
        registry.activateModel(smoke);
        verifier.acceptAny();
    }

    function _eth() private pure returns (bytes32[] memory markets) {
        markets = new bytes32[](1);
        markets[0] = ETH;
    }

    function _single(bytes32 id) private view returns (IModelRegistry.Update memory) {
        return _update(id, _outputs(-500, 500, -7600));
    }

    /// @dev So many models were ended since logs are recorded.
    function _assertEnded(uint256 count) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 ended = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IModelRegistry.ModelEnds.selector) ++ended;
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
        return abi.encodeWithSelector(IModelRegistry.ModelNotActive.selector, id);
    }
}
