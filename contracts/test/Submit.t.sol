// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {ForecastMath} from "../src/libraries/ForecastMath.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {packedOutputs} from "./Packed.sol";

/// @notice Updates against a scripted verifier: what lands and what it changes. Specification: Submit.tree.
contract SubmitTest is MarketFixture {
    /// @dev `1e9 * exp(-6.9)`: between the knots of each policy.
    uint32 private constant MIDDLE_E9 = 1_007_785;

    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
    }

    /* WHAT LANDS */

    function test_UpdateSetsEveryField() public {
        _submit(modelId, _outputs(-500, 500, -6900));
        // A quarter of the way, and 0.39 % more: (1_007_785 - 500_000) / 2_000_000
        _assertParams(
            _params(BTC),
            IRiskParameters.Params({
                periodStart: uint40(START),
                updatedAt: uint40(block.timestamp),
                borrowCollateralRatioBps: 162_70,
                liquidationCollateralRatioBps: 130_00,
                ammFeePips: 2912,
                borrowCapFactorBps: 84_76,
                probabilityHighBps: 73_11,
                volatilityE9: MIDDLE_E9,
                appliedVolatilityE9: MIDDLE_E9
            })
        );
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
    }

    function test_UpdateTellsEverything() public {
        int128[] memory outputs = _outputs(-500, 500, -6900);
        IModelRegistry.Update memory update = _update(modelId, outputs);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.UpdateAccepted(
            modelId, MONDAY, RELAYER, 0, _candles(CANDLE_COUNT), update.outputs, keccak256(_proof()), _list(attestor), 1
        );
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ParamsUpdated(
            BTC,
            modelId,
            START,
            73_11,
            MIDDLE_E9,
            MIDDLE_E9,
            MIDDLE_E9,
            IRiskParameters.RiskVector(162_70, 130_00, 2912, 84_76),
            block.timestamp
        );
        vm.prank(RELAYER);
        oracle.submit(update);
    }

    function test_VerifierSeesTheContractsOwnInstances() public {
        int128[] memory outputs = _outputs(-500, 500, -7600);
        uint256[] memory instances = new uint256[](8);
        (instances[0], instances[1], instances[2]) = (1, FieldLib.R - 2, 3);
        (instances[3], instances[4]) = (2400, FieldLib.R - 2401); // Monday 00:00 is slot 24
        for (uint256 i = 0; i < 3; ++i) {
            instances[5 + i] = FieldLib.encode(outputs[i]);
        }
        assertEq(registry.instancesOf(modelId, MONDAY, _candles(3), packedOutputs(outputs)), instances);
        verifier.acceptOnly(_proof(), instances);
        _submit(modelId, outputs);

        _warpTo(MONDAY + 1, 75);
        IModelRegistry.Update memory update = _update(modelId, outputs);
        vm.expectRevert(IModelRegistry.InvalidProof.selector);
        oracle.submit(update);
    }

    function test_MarketsFollowTheOrderOfTheModel() public {
        bytes32[] memory markets = _btcAndEth();
        (markets[0], markets[1]) = (ETH, BTC);
        bytes32 both = _register(_spec(markets));
        int128[] memory outputs = _both(_outputs(500, -500, -8000), _outputs(-2500, 0, -6000));
        uint256[] memory instances = registry.instancesOf(both, MONDAY, _candles(6), packedOutputs(outputs));
        assertEq(instances.length, 16);
        int256[10] memory features = [int256(1), -2, 3, 2400, -2401, -4, 5, -6, 2400, -2401];
        for (uint256 i = 0; i < 10; ++i) {
            assertEq(FieldLib.decode(instances[i]), features[i]);
        }
        for (uint256 i = 0; i < 6; ++i) {
            assertEq(FieldLib.decode(instances[10 + i]), outputs[i]);
        }
        _submit(both, outputs);
        assertEq(_params(ETH).probabilityHighBps, 2689);
        assertEq(_params(BTC).probabilityHighBps, 9241);
        assertEq(_params(ETH).volatilityE9, ForecastMath.volatilityE9(outputs[2], OUTPUT_SCALE));
        assertEq(_params(BTC).volatilityE9, ForecastMath.volatilityE9(outputs[5], OUTPUT_SCALE));
    }

    function testFuzz_AnyAcceptedUpdateStaysWithinThePolicy(int128 low, int128 high, int128 logVolatility) public {
        int128[] memory outputs = new int128[](3);
        outputs[0] = int128(bound(low, -64 * ONE + 1, 64 * ONE - 1));
        outputs[1] = int128(bound(high, -64 * ONE + 1, 64 * ONE - 1));
        outputs[2] = int128(bound(logVolatility, -64 * ONE + 1, 64 * ONE - 1));
        _submit(modelId, outputs);
        IRiskParameters.Params memory stored = _params(BTC);
        IRegimeRiskOracle.Policy memory p = _policy();
        assertGe(stored.borrowCollateralRatioBps, p.knots[0].vector.borrowCollateralRatioBps);
        assertLe(stored.borrowCollateralRatioBps, p.knots[1].vector.borrowCollateralRatioBps);
        assertGe(stored.ammFeePips, p.knots[0].vector.ammFeePips);
        assertLe(stored.ammFeePips, p.knots[1].vector.ammFeePips);
        assertLe(stored.borrowCapFactorBps, p.knots[0].vector.borrowCapFactorBps);
        assertGe(stored.borrowCapFactorBps, p.knots[1].vector.borrowCapFactorBps);
        assertEq(stored.liquidationCollateralRatioBps, p.knots[0].vector.liquidationCollateralRatioBps);
        assertEq(stored.volatilityE9, ForecastMath.volatilityE9(outputs[2], OUTPUT_SCALE));
        assertEq(
            stored.appliedVolatilityE9,
            bound(stored.volatilityE9, 0, type(uint32).max) < 500_000
                ? 500_000
                : stored.volatilityE9 > 2_500_000 ? 2_500_000 : stored.volatilityE9
        );
    }

    /* OTHER MODELS */

    function test_RevertWhen_TheModelForecastsSomethingElse() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.purpose = keccak256("something else/1");
        _expectForeign(spec, 3);
        spec = _spec(_btc());
        spec.outputCount = 4;
        _expectForeign(spec, 4);
        spec = _spec(_btc());
        (spec.periodSeconds, spec.calendarFeatureCount, spec.calendarTable) = (604_800, 0, "");
        _expectForeign(spec, 3);
    }

    /// @dev A finer grid replaces a coarser one: what lands is later, not numbered higher.
    function test_AModelWithAnotherGridTakesOver() public {
        _submit(modelId, _low());
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        (spec.periodSeconds, spec.featureBound) = (900, 1 << 20);
        spec.calendarTable = _calendarTable(672);
        bytes32 quick = _register(spec);
        IModelRegistry.Update memory update = _update(quick, _high());
        vm.expectRevert(_nothing(IRegimeRiskOracle.SkipReason.AlreadyUpdated)); // both began at midnight
        oracle.submit(update);
        vm.warp(START + 900 + 20);
        _submit(quick, _high());
        assertEq(_params(BTC).periodStart, START + 900);
        vm.warp(START + 900 + 900 * 5 / 4 - 1);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        vm.warp(START + 900 + 900 * 5 / 4);
        _assertStatus(BTC, IRiskParameters.Status.Grace);
        vm.warp(START + 900 + 1800);
        _assertStatus(BTC, IRiskParameters.Status.Stale);
    }

    function test_AMarketWithoutPolicyIsSkipped() public {
        bytes32[] memory markets = _btcAndEth();
        markets[1] = SOL;
        bytes32 both = _register(_spec(markets));
        IModelRegistry.Update memory update = _update(both, _both(_low(), _low()));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketSkipped(SOL, both, START, IRegimeRiskOracle.SkipReason.NoPolicy);
        oracle.submit(update);
        bytes32 sol = _register(_spec(_one(SOL)));
        update = _update(sol, _low());
        vm.expectRevert(_nothing(IRegimeRiskOracle.SkipReason.NoPolicy));
        oracle.submit(update);
    }

    /* LIMITS AND RAMPS */

    /// @dev From turbulent: the forecast asks for calm, dwell holds it back twice, the limit once.
    function test_AJumpIsClippedAndRecorded() public {
        bytes32 sol = _ramped();
        for (uint64 i = 0; i < 3; ++i) {
            _warpTo(MONDAY + i, 75);
            IModelRegistry.Update memory update = _update(sol, _low());
            vm.recordLogs();
            oracle.submit(update);
            assertEq(_requested(), i < 2 ? 2_500_000 : 500_000);
            assertEq(_params(SOL).appliedVolatilityE9, i < 2 ? 2_500_000 : 2_400_000);
        }
        assertEq(_params(SOL).volatilityE9, ForecastMath.volatilityE9(_low()[2], OUTPUT_SCALE));
    }

    function test_MissedPeriodsGiveTheirAllowance() public {
        bytes32 sol = _ramped();
        uint64[4] memory periods = [uint64(0), 1, 4, 14];
        uint32[4] memory applied = [uint32(2_500_000), 2_500_000, 2_200_000, 1_600_000];
        for (uint256 i = 0; i < 4; ++i) {
            _warpTo(MONDAY + periods[i], 75);
            _submit(sol, _low());
            assertEq(_params(SOL).appliedVolatilityE9, applied[i], "three allowances, then six");
        }
    }

    function test_UpdatesTurnTheRamp() public {
        bytes32 sol = _ramped();
        for (uint64 i = 0; i < 2; ++i) {
            _warpTo(MONDAY + i, 75);
            _submit(sol, _low());
        }
        _warpTo(MONDAY + 4, 75);
        _expectRamp(_update(sol, _low()), 138_00, 138_00); // lower: at once
        assertEq(_params(SOL).liquidationCollateralRatioBps, 138_00);
        _warpTo(MONDAY + 5, 75);
        _expectRamp(_update(sol, _high()), 138_00, 140_00); // higher: from where it is, at 200 bps a day
        assertEq(_params(SOL).liquidationCollateralRatioBps, 138_00);
        _warpTo(MONDAY + 6, 75);
        vm.recordLogs();
        _submit(sol, _high());
        assertEq(vm.getRecordedLogs().length, 2, "the target is the same: no ramp");
        assertEq(_params(SOL).liquidationCollateralRatioBps, 138_33);
        vm.warp(block.timestamp + 20 hours - 1);
        assertEq(_params(SOL).liquidationCollateralRatioBps, 139_99);
        vm.warp(block.timestamp + 1);
        assertEq(_params(SOL).liquidationCollateralRatioBps, 140_00);
    }

    /// @dev Looser borrow values wait an hour, tighter ones hold at once, and the new ones are pending meanwhile.
    function test_LooserValuesArePendingForTheirDelay() public {
        _slow(1 hours);
        uint256 landed = block.timestamp;
        _submit(modelId, _low());
        assertEq(_params(BTC).ammFeePips, 10_000);
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt,) = oracle.pending(BTC);
        assertEq(effectiveAt, landed + 1 hours);
        assertEq(next.ammFeePips, 500);
        vm.warp(effectiveAt - 1);
        assertEq(_params(BTC).ammFeePips, 10_000);
        vm.warp(effectiveAt);
        assertEq(_params(BTC).ammFeePips, 500);
        _warpTo(MONDAY + 1, 75);
        _submit(modelId, _high());
        assertEq(_params(BTC).ammFeePips, 10_000, "tighter: at once");
    }

    /// @dev What readers saw is carried on, also where it was itself a value still waiting to be loosened.
    function test_ASecondUpdateWithinTheDelayCarriesTheCautiousValues() public {
        _slow(4 hours);
        _warpTo(MONDAY, PERIOD_SECONDS - 1);
        _submit(modelId, _low());
        _warpTo(MONDAY + 1, 75);
        assertEq(_params(BTC).ammFeePips, 10_000);
        _submit(modelId, _low());
        assertEq(_params(BTC).ammFeePips, 10_000);
        vm.warp(block.timestamp + 4 hours);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    /// @dev The fallback of a stale market was what readers saw, and is looser values' past like any other.
    function test_AnUpdateAfterAnOutageLoosensWithTheSameDelay() public {
        _slow(1 hours);
        _submit(modelId, _low());
        _warpTo(MONDAY + 3, 75);
        assertEq(uint8(_status(BTC)), uint8(IRiskParameters.Status.Stale));
        assertEq(_params(BTC).ammFeePips, 10_000);
        _submit(modelId, _low());
        assertEq(_params(BTC).ammFeePips, 10_000);
        assertEq(_params(BTC).borrowCollateralRatioBps, 200_00);
        vm.warp(block.timestamp + 1 hours);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    /* WHO AND WHEN */

    function testFuzz_AnyoneMayRelay(address relayer) public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        vm.expectEmit(true, true, true, false, address(oracle));
        emit IRegimeRiskOracle.UpdateAccepted(modelId, MONDAY, relayer, 0, "", update.outputs, 0, _list(attestor), 1);
        vm.prank(relayer);
        oracle.submit(update);
    }

    function test_OfTwoRelayersOneSucceeds() public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        vm.prank(STRANGER);
        oracle.submit(update);
        IRiskParameters.Params memory landed = _params(BTC);
        vm.warp(block.timestamp + 1);
        vm.prank(RELAYER);
        vm.expectRevert(_nothing(IRegimeRiskOracle.SkipReason.AlreadyUpdated));
        oracle.submit(update);
        _assertParams(_params(BTC), landed);
    }

    function test_OneUpdateInEachPeriod() public {
        for (uint64 period = MONDAY; period < MONDAY + 3; ++period) {
            _warpTo(period, period % 2 == 0 ? 75 : PERIOD_SECONDS - 1);
            _submit(modelId, _outputs(0, 0, -7600));
            assertEq(_params(BTC).periodStart, period * PERIOD_SECONDS);
            IModelRegistry.Update memory again = _update(modelId, _outputs(0, 1, -7600));
            vm.expectRevert(_nothing(IRegimeRiskOracle.SkipReason.AlreadyUpdated));
            oracle.submit(again);
        }
    }

    /* HELPERS */

    function _ramped() private returns (bytes32) {
        _registerRamped();
        return _register(_spec(_one(SOL)));
    }

    function _slow(uint24 delaySeconds) private {
        IRegimeRiskOracle.Policy memory slow = _policy();
        slow.loosenDelaySeconds = delaySeconds;
        _changePolicy(BTC, slow);
    }

    function _expectForeign(IModelRegistry.ModelSpec memory spec, uint256 outputs) private {
        bytes32 foreign = _register(spec);
        IModelRegistry.Update memory update = _smoke(foreign);
        assertEq(update.outputs.length, 16 * outputs);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.ForeignModel.selector, foreign));
        oracle.submit(update);
    }

    function _nothing(IRegimeRiskOracle.SkipReason reason) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.NothingApplied.selector, reason);
    }

    function _expectRamp(IModelRegistry.Update memory update, uint256 fromBps, uint256 toBps) private {
        vm.recordLogs();
        oracle.submit(update);
        assertEq(_params(SOL).liquidationCollateralRatioBps, fromBps);
        (IRiskParameters.RiskVector memory next,,) = oracle.pending(SOL);
        assertEq(next.liquidationCollateralRatioBps, toBps);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (,,,,, uint256 announcedBps) =
            abi.decode(logs[logs.length - 1].data, (uint256, uint256, uint256, uint256, uint256, uint256));
        assertEq(announcedBps, toBps);
    }

    /// @dev `requestedVolatilityE9` of the only `ParamsUpdated` that was recorded.
    function _requested() private returns (uint256 requestedE9) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRegimeRiskOracle.ParamsUpdated.selector) continue;
            (,, requestedE9) = abi.decode(logs[i].data, (uint256, uint256, uint256));
        }
    }
}
