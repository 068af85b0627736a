// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {IUnlockCallback} from "@uniswap/v4-core/src/interfaces/callback/IUnlockCallback.sol";
import {BalanceDelta, BalanceDeltaLibrary} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {Currency} from "@uniswap/v4-core/src/types/Currency.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {ModifyLiquidityParams, SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";

/// @notice Swaps, quotes and adds liquidity in a v4 pool manager, with tokens of its own.
contract PoolRouter is IUnlockCallback {
    enum Action {
        Swap,
        Quote,
        Modify
    }

    IPoolManager private immutable _manager;

    error Quoted(BalanceDelta delta);

    constructor(IPoolManager manager) {
        _manager = manager;
    }

    function swap(PoolKey calldata key, SwapParams calldata params) external returns (BalanceDelta) {
        return _unlock(abi.encode(Action.Swap, key, abi.encode(params)));
    }

    function modifyLiquidity(PoolKey calldata key, ModifyLiquidityParams calldata params)
        external
        returns (BalanceDelta)
    {
        return _unlock(abi.encode(Action.Modify, key, abi.encode(params)));
    }

    /// @notice What the swap would give: it is done and undone, as v4's own quoter does.
    function quote(PoolKey calldata key, SwapParams calldata params) external returns (BalanceDelta) {
        try _manager.unlock(abi.encode(Action.Quote, key, abi.encode(params))) {
            revert("a quote must not go through");
        } catch (bytes memory reason) {
            if (bytes4(reason) != Quoted.selector) {
                assembly {
                    revert(add(reason, 32), mload(reason))
                }
            }
            int256 delta;
            assembly {
                delta := mload(add(reason, 36))
            }
            return BalanceDelta.wrap(delta);
        }
    }

    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        require(msg.sender == address(_manager), "not the manager");
        (Action action, PoolKey memory key, bytes memory params) = abi.decode(data, (Action, PoolKey, bytes));
        BalanceDelta delta;
        if (action == Action.Modify) {
            (delta,) = _manager.modifyLiquidity(key, abi.decode(params, (ModifyLiquidityParams)), "");
        } else {
            delta = _manager.swap(key, abi.decode(params, (SwapParams)), "");
        }
        if (action == Action.Quote) revert Quoted(delta);
        _square(key.currency0, BalanceDeltaLibrary.amount0(delta));
        _square(key.currency1, BalanceDeltaLibrary.amount1(delta));
        return abi.encode(delta);
    }

    function _unlock(bytes memory data) private returns (BalanceDelta) {
        return abi.decode(_manager.unlock(data), (BalanceDelta));
    }

    function _square(Currency currency, int128 amount) private {
        if (amount > 0) _manager.take(currency, address(this), uint128(amount));
        if (amount >= 0) return;
        _manager.sync(currency);
        currency.transfer(address(_manager), uint128(-amount));
        _manager.settle();
    }
}
