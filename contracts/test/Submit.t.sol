// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {ForecastMath} from "../src/libraries/ForecastMath.sol";
import {RiskState} from "../src/libraries/RiskState.sol";
import {Words} from "../src/libraries/Words.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {packed} from "./Packed.sol";

/// @notice Updates against a scripted verifier: what lands and what it changes. Specification: Submit.tree.
contract SubmitTest is MarketFixture {
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
    }

    /* WHAT LANDS */

    function test_UpdateSetsEveryField() public {
        int128[] memory outputs = _outputs(-500, 500, -7600);
        _submit(modelId, outputs);
        IRiskParameters.Params memory expected = IRiskParameters.Params({
            period: uint40(MONDAY),
            updatedAt: uint40(block.timestamp),
            borrowCollateralRatioBps: 186_56,
            liquidationCollateralRatioBps: 130_00,
            ammFeePips: 7446,
            borrowCapFactorBps: 56_13,
            probabilityHighBps: 73_11,
            appliedProbabilityBps: 73_11,
            volatilityWad: ForecastMath.volatilityWad(outputs[2], OUTPUT_SCALE) / 1e10 * 1e10,
            regime: 1
        });
        _assertParams(_params(BTC), expected);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(oracle.latestPeriod(modelId), MONDAY);
    }

    function test_UpdateTellsEverything() public {
        int128[] memory outputs = _outputs(-500, 500, -7600);
        IRegimeRiskOracle.Update memory update = _update(modelId, outputs);
        RiskState.PackedParams memory word;
        (word.period, word.landedAfterSeconds) = (uint32(MONDAY), 75);
        (word.probabilityHighBps, word.appliedProbabilityBps) = (73_11, 73_11);
        word.volatility = uint32(ForecastMath.volatilityWad(outputs[2], OUTPUT_SCALE) / 1e10);
        word.switchState = 0x80;
        (word.previousBorrowCollateralRatioBps, word.previousAmmFeePips, word.previousBorrowCapFactorBps) =
        (200_00, 10_000, 40_00);
        (word.nextBorrowCollateralRatioBps, word.nextAmmFeePips, word.nextBorrowCapFactorBps) = (186_56, 7446, 56_13);
        (word.restingLiquidationRatioBps, word.freshSeconds) = (130_00, 5 hours);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.UpdateAccepted(
            modelId, MONDAY, RELAYER, 0, packed(_candles(CANDLE_COUNT)), outputs, keccak256(_proof()), 1
        );
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ParamsUpdated(BTC, MONDAY, modelId, Words.pack(word), 73_11);
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
        assertEq(oracle.instancesOf(modelId, MONDAY, _candles(3), outputs), instances);
        verifier.acceptOnly(_proof(), instances);
        _submit(modelId, outputs);

        _warpTo(MONDAY + 1, 75);
        IRegimeRiskOracle.Update memory update = _update(modelId, outputs);
        vm.expectRevert(IRegimeRiskOracle.InvalidProof.selector);
        oracle.submit(update);
    }

    function test_MarketsFollowTheOrderOfTheModel() public {
        bytes32[] memory markets = _btcAndEth();
        (markets[0], markets[1]) = (ETH, BTC);
        bytes32 both = _register(_spec(markets));
        int128[] memory outputs = _both(_outputs(500, -500, -8000), _outputs(-2500, 0, -6000));
        uint256[] memory instances = oracle.instancesOf(both, MONDAY, _candles(6), outputs);
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
        assertEq(_params(ETH).regime, 0);
        assertEq(_params(BTC).regime, 1);
        assertEq(_params(ETH).volatilityWad, ForecastMath.volatilityWad(outputs[2], OUTPUT_SCALE) / 1e10 * 1e10);
        assertEq(_params(BTC).volatilityWad, ForecastMath.volatilityWad(outputs[5], OUTPUT_SCALE) / 1e10 * 1e10);
    }

    function testFuzz_AnyAcceptedUpdateStaysWithinThePolicy(int128 low, int128 high, int128 logVolatility) public {
        int128[] memory outputs = new int128[](3);
        outputs[0] = int128(bound(low, -64 * ONE + 1, 64 * ONE - 1));
        outputs[1] = int128(bound(high, -64 * ONE + 1, 64 * ONE - 1));
        outputs[2] = int128(bound(logVolatility, -64 * ONE + 1, 64 * ONE - 1));
        _submit(modelId, outputs);
        IRiskParameters.Params memory stored = _params(BTC);
        IRegimeRiskOracle.Policy memory p = _policy();
        assertGe(stored.borrowCollateralRatioBps, p.calm.borrowCollateralRatioBps);
        assertLe(stored.borrowCollateralRatioBps, p.turbulent.borrowCollateralRatioBps);
        assertGe(stored.ammFeePips, p.calm.ammFeePips);
        assertLe(stored.ammFeePips, p.turbulent.ammFeePips);
        assertLe(stored.borrowCapFactorBps, p.calm.borrowCapFactorBps);
        assertGe(stored.borrowCapFactorBps, p.turbulent.borrowCapFactorBps);
        assertEq(stored.liquidationCollateralRatioBps, p.calm.liquidationCollateralRatioBps);
        assertEq(stored.appliedProbabilityBps, stored.probabilityHighBps);
        uint256 volatilityWad = ForecastMath.volatilityWad(outputs[2], OUTPUT_SCALE);
        assertEq(stored.volatilityWad, volatilityWad - volatilityWad % 1e10);
    }

    function test_CalendarRowsOfKnownMoments() public view {
        _assertSlot(0, 0); // Thursday 1970-01-01 00:00
        _assertSlot(1_672_531_200, 18); // Sunday 2023-01-01 00:00
        _assertSlot(1_709_208_000, 3); // Thursday 2024-02-29 12:00
        _assertSlot(1_722_816_000, 24); // Monday 2024-08-05 00:00
        _assertSlot(1_731_096_000, 11); // Friday 2024-11-08 20:00
        _assertSlot(1_731_110_399, 11); // Friday 2024-11-08 23:59:59
        _assertSlot(1_731_110_400, 12); // Saturday 2024-11-09 00:00
    }

    /* LIMITS AND RAMPS */

    /// @dev From High at 100 %: the forecast asks for calm, dwell leaves one half of it, the limit 70 %.
    function test_AJumpIsClippedAndRecorded() public {
        bytes32 sol = _ramped();
        IRegimeRiskOracle.Update memory update = _update(sol, _low());
        vm.recordLogs();
        oracle.submit(update);
        assertEq(_requested(), 50_00);
        IRiskParameters.Params memory seen = _params(SOL);
        assertEq(seen.probabilityHighBps, 0);
        assertEq(seen.appliedProbabilityBps, 70_00);
        assertEq(seen.regime, 1);
    }

    function test_ClippedUpdatesArriveInTheEnd() public {
        bytes32 sol = _ramped();
        uint16[9] memory applied = [70_00, 65_00, 60_00, 55_00, 50_00, 45_00, 40_00, 60_00, 80_00];
        uint8[9] memory regimes = [1, 1, 0, 0, 0, 0, 0, 1, 1];
        for (uint64 i = 0; i < applied.length; ++i) {
            _warpTo(MONDAY + i, 75);
            _submit(sol, i < 7 ? _low() : _high());
            assertEq(_params(SOL).appliedProbabilityBps, applied[i]);
            assertEq(_params(SOL).regime, regimes[i]);
        }
    }

    function test_MissedPeriodsGiveTheirAllowance() public {
        bytes32 sol = _ramped();
        _submit(sol, _low());
        _warpTo(MONDAY + 3, 75);
        _submit(sol, _low());
        assertEq(_params(SOL).appliedProbabilityBps, 55_00);
    }

    function test_UpdatesTurnTheRamp() public {
        bytes32 sol = _ramped();
        _expectRamp(_update(sol, _low()), 137_00, 137_00); // lower: at once
        assertEq(_params(SOL).liquidationCollateralRatioBps, 137_00);
        _warpTo(MONDAY + 1, 75);
        _expectRamp(_update(sol, _high()), 137_00, 139_00); // higher: from where it is, at 200 bps a day
        assertEq(_params(SOL).liquidationCollateralRatioBps, 137_00);
        _warpTo(MONDAY + 4, 75);
        _expectRamp(_update(sol, _high()), 138_00, 140_00); // in the middle of it, after half a day
        assertEq(_params(SOL).liquidationCollateralRatioBps, 138_00);
        _warpTo(MONDAY + 5, 75);
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
        bytes32 sol = _ramped();
        uint256 landed = block.timestamp;
        _submit(sol, _low());
        assertEq(_params(SOL).ammFeePips, 10_000);
        (IRiskParameters.RiskVector memory next, uint256 effectiveAt,) = oracle.pending(SOL);
        assertEq(effectiveAt, landed + 1 hours);
        assertEq(next.ammFeePips, 7150);
        vm.warp(effectiveAt - 1);
        assertEq(_params(SOL).ammFeePips, 10_000);
        vm.warp(effectiveAt);
        assertEq(_params(SOL).ammFeePips, 7150);
        _warpTo(MONDAY + 1, 75);
        _submit(sol, _high());
        assertEq(_params(SOL).ammFeePips, 9050, "tighter: at once");
    }

    /// @dev What readers saw is carried on, also where it was itself a value still waiting to be loosened.
    function test_ASecondUpdateWithinTheDelayCarriesTheCautiousValues() public {
        IRegimeRiskOracle.Policy memory slow = _policy();
        slow.loosenDelaySeconds = 4 hours;
        _changePolicy(BTC, slow);
        _warpTo(MONDAY, PERIOD_SECONDS - 1);
        _submit(modelId, _low());
        _warpTo(MONDAY + 1, 75);
        assertEq(_params(BTC).ammFeePips, 10_000);
        _submit(modelId, _low());
        assertEq(_params(BTC).ammFeePips, 10_000);
        vm.warp(block.timestamp + 4 hours);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    /* WHO AND WHEN */

    function testFuzz_AnyoneMayRelay(address relayer) public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.UpdateAccepted(
            modelId, MONDAY, relayer, 0, packed(update.candleFeatures), update.outputs, keccak256(update.proof), 1
        );
        vm.prank(relayer);
        oracle.submit(update);
    }

    function test_OfTwoRelayersOneSucceeds() public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        vm.prank(STRANGER);
        oracle.submit(update);
        IRiskParameters.Params memory landed = _params(BTC);
        vm.warp(block.timestamp + 1);
        vm.prank(RELAYER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, MONDAY));
        oracle.submit(update);
        _assertParams(_params(BTC), landed);
    }

    function test_OneUpdateInEachPeriod() public {
        for (uint64 period = MONDAY; period < MONDAY + 3; ++period) {
            _warpTo(period, period % 2 == 0 ? 0 : PERIOD_SECONDS - 1);
            if (period == MONDAY) vm.warp(START + 75);
            _submit(modelId, _outputs(0, 0, -7600));
            assertEq(oracle.latestPeriod(modelId), period);
            IRegimeRiskOracle.Update memory again = _update(modelId, _outputs(0, 1, -7600));
            vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, period));
            oracle.submit(again);
        }
    }

    /* HELPERS */

    function _ramped() private returns (bytes32) {
        _registerRamped();
        return _register(_spec(_one(SOL)));
    }

    function _expectRamp(IRegimeRiskOracle.Update memory update, uint256 fromBps, uint256 toBps) private {
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.LiquidationRampStarted(SOL, fromBps, toBps, 2_00);
        oracle.submit(update);
    }

    /// @dev `requestedProbabilityBps` of the only `ParamsUpdated` that was recorded.
    function _requested() private returns (uint256 requestedBps) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRegimeRiskOracle.ParamsUpdated.selector) continue;
            (, requestedBps) = abi.decode(logs[i].data, (uint256, uint256));
        }
    }

    function _assertSlot(uint256 time, uint256 slot) private view {
        uint64 period = uint64(time / PERIOD_SECONDS);
        uint256[] memory instances = oracle.instancesOf(modelId, period, _candles(3), _outputs(0, 0, 0));
        assertEq(FieldLib.decode(instances[3]), _calendarEntry(slot, 0));
        assertEq(FieldLib.decode(instances[4]), _calendarEntry(slot, 1));
    }
}
