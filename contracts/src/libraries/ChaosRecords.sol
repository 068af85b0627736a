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
    uint256 internal constant TYPE_COUNT = 3;

    /// @notice What Aave's config engine takes for "as it is".
    uint256 internal constant KEEP_CURRENT = type(uint256).max - 42;

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
        uint16 borrowCapFactorBps;
        uint32 appliedVolatilityE9;
        /// Number of the market's record before this one, counted from 1; 0 if this is the first.
        uint40 previous;
    }

    /// @notice A market's caps in whole tokens, as they are while the oracle's borrow cap factor is 100 %. At least 1.
    struct Caps {
        uint96 supply;
        uint96 borrow;
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
        taken.borrowCapFactorBps = current.borrowCapFactorBps;
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
            && last.borrowCapFactorBps == taken.borrowCapFactorBps;
    }

    /// @notice Name of an update type, 0 to 2.
    function typeName(uint256 typeIndex) internal pure returns (string memory) {
        if (typeIndex == 0) return "CollateralUpdate";
        return typeIndex == 1 ? "supplyCap" : "borrowCap";
    }

    /// @notice Some types' values of a record, as updates without identifiers and market.
    /// @param before The record that `current.previous` stands for; not read if that is 0.
    function toUpdates(Record memory current, Record memory before, Caps memory caps, uint256 firstType, uint256 count)
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
            update.newValue = _value(current, caps, firstType + i);
            update.referenceId = referenceId;
            if (current.previous != 0) update.previousValue = _value(before, caps, firstType + i);
            update.updateType = typeName(firstType + i);
            update.additionalData = additionalData;
        }
    }

    /// @dev A cap is of at least one token: 0 would be none at all.
    function _value(Record memory record, Caps memory caps, uint256 typeIndex) private pure returns (bytes memory) {
        if (typeIndex == 0) {
            return abi.encode(
                VeriRegimeConsumer.toLtvBps(record.borrowCollateralRatioBps),
                VeriRegimeConsumer.toThresholdBps(record.liquidationCollateralRatioBps),
                KEEP_CURRENT
            );
        }
        uint256 tokens = uint256(typeIndex == 1 ? caps.supply : caps.borrow) * record.borrowCapFactorBps / BPS;
        return abi.encode(FixedPointMathLib.max(tokens, 1) * 1e18);
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
