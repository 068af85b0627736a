// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {RegimeFeeHook} from "../../src/consumers/RegimeFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {ProgrammableOracle} from "../mocks/ProgrammableOracle.sol";
import {PoolFixture} from "./PoolFixture.sol";

/// @notice A pool with the hook, over an oracle that answers as told.
abstract contract HookFixture is PoolFixture {
    bytes32 internal constant BTC = keccak256("BTC-USD");
    uint24 internal constant MIN_FEE_PIPS = 100;
    uint24 internal constant FALLBACK_FEE_PIPS = 12_000;
    uint32 internal constant REFRESH_SECONDS = 600;
    uint24 internal constant CALM_FEE_PIPS = 500;
    uint24 internal constant TURBULENT_FEE_PIPS = 10_000;

    ProgrammableOracle internal oracle;
    RegimeFeeHook internal hook;
    PoolKey internal key;

    function setUp() public {
        vm.warp(119_640 * 4 hours);
        _deployManager();
        oracle = new ProgrammableOracle(BTC);
        oracle.set(IRiskParameters.Status.Fresh, CALM_FEE_PIPS);
        hook = _deployHook(address(oracle), BTC, MIN_FEE_PIPS, FALLBACK_FEE_PIPS, REFRESH_SECONDS);
        key = _dynamicKey(hook);
        _open(key);
    }

    /// @dev Another pool of the hook, not initialized.
    function _otherKey() internal view returns (PoolKey memory other) {
        other = key;
        other.tickSpacing = 10;
    }
}
