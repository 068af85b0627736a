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
import {LibCall} from "solady/utils/LibCall.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";

/// @title RegimeFeeHook
/// @notice Uniswap v4 hook: the fee of its dynamic-fee pools is the `ammFeePips` of one market of a risk oracle.
/// @dev The fee lies in the pool itself (`slot0.lpFee`) and is never overridden for a single swap, so a quote is what the
/// swap pays. The oracle is read in `poke`, and in the first swap at least `refreshAfterSeconds` after the last reading;
/// `currentFeePips` foretells that swap's fee. Elapsed time is the trigger, not a new period: a forecast lands minutes after
/// its period began, so a period's first swap would keep the old fee for four hours, and pauses begin within periods.
/// @dev Nothing the oracle does reverts a swap, a poke or an initialization: the reading is a gas-capped STATICCALL, its
/// answer bounded, checked and clamped. Where it fails or is not vouched for, the fee is the fallback, which is also the
/// highest fee there is: falling back only tightens.
contract RegimeFeeHook {
    /// @notice A pool's fee in pips, 0 if there is no such pool, and the Unix time in seconds of the reading behind it.
    struct Reading {
        uint24 feePips;
        uint40 readAt;
    }

    /// @notice The hooks that v4 calls, as it reads them from the last 14 bits of this contract's address.
    uint160 public constant FLAGS = Hooks.AFTER_INITIALIZE_FLAG | Hooks.BEFORE_SWAP_FLAG;

    /// @notice Highest fallback fee in pips: 10 %. v4 refuses exact-output swaps at 100 %.
    uint24 public constant MAX_FALLBACK_FEE_PIPS = 100_000;

    /// @notice Gas that the oracle gets: many times what `params` takes, to leave room for a sequencer feed behind a proxy.
    uint256 public constant READ_GAS = 100_000;

    /// @dev `READ_GAS`, the 1/64 that a caller keeps, and what stands between the check and the call.
    uint256 private constant GAS_BEFORE_READ = 110_000;

    /// @dev What `params` answers: the ten words of `Params`, the fee among them, then the status.
    uint16 private constant ANSWER_BYTES = 11 * 32;
    uint256 private constant FEE_WORD = 4;
    uint256 private constant STATUS_WORD = 10;

    IPoolManager public immutable poolManager;
    IRiskParameters public immutable oracle;
    bytes32 public immutable market;

    /// @notice Lowest fee in pips, whatever the oracle says. At least 1.
    uint24 public immutable minFeePips;

    /// @notice Highest fee in pips, and the one that holds while the oracle cannot be relied on.
    uint24 public immutable fallbackFeePips;

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

    /// @notice Thrown when the caller's gas does not cover the oracle's share. Without this the caller, or a wallet that
    /// searches for the lowest gas at which a swap passes, could starve the reading and so choose the fallback.
    error NotEnoughGas();

    /// @dev The lowest bits of the address must be `FLAGS`: mine a CREATE2 salt. Every argument is the public one's.
    constructor(
        IPoolManager poolManager_,
        IRiskParameters oracle_,
        bytes32 market_,
        uint24 minFeePips_,
        uint24 fallbackFeePips_,
        uint32 refreshAfterSeconds_
    ) {
        if (minFeePips_ == 0) revert InvalidConfiguration("minFeePips");
        if (minFeePips_ > fallbackFeePips_) revert InvalidConfiguration("minFeePips");
        if (fallbackFeePips_ > MAX_FALLBACK_FEE_PIPS) revert InvalidConfiguration("fallbackFeePips");
        if (refreshAfterSeconds_ > 4 hours) revert InvalidConfiguration("refreshAfterSeconds");
        uint160 flags = uint160(address(this)) & Hooks.ALL_HOOK_MASK;
        if (flags != FLAGS) revert Hooks.HookAddressNotValid(address(this));
        (poolManager, oracle, market) = (poolManager_, oracle_, market_);
        (minFeePips, fallbackFeePips, refreshAfterSeconds) = (minFeePips_, fallbackFeePips_, refreshAfterSeconds_);
    }

    /// @notice Reads the oracle and sets the pool's fee; for anyone. Reverts only for want of such a pool, or of gas.
    function poke(PoolKey calldata key) external {
        _refresh(key);
    }

    /// @notice The fee in pips that a swap in the present block pays, before any protocol fee.
    function currentFeePips(PoolId poolId) external view returns (uint24 feePips) {
        (feePips,) = _isDue(poolId) ? _read() : (readings[poolId].feePips, true);
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
        (uint24 feePips, bool reliable) = _read();
        PoolId poolId = key.toId();
        uint24 before = readings[poolId].feePips;
        readings[poolId] = Reading(feePips, uint40(block.timestamp));
        if (feePips == before) return;
        poolManager.updateDynamicLPFee(key, feePips);
        emit FeeChanged(poolId, feePips, reliable);
    }

    function _isDue(PoolId poolId) private view returns (bool) {
        return block.timestamp - readings[poolId].readAt >= refreshAfterSeconds;
    }

    function _read() private view returns (uint24 feePips, bool reliable) {
        if (gasleft() < GAS_BEFORE_READ) revert NotEnoughGas();
        (bool success, bool longer, bytes memory answer) = LibCall.tryStaticCall(
            address(oracle), READ_GAS, ANSWER_BYTES, abi.encodeCall(IRiskParameters.params, (market))
        );
        feePips = fallbackFeePips;
        if (!success || longer || answer.length < ANSWER_BYTES) return (feePips, false);
        uint256[11] memory words = abi.decode(answer, (uint256[11]));
        reliable = words[STATUS_WORD] == uint256(IRiskParameters.Status.Fresh)
            || words[STATUS_WORD] == uint256(IRiskParameters.Status.Grace);
        if (reliable) feePips = uint24(FixedPointMathLib.clamp(words[FEE_WORD], minFeePips, fallbackFeePips));
    }
}
