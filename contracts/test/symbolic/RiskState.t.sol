// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {PolicyLib} from "../../src/libraries/PolicyLib.sol";
import {RiskState} from "../../src/libraries/RiskState.sol";

/// @notice Rate limit, dwell and ramp for every state and rule, by halmos: see `make halmos`.
contract RiskStateSymbolic is Test {
    using RiskState for *;

    uint256 private constant BPS = 10_000;

    function check_NeverFurtherThanAllowed(
        uint8 switchState,
        uint16 previousBps,
        uint16 forecastBps,
        uint32 elapsed,
        PolicyLib.PackedRules memory rules
    ) public pure {
        vm.assume(previousBps <= BPS && forecastBps <= BPS && elapsed != 0 && rules.marginBps < BPS / 2);
        RiskState.PackedParams memory stored;
        (stored.switchState, stored.appliedProbabilityBps) = (switchState, previousBps);
        (, uint256 requested, uint256 applied) = stored.step(rules, forecastBps, elapsed);
        uint256 periods = elapsed < 6 ? elapsed : 6;
        assert(applied <= BPS && requested <= BPS);
        assert(applied <= previousBps + periods * rules.maxRiseBpsPerPeriod);
        assert(applied + periods * rules.maxFallBpsPerPeriod >= previousBps);
        // Towards what was asked for, and not beyond it.
        assert(requested >= previousBps ? applied >= previousBps : applied <= previousBps);
        assert(requested >= previousBps ? applied <= requested : applied >= requested);
    }

    function check_HighKeepsOneHalfAndLeavesOnlyAfterItsDwell(
        uint8 switchState,
        uint16 forecastBps,
        PolicyLib.PackedRules memory rules
    ) public pure {
        vm.assume(forecastBps <= BPS && rules.marginBps < BPS / 2);
        vm.assume(rules.dwellPeriods != 0 && rules.dwellPeriods < 128);
        RiskState.PackedParams memory stored;
        stored.switchState = switchState;
        (uint8 next, uint256 requested,) = stored.step(rules, forecastBps, 1);
        bool high = next >= 128;
        if (forecastBps >= BPS / 2 + rules.marginBps) assert(next == 128);
        if (high) assert(requested >= BPS / 2);
        else assert(next == 0 && requested == forecastBps);
        if (switchState >= 128 && !high) {
            assert(forecastBps + rules.marginBps <= BPS / 2);
            assert(switchState - 127 >= rules.dwellPeriods);
        }
    }

    function check_ATurnNeverRaisesTheRatio(PolicyLib.PackedGuard memory guard, uint16 targetBps, uint32 time) public {
        vm.assume(guard.rampStartedAt <= time && guard.rampStartBps <= guard.rampTargetBps);
        vm.warp(time);
        uint256 before = guard.liquidationRatioBps();
        guard.turnRamp(targetBps);
        assert(guard.liquidationRatioBps() == (before < targetBps ? before : targetBps));
        assert(guard.rampStartBps <= guard.rampTargetBps);
    }

    function check_TheRampStartsWhereItIsAndEndsAtItsTarget(PolicyLib.PackedGuard memory guard, uint32 time) public {
        vm.assume(guard.rampStartedAt <= time && guard.rampStartBps <= guard.rampTargetBps);
        vm.warp(time);
        uint256 ratio = guard.liquidationRatioBps();
        assert(ratio >= guard.rampStartBps && ratio <= guard.rampTargetBps);
        vm.warp(guard.rampStartedAt);
        assert(guard.liquidationRatioBps() == guard.rampStartBps);
    }

    function check_TheRampIsNoFasterThanItsSpeed(uint16 rampBpsPerDay, uint32 seconds_) public {
        PolicyLib.PackedGuard memory guard;
        (guard.rampTargetBps, guard.rampBpsPerDay) = (type(uint16).max, rampBpsPerDay);
        vm.warp(seconds_);
        uint256 risen = guard.liquidationRatioBps();
        unchecked {
            assert(risen * 1 days <= uint256(rampBpsPerDay) * seconds_);
        }
    }
}
