// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {Timelock} from "../src/base/Timelock.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice A model's life: proposed, refused, activated, ended, proposed again. Specification: Registry.tree.
contract RegistryTest is OracleFixture {
    uint256 private constant DELAY = 1 days;
    uint256 private constant LIFETIME = 14 days;
    bytes32 private constant SUI = keccak256("SUI-USD");

    uint256 private _proposedAt;

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    /* PROPOSING */

    function test_AProposalTellsEverything() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btcAndEth());
        bytes32 modelId = keccak256(abi.encode(spec));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelProposed(modelId, spec, 7, block.timestamp + DELAY);
        vm.prank(OWNER);
        assertEq(oracle.proposeModel(spec, 7), modelId);
        assertEq(oracle.modelReadyAt(modelId), block.timestamp + DELAY);
        assertEq(oracle.modelSpec(modelId), abi.encode(spec));
        assertEq(oracle.activeModel(BTC), 0);
        assertEq(oracle.latestPeriod(modelId), 0);
        assertEq(oracle.lastPeriod(modelId), 0);
        IRegimeRiskOracle.Update memory update = _update(modelId, new int128[](6));
        vm.expectRevert(_notActive(modelId));
        oracle.submit(update);
    }

    function testFuzz_RevertWhen_NotProposedByTheOwner(address caller) public {
        vm.assume(caller != OWNER);
        vm.prank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.proposeModel(_spec(_btc()), 0);
    }

    function test_RevertWhen_ProposedTwice() public {
        bytes32 modelId = _propose();
        _expectRefusal(_spec(_btc()), 0, _already(modelId));
        vm.warp(_proposedAt + DELAY + LIFETIME);
        _expectRefusal(_spec(_btc()), 0, _already(modelId));
    }

    function test_RevertWhen_ProposedWhileActiveOrInOverlap() public {
        bytes32 modelId = _propose();
        vm.warp(_proposedAt + DELAY);
        _activate(modelId);
        _expectRefusal(_spec(_btc()), 0, _already(modelId));
        IRegimeRiskOracle.ModelSpec memory successor = _spec(_btc());
        successor.manifestSha256 = keccak256("another manifest");
        vm.prank(OWNER);
        bytes32 second = oracle.proposeModel(successor, 2);
        vm.warp(block.timestamp + DELAY);
        _activate(second);
        for (uint256 i = 0; i < 3; ++i) {
            _expectRefusal(_spec(_btc()), 0, _already(modelId));
            vm.warp(block.timestamp + PERIOD_SECONDS);
        }
        _propose();
    }

    function test_RevertWhen_AMarketIsUnknownOrWithoutPolicy() public {
        bytes32[] memory markets = _btcAndEth();
        markets[1] = SUI;
        _expectRefusal(_spec(markets), 0, abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SUI));
        vm.prank(OWNER);
        oracle.registerMarket(SUI, MARKET_OWNER, _bounds(), _noPriceCheck());
        _expectRefusal(_spec(markets), 0, abi.encodeWithSelector(IRegimeRiskOracle.PolicyUnset.selector, SUI));
    }

    function test_OverlapIsAtMostAWeek() public {
        _expectRefusal(
            _spec(_btc()), 43, abi.encodeWithSelector(IRegimeRiskOracle.InvalidModelSpec.selector, "overlapPeriods")
        );
        vm.prank(OWNER);
        oracle.proposeModel(_spec(_btc()), 42);
    }

    function test_RevertWhen_TheModelIsUnknown() public {
        bytes32 unknown = keccak256("unknown");
        bytes memory reason = abi.encodeWithSelector(IRegimeRiskOracle.UnknownModel.selector, unknown);
        vm.expectRevert(reason);
        oracle.modelSpec(unknown);
        vm.expectRevert(reason);
        oracle.instancesOf(unknown, MONDAY, new int32[](0), new int128[](0));
        vm.expectRevert(reason);
        oracle.submit(
            IRegimeRiskOracle.Update(unknown, MONDAY, 0, new int32[](0), new int128[](0), new uint64[](0), "", "")
        );
    }

    /* REFUSING */

    function test_ARefusedModelIsNotActivated() public {
        bytes32 modelId = _propose();
        vm.warp(_proposedAt + DELAY);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelVetoed(modelId);
        vm.prank(GUARDIAN);
        oracle.vetoModel(modelId);
        assertEq(oracle.modelReadyAt(modelId), 0);
        _expectNotActivated(modelId, _notProposed(modelId));
        vm.prank(GUARDIAN);
        vm.expectRevert(_notProposed(modelId));
        oracle.vetoModel(modelId);
        _propose();
        assertEq(oracle.modelReadyAt(modelId), block.timestamp + DELAY);
    }

    function test_RevertWhen_AModelThatIsNotProposedIsRefused() public {
        bytes32 modelId = _activated();
        vm.startPrank(GUARDIAN);
        vm.expectRevert(_notProposed(modelId));
        oracle.vetoModel(modelId);
        vm.expectRevert(_notProposed("unknown"));
        oracle.vetoModel("unknown");
    }

    function testFuzz_RevertWhen_NotRefusedByTheGuardian(address caller) public {
        vm.assume(caller != GUARDIAN);
        bytes32 modelId = _propose();
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Timelock.NotGuardian.selector, caller));
        oracle.vetoModel(modelId);
    }

    /* ACTIVATING */

    function testFuzz_AnyoneActivatesInItsTime(address caller, uint256 waited) public {
        waited = bound(waited, 0, 3 * LIFETIME);
        _expectActivation(caller, waited, waited >= DELAY && waited <= DELAY + LIFETIME);
    }

    function test_FirstAndLastSecond() public {
        _expectActivation(STRANGER, DELAY - 1, false);
        _expectActivation(STRANGER, DELAY, true);
        _expectActivation(STRANGER, DELAY + LIFETIME, true);
        _expectActivation(STRANGER, DELAY + LIFETIME + 1, false);
    }

    function test_RevertWhen_ActivatedTwiceOrNeverProposed() public {
        bytes32 modelId = _activated();
        _expectNotActivated(modelId, _notProposed(modelId));
        _expectNotActivated("unknown", _notProposed("unknown"));
    }

    function test_AnExpiredProposalIsMadeAnew() public {
        bytes32 modelId = _propose();
        vm.warp(_proposedAt + DELAY + LIFETIME + 1);
        _propose();
        assertEq(oracle.modelReadyAt(modelId), _proposedAt + DELAY);
        _expectNotActivated(modelId, _notReady(modelId));
        vm.warp(_proposedAt + DELAY);
        _activate(modelId);
        assertEq(oracle.activeModel(BTC), modelId);
    }

    /* ENDING */

    function test_OwnerAndGuardianEndAModelAtOnce() public {
        bytes32 modelId = _activated();
        address[2] memory callers = [OWNER, GUARDIAN];
        uint64 current = oracle.currentPeriod();
        IRegimeRiskOracle.Update memory update = _update(modelId, _outputs(0, 0, 0));
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.expectEmit(address(oracle));
            emit IRegimeRiskOracle.ModelEnds(modelId, current - 1);
            vm.prank(callers[i]);
            oracle.deprecateModel(modelId);
            assertEq(oracle.lastPeriod(modelId), current - 1);
            vm.expectRevert(_notActive(modelId));
            oracle.submit(update);
            _expectNotEnded(modelId);
            vm.revertToState(snapshot);
        }
        oracle.submit(update);
    }

    function testFuzz_RevertWhen_EndedByAnybodyElse(address caller) public {
        vm.assume(caller != OWNER && caller != GUARDIAN);
        bytes32 modelId = _activated();
        vm.prank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.deprecateModel(modelId);
    }

    /// @dev Ending what could still be activated would end nothing: such a model is refused instead.
    function test_RevertWhen_NotActive() public {
        _expectNotEnded("unknown");
        bytes32 modelId = _propose();
        _expectNotEnded(modelId);
        vm.prank(GUARDIAN);
        oracle.vetoModel(modelId);
        _expectNotEnded(modelId);
    }

    function test_AnEndedModelReturnsWithItsLatestPeriod() public {
        bytes32 modelId = _activated();
        _submit(modelId, _outputs(0, 0, 0));
        uint64 landed = oracle.latestPeriod(modelId);
        assertEq(landed, oracle.currentPeriod());
        vm.prank(GUARDIAN);
        oracle.deprecateModel(modelId);
        _propose();
        assertEq(oracle.latestPeriod(modelId), landed);
        assertEq(oracle.lastPeriod(modelId), 0);
        vm.warp(_proposedAt + DELAY);
        _activate(modelId);
        assertEq(oracle.latestPeriod(modelId), landed);
        _submit(modelId, _outputs(0, 0, 0));
        assertEq(oracle.latestPeriod(modelId), oracle.currentPeriod());
    }

    /* HELPERS */

    function _propose() private returns (bytes32) {
        _proposedAt = block.timestamp;
        vm.prank(OWNER);
        return oracle.proposeModel(_spec(_btc()), 0);
    }

    function _activated() private returns (bytes32 modelId) {
        modelId = _propose();
        vm.warp(_proposedAt + DELAY);
        _activate(modelId);
    }

    /// @dev Proposes, waits and activates; then forgets it.
    function _expectActivation(address caller, uint256 waited, bool ripe) private {
        uint256 snapshot = vm.snapshotState();
        bytes32 modelId = _propose();
        IRegimeRiskOracle.SmokeProof memory smoke = _smoke(modelId);
        verifier.acceptOnly(smoke.proof, oracle.instancesOf(modelId, smoke.period, smoke.candleFeatures, smoke.outputs));
        vm.warp(_proposedAt + waited);
        if (ripe) {
            vm.expectEmit(address(oracle));
            emit IRegimeRiskOracle.ModelActivated(modelId);
        } else {
            vm.expectRevert(_notReady(modelId));
        }
        vm.prank(caller);
        oracle.activateModel(modelId, smoke);
        assertEq(oracle.activeModel(BTC), ripe ? modelId : bytes32(0));
        assertEq(oracle.lastPeriod(modelId), ripe ? type(uint32).max : 0);
        assertEq(oracle.modelReadyAt(modelId), ripe ? 0 : _proposedAt + DELAY);
        vm.revertToState(snapshot);
    }

    function _expectRefusal(IRegimeRiskOracle.ModelSpec memory spec, uint16 overlapPeriods, bytes memory reason)
        private
    {
        vm.prank(OWNER);
        vm.expectRevert(reason);
        oracle.proposeModel(spec, overlapPeriods);
    }

    function _expectNotActivated(bytes32 modelId, bytes memory reason) private {
        IRegimeRiskOracle.SmokeProof memory smoke =
            IRegimeRiskOracle.SmokeProof(MONDAY, _candles(CANDLE_COUNT), new int128[](3), _proof());
        vm.expectRevert(reason);
        oracle.activateModel(modelId, smoke);
    }

    function _expectNotEnded(bytes32 modelId) private {
        address[2] memory callers = [OWNER, GUARDIAN];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(_notActive(modelId));
            oracle.deprecateModel(modelId);
        }
    }

    function _already(bytes32 modelId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.ModelAlreadyRegistered.selector, modelId);
    }

    function _notProposed(bytes32 modelId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.ModelNotProposed.selector, modelId);
    }

    function _notActive(bytes32 modelId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.ModelNotActive.selector, modelId);
    }

    function _notReady(bytes32 modelId) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.ModelNotReady.selector, modelId, _proposedAt + DELAY);
    }
}
