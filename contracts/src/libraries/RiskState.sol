// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {PolicyLib} from "./PolicyLib.sol";
import {BPS} from "./Units.sol";

/// @title RiskState
/// @notice How a market moves: from a forecast to the applied volatility, and from stored words to what a reader sees.
/// @dev One number, the applied volatility, moves all parameters. Limits act on it, not on single parameters, so that
/// coupled values cannot be torn apart by a limit that holds back one of them.
library RiskState {
    using FixedPointMathLib for uint256;
    using PolicyLib for IRegimeRiskOracle.Policy;

    /// @notice Periods for which unused allowance adds up.
    uint256 internal constant MAX_RECHARGE_PERIODS = 6;

    /// @notice Longest pause that a market's allowance is good for.
    uint256 internal constant MAX_PAUSE_SECONDS = 7 days;

    /// @dev The ramp counts in bps-seconds a day: at `n` bps a day it moves `n` of them a second, and nothing is rounded.
    uint256 internal constant RAMP_UNIT = 1 days;

    /// @notice Everything that is stored of a market but its owner and its policy, in two words: see `Words`. `periodStart` is zero exactly
    /// if no update has landed.
    struct State {
        uint40 periodStart;
        /// Landing time, in seconds after the period's start; less than a day.
        uint24 landedAfterSeconds;
        uint16 probabilityHighBps;
        /// Updates in a row that asked for looser values.
        uint8 looserCount;
        uint16 previousBorrowCollateralRatioBps;
        uint24 previousAmmFeePips;
        uint16 previousBorrowCapFactorBps;
        uint16 nextBorrowCollateralRatioBps;
        uint24 nextAmmFeePips;
        uint16 nextBorrowCapFactorBps;
        uint32 volatilityE9;
        uint32 appliedVolatilityE9;
        /// Seconds after landing from which the next values alone hold; until then the tighter of the two, field by field.
        /// The second word begins here.
        uint24 loosenDelaySeconds;
        /// Age, from the period's start, at which the last update stops being fresh.
        uint24 graceAfterSeconds;
        /// Age at which it becomes stale.
        uint24 staleAfterSeconds;
        uint40 pausedUntil;
        /// The ramp: where it was, in `RAMP_UNIT`s of a bps, when, where it leads, and how fast.
        uint40 rampFrom;
        uint40 rampSince;
        uint16 rampTargetBps;
        uint16 rampBpsPerDay;
    }

    /// @notice What a proof says about one market.
    struct Forecast {
        uint40 periodStart;
        uint32 periodSeconds;
        uint16 probabilityHighBps;
        uint32 volatilityE9;
    }

    /* UPDATES */

    /// @notice Moves a market by one forecast that lands now.
    /// @param inForce What readers see before it; it stays where it is tighter until looser values are effective.
    /// @return requestedE9 The applied volatility, had there been no rate limit.
    /// @return next What holds once looser values do; its liquidation ratio is what the ramp is to lead to.
    function advance(
        State memory state,
        IRegimeRiskOracle.Policy memory policy,
        Forecast memory forecast,
        IRiskParameters.Params memory inForce
    ) internal view returns (uint256 requestedE9, IRiskParameters.RiskVector memory next) {
        uint256 appliedE9;
        (requestedE9, appliedE9, state.looserCount) = step(state, policy, forecast);

        next = policy.vectorAt(appliedE9);
        state.previousBorrowCollateralRatioBps = inForce.borrowCollateralRatioBps;
        state.previousAmmFeePips = inForce.ammFeePips;
        state.previousBorrowCapFactorBps = inForce.borrowCapFactorBps;
        _setNext(state, next);
        state.periodStart = forecast.periodStart;
        state.landedAfterSeconds = uint24(block.timestamp - forecast.periodStart);
        state.loosenDelaySeconds = policy.loosenDelaySeconds;
        state.graceAfterSeconds = uint24(uint256(forecast.periodSeconds) * policy.graceAfterBps / BPS);
        state.staleAfterSeconds = uint24(uint256(forecast.periodSeconds) * policy.staleAfterBps / BPS);
        state.probabilityHighBps = forecast.probabilityHighBps;
        state.volatilityE9 = forecast.volatilityE9;
        state.appliedVolatilityE9 = uint32(appliedE9);
    }

    /// @notice Moves the applied volatility by one forecast.
    /// @dev Up as soon as a forecast is higher; down only after `dwellPeriods` updates in a row that lie below it by more
    /// than the margin. It then rises and falls by at most its allowance, which grows with the time since the last update
    /// landed: two updates a second apart have a second's allowance between them, whatever their periods.
    /// @return requestedE9 The volatility that the allowance was asked for.
    /// @return appliedE9 The volatility that the parameters follow.
    /// @return looserCount Updates in a row that asked for looser values, as stored.
    function step(State memory state, IRegimeRiskOracle.Policy memory policy, Forecast memory forecast)
        internal
        view
        returns (uint256 requestedE9, uint256 appliedE9, uint8 looserCount)
    {
        unchecked {
            (uint256 lowest, uint256 highest) = policy.span();
            uint256 previousE9 = uint256(state.appliedVolatilityE9).clamp(lowest, highest);
            uint256 forecastE9 = uint256(forecast.volatilityE9).clamp(lowest, highest);
            uint256 marginE9 = (highest - lowest) * policy.marginBps / BPS;

            requestedE9 = previousE9;
            if (forecastE9 >= previousE9) {
                requestedE9 = forecastE9;
            } else if (forecastE9 + marginE9 < previousE9) {
                looserCount = uint8((uint256(state.looserCount) + 1).min(policy.dwellPeriods));
                if (looserCount >= policy.dwellPeriods) requestedE9 = forecastE9;
            }

            uint256 periodSeconds = forecast.periodSeconds;
            uint256 elapsed = (block.timestamp - _landedAt(state)).min(MAX_RECHARGE_PERIODS * periodSeconds);
            uint256 allowance = (highest - lowest) * elapsed;
            uint256 rise = policy.maxRiseBpsPerPeriod == BPS
                ? highest
                : allowance * policy.maxRiseBpsPerPeriod / (BPS * periodSeconds);
            uint256 fall = policy.maxFallBpsPerPeriod == BPS
                ? highest
                : allowance * policy.maxFallBpsPerPeriod / (BPS * periodSeconds);
            appliedE9 = requestedE9.clamp(previousE9.zeroFloorSub(fall), previousE9 + rise);
        }
    }

    /// @notice What a market has before its first update: the tightest vector.
    /// @param atRest Whether the ramp is to begin at its end.
    function begin(State memory state, IRegimeRiskOracle.Policy memory policy, bool atRest) internal pure {
        IRiskParameters.RiskVector memory tightest = policy.tightest();
        _setNext(state, tightest);
        (, uint256 highest) = policy.span();
        state.appliedVolatilityE9 = uint32(highest);
        if (!atRest) return;
        state.rampTargetBps = tightest.liquidationCollateralRatioBps;
        state.rampFrom = uint40(tightest.liquidationCollateralRatioBps * RAMP_UNIT);
    }

    /* THE RAMP */

    /// @notice The liquidation ratio at the present block: from where the ramp was towards its target, upwards at its speed.
    function liquidationRatioBps(State memory state) internal view returns (uint256) {
        return _rampNow(state) / RAMP_UNIT;
    }

    /// @notice Leads the ramp to another target, at another speed from now on. It goes on from where it is, to the second:
    /// nothing that it has climbed is lost, however often it turns. A lower target holds at once.
    function turnRamp(State memory state, uint256 targetBps, uint256 bpsPerDay) internal view {
        state.rampFrom = uint40(_rampNow(state).min(targetBps * RAMP_UNIT));
        state.rampSince = uint40(block.timestamp);
        (state.rampTargetBps, state.rampBpsPerDay) = (uint16(targetBps), uint16(bpsPerDay));
    }

    /// @notice Where a ramp is now, in `RAMP_UNIT`s of a bps.
    function rampNow(uint256 from, uint256 since, uint256 targetBps, uint256 bpsPerDay)
        internal
        view
        returns (uint256)
    {
        unchecked {
            return (from + bpsPerDay * (block.timestamp - since)).min(targetBps * RAMP_UNIT);
        }
    }

    function _rampNow(State memory state) private view returns (uint256) {
        return rampNow(state.rampFrom, state.rampSince, state.rampTargetBps, state.rampBpsPerDay);
    }

    /* THE PAUSE */

    /// @notice Pauses until a time, or lifts a pause.
    /// @param fullAt Unix time at which the allowance would be full again.
    /// @return Its new value.
    function pause(State memory state, uint256 untilTimestamp, uint256 fullAt) internal view returns (uint256) {
        // What still runs was taken, and once more for the time in which it gives nothing back.
        uint256 runs = uint256(state.pausedUntil).zeroFloorSub(block.timestamp);
        uint256 missing = fullAt.zeroFloorSub(block.timestamp) - 2 * runs;
        uint256 wanted = untilTimestamp.zeroFloorSub(block.timestamp);
        if (missing + wanted > MAX_PAUSE_SECONDS) {
            revert IRegimeRiskOracle.PauseTooLong(untilTimestamp, block.timestamp + MAX_PAUSE_SECONDS - missing);
        }
        state.pausedUntil = uint40(block.timestamp + wanted);
        return block.timestamp + missing + 2 * wanted;
    }

    /* READS */

    /// @notice Makes parameters at least as tight as a vector. The liquidation ratio stays.
    function tighten(IRiskParameters.Params memory params, IRiskParameters.RiskVector memory vector) internal pure {
        tightenTo(params, vector.borrowCollateralRatioBps, vector.ammFeePips, vector.borrowCapFactorBps);
    }

    /// @notice See `IRiskParameters.pending`.
    function pending(State memory state)
        internal
        pure
        returns (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 liquidationReachedAt)
    {
        unchecked {
            next = IRiskParameters.RiskVector({
                borrowCollateralRatioBps: uint16(uint256(state.nextBorrowCollateralRatioBps).max(state.rampTargetBps)),
                liquidationCollateralRatioBps: state.rampTargetBps,
                ammFeePips: state.nextAmmFeePips,
                borrowCapFactorBps: state.nextBorrowCapFactorBps
            });
            effectiveAt = _landedAt(state) + state.loosenDelaySeconds;
            liquidationReachedAt = state.rampSince;
            if (state.rampBpsPerDay != 0) {
                uint256 left = uint256(state.rampTargetBps) * RAMP_UNIT - state.rampFrom;
                liquidationReachedAt += left.divUp(state.rampBpsPerDay);
            }
        }
    }

    function _setNext(State memory state, IRiskParameters.RiskVector memory next) private pure {
        state.nextBorrowCollateralRatioBps = next.borrowCollateralRatioBps;
        state.nextAmmFeePips = next.ammFeePips;
        state.nextBorrowCapFactorBps = next.borrowCapFactorBps;
    }

    function _landedAt(State memory state) private pure returns (uint256) {
        return uint256(state.periodStart) + state.landedAfterSeconds;
    }

    /// @notice The same, value by value.
    function tightenTo(
        IRiskParameters.Params memory params,
        uint256 borrowRatioBps,
        uint256 feePips,
        uint256 capFactorBps
    ) internal pure {
        if (borrowRatioBps > params.borrowCollateralRatioBps) {
            params.borrowCollateralRatioBps = uint16(borrowRatioBps);
        }
        if (feePips > params.ammFeePips) params.ammFeePips = uint24(feePips);
        if (capFactorBps < params.borrowCapFactorBps) params.borrowCapFactorBps = uint16(capFactorBps);
    }
}
