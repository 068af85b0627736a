// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {RiskState} from "../../src/libraries/RiskState.sol";

/// @notice The ramp for every state and every second that 40 bits hold, by halmos: see `make halmos`.
contract RiskStateSymbolic is Test {
    using RiskState for RiskState.State;

    uint256 private constant UNIT = RiskState.RAMP_UNIT;

    /// @dev What was climbed is kept to the second; what is above the new target is given up at once.
    function check_ATurnLosesNothingAndRaisesNothing(
        RiskState.State memory state,
        uint16 targetBps,
        uint16 speed,
        uint40 time
    ) public {
        _assumeRamp(state, time);
        uint256 before = _now(state);
        state.turnRamp(targetBps, speed);
        uint256 end = uint256(targetBps) * UNIT;
        assert(_now(state) == (before < end ? before : end));
        assert(state.rampFrom <= uint256(state.rampTargetBps) * UNIT);
    }

    function check_TheRampStartsWhereItIsAndEndsAtItsTarget(RiskState.State memory state, uint40 time) public {
        _assumeRamp(state, time);
        uint256 present = _now(state);
        assert(present >= state.rampFrom && present <= uint256(state.rampTargetBps) * UNIT);
        vm.warp(state.rampSince);
        assert(_now(state) == state.rampFrom);
    }

    /// @dev In the ramp's own unit: the ratio is that, divided and rounded down, so that what holds of one holds of the other.
    function _now(RiskState.State memory state) private view returns (uint256) {
        return RiskState.rampNow(state.rampFrom, state.rampSince, state.rampTargetBps, state.rampBpsPerDay);
    }

    function _assumeRamp(RiskState.State memory state, uint40 time) private {
        vm.assume(state.rampSince <= time && state.rampFrom <= uint256(state.rampTargetBps) * UNIT);
        vm.warp(time);
    }
}
