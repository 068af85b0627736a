// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {CustomRevert} from "@uniswap/v4-core/src/libraries/CustomRevert.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {ForecastFee} from "../../src/consumers/ForecastFee.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {ProgrammableOracle} from "../mocks/ProgrammableOracle.sol";
import {PoolFixture} from "./PoolFixture.sol";

/// @notice What the tests of both fee hooks share: an oracle that answers as told, and a pool of the hook.
abstract contract FeeHookFixture is PoolFixture {
    bytes32 internal constant BTC = keccak256("BTC-USD");
    uint24 internal constant MIN_FEE_PIPS = 100;
    uint24 internal constant FALLBACK_FEE_PIPS = 12_000;
    uint32 internal constant REFRESH_SECONDS = 600;

    ProgrammableOracle internal oracle;
    PoolKey internal key;

    /// @param feePips The oracle's, while it is fresh.
    function _deployOracle(uint24 feePips) internal {
        vm.warp(119_640 * 4 hours);
        _deployManager();
        oracle = new ProgrammableOracle(BTC);
        oracle.set(IRiskParameters.Status.Fresh, feePips);
    }

    /// @dev Another pool of the hook, not initialized.
    function _otherKey() internal view returns (PoolKey memory other) {
        other = key;
        other.tickSpacing = 10;
    }
}

/// @notice What both fee hooks refuse.
abstract contract FeeHookRefusals is FeeHookFixture {
    function testFuzz_RevertWhen_SomebodyElseCallsAnEntryPoint(address caller) public {
        vm.assume(caller != address(manager));
        IHooks hook_ = key.hooks;
        vm.startPrank(caller);
        vm.expectRevert(ForecastFee.NotPoolManager.selector);
        hook_.afterInitialize(caller, key, 1 << 96, 0);
        vm.expectRevert(ForecastFee.NotPoolManager.selector);
        hook_.beforeSwap(caller, key, _exactInput(1), "");
    }

    /// @dev v4 would pass over an override in such a pool without a word.
    function test_RevertWhen_AStaticPoolIsInitialized() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                CustomRevert.WrappedError.selector,
                key.hooks,
                IHooks.afterInitialize.selector,
                abi.encodeWithSelector(IPoolManager.UnauthorizedDynamicLPFeeUpdate.selector),
                abi.encodeWithSelector(Hooks.HookCallFailed.selector)
            )
        );
        manager.initialize(_key(3000, address(key.hooks)), 1 << 96);
    }
}
