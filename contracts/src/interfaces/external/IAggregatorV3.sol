// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IAggregatorV3
/// @notice The part of Chainlink's aggregator interface that is read here.
interface IAggregatorV3 {
    /// @notice Decimals of an answer.
    function decimals() external view returns (uint8);

    /// @notice The latest round. A sequencer uptime feed answers 0 while the sequencer is up and 1 while it is down, and
    /// `startedAt` is when that began.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
