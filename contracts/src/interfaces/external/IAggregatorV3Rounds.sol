// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

import {IAggregatorV3} from "./IAggregatorV3.sol";

/// @title IAggregatorV3Rounds
/// @notice With what it inherits, the whole of Chainlink's `AggregatorV3Interface`.
interface IAggregatorV3Rounds is IAggregatorV3 {
    /// @notice What the answers are.
    function description() external view returns (string memory);

    /// @notice Version of the aggregator.
    function version() external view returns (uint256);

    /// @notice One round. Reverts if there is nothing to tell about it.
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
