// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {Governed} from "../src/base/Governed.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {Policies} from "./Policies.sol";

/// @notice Registration and policies of markets. Specification: Markets.tree.
contract MarketsTest is MarketFixture {
    uint256 private constant DELAY = 1 days;

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    /* REGISTRATION */

    function test_RegisteringStoresOwnerAndBounds() public {
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketRegistered(SOL, STRANGER, _bounds());
        vm.prank(OWNER);
        oracle.registerMarket(SOL, STRANGER, _bounds());
        assertEq(oracle.marketOwner(SOL), STRANGER);
        assertEq(abi.encode(oracle.bounds(SOL)), abi.encode(_bounds()));
        IRegimeRiskOracle.Policy memory none;
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(none));
    }

    function test_AnUnknownMarketHasNothing() public view {
        IRegimeRiskOracle.Bounds memory none;
        IRegimeRiskOracle.Policy memory noPolicy;
        assertEq(oracle.marketOwner(SOL), address(0));
        assertEq(abi.encode(oracle.bounds(SOL)), abi.encode(none));
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(noPolicy));
    }

    function testFuzz_BoundsSurviveStorage(IRegimeRiskOracle.Bounds memory any, address marketOwner) public {
        vm.assume(marketOwner != address(0));
        any.minLiquidationCollateralRatioBps = uint16(bound(any.minLiquidationCollateralRatioBps, 105_00, 65_535));
        any.minBorrowCollateralRatioBps =
            uint16(bound(any.minBorrowCollateralRatioBps, any.minLiquidationCollateralRatioBps, 65_535));
        any.maxBorrowCollateralRatioBps =
            uint16(bound(any.maxBorrowCollateralRatioBps, any.minBorrowCollateralRatioBps, 65_535));
        any.maxLiquidationRiseBpsPerDay = uint16(bound(any.maxLiquidationRiseBpsPerDay, 0, 2_00));
        any.maxAmmFeePips = uint24(bound(any.maxAmmFeePips, 0, 1_000_000));
        any.minAmmFeePips = uint24(bound(any.minAmmFeePips, 0, any.maxAmmFeePips));
        any.minBorrowCapFactorBps = uint16(bound(any.minBorrowCapFactorBps, 0, 100_00));
        vm.prank(OWNER);
        oracle.registerMarket(SOL, marketOwner, any);
        assertEq(abi.encode(oracle.bounds(SOL)), abi.encode(any));
        assertEq(oracle.marketOwner(SOL), marketOwner);
    }

    function testFuzz_RevertWhen_NotTheOwnerRegisters(address caller) public {
        vm.assume(caller != OWNER);
        vm.prank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
    }

    function test_RevertWhen_RegisteredTwice() public {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.MarketAlreadyRegistered.selector, BTC));
        oracle.registerMarket(BTC, STRANGER, _bounds());
    }

    function test_RevertWhen_RegistrationIsUnusable() public {
        _expectInvalidBounds(address(0), _bounds(), "marketOwner");
        IRegimeRiskOracle.Bounds memory bad = _bounds();
        bad.minBorrowCollateralRatioBps = 100_00;
        _expectInvalidBounds(MARKET_OWNER, bad, "minBorrowCollateralRatioBps");
    }

    /* THE OWNER OF A MARKET */

    /// @dev A lost key froze the policy for ever.
    function test_Fault9_AMarketsOwnerIsReplaced() public {
        bytes memory call = abi.encodeCall(oracle.setMarketOwner, (BTC, STRANGER));
        vm.prank(OWNER);
        oracle.schedule(call);
        vm.warp(block.timestamp + DELAY);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketOwnerSet(BTC, STRANGER);
        vm.prank(OWNER);
        oracle.setMarketOwner(BTC, STRANGER);
        assertEq(oracle.marketOwner(BTC), STRANGER);
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.NotMarketOwner.selector, BTC, MARKET_OWNER));
        oracle.setPolicy(BTC, _policy());
        assertEq(abi.encode(oracle.bounds(BTC)), abi.encode(_bounds()), "the bounds stay");
    }

    function test_RevertWhen_TheNewOwnerIsNobodyOrTheMarketUnknown() public {
        vm.startPrank(OWNER);
        oracle.schedule(abi.encodeCall(oracle.setMarketOwner, (BTC, address(0))));
        oracle.schedule(abi.encodeCall(oracle.setMarketOwner, (SOL, STRANGER)));
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, "marketOwner"));
        oracle.setMarketOwner(BTC, address(0));
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SOL));
        oracle.setMarketOwner(SOL, STRANGER);
    }

    /* THE FIRST POLICY */

    function test_TheFirstPolicyHoldsAtOnce() public {
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.LiquidationRampSet(SOL, 140_00, 140_00, 2_00);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.PolicySet(SOL, Policies.ramped());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, Policies.ramped());
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(Policies.ramped()));
        assertEq(_params(SOL).liquidationCollateralRatioBps, 140_00, "no ramp: nobody can have borrowed");
    }

    function testFuzz_PoliciesSurviveStorage(IRegimeRiskOracle.Policy memory any) public {
        vm.assume(any.knots.length <= 4);
        any = Policies.valid(any, _bounds());
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, any);
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(any));
        assertEq(
            _params(SOL).liquidationCollateralRatioBps,
            any.knots[any.knots.length - 1].vector.liquidationCollateralRatioBps
        );
    }

    function testFuzz_RevertWhen_NotTheMarketsOwner(address caller) public {
        vm.assume(caller != MARKET_OWNER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.NotMarketOwner.selector, BTC, caller));
        oracle.setPolicy(BTC, _policy());
    }

    function test_RevertWhen_MarketIsUnknown() public {
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SOL));
        oracle.setPolicy(SOL, _policy());
    }

    function test_RevertWhen_PolicyIsUnusable() public {
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
        IRegimeRiskOracle.Policy memory bad = _policy();
        bad.knots[1].vector.ammFeePips = _bounds().maxAmmFeePips + 1;
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, "ammFeePips"));
        oracle.setPolicy(SOL, bad);
    }

    /* LATER POLICIES */

    function test_RevertWhen_ALaterPolicyWasNotAnnounced() public {
        bytes memory data = abi.encodeCall(oracle.setPolicy, (BTC, Policies.ramped()));
        bytes32 operation = oracle.operationOf(MARKET_OWNER, data);
        _expectSetPolicy(abi.encodeWithSelector(Governed.NotScheduled.selector, operation));
        vm.prank(STRANGER);
        oracle.schedule(data);
        _expectSetPolicy(abi.encodeWithSelector(Governed.NotScheduled.selector, operation));
    }

    function test_ALaterPolicyWaits() public {
        bytes memory data = abi.encodeCall(oracle.setPolicy, (BTC, Policies.ramped()));
        vm.prank(MARKET_OWNER);
        bytes32 operation = oracle.schedule(data);
        uint256 ripe = block.timestamp + DELAY;
        vm.warp(ripe - 1);
        _expectSetPolicy(abi.encodeWithSelector(Governed.NotReady.selector, operation, ripe));
        vm.warp(ripe);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, Policies.ramped());
        assertEq(abi.encode(oracle.policy(BTC)), abi.encode(Policies.ramped()));
        _expectSetPolicy(abi.encodeWithSelector(Governed.NotScheduled.selector, operation));
    }

    function test_RevertWhen_TheGuardianRefusedIt() public {
        bytes memory data = abi.encodeCall(oracle.setPolicy, (BTC, Policies.ramped()));
        vm.prank(MARKET_OWNER);
        bytes32 operation = oracle.schedule(data);
        vm.prank(GUARDIAN);
        oracle.veto(operation);
        vm.warp(block.timestamp + DELAY);
        _expectSetPolicy(abi.encodeWithSelector(Governed.NotScheduled.selector, operation));
    }

    function test_AHigherLiquidationRatioRamps() public {
        uint256 setAt = block.timestamp + DELAY;
        _expectRampOnSetPolicy(140_00);
        assertEq(block.timestamp, setAt);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 130_00);
        vm.warp(setAt + 1 days);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 132_00);
        vm.warp(setAt + 5 days);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 140_00);
    }

    /// @dev A policy without speed could never get there; one that asks for where the ramp stands can.
    function test_RevertWhen_TheRampCouldNotGoOn() public {
        _registerRamped();
        IRegimeRiskOracle.Policy memory still = Policies.ramped();
        for (uint256 i = 0; i < 3; ++i) {
            still.knots[i].vector.liquidationCollateralRatioBps = 140_01;
        }
        still.liquidationRiseBpsPerDay = 0;
        _announcePolicy(SOL, still);
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, "liquidationRiseBpsPerDay"));
        oracle.setPolicy(SOL, still);

        for (uint256 i = 0; i < 3; ++i) {
            still.knots[i].vector.liquidationCollateralRatioBps = 140_00;
        }
        _changePolicy(SOL, still);
        assertEq(_params(SOL).liquidationCollateralRatioBps, 140_00);
    }

    function test_ALowerLiquidationRatioHoldsAtOnce() public {
        _registerRamped();
        IRegimeRiskOracle.Policy memory lower = Policies.ramped();
        lower.knots[2].vector.liquidationCollateralRatioBps = 135_00;
        _changePolicy(SOL, lower);
        assertEq(_params(SOL).liquidationCollateralRatioBps, 135_00);
    }

    /// @dev The part of a ramp that is over was at the old speed, the rest is at the new one.
    function test_AChangedSpeedHoldsFromNowOn() public {
        _changePolicy(BTC, Policies.ramped());
        IRegimeRiskOracle.Policy memory slower = Policies.ramped();
        slower.liquidationRiseBpsPerDay = 1_00;
        _changePolicy(BTC, slower);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 132_00);
        vm.warp(block.timestamp + 1 days);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 133_00);
    }

    /// @dev At the applied volatility, not at the worst one.
    function test_TheRampLeadsToTheAppliedVolatility() public {
        bytes32 modelId = _activated(BTC);
        _submit(modelId, _outputs(500, -500, -6500)); // 1_503_439
        uint256 landed = block.timestamp;
        _expectRampOnSetPolicy(133_35);
        vm.warp(landed + 30 days);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 133_35);
    }

    function test_APolicyShapesTheFallbackAtOnceAndUpdatesFromTheNext() public {
        bytes32 modelId = _activated(BTC);
        _submit(modelId, _low());
        IRegimeRiskOracle.Policy memory next = _policy();
        (next.knots[0].vector.ammFeePips, next.knots[1].vector.ammFeePips) = (600, 12_000);
        (next.graceAfterBps, next.staleAfterBps) = (150_00, 300_00);
        _announcePolicy(BTC, next);
        _submit(modelId, _low());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, next);
        assertEq(_params(BTC).ammFeePips, 500, "that of the update before");
        vm.warp(block.timestamp + 2 * PERIOD_SECONDS);
        _assertStatus(BTC, IRiskParameters.Status.Stale);
        assertEq(_params(BTC).ammFeePips, 12_000);
        _submit(modelId, _low());
        assertEq(_params(BTC).ammFeePips, 600);
        vm.warp(block.timestamp + 2 * PERIOD_SECONDS);
        _assertStatus(BTC, IRiskParameters.Status.Grace);
    }

    /// @dev Of the update before a new policy, whose ramp soon passes it.
    function test_TheBorrowRatioRisesWithARampThatPassesIt() public {
        IRegimeRiskOracle.Policy memory close = _policy();
        close.knots[0].vector.borrowCollateralRatioBps = 130_10;
        _changePolicy(BTC, close);
        bytes32 modelId = _activated(BTC);
        IRegimeRiskOracle.Policy memory steep = Policies.ramped();
        steep.knots[0].vector.liquidationCollateralRatioBps = 140_00;
        steep.knots[1].vector.liquidationCollateralRatioBps = 140_00;
        _announcePolicy(BTC, steep);
        _submit(modelId, _low());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, steep);
        assertEq(_params(BTC).borrowCollateralRatioBps, 130_10);
        vm.warp(block.timestamp + 3 hours);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 130_25);
        assertEq(_params(BTC).borrowCollateralRatioBps, 130_25);
    }

    /* HELPERS */

    function _activated(bytes32 market) private returns (bytes32 modelId) {
        vm.prank(OWNER);
        modelId = registry.proposeModel(_spec(_one(market)), 0);
        vm.warp(block.timestamp + DELAY);
        _activate(modelId);
        _warpTo(MONDAY + 6, 75);
    }

    function _expectInvalidBounds(address marketOwner, IRegimeRiskOracle.Bounds memory bounds, string memory field)
        private
    {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, field));
        oracle.registerMarket(SOL, marketOwner, bounds);
    }

    function _expectRampOnSetPolicy(uint256 targetBps) private {
        _announcePolicy(BTC, Policies.ramped());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.LiquidationRampSet(BTC, 130_00, targetBps, 2_00);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, Policies.ramped());
    }

    function _expectSetPolicy(bytes memory revertData) private {
        vm.prank(MARKET_OWNER);
        vm.expectRevert(revertData);
        oracle.setPolicy(BTC, Policies.ramped());
    }
}
