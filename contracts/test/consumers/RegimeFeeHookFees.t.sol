// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {BalanceDelta} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {RegimeFeeHook} from "../../src/consumers/RegimeFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {ProgrammableOracle} from "../mocks/ProgrammableOracle.sol";
import {BoundedCall} from "../../src/libraries/BoundedCall.sol";
import {VeriRegimeConsumer} from "../../src/consumers/VeriRegimeConsumer.sol";
import {HookFixture} from "./HookFixture.sol";

/// @notice Oracles that answer badly, callers who give little gas, and what swaps and quotes cost. See RegimeFeeHook.tree.
contract RegimeFeeHookFeesTest is HookFixture {
    /* HOSTILE ORACLES AND STARVED READINGS */

    function test_EveryHostileOracleGivesTheFallback() public {
        uint256 state = vm.snapshotState();
        for (uint256 i = 1; i <= uint256(type(ProgrammableOracle.Behaviour).max); ++i) {
            for (uint256 poked = 0; poked < 2; ++poked) {
                _checkHostile(ProgrammableOracle.Behaviour(i), poked == 1);
                vm.revertToState(state);
            }
        }
    }

    function test_AnOracleWithoutCodeGivesTheFallback() public {
        vm.etch(address(oracle), "");
        skip(REFRESH_SECONDS);
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS);
        PoolKey memory other = _otherKey();
        manager.initialize(other, 1 << 96);
        assertEq(_poolFee(other), FALLBACK_FEE_PIPS);
    }

    /// @dev Whatever the gas, a swap or a poke fails as a whole or takes the oracle's fee; nobody chooses the fallback.
    function test_StarvingTheReadingGivesNobodyAnotherFee() public {
        oracle.set(IRiskParameters.Status.Fresh, TURBULENT_FEE_PIPS);
        oracle.setGasToBurn(95_000);
        skip(REFRESH_SECONDS);
        uint256 refused = 0;
        uint256 done = 0;
        uint256 state = vm.snapshotState();
        for (uint256 gas_ = 60_000; gas_ <= 340_000; gas_ += 1000) {
            try hook.poke{gas: gas_}(key) {
                assertEq(_poolFee(key), TURBULENT_FEE_PIPS, "poke");
                ++done;
            } catch {
                ++refused;
            }
            vm.revertToState(state);
            try router.swap{gas: gas_}(key, _exactInput(1e18)) {
                assertEq(_poolFee(key), TURBULENT_FEE_PIPS, "swap");
                ++done;
            } catch {
                ++refused;
            }
            vm.revertToState(state);
        }
        assertGt(refused, 50);
        assertGt(done, 50);
    }

    function test_RevertWhen_APokeHasTooLittleGas() public {
        vm.expectRevert(BoundedCall.NotEnoughGas.selector);
        hook.poke{gas: 105_000}(key);
    }

    /* FEES AND QUOTES */

    function testFuzz_TheFeeIsClamped(uint256 feeWord, bool grace) public {
        oracle.set(grace ? IRiskParameters.Status.Grace : IRiskParameters.Status.Fresh, feeWord);
        hook.poke(key);
        uint24 feePips = _poolFee(key);
        if (feeWord <= MIN_FEE_PIPS) assertEq(feePips, MIN_FEE_PIPS);
        else if (feeWord > 1_000_000) assertEq(feePips, FALLBACK_FEE_PIPS, "an oracle that may not say that");
        else if (feeWord >= MAX_FEE_PIPS) assertEq(feePips, MAX_FEE_PIPS);
        else assertEq(feePips, feeWord);
    }

    function testFuzz_TheFeeInsideTheLimitsIsTheOracles(uint24 feePips) public {
        feePips = uint24(bound(feePips, MIN_FEE_PIPS, MAX_FEE_PIPS));
        oracle.set(IRiskParameters.Status.Fresh, feePips);
        hook.poke(key);
        assertEq(_poolFee(key), feePips);
    }

    /// @dev The same swap in a pool whose fee was fixed when it was created.
    function testFuzz_ASwapCostsWhatAStaticPoolOfThatFeeCosts(
        uint24 feePips,
        uint96 amount,
        bool zeroForOne,
        bool input
    ) public {
        feePips = uint24(bound(feePips, MIN_FEE_PIPS, MAX_FEE_PIPS));
        oracle.set(IRiskParameters.Status.Fresh, feePips);
        SwapParams memory swap = _fuzzed(amount, zeroForOne, input);
        _open(_key(feePips, address(0)));
        (BalanceDelta expected,) = _swap(_key(feePips, address(0)), swap);
        skip(REFRESH_SECONDS);
        (BalanceDelta delta,) = _swap(key, swap);
        assertEq(BalanceDelta.unwrap(delta), BalanceDelta.unwrap(expected));
    }

    function testFuzz_AQuoteIsWhatTheSwapGives(
        uint24 feePips,
        uint8 status,
        uint32 elapsedSeconds,
        uint96 amount,
        bool zeroForOne,
        bool input
    ) public {
        status = uint8(bound(status, 0, uint256(type(IRiskParameters.Status).max)));
        oracle.set(IRiskParameters.Status(status), feePips);
        skip(bound(elapsedSeconds, 0, 3 * REFRESH_SECONDS));
        SwapParams memory swap = _fuzzed(amount, zeroForOne, input);

        uint24 foretold = hook.currentFeePips(key.toId());
        BalanceDelta quoted = router.quote(key, swap);
        (BalanceDelta delta, uint24 paid) = _swap(key, swap);
        assertEq(BalanceDelta.unwrap(delta), BalanceDelta.unwrap(quoted));
        assertEq(paid, foretold);
        assertEq(_poolFee(key), paid, "never an override");
    }

    /* HELPERS */

    function _checkHostile(ProgrammableOracle.Behaviour behaviour, bool poked) private {
        oracle.behave(behaviour);
        skip(REFRESH_SECONDS);
        if (poked) hook.poke(key);
        assertEq(hook.currentFeePips(key.toId()), FALLBACK_FEE_PIPS);
        assertEq(_swapFee(key), FALLBACK_FEE_PIPS);
        assertLt(
            vm.lastCallGas().gasTotalUsed,
            VeriRegimeConsumer.READ_GAS + 160_000,
            "what an ordinary swap costs, and the reading"
        );
        PoolKey memory other = _otherKey();
        manager.initialize(other, 1 << 96);
        assertEq(_poolFee(other), FALLBACK_FEE_PIPS);
    }

    function _fuzzed(uint96 amount, bool zeroForOne, bool input) private pure returns (SwapParams memory) {
        int256 bounded = int256(bound(amount, 1, 1e23));
        return _swapParams(zeroForOne, input ? -bounded : bounded);
    }
}
