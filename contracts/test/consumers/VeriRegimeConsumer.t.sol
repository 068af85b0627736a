// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {VeriRegimeConsumer} from "../../src/consumers/VeriRegimeConsumer.sol";
import {IAggregatorV3} from "../../src/interfaces/external/IAggregatorV3.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {MockRiskOracle} from "../../src/testing/MockRiskOracle.sol";
import {BoundedCall} from "../../src/libraries/BoundedCall.sol";
import {OracleFixture} from "../OracleFixture.sol";

/// @notice A contract that uses the library.
contract Reader {
    using VeriRegimeConsumer for IRiskParameters;

    function tryParams(address oracle, bytes32 market)
        external
        view
        returns (bool, IRiskParameters.Params memory, IRiskParameters.Status)
    {
        return IRiskParameters(oracle).tryParams(market);
    }

    function tryParamsNoOlderThan(address oracle, bytes32 market, uint256 maxAgeSeconds)
        external
        view
        returns (bool, IRiskParameters.Params memory)
    {
        return IRiskParameters(oracle).tryParamsNoOlderThan(market, maxAgeSeconds);
    }

    function sequencerIsUp(address feed, uint256 graceSeconds) external view returns (bool) {
        return VeriRegimeConsumer.sequencerIsUp(IAggregatorV3(feed), graceSeconds);
    }

    function termsOr(
        address oracle,
        bytes32 market,
        IRiskParameters.RiskVector calldata cautious,
        uint256 maxAgeSeconds
    ) external view returns (IRiskParameters.RiskVector memory, bool) {
        return IRiskParameters(oracle).termsOr(market, cautious, maxAgeSeconds);
    }

    function borrowLtvBps(IRiskParameters.Params memory current) external pure returns (uint256) {
        return VeriRegimeConsumer.toLtvBps(current.borrowCollateralRatioBps);
    }

    function liquidationThresholdBps(IRiskParameters.Params memory current) external pure returns (uint256) {
        return VeriRegimeConsumer.toThresholdBps(current.liquidationCollateralRatioBps);
    }
}

/// @notice An oracle that says something else if it gets less than its share of gas.
contract HungryOracle {
    uint256 private constant SHARE = 99_500;

    function params(bytes32) external view returns (uint256[10] memory words) {
        uint256 given = gasleft();
        (words[2], words[3], words[4]) = (150_00, 130_00, 500);
        words[9] = uint256(given < SHARE ? IRiskParameters.Status.Withheld : IRiskParameters.Status.Fresh);
    }
}

contract VeriRegimeConsumerTest is OracleFixture {
    /// @dev More than the gas of a read, whatever the oracle does with its share.
    uint256 private constant MOST_GAS = 125_000;

    address private constant NO_CODE = address(0xdead);

    Reader private reader;
    MockRiskOracle private mock;

    function setUp() public override {
        super.setUp();
        reader = new Reader();
        mock = new MockRiskOracle();
        mock.setCalm(BTC);
    }

    /* tryParams */

    function testFuzz_ReturnsWhatThePossibleOracleSays(IRiskParameters.Params memory told, uint8 statusSeed) public {
        told.periodStart = uint40(bound(told.periodStart, 0, block.timestamp));
        told.updatedAt = uint40(bound(told.updatedAt, 0, block.timestamp));
        told.liquidationCollateralRatioBps = uint16(bound(told.liquidationCollateralRatioBps, 100_01, 655_35));
        told.borrowCollateralRatioBps =
            uint16(bound(told.borrowCollateralRatioBps, told.liquidationCollateralRatioBps, 655_35));
        told.ammFeePips = uint24(bound(told.ammFeePips, 0, 1_000_000));
        told.borrowCapFactorBps = uint16(bound(told.borrowCapFactorBps, 0, 100_00));
        told.probabilityHighBps = uint16(bound(told.probabilityHighBps, 0, 100_00));
        IRiskParameters.Status toldStatus = IRiskParameters.Status(bound(statusSeed, 0, 4));
        mock.set(BTC, told, toldStatus);

        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
            reader.tryParams(address(mock), BTC);
        assertTrue(ok);
        assertEq(keccak256(abi.encode(current)), keccak256(abi.encode(told)));
        assertEq(uint8(status), uint8(toldStatus));
    }

    function test_AcceptsEachWordUpToItsLimitAndNotBeyond() public {
        _assertLimit(0, block.timestamp);
        _assertLimit(1, block.timestamp);
        _assertLimit(2, type(uint16).max);
        _assertLimit(3, 150_00);
        _assertLimit(4, 1_000_000);
        _assertLimit(5, 100_00);
        _assertLimit(6, 100_00);
        _assertLimit(7, type(uint32).max);
        _assertLimit(8, type(uint32).max);
        _assertLimit(9, 4);
    }

    function test_RefusesRatiosThatNeedNoCollateral() public {
        (bool ok,,) = _readWords(_with(3, 100_01));
        assertTrue(ok);
        _assertNothing(_with(3, 100_00));
        _assertNothing(_with(3, 0));
        _assertNothing(_with(2, 129_99));
        _assertNothing(_with(2, 0));
    }

    function testFuzz_NeverRevertsWhateverTheWords(uint256[10] memory words, uint256 index) public {
        (bool ok, IRiskParameters.Params memory current,) = _readWords(words);
        if (ok) assertGt(current.liquidationCollateralRatioBps, 100_00);
        // One wild word among possible ones, which is the harder case.
        words = _with(bound(index, 0, 9), words[0]);
        (ok, current,) = _readWords(words);
        if (ok) assertLe(current.liquidationCollateralRatioBps, current.borrowCollateralRatioBps);
    }

    function test_SurvivesEveryWayToFail() public {
        for (uint8 mode = 1; mode <= uint8(type(MockRiskOracle.Mode).max); ++mode) {
            mock.setMode(MockRiskOracle.Mode(mode));
            (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
                reader.tryParams{gas: MOST_GAS + 25_000}(address(mock), BTC);
            assertFalse(ok);
            _assertZero(current);
            assertEq(uint8(status), 0);
        }
    }

    function test_AnOracleThatBurnsItsGasCostsItsShareAlone() public {
        mock.setMode(MockRiskOracle.Mode.BurnGas);
        uint256 before = gasleft();
        reader.tryParams(address(mock), BTC);
        uint256 used = before - gasleft();
        assertGt(used, VeriRegimeConsumer.READ_GAS);
        assertLt(used, VeriRegimeConsumer.READ_GAS + 35_000);
    }

    function test_AnAddressWithoutCodeIsNoOracle() public view {
        (bool ok, IRiskParameters.Params memory current,) = reader.tryParams(NO_CODE, BTC);
        assertFalse(ok);
        _assertZero(current);
    }

    function test_RevertWhen_GasDoesNotCoverTheOraclesShare() public {
        vm.expectRevert(BoundedCall.NotEnoughGas.selector);
        reader.tryParams{gas: 100_000}(address(mock), BTC);
    }

    /// @dev A caller who could starve the read would choose the fallback. Around the limit, where it would happen.
    function test_NoAmountOfGasChangesTheAnswer() public {
        address hungry = address(new HungryOracle());
        uint256 answered = 0;
        for (uint256 gasGiven = 90_000; gasGiven <= 120_000; gasGiven += 100) {
            try reader.tryParams{gas: gasGiven}(hungry, BTC) returns (
                bool ok, IRiskParameters.Params memory, IRiskParameters.Status status
            ) {
                assertTrue(ok);
                assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
                ++answered;
            } catch (bytes memory reason) {
                assertEq(bytes4(reason), BoundedCall.NotEnoughGas.selector);
                assertLt(gasGiven, 112_000);
            }
        }
        assertGe(answered, 80);
    }

    function testFuzz_NoAmountOfGasStarvesTheAnswer(uint256 gasGiven) public {
        address hungry = address(new HungryOracle());
        gasGiven = bound(gasGiven, 1_000, 300_000);
        try reader.tryParams{gas: gasGiven}(hungry, BTC) returns (
            bool, IRiskParameters.Params memory, IRiskParameters.Status status
        ) {
            assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
        } catch {
            assertLt(gasGiven, 112_000);
        }
    }

    /* tryParamsNoOlderThan */

    function test_TakesReliableParametersUpToTheAge() public {
        mock.setAge(BTC, 3 hours);
        uint256 ageSeconds = block.timestamp - _periodStart(mock);
        IRiskParameters.Status[2] memory reliable = [IRiskParameters.Status.Fresh, IRiskParameters.Status.Grace];
        for (uint256 i = 0; i < reliable.length; ++i) {
            mock.setStatus(BTC, reliable[i]);
            (bool ok, IRiskParameters.Params memory current) =
                reader.tryParamsNoOlderThan(address(mock), BTC, ageSeconds);
            assertTrue(ok);
            assertEq(current.borrowCollateralRatioBps, 150_00);

            (ok, current) = reader.tryParamsNoOlderThan(address(mock), BTC, ageSeconds - 1);
            assertFalse(ok);
            _assertZero(current);
        }
    }

    function test_TakesNoFallback() public {
        IRiskParameters.Status[3] memory fallbacks =
            [IRiskParameters.Status.Unset, IRiskParameters.Status.Stale, IRiskParameters.Status.Withheld];
        for (uint256 i = 0; i < fallbacks.length; ++i) {
            mock.setStatus(BTC, fallbacks[i]);
            _assertNoYoung(address(mock));
        }
    }

    function test_TakesNothingFromAnOracleThatCannotBeRead() public {
        mock.setMode(MockRiskOracle.Mode.RevertEmpty);
        _assertNoYoung(address(mock));
        _assertNoYoung(NO_CODE);
    }

    /* termsOr */

    function test_ReliableTermsAreTheOracles() public view {
        (IRiskParameters.RiskVector memory terms, bool ok) =
            reader.termsOr(address(mock), BTC, IRiskParameters.RiskVector(300_00, 110_00, 9_000, 10_00), 1 days);
        assertTrue(ok);
        assertEq(abi.encode(terms), abi.encode(IRiskParameters.RiskVector(150_00, 130_00, 500, 100_00)));
    }

    /// @dev A constant fallback replaced the oracle's tightened values: on a pause the LTV rose from 33 to 50 %, and the fee
    /// fell from 20,000 to 10,000 pips.
    function test_Fault5_FallbacksOnlyTighten() public {
        IRiskParameters.RiskVector memory cautious = IRiskParameters.RiskVector(200_00, 105_00, 10_000, 40_00);
        mock.setVector(BTC, IRiskParameters.RiskVector(300_00, 130_00, 20_000, 50_00));
        mock.setStatus(BTC, IRiskParameters.Status.Withheld);
        (IRiskParameters.RiskVector memory terms, bool ok) = reader.termsOr(address(mock), BTC, cautious, 1 days);
        assertFalse(ok);
        assertEq(abi.encode(terms), abi.encode(IRiskParameters.RiskVector(300_00, 130_00, 20_000, 40_00)));
        assertEq(VeriRegimeConsumer.toLtvBps(terms.borrowCollateralRatioBps), 33_33);

        mock.setMode(MockRiskOracle.Mode.RevertEmpty);
        (terms, ok) = reader.termsOr(address(mock), BTC, cautious, 1 days);
        assertFalse(ok);
        assertEq(abi.encode(terms), abi.encode(cautious));
    }

    function testFuzz_Fault5_TheTighterOfBothFieldByField(
        IRiskParameters.RiskVector memory told,
        IRiskParameters.RiskVector memory cautious,
        uint8 status,
        uint32 age
    ) public {
        told.liquidationCollateralRatioBps = uint16(bound(told.liquidationCollateralRatioBps, 100_01, 655_35));
        told.borrowCollateralRatioBps =
            uint16(bound(told.borrowCollateralRatioBps, told.liquidationCollateralRatioBps, 655_35));
        told.ammFeePips = uint24(bound(told.ammFeePips, 0, 1_000_000));
        told.borrowCapFactorBps = uint16(bound(told.borrowCapFactorBps, 0, 100_00));
        mock.setVector(BTC, told);
        mock.setAge(BTC, bound(age, 0, 8 hours));
        mock.setStatus(BTC, IRiskParameters.Status(bound(status, 0, 4)));
        (IRiskParameters.RiskVector memory terms, bool ok) = reader.termsOr(address(mock), BTC, cautious, 4 hours);
        assertGe(terms.borrowCollateralRatioBps, told.borrowCollateralRatioBps);
        assertGe(terms.ammFeePips, told.ammFeePips);
        assertLe(terms.borrowCapFactorBps, told.borrowCapFactorBps);
        assertEq(terms.liquidationCollateralRatioBps, told.liquidationCollateralRatioBps);
        if (ok) return assertEq(abi.encode(terms), abi.encode(told));
        assertGe(terms.borrowCollateralRatioBps, cautious.borrowCollateralRatioBps);
        assertGe(terms.ammFeePips, cautious.ammFeePips);
        assertLe(terms.borrowCapFactorBps, cautious.borrowCapFactorBps);
    }

    /* sequencerIsUp */

    function test_SequencerIsUpOnceGraceHasPassed() public {
        _feed(0, block.timestamp - 1 hours);
        assertTrue(_isUp(0));
        assertTrue(_isUp(1 hours));
        assertFalse(_isUp(1 hours + 1));
    }

    function test_SequencerIsDown() public {
        int256[4] memory answers = [int256(1), 2, -1, type(int256).min];
        for (uint256 i = 0; i < answers.length; ++i) {
            _feed(answers[i], block.timestamp - 1 hours);
            assertFalse(_isUp(0));
        }
    }

    function test_SequencerFeedThatHasNotBegunCountsAsDown() public {
        _feed(0, 0);
        assertFalse(_isUp(0));
        _feed(0, block.timestamp + 1);
        assertFalse(_isUp(0));
    }

    function test_SequencerFeedThatFailsCountsAsDown() public {
        assertFalse(_isUp(0));
        vm.mockCallRevert(NO_CODE, "", "no");
        assertFalse(_isUp(0));
        vm.mockCall(NO_CODE, "", new bytes(159));
        assertFalse(_isUp(0));
        mock.setMode(MockRiskOracle.Mode.BurnGas);
        assertFalse(reader.sequencerIsUp(address(mock), 0));
    }

    function test_RevertWhen_GasDoesNotCoverTheFeedsShare() public {
        _feed(0, 1);
        vm.expectRevert(BoundedCall.NotEnoughGas.selector);
        reader.sequencerIsUp{gas: 33_000}(NO_CODE, 0);
    }

    /* RATIOS */

    function testFuzz_RatiosRoundToTheSafeSide(uint16 borrowRatioBps, uint16 liquidationRatioBps) public view {
        IRiskParameters.Params memory current;
        current.liquidationCollateralRatioBps = uint16(bound(liquidationRatioBps, 100_01, 655_35));
        current.borrowCollateralRatioBps = uint16(bound(borrowRatioBps, current.liquidationCollateralRatioBps, 655_35));
        uint256 ltvBps = reader.borrowLtvBps(current);
        uint256 thresholdBps = reader.liquidationThresholdBps(current);

        assertLe(ltvBps * current.borrowCollateralRatioBps, 1e8);
        assertGt((ltvBps + 1) * current.borrowCollateralRatioBps, 1e8);
        assertGe(thresholdBps * current.liquidationCollateralRatioBps, 1e8);
        assertLt((thresholdBps - 1) * current.liquidationCollateralRatioBps, 1e8);
        assertLe(ltvBps, thresholdBps);
    }

    function testFuzz_NoPositionThatMeetsTheRatioIsLiquidatable(uint128 debt, uint128 surplus, uint16 ratioBps)
        public
        view
    {
        IRiskParameters.Params memory current;
        current.liquidationCollateralRatioBps = uint16(bound(ratioBps, 100_01, 655_35));
        uint256 least = (uint256(debt) * current.liquidationCollateralRatioBps + 9_999) / 10_000;
        uint256 collateral = least + surplus;
        assertLe(uint256(debt) * 10_000, collateral * reader.liquidationThresholdBps(current));
    }

    function test_RatioExamples() public view {
        IRiskParameters.Params memory current;
        (current.borrowCollateralRatioBps, current.liquidationCollateralRatioBps) = (150_00, 130_00);
        assertEq(reader.borrowLtvBps(current), 66_66);
        assertEq(reader.liquidationThresholdBps(current), 76_93);
    }

    function test_ZeroParametersLendNothingAndLiquidateNoSolventPosition() public view {
        IRiskParameters.Params memory none;
        assertEq(reader.borrowLtvBps(none), 0);
        assertEq(reader.liquidationThresholdBps(none), 100_00);
    }

    /* THE REAL ORACLE */

    function test_ReadsTheRealOracleInEveryStatus() public {
        _assertAsOracle(IRiskParameters.Status.Unset);
        _submit(_register(_spec(_btc())), _outputs(1000, -1000, -7000));
        skip(1);
        _assertAsOracle(IRiskParameters.Status.Fresh);
        (bool ok,) = reader.tryParamsNoOlderThan(address(oracle), BTC, 4 hours);
        assertTrue(ok);

        skip(5 hours);
        _assertAsOracle(IRiskParameters.Status.Grace);
        (ok,) = reader.tryParamsNoOlderThan(address(oracle), BTC, 4 hours);
        assertFalse(ok);

        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        _assertAsOracle(IRiskParameters.Status.Withheld);
        _assertNoYoung(address(oracle));
    }

    function test_ReadsTheRealOracleOnceStale() public {
        _submit(_register(_spec(_btc())), _outputs(1000, -1000, -7000));
        skip(8 hours);
        _assertAsOracle(IRiskParameters.Status.Stale);
        _assertNoYoung(address(oracle));
    }

    function test_AMarketThatTheRealOracleDoesNotKnowIsNotOk() public view {
        (bool ok, IRiskParameters.Params memory current,) = reader.tryParams(address(oracle), keccak256("DOGE-USD"));
        assertFalse(ok);
        _assertZero(current);
    }

    function test_GasOfAColdRead() public {
        _submit(_register(_spec(_btc())), _outputs(1000, -1000, -7000));
        skip(1);
        reader.tryParams(address(oracle), BTC);
        vm.snapshotGasLastCall("VeriRegimeConsumer", "tryParams");
    }

    /* HELPERS */

    function _assertAsOracle(IRiskParameters.Status expected) private view {
        (IRiskParameters.Params memory told, IRiskParameters.Status toldStatus) = oracle.params(BTC);
        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
            reader.tryParams(address(oracle), BTC);
        assertTrue(ok);
        assertEq(uint8(toldStatus), uint8(expected));
        assertEq(uint8(status), uint8(expected));
        assertEq(keccak256(abi.encode(current)), keccak256(abi.encode(told)));
    }

    function _assertNoYoung(address target) private view {
        (bool ok, IRiskParameters.Params memory current) = reader.tryParamsNoOlderThan(target, BTC, type(uint256).max);
        assertFalse(ok);
        _assertZero(current);
    }

    function _assertZero(IRiskParameters.Params memory current) private pure {
        IRiskParameters.Params memory none;
        assertEq(keccak256(abi.encode(current)), keccak256(abi.encode(none)));
    }

    function _assertLimit(uint256 index, uint256 most) private {
        (bool ok,,) = _readWords(_with(index, most));
        assertTrue(ok);
        _assertNothing(_with(index, most + 1));
        _assertNothing(_with(index, type(uint256).max));
    }

    function _assertNothing(uint256[10] memory words) private {
        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) = _readWords(words);
        assertFalse(ok);
        _assertZero(current);
        assertEq(uint8(status), 0);
    }

    /// @dev A possible answer with one word changed.
    function _with(uint256 index, uint256 value) private view returns (uint256[10] memory words) {
        words = [MONDAY * PERIOD_SECONDS, block.timestamp, 150_00, 130_00, 500, 100_00, 10_00, 500_000, 500_000, 1];
        words[index] = value;
    }

    function _readWords(uint256[10] memory words)
        private
        returns (bool, IRiskParameters.Params memory, IRiskParameters.Status)
    {
        vm.mockCall(NO_CODE, abi.encodeCall(IRiskParameters.params, (BTC)), abi.encode(words));
        return reader.tryParams(NO_CODE, BTC);
    }

    function _feed(int256 answer, uint256 startedAt) private {
        vm.mockCall(
            NO_CODE,
            abi.encodeCall(IAggregatorV3.latestRoundData, ()),
            abi.encode(uint80(1), answer, startedAt, startedAt, uint80(1))
        );
    }

    function _isUp(uint256 graceSeconds) private view returns (bool) {
        return reader.sequencerIsUp(NO_CODE, graceSeconds);
    }

    function _periodStart(MockRiskOracle asked) private view returns (uint256) {
        (IRiskParameters.Params memory current,) = asked.params(BTC);
        return current.periodStart;
    }
}
