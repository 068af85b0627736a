// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IAaveRegimeSteward} from "../interfaces/IAaveRegimeSteward.sol";

/// @title AaveStewardLib
/// @notice How far a reserve's LTV and liquidation threshold may move towards their targets now. All values in bps.
library AaveStewardLib {
    using FixedPointMathLib for uint256;

    /// @dev What Aave's own stewards allow of a liquidation threshold.
    uint256 private constant MAX_STEP_ABS_BPS = 50;
    uint256 private constant MIN_NOTICE_SECONDS = 3 days;

    /// @notice What a steward remembers.
    struct State {
        /// The announced fall's lowest end and the Unix time from which it may be made; zeros if none is announced.
        uint16 floorBps;
        uint40 effectiveAt;
        /// Unix time of the last change of the liquidation threshold.
        uint40 thresholdChangedAt;
        /// Unix times at which the allowances of the LTV will be full again.
        uint40 ltvFallFullAt;
        uint40 ltvRiseFullAt;
    }

    /// @notice Reverts with `InvalidLimits` unless the limits are usable.
    function check(IAaveRegimeSteward.Limits memory limits) internal pure {
        if (limits.minLtvBps == 0 || limits.minLtvBps > limits.maxLtvBps) {
            revert IAaveRegimeSteward.InvalidLimits("ltv");
        }
        if (limits.maxLtvFallAbsBps == 0) revert IAaveRegimeSteward.InvalidLimits("maxLtvFallAbsBps");
        if (limits.ltvRechargeSeconds == 0) revert IAaveRegimeSteward.InvalidLimits("ltvRechargeSeconds");
        if (
            limits.minThresholdBps < limits.minLtvBps || limits.maxThresholdBps < limits.maxLtvBps
                || limits.minThresholdBps > limits.maxThresholdBps
        ) revert IAaveRegimeSteward.InvalidLimits("threshold");
        if (limits.maxThresholdFallAbsBps > MAX_STEP_ABS_BPS) {
            revert IAaveRegimeSteward.InvalidLimits("maxThresholdFallAbsBps");
        }
        if (limits.maxThresholdRiseAbsBps > limits.maxThresholdFallAbsBps) {
            revert IAaveRegimeSteward.InvalidLimits("maxThresholdRiseAbsBps");
        }
        if (limits.noticeSeconds < MIN_NOTICE_SECONDS) revert IAaveRegimeSteward.InvalidLimits("noticeSeconds");
    }

    /// @notice The LTV to set; its allowances in `state` are spent. It never exceeds the threshold nor an announced floor,
    /// unless it did before and its allowance does not suffice.
    /// @param target LTV that the oracle asks for.
    /// @param mayRise Whether the oracle's parameters are fresh.
    function nextLtv(
        State memory state,
        IAaveRegimeSteward.Limits memory limits,
        uint256 ltv,
        uint256 threshold,
        uint256 target,
        bool mayRise
    ) internal view returns (uint256) {
        // slither-disable-next-line incorrect-equality (zero stands for "nothing announced")
        target = target.min(state.effectiveAt == 0 ? threshold : threshold.min(state.floorBps));
        uint256 fall = ltv.zeroFloorSub(target.max(limits.minLtvBps));
        uint256 rise = mayRise ? target.min(limits.maxLtvBps).zeroFloorSub(ltv) : 0;
        uint256 recharge = limits.ltvRechargeSeconds;
        (fall, state.ltvFallFullAt) = _take(fall, limits.maxLtvFallAbsBps, recharge, state.ltvFallFullAt);
        (rise, state.ltvRiseFullAt) = _take(rise, limits.maxLtvRiseAbsBps, recharge, state.ltvRiseFullAt);
        return ltv - fall + rise;
    }

    /// @notice The liquidation threshold to set; what is announced afterwards stands in `state`.
    /// @dev A fall is announced by one poke and made by a later one, and nothing rises in between.
    /// @param target Liquidation threshold that the oracle asks for.
    /// @param ltv The LTV that is set with it.
    /// @param ceiling Highest threshold that leaves room for the liquidation bonus.
    function nextThreshold(
        State memory state,
        IAaveRegimeSteward.Limits memory limits,
        uint256 threshold,
        uint256 target,
        uint256 ltv,
        uint256 ceiling
    ) internal view returns (uint256 next) {
        next = threshold;
        if (block.timestamp < state.effectiveAt) return next;
        if (state.effectiveAt != 0) {
            uint256 fall = next.zeroFloorSub(target.max(state.floorBps).max(ltv));
            bool lapsed = block.timestamp > uint256(state.effectiveAt) + limits.noticeSeconds;
            if (!lapsed) next -= fall.min(limits.maxThresholdFallAbsBps);
            (state.floorBps, state.effectiveAt) = (0, 0);
        } else if (block.timestamp >= uint256(state.thresholdChangedAt) + limits.noticeSeconds) {
            uint256 rise = target.min(ceiling).min(limits.maxThresholdBps).zeroFloorSub(next);
            next += rise.min(limits.maxThresholdRiseAbsBps);
        }
        if (next != threshold) state.thresholdChangedAt = uint40(block.timestamp);

        uint256 floor = next.zeroFloorSub(limits.maxThresholdFallAbsBps).max(limits.minThresholdBps).max(ltv);
        if (target < next && floor < next) {
            (state.floorBps, state.effectiveAt) = (uint16(floor), uint40(block.timestamp + limits.noticeSeconds));
        }
    }

    /// @dev Takes up to `wanted` from an allowance. What is taken puts off the time of the full allowance, rounded up.
    function _take(uint256 wanted, uint256 max, uint256 rechargeSeconds, uint40 fullAt)
        private
        view
        returns (uint256 taken, uint40)
    {
        uint256 missingSeconds = uint256(fullAt).zeroFloorSub(block.timestamp);
        taken = wanted.min(max * (rechargeSeconds - missingSeconds) / rechargeSeconds);
        if (taken != 0) fullAt = uint40(block.timestamp + missingSeconds + (taken * rechargeSeconds).divUp(max));
        return (taken, fullAt);
    }
}
