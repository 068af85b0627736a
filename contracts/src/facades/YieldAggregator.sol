// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IAggregatorV3Rounds} from "../interfaces/external/IAggregatorV3Rounds.sol";
import {IERC165} from "../interfaces/external/IERC165.sol";
import {IFeed} from "../interfaces/IFeed.sol";

/// @title YieldAggregator
/// @notice One quantity of one strategy's latest forecast, in the shape of a Chainlink feed.
/// @dev A round is a period; its number is the Unix time at which the period begins. A round starts there and is updated when
/// the forecast landed; its answer never changes. The heartbeat is one period plus what proving and inclusion take.
/// @dev Readers check `updatedAt` themselves, as of any such feed, or ask the feed for `forecastNoOlderThan`.
contract YieldAggregator is IAggregatorV3Rounds, IERC165 {
    /// @notice What a feed is about; all are shares of 1 a year with 8 decimals.
    enum Quantity {
        /// Mean rate of the next 7 days.
        Apy,
        /// Standard deviation of their daily rate.
        Volatility,
        /// Lower end of the mean rate's 90 % interval.
        Low,
        /// Upper end.
        High
    }

    /// @notice The forecasts behind it.
    IFeed public immutable feed;

    /// @notice The quantity.
    Quantity public immutable quantity;

    /// @inheritdoc IAggregatorV3Rounds
    string public description;

    /// @notice Thrown when the feed is of another strategy than it is called.
    error OtherStrategy(bytes32 strategy);

    /// @notice Thrown when there is no such round here: it never was, or it is not the latest. 0 stands for any round.
    error NoDataPresent(uint80 roundId);

    /// @param strategyName Name of the strategy, which must be the feed's.
    constructor(IFeed feed_, string memory strategyName, Quantity quantity_) {
        bytes32 strategy = feed_.strategy();
        if (strategy != keccak256(bytes(strategyName))) revert OtherStrategy(strategy);
        (feed, quantity) = (feed_, quantity_);
        string[4] memory words = [" APY", " volatility of APY", " APY, low", " APY, high"];
        description = string.concat(strategyName, words[uint256(quantity_)], " of the next 7 days");
    }

    /// @inheritdoc IAggregatorV3
    function decimals() external pure returns (uint8) {
        return 8;
    }

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
    /// @dev Only the latest round is known. Reverts with `NoDataPresent` for any other.
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
        IFeed.Forecast memory last = feed.latest();
        uint80 roundId = last.periodStart;
        // slither-disable-next-line incorrect-equality (zero before the first)
        if (last.updatedAt == 0 || (wanted != 0 && wanted != roundId)) revert NoDataPresent(wanted);
        return (roundId, _answer(last), roundId, last.updatedAt, roundId);
    }

    function _answer(IFeed.Forecast memory last) private view returns (int256) {
        if (quantity == Quantity.Apy) return last.apyE8;
        if (quantity == Quantity.Volatility) return int256(uint256(last.volatilityE8));
        return quantity == Quantity.Low ? last.lowE8 : last.highE8;
    }
}
