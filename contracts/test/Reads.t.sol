// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice What readers see before, during and after an outage.
contract ReadsTest is OracleFixture {
    uint256 private constant READ_GAS_LIMIT = 15_000;
    uint256 private constant START = MONDAY * PERIOD_SECONDS;

    function setUp() public override {
        super.setUp();
        bytes32 modelId = _register(_spec(_btc()));
        _submit(modelId, _outputs(1000, -1000, -7600));
    }

    /* STATUS */

    function test_FreshUntilGrace() public {
        vm.warp(START + 5 hours - 1);
        _assertProven(IRegimeRiskOracle.Status.Fresh);
    }

    function test_GraceUntilStale() public {
        vm.warp(START + 5 hours);
        _assertProven(IRegimeRiskOracle.Status.Grace);
        vm.warp(START + 8 hours - 1);
        _assertProven(IRegimeRiskOracle.Status.Grace);
    }

    function test_StaleTightensAllButLiquidation() public {
        (IRegimeRiskOracle.Params memory proven,) = oracle.params(BTC);
        vm.warp(START + 8 hours);
        (IRegimeRiskOracle.Params memory stale, IRegimeRiskOracle.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(IRegimeRiskOracle.Status.Stale));
        IRegimeRiskOracle.Policy memory p = _policy();
        assertEq(stale.borrowCollateralRatioBps, p.turbulent.borrowCollateralRatioBps);
        assertEq(stale.ammFeePips, p.turbulent.ammFeePips);
        assertEq(stale.borrowCapFactorBps, p.turbulent.borrowCapFactorBps);
        assertEq(stale.liquidationCollateralRatioBps, proven.liquidationCollateralRatioBps);
        assertEq(stale.period, proven.period);
        assertEq(stale.updatedAt, proven.updatedAt);
        assertEq(stale.probabilityHighBps, proven.probabilityHighBps);
        assertEq(stale.volatilityWad, proven.volatilityWad);
        assertEq(stale.regime, proven.regime);
    }

    /// @dev The market's owner has loosened the policy since the update: the fallback must not loosen with it.
    function test_StaleNeverLoosens() public {
        vm.warp(START + 4 hours);
        _submit(oracle.activeModel(BTC), _outputs(-9900, 9900, -6000));
        (IRegimeRiskOracle.Params memory proven,) = oracle.params(BTC);
        IRegimeRiskOracle.Policy memory looser = _policy();
        looser.turbulent = looser.calm;
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, looser);
        vm.warp(START + 4 hours + 8 hours);
        (IRegimeRiskOracle.Params memory stale, IRegimeRiskOracle.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(IRegimeRiskOracle.Status.Stale));
        assertEq(abi.encode(stale), abi.encode(proven));
    }

    function test_UnsetShowsTheTurbulentVector() public view {
        (IRegimeRiskOracle.Params memory unset, IRegimeRiskOracle.Status status) = oracle.params(ETH);
        assertEq(uint8(status), uint8(IRegimeRiskOracle.Status.Unset));
        IRegimeRiskOracle.Policy memory p = _policy();
        assertEq(unset.borrowCollateralRatioBps, p.turbulent.borrowCollateralRatioBps);
        assertEq(unset.liquidationCollateralRatioBps, p.liquidationCollateralRatioBps);
        assertEq(unset.ammFeePips, p.turbulent.ammFeePips);
        assertEq(unset.borrowCapFactorBps, p.turbulent.borrowCapFactorBps);
        assertEq(uint256(unset.period) + unset.updatedAt + unset.probabilityHighBps + unset.volatilityWad, 0);
    }

    function test_UnknownMarketShowsZeros() public view {
        (IRegimeRiskOracle.Params memory none, IRegimeRiskOracle.Status status) = oracle.params(keccak256("nothing"));
        IRegimeRiskOracle.Params memory zeros;
        assertEq(abi.encode(none), abi.encode(zeros));
        assertEq(uint8(status), uint8(IRegimeRiskOracle.Status.Unset));
    }

    /* PROMISES */

    function testFuzz_ParamsNeverReverts(bytes32 market, uint64 time) public {
        vm.warp(time);
        oracle.params{gas: READ_GAS_LIMIT}(market);
        (, IRegimeRiskOracle.Status status) = oracle.params{gas: READ_GAS_LIMIT}(BTC);
        assertTrue(status != IRegimeRiskOracle.Status.Unset);
        oracle.params{gas: READ_GAS_LIMIT}(ETH);
    }

    /// @dev Whatever time does to the parameters, it creates neither new risk nor a liquidation.
    function testFuzz_TimeOnlyTightens(uint32 earlierSeconds, uint32 laterSeconds) public {
        vm.warp(START + bound(earlierSeconds, 0, laterSeconds));
        (IRegimeRiskOracle.Params memory earlier, IRegimeRiskOracle.Status earlierStatus) = oracle.params(BTC);
        vm.warp(START + laterSeconds);
        (IRegimeRiskOracle.Params memory later, IRegimeRiskOracle.Status laterStatus) = oracle.params(BTC);
        assertGe(uint8(laterStatus), uint8(earlierStatus));
        assertGe(later.borrowCollateralRatioBps, earlier.borrowCollateralRatioBps);
        assertGe(later.ammFeePips, earlier.ammFeePips);
        assertLe(later.borrowCapFactorBps, earlier.borrowCapFactorBps);
        assertEq(later.liquidationCollateralRatioBps, earlier.liquidationCollateralRatioBps);
    }

    function test_ReadersTouchOneStorageWord() public {
        vm.record();
        oracle.paramsNoOlderThan(BTC, 4 hours);
        assertEq(_wordsRead(), 1);
        vm.record();
        oracle.params(BTC);
        assertEq(_wordsRead(), 2, "the parameters and the policy");
    }

    /* MAXIMUM AGE */

    function test_ParamsNoOlderThan() public {
        (IRegimeRiskOracle.Params memory proven,) = oracle.params(BTC);
        vm.warp(START + 9 hours);
        assertEq(abi.encode(oracle.paramsNoOlderThan(BTC, 9 hours)), abi.encode(proven));
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.StaleParams.selector, 9 hours, 9 hours - 1));
        oracle.paramsNoOlderThan(BTC, 9 hours - 1);
    }

    function test_RevertWhen_ParamsAreUnset() public {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.ParamsUnset.selector, ETH));
        oracle.paramsNoOlderThan(ETH, type(uint256).max);
    }

    /* GRID */

    function test_CurrentPeriod() public {
        assertEq(oracle.currentPeriod(), MONDAY);
        vm.warp(START - 1);
        assertEq(oracle.currentPeriod(), MONDAY - 1);
        vm.warp(START);
        assertEq(oracle.currentPeriod(), MONDAY);
    }

    function _assertProven(IRegimeRiskOracle.Status expected) private view {
        (IRegimeRiskOracle.Params memory current, IRegimeRiskOracle.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(expected));
        assertEq(abi.encode(current), abi.encode(oracle.paramsNoOlderThan(BTC, type(uint256).max)));
    }

    /// @dev Distinct storage words that the oracle read since `vm.record`.
    function _wordsRead() private returns (uint256 count) {
        (bytes32[] memory reads,) = vm.accesses(address(oracle));
        for (uint256 i = 0; i < reads.length; ++i) {
            bool seen = false;
            for (uint256 j = 0; j < i; ++j) {
                seen = seen || reads[i] == reads[j];
            }
            if (!seen) ++count;
        }
    }
}
