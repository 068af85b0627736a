// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Grid} from "./Grid.sol";
import {PolicyLib} from "./PolicyLib.sol";
import {RiskState} from "./RiskState.sol";

/// @title Words
/// @notice A market's three structs as storage words, first field lowest.
/// @dev By hand, because the compiler's own way writes storage once a field and repeats its code at each use.
library Words {
    /// @dev Longest freshness that a reader can be told without asking the guard.
    uint256 internal constant MAX_FRESH_SECONDS = 2 ** 20 - 1;

    /// @notice 256 bits. Every field is within its width: periods until the year 9600, seconds of a period, bps up to
    /// 10_000, pips up to 1_000_000.
    function pack(RiskState.PackedParams memory params) internal pure returns (uint256 word) {
        word = uint256(params.period);
        word |= uint256(params.landedAfterSeconds) << 24;
        word |= uint256(params.loosenDelaySeconds) << 38;
        word |= uint256(params.probabilityHighBps) << 52;
        word |= uint256(params.appliedProbabilityBps) << 66;
        word |= uint256(params.volatility) << 80;
        word |= uint256(params.switchState) << 112;
        word |= uint256(params.previousBorrowCollateralRatioBps) << 120;
        word |= uint256(params.previousAmmFeePips) << 136;
        word |= uint256(params.previousBorrowCapFactorBps) << 156;
        word |= uint256(params.nextBorrowCollateralRatioBps) << 170;
        word |= uint256(params.nextAmmFeePips) << 186;
        word |= uint256(params.nextBorrowCapFactorBps) << 206;
        word |= uint256(params.restingLiquidationRatioBps) << 220;
        word |= uint256(params.freshSeconds) << 236;
    }

    /// @notice The inverse of `pack`.
    function unpackParams(uint256 word) internal pure returns (RiskState.PackedParams memory params) {
        params.period = uint32(word & 0xffffff);
        params.landedAfterSeconds = uint16((word >> 24) & 0x3fff);
        params.loosenDelaySeconds = uint16((word >> 38) & 0x3fff);
        params.probabilityHighBps = uint16((word >> 52) & 0x3fff);
        params.appliedProbabilityBps = uint16((word >> 66) & 0x3fff);
        params.volatility = uint32(word >> 80);
        params.switchState = uint8(word >> 112);
        params.previousBorrowCollateralRatioBps = uint16(word >> 120);
        params.previousAmmFeePips = uint24((word >> 136) & 0xfffff);
        params.previousBorrowCapFactorBps = uint16((word >> 156) & 0x3fff);
        params.nextBorrowCollateralRatioBps = uint16(word >> 170);
        params.nextAmmFeePips = uint24((word >> 186) & 0xfffff);
        params.nextBorrowCapFactorBps = uint16((word >> 206) & 0x3fff);
        params.restingLiquidationRatioBps = uint16(word >> 220);
        params.freshSeconds = uint24((word >> 236) & 0xfffff);
    }

    /// @notice Unix time at which the last update landed.
    function landedAt(uint256 word) internal pure returns (uint256) {
        unchecked {
            return (word & 0xffffff) * Grid.PERIOD_SECONDS + ((word >> 24) & 0x3fff);
        }
    }

    /// @notice Whether `readFastPath` tells all there is to tell. Both work on the word itself, because every reader pays for them.
    function onFastPath(uint256 word) internal view returns (bool) {
        unchecked {
            uint256 ageSeconds = block.timestamp - (word & 0xffffff) * Grid.PERIOD_SECONDS;
            return ageSeconds < word >> 236 && ageSeconds >= ((word >> 24) & 0x3fff) + ((word >> 38) & 0x3fff);
        }
    }

    /// @notice Fills in what a reader sees while nothing unusual goes on.
    function readFastPath(uint256 word, IRiskParameters.Params memory current) internal pure {
        current.period = uint40(word & 0xffffff);
        current.updatedAt = uint40(landedAt(word));
        current.borrowCollateralRatioBps = uint16(word >> 170);
        current.liquidationCollateralRatioBps = uint16(word >> 220);
        current.ammFeePips = uint24((word >> 186) & 0xfffff);
        current.borrowCapFactorBps = uint16((word >> 206) & 0x3fff);
        current.probabilityHighBps = uint16((word >> 52) & 0x3fff);
        current.appliedProbabilityBps = uint16((word >> 66) & 0x3fff);
        current.volatilityWad = uint64(uint32(word >> 80) * RiskState.VOLATILITY_UNIT_WAD);
        current.regime = uint8(word >> 119) & 1;
    }

    /// @notice Packed parameters whose readers must consult the guard: without `restingLiquidationRatioBps` and `freshSeconds`.
    function withoutFastPath(uint256 word) internal pure returns (uint256) {
        return word & (2 ** 220 - 1);
    }

    /// @notice 256 bits.
    function pack(PolicyLib.PackedGuard memory guard) internal pure returns (uint256 word) {
        word = uint256(guard.turbulentBorrowCollateralRatioBps);
        word |= uint256(guard.turbulentAmmFeePips) << 16;
        word |= uint256(guard.turbulentBorrowCapFactorBps) << 40;
        word |= uint256(guard.graceAfterSeconds) << 56;
        word |= uint256(guard.staleAfterSeconds) << 80;
        word |= uint256(guard.rampStartBps) << 104;
        word |= uint256(guard.rampTargetBps) << 120;
        word |= uint256(guard.rampBpsPerDay) << 136;
        word |= uint256(guard.rampStartedAt) << 152;
        word |= uint256(guard.pausedUntil) << 184;
        word |= uint256(guard.disabledPeriod) << 224;
    }

    /// @notice The inverse of `pack`.
    function unpackGuard(uint256 word) internal pure returns (PolicyLib.PackedGuard memory guard) {
        guard.turbulentBorrowCollateralRatioBps = uint16(word);
        guard.turbulentAmmFeePips = uint24(word >> 16);
        guard.turbulentBorrowCapFactorBps = uint16(word >> 40);
        guard.graceAfterSeconds = uint24(word >> 56);
        guard.staleAfterSeconds = uint24(word >> 80);
        guard.rampStartBps = uint16(word >> 104);
        guard.rampTargetBps = uint16(word >> 120);
        guard.rampBpsPerDay = uint16(word >> 136);
        guard.rampStartedAt = uint32(word >> 152);
        guard.pausedUntil = uint40(word >> 184);
        guard.disabledPeriod = uint32(word >> 224);
    }

    /// @notice 168 bits.
    function pack(PolicyLib.PackedRules memory rules) internal pure returns (uint256 word) {
        word = uint256(rules.calmBorrowCollateralRatioBps);
        word |= uint256(rules.calmLiquidationCollateralRatioBps) << 16;
        word |= uint256(rules.calmAmmFeePips) << 32;
        word |= uint256(rules.calmBorrowCapFactorBps) << 56;
        word |= uint256(rules.turbulentLiquidationCollateralRatioBps) << 72;
        word |= uint256(rules.marginBps) << 88;
        word |= uint256(rules.dwellPeriods) << 104;
        word |= uint256(rules.maxRiseBpsPerPeriod) << 112;
        word |= uint256(rules.maxFallBpsPerPeriod) << 128;
        word |= uint256(rules.loosenDelaySeconds) << 144;
        word |= uint256(rules.priceChecked ? 1 : 0) << 160;
    }

    /// @notice The inverse of `pack`.
    function unpackRules(uint256 word) internal pure returns (PolicyLib.PackedRules memory rules) {
        rules.calmBorrowCollateralRatioBps = uint16(word);
        rules.calmLiquidationCollateralRatioBps = uint16(word >> 16);
        rules.calmAmmFeePips = uint24(word >> 32);
        rules.calmBorrowCapFactorBps = uint16(word >> 56);
        rules.turbulentLiquidationCollateralRatioBps = uint16(word >> 72);
        rules.marginBps = uint16(word >> 88);
        rules.dwellPeriods = uint8(word >> 104);
        rules.maxRiseBpsPerPeriod = uint16(word >> 112);
        rules.maxFallBpsPerPeriod = uint16(word >> 128);
        rules.loosenDelaySeconds = uint16(word >> 144);
        rules.priceChecked = uint8(word >> 160) != 0;
    }
}
