// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {VeriRegimeConsumer} from "../src/consumers/VeriRegimeConsumer.sol";
import {MarketFixture} from "./MarketFixture.sol";

/// @notice What readers see before, during and after an outage. Specification: Reads.tree.
contract ReadsTest is MarketFixture {
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
        _submit(modelId, _outputs(1000, -1000, -6900));
    }

    /* STATUS */

    function test_FreshThenGraceThenStale() public {
        IRiskParameters.Params memory proven = _params(BTC);
        vm.warp(START + 5 hours - 1);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        _assertParams(_params(BTC), proven);
        vm.warp(START + 5 hours);
        _assertStatus(BTC, IRiskParameters.Status.Grace);
        _assertParams(_params(BTC), proven);
        vm.warp(START + 8 hours - 1);
        _assertStatus(BTC, IRiskParameters.Status.Grace);
        _assertParams(_params(BTC), proven);
        vm.warp(START + 8 hours);
        _assertStatus(BTC, IRiskParameters.Status.Stale);
        IRegimeRiskOracle.Policy memory p = _policy();
        proven.borrowCollateralRatioBps = p.knots[1].vector.borrowCollateralRatioBps;
        proven.ammFeePips = p.knots[1].vector.ammFeePips;
        proven.borrowCapFactorBps = p.knots[1].vector.borrowCapFactorBps;
        _assertParams(_params(BTC), proven);
    }

    function test_UnsetShowsTheTightestVector() public view {
        _assertStatus(ETH, IRiskParameters.Status.Unset);
        IRegimeRiskOracle.Policy memory p = _policy();
        IRiskParameters.Params memory expected;
        expected.borrowCollateralRatioBps = p.knots[1].vector.borrowCollateralRatioBps;
        expected.liquidationCollateralRatioBps = p.knots[1].vector.liquidationCollateralRatioBps;
        expected.ammFeePips = p.knots[1].vector.ammFeePips;
        expected.borrowCapFactorBps = p.knots[1].vector.borrowCapFactorBps;
        expected.appliedVolatilityE9 = p.knots[1].volatilityE9;
        _assertParams(_params(ETH), expected);
    }

    function test_UnknownMarketShowsZeros() public view {
        IRiskParameters.Params memory zeros;
        _assertParams(_params(keccak256("nothing")), zeros);
        _assertStatus(keccak256("nothing"), IRiskParameters.Status.Unset);
    }

    /* PROMISES */

    function testFuzz_ParamsNeverReverts(bytes32 market, uint40 later) public {
        vm.warp(block.timestamp + later);
        oracle.params{gas: 40_000}(market);
        oracle.params{gas: 40_000}(ETH);
        (, IRiskParameters.Status status) = oracle.params{gas: 40_000}(BTC);
        assertTrue(status != IRiskParameters.Status.Unset);
        oracle.pending(market);
        oracle.pending(BTC);
    }

    /// @dev Whatever time does to the parameters, it creates neither new risk nor a liquidation.
    function testFuzz_TimeOnlyTightens(uint32 earlierSeconds, uint32 laterSeconds) public {
        uint256 landed = block.timestamp;
        vm.warp(landed + bound(earlierSeconds, 0, laterSeconds));
        (IRiskParameters.Params memory earlier, IRiskParameters.Status earlierStatus) = oracle.params(BTC);
        vm.warp(landed + laterSeconds);
        (IRiskParameters.Params memory later, IRiskParameters.Status laterStatus) = oracle.params(BTC);
        assertGe(uint8(laterStatus), uint8(earlierStatus));
        assertGe(later.borrowCollateralRatioBps, earlier.borrowCollateralRatioBps);
        assertGe(later.ammFeePips, earlier.ammFeePips);
        assertLe(later.borrowCapFactorBps, earlier.borrowCapFactorBps);
        assertEq(later.liquidationCollateralRatioBps, earlier.liquidationCollateralRatioBps);
    }

    /// @dev The policy has been loosened since the update: the fallback must not loosen with it.
    function test_StaleNeverLoosens() public {
        _warpTo(MONDAY + 1, 75);
        _submit(modelId, _high());
        IRiskParameters.Params memory proven = _params(BTC);
        IRegimeRiskOracle.Policy memory looser = _policy();
        looser.knots[1].vector = looser.knots[0].vector;
        _changePolicy(BTC, looser);
        _warpTo(MONDAY + 1, 8 hours);
        _assertStatus(BTC, IRiskParameters.Status.Stale);
        _assertParams(_params(BTC), proven);
    }

    /// @dev A read of a cold contract from a fresh transaction: what a consumer pays beside its own call.
    function test_GasOfReads() public {
        uint256 fresh = _readGas(BTC);
        vm.snapshotValue("Reads", "params, fresh", fresh);
        assertLe(fresh, 9000);
        vm.snapshotValue("Reads", "params, unset", _readGas(ETH));
        vm.warp(START + 5 hours);
        vm.snapshotValue("Reads", "params, grace", _readGas(BTC));
        vm.warp(START + 8 hours);
        uint256 stale = _readGas(BTC);
        vm.snapshotValue("Reads", "params, stale", stale);
        assertLe(stale, 20_000);
    }

    function test_ReadersTouchTwoWordsAndTheFeedsAddressWhileFresh() public {
        assertEq(_wordsRead(), 3);
        vm.warp(START + 8 hours);
        assertEq(_wordsRead(), 4, "and where the policy is");
    }

    /* MAXIMUM AGE */

    function test_ParamsNoOlderThan() public {
        IRiskParameters.Params memory proven = _params(BTC);
        vm.warp(START + 7 hours);
        _assertParams(oracle.paramsNoOlderThan(BTC, 7 hours), proven);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.StaleParams.selector, 7 hours, 7 hours - 1));
        oracle.paramsNoOlderThan(BTC, 7 hours - 1);
    }

    function testFuzz_AgeIsCountedFromThePeriodsStart(uint32 later, uint40 maxAge) public {
        vm.warp(block.timestamp + later);
        uint256 age = block.timestamp - START;
        if (age > maxAge || age >= 8 hours) {
            vm.expectRevert(abi.encodeWithSelector(IRiskParameters.StaleParams.selector, age, maxAge));
        }
        oracle.paramsNoOlderThan(BTC, maxAge);
    }

    /// @dev It answered with a fallback where the consumer's `tryParamsNoOlderThan` refused.
    function test_Fault8_NoOlderThanHasOneMeaning() public {
        vm.warp(START + 8 hours);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.StaleParams.selector, 8 hours, type(uint256).max));
        oracle.paramsNoOlderThan(BTC, type(uint256).max);
        (bool ok,) = VeriRegimeConsumer.tryParamsNoOlderThan(oracle, BTC, type(uint256).max);
        assertFalse(ok);
    }

    function test_RevertWhen_ParamsAreUnset() public {
        bytes32[2] memory markets = [ETH, keccak256("nothing")];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsUnset.selector, markets[i]));
            oracle.paramsNoOlderThan(markets[i], type(uint256).max);
        }
    }

    function test_RevertWhen_ParamsAreWithheld() public {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsWithheld.selector, BTC));
        oracle.paramsNoOlderThan(BTC, type(uint256).max);
        vm.warp(block.timestamp + 1);
        oracle.paramsNoOlderThan(BTC, type(uint256).max);
    }

    /* WHAT COMES NEXT */

    function test_PendingOfAMarketWithoutPolicyIsNothing() public view {
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 reachedAt) =
            oracle.pending(keccak256("nothing"));
        IRiskParameters.RiskVector memory none;
        assertEq(abi.encode(next), abi.encode(none));
        assertEq(effectiveAt + reachedAt, 0);
    }

    function test_PendingTellsTheEndOfTheRamp() public {
        _registerRamped();
        bytes32 sol = _register(_spec(_one(SOL)));
        for (uint64 i = 0; i < 2; ++i) {
            _warpTo(MONDAY + i, 75);
            _submit(sol, _low());
        }
        _warpTo(MONDAY + 4, 75);
        _submit(sol, _low());
        _warpTo(MONDAY + 5, 75);
        _submit(sol, _high());
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 reachedAt) = oracle.pending(SOL);
        assertEq(next.borrowCollateralRatioBps, 200_00);
        assertEq(next.liquidationCollateralRatioBps, 140_00);
        assertEq(next.ammFeePips, 10_000);
        assertEq(next.borrowCapFactorBps, 40_00);
        assertEq(effectiveAt, block.timestamp + 1 hours);
        assertEq(reachedAt, block.timestamp + 1 days);
    }

    /// @dev Its borrow ratio was zero before the first update, and could be below the liquidation ratio after a new policy.
    function test_Fault8_PendingIsNeverBelowTheLiquidationRatio() public {
        (IRiskParameters.RiskVector memory next,,) = oracle.pending(ETH);
        assertEq(abi.encode(next), abi.encode(_policy().knots[1].vector));
        _warpTo(MONDAY + 1, 75);
        _submit(modelId, _low());
        IRegimeRiskOracle.Policy memory steep = _policy();
        for (uint256 i = 0; i < 2; ++i) {
            steep.knots[i].vector.liquidationCollateralRatioBps = 170_00;
            steep.knots[i].vector.borrowCollateralRatioBps = 200_00;
        }
        steep.liquidationRiseBpsPerDay = 2_00;
        _changePolicy(BTC, steep);
        (next,,) = oracle.pending(BTC);
        assertEq(next.liquidationCollateralRatioBps, 170_00);
        assertEq(next.borrowCollateralRatioBps, 170_00);
    }

    /* INTERFACES */

    function testFuzz_SupportsItsInterfacesAndNoOther(bytes4 id) public view {
        assertTrue(oracle.supportsInterface(type(IRiskParameters).interfaceId));
        assertTrue(oracle.supportsInterface(0x01ffc9a7));
        assertFalse(oracle.supportsInterface(0xffffffff));
        bool known = id == type(IRiskParameters).interfaceId || id == 0x01ffc9a7;
        assertEq(oracle.supportsInterface(id), known);
    }

    /* HELPERS */

    /// @dev Gas of the callee, without what a transaction costs by itself: with `isolate`, a call starts cold.
    function _readGas(bytes32 market) private returns (uint256 gas) {
        bytes memory data = abi.encodeCall(oracle.params, (market));
        (bool success,) = address(oracle).call(data);
        assertTrue(success);
        gas = vm.lastCallGas().gasTotalUsed - 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            gas -= data[i] == 0 ? 4 : 16;
        }
    }

    /// @dev Different words of the oracle's storage that a read of BTC touches.
    function _wordsRead() private returns (uint256 count) {
        vm.record();
        oracle.params(BTC);
        (bytes32[] memory reads,) = vm.accesses(address(oracle));
        for (uint256 i = 0; i < reads.length; ++i) {
            bool seen = false;
            for (uint256 j = 0; j < i; ++j) {
                if (reads[i] == reads[j]) seen = true;
            }
            if (!seen) ++count;
        }
    }
}
