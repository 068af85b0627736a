// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Aggregator} from "../../src/base/Aggregator.sol";
import {YieldAggregator} from "../../src/facades/YieldAggregator.sol";
import {IFeed} from "../../src/interfaces/IFeed.sol";
import {IAggregatorV3} from "../../src/interfaces/external/IAggregatorV3.sol";
import {IAggregatorV3Rounds} from "../../src/interfaces/external/IAggregatorV3Rounds.sol";
import {IERC165} from "../../src/interfaces/external/IERC165.sol";
import {FeedFixture} from "../feed/FeedFixture.sol";

contract YieldAggregatorTest is FeedFixture {
    YieldAggregator[4] private _quantities;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 4; ++i) {
            _quantities[i] = new YieldAggregator(feed, "aave", YieldAggregator.Quantity(i));
        }
    }

    function test_KnowsWhatItIsAbout() public view {
        string[4] memory words = [
            "aave APY of the next 7 days",
            "aave volatility of APY of the next 7 days",
            "aave APY, low of the next 7 days",
            "aave APY, high of the next 7 days"
        ];
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(_quantities[i].description(), words[i]);
            assertEq(address(_quantities[i].feed()), address(feed));
            assertEq(uint256(_quantities[i].quantity()), i);
            assertEq(_quantities[i].decimals(), 8);
            assertEq(_quantities[i].version(), 1);
            bytes4 chainlink = type(IAggregatorV3).interfaceId ^ type(IAggregatorV3Rounds).interfaceId;
            assertTrue(_quantities[i].supportsInterface(chainlink));
            assertTrue(_quantities[i].supportsInterface(type(IERC165).interfaceId));
            assertFalse(_quantities[i].supportsInterface(type(IFeed).interfaceId));
        }
    }

    function test_RevertWhen_TheFeedIsOfAnotherStrategy() public {
        vm.expectRevert(abi.encodeWithSelector(YieldAggregator.OtherStrategy.selector, keccak256("lido")));
        new YieldAggregator(other, "aave", YieldAggregator.Quantity.Apy);
    }

    function test_RevertGiven_NothingWasPublished() public {
        vm.expectRevert(abi.encodeWithSelector(Aggregator.NoDataPresent.selector, 0));
        _quantities[0].latestRoundData();
    }

    function test_AnswersTheLastForecastWithItsTimes() public {
        IFeed.Forecast memory forecast = _publish(100, -2000);
        int256[4] memory answers =
            [int256(forecast.apyE8), int256(uint256(forecast.volatilityE8)), forecast.lowE8, int256(forecast.highE8)];
        uint80 round = uint80(PERIOD * DAY);
        for (uint256 i = 0; i < 4; ++i) {
            (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound) =
                _quantities[i].latestRoundData();
            assertEq(answer, answers[i]);
            assertEq(_quantities[i].latestAnswer(), answer);
            assertTrue(roundId == round && startedAt == round && answeredInRound == round);
            assertEq(updatedAt, block.timestamp);
            (, int256 same,,,) = _quantities[i].getRoundData(round);
            assertEq(same, answer);
        }
    }

    function testFuzz_RevertWhen_TheRoundIsNotTheLatest(uint80 roundId) public {
        vm.assume(roundId != PERIOD * DAY);
        _publish(0, 0);
        vm.expectRevert(abi.encodeWithSelector(Aggregator.NoDataPresent.selector, roundId));
        _quantities[0].getRoundData(roundId);
    }
}
