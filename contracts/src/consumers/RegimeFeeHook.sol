// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {BeforeSwapDelta, BeforeSwapDeltaLibrary} from "@uniswap/v4-core/src/types/BeforeSwapDelta.sol";
import {PoolId} from "@uniswap/v4-core/src/types/PoolId.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {VeriRegimeConsumer} from "./VeriRegimeConsumer.sol";

/// @title RegimeFeeHook
/// @notice Uniswap v4 hook: the fee of its dynamic-fee pools is the `ammFeePips` of one market of a risk oracle.
/// @dev The fee lies in the pool itself (`slot0.lpFee`) and is never overridden for a single swap, so a quote is what the
/// swap pays. The oracle is read in `poke`, and in the first swap at least `refreshAfterSeconds` after the last reading;
/// `currentFeePips` foretells that swap's fee. Elapsed time is the trigger, not a new period: a forecast lands minutes after
/// its period began, so a period's first swap would keep the old fee for four hours, and pauses begin within periods.
/// @dev Nothing the oracle does reverts a swap, a poke or an initialization; see `VeriRegimeConsumer`. While its values are
/// not vouched for, the fee is the higher of its own and the fallback; while it cannot be read, the higher of the pool's last
/// fee and the fallback: falling back only tightens.
contract RegimeFeeHook {
    /// @notice A pool's fee in pips, 0 if there is no such pool, and the Unix time in seconds of the reading behind it.
    struct Reading {
        uint24 feePips;
        uint40 readAt;
    }

    /// @notice The hooks that v4 calls, as it reads them from the last 14 bits of this contract's address.
    uint160 public constant FLAGS = Hooks.AFTER_INITIALIZE_FLAG | Hooks.BEFORE_SWAP_FLAG;

    /// @notice Highest `maxFeePips`: 10 %. v4 refuses exact-output swaps at 100 %.
    uint24 public constant HIGHEST_MAX_FEE_PIPS = 100_000;

    IPoolManager public immutable poolManager;
    IRiskParameters public immutable oracle;
    bytes32 public immutable market;

    /// @notice Lowest fee in pips, whatever the oracle says. At least 1.
    uint24 public immutable minFeePips;

    /// @notice Least fee in pips while the oracle cannot be relied on.
    uint24 public immutable fallbackFeePips;

    /// @notice Highest fee in pips.
    uint24 public immutable maxFeePips;

    /// @notice Age in seconds at which a swap reads the oracle again: at most a period; at 0 every swap does.
    uint32 public immutable refreshAfterSeconds;

    /// @notice The last reading for each pool.
    mapping(PoolId poolId => Reading) public readings;

    /// @notice The fee of a pool changed. `reliable` is false if it is the fallback for want of a usable answer.
    event FeeChanged(PoolId indexed poolId, uint24 feePips, bool reliable);

    /// @notice Thrown when an argument of the constructor is out of its range.
    error InvalidConfiguration(string field);

    /// @notice Thrown when somebody other than the pool manager calls a hook's entry point.
    error NotPoolManager();

    /// @dev The lowest bits of the address must be `FLAGS`: mine a CREATE2 salt. Every argument is the public one's.
    constructor(
        IPoolManager poolManager_,
        IRiskParameters oracle_,
        bytes32 market_,
        uint24 minFeePips_,
        uint24 fallbackFeePips_,
        uint24 maxFeePips_,
        uint32 refreshAfterSeconds_
    ) {
        if (minFeePips_ == 0) revert InvalidConfiguration("minFeePips");
        if (minFeePips_ > fallbackFeePips_) revert InvalidConfiguration("minFeePips");
        if (fallbackFeePips_ > maxFeePips_) revert InvalidConfiguration("fallbackFeePips");
        if (maxFeePips_ > HIGHEST_MAX_FEE_PIPS) revert InvalidConfiguration("maxFeePips");
        if (refreshAfterSeconds_ > 4 hours) revert InvalidConfiguration("refreshAfterSeconds");
        uint160 flags = uint160(address(this)) & Hooks.ALL_HOOK_MASK;
        if (flags != FLAGS) revert Hooks.HookAddressNotValid(address(this));
        (poolManager, oracle, market) = (poolManager_, oracle_, market_);
        (minFeePips, fallbackFeePips, maxFeePips) = (minFeePips_, fallbackFeePips_, maxFeePips_);
        refreshAfterSeconds = refreshAfterSeconds_;
    }

    /// @notice The hooks that v4 calls, for tools that ask.
    function getHookPermissions() external pure returns (Hooks.Permissions memory permissions) {
        (permissions.afterInitialize, permissions.beforeSwap) = (true, true);
    }

    /// @notice Reads the oracle and sets the pool's fee; for anyone. Reverts only for want of such a pool, or of gas.
    function poke(PoolKey calldata key) external {
        _refresh(key);
    }

    /// @notice The fee in pips that a swap in the present block pays, before any protocol fee.
    function currentFeePips(PoolId poolId) external view returns (uint24 feePips) {
        feePips = readings[poolId].feePips;
        if (_isDue(poolId)) (feePips,) = _read(feePips);
    }

    /// @notice Sets the first fee: a dynamic pool begins with 0. Only the pool manager, which refuses static pools here.
    function afterInitialize(address, PoolKey calldata key, uint160, int24) external returns (bytes4) {
        if (msg.sender != address(poolManager)) revert NotPoolManager();
        _refresh(key);
        return IHooks.afterInitialize.selector;
    }

    /// @notice Renews a fee that is due; the swap pays the new one. Only the pool manager.
    /// @return The selector, no delta, and no override: the fee is the pool's own.
    function beforeSwap(address, PoolKey calldata key, SwapParams calldata, bytes calldata)
        external
        returns (bytes4, BeforeSwapDelta, uint24)
    {
        if (msg.sender != address(poolManager)) revert NotPoolManager();
        if (_isDue(key.toId())) _refresh(key);
        return (IHooks.beforeSwap.selector, BeforeSwapDeltaLibrary.ZERO_DELTA, 0);
    }

    function _refresh(PoolKey calldata key) private {
        PoolId poolId = key.toId();
        uint24 before = readings[poolId].feePips;
        (uint24 feePips, bool reliable) = _read(before);
        readings[poolId] = Reading(feePips, uint40(block.timestamp));
        // slither-disable-next-line incorrect-equality (nothing to tell the pool)
        if (feePips == before) return;
        poolManager.updateDynamicLPFee(key, feePips);
        emit FeeChanged(poolId, feePips, reliable);
    }

    function _isDue(PoolId poolId) private view returns (bool) {
        return block.timestamp - readings[poolId].readAt >= refreshAfterSeconds;
    }

    /// @param before The pool's last fee, for an oracle that cannot be read.
    function _read(uint24 before) private view returns (uint24, bool reliable) {
        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
            VeriRegimeConsumer.tryParams(oracle, market);
        reliable = ok && VeriRegimeConsumer.isReliable(status);
        uint256 feePips = ok ? current.ammFeePips : before;
        return (uint24(FixedPointMathLib.clamp(feePips, reliable ? minFeePips : fallbackFeePips, maxFeePips)), reliable);
    }
}
