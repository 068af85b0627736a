// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
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
        IModelRegistry.ModelSpec memory spec = _spec(_btcAndEth());
        bytes32 modelId = keccak256(abi.encode(spec));
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelProposed(modelId, spec, 7, block.timestamp + DELAY);
        vm.prank(OWNER);
        assertEq(registry.proposeModel(spec, 7), modelId);
        assertEq(registry.modelReadyAt(modelId), block.timestamp + DELAY);
        assertEq(abi.encode(registry.modelSpec(modelId)), abi.encode(spec));
        assertEq(_activeModel(BTC), 0);
        assertEq(registry.facts(modelId).activeUntil, 0);
        IModelRegistry.Update memory update = _update(modelId, new int128[](6));
        vm.expectRevert(_notActive(modelId));
        oracle.submit(update);
    }

    function testFuzz_RevertWhen_NotProposedByTheOwner(address caller) public {
        vm.assume(caller != OWNER);
        vm.prank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        registry.proposeModel(_spec(_btc()), 0);
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
        IModelRegistry.ModelSpec memory successor = _spec(_btc());
        successor.manifestSha256 = keccak256("another manifest");
        vm.prank(OWNER);
        bytes32 second = registry.proposeModel(successor, 3 * PERIOD_SECONDS);
        vm.warp(block.timestamp + DELAY);
        _activate(second);
        for (uint256 i = 0; i < 3; ++i) {
            _expectRefusal(_spec(_btc()), 0, _already(modelId));
            vm.warp(block.timestamp + PERIOD_SECONDS);
        }
        _propose();
    }

    function test_OverlapIsAtMostAWeek() public {
        _expectRefusal(
            _spec(_btc()), 604_801, abi.encodeWithSelector(IModelRegistry.InvalidModelSpec.selector, "overlapSeconds")
        );
        vm.prank(OWNER);
        registry.proposeModel(_spec(_btc()), 604_800);
    }

    function test_RevertWhen_TheModelIsUnknown() public {
        bytes32 unknown = keccak256("unknown");
        bytes memory reason = abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, unknown);
        vm.expectRevert(reason);
        registry.modelSpec(unknown);
        vm.expectRevert(reason);
        registry.instancesOf(unknown, MONDAY, "", "");
        vm.expectRevert(reason);
        oracle.submit(IModelRegistry.Update(unknown, MONDAY, 0, "", "", "", ""));
    }

    /* REFUSING */

    function test_ARefusedModelIsNotActivated() public {
        bytes32 modelId = _propose();
        vm.warp(_proposedAt + DELAY);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelCancelled(modelId, GUARDIAN);
        vm.prank(GUARDIAN);
        registry.cancelModel(modelId);
        assertEq(registry.modelReadyAt(modelId), 0);
        _expectNotActivated(modelId, _notProposed(modelId));
        vm.prank(GUARDIAN);
        vm.expectRevert(_notProposed(modelId));
        registry.cancelModel(modelId);
        _propose();
        assertEq(registry.modelReadyAt(modelId), block.timestamp + DELAY);
    }

    function test_RevertWhen_AModelThatIsNotProposedIsRefused() public {
        bytes32 modelId = _activated();
        vm.startPrank(GUARDIAN);
        vm.expectRevert(_notProposed(modelId));
        registry.cancelModel(modelId);
        vm.expectRevert(_notProposed("unknown"));
        registry.cancelModel("unknown");
    }

    function testFuzz_RevertWhen_CancelledByAnybodyElse(address caller) public {
        vm.assume(caller != GUARDIAN && caller != OWNER);
        bytes32 modelId = _propose();
        vm.prank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        registry.cancelModel(modelId);
    }

    /// @dev A bad proposal could be withdrawn by nobody but the guardian, and activated by any stranger.
    function test_Fault7_TheOwnerWithdrawsAProposedModel() public {
        bytes32 modelId = _propose();
        vm.warp(_proposedAt + DELAY);
        vm.expectEmit(address(registry));
        emit IModelRegistry.ModelCancelled(modelId, OWNER);
        vm.prank(OWNER);
        registry.cancelModel(modelId);
        _expectNotActivated(modelId, _notProposed(modelId));
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
        assertEq(registry.modelReadyAt(modelId), _proposedAt + DELAY);
        _expectNotActivated(modelId, _notReady(modelId));
        vm.warp(_proposedAt + DELAY);
        _activate(modelId);
        assertEq(_activeModel(BTC), modelId);
    }

    /* ENDING */

    function test_OwnerAndGuardianEndAModelAtOnce() public {
        bytes32 modelId = _activated();
        address[2] memory callers = [OWNER, GUARDIAN];
        IModelRegistry.Update memory update = _update(modelId, _outputs(0, 0, 0));
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.expectEmit(address(registry));
            emit IModelRegistry.ModelEnds(modelId, block.timestamp);
            vm.prank(callers[i]);
            registry.deprecateModel(modelId);
            assertEq(registry.facts(modelId).activeUntil, block.timestamp);
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
        registry.deprecateModel(modelId);
    }

    /// @dev Ending what could still be activated would end nothing: such a model is refused instead.
    function test_RevertWhen_NotActive() public {
        _expectNotEnded("unknown");
        bytes32 modelId = _propose();
        _expectNotEnded(modelId);
        vm.prank(GUARDIAN);
        registry.cancelModel(modelId);
        _expectNotEnded(modelId);
    }

    /// @dev What a model landed is for its consumers to know; a second life lands nothing twice.
    function test_AnEndedModelReturns() public {
        bytes32 modelId = _activated();
        _submit(modelId, _outputs(0, 0, 0));
        vm.prank(GUARDIAN);
        registry.deprecateModel(modelId);
        assertEq(_activeModel(BTC), 0, "an ended model is no active one");
        _propose();
        assertEq(registry.facts(modelId).activeUntil, 0);
        vm.warp(_proposedAt + DELAY);
        _activate(modelId);
        assertEq(_activeModel(BTC), modelId);
        _submit(modelId, _outputs(0, 0, 0));
    }

    /* HELPERS */

    function _activeModel(bytes32 market) private view returns (bytes32) {
        return registry.activeModel(oracle.PURPOSE(), market);
    }

    function _propose() private returns (bytes32) {
        _proposedAt = block.timestamp;
        vm.prank(OWNER);
        return registry.proposeModel(_spec(_btc()), 0);
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
        IModelRegistry.Update memory smoke = _smoke(modelId);
        verifier.acceptOnly(smoke.proof, registry.instancesOf(modelId, smoke.period, smoke.features, smoke.outputs));
        vm.warp(_proposedAt + waited);
        if (ripe) {
            vm.expectEmit(address(registry));
            emit IModelRegistry.ModelActivated(modelId);
        } else {
            vm.expectRevert(_notReady(modelId));
        }
        vm.prank(caller);
        registry.activateModel(smoke);
        assertEq(_activeModel(BTC), ripe ? modelId : bytes32(0));
        assertEq(registry.facts(modelId).activeUntil, ripe ? type(uint40).max : 0);
        assertEq(registry.modelReadyAt(modelId), ripe ? 0 : _proposedAt + DELAY);
        vm.revertToState(snapshot);
    }

    function _expectRefusal(IModelRegistry.ModelSpec memory spec, uint256 overlapSeconds, bytes memory reason) private {
        vm.prank(OWNER);
        vm.expectRevert(reason);
        registry.proposeModel(spec, overlapSeconds);
    }

    function _expectNotActivated(bytes32 modelId, bytes memory reason) private {
        IModelRegistry.Update memory smoke =
            IModelRegistry.Update(modelId, MONDAY, 0, _candles(CANDLE_COUNT), new bytes(48), _proof(), "");
        vm.expectRevert(reason);
        registry.activateModel(smoke);
    }

    function _expectNotEnded(bytes32 modelId) private {
        address[2] memory callers = [OWNER, GUARDIAN];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(_notActive(modelId));
            registry.deprecateModel(modelId);
        }
    }

    function _already(bytes32 modelId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.ModelAlreadyRegistered.selector, modelId);
    }

    function _notProposed(bytes32 modelId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.ModelNotProposed.selector, modelId);
    }

    function _notActive(bytes32 modelId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.ModelNotActive.selector, modelId);
    }

    function _notReady(bytes32 modelId) private view returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.ModelNotReady.selector, modelId, _proposedAt + DELAY);
    }
}
