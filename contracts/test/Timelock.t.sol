// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {Governed} from "../src/base/Governed.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice Announced calls and who may refuse them. Specification: Timelock.tree.
contract TimelockTest is OracleFixture {
    uint256 private constant DELAY = 1 days;
    uint256 private constant LIFETIME = 14 days;

    bytes private _call;
    bytes32 private _operation;
    uint256 private _announcedAt;

    function setUp() public override {
        super.setUp();
        _call = abi.encodeCall(registry.setAttestors, (_list(STRANGER), 1));
        _operation = keccak256(abi.encode(OWNER, _call));
        _announcedAt = block.timestamp;
    }

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    /* DEPLOYMENT */

    function test_RevertWhen_TimelockIsTooShortForTheChain() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(Governed.TimelockTooShort.selector, DELAY - 1));
        _deployed(DELAY - 1);
        assertEq(_deployed(DELAY).timelockSeconds(), DELAY);
    }

    function test_DevelopmentChainsMayHaveNone() public {
        assertEq(block.chainid, 31_337);
        assertEq(_deployed(0).timelockSeconds(), 0);
    }

    function test_DeploymentNamesTheGuardian() public {
        vm.expectEmit(false, true, true, true);
        emit Governed.GuardianSet(GUARDIAN);
        assertEq(_deployed(0).guardian(), GUARDIAN);
    }

    /* ANNOUNCING */

    function testFuzz_AnnouncingStoresWhenAnOperationRipens(address caller, bytes calldata data) public {
        bytes32 operation = keccak256(abi.encode(caller, data));
        assertEq(registry.operationOf(caller, data), operation);
        vm.expectEmit(address(registry));
        emit Governed.OperationScheduled(operation, caller, data, _announcedAt + DELAY);
        vm.prank(caller);
        assertEq(registry.schedule(data), operation);
        assertEq(registry.readyAt(operation), _announcedAt + DELAY);
    }

    function test_RevertWhen_AnnouncedTwice_TheDateStays() public {
        _announce();
        uint256[3] memory moments = [_announcedAt, _announcedAt + DELAY, _announcedAt + DELAY + LIFETIME];
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(moments[i]);
            vm.prank(OWNER);
            vm.expectRevert(abi.encodeWithSelector(Governed.AlreadyScheduled.selector, _operation));
            registry.schedule(_call);
            assertEq(registry.readyAt(_operation), _announcedAt + DELAY);
        }
    }

    function test_AnExpiredOperationWaitsTheWholeTimeAgain() public {
        _announce();
        vm.warp(_announcedAt + DELAY + LIFETIME + 1);
        _announce();
        _expectCall(abi.encodeWithSelector(Governed.NotReady.selector, _operation, block.timestamp + DELAY));
        vm.warp(block.timestamp + DELAY);
        _expectCall("");
    }

    /* DOING */

    function test_RevertWhen_NotAnnounced() public {
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
    }

    function testFuzz_OnlyInItsTime(uint256 waited) public {
        waited = bound(waited, 0, 3 * LIFETIME);
        _announce();
        vm.warp(_announcedAt + waited);
        bool ripe = waited >= DELAY && waited <= DELAY + LIFETIME;
        _expectCall(ripe ? bytes("") : _notReady());
        assertEq(registry.isAttestor(STRANGER), ripe);
    }

    function test_FirstAndLastSecond() public {
        _announce();
        vm.warp(_announcedAt + DELAY - 1);
        _expectCall(_notReady());
        vm.warp(_announcedAt + DELAY + LIFETIME + 1);
        _expectCall(_notReady());
        vm.warp(_announcedAt + DELAY + LIFETIME);
        uint256 snapshot = vm.snapshotState();
        _expectCall("");
        vm.revertToState(snapshot);
        vm.warp(_announcedAt + DELAY);
        _expectCall("");
    }

    function test_AnAnnouncementIsGoodForOneCall() public {
        _announce();
        vm.warp(_announcedAt + DELAY);
        _expectCall("");
        assertEq(registry.readyAt(_operation), 0);
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
    }

    function test_RevertWhen_SomebodyElseAnnouncedIt() public {
        vm.prank(STRANGER);
        registry.schedule(_call);
        vm.warp(_announcedAt + DELAY);
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
    }

    function test_RevertWhen_TheCallerHasNoRightToIt() public {
        vm.prank(STRANGER);
        registry.schedule(_call);
        vm.warp(_announcedAt + DELAY);
        vm.prank(STRANGER);
        vm.expectRevert(Ownable.Unauthorized.selector);
        registry.setAttestors(_list(STRANGER), 1);
    }

    function test_RevertWhen_TheCallIsNotTheAnnouncedOne() public {
        _announce();
        vm.warp(_announcedAt + DELAY);
        _expect(
            bytes.concat(_call, hex"00"),
            abi.encodeWithSelector(
                Governed.NotScheduled.selector, registry.operationOf(OWNER, bytes.concat(_call, hex"00"))
            )
        );
        bytes memory other = abi.encodeCall(registry.setAttestors, (_list(RELAYER), 1));
        _expect(other, abi.encodeWithSelector(Governed.NotScheduled.selector, registry.operationOf(OWNER, other)));
    }

    /// @dev A refused call had a second name: the same with a byte more. It can be announced, but not used.
    function test_Fault8_AVetoedCallHasNoSecondName() public {
        _announce();
        bytes memory padded = bytes.concat(_call, hex"00");
        vm.prank(OWNER);
        bytes32 second = registry.schedule(padded);
        vm.prank(GUARDIAN);
        registry.veto(_operation);
        vm.warp(_announcedAt + DELAY);
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
        _expect(padded, abi.encodeWithSelector(Governed.NotScheduled.selector, second));
        assertFalse(registry.isAttestor(STRANGER));
    }

    function test_AFailingCallKeepsItsAnnouncement() public {
        _call = abi.encodeCall(registry.setAttestors, (_list(STRANGER), 2));
        _operation = registry.operationOf(OWNER, _call);
        _announce();
        vm.warp(_announcedAt + DELAY);
        _expectCall(abi.encodeWithSelector(IModelRegistry.InvalidAttestors.selector));
        assertEq(registry.readyAt(_operation), _announcedAt + DELAY);
    }

    /* REFUSING */

    function test_ARefusedOperationIsAsIfNeverAnnounced() public {
        _announce();
        vm.warp(_announcedAt + DELAY);
        vm.expectEmit(address(registry));
        emit Governed.OperationVetoed(_operation);
        vm.prank(GUARDIAN);
        registry.veto(_operation);
        assertEq(registry.readyAt(_operation), 0);
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
        _announce();
        assertEq(registry.readyAt(_operation), block.timestamp + DELAY);
    }

    function test_RevertWhen_RefusedOperationIsNotAnnounced() public {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
        registry.veto(_operation);
    }

    function testFuzz_RevertWhen_AnybodyElseRefuses(address caller) public {
        vm.assume(caller != GUARDIAN);
        _announce();
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Governed.NotGuardian.selector, caller));
        registry.veto(_operation);
    }

    /* THE GUARDIAN */

    function test_TheGuardianIsReplaced() public {
        _call = abi.encodeCall(registry.setGuardian, (STRANGER));
        _operation = registry.operationOf(OWNER, _call);
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
        _announce();
        vm.warp(_announcedAt + DELAY);
        vm.expectEmit(address(registry));
        emit Governed.GuardianSet(STRANGER);
        _expectCall("");
        assertEq(registry.guardian(), STRANGER);

        _announce();
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(Governed.NotGuardian.selector, GUARDIAN));
        registry.veto(_operation);
        vm.prank(STRANGER);
        registry.veto(_operation);
    }

    /// @dev A stolen owner's key cannot shake off the guardian.
    function test_TheGuardianMayRefuseTheirOwnReplacement() public {
        _call = abi.encodeCall(registry.setGuardian, (STRANGER));
        _operation = registry.operationOf(OWNER, _call);
        for (uint256 i = 0; i < 3; ++i) {
            _announce();
            vm.warp(block.timestamp + DELAY - 1);
            vm.prank(GUARDIAN);
            registry.veto(_operation);
        }
        vm.warp(block.timestamp + DELAY);
        _expectCall(abi.encodeWithSelector(Governed.NotScheduled.selector, _operation));
        assertEq(registry.guardian(), GUARDIAN);
    }

    /* HELPERS */

    function _deployed(uint256 timelockSeconds) private returns (ModelRegistry) {
        return new ModelRegistry(OWNER, GUARDIAN, timelockSeconds, _list(attestor), 1);
    }

    function _announce() private {
        vm.prank(OWNER);
        registry.schedule(_call);
    }

    function _notReady() private view returns (bytes memory) {
        return abi.encodeWithSelector(Governed.NotReady.selector, _operation, _announcedAt + DELAY);
    }

    function _expectCall(bytes memory revertData) private {
        _expect(_call, revertData);
    }

    /// @dev The owner's call fails with exactly this; with nothing at all, if it is to succeed.
    function _expect(bytes memory data, bytes memory revertData) private {
        vm.prank(OWNER);
        (bool success, bytes memory returned) = address(registry).call(data);
        assertEq(returned, revertData);
        assertEq(success, revertData.length == 0);
    }
}
