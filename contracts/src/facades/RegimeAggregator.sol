// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IAggregatorV3Rounds} from "../interfaces/external/IAggregatorV3Rounds.sol";
import {IERC165} from "../interfaces/external/IERC165.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";

/// @title RegimeAggregator
/// @notice One quantity of one market's latest forecast, in the shape of a Chainlink feed.
/// @dev A round is a period; its number is the Unix time at which the period begins, so that rounds rise when the model's grid
/// changes. A round starts there, where the data behind the forecast end, and is updated when the forecast landed. The
/// heartbeat is one period plus what proving and inclusion take.
/// @dev The answer is the forecast as proven, and never changes within a round. What is fail-safe here is to give none: no
/// number is on the safe side for every reader. So a forecast in grace keeps its answer and shows its age, and one that is
/// withheld has no answer at all. Readers who must not revert read the oracle itself, through `VeriRegimeConsumer`.
contract RegimeAggregator is IAggregatorV3Rounds, IERC165 {
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

    /// @inheritdoc IAggregatorV3Rounds
    string public description;

    /// @notice Thrown when the oracle does not say that it has `IRiskParameters`.
    error NotRiskParameters(address oracle);

    /// @notice Thrown when there is no such round here: it never was, or it is not the latest. 0 stands for any round.
    error NoDataPresent(uint80 roundId);

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

    /// @inheritdoc IAggregatorV3Rounds
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc IAggregatorV3
    /// @dev Reverts with `NoDataPresent` before the first update, with `ParamsWithheld` while the forecast is withheld.
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
        (IRiskParameters.Params memory current, IRiskParameters.Status status) = oracle.params(market);
        uint80 roundId = current.periodStart;
        if (status == IRiskParameters.Status.Unset || (wanted != 0 && wanted != roundId)) revert NoDataPresent(wanted);
        if (status == IRiskParameters.Status.Withheld) revert IRiskParameters.ParamsWithheld(market);
        uint256 answer = quantity == Quantity.Volatility ? current.volatilityE9 : current.probabilityHighBps;
        return (roundId, int256(answer), roundId, current.updatedAt, roundId);
    }
}
