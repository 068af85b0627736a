// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Aggregator} from "../../src/base/Aggregator.sol";
import {RegimeAggregator} from "../../src/facades/RegimeAggregator.sol";
import {IAggregatorV3} from "../../src/interfaces/external/IAggregatorV3.sol";
import {IAggregatorV3Rounds} from "../../src/interfaces/external/IAggregatorV3Rounds.sol";
import {IERC165} from "../../src/interfaces/external/IERC165.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {MockRiskOracle} from "../../src/testing/MockRiskOracle.sol";
import {OracleFixture} from "../OracleFixture.sol";

contract RegimeAggregatorTest is OracleFixture {
    MockRiskOracle private mock;
    uint256 private constant START = MONDAY * PERIOD_SECONDS;

    RegimeAggregator private probability;
    RegimeAggregator private volatility;

    function setUp() public override {
        super.setUp();
        mock = new MockRiskOracle();
        probability = _deploy(mock, RegimeAggregator.Quantity.ProbabilityHigh);
        volatility = _deploy(mock, RegimeAggregator.Quantity.Volatility);
    }

    /* CONSTRUCTOR */

    function test_KnowsWhatItIsAbout() public view {
        assertEq(address(probability.oracle()), address(mock));
        assertEq(probability.market(), BTC);
        assertEq(uint8(volatility.quantity()), uint8(RegimeAggregator.Quantity.Volatility));
        assertEq(probability.description(), "BTC-USD probability of high volatility");
        assertEq(volatility.description(), "BTC-USD volatility of one-minute returns");
        assertEq(probability.decimals(), 4);
        assertEq(volatility.decimals(), 9);
        assertEq(probability.version(), 1);
    }

    function test_RevertWhen_TheOracleIsAnotherContract() public {
        vm.expectRevert(abi.encodeWithSelector(RegimeAggregator.NotRiskParameters.selector, address(probability)));
        _deploy(IRiskParameters(address(probability)), RegimeAggregator.Quantity.Volatility);
    }

    /* ROUNDS */

    function test_RevertGiven_NoUpdateHasLanded() public {
        _expectNoData(0);
        probability.latestRoundData();
        _expectNoData(0);
        volatility.latestRoundData();
        // Whatever values an unset oracle gives, they are no forecast.
        mock.setTurbulent(BTC);
        mock.setStatus(BTC, IRiskParameters.Status.Unset);
        _expectNoData(0);
        probability.latestRoundData();
        _expectNoData(uint80(START));
        probability.getRoundData(uint80(START));
    }

    function testFuzz_AnswersTheForecastWithItsTimes(
        uint16 probabilityBps,
        uint32 volatilityE9,
        uint32 period,
        uint16 landedAfterSeconds,
        uint8 statusSeed
    ) public {
        IRiskParameters.Params memory told;
        told.periodStart = uint40(bound(period, 1, type(uint32).max));
        told.updatedAt = uint40(uint256(told.periodStart) + landedAfterSeconds);
        told.volatilityE9 = volatilityE9;
        (told.probabilityHighBps, told.appliedVolatilityE9) = (uint16(bound(probabilityBps, 0, 100_00)), 77_77);
        mock.set(BTC, told, IRiskParameters.Status(bound(statusSeed, 1, 3)));
        _assertRound(probability, told.periodStart, told.probabilityHighBps);
        _assertRound(volatility, told.periodStart, volatilityE9);
    }

    function testFuzz_RevertWhen_TheRoundIsNotTheLatest(uint80 roundId) public {
        vm.assume(roundId != START);
        mock.setCalm(BTC);
        _expectNoData(roundId);
        probability.getRoundData(roundId);
    }

    function test_RevertGiven_TheForecastIsWithheld() public {
        mock.setTurbulent(BTC);
        mock.setStatus(BTC, IRiskParameters.Status.Withheld);
        bytes memory withheld = abi.encodeWithSelector(IRiskParameters.ParamsWithheld.selector, BTC);
        vm.expectRevert(withheld);
        probability.latestRoundData();
        vm.expectRevert(withheld);
        volatility.latestRoundData();
        vm.expectRevert(withheld);
        probability.getRoundData(uint80(START));
    }

    /// @dev An adapter that gives the latest answer for any round lets a reader believe in a history that never was.
    function test_Regression_AnEarlierRoundIsNotAnsweredWithTheLatest() public {
        mock.setCalm(BTC);
        skip(4 hours);
        mock.setTurbulent(BTC);
        _expectNoData(uint80(START));
        probability.getRoundData(uint80(START));
        _assertRound(probability, START + PERIOD_SECONDS, 90_00);
    }

    /* ERC-165 */

    function testFuzz_HasTwoInterfaces(bytes4 other) public view {
        bytes4 aggregatorV3 = IAggregatorV3.decimals.selector ^ IAggregatorV3Rounds.description.selector
            ^ IAggregatorV3Rounds.version.selector ^ IAggregatorV3Rounds.getRoundData.selector
            ^ IAggregatorV3.latestRoundData.selector;
        assertTrue(probability.supportsInterface(aggregatorV3));
        assertTrue(probability.supportsInterface(type(IERC165).interfaceId));
        vm.assume(other != aggregatorV3 && other != type(IERC165).interfaceId);
        assertFalse(probability.supportsInterface(other));
    }

    /* THE REAL ORACLE */

    function test_FollowsTheRealOracle() public {
        RegimeAggregator live = _deploy(oracle, RegimeAggregator.Quantity.ProbabilityHigh);
        RegimeAggregator liveVolatility = _deploy(oracle, RegimeAggregator.Quantity.Volatility);
        _expectNoData(0);
        live.latestRoundData();

        bytes32 modelId = _register(_spec(_btc()));
        _submit(modelId, _outputs(1000, -1000, -7000));
        // 1 / (1 + e^2), and e^-7.
        _assertRound(live, START, 11_92);
        (, int256 answer,,,) = liveVolatility.latestRoundData();
        assertEq(answer, 911_881);
        live.latestRoundData();
        vm.snapshotGasLastCall("RegimeAggregator", "latestRoundData");

        skip(9 hours);
        (, IRiskParameters.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(IRiskParameters.Status.Stale));
        _assertRound(live, START, 11_92);

        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1 hours));
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsWithheld.selector, BTC));
        live.latestRoundData();

        skip(1 hours);
        _submit(modelId, _outputs(-1000, 1000, -6000));
        _assertRound(live, START + 2 * PERIOD_SECONDS, 88_08);
        _expectNoData(uint80(START));
        live.getRoundData(uint80(START));
        _expectNoData(0);
        live.getRoundData(0);
    }

    /* HELPERS */

    function _deploy(IRiskParameters read, RegimeAggregator.Quantity quantity) private returns (RegimeAggregator) {
        return new RegimeAggregator(read, "BTC-USD", quantity);
    }

    function _expectNoData(uint80 roundId) private {
        vm.expectRevert(abi.encodeWithSelector(Aggregator.NoDataPresent.selector, roundId));
    }

    function _assertRound(RegimeAggregator asked, uint256 period, uint256 expected) private view {
        (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredIn) =
            asked.latestRoundData();
        assertEq(roundId, period);
        assertEq(answer, int256(expected));
        assertEq(startedAt, period);
        (IRiskParameters.Params memory told,) = asked.oracle().params(BTC);
        assertEq(updatedAt, told.updatedAt, "when it landed");
        assertEq(asked.latestAnswer(), answer);
        assertEq(answeredIn, period);

        bytes memory latest = abi.encode(roundId, answer, startedAt, updatedAt, answeredIn);
        (roundId, answer, startedAt, updatedAt, answeredIn) = asked.getRoundData(roundId);
        assertEq(keccak256(abi.encode(roundId, answer, startedAt, updatedAt, answeredIn)), keccak256(latest));
    }
}
