// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {RiskState} from "./RiskState.sol";

/// @title Words
/// @notice A market's state as two storage words, first field lowest.
/// @dev By hand, because the compiler's own way reads and writes storage once a field. Every update changes the first word;
/// the second changes only with the policy, the pause and the ramp's target, and writing back what is there costs nearly
/// nothing.
library Words {
    /// @notice The period of the last update begins here; the low 40 bits of the first word.
    function periodStart(uint256 first) internal pure returns (uint256) {
        return uint40(first);
    }

    /// @notice Fills in what the last update says now, whatever its age; before the first, what `RiskState.begin` has set.
    /// @dev Straight from the words, because every reader pays for it. The liquidation ratio is the ramp's.
    function readCurrent(IRiskParameters.Params memory params, uint256 first, uint256 second) internal view {
        unchecked {
            uint256 landedAt = uint256(uint40(first)) + uint24((first >> 40) & 0x1ffff);
            uint256 ramp = RiskState.rampNow(
                uint40(second >> 112), uint40(second >> 152), uint16(second >> 192), uint16(second >> 208)
            );
            uint256 liquidationRatioBps = ramp / RiskState.RAMP_UNIT;
            uint256 borrowRatioBps = uint16(first >> 135);
            if (borrowRatioBps < liquidationRatioBps) borrowRatioBps = liquidationRatioBps;
            params.periodStart = uint40(first);
            params.updatedAt = uint40(landedAt);
            params.borrowCollateralRatioBps = uint16(borrowRatioBps);
            params.liquidationCollateralRatioBps = uint16(liquidationRatioBps);
            params.ammFeePips = uint24(first >> 151);
            params.borrowCapFactorBps = uint16(first >> 175);
            params.probabilityHighBps = uint16((first >> 57) & 0x3fff);
            params.volatilityE9 = uint32(first >> 191);
            params.appliedVolatilityE9 = uint32(first >> 223);
            if (block.timestamp < landedAt + uint24(second)) {
                RiskState.tightenTo(params, uint16(first >> 79), uint24(first >> 95), uint16(first >> 119));
            }
        }
    }

    /// @notice The status of a market, but for its sequencer.
    function status(uint256 first, uint256 second) internal view returns (IRiskParameters.Status) {
        unchecked {
            if (uint40(first) == 0) return IRiskParameters.Status.Unset;
            if (block.timestamp < uint40(second >> 72)) return IRiskParameters.Status.Withheld;
            uint256 ageSeconds = block.timestamp - uint40(first);
            if (ageSeconds < uint24(second >> 24)) return IRiskParameters.Status.Fresh;
            return ageSeconds < uint24(second >> 48) ? IRiskParameters.Status.Grace : IRiskParameters.Status.Stale;
        }
    }

    /// @notice 255 and 224 bits. An update lands within its period, which is of a day at most: 17 bits; a probability is at
    /// most 10_000 bps: 14 bits.
    function pack(RiskState.State memory state) internal pure returns (uint256 first, uint256 second) {
        first = uint256(state.periodStart);
        first |= uint256(state.landedAfterSeconds) << 40;
        first |= uint256(state.probabilityHighBps) << 57;
        first |= uint256(state.looserCount) << 71;
        first |= uint256(state.previousBorrowCollateralRatioBps) << 79;
        first |= uint256(state.previousAmmFeePips) << 95;
        first |= uint256(state.previousBorrowCapFactorBps) << 119;
        first |= uint256(state.nextBorrowCollateralRatioBps) << 135;
        first |= uint256(state.nextAmmFeePips) << 151;
        first |= uint256(state.nextBorrowCapFactorBps) << 175;
        first |= uint256(state.volatilityE9) << 191;
        first |= uint256(state.appliedVolatilityE9) << 223;
        second = uint256(state.loosenDelaySeconds);
        second |= uint256(state.graceAfterSeconds) << 24;
        second |= uint256(state.staleAfterSeconds) << 48;
        second |= uint256(state.pausedUntil) << 72;
        second |= uint256(state.rampFrom) << 112;
        second |= uint256(state.rampSince) << 152;
        second |= uint256(state.rampTargetBps) << 192;
        second |= uint256(state.rampBpsPerDay) << 208;
    }

    /// @notice The inverse of `pack`.
    function unpack(uint256 first, uint256 second) internal pure returns (RiskState.State memory state) {
        state.periodStart = uint40(first);
        state.landedAfterSeconds = uint24((first >> 40) & 0x1ffff);
        state.probabilityHighBps = uint16((first >> 57) & 0x3fff);
        state.looserCount = uint8(first >> 71);
        state.previousBorrowCollateralRatioBps = uint16(first >> 79);
        state.previousAmmFeePips = uint24(first >> 95);
        state.previousBorrowCapFactorBps = uint16(first >> 119);
        state.nextBorrowCollateralRatioBps = uint16(first >> 135);
        state.nextAmmFeePips = uint24(first >> 151);
        state.nextBorrowCapFactorBps = uint16(first >> 175);
        state.volatilityE9 = uint32(first >> 191);
        state.appliedVolatilityE9 = uint32(first >> 223);
        state.loosenDelaySeconds = uint24(second);
        state.graceAfterSeconds = uint24(second >> 24);
        state.staleAfterSeconds = uint24(second >> 48);
        state.pausedUntil = uint40(second >> 72);
        state.rampFrom = uint40(second >> 112);
        state.rampSince = uint40(second >> 152);
        state.rampTargetBps = uint16(second >> 192);
        state.rampBpsPerDay = uint16(second >> 208);
    }
}
