// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {Pool} from "@uniswap/v4-core/src/libraries/Pool.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {ForecastFee} from "../../src/consumers/ForecastFee.sol";
import {RegimeFeeHook} from "../../src/consumers/RegimeFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {ProgrammableOracle} from "../mocks/ProgrammableOracle.sol";
import {FeeHookRefusals} from "./FeeHookFixture.sol";
import {HookFixture} from "./HookFixture.sol";

/// @notice Construction, entry points, pokes, and swaps while time passes. See RegimeFeeHook.tree.
contract RegimeFeeHookTest is HookFixture, FeeHookRefusals {
    /* CONSTRUCTION */

    function test_ConstructorKeepsItsArguments() public view {
        assertEq(address(hook.poolManager()), address(manager));
        assertEq(address(hook.oracle()), address(oracle));
        assertEq(hook.market(), BTC);
        assertEq(hook.minFeePips(), MIN_FEE_PIPS);
        assertEq(hook.fallbackFeePips(), FALLBACK_FEE_PIPS);
        assertEq(hook.maxFeePips(), MAX_FEE_PIPS);
        assertEq(hook.refreshAfterSeconds(), REFRESH_SECONDS);
    }

    function test_RevertWhen_FeesOrTimesAreOutOfRange() public {
        _expectInvalid("minFeePips", 0, 500, 500, 600);
        _expectInvalid("minFeePips", 501, 500, 500, 600);
        _expectInvalid("fallbackFeePips", 100, 501, 500, 600);
        _expectInvalid("maxFeePips", 100, 500, 100_001, 600);
        _expectInvalid("refreshAfterSeconds", 100, 500, 500, 4 hours + 1);
    }

    function test_ConstructorTakesTheEndsOfEachRange() public {
        _deployHook(address(oracle), BTC, 1, 1, 0);
        _deployHook(address(oracle), BTC, 100_000, 100_000, 4 hours);
    }

    function test_RevertWhen_TheAddressLacksTheFlags() public {
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectRevert(abi.encodeWithSelector(Hooks.HookAddressNotValid.selector, next));
        new RegimeFeeHook(manager, IRiskParameters(address(oracle)), BTC, 100, 500, 500, 600);
    }

    function test_RevertWhen_TheAddressHasAFlagTooMany() public {
        uint160 flags = hook.FLAGS() | Hooks.AFTER_SWAP_FLAG;
        bytes32 salt = _mine(
            abi.encodePacked(type(RegimeFeeHook).creationCode, abi.encode(manager, oracle, BTC, 100, 500, 500, 600)),
            flags
        );
        vm.expectPartialRevert(Hooks.HookAddressNotValid.selector);
        new RegimeFeeHook{salt: salt}(manager, IRiskParameters(address(oracle)), BTC, 100, 500, 500, 600);
    }

    /* ENTRY POINTS */

    function test_InitializationSetsTheFee() public {
        PoolKey memory other = _otherKey();
        vm.expectEmit(address(hook));
        emit RegimeFeeHook.FeeChanged(other.toId(), CALM_FEE_PIPS, true);
        manager.initialize(other, 1 << 96);
        assertEq(_poolFee(other), CALM_FEE_PIPS);
        _checkReading(other, CALM_FEE_PIPS, block.timestamp);
    }

    function test_InitializationFallsBackBeforeTheFirstUpdate() public {
        oracle.set(IRiskParameters.Status.Unset, 0);
        PoolKey memory other = _otherKey();
        manager.initialize(other, 1 << 96);
        assertEq(_poolFee(other), FALLBACK_FEE_PIPS);
    }

    function test_TheMarketIsTheHooksOwn() public {
        RegimeFeeHook stranger = _deployHook(address(oracle), keccak256("ETH-USD"), 100, FALLBACK_FEE_PIPS, 600);
        _open(_dynamicKey(stranger));
        assertEq(_swapFee(_dynamicKey(stranger)), FALLBACK_FEE_PIPS, "the oracle knows BTC alone");
    }

    /* POKE */

    function testFuzz_AnyoneMayPoke(address caller) public {
        oracle.set(IRiskParameters.Status.Fresh, TURBULENT_FEE_PIPS);
        skip(1);
        vm.expectEmit(address(hook));
        emit RegimeFeeHook.FeeChanged(key.toId(), TURBULENT_FEE_PIPS, true);
        vm.prank(caller);
        hook.poke(key);
        assertEq(_poolFee(key), TURBULENT_FEE_PIPS);
        _checkReading(key, TURBULENT_FEE_PIPS, block.timestamp);
        assertEq(_swapFee(key), TURBULENT_FEE_PIPS);
    }

    function test_PokeOfTheSameFeeOnlyRenewsTheReading() public {
        skip(REFRESH_SECONDS);
        vm.expectCall(address(manager), abi.encodePacked(IPoolManager.updateDynamicLPFee.selector), 0);
        hook.poke(key);
        _checkReading(key, CALM_FEE_PIPS, block.timestamp);
    }

    function test_RevertWhen_PokingAPoolThatIsNotInitialized() public {
        PoolKey memory other = _otherKey();
        vm.expectRevert(Pool.PoolNotInitialized.selector);
        hook.poke(other);
        _checkReading(other, 0, 0);
    }

    function test_RevertWhen_PokingAPoolOfAnotherHookOrFee() public {
        RegimeFeeHook other = _deployHook(address(oracle), BTC, 100, 500, 600);
        _open(_dynamicKey(other));
        vm.expectRevert(IPoolManager.UnauthorizedDynamicLPFeeUpdate.selector);
        hook.poke(_dynamicKey(other));
        vm.expectRevert(IPoolManager.UnauthorizedDynamicLPFeeUpdate.selector);
        hook.poke(_key(3000, address(hook)));
    }

    /* SWAPS WHILE TIME PASSES */

    /// @dev The fault of v4-periphery's VolatilityOracle (#103): the fee was set once and never again.
    function test_TheFeeFollowsTheOracleOverManyPeriods() public {
        for (uint24 period = 1; period <= 12; ++period) {
            uint24 feePips = CALM_FEE_PIPS + 700 * period;
            oracle.set(period % 3 == 0 ? IRiskParameters.Status.Grace : IRiskParameters.Status.Fresh, feePips);
            skip(4 hours);
            if (period % 2 == 0) hook.poke(key);
            assertEq(_swapFee(key), feePips);
            assertEq(_poolFee(key), feePips);
        }
        for (uint24 period = 12; period >= 1; --period) {
            uint24 feePips = CALM_FEE_PIPS + 700 * period;
            oracle.set(IRiskParameters.Status.Fresh, feePips);
            skip(4 hours);
            assertEq(_swapFee(key), feePips);
        }
    }

    /// @dev An update lands after swaps have begun in its period.
    function test_AnUpdateInsideThePeriodIsTakenUpWithoutAPoke() public {
        skip(4 hours);
        assertEq(_swapFee(key), CALM_FEE_PIPS, "the period's first swap comes before its forecast");
        oracle.set(IRiskParameters.Status.Fresh, TURBULENT_FEE_PIPS);
        skip(REFRESH_SECONDS);
        assertEq(_swapFee(key), TURBULENT_FEE_PIPS);
    }

    function test_TheOracleIsReadAtMostOncePerInterval() public {
        bytes memory call = abi.encodeCall(IRiskParameters.params, (BTC));
        vm.expectCall(address(oracle), call, 1);
        oracle.set(IRiskParameters.Status.Fresh, TURBULENT_FEE_PIPS);
        skip(REFRESH_SECONDS - 1);
        assertEq(_swapFee(key), CALM_FEE_PIPS, "one second too early");
        skip(1);
        assertEq(_swapFee(key), TURBULENT_FEE_PIPS);
        oracle.set(IRiskParameters.Status.Fresh, CALM_FEE_PIPS);
        skip(REFRESH_SECONDS - 1);
        assertEq(_swapFee(key), TURBULENT_FEE_PIPS);
    }

    function test_WithoutAnIntervalEverySwapReads() public {
        RegimeFeeHook live = _deployHook(address(oracle), BTC, MIN_FEE_PIPS, FALLBACK_FEE_PIPS, 0);
        _open(_dynamicKey(live));
        assertEq(_swapFee(_dynamicKey(live)), CALM_FEE_PIPS);
        oracle.set(IRiskParameters.Status.Fresh, TURBULENT_FEE_PIPS);
        assertEq(_swapFee(_dynamicKey(live)), TURBULENT_FEE_PIPS);
    }

    function test_PoolsOfOneHookAreRenewedSeparately() public {
        PoolKey memory other = _otherKey();
        _open(other);
        oracle.set(IRiskParameters.Status.Fresh, TURBULENT_FEE_PIPS);
        hook.poke(key);
        assertEq(_swapFee(key), TURBULENT_FEE_PIPS);
        assertEq(_swapFee(other), CALM_FEE_PIPS);
        skip(REFRESH_SECONDS);
        assertEq(_swapFee(other), TURBULENT_FEE_PIPS);
    }

    /* FALLBACK */

    function test_AFeeThatGoesStaleUnpokedBecomesTheFallback() public {
        _checkFallsBackAndReturns(IRiskParameters.Status.Stale);
    }

    function test_APauseBringsTheFallbackAndItsEndTheFee() public {
        _checkFallsBackAndReturns(IRiskParameters.Status.Withheld);
    }

    function test_PokeBringsTheFallbackAtOnce() public {
        oracle.set(IRiskParameters.Status.Withheld, CALM_FEE_PIPS);
        assertEq(_swapFee(key), CALM_FEE_PIPS, "cached");
        hook.poke(key);
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS);
    }

    /* HELPERS */

    function _expectInvalid(
        string memory field,
        uint24 minFeePips,
        uint24 fallbackFeePips,
        uint24 maxFeePips,
        uint32 seconds_
    ) private {
        vm.expectRevert(abi.encodeWithSelector(ForecastFee.InvalidConfiguration.selector, field));
        new RegimeFeeHook(
            manager, IRiskParameters(address(oracle)), BTC, minFeePips, fallbackFeePips, maxFeePips, seconds_
        );
    }

    /// @dev The fallback was also the highest fee: an oracle that grew cautious, or silent, made swaps cheaper.
    function test_Fault5_TheFallbackOnlyTightens() public {
        oracle.set(IRiskParameters.Status.Fresh, 14_000);
        hook.poke(key);
        assertEq(_poolFee(key), 14_000, "above the fallback");
        oracle.set(IRiskParameters.Status.Withheld, 14_500);
        hook.poke(key);
        assertEq(_poolFee(key), 14_500, "the oracle's own tightened fee");
        oracle.behave(ProgrammableOracle.Behaviour.RevertEmpty);
        hook.poke(key);
        assertEq(_poolFee(key), 14_500, "what cannot be read loosens nothing");
        oracle.behave(ProgrammableOracle.Behaviour.Answer);
        oracle.set(IRiskParameters.Status.Stale, CALM_FEE_PIPS);
        hook.poke(key);
        assertEq(_poolFee(key), FALLBACK_FEE_PIPS);
    }

    function test_PermissionsAreTheFlags() public view {
        Hooks.Permissions memory permissions = hook.getHookPermissions();
        Hooks.Permissions memory expected;
        (expected.afterInitialize, expected.beforeSwap) = (true, true);
        assertEq(abi.encode(permissions), abi.encode(expected));
    }

    function _checkReading(PoolKey memory pool, uint24 expectedPips, uint256 expectedAt) private view {
        (uint24 feePips, uint40 readAt) = hook.readings(pool.toId());
        assertEq(feePips, expectedPips);
        assertEq(readAt, expectedAt);
    }

    function _checkFallsBackAndReturns(IRiskParameters.Status status) private {
        oracle.set(status, CALM_FEE_PIPS);
        skip(REFRESH_SECONDS);
        vm.expectEmit(address(hook));
        emit RegimeFeeHook.FeeChanged(key.toId(), FALLBACK_FEE_PIPS, false);
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS);
        oracle.set(IRiskParameters.Status.Fresh, CALM_FEE_PIPS);
        skip(REFRESH_SECONDS);
        assertEq(_swapFee(key), CALM_FEE_PIPS);
    }
}
