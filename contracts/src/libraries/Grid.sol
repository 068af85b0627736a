// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Grid
/// @notice The 4-hour UTC grid on which forecasts are made. Leap seconds do not exist in Unix time.
library Grid {
    /// @notice Length of a period in seconds.
    uint256 internal constant PERIOD_SECONDS = 14_400;

    /// @notice Periods in a week.
    uint256 internal constant SLOTS_PER_WEEK = 42;

    /// @notice The period of the current block.
    function currentPeriod() internal view returns (uint64) {
        return uint64(block.timestamp / PERIOD_SECONDS);
    }

    /// @notice Seconds since the start of a period; 0 if it has not begun.
    function ageSeconds(uint256 period) internal view returns (uint256) {
        uint256 start = period * PERIOD_SECONDS;
        return block.timestamp > start ? block.timestamp - start : 0;
    }

    /// @notice Slot of the week, 0 to 41. The epoch was a Thursday, so slot 0 begins on Thursday 00:00 UTC.
    function slotOfWeek(uint256 period) internal pure returns (uint256) {
        return period % SLOTS_PER_WEEK;
    }
}
