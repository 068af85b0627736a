// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {BeforeSwapDelta, BeforeSwapDeltaLibrary} from "@uniswap/v4-core/src/types/BeforeSwapDelta.sol";
import {PoolId} from "@uniswap/v4-core/src/types/PoolId.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ForecastFee} from "./ForecastFee.sol";

/// @title RegimeFeeHook
/// @notice Uniswap v4 hook: the fee of its dynamic-fee pools is the `ammFeePips` of one market of a risk oracle.
/// @dev The fee lies in the pool itself (`slot0.lpFee`) and is never overridden for a single swap, so a quote is what the
/// swap pays. The oracle is read in `poke`, and in the first swap at least `refreshAfterSeconds` after the last reading;
/// `currentFeePips` foretells that swap's fee. Elapsed time is the trigger, not a new period: a forecast lands minutes after
/// its period began, so a period's first swap would keep the old fee for four hours, and pauses begin within periods.
/// @dev Nothing the oracle does reverts a swap, a poke or an initialization; see `VeriRegimeConsumer`. What the fee is while the
/// oracle's values are not vouched for, says `ForecastFee`.
contract RegimeFeeHook is ForecastFee {
    /// @notice A pool's fee in pips, 0 if there is no such pool, and the Unix time in seconds of the reading behind it.
    struct Reading {
        uint24 feePips;
        uint40 readAt;
    }

    /// @notice The last reading for each pool.
    mapping(PoolId poolId => Reading) public readings;

    /// @notice The fee of a pool changed. `reliable` is false if it is the fallback for want of a usable answer.
    event FeeChanged(PoolId indexed poolId, uint24 feePips, bool reliable);

    /// @dev The lowest bits of the address must be `FLAGS`: mine a CREATE2 salt. Every argument is the public one's.
    constructor(
        IPoolManager poolManager_,
        IRiskParameters oracle_,
        bytes32 market_,
        uint24 minFeePips_,
        uint24 fallbackFeePips_,
        uint24 maxFeePips_,
        uint32 refreshAfterSeconds_
    )
        ForecastFee(
            poolManager_, oracle_, market_, Limits(minFeePips_, fallbackFeePips_, maxFeePips_, refreshAfterSeconds_)
        )
    {}

    /// @notice Reads the oracle and sets the pool's fee; for anyone. Reverts only for want of such a pool, or of gas.
    function poke(PoolKey calldata key) external {
        _refresh(key);
    }

    /// @notice The fee in pips that a swap in the present block pays, before any protocol fee.
    function currentFeePips(PoolId poolId) external view returns (uint24 feePips) {
        feePips = readings[poolId].feePips;
        if (_isDue(poolId)) (feePips,,) = _read(feePips);
    }

    /// @notice Sets the first fee: a dynamic pool begins with 0. Only the pool manager, which refuses static pools here.
    function afterInitialize(address, PoolKey calldata key, uint160, int24) external onlyPoolManager returns (bytes4) {
        _refresh(key);
        return IHooks.afterInitialize.selector;
    }

    /// @notice Renews a fee that is due; the swap pays the new one. Only the pool manager.
    /// @return The selector, no delta, and no override: the fee is the pool's own.
    function beforeSwap(address, PoolKey calldata key, SwapParams calldata, bytes calldata)
        external
        onlyPoolManager
        returns (bytes4, BeforeSwapDelta, uint24)
    {
        if (_isDue(key.toId())) _refresh(key);
        return (IHooks.beforeSwap.selector, BeforeSwapDeltaLibrary.ZERO_DELTA, 0);
    }

    function _refresh(PoolKey calldata key) private {
        PoolId poolId = key.toId();
        uint24 before = readings[poolId].feePips;
        (uint24 feePips, bool reliable,) = _read(before);
        readings[poolId] = Reading(feePips, uint40(block.timestamp));
        // slither-disable-next-line incorrect-equality (nothing to tell the pool)
        if (feePips == before) return;
        poolManager.updateDynamicLPFee(key, feePips);
        emit FeeChanged(poolId, feePips, reliable);
    }

    function _isDue(PoolId poolId) private view returns (bool) {
        return block.timestamp - readings[poolId].readAt >= refreshAfterSeconds;
    }
}
