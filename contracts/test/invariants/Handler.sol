// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {IAggregatorV3} from "../../src/interfaces/external/IAggregatorV3.sol";
import {MockFeed} from "../mocks/MockFeed.sol";
import {World} from "./World.sol";
import {setFeature} from "../Packed.sol";

/// @notice Everybody who can do something, doing it at random. What must hold across a single action is asserted here, so
/// that a violation names the action.
contract Handler is World {
    bytes32[2] public markets = [BTC, ETH];
    address[3] public borrowers = [makeAddr("ann"), makeAddr("ben"), makeAddr("cid")];

    /// @notice How often each action went through: a campaign in which one never did proves nothing about it.
    mapping(string action => uint256) public done;

    uint256 private _specNumber;

    constructor() {
        setUp();
        for (uint256 i = 0; i < borrowers.length; ++i) {
            collateral.mint(borrowers[i], 1e36);
            debt.mint(borrowers[i], 1e36);
            vm.startPrank(borrowers[i]);
            collateral.approve(address(lending), type(uint256).max);
            debt.approve(address(lending), type(uint256).max);
            vm.stopPrank();
        }
    }

    /// @dev Within a block, at one price, no action by anybody makes a healthy position liquidatable.
    modifier sameBlock(string memory action) {
        bool[3] memory before = _liquidatable();
        _;
        bool[3] memory later = _liquidatable();
        for (uint256 i = 0; i < before.length; ++i) {
            assertTrue(before[i] || !later[i], string.concat(action, " made a healthy position liquidatable"));
        }
    }

    /// @dev Nothing becomes looser in this block, nor is anything looser announced than was before.
    modifier onlyTightens(string memory action) {
        IRiskParameters.Params[2] memory before = [_read(BTC), _read(ETH)];
        _;
        IRiskParameters.Params[2] memory later = [_read(BTC), _read(ETH)];
        for (uint256 i = 0; i < before.length; ++i) {
            assertGe(later[i].borrowCollateralRatioBps, before[i].borrowCollateralRatioBps, action);
            assertGe(later[i].ammFeePips, before[i].ammFeePips, action);
            assertLe(later[i].borrowCapFactorBps, before[i].borrowCapFactorBps, action);
            assertEq(later[i].liquidationCollateralRatioBps, before[i].liquidationCollateralRatioBps, action);
        }
    }

    /* UPDATES */

    /// @notice A forecast lands, relayed by one of two; the other one's copy does not. It may omit one of two markets.
    function submit(uint256 which, int16 log, bool both, uint256 omitted) external sameBlock("submit") {
        bytes32 modelId = models[which % 2];
        int128[] memory outputs = new int128[](which % 2 == 0 ? 3 : 6);
        for (uint256 i = 0; i < outputs.length; i += 3) {
            outputs[i + 2] = -7 * ONE + (i == 0 ? int128(log) : -int128(log)) * ONE / 20_000;
        }
        omitted = outputs.length == 3 ? 0 : omitted % 3;
        IModelRegistry.Update memory update = _updateWithout(omitted, modelId, outputs);
        IRiskParameters.Params[2] memory before = [_read(BTC), _read(ETH)];
        try oracle.submit(update) {
            ++done[omitted == 0 ? "submit" : "submit a part"];
        } catch {
            return;
        }
        if (both) {
            vm.prank(STRANGER);
            try oracle.submit(update) {
                revert("two relayers landed one update");
            } catch {}
        }
        for (uint256 i = 0; i < markets.length; ++i) {
            _checkStep(markets[i], before[i]);
            if (omitted & (1 << i) != 0) {
                assertEq(abi.encode(_read(markets[i])), abi.encode(before[i]), "an omitted market changed");
            }
        }
    }

    function _updateWithout(uint256 omitted, bytes32 modelId, int128[] memory outputs)
        private
        view
        returns (IModelRegistry.Update memory update)
    {
        update = _update(modelId, outputs);
        update.omittedMarkets = omitted;
        for (uint256 i = 0; i < update.features.length / 4; ++i) {
            if (omitted & (1 << i / CANDLE_COUNT) != 0) setFeature(update.features, i, 0);
        }
        update.attestations = _attest(update);
    }

    function _checkStep(bytes32 market, IRiskParameters.Params memory before) private view {
        IRiskParameters.Params memory later = _read(market);
        if (later.updatedAt == before.updatedAt) return;
        assertGt(later.periodStart, before.periodStart, "periods strictly increase");
        IRegimeRiskOracle.Policy memory policy = oracle.policy(market);
        uint256 elapsed = block.timestamp - before.updatedAt;
        if (elapsed > 6 * PERIOD_SECONDS) elapsed = 6 * PERIOD_SECONDS;
        uint256 allowance = 2_000_000 * elapsed;
        uint256 was = before.appliedVolatilityE9;
        assertLe(
            later.appliedVolatilityE9,
            was + allowance * policy.maxRiseBpsPerPeriod / (1e4 * PERIOD_SECONDS),
            "rose too fast"
        );
        assertGe(
            later.appliedVolatilityE9 + allowance * policy.maxFallBpsPerPeriod / (1e4 * PERIOD_SECONDS),
            was,
            "fell too fast"
        );
        assertGe(later.borrowCollateralRatioBps, later.liquidationCollateralRatioBps, "borrow below liquidation");
    }

    /* TIME AND PRICE */

    /// @dev While time passes, the liquidation ratio rises by what its ramp promises, to the second: no remainder is lost.
    modifier ramps() {
        uint256[2] memory from =
            [uint256(_read(BTC).liquidationCollateralRatioBps), _read(ETH).liquidationCollateralRatioBps];
        uint256[2] memory ends;
        (,, ends[0]) = oracle.pending(BTC);
        (,, ends[1]) = oracle.pending(ETH);
        uint256 since = block.timestamp;
        _;
        for (uint256 i = 0; i < markets.length; ++i) {
            uint256 is_ = _read(markets[i]).liquidationCollateralRatioBps;
            (IRiskParameters.RiskVector memory next,, uint256 end) = oracle.pending(markets[i]);
            assertEq(end, ends[i], "the end of a ramp moved by itself");
            uint256 promised = oracle.policy(markets[i]).liquidationRiseBpsPerDay * (block.timestamp - since) / 1 days;
            uint256 most = next.liquidationCollateralRatioBps;
            assertGe(is_, from[i] + promised < most ? from[i] + promised : most, "a ramp lost progress");
            assertLe(is_, from[i] + promised + 1, "a step");
        }
    }

    function passTime(uint32 seconds_) external ramps {
        vm.warp(block.timestamp + seconds_ % 8 hours);
        ++done["passTime"];
    }

    function nextPeriod(uint16 late) external ramps {
        vm.warp((block.timestamp / PERIOD_SECONDS + 1) * PERIOD_SECONDS + late % 600);
        ++done["nextPeriod"];
    }

    function movePrice(uint16 bps) external {
        price.set(price.price() * int256(95_00 + uint256(bps) % 10_50) / 100_00 + 1);
        ++done["movePrice"];
    }

    /* THE GUARDIAN */

    function pause(uint256 which, uint32 seconds_) external sameBlock("pause") onlyTightens("pause") {
        vm.prank(GUARDIAN);
        try oracle.pauseMarket(markets[which % 2], uint40(block.timestamp + 1 + seconds_ % 8 hours)) {
            ++done["pause"];
        } catch {}
    }

    /// @notice The one way in which a guardian loosens: by lifting a pause. The liquidation ratio has no part in it.
    function liftPause(uint256 which) external sameBlock("liftPause") {
        bytes32 market = markets[which % 2];
        uint256 ratio = _read(market).liquidationCollateralRatioBps;
        vm.prank(GUARDIAN);
        oracle.pauseMarket(market, 0);
        assertLe(oracle.pausedUntil(market), block.timestamp);
        assertEq(_read(market).liquidationCollateralRatioBps, ratio, "a lifted pause moved the liquidation ratio");
        ++done["liftPause"];
    }

    /// @notice The sequencer goes down, comes up, or its feed fails.
    function sequencer(uint256 what) external sameBlock("sequencer") {
        if (what % 4 == 0) feed.sequencer(1, block.timestamp);
        else feed.sequencer(0, what % 4 == 1 ? block.timestamp : 1);
        feed.fail(
            IAggregatorV3.latestRoundData.selector, what % 16 == 7 ? MockFeed.Failure.BurnAllGas : MockFeed.Failure.None
        );
        ++done["sequencer"];
    }

    function deprecate(uint256 which) external sameBlock("deprecate") onlyTightens("deprecate") {
        if (which % 8 > 1) return;
        vm.prank(GUARDIAN);
        try registry.deprecateModel(models[which % 2]) {
            ++done["deprecate"];
        } catch {}
    }

    /* THE OWNERS */

    /// @notice A market's owner announces and sets a policy somewhere in the bounds.
    function setPolicy(uint256 which, uint256 seed) external sameBlock("setPolicy") {
        IRegimeRiskOracle.Policy memory policy = _policy();
        IRiskParameters.RiskVector memory calm = policy.knots[0].vector;
        IRiskParameters.RiskVector memory tightest = policy.knots[1].vector;
        calm.liquidationCollateralRatioBps = uint16(bound(seed, 110_00, 149_00));
        tightest.liquidationCollateralRatioBps = uint16(bound(seed >> 16, calm.liquidationCollateralRatioBps, 199_00));
        calm.borrowCollateralRatioBps = uint16(bound(seed >> 32, 150_00, 200_00));
        tightest.borrowCollateralRatioBps = uint16(bound(seed >> 48, 200_00, 300_00));
        calm.ammFeePips = uint24(bound(seed >> 64, 100, 5_000));
        tightest.borrowCapFactorBps = uint16(bound(seed >> 80, 10_00, 100_00));
        policy.liquidationRiseBpsPerDay = uint16(bound(seed >> 96, 1, 2_00));
        policy.loosenDelaySeconds = uint24(bound(seed >> 112, 0, 4 hours));
        policy.dwellPeriods = uint8(bound(seed >> 128, 1, 4));
        policy.staleAfterBps = uint16(bound(seed >> 136, 125_00, 600_00));
        bytes memory data = abi.encodeCall(oracle.setPolicy, (markets[which % 2], policy));
        vm.startPrank(MARKET_OWNER);
        oracle.schedule(data);
        oracle.setPolicy(markets[which % 2], policy);
        vm.stopPrank();
        ++done["setPolicy"];
    }

    /// @notice The owner replaces a model by another one of the same markets, with an overlap.
    function rotate(uint256 which, uint8 overlap) external sameBlock("rotate") {
        IModelRegistry.ModelSpec memory spec = _spec(which % 2 == 0 ? _btc() : _btcAndEth());
        spec.manifestSha256 = bytes32(++_specNumber);
        vm.prank(OWNER);
        models[which % 2] = registry.proposeModel(spec, overlap % 4 * PERIOD_SECONDS);
        _activate(models[which % 2]);
        ++done["rotate"];
    }

    /* BORROWERS AND LIQUIDATORS */

    function borrow(uint256 who, uint96 amount, uint16 ratioBps) external sameBlock("borrow") {
        address borrower = borrowers[who % 3];
        uint256 value = uint256(amount) * (100_00 + ratioBps % 200_00) / 100_00;
        vm.startPrank(borrower);
        lending.addCollateral(borrower, value * 1e8 / uint256(price.price()) + 1);
        try lending.borrow(amount) {
            ++done["borrow"];
        } catch {}
        vm.stopPrank();
    }

    function removeCollateral(uint256 who, uint96 amount) external sameBlock("removeCollateral") {
        vm.prank(borrowers[who % 3]);
        try lending.removeCollateral(amount) {
            ++done["removeCollateral"];
        } catch {}
    }

    function repay(uint256 who, uint96 amount) external sameBlock("repay") {
        vm.prank(borrowers[who % 3]);
        lending.repay(borrowers[who % 3], amount);
        ++done["repay"];
    }

    function liquidate(uint256 who, uint96 amount) external {
        vm.prank(borrowers[(who % 3 + 1) % 3]);
        try lending.liquidate(borrowers[who % 3], amount) {
            ++done["liquidate"];
        } catch {}
    }

    /* READS FOR THE INVARIANTS */

    function read(bytes32 market) external view returns (IRiskParameters.Params memory, IRiskParameters.Status) {
        return oracle.params(market);
    }

    function boundsOf(bytes32 market) external view returns (IRegimeRiskOracle.Bounds memory) {
        return oracle.bounds(market);
    }

    function policyOf(bytes32 market) external view returns (IRegimeRiskOracle.Policy memory) {
        return oracle.policy(market);
    }

    function _liquidatable() private view returns (bool[3] memory is_) {
        for (uint256 i = 0; i < borrowers.length; ++i) {
            is_[i] = lending.isLiquidatable(borrowers[i]);
        }
    }
}
