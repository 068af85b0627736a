// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {AttestedFixture} from "./AttestedFixture.sol";

/// @notice Faults of limits, ramps and batches that must not be possible here. Specification: RegressionLimits.tree.
contract RegressionLimitsTest is AttestedFixture {
    /// @dev Of the limited policy.
    uint256 private constant SPAN = 2_000_000;
    uint256 private constant RISE = 7_00;
    uint256 private constant FALL = 11_00;
    uint256 private constant RAMP_BPS_PER_DAY = 2_00;

    function setUp() public override {
        super.setUp();
        IRegimeRiskOracle.Policy memory limited = _policy();
        limited.knots[1].vector.liquidationCollateralRatioBps = 160_00;
        limited.maxRiseBpsPerPeriod = uint16(RISE);
        limited.maxFallBpsPerPeriod = uint16(FALL);
        limited.liquidationRiseBpsPerDay = uint16(RAMP_BPS_PER_DAY);
        vm.startPrank(MARKET_OWNER);
        oracle.schedule(abi.encodeCall(oracle.setPolicy, (BTC, limited)));
        oracle.setPolicy(BTC, limited);
        vm.stopPrank();
    }

    /* AAVE, MARCH 2026 */

    /// @dev A limit held back the ratio, nothing held back its timestamp: the pair was inconsistent, and 26 million dollars of
    /// healthy positions were liquidated. Here one number is limited, and everything follows it.
    /// forge-config: default.fuzz.runs = 128
    function testFuzz_Regression_Aave202603_CoupledValuesMoveTogether(int16[8] calldata logs, uint8[8] calldata skips)
        public
    {
        IRegimeRiskOracle.Policy memory p = oracle.policy(BTC);
        uint256 previous = 2_500_000;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 periods = i == 0 ? 0 : 1 + skips[i] % 3;
            vm.warp(block.timestamp + periods * PERIOD_SECONDS);
            _submitLog(logs[i]);
            (IRiskParameters.Params memory current, IRiskParameters.Status status) = oracle.params(BTC);
            (IRiskParameters.RiskVector memory next,,) = oracle.pending(BTC);
            uint256 applied = current.appliedVolatilityE9 - 500_000;
            assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
            assertEq(current.periodStart, block.timestamp - 75);
            assertEq(current.updatedAt, block.timestamp);
            assertEq(next.borrowCollateralRatioBps, _up(150_00, 200_00, applied));
            assertEq(next.ammFeePips, _up(500, 10_000, applied));
            assertEq(next.borrowCapFactorBps, 100_00 - FixedPointMathLib.divUp(60_00 * applied, SPAN));
            assertEq(next.liquidationCollateralRatioBps, 130_00 + 30_00 * applied / SPAN);
            if (i != 0) {
                assertLe(current.appliedVolatilityE9, previous + periods * RISE * SPAN / 100_00);
                assertGe(current.appliedVolatilityE9 + periods * FALL * SPAN / 100_00, previous);
            }
            previous = current.appliedVolatilityE9;
        }
        assertEq(abi.encode(oracle.policy(BTC)), abi.encode(p));
    }

    /// @dev The same with the limit in force: not one field runs ahead.
    function test_Regression_Aave202603_TheLimitHoldsTheWholeSet() public {
        _settleAtCalm();
        (IRiskParameters.Params memory calm,) = oracle.params(BTC);
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _submitLog(-5900);
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertGt(current.volatilityE9, 2_500_000);
        assertEq(current.appliedVolatilityE9, 500_000 + RISE * SPAN / 100_00);
        assertEq(current.borrowCollateralRatioBps, 153_50);
        assertEq(current.ammFeePips, 500 + 665);
        assertEq(current.borrowCapFactorBps, 95_80);
        assertEq(current.periodStart, calm.periodStart + PERIOD_SECONDS);
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_Regression_Aave202603_NoUpdateLiquidatesInItsBlock(int16[6] calldata logs, uint16 wait) public {
        _settleAtCalm();
        for (uint256 i = 0; i < 6; ++i) {
            vm.warp(block.timestamp + PERIOD_SECONDS + wait % 3600);
            (IRiskParameters.Params memory before,) = oracle.params(BTC);
            _submitLog(logs[i]);
            (IRiskParameters.Params memory present,) = oracle.params(BTC);
            assertLe(present.liquidationCollateralRatioBps, before.liquidationCollateralRatioBps);
            vm.warp(block.timestamp + 1 hours);
            (IRiskParameters.Params memory later,) = oracle.params(BTC);
            assertLe(
                later.liquidationCollateralRatioBps, present.liquidationCollateralRatioBps + RAMP_BPS_PER_DAY / 24 + 1
            );
        }
    }

    /// @dev Gas cannot cut a set in two: markets change together, with the model's period, or nothing does.
    function testFuzz_Regression_Aave202603_ASetIsAppliedWholeOrNotAtAll(uint256 gasLimit) public {
        bytes32 both = _register(_spec(_btcAndEth()));
        bytes memory data = abi.encodeCall(oracle.submit, (_update(both, new int128[](6))));
        (bool landed,) = address(oracle).call{gas: bound(gasLimit, 5_200_000, 5_600_000)}(data);
        (IRiskParameters.Params memory btc,) = oracle.params(BTC);
        (IRiskParameters.Params memory eth,) = oracle.params(ETH);
        uint256 expected = landed ? MONDAY * PERIOD_SECONDS : 0;
        assertEq(btc.periodStart, expected);
        assertEq(eth.periodStart, expected);
    }

    /* STEWARDS AND RAMPS */

    /// @dev Stewards refuse a step that is too large, and the old value stays until somebody notices.
    function test_Regression_AaveSteward_AJumpIsClippedAndRecorded() public {
        _settleAtCalm();
        vm.warp(block.timestamp + PERIOD_SECONDS);
        IModelRegistry.Update memory update = _updateOfLog(-5900);
        vm.recordLogs();
        oracle.submit(update);
        (,, uint256 requestedE9) = abi.decode(_lastLog().data, (uint256, uint256, uint256));
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertEq(requestedE9, 2_500_000);
        assertLt(current.appliedVolatilityE9, requestedE9);
    }

    /// @dev A debounce with a maximum step invites two steps around its end. Here unused allowance adds up and is used up.
    function test_Regression_EulerRecharge_TwoStepsGoNoFurtherThanOne() public {
        _settleAtCalm();
        uint256 snapshot = vm.snapshotState();
        vm.warp(block.timestamp + 2 * PERIOD_SECONDS);
        _submitLog(-5900);
        (IRiskParameters.Params memory atOnce,) = oracle.params(BTC);
        vm.revertToState(snapshot);
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(block.timestamp + PERIOD_SECONDS);
            _submitLog(-5900);
        }
        (IRiskParameters.Params memory inTwo,) = oracle.params(BTC);
        assertEq(inTwo.appliedVolatilityE9, atOnce.appliedVolatilityE9);
        assertEq(inTwo.appliedVolatilityE9, 500_000 + 2 * RISE * SPAN / 100_00);
    }

    function test_Regression_Evk_ARampThatTurnsStartsWhereItStands() public {
        _settleAtCalm();
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _submitLog(-5900);
        vm.warp(block.timestamp + PERIOD_SECONDS);
        (IRiskParameters.Params memory before,) = oracle.params(BTC);
        assertEq(before.liquidationCollateralRatioBps, 130_00 + RAMP_BPS_PER_DAY / 6);
        oracle.submit(_updateOfLog(-5900));
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        (IRiskParameters.RiskVector memory next,,) = oracle.pending(BTC);
        assertEq(current.liquidationCollateralRatioBps, before.liquidationCollateralRatioBps);
        assertEq(next.liquidationCollateralRatioBps, 130_00 + 30_00 * 2 * RISE / 100_00);
    }

    /* THREATS */

    function test_Regression_BatchPoison_OneMarketDoesNotHoldUpTheOthers() public {
        bytes32 both = _register(_spec(_btcAndEth()));
        vm.prank(OWNER);
        bytes32 single = registry.proposeModel(_spec(_btc()), 1 days);
        _activate(single);
        oracle.submit(_update(single, new int128[](3)));
        IModelRegistry.Update memory update = _update(both, new int128[](6));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketSkipped(
            BTC, both, MONDAY * PERIOD_SECONDS, IRegimeRiskOracle.SkipReason.AlreadyUpdated
        );
        oracle.submit(update);
        (IRiskParameters.Params memory eth,) = oracle.params(ETH);
        assertEq(eth.periodStart, MONDAY * PERIOD_SECONDS);
    }

    /// @dev Named configurations could be pointed at another verifier without delay.
    function test_Regression_AdminSwap_AVerifierThatAcceptsEverythingIsNotActivated() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.manifestSha256 = keccak256("swapped");
        vm.prank(OWNER);
        bytes32 swapped = registry.proposeModel(spec, 0);
        IModelRegistry.Update memory smoke = _smoke(swapped);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.SmokeTestFailed.selector, true));
        vm.prank(OWNER);
        registry.activateModel(smoke);
        assertEq(registry.activeModel(oracle.PURPOSE(), BTC), modelId);
    }

    /// @dev What the contract knows it fills in, as SP1Helios does: yesterday's proof is no proof of today's hours.
    function test_Regression_WrongWindow_TheProofFailsByItself() public {
        IModelRegistry.Update memory update = _updateOfLog(-7000);
        verifier.acceptOnly(update.proof, registry.instancesOf(modelId, MONDAY, update.features, update.outputs));
        for (uint64 i = 1; i < 42; ++i) {
            vm.warp((MONDAY + i) * PERIOD_SECONDS);
            update.period = MONDAY + i;
            update.attestations = _attest(update);
            _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        }
        vm.warp((MONDAY + 42) * PERIOD_SECONDS);
        _expectLanding(_updateOfLog(-7000)); // a week later the clock says the same
    }

    function test_Regression_Replay_AnUpdateIsForOneChainAndOneContract() public {
        IModelRegistry.Update memory update = _updateOfLog(-7000);
        bytes memory reason = abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor);
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        _expectRefusal(update, reason);
        vm.chainId(chainId);
        (ModelRegistry first, RiskOracle firstOracle) = (registry, oracle);
        registry = new ModelRegistry(OWNER, GUARDIAN, 0, _list(attestor), 1);
        oracle = new RiskOracle(OWNER, GUARDIAN, 0, registry, address(0));
        vm.prank(OWNER);
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, _policy());
        assertEq(_register(_spec(_btc())), modelId, "the same model, with the same attestor");
        _expectRefusal(update, reason);
        (registry, oracle) = (first, firstOracle);
        _expectLanding(update);
    }

    /// @dev One attestation and one proof serve every consumer of a registry, each once.
    function test_TwoConsumersOfARegistryActOnOneUpdate() public {
        IModelRegistry.Update memory update = _updateOfLog(-7000);
        RiskOracle second = new RiskOracle(OWNER, GUARDIAN, 0, registry, address(0));
        vm.prank(OWNER);
        second.registerMarket(BTC, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        second.setPolicy(BTC, _policy());
        _expectLanding(update);
        second.submit(update);
        (IRiskParameters.Params memory current,) = second.params(BTC);
        assertEq(current.periodStart, MONDAY * PERIOD_SECONDS);
    }

    /// @dev One of ours, too: `pending` overflowed on ramps of more than 194 bps.
    function testFuzz_Regression_ConsumerDos_AReaderNeverMeetsARevert(bytes32 market, int16 logit, uint32 wait) public {
        _submitLog(logit);
        for (uint256 i = 0; i < 2; ++i) {
            oracle.params(market);
            oracle.pending(market);
            oracle.pending(BTC);
            (IRiskParameters.Params memory current,) = oracle.params(BTC);
            assertGe(current.borrowCollateralRatioBps, current.liquidationCollateralRatioBps);
            vm.warp(block.timestamp + wait);
        }
    }

    /* HELPERS */

    function _updateOfLog(int16 thousandths) private view returns (IModelRegistry.Update memory) {
        return _update(modelId, _outputs(0, 0, thousandths));
    }

    function _submitLog(int16 thousandths) private {
        oracle.submit(_updateOfLog(thousandths));
    }

    /// @dev Calm forecasts, a day apart for their allowance to add up: the market stands at calm, its ramp at rest.
    function _settleAtCalm() private {
        _submitLog(-12_000);
        vm.warp(block.timestamp + 6 * PERIOD_SECONDS);
        _submitLog(-12_000);
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertEq(current.appliedVolatilityE9, 500_000);
        assertEq(current.liquidationCollateralRatioBps, 130_00);
    }

    function _lastLog() private returns (Vm.Log memory last) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        last = logs[logs.length - 1];
        assertEq(last.topics[0], IRegimeRiskOracle.ParamsUpdated.selector);
    }

    function _up(uint256 calm, uint256 turbulent, uint256 applied) private pure returns (uint256) {
        return calm + FixedPointMathLib.divUp((turbulent - calm) * applied, SPAN);
    }
}
