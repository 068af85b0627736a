// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {RiskState} from "../../src/libraries/RiskState.sol";

/// @notice The ramp for every state and every second that 40 bits hold, by halmos: see `make halmos`.
contract RiskStateSymbolic is Test {
    using RiskState for RiskState.State;

    uint256 private constant UNIT = 1 days;

    function check_ATurnNeverRaisesTheRatio(RiskState.State memory state, uint16 targetBps, uint16 speed, uint40 time)
        public
    {
        _assumeRamp(state, time);
        uint256 before = state.liquidationRatioBps();
        state.turnRamp(targetBps, speed);
        assert(state.liquidationRatioBps() == (before < targetBps ? before : targetBps));
        assert(state.rampFrom <= uint256(state.rampTargetBps) * UNIT);
    }

    function check_TheRampStartsWhereItIsAndEndsAtItsTarget(RiskState.State memory state, uint40 time) public {
        _assumeRamp(state, time);
        uint256 ratio = state.liquidationRatioBps();
        assert(ratio >= state.rampFrom / UNIT && ratio <= state.rampTargetBps);
        vm.warp(state.rampSince);
        assert(state.liquidationRatioBps() == state.rampFrom / UNIT);
    }

    /// @dev Turned to the same target at any second, it is later where it would have been.
    function check_TurningLosesNothing(RiskState.State memory state, uint40 time, uint40 later) public {
        _assumeRamp(state, time);
        vm.assume(later >= time);
        vm.warp(later);
        uint256 expected = state.liquidationRatioBps();
        vm.warp(time);
        state.turnRamp(state.rampTargetBps, state.rampBpsPerDay);
        vm.warp(later);
        assert(state.liquidationRatioBps() == expected);
    }

    function _assumeRamp(RiskState.State memory state, uint40 time) private {
        vm.assume(state.rampSince <= time && state.rampFrom <= uint256(state.rampTargetBps) * UNIT);
        vm.warp(time);
    }
}
