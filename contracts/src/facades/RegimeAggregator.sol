// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Aggregator} from "../base/Aggregator.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IERC165} from "../interfaces/external/IERC165.sol";

/// @title RegimeAggregator
/// @notice One quantity of one market's latest forecast, in the shape of a Chainlink feed.
/// @dev A round starts where the data behind the forecast end.
/// @dev The answer is the forecast as proven, and never changes within a round. What is fail-safe here is to give none: no
/// number is on the safe side for every reader. So a forecast in grace keeps its answer and shows its age, and one that is
/// withheld has no answer at all. Readers who must not revert read the oracle itself, through `VeriRegimeConsumer`.
contract RegimeAggregator is Aggregator {
    /// @notice What a feed is about.
    enum Quantity {
        /// Forecast probability of the High regime, 4 decimals.
        ProbabilityHigh,
        /// Forecast standard deviation of one-minute returns over the period, 9 decimals.
        Volatility
    }

    /// @notice The oracle behind the feed.
    IRiskParameters public immutable oracle;

    /// @notice The market, as the oracle knows it: keccak256 of its name.
    bytes32 public immutable market;

    /// @notice The quantity of the feed.
    Quantity public immutable quantity;

    /// @notice Thrown when the oracle does not say that it has `IRiskParameters`.
    error NotRiskParameters(address oracle);

    /// @param marketName Name of the market, such as "BTC-USD".
    constructor(IRiskParameters oracle_, string memory marketName, Quantity quantity_) {
        if (!IERC165(address(oracle_)).supportsInterface(type(IRiskParameters).interfaceId)) {
            revert NotRiskParameters(address(oracle_));
        }
        (oracle, market, quantity) = (oracle_, keccak256(bytes(marketName)), quantity_);
        description = string.concat(
            marketName,
            quantity_ == Quantity.Volatility ? " volatility of one-minute returns" : " probability of high volatility"
        );
    }

    /// @inheritdoc IAggregatorV3
    function decimals() external view returns (uint8) {
        return quantity == Quantity.Volatility ? 9 : 4;
    }

    /// @inheritdoc Aggregator
    /// @dev Reverts with `ParamsWithheld` while the forecast is withheld.
    function _latest(uint80 wanted) internal view override returns (uint80, int256, uint256) {
        (IRiskParameters.Params memory current, IRiskParameters.Status status) = oracle.params(market);
        _checkRound(status != IRiskParameters.Status.Unset, wanted, current.periodStart);
        if (status == IRiskParameters.Status.Withheld) revert IRiskParameters.ParamsWithheld(market);
        uint256 answer = quantity == Quantity.Volatility ? current.volatilityE9 : current.probabilityHighBps;
        return (current.periodStart, int256(answer), current.updatedAt);
    }
}
