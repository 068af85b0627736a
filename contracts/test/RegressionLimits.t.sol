// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {AttestedFixture} from "./AttestedFixture.sol";

/// @notice Faults of limits, ramps and batches that must not be possible here. Specification: RegressionLimits.tree.
contract RegressionLimitsTest is AttestedFixture {
    /// @dev Of the limited policy.
    uint256 private constant RISE = 7_00;
    uint256 private constant FALL = 11_00;
    uint256 private constant RAMP_BPS_PER_DAY = 3_00;

    function setUp() public override {
        super.setUp();
        IRegimeRiskOracle.Policy memory limited = _policy();
        limited.turbulent.liquidationCollateralRatioBps = 160_00;
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
    function testFuzz_Regression_Aave202603_CoupledValuesMoveTogether(int16[8] calldata logits, uint8[8] calldata skips)
        public
    {
        IRegimeRiskOracle.Policy memory p = oracle.policy(BTC);
        uint256 previous = 100_00;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 periods = i == 0 ? 0 : 1 + skips[i] % 3;
            vm.warp(block.timestamp + periods * PERIOD_SECONDS);
            _submitLogit(logits[i]);
            (IRiskParameters.Params memory current, IRiskParameters.Status status) = oracle.params(BTC);
            (IRiskParameters.RiskVector memory next,,) = oracle.pending(BTC);
            uint256 applied = current.appliedProbabilityBps;
            assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
            assertEq(current.period, block.timestamp / PERIOD_SECONDS);
            assertEq(current.updatedAt, block.timestamp);
            assertEq(next.borrowCollateralRatioBps, _up(150_00, 200_00, applied));
            assertEq(next.ammFeePips, _up(500, 10_000, applied));
            assertEq(next.borrowCapFactorBps, 100_00 - FixedPointMathLib.divUp(60_00 * applied, 100_00));
            assertEq(next.liquidationCollateralRatioBps, 130_00 + 30_00 * applied / 100_00);
            if (i != 0) {
                assertLe(applied, previous + periods * RISE);
                assertGe(applied + periods * FALL, previous);
            }
            previous = applied;
        }
        assertEq(abi.encode(oracle.policy(BTC)), abi.encode(p));
    }

    /// @dev The same with the limit in force: not one field runs ahead.
    function test_Regression_Aave202603_TheLimitHoldsTheWholeSet() public {
        _settleAtCalm();
        (IRiskParameters.Params memory calm,) = oracle.params(BTC);
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _submitLogit(9000);
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertGt(current.probabilityHighBps, 99_00);
        assertEq(current.appliedProbabilityBps, RISE);
        assertEq(current.borrowCollateralRatioBps, 153_50);
        assertEq(current.ammFeePips, 500 + 665);
        assertEq(current.borrowCapFactorBps, 95_80);
        assertEq(current.period, calm.period + 1);
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_Regression_Aave202603_NoUpdateLiquidatesInItsBlock(int16[6] calldata logits, uint16 wait) public {
        _settleAtCalm();
        for (uint256 i = 0; i < 6; ++i) {
            vm.warp(block.timestamp + PERIOD_SECONDS + wait % 3600);
            (IRiskParameters.Params memory before,) = oracle.params(BTC);
            _submitLogit(logits[i]);
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
        (bool landed,) = address(oracle).call{gas: bound(gasLimit, 25_000, 350_000)}(data);
        (IRiskParameters.Params memory btc,) = oracle.params(BTC);
        (IRiskParameters.Params memory eth,) = oracle.params(ETH);
        uint64 expected = landed ? MONDAY : 0;
        assertEq(btc.period, expected);
        assertEq(eth.period, expected);
        assertEq(oracle.latestPeriod(both), expected);
    }

    /* STEWARDS AND RAMPS */

    /// @dev Stewards refuse a step that is too large, and the old value stays until somebody notices.
    function test_Regression_AaveSteward_AJumpIsClippedAndRecorded() public {
        _settleAtCalm();
        vm.warp(block.timestamp + PERIOD_SECONDS);
        IRegimeRiskOracle.Update memory update = _updateOfLogit(9000);
        vm.recordLogs();
        oracle.submit(update);
        (, uint256 requestedBps) = abi.decode(_lastLog().data, (uint256, uint256));
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertEq(requestedBps, current.probabilityHighBps);
        assertLt(current.appliedProbabilityBps, requestedBps);
    }

    /// @dev A debounce with a maximum step invites two steps around its end. Here unused allowance adds up and is used up.
    function test_Regression_EulerRecharge_TwoStepsGoNoFurtherThanOne() public {
        _settleAtCalm();
        uint256 snapshot = vm.snapshotState();
        vm.warp(block.timestamp + 2 * PERIOD_SECONDS);
        _submitLogit(9000);
        (IRiskParameters.Params memory atOnce,) = oracle.params(BTC);
        vm.revertToState(snapshot);
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(block.timestamp + PERIOD_SECONDS);
            _submitLogit(9000);
        }
        (IRiskParameters.Params memory inTwo,) = oracle.params(BTC);
        assertEq(inTwo.appliedProbabilityBps, atOnce.appliedProbabilityBps);
        assertEq(inTwo.appliedProbabilityBps, 2 * RISE);
    }

    function test_Regression_Evk_ARampThatTurnsStartsWhereItStands() public {
        _settleAtCalm();
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _submitLogit(9000);
        vm.warp(block.timestamp + PERIOD_SECONDS);
        (IRiskParameters.Params memory before,) = oracle.params(BTC);
        assertEq(before.liquidationCollateralRatioBps, 130_00 + RAMP_BPS_PER_DAY / 6);
        IRegimeRiskOracle.Update memory update = _updateOfLogit(9000);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.LiquidationRampStarted(
            BTC, before.liquidationCollateralRatioBps, 130_00 + 30_00 * 2 * RISE / 100_00, RAMP_BPS_PER_DAY
        );
        oracle.submit(update);
    }

    /* THREATS */

    function test_Regression_BatchPoison_OneMarketDoesNotHoldUpTheOthers() public {
        bytes32 both = _register(_spec(_btcAndEth()));
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1 days));
        IRegimeRiskOracle.Update memory update = _update(both, new int128[](6));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketSkipped(BTC, MONDAY, both, IRegimeRiskOracle.SkipReason.Withheld);
        oracle.submit(update);
        (IRiskParameters.Params memory eth,) = oracle.params(ETH);
        assertEq(eth.period, MONDAY);
    }

    /// @dev Named configurations could be pointed at another verifier without delay.
    function test_Regression_AdminSwap_AVerifierThatAcceptsEverythingIsNotActivated() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btc());
        spec.manifestSha256 = keccak256("swapped");
        vm.prank(OWNER);
        bytes32 swapped = oracle.proposeModel(spec, 0);
        IRegimeRiskOracle.SmokeProof memory smoke = _smoke(swapped);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.SmokeTestFailed.selector, true));
        vm.prank(OWNER);
        oracle.activateModel(swapped, smoke);
        assertEq(oracle.activeModel(BTC), modelId);
    }

    /// @dev What the contract knows it fills in, as SP1Helios does: yesterday's proof is no proof of today's hours.
    function test_Regression_WrongWindow_TheProofFailsByItself() public {
        IRegimeRiskOracle.Update memory update = _updateOfLogit(0);
        verifier.acceptOnly(update.proof, oracle.instancesOf(modelId, MONDAY, update.candleFeatures, update.outputs));
        for (uint64 i = 1; i < 42; ++i) {
            vm.warp((MONDAY + i) * PERIOD_SECONDS);
            update.period = MONDAY + i;
            update.attestations = _attest(update);
            _expectRefusal(update, abi.encodeWithSelector(IRegimeRiskOracle.InvalidProof.selector));
        }
        vm.warp((MONDAY + 42) * PERIOD_SECONDS);
        _expectLanding(_updateOfLogit(0)); // a week later the clock says the same
    }

    function test_Regression_Replay_AnUpdateIsForOneChainAndOneContract() public {
        IRegimeRiskOracle.Update memory update = _updateOfLogit(0);
        bytes memory reason = abi.encodeWithSelector(IRegimeRiskOracle.InvalidAttestation.selector, attestor);
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        _expectRefusal(update, reason);
        vm.chainId(chainId);
        RiskOracle first = oracle;
        oracle = new RiskOracle(OWNER, GUARDIAN, 0, _list(attestor), 1, address(0));
        vm.prank(OWNER);
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds(), _noPriceCheck());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, _policy());
        assertEq(_register(_spec(_btc())), modelId, "the same model, with the same attestor");
        _expectRefusal(update, reason);
        oracle = first;
        _expectLanding(update);
    }

    /// @dev After a reorganisation the same bytes are good again, and good for one landing.
    function test_Regression_Reorg_TheSameBytesLandAgainOnce() public {
        IRegimeRiskOracle.Update memory update = _updateOfLogit(0);
        uint256 snapshot = vm.snapshotState();
        _expectLanding(update);
        vm.revertToState(snapshot);
        _expectLanding(update);
        _expectRefusal(update, abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, MONDAY));
    }

    /// @dev One of ours, too: `pending` overflowed on ramps of more than 194 bps.
    function testFuzz_Regression_ConsumerDos_AReaderNeverMeetsARevert(bytes32 market, int16 logit, uint32 wait) public {
        _submitLogit(logit);
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

    function _updateOfLogit(int16 thousandths) private view returns (IRegimeRiskOracle.Update memory) {
        return _update(modelId, _outputs(0, thousandths, -7600));
    }

    function _submitLogit(int16 thousandths) private {
        oracle.submit(_updateOfLogit(thousandths));
    }

    /// @dev Two calm forecasts, a day apart for their allowance to add up: the market stands at calm, its ramp at rest.
    function _settleAtCalm() private {
        _submitLogit(-12_000);
        vm.warp(block.timestamp + 6 * PERIOD_SECONDS);
        _submitLogit(-12_000);
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertEq(current.appliedProbabilityBps, 0);
        assertEq(current.liquidationCollateralRatioBps, 130_00);
    }

    function _lastLog() private returns (Vm.Log memory last) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        last = logs[logs.length - 1];
        assertEq(last.topics[0], IRegimeRiskOracle.ParamsUpdated.selector);
    }

    function _up(uint256 calm, uint256 turbulent, uint256 appliedBps) private pure returns (uint256) {
        return calm + FixedPointMathLib.divUp((turbulent - calm) * appliedBps, 100_00);
    }
}
