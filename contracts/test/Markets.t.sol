// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {Timelock} from "../src/base/Timelock.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {Policies} from "./Policies.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice Registration and policies of markets. Specification: Markets.tree.
contract MarketsTest is MarketFixture {
    uint256 private constant DELAY = 1 days;

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    /* REGISTRATION */

    function test_RegisteringStoresOwnerAndBounds() public {
        IRegimeRiskOracle.PriceCheck memory priceCheck =
            IRegimeRiskOracle.PriceCheck({feed: address(new MockFeed()), toleranceBps: 100, maxAgeSeconds: 3600});
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketRegistered(SOL, STRANGER, _bounds(), priceCheck);
        vm.prank(OWNER);
        oracle.registerMarket(SOL, STRANGER, _bounds(), priceCheck);
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
        any.minBorrowCollateralRatioBps = uint16(bound(any.minBorrowCollateralRatioBps, 10_001, 65_535));
        any.maxBorrowCollateralRatioBps =
            uint16(bound(any.maxBorrowCollateralRatioBps, any.minBorrowCollateralRatioBps, 65_535));
        any.maxAmmFeePips = uint24(bound(any.maxAmmFeePips, 0, 1_000_000));
        any.minAmmFeePips = uint24(bound(any.minAmmFeePips, 0, any.maxAmmFeePips));
        vm.prank(OWNER);
        oracle.registerMarket(SOL, marketOwner, any, _noPriceCheck());
        assertEq(abi.encode(oracle.bounds(SOL)), abi.encode(any));
        assertEq(oracle.marketOwner(SOL), marketOwner);
    }

    function testFuzz_RevertWhen_NotTheOwnerRegisters(address caller) public {
        vm.assume(caller != OWNER);
        vm.prank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds(), _noPriceCheck());
    }

    function test_RevertWhen_RegisteredTwice() public {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.MarketAlreadyRegistered.selector, BTC));
        oracle.registerMarket(BTC, STRANGER, _bounds(), _noPriceCheck());
    }

    function test_RevertWhen_RegistrationIsUnusable() public {
        _expectInvalidBounds(address(0), _bounds(), _noPriceCheck(), "marketOwner");
        IRegimeRiskOracle.Bounds memory bad = _bounds();
        bad.minBorrowCollateralRatioBps = 100_00;
        _expectInvalidBounds(MARKET_OWNER, bad, _noPriceCheck(), "minBorrowCollateralRatioBps");
        IRegimeRiskOracle.PriceCheck memory badCheck = _noPriceCheck();
        badCheck.feed = address(new MockFeed());
        _expectInvalidBounds(MARKET_OWNER, _bounds(), badCheck, "toleranceBps");
    }

    /* THE FIRST POLICY */

    function test_TheFirstPolicyHoldsAtOnce() public {
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds(), _noPriceCheck());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.PolicySet(SOL, Policies.ramped());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.LiquidationRampStarted(SOL, 140_00, 140_00, 2_00);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, Policies.ramped());
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(Policies.ramped()));
        assertEq(_params(SOL).liquidationCollateralRatioBps, 140_00, "no ramp: nobody can have borrowed");
    }

    function testFuzz_PoliciesSurviveStorage(IRegimeRiskOracle.Policy memory any) public {
        any = Policies.valid(any, _bounds());
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds(), _noPriceCheck());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, any);
        assertEq(abi.encode(oracle.policy(SOL)), abi.encode(any));
        assertEq(_params(SOL).liquidationCollateralRatioBps, any.turbulent.liquidationCollateralRatioBps);
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
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds(), _noPriceCheck());
        IRegimeRiskOracle.Policy memory bad = _policy();
        bad.turbulent.ammFeePips = _bounds().maxAmmFeePips + 1;
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, "ammFeePips"));
        oracle.setPolicy(SOL, bad);
    }

    /* LATER POLICIES */

    function test_RevertWhen_ALaterPolicyWasNotAnnounced() public {
        bytes memory data = abi.encodeCall(oracle.setPolicy, (BTC, Policies.ramped()));
        bytes32 operation = oracle.operationOf(MARKET_OWNER, data);
        _expectSetPolicy(abi.encodeWithSelector(Timelock.NotScheduled.selector, operation));
        vm.prank(STRANGER);
        oracle.schedule(data);
        _expectSetPolicy(abi.encodeWithSelector(Timelock.NotScheduled.selector, operation));
    }

    function test_ALaterPolicyWaits() public {
        bytes memory data = abi.encodeCall(oracle.setPolicy, (BTC, Policies.ramped()));
        vm.prank(MARKET_OWNER);
        bytes32 operation = oracle.schedule(data);
        uint256 ripe = block.timestamp + DELAY;
        vm.warp(ripe - 1);
        _expectSetPolicy(abi.encodeWithSelector(Timelock.NotReady.selector, operation, ripe));
        vm.warp(ripe);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, Policies.ramped());
        assertEq(abi.encode(oracle.policy(BTC)), abi.encode(Policies.ramped()));
        _expectSetPolicy(abi.encodeWithSelector(Timelock.NotScheduled.selector, operation));
    }

    function test_RevertWhen_TheGuardianRefusedIt() public {
        bytes memory data = abi.encodeCall(oracle.setPolicy, (BTC, Policies.ramped()));
        vm.prank(MARKET_OWNER);
        bytes32 operation = oracle.schedule(data);
        vm.prank(GUARDIAN);
        oracle.veto(operation);
        vm.warp(block.timestamp + DELAY);
        _expectSetPolicy(abi.encodeWithSelector(Timelock.NotScheduled.selector, operation));
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
        still.calm.liquidationCollateralRatioBps = 140_01;
        still.turbulent.liquidationCollateralRatioBps = 140_01;
        still.liquidationRiseBpsPerDay = 0;
        _announcePolicy(SOL, still);
        vm.prank(MARKET_OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, "liquidationRiseBpsPerDay"));
        oracle.setPolicy(SOL, still);

        still.calm.liquidationCollateralRatioBps = 140_00;
        still.turbulent.liquidationCollateralRatioBps = 140_00;
        _changePolicy(SOL, still);
        assertEq(_params(SOL).liquidationCollateralRatioBps, 140_00);
    }

    function test_ALowerLiquidationRatioHoldsAtOnce() public {
        _registerRamped();
        IRegimeRiskOracle.Policy memory lower = Policies.ramped();
        lower.turbulent.liquidationCollateralRatioBps = 135_00;
        _changePolicy(SOL, lower);
        assertEq(_params(SOL).liquidationCollateralRatioBps, 135_00);
    }

    /// @dev The part of a ramp that is over was at the old speed, the rest is at the new one.
    function test_AChangedSpeedHoldsFromNowOn() public {
        _changePolicy(BTC, Policies.ramped());
        IRegimeRiskOracle.Policy memory faster = Policies.ramped();
        faster.liquidationRiseBpsPerDay = 5_00;
        _changePolicy(BTC, faster);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 132_00);
        vm.warp(block.timestamp + 1 days);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 137_00);
    }

    /// @dev At the applied probability, not at the worst one.
    function test_TheRampLeadsToTheAppliedProbability() public {
        bytes32 modelId = _activated(BTC);
        _submit(modelId, _outputs(500, -500, -7600)); // 26.89 %
        uint256 landed = block.timestamp;
        _expectRampOnSetPolicy(132_68);
        vm.warp(landed + 30 days);
        assertEq(_params(BTC).liquidationCollateralRatioBps, 132_68);
    }

    function test_APolicyShapesTheFallbackAtOnceAndUpdatesFromTheNext() public {
        bytes32 modelId = _activated(BTC);
        _submit(modelId, _low());
        IRegimeRiskOracle.Policy memory next = _policy();
        next.calm.ammFeePips = 600;
        next.turbulent.ammFeePips = 12_000;
        next.graceAfterSeconds = uint24(DELAY + 8 hours);
        next.staleAfterSeconds = next.graceAfterSeconds;
        _changePolicy(BTC, next);
        assertEq(_params(BTC).ammFeePips, 500, "that of the update before");
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        _warpTo(MONDAY + 6, next.staleAfterSeconds);
        assertEq(_params(BTC).ammFeePips, 12_000);
        _submit(modelId, _low());
        assertEq(_params(BTC).ammFeePips, 600);
    }

    /* HELPERS */

    function _activated(bytes32 market) private returns (bytes32 modelId) {
        vm.prank(OWNER);
        modelId = oracle.proposeModel(_spec(_one(market)), 0);
        vm.warp(block.timestamp + DELAY);
        _activate(modelId);
        _warpTo(MONDAY + 6, 75);
    }

    function _expectInvalidBounds(
        address marketOwner,
        IRegimeRiskOracle.Bounds memory bounds,
        IRegimeRiskOracle.PriceCheck memory priceCheck,
        string memory field
    ) private {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, field));
        oracle.registerMarket(SOL, marketOwner, bounds, priceCheck);
    }

    function _expectRampOnSetPolicy(uint256 targetBps) private {
        _announcePolicy(BTC, Policies.ramped());
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.LiquidationRampStarted(BTC, 130_00, targetBps, 2_00);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, Policies.ramped());
    }

    function _expectSetPolicy(bytes memory revertData) private {
        vm.prank(MARKET_OWNER);
        vm.expectRevert(revertData);
        oracle.setPolicy(BTC, Policies.ramped());
    }
}
