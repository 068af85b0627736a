// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Grid} from "./Grid.sol";
import {PolicyLib} from "./PolicyLib.sol";
import {Words} from "./Words.sol";

/// @title RiskState
/// @notice How a market moves: from a forecast to the applied probability, and from stored words to what a reader sees.
/// @dev One number, the applied probability, moves all parameters. Limits act on it, not on single parameters, so that
/// coupled values cannot be torn apart by a limit that holds back one of them.
library RiskState {
    using Words for uint256;

    uint256 private constant BPS = 10_000;
    uint256 private constant HALF = 5_000;
    uint256 private constant HIGH_FLAG = 0x80;

    /// @notice Periods for which unused allowance adds up: a day.
    uint256 internal constant MAX_RECHARGE_PERIODS = 6;

    /// @notice Unit of a stored volatility, wad.
    uint256 internal constant VOLATILITY_UNIT_WAD = 1e10;

    /// @notice A market's parameters, which `Words` packs into one storage word. `period` is zero exactly if no update has
    /// landed.
    struct PackedParams {
        uint32 period;
        /// Landing time, in seconds after the period's start.
        uint16 landedAfterSeconds;
        /// Seconds after landing from which `next` alone holds; until then the tighter of the two, field by field.
        uint16 loosenDelaySeconds;
        uint16 probabilityHighBps;
        uint16 appliedProbabilityBps;
        /// In units of `VOLATILITY_UNIT_WAD`.
        uint32 volatility;
        /// The highest bit is the regime, the others count updates in a row that asked for Low.
        uint8 switchState;
        uint16 previousBorrowCollateralRatioBps;
        uint24 previousAmmFeePips;
        uint16 previousBorrowCapFactorBps;
        uint16 nextBorrowCollateralRatioBps;
        uint24 nextAmmFeePips;
        uint16 nextBorrowCapFactorBps;
        /// What a reader needs of the guard while nothing unusual goes on: the liquidation ratio, at rest, and the age below
        /// which the parameters are fresh. Zero where the guard must be asked.
        uint16 restingLiquidationRatioBps;
        uint24 freshSeconds;
    }

    /// @notice What a proof says about one market.
    struct Forecast {
        uint32 period;
        uint16 probabilityHighBps;
        uint64 volatilityWad;
    }

    /// @notice The state before the first update: turbulent.
    function initial() internal pure returns (PackedParams memory stored) {
        stored.appliedProbabilityBps = uint16(BPS);
        stored.switchState = uint8(HIGH_FLAG);
    }

    /// @notice The word after an update that lands now.
    /// @param stored The word before it.
    /// @param inForce What readers see before it; stays where it is tighter until looser values are effective.
    /// @return updated The word to store.
    /// @return targetBps The liquidation ratio that the ramp is to lead to.
    /// @return requestedBps The applied probability, had there been no rate limit.
    function advance(
        PackedParams memory stored,
        IRiskParameters.Params memory inForce,
        PolicyLib.PackedGuard memory guard,
        PolicyLib.PackedRules memory rules,
        Forecast memory forecast
    ) internal view returns (PackedParams memory updated, uint256 targetBps, uint256 requestedBps) {
        uint256 elapsedPeriods = forecast.period - stored.period;
        if (stored.period == 0) stored = initial();
        uint256 appliedBps;
        (updated.switchState, requestedBps, appliedBps) =
            step(stored, rules, forecast.probabilityHighBps, elapsedPeriods);
        updated.period = forecast.period;
        updated.landedAfterSeconds = uint16(block.timestamp % Grid.PERIOD_SECONDS);
        updated.loosenDelaySeconds = rules.loosenDelaySeconds;
        updated.probabilityHighBps = forecast.probabilityHighBps;
        updated.appliedProbabilityBps = uint16(appliedBps);
        updated.volatility = uint32(forecast.volatilityWad / VOLATILITY_UNIT_WAD);
        updated.previousBorrowCollateralRatioBps = inForce.borrowCollateralRatioBps;
        updated.previousAmmFeePips = inForce.ammFeePips;
        updated.previousBorrowCapFactorBps = inForce.borrowCapFactorBps;
        IRiskParameters.RiskVector memory next = PolicyLib.interpolate(guard, rules, appliedBps);
        updated.nextBorrowCollateralRatioBps = next.borrowCollateralRatioBps;
        updated.nextAmmFeePips = next.ammFeePips;
        updated.nextBorrowCapFactorBps = next.borrowCapFactorBps;
        targetBps = next.liquidationCollateralRatioBps;
    }

    /// @notice Lets readers do without the guard. Only for a ramp at rest and a guardian who withholds nothing.
    function enableFastPath(PackedParams memory stored, PolicyLib.PackedGuard memory guard) internal pure {
        if (stored.nextBorrowCollateralRatioBps < guard.rampTargetBps) return;
        stored.restingLiquidationRatioBps = guard.rampTargetBps;
        stored.freshSeconds = uint24(FixedPointMathLib.min(guard.graceAfterSeconds, Words.MAX_FRESH_SECONDS));
    }

    /// @notice Moves regime and applied probability by one forecast.
    /// @dev High as soon as a forecast reaches one half plus the margin; Low only after `dwellPeriods` updates in a row at
    /// or below one half minus the margin. While High, the applied probability stays at one half or above. It then
    /// rises and falls by at most its allowance, which grows with the periods since the last update up to
    /// `MAX_RECHARGE_PERIODS`. Every update resets the allowance, so that two steps never go further than one.
    /// All numbers are of at most 16 bits, and their products of 19: nothing overflows.
    /// @param elapsedPeriods Periods since the last update, at least 1.
    /// @return switchState The regime and the count, as stored.
    /// @return requestedBps The probability that the allowance was asked for.
    /// @return appliedBps The probability that the parameters follow.
    function step(
        PackedParams memory stored,
        PolicyLib.PackedRules memory rules,
        uint256 forecastBps,
        uint256 elapsedPeriods
    ) internal pure returns (uint8 switchState, uint256 requestedBps, uint256 appliedBps) {
        unchecked {
            bool high = stored.switchState & HIGH_FLAG != 0;
            uint256 lowCount = 0;
            if (forecastBps >= HALF + rules.marginBps) {
                high = true;
            } else if (high && forecastBps + rules.marginBps <= HALF) {
                lowCount = (stored.switchState & ~uint8(HIGH_FLAG)) + 1;
                if (lowCount >= rules.dwellPeriods) (high, lowCount) = (false, 0);
            }
            switchState = uint8(lowCount | (high ? HIGH_FLAG : 0));
            requestedBps = high ? FixedPointMathLib.max(forecastBps, HALF) : forecastBps;

            uint256 allowances = FixedPointMathLib.min(elapsedPeriods, MAX_RECHARGE_PERIODS);
            uint256 previous = stored.appliedProbabilityBps;
            appliedBps = FixedPointMathLib.clamp(
                requestedBps,
                FixedPointMathLib.zeroFloorSub(previous, allowances * rules.maxFallBpsPerPeriod),
                previous + allowances * rules.maxRiseBpsPerPeriod
            );
        }
    }

    /// @notice The liquidation ratio at the present block: from the ramp's start towards its target, upwards at the ramp's
    /// speed. A ramp never leads downwards: lower targets hold at once.
    function liquidationRatioBps(PolicyLib.PackedGuard memory guard) internal view returns (uint256) {
        unchecked {
            uint256 rise = uint256(guard.rampBpsPerDay) * (block.timestamp - guard.rampStartedAt) / 1 days;
            return FixedPointMathLib.min(guard.rampTargetBps, guard.rampStartBps + rise);
        }
    }

    /// @notice Turns the ramp towards a target, from where it is now. Must come before the ramp's speed is changed.
    function turnRamp(PolicyLib.PackedGuard memory guard, uint256 targetBps) internal view {
        guard.rampStartBps = uint16(FixedPointMathLib.min(liquidationRatioBps(guard), targetBps));
        guard.rampTargetBps = uint16(targetBps);
        guard.rampStartedAt = uint32(block.timestamp);
    }

    /// @notice See `IRiskParameters.pending`.
    /// @param word The packed parameters.
    function pending(uint256 word, PolicyLib.PackedGuard memory guard)
        internal
        pure
        returns (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 liquidationReachedAt)
    {
        PackedParams memory stored = word.unpackParams();
        next = IRiskParameters.RiskVector({
            borrowCollateralRatioBps: stored.nextBorrowCollateralRatioBps,
            liquidationCollateralRatioBps: guard.rampTargetBps,
            ammFeePips: stored.nextAmmFeePips,
            borrowCapFactorBps: stored.nextBorrowCapFactorBps
        });
        effectiveAt = word.landedAt() + stored.loosenDelaySeconds;
        liquidationReachedAt = guard.rampStartedAt;
        if (guard.rampBpsPerDay != 0) {
            liquidationReachedAt += FixedPointMathLib.divUp(
                uint256(guard.rampTargetBps - guard.rampStartBps) * 1 days, guard.rampBpsPerDay
            );
        }
    }

    /// @notice What a reader sees.
    /// @param word The packed parameters.
    /// @param withheld Whether something outside these two words withholds the values.
    function read(uint256 word, PolicyLib.PackedGuard memory guard, bool withheld)
        internal
        view
        returns (IRiskParameters.Params memory current, IRiskParameters.Status status)
    {
        if (word == 0) {
            if (guard.graceAfterSeconds == 0) return (current, IRiskParameters.Status.Unset);
            current.probabilityHighBps = uint16(BPS);
            current.appliedProbabilityBps = uint16(BPS);
            current.regime = 1;
        } else {
            word.readFastPath(current);
            status = _status(current.period, guard, withheld);
            _mix(current, word.unpackParams());
        }
        current.liquidationCollateralRatioBps = uint16(liquidationRatioBps(guard));
        if (status != IRiskParameters.Status.Fresh && status != IRiskParameters.Status.Grace) {
            _tighten(current, guard, word == 0);
        }
        current.borrowCollateralRatioBps =
            uint16(FixedPointMathLib.max(current.borrowCollateralRatioBps, current.liquidationCollateralRatioBps));
    }

    function _status(uint256 period, PolicyLib.PackedGuard memory guard, bool withheld)
        private
        view
        returns (IRiskParameters.Status)
    {
        if (withheld || block.timestamp < guard.pausedUntil || period <= guard.disabledPeriod) {
            return IRiskParameters.Status.Withheld;
        }
        uint256 ageSeconds = block.timestamp - period * Grid.PERIOD_SECONDS;
        if (ageSeconds < guard.graceAfterSeconds) return IRiskParameters.Status.Fresh;
        return ageSeconds < guard.staleAfterSeconds ? IRiskParameters.Status.Grace : IRiskParameters.Status.Stale;
    }

    /// @dev Until looser values are effective, the tighter of the previous and the next, field by field.
    function _mix(IRiskParameters.Params memory current, PackedParams memory stored) private view {
        if (block.timestamp >= uint256(current.updatedAt) + stored.loosenDelaySeconds) return;
        if (stored.previousBorrowCollateralRatioBps > current.borrowCollateralRatioBps) {
            current.borrowCollateralRatioBps = stored.previousBorrowCollateralRatioBps;
        }
        if (stored.previousAmmFeePips > current.ammFeePips) current.ammFeePips = stored.previousAmmFeePips;
        if (stored.previousBorrowCapFactorBps < current.borrowCapFactorBps) {
            current.borrowCapFactorBps = stored.previousBorrowCapFactorBps;
        }
    }

    /// @dev At least as tight as the turbulent vector. Empty parameters become that vector. The liquidation ratio stays.
    function _tighten(IRiskParameters.Params memory current, PolicyLib.PackedGuard memory guard, bool empty)
        private
        pure
    {
        if (guard.turbulentBorrowCollateralRatioBps > current.borrowCollateralRatioBps) {
            current.borrowCollateralRatioBps = guard.turbulentBorrowCollateralRatioBps;
        }
        if (guard.turbulentAmmFeePips > current.ammFeePips) current.ammFeePips = guard.turbulentAmmFeePips;
        if (empty || guard.turbulentBorrowCapFactorBps < current.borrowCapFactorBps) {
            current.borrowCapFactorBps = guard.turbulentBorrowCapFactorBps;
        }
    }
}
