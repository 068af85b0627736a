// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {RegimeFeeHook} from "../../src/consumers/RegimeFeeHook.sol";
import {FeeHookFixture} from "./FeeHookFixture.sol";

/// @notice A pool with the hook, over an oracle that answers as told.
abstract contract HookFixture is FeeHookFixture {
    uint24 internal constant CALM_FEE_PIPS = 500;
    uint24 internal constant TURBULENT_FEE_PIPS = 10_000;

    RegimeFeeHook internal hook;

    function setUp() public {
        _deployOracle(CALM_FEE_PIPS);
        hook = _deployHook(address(oracle), BTC, MIN_FEE_PIPS, FALLBACK_FEE_PIPS, REFRESH_SECONDS);
        key = _dynamicKey(hook);
        _open(key);
    }
}
