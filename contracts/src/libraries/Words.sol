// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {RiskState} from "./RiskState.sol";

/// @title Words
/// @notice A market's state as two storage words, first field lowest.
/// @dev By hand, because the compiler's own way reads and writes storage once a field.
library Words {
    /// @notice The period of the last update begins here; the low 40 bits of the first word.
    function periodStart(uint256 first) internal pure returns (uint256) {
        return uint40(first);
    }

    /// @notice Fills in what the last update says now, whatever its age; before the first, what `RiskState.begin` has set.
    /// @dev Straight from the words, because every reader pays for it. The liquidation ratio is the ramp's.
    function readCurrent(IRiskParameters.Params memory params, uint256 first, uint256 second) internal view {
        unchecked {
            uint256 landedAt = uint256(uint40(first)) + uint24(first >> 40);
            uint256 ramp = RiskState.rampNow(
                uint40(second >> 128), uint40(second >> 168), uint16(second >> 208), uint16(second >> 224)
            );
            uint256 liquidationRatioBps = ramp / RiskState.RAMP_UNIT;
            uint256 borrowRatioBps = uint16(first >> 192);
            if (borrowRatioBps < liquidationRatioBps) borrowRatioBps = liquidationRatioBps;
            params.periodStart = uint40(first);
            params.updatedAt = uint40(landedAt);
            params.borrowCollateralRatioBps = uint16(borrowRatioBps);
            params.liquidationCollateralRatioBps = uint16(liquidationRatioBps);
            params.ammFeePips = uint24(first >> 208);
            params.borrowCapFactorBps = uint16(first >> 232);
            params.probabilityHighBps = uint16(first >> 112);
            params.volatilityE9 = uint32(second >> 24);
            params.appliedVolatilityE9 = uint32(second >> 56);
            if (block.timestamp < landedAt + uint24(first >> 64)) {
                RiskState.tightenTo(params, uint16(first >> 136), uint24(first >> 152), uint16(first >> 176));
            }
        }
    }

    /// @notice The status of a market, but for its sequencer.
    function status(uint256 first, uint256 second) internal view returns (IRiskParameters.Status) {
        unchecked {
            if (uint40(first) == 0) return IRiskParameters.Status.Unset;
            if (block.timestamp < uint40(second >> 88)) return IRiskParameters.Status.Withheld;
            uint256 ageSeconds = block.timestamp - uint40(first);
            if (ageSeconds < uint24(first >> 88)) return IRiskParameters.Status.Fresh;
            return ageSeconds < uint24(second) ? IRiskParameters.Status.Grace : IRiskParameters.Status.Stale;
        }
    }

    /// @notice 248 and 240 bits.
    function pack(RiskState.State memory state) internal pure returns (uint256 first, uint256 second) {
        first = uint256(state.periodStart);
        first |= uint256(state.landedAfterSeconds) << 40;
        first |= uint256(state.loosenDelaySeconds) << 64;
        first |= uint256(state.graceAfterSeconds) << 88;
        first |= uint256(state.probabilityHighBps) << 112;
        first |= uint256(state.looserCount) << 128;
        first |= uint256(state.previousBorrowCollateralRatioBps) << 136;
        first |= uint256(state.previousAmmFeePips) << 152;
        first |= uint256(state.previousBorrowCapFactorBps) << 176;
        first |= uint256(state.nextBorrowCollateralRatioBps) << 192;
        first |= uint256(state.nextAmmFeePips) << 208;
        first |= uint256(state.nextBorrowCapFactorBps) << 232;
        second = uint256(state.staleAfterSeconds);
        second |= uint256(state.volatilityE9) << 24;
        second |= uint256(state.appliedVolatilityE9) << 56;
        second |= uint256(state.pausedUntil) << 88;
        second |= uint256(state.rampFrom) << 128;
        second |= uint256(state.rampSince) << 168;
        second |= uint256(state.rampTargetBps) << 208;
        second |= uint256(state.rampBpsPerDay) << 224;
    }

    /// @notice The inverse of `pack`.
    function unpack(uint256 first, uint256 second) internal pure returns (RiskState.State memory state) {
        state.periodStart = uint40(first);
        state.landedAfterSeconds = uint24(first >> 40);
        state.loosenDelaySeconds = uint24(first >> 64);
        state.graceAfterSeconds = uint24(first >> 88);
        state.probabilityHighBps = uint16(first >> 112);
        state.looserCount = uint8(first >> 128);
        state.previousBorrowCollateralRatioBps = uint16(first >> 136);
        state.previousAmmFeePips = uint24(first >> 152);
        state.previousBorrowCapFactorBps = uint16(first >> 176);
        state.nextBorrowCollateralRatioBps = uint16(first >> 192);
        state.nextAmmFeePips = uint24(first >> 208);
        state.nextBorrowCapFactorBps = uint16(first >> 232);
        state.staleAfterSeconds = uint24(second);
        state.volatilityE9 = uint32(second >> 24);
        state.appliedVolatilityE9 = uint32(second >> 56);
        state.pausedUntil = uint40(second >> 88);
        state.rampFrom = uint40(second >> 128);
        state.rampSince = uint40(second >> 168);
        state.rampTargetBps = uint16(second >> 208);
        state.rampBpsPerDay = uint16(second >> 224);
    }
}
