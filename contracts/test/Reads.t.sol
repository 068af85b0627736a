// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {MarketFixture} from "./MarketFixture.sol";

/// @notice What readers see before, during and after an outage. Specification: Reads.tree.
contract ReadsTest is MarketFixture {
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
        _submit(modelId, _outputs(1000, -1000, -7600));
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
        proven.borrowCollateralRatioBps = p.turbulent.borrowCollateralRatioBps;
        proven.ammFeePips = p.turbulent.ammFeePips;
        proven.borrowCapFactorBps = p.turbulent.borrowCapFactorBps;
        _assertParams(_params(BTC), proven);
    }

    function test_UnsetShowsTheTurbulentVector() public view {
        _assertStatus(ETH, IRiskParameters.Status.Unset);
        IRegimeRiskOracle.Policy memory p = _policy();
        IRiskParameters.Params memory expected;
        expected.borrowCollateralRatioBps = p.turbulent.borrowCollateralRatioBps;
        expected.liquidationCollateralRatioBps = p.turbulent.liquidationCollateralRatioBps;
        expected.ammFeePips = p.turbulent.ammFeePips;
        expected.borrowCapFactorBps = p.turbulent.borrowCapFactorBps;
        expected.probabilityHighBps = 10_000;
        expected.appliedProbabilityBps = 10_000;
        expected.regime = 1;
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
        oracle.params{gas: 30_000}(market);
        oracle.params{gas: 30_000}(ETH);
        (, IRiskParameters.Status status) = oracle.params{gas: 30_000}(BTC);
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
        looser.turbulent = looser.calm;
        _changePolicy(BTC, looser);
        _warpTo(MONDAY + 1, 8 hours);
        _assertStatus(BTC, IRiskParameters.Status.Stale);
        _assertParams(_params(BTC), proven);
    }

    /// @dev A read of a cold contract from a fresh transaction: what a consumer pays beside its own call.
    function test_GasOfReads() public {
        uint256 fresh = _readGas(BTC);
        vm.snapshotValue("Reads", "params, fresh", fresh);
        assertLe(fresh, 5000);
        vm.snapshotValue("Reads", "params, unset", _readGas(ETH));
        vm.warp(START + 5 hours);
        vm.snapshotValue("Reads", "params, grace", _readGas(BTC));
        vm.warp(START + 8 hours);
        uint256 stale = _readGas(BTC);
        vm.snapshotValue("Reads", "params, stale", stale);
        assertLe(stale, 11_000);
    }

    function test_ReadersTouchOneWordWhileFreshAndTwoLater() public {
        assertEq(_wordsRead(), 1);
        vm.warp(START + 5 hours);
        assertEq(_wordsRead(), 2, "the parameters and the guard");
    }

    /* MAXIMUM AGE */

    function test_ParamsNoOlderThan() public {
        IRiskParameters.Params memory proven = _params(BTC);
        vm.warp(START + 7 hours);
        _assertParams(oracle.paramsNoOlderThan(BTC, 7 hours), proven);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.StaleParams.selector, 7 hours, 7 hours - 1));
        oracle.paramsNoOlderThan(BTC, 7 hours - 1);
        vm.warp(START + 9 hours);
        _assertParams(oracle.paramsNoOlderThan(BTC, type(uint256).max), _params(BTC));
        assertEq(_params(BTC).ammFeePips, 10_000, "tightened");
    }

    function testFuzz_AgeIsCountedFromThePeriodsStart(uint32 later, uint40 maxAge) public {
        vm.warp(block.timestamp + later);
        uint256 age = block.timestamp - START;
        if (age > maxAge) {
            vm.expectRevert(abi.encodeWithSelector(IRiskParameters.StaleParams.selector, age, maxAge));
        }
        oracle.paramsNoOlderThan(BTC, maxAge);
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
        _submit(sol, _low());
        _warpTo(MONDAY + 1, 75);
        _submit(sol, _high());
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt, uint256 reachedAt) = oracle.pending(SOL);
        assertEq(next.borrowCollateralRatioBps, 195_00);
        assertEq(next.liquidationCollateralRatioBps, 139_00);
        assertEq(next.ammFeePips, 9050);
        assertEq(next.borrowCapFactorBps, 46_00);
        assertEq(effectiveAt, block.timestamp + 1 hours);
        assertEq(reachedAt, block.timestamp + 1 days);
    }

    /* GRID AND INTERFACES */

    function test_CurrentPeriod() public {
        assertEq(oracle.currentPeriod(), MONDAY);
        vm.warp(START - 1);
        assertEq(oracle.currentPeriod(), MONDAY - 1);
        vm.warp(START);
        assertEq(oracle.currentPeriod(), MONDAY);
    }

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
