// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Aggregator} from "../base/Aggregator.sol";
import {IFeed} from "../interfaces/IFeed.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";

/// @title YieldAggregator
/// @notice One quantity of one strategy's latest forecast, in the shape of a Chainlink feed.
/// @dev Readers check `updatedAt` themselves, as of any such feed, or ask the feed for `forecastNoOlderThan`.
contract YieldAggregator is Aggregator {
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

    /// @notice Thrown when the feed is of another strategy than it is called.
    error OtherStrategy(bytes32 strategy);

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

    /// @inheritdoc Aggregator
    function _latest(uint80 wanted) internal view override returns (uint80, int256, uint256) {
        IFeed.Forecast memory last = feed.latest();
        // slither-disable-next-line incorrect-equality (zero before the first)
        _checkRound(last.updatedAt != 0, wanted, last.periodStart);
        return (last.periodStart, _answer(last), last.updatedAt);
    }

    function _answer(IFeed.Forecast memory last) private view returns (int256) {
        if (quantity == Quantity.Apy) return last.apyE8;
        if (quantity == Quantity.Volatility) return int256(uint256(last.volatilityE8));
        return quantity == Quantity.Low ? last.lowE8 : last.highE8;
    }
}
