// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {MockRiskOracle} from "../../src/testing/MockRiskOracle.sol";

contract MockRiskOracleTest is Test {
    bytes32 private constant BTC = keccak256("BTC-USD");
    bytes32 private constant ETH = keccak256("ETH-USD");
    uint40 private constant MONDAY = 119_640;
    uint256 private constant ANSWER_BYTES = 320;

    MockRiskOracle private mock;

    function setUp() public {
        vm.warp(uint256(MONDAY) * 14_400 + 75);
        mock = new MockRiskOracle();
    }

    /* CONSTRUCTOR */

    function test_DeploysOnDevelopmentChains() public {
        vm.chainId(1337);
        new MockRiskOracle();
        vm.chainId(31337);
        new MockRiskOracle();
    }

    function testFuzz_RevertWhen_TheChainHasUsers(uint64 chainId) public {
        vm.assume(chainId != 31337 && chainId != 1337 && chainId != 0);
        vm.chainId(chainId);
        vm.expectRevert(abi.encodeWithSelector(MockRiskOracle.NotADevelopmentChain.selector, uint256(chainId)));
        new MockRiskOracle();
    }

    /* SETTERS */

    function testFuzz_AnswersWhatItWasTold(IRiskParameters.Params memory told, uint8 statusSeed) public {
        IRiskParameters.Status status = IRiskParameters.Status(bound(statusSeed, 0, 4));
        mock.set(BTC, told, status);
        _assertAnswer(BTC, told, status);

        IRiskParameters.Params memory none;
        _assertAnswer(ETH, none, IRiskParameters.Status.Unset);
    }

    function test_LandsCalmAndTurbulentUpdates() public {
        mock.setCalm(BTC);
        IRiskParameters.Params memory calm = IRiskParameters.Params({
            periodStart: uint40(MONDAY * 14_400),
            updatedAt: uint40(block.timestamp),
            borrowCollateralRatioBps: 150_00,
            liquidationCollateralRatioBps: 130_00,
            ammFeePips: 500,
            borrowCapFactorBps: 100_00,
            probabilityHighBps: 10_00,
            volatilityE9: 500_000,
            appliedVolatilityE9: 500_000
        });
        _assertAnswer(BTC, calm, IRiskParameters.Status.Fresh);

        skip(4 hours);
        mock.setTurbulent(BTC);
        IRiskParameters.Params memory turbulent = IRiskParameters.Params({
            periodStart: uint40((MONDAY + 1) * 14_400),
            updatedAt: uint40(block.timestamp),
            borrowCollateralRatioBps: 200_00,
            liquidationCollateralRatioBps: 130_00,
            ammFeePips: 10_000,
            borrowCapFactorBps: 40_00,
            probabilityHighBps: 90_00,
            volatilityE9: 2_000_000,
            appliedVolatilityE9: 2_000_000
        });
        _assertAnswer(BTC, turbulent, IRiskParameters.Status.Fresh);
    }

    function test_SetsPartsAndLeavesTheRest() public {
        mock.setCalm(BTC);
        (IRiskParameters.Params memory expected,) = mock.params(BTC);
        mock.setStatus(BTC, IRiskParameters.Status.Stale);
        _assertAnswer(BTC, expected, IRiskParameters.Status.Stale);

        mock.setVector(BTC, IRiskParameters.RiskVector(180_00, 140_00, 700, 50_00));
        (expected.borrowCollateralRatioBps, expected.liquidationCollateralRatioBps) = (180_00, 140_00);
        (expected.ammFeePips, expected.borrowCapFactorBps) = (700, 50_00);
        _assertAnswer(BTC, expected, IRiskParameters.Status.Stale);

        mock.setForecast(BTC, 30_00, 700_000, 800_000);
        expected.probabilityHighBps = 30_00;
        (expected.volatilityE9, expected.appliedVolatilityE9) = (700_000, 800_000);
        _assertAnswer(BTC, expected, IRiskParameters.Status.Stale);

        skip(365 days);
        _assertAnswer(BTC, expected, IRiskParameters.Status.Stale);
    }

    function testFuzz_SetsTheYoungestPeriodAtLeastThatOld(uint256 ageSeconds, uint256 nowSeconds) public {
        vm.warp(bound(nowSeconds, 100 days, 200_000 days));
        ageSeconds = bound(ageSeconds, 0, 100 days);
        mock.setAge(BTC, ageSeconds);
        (IRiskParameters.Params memory current,) = mock.params(BTC);
        uint256 start = uint256(current.periodStart);
        assertGe(block.timestamp - start, ageSeconds);
        assertLt(block.timestamp - start, ageSeconds + 14_400);
        assertEq(current.updatedAt, start + 60 <= block.timestamp ? start + 60 : block.timestamp);
    }

    function test_AnswersPendingAsTold() public {
        IRiskParameters.RiskVector memory told = IRiskParameters.RiskVector(180_00, 140_00, 700, 50_00);
        mock.setPending(BTC, told, 1234, 5678);
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 reachedAt) = mock.pending(BTC);
        assertEq(keccak256(abi.encode(next)), keccak256(abi.encode(told)));
        assertEq(effectiveAt, 1234);
        assertEq(reachedAt, 5678);
    }

    /* MODES */

    function test_FailsAsTold() public {
        mock.setCalm(BTC);
        _assertFails(MockRiskOracle.Mode.RevertWithReason, abi.encodeWithSelector(MockRiskOracle.Told.selector), true);
        _assertFails(MockRiskOracle.Mode.RevertEmpty, "", true);
        _assertFails(MockRiskOracle.Mode.BurnGas, "", true);
        _assertFails(MockRiskOracle.Mode.RevertBomb, new bytes(100_000), false);
    }

    function test_BurnsAllItsGas() public {
        mock.setMode(MockRiskOracle.Mode.BurnGas);
        uint256 before = gasleft();
        (bool success,) = address(mock).staticcall{gas: 80_000}(abi.encodeCall(mock.params, (BTC)));
        assertFalse(success);
        assertGe(before - gasleft(), 80_000);
    }

    function test_AnswersWrongLengthsAsTold() public {
        mock.setCalm(BTC);
        bytes memory right = _params();
        assertEq(right.length, ANSWER_BYTES);

        mock.setMode(MockRiskOracle.Mode.ReturnNothing);
        assertEq(_params().length, 0);
        mock.setMode(MockRiskOracle.Mode.ReturnShort);
        bytes memory short = _params();
        assertEq(short.length, ANSWER_BYTES - 1);
        assertEq(keccak256(bytes.concat(short, right[ANSWER_BYTES - 1])), keccak256(right));
        mock.setMode(MockRiskOracle.Mode.ReturnLong);
        assertEq(keccak256(_params()), keccak256(bytes.concat(right, bytes32(0))));
        mock.setMode(MockRiskOracle.Mode.ReturnBomb);
        assertEq(_params().length, 100_000);
        mock.setMode(MockRiskOracle.Mode.ReturnMaximal);
        bytes memory maximal = _params();
        assertEq(maximal.length, ANSWER_BYTES);
        for (uint256 i = 0; i < ANSWER_BYTES; ++i) {
            assertEq(maximal[i], bytes1(0xff));
        }
        mock.setMode(MockRiskOracle.Mode.Answer);
        assertEq(keccak256(_params()), keccak256(right));
    }

    /* paramsNoOlderThan */

    function test_RefusesAsARealOracleDoes() public {
        mock.setCalm(BTC);
        assertEq(mock.paramsNoOlderThan(BTC, 75).borrowCollateralRatioBps, 150_00);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.StaleParams.selector, 75, 74));
        mock.paramsNoOlderThan(BTC, 74);

        mock.setStatus(BTC, IRiskParameters.Status.Withheld);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsWithheld.selector, BTC));
        mock.paramsNoOlderThan(BTC, 75);

        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsUnset.selector, ETH));
        mock.paramsNoOlderThan(ETH, 75);
    }

    /* ERC-165 */

    function testFuzz_HasTwoInterfaces(bytes4 other) public view {
        assertTrue(mock.supportsInterface(type(IRiskParameters).interfaceId));
        assertTrue(mock.supportsInterface(0x01ffc9a7));
        vm.assume(other != type(IRiskParameters).interfaceId && other != 0x01ffc9a7);
        assertFalse(mock.supportsInterface(other));
    }

    /* HELPERS */

    function _params() private view returns (bytes memory answer) {
        bool success;
        (success, answer) = address(mock).staticcall(abi.encodeCall(mock.params, (BTC)));
        assertTrue(success);
    }

    function _assertAnswer(bytes32 market, IRiskParameters.Params memory expected, IRiskParameters.Status status)
        private
        view
    {
        (IRiskParameters.Params memory current, IRiskParameters.Status told) = mock.params(market);
        assertEq(keccak256(abi.encode(current)), keccak256(abi.encode(expected)));
        assertEq(uint8(told), uint8(status));
    }

    function _assertFails(MockRiskOracle.Mode mode, bytes memory expected, bool everywhere) private {
        mock.setMode(mode);
        assertEq(uint8(mock.mode()), uint8(mode));
        _assertCall(abi.encodeCall(mock.params, (BTC)), false, expected);
        _assertCall(abi.encodeCall(mock.pending, (BTC)), !everywhere, expected);
        _assertCall(abi.encodeCall(mock.paramsNoOlderThan, (BTC, 1 days)), !everywhere, expected);
    }

    function _assertCall(bytes memory question, bool succeeds, bytes memory expected) private view {
        (bool success, bytes memory answer) = address(mock).staticcall{gas: 200_000}(question);
        assertEq(success, succeeds);
        if (!succeeds) assertEq(keccak256(answer), keccak256(expected));
    }
}
