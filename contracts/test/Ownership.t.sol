// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {Governed} from "../src/base/Governed.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice Ownership moves in two steps, behind the timelock. Specification: Ownership.tree.
contract OwnershipTest is OracleFixture {
    uint256 private constant DELAY = 3 days;
    address private immutable CANDIDATE = makeAddr("candidate");

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    function test_RevertWhen_DeployedWithoutOwner() public {
        vm.expectRevert(Ownable.NewOwnerIsZeroAddress.selector);
        new RiskOracle(address(0), GUARDIAN, 0, registry, address(0));
    }

    function test_OwnershipMovesInTwoSteps() public {
        _announce(OWNER);
        vm.warp(block.timestamp + DELAY);
        _request();
        assertEq(oracle.owner(), OWNER);
        vm.expectEmit(address(oracle));
        emit Ownable.OwnershipTransferred(OWNER, CANDIDATE);
        _expectCompletion(OWNER, "");
        assertEq(oracle.owner(), CANDIDATE);
    }

    function test_RevertWhen_NotAnnounced() public {
        _request();
        _expectCompletion(OWNER, _notScheduled(OWNER));
        assertEq(oracle.owner(), OWNER);
    }

    function test_RevertWhen_NotRipe() public {
        _announce(OWNER);
        uint256 ripe = block.timestamp + DELAY;
        vm.warp(ripe - 1);
        _request();
        bytes32 operation = oracle.operationOf(OWNER, _completion());
        _expectCompletion(OWNER, abi.encodeWithSelector(Governed.NotReady.selector, operation, ripe));
    }

    function test_RevertWhen_CandidateDidNotAsk() public {
        _announce(OWNER);
        vm.warp(block.timestamp + DELAY);
        _expectCompletion(OWNER, abi.encodeWithSelector(Ownable.NoHandoverRequest.selector));
        _request();
        vm.prank(CANDIDATE);
        oracle.cancelOwnershipHandover();
        _expectCompletion(OWNER, abi.encodeWithSelector(Ownable.NoHandoverRequest.selector));
        assertEq(oracle.owner(), OWNER);
    }

    /// @dev A request made before a long timelock dies before its end, and can be made again without delay.
    function test_ARequestLastsTwoDays() public {
        _request();
        _announce(OWNER);
        vm.warp(block.timestamp + DELAY);
        _expectCompletion(OWNER, abi.encodeWithSelector(Ownable.NoHandoverRequest.selector));
        _request();
        vm.warp(block.timestamp + 2 days);
        _expectCompletion(OWNER, "");
        assertEq(oracle.owner(), CANDIDATE);
    }

    function test_RevertWhen_TheCandidateCompletes() public {
        _request();
        _expectCompletion(CANDIDATE, abi.encodeWithSelector(Ownable.Unauthorized.selector));
        _announce(CANDIDATE);
        vm.warp(block.timestamp + DELAY);
        _request();
        _expectCompletion(CANDIDATE, abi.encodeWithSelector(Ownable.Unauthorized.selector));
        assertEq(oracle.owner(), OWNER);
    }

    function test_TheGuardianMayRefuse() public {
        _announce(OWNER);
        bytes32 operation = oracle.operationOf(OWNER, _completion());
        vm.prank(GUARDIAN);
        oracle.veto(operation);
        vm.warp(block.timestamp + DELAY);
        _request();
        _expectCompletion(OWNER, _notScheduled(OWNER));
    }

    function testFuzz_RevertWhen_OwnershipIsMovedDirectly(address caller, address target) public {
        address[2] memory callers = [OWNER, caller];
        for (uint256 i = 0; i < 2; ++i) {
            vm.startPrank(callers[i]);
            vm.expectRevert(Ownable.Unauthorized.selector);
            oracle.transferOwnership(target);
            vm.expectRevert(Ownable.Unauthorized.selector);
            oracle.renounceOwnership();
            vm.stopPrank();
        }
        assertEq(oracle.owner(), OWNER);
    }

    function test_TheOldOwnersAnnouncementsAreWorthless() public {
        bytes memory call = abi.encodeCall(oracle.setGuardian, (STRANGER));
        vm.prank(OWNER);
        oracle.schedule(call);
        test_OwnershipMovesInTwoSteps();
        vm.prank(OWNER);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.setGuardian(STRANGER);
        bytes32 operation = oracle.operationOf(CANDIDATE, call);
        vm.prank(CANDIDATE);
        vm.expectRevert(abi.encodeWithSelector(Governed.NotScheduled.selector, operation));
        oracle.setGuardian(STRANGER);
        vm.prank(CANDIDATE);
        oracle.registerMarket("another market", STRANGER, _bounds());
    }

    function _completion() private view returns (bytes memory) {
        return abi.encodeCall(oracle.completeOwnershipHandover, (CANDIDATE));
    }

    function _announce(address caller) private {
        vm.prank(caller);
        oracle.schedule(_completion());
    }

    function _request() private {
        vm.prank(CANDIDATE);
        oracle.requestOwnershipHandover();
    }

    function _notScheduled(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(Governed.NotScheduled.selector, oracle.operationOf(caller, _completion()));
    }

    function _expectCompletion(address caller, bytes memory revertData) private {
        vm.prank(caller);
        (bool success, bytes memory returned) = address(oracle).call(_completion());
        assertEq(returned, revertData);
        assertEq(success, revertData.length == 0);
    }
}
