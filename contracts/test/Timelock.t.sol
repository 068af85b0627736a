// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {Timelock} from "../src/base/Timelock.sol";
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
        _call = abi.encodeCall(oracle.setAttestors, (_list(STRANGER), 1));
        _operation = keccak256(abi.encode(OWNER, _call));
        _announcedAt = block.timestamp;
    }

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    /* DEPLOYMENT */

    function test_RevertWhen_TimelockIsTooShortForTheChain() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(Timelock.TimelockTooShort.selector, DELAY - 1));
        _deployed(DELAY - 1);
        assertEq(_deployed(DELAY).timelockSeconds(), DELAY);
    }

    function test_DevelopmentChainsMayHaveNone() public {
        assertEq(block.chainid, 31_337);
        assertEq(_deployed(0).timelockSeconds(), 0);
    }

    function test_DeploymentNamesTheGuardian() public {
        vm.expectEmit(false, true, true, true);
        emit Timelock.GuardianSet(GUARDIAN);
        assertEq(_deployed(0).guardian(), GUARDIAN);
    }

    /* ANNOUNCING */

    function testFuzz_AnnouncingStoresWhenAnOperationRipens(address caller, bytes calldata data) public {
        bytes32 operation = keccak256(abi.encode(caller, data));
        assertEq(oracle.operationOf(caller, data), operation);
        vm.expectEmit(address(oracle));
        emit Timelock.OperationScheduled(operation, caller, data, _announcedAt + DELAY);
        vm.prank(caller);
        assertEq(oracle.schedule(data), operation);
        assertEq(oracle.readyAt(operation), _announcedAt + DELAY);
    }

    function test_RevertWhen_AnnouncedTwice_TheDateStays() public {
        _announce();
        uint256[3] memory moments = [_announcedAt, _announcedAt + DELAY, _announcedAt + DELAY + LIFETIME];
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(moments[i]);
            vm.prank(OWNER);
            vm.expectRevert(abi.encodeWithSelector(Timelock.AlreadyScheduled.selector, _operation));
            oracle.schedule(_call);
            assertEq(oracle.readyAt(_operation), _announcedAt + DELAY);
        }
    }

    function test_AnExpiredOperationWaitsTheWholeTimeAgain() public {
        _announce();
        vm.warp(_announcedAt + DELAY + LIFETIME + 1);
        _announce();
        _expectCall(abi.encodeWithSelector(Timelock.NotReady.selector, _operation, block.timestamp + DELAY));
        vm.warp(block.timestamp + DELAY);
        _expectCall("");
    }

    /* DOING */

    function test_RevertWhen_NotAnnounced() public {
        _expectCall(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
    }

    function testFuzz_OnlyInItsTime(uint256 waited) public {
        waited = bound(waited, 0, 3 * LIFETIME);
        _announce();
        vm.warp(_announcedAt + waited);
        bool ripe = waited >= DELAY && waited <= DELAY + LIFETIME;
        _expectCall(ripe ? bytes("") : _notReady());
        assertEq(oracle.isAttestor(STRANGER), ripe);
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
        assertEq(oracle.readyAt(_operation), 0);
        _expectCall(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
    }

    function test_RevertWhen_SomebodyElseAnnouncedIt() public {
        vm.prank(STRANGER);
        oracle.schedule(_call);
        vm.warp(_announcedAt + DELAY);
        _expectCall(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
    }

    function test_RevertWhen_TheCallerHasNoRightToIt() public {
        vm.prank(STRANGER);
        oracle.schedule(_call);
        vm.warp(_announcedAt + DELAY);
        vm.prank(STRANGER);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.setAttestors(_list(STRANGER), 1);
    }

    function test_RevertWhen_TheCallIsNotTheAnnouncedOne() public {
        _announce();
        vm.warp(_announcedAt + DELAY);
        _expect(
            bytes.concat(_call, hex"00"),
            abi.encodeWithSelector(
                Timelock.NotScheduled.selector, oracle.operationOf(OWNER, bytes.concat(_call, hex"00"))
            )
        );
        bytes memory other = abi.encodeCall(oracle.setAttestors, (_list(RELAYER), 1));
        _expect(other, abi.encodeWithSelector(Timelock.NotScheduled.selector, oracle.operationOf(OWNER, other)));
    }

    function test_AFailingCallKeepsItsAnnouncement() public {
        _call = abi.encodeCall(oracle.setAttestors, (_list(STRANGER), 2));
        _operation = oracle.operationOf(OWNER, _call);
        _announce();
        vm.warp(_announcedAt + DELAY);
        _expectCall(abi.encodeWithSelector(IRegimeRiskOracle.InvalidAttestors.selector));
        assertEq(oracle.readyAt(_operation), _announcedAt + DELAY);
    }

    /* REFUSING */

    function test_ARefusedOperationIsAsIfNeverAnnounced() public {
        _announce();
        vm.warp(_announcedAt + DELAY);
        vm.expectEmit(address(oracle));
        emit Timelock.OperationVetoed(_operation);
        vm.prank(GUARDIAN);
        oracle.veto(_operation);
        assertEq(oracle.readyAt(_operation), 0);
        _expectCall(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
        _announce();
        assertEq(oracle.readyAt(_operation), block.timestamp + DELAY);
    }

    function test_RevertWhen_RefusedOperationIsNotAnnounced() public {
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
        oracle.veto(_operation);
    }

    function testFuzz_RevertWhen_AnybodyElseRefuses(address caller) public {
        vm.assume(caller != GUARDIAN);
        _announce();
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Timelock.NotGuardian.selector, caller));
        oracle.veto(_operation);
    }

    /* THE GUARDIAN */

    function test_TheGuardianIsReplaced() public {
        _call = abi.encodeCall(oracle.setGuardian, (STRANGER));
        _operation = oracle.operationOf(OWNER, _call);
        _expectCall(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
        _announce();
        vm.warp(_announcedAt + DELAY);
        vm.expectEmit(address(oracle));
        emit Timelock.GuardianSet(STRANGER);
        _expectCall("");
        assertEq(oracle.guardian(), STRANGER);

        _announce();
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(Timelock.NotGuardian.selector, GUARDIAN));
        oracle.veto(_operation);
        vm.prank(STRANGER);
        oracle.veto(_operation);
    }

    /// @dev A stolen owner's key cannot shake off the guardian.
    function test_TheGuardianMayRefuseTheirOwnReplacement() public {
        _call = abi.encodeCall(oracle.setGuardian, (STRANGER));
        _operation = oracle.operationOf(OWNER, _call);
        for (uint256 i = 0; i < 3; ++i) {
            _announce();
            vm.warp(block.timestamp + DELAY - 1);
            vm.prank(GUARDIAN);
            oracle.veto(_operation);
        }
        vm.warp(block.timestamp + DELAY);
        _expectCall(abi.encodeWithSelector(Timelock.NotScheduled.selector, _operation));
        assertEq(oracle.guardian(), GUARDIAN);
    }

    /* HELPERS */

    function _deployed(uint256 timelockSeconds) private returns (RiskOracle) {
        return new RiskOracle(OWNER, GUARDIAN, timelockSeconds, _list(attestor), 1, address(0));
    }

    function _announce() private {
        vm.prank(OWNER);
        oracle.schedule(_call);
    }

    function _notReady() private view returns (bytes memory) {
        return abi.encodeWithSelector(Timelock.NotReady.selector, _operation, _announcedAt + DELAY);
    }

    function _expectCall(bytes memory revertData) private {
        _expect(_call, revertData);
    }

    /// @dev The owner's call fails with exactly this; with nothing at all, if it is to succeed.
    function _expect(bytes memory data, bytes memory revertData) private {
        vm.prank(OWNER);
        (bool success, bytes memory returned) = address(oracle).call(data);
        assertEq(returned, revertData);
        assertEq(success, revertData.length == 0);
    }
}
