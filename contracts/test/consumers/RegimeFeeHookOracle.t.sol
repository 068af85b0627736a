// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {RegimeFeeHook} from "../../src/consumers/RegimeFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {OracleFixture} from "../OracleFixture.sol";
import {PoolFixture} from "./PoolFixture.sol";

/// @notice The hook over the real oracle, from attested updates to the fees of swaps, and what it costs in gas.
contract RegimeFeeHookOracleTest is OracleFixture, PoolFixture {
    string private constant SNAPSHOTS = "RegimeFeeHook";
    uint24 private constant FALLBACK_FEE_PIPS = 12_000;
    uint32 private constant REFRESH_SECONDS = 600;

    RegimeFeeHook private hook;
    PoolKey private key;
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
        _deployManager();
        hook = _deployHook(address(oracle), BTC, 100, FALLBACK_FEE_PIPS, REFRESH_SECONDS);
        key = _dynamicKey(hook);
        _open(key);
    }

    function test_FeesFollowTheRegimeThroughUpdatesOutageAndPause() public {
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS, "no update has landed");

        uint24 feePips;
        uint24 previousPips = FALLBACK_FEE_PIPS;
        for (int128 logit = -3000; logit <= 3000; logit += 1000) {
            _nextPeriod();
            feePips = _land(logit);
            assertTrue(feePips != previousPips, "the regime turns");
            if (logit % 2000 == 0) hook.poke(key);
            else skip(REFRESH_SECONDS);
            assertEq(_swapFee(key), feePips);
            previousPips = feePips;
        }

        uint256 start = block.timestamp / PERIOD_SECONDS * PERIOD_SECONDS;
        vm.warp(start + 5 hours);
        assertEq(_status(), uint256(IRiskParameters.Status.Grace));
        assertEq(_swapFee(key), feePips, "in grace the last fee holds");
        vm.warp(start + 8 hours);
        assertEq(_status(), uint256(IRiskParameters.Status.Stale));
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS, "nobody poked");

        feePips = _land(-2000);
        skip(REFRESH_SECONDS);
        assertEq(_swapFee(key), feePips, "an update ends the fallback");

        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1 hours));
        hook.poke(key);
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS, "paused");
        skip(1 hours);
        assertEq(_swapFee(key), feePips, "and open again");
    }

    /// @dev The fee of a market without a policy, or that nobody registered, is the fallback.
    function test_AnUnknownMarketGivesTheFallback() public {
        RegimeFeeHook other = _deployHook(address(oracle), keccak256("DOGE-USD"), 100, FALLBACK_FEE_PIPS, 600);
        _open(_dynamicKey(other));
        assertEq(_swapFee(_dynamicKey(other)), FALLBACK_FEE_PIPS);
    }

    /* COST */

    /// @dev Against the same swap in a pool of the same fee without a hook; each is a transaction of its own.
    function test_GasOfSwaps() public {
        uint24 feePips = _land(-2000);
        hook.poke(key);
        PoolKey memory plain = _key(feePips, address(0));
        _open(plain);
        _swapGas(plain);
        _swapGas(key);

        uint256 plainGas = _swapGas(plain);
        vm.snapshotValue(SNAPSHOTS, "swap in a pool of a static fee, no hook", plainGas);
        _record("swap, extra, cached fee", _swapGas(key) - plainGas, 10_000);
        skip(REFRESH_SECONDS);
        _record("swap, extra, reading of the same fee", _swapGas(key) - plainGas, 30_000);
        _nextPeriod();
        _land(2000);
        skip(REFRESH_SECONDS);
        _record("swap, extra, reading of a new fee", _swapGas(key) - plainGas, 40_000);
    }

    function test_GasOfPoke() public {
        _land(-2000);
        hook.poke(key);
        _record("poke, new fee", vm.lastCallGas().gasTotalUsed, 60_000);
        skip(1);
        hook.poke(key);
        _record("poke, same fee", vm.lastCallGas().gasTotalUsed, 50_000);
    }

    /* HELPERS */

    function _nextPeriod() private {
        vm.warp((block.timestamp / PERIOD_SECONDS + 1) * PERIOD_SECONDS + 75);
    }

    /// @dev Lands an update whose volatility follows `logit`, and returns the fee that the oracle then says.
    function _land(int128 logit) private returns (uint24) {
        _submit(modelId, _outputs(0, 0, -7000 + logit / 4));
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        return current.ammFeePips;
    }

    function _status() private view returns (uint256) {
        (, IRiskParameters.Status status) = oracle.params(BTC);
        return uint256(status);
    }

    function _swapGas(PoolKey memory pool) private returns (uint256) {
        router.swap(pool, _exactInput(1e18));
        return vm.lastCallGas().gasTotalUsed;
    }

    function _record(string memory name, uint256 gas, uint256 limit) private {
        vm.snapshotValue(SNAPSHOTS, name, gas);
        assertLe(gas, limit, name);
    }
}
