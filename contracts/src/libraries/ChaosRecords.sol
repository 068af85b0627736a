// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {DateTimeLib} from "solady/utils/DateTimeLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibString} from "solady/utils/LibString.sol";
import {VeriRegimeConsumer} from "../consumers/VeriRegimeConsumer.sol";
import {IChaosRiskOracle} from "../interfaces/external/IChaosRiskOracle.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {BPS} from "./Units.sol";

/// @title ChaosRecords
/// @notice What `ChaosRiskOracle` keeps of a market, when that is still true, and how it reads as an update.
library ChaosRecords {
    /// @notice Update types, hence identifiers, in a record.
    uint256 internal constant TYPE_COUNT = 6;

    /// @dev How long a recorded fallback holds: the slot of the UTC day that it was recorded in.
    uint256 private constant FALLBACK_SECONDS = 4 hours;

    /// @notice A market's parameters as they were in one block: one storage word.
    struct Record {
        /// Unix time in seconds at which the forecast landed; of a fallback, at which it was recorded.
        uint40 timestamp;
        /// Unix time in seconds at which the forecast's period begins.
        uint40 periodStart;
        IRiskParameters.Status status;
        /// Position of the market in the facade's list.
        uint8 marketIndex;
        uint16 borrowCollateralRatioBps;
        uint16 liquidationCollateralRatioBps;
        uint24 ammFeePips;
        uint16 borrowCapFactorBps;
        uint16 probabilityHighBps;
        uint32 appliedVolatilityE9;
        /// Number of the market's record before this one, counted from 1; 0 if this is the first.
        uint40 previous;
    }

    /// @notice What a record taken now holds.
    /// @param last The market's last record, empty if there is none.
    /// @param liquidationStepBps Most that the liquidation ratio rises with a new forecast, in bps of the debt.
    function take(
        IRiskParameters.Params memory current,
        IRiskParameters.Status status,
        Record memory last,
        uint256 liquidationStepBps
    ) internal view returns (Record memory taken) {
        bool reliable = VeriRegimeConsumer.isReliable(status);
        taken.timestamp = reliable ? current.updatedAt : uint40(block.timestamp);
        taken.periodStart = current.periodStart;
        taken.status = status;
        taken.borrowCollateralRatioBps = current.borrowCollateralRatioBps;
        taken.ammFeePips = current.ammFeePips;
        taken.borrowCapFactorBps = current.borrowCapFactorBps;
        taken.probabilityHighBps = reliable ? current.probabilityHighBps : uint16(BPS);
        taken.appliedVolatilityE9 = current.appliedVolatilityE9;
        taken.liquidationCollateralRatioBps = current.liquidationCollateralRatioBps;
        // No record has a ratio of zero.
        if (last.liquidationCollateralRatioBps != 0) {
            uint256 stepBps = reliable && taken.periodStart > last.periodStart ? liquidationStepBps : 0;
            taken.liquidationCollateralRatioBps = uint16(
                FixedPointMathLib.min(
                    current.liquidationCollateralRatioBps, last.liquidationCollateralRatioBps + stepBps
                )
            );
        }
    }

    /// @notice Whether a record still says what one taken now would. `Fresh` and `Grace` are the same here, and so are `Stale`
    /// and `Withheld`: the values are. A fallback holds until the 4-hour slot in which it was recorded ends.
    function holds(Record memory last, Record memory taken) internal view returns (bool) {
        bool reliable = VeriRegimeConsumer.isReliable(last.status);
        if (reliable != VeriRegimeConsumer.isReliable(taken.status)) return false;
        // slither-disable-next-line incorrect-equality (slots, not seconds, are compared)
        bool timely = reliable || last.timestamp / FALLBACK_SECONDS == block.timestamp / FALLBACK_SECONDS;
        return timely && last.periodStart == taken.periodStart
            && last.borrowCollateralRatioBps == taken.borrowCollateralRatioBps
            && last.liquidationCollateralRatioBps == taken.liquidationCollateralRatioBps
            && last.ammFeePips == taken.ammFeePips && last.borrowCapFactorBps == taken.borrowCapFactorBps
            && last.probabilityHighBps == taken.probabilityHighBps
            && last.appliedVolatilityE9 == taken.appliedVolatilityE9;
    }

    /// @notice Name of an update type, 0 to 5.
    function typeName(uint256 typeIndex) internal pure returns (string memory) {
        if (typeIndex == 0) return "BorrowCollateralRatio";
        if (typeIndex == 1) return "BorrowLtv";
        if (typeIndex == 2) return "LiquidationThreshold";
        if (typeIndex == 3) return "AmmFee";
        if (typeIndex == 4) return "BorrowCapFactor";
        return "VolatilityRegime";
    }

    /// @notice Some types' values of a record, as updates without identifiers and market.
    /// @param before The record that `current.previous` stands for; not read if that is 0.
    function toUpdates(Record memory current, Record memory before, uint256 firstType, uint256 count)
        internal
        pure
        returns (IChaosRiskOracle.RiskParameterUpdate[] memory updates)
    {
        string memory referenceId = _periodName(current.periodStart);
        bytes memory additionalData =
            abi.encode(uint256(current.periodStart), current.status, uint256(current.appliedVolatilityE9));
        updates = new IChaosRiskOracle.RiskParameterUpdate[](count);
        for (uint256 i = 0; i < count; ++i) {
            IChaosRiskOracle.RiskParameterUpdate memory update = updates[i];
            update.timestamp = current.timestamp;
            update.newValue = _value(current, firstType + i);
            update.referenceId = referenceId;
            if (current.previous != 0) update.previousValue = _value(before, firstType + i);
            update.updateType = typeName(firstType + i);
            update.additionalData = additionalData;
        }
    }

    function _value(Record memory record, uint256 typeIndex) private pure returns (bytes memory) {
        if (typeIndex == 0) return abi.encode(record.borrowCollateralRatioBps);
        if (typeIndex == 1) return abi.encode(VeriRegimeConsumer.toLtvBps(record.borrowCollateralRatioBps));
        if (typeIndex == 2) return abi.encode(VeriRegimeConsumer.toThresholdBps(record.liquidationCollateralRatioBps));
        if (typeIndex == 3) return abi.encode(record.ammFeePips);
        return abi.encode(typeIndex == 4 ? record.borrowCapFactorBps : record.probabilityHighBps);
    }

    /// @dev Such as "period from 2024-08-05T00:00Z".
    function _periodName(uint256 periodStart) private pure returns (string memory) {
        (uint256 year, uint256 month, uint256 day, uint256 hour, uint256 minute,) =
            DateTimeLib.timestampToDateTime(periodStart);
        return string.concat(
            "period from ",
            LibString.toString(year),
            "-",
            _twoDigits(month),
            "-",
            _twoDigits(day),
            "T",
            _twoDigits(hour),
            ":",
            _twoDigits(minute),
            "Z"
        );
    }

    function _twoDigits(uint256 number) private pure returns (string memory) {
        return string.concat(number < 10 ? "0" : "", LibString.toString(number));
    }
}
