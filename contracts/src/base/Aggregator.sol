// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IAggregatorV3Rounds} from "../interfaces/external/IAggregatorV3Rounds.sol";
import {IERC165} from "../interfaces/external/IERC165.sol";

/// @title Aggregator
/// @notice One quantity of a latest forecast, in the shape of a Chainlink feed.
/// @dev A round is a period; its number is the Unix time at which the period begins, so that rounds rise when a model's grid
/// changes. A round starts there and is updated when the forecast landed; its answer never changes. The heartbeat is one
/// period plus what proving and inclusion take.
abstract contract Aggregator is IAggregatorV3Rounds, IERC165 {
    /// @inheritdoc IAggregatorV3Rounds
    string public description;

    /// @notice Thrown when there is no such round here: it never was, or it is not the latest. 0 stands for any round.
    error NoDataPresent(uint80 roundId);

    /// @inheritdoc IAggregatorV3Rounds
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc IAggregatorV3
    /// @dev Reverts with `NoDataPresent` before the first forecast.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _round(0);
    }

    /// @notice The latest answer, without its time. Reverts as `latestRoundData` does.
    function latestAnswer() external view returns (int256 answer) {
        (, answer,,,) = _round(0);
    }

    /// @inheritdoc IAggregatorV3Rounds
    /// @dev Only the latest round is known. Reverts with `NoDataPresent` for any other, and as `latestRoundData` does.
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        if (roundId == 0) revert NoDataPresent(roundId);
        return _round(roundId);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IAggregatorV3).interfaceId ^ type(IAggregatorV3Rounds).interfaceId
            || interfaceId == type(IERC165).interfaceId;
    }

    /// @param wanted The round, or 0 for the latest.
    function _round(uint80 wanted) private view returns (uint80, int256, uint256, uint256, uint80) {
        (uint80 roundId, int256 answer, uint256 updatedAt) = _latest(wanted);
        return (roundId, answer, roundId, updatedAt, roundId);
    }

    /// @dev The latest round, its answer, and when that landed. Reverts where there is none, or where another is wanted.
    /// @param wanted The round, or 0 for the latest.
    function _latest(uint80 wanted) internal view virtual returns (uint80 roundId, int256 answer, uint256 updatedAt);

    /// @dev Reverts unless there is a latest round and it is the wanted one.
    function _checkRound(bool isThere, uint80 wanted, uint80 roundId) internal pure {
        if (!isThere || (wanted != 0 && wanted != roundId)) revert NoDataPresent(wanted);
    }
}
