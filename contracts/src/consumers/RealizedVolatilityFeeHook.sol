// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {LPFeeLibrary} from "@uniswap/v4-core/src/libraries/LPFeeLibrary.sol";
import {StateLibrary} from "@uniswap/v4-core/src/libraries/StateLibrary.sol";
import {BeforeSwapDelta, BeforeSwapDeltaLibrary} from "@uniswap/v4-core/src/types/BeforeSwapDelta.sol";
import {PoolId} from "@uniswap/v4-core/src/types/PoolId.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {RealizedVolatility} from "../libraries/RealizedVolatility.sol";
import {BPS} from "../libraries/Units.sol";
import {ForecastFee} from "./ForecastFee.sol";

/// @title RealizedVolatilityFeeHook
/// @notice Uniswap v4 hook whose fee follows the pool's own last minutes, between two multiples of a forecast's fee.
/// @dev The pool's price is looked at once a block, before the first swap of it: what it was left at by the blocks before. So
/// no swap has an effect on the fee of its own block, and who wants to move the fee must leave the price moved until the next
/// block, to whoever trades it back. A move counts up to `maxMoveE9`. The root of an exponentially weighted mean of these
/// squares, per minute, gives a fee by the knots; the multiples keep it near the forecast's, which no trade can move.
/// @dev A pool in which nothing was swapped for `quietAfterSeconds` says nothing of the market: the fee is the forecast's, and
/// the mean begins again at its volatility. While the oracle's values are not vouched for, the fee is the cautious one of
/// `ForecastFee`. All swaps of a block pay one fee, given as v4's override, so a quote within the block is what a swap pays.
contract RealizedVolatilityFeeHook is ForecastFee {
    using StateLibrary for IPoolManager;

    /// @notice How a pool's own moves become a fee.
    struct Terms {
        /// Two to four, by rising volatility.
        RealizedVolatility.Knot[] knots;
        /// Bounds of the fee, in bps of the forecast's: at most 10,000, and at least that.
        uint16 leastOfForecastBps;
        uint32 mostOfForecastBps;
        /// τ of the weights, up to a day.
        uint32 timeConstantSeconds;
        /// Most of a block's move that counts, relative, times 1e9: up to 1e8, which is 10 %.
        uint32 maxMoveE9;
        /// Seconds without a swap after which the forecast's fee holds, up to a day.
        uint32 quietAfterSeconds;
    }

    /// @notice The last block with a swap: price before it, Unix time in seconds, time from the one before it, its fee.
    struct Block {
        uint160 sqrtPriceX96;
        uint40 timestamp;
        uint32 elapsedSeconds;
        uint24 feePips;
    }

    /// @notice Variance of the pool's one-minute returns times 1e18, and the last reading of the oracle.
    struct Estimate {
        uint64 varianceE18;
        uint40 readAt;
        uint24 forecastFeePips;
        uint32 forecastVolatilityE9;
        bool reliable;
    }

    uint16 public immutable leastOfForecastBps;
    uint32 public immutable mostOfForecastBps;
    uint32 public immutable timeConstantSeconds;
    uint32 public immutable maxMoveE9;
    uint32 public immutable quietAfterSeconds;

    uint256 private immutable _knots;

    /// @notice The last block of each pool in which something was swapped.
    mapping(PoolId poolId => Block) public blocks;

    /// @notice What is known of each pool.
    mapping(PoolId poolId => Estimate) public estimates;

    /// @notice The forecast's fee for a pool changed. `reliable` is false if it is the fallback for want of a usable answer.
    event ForecastFeeChanged(PoolId indexed poolId, uint24 feePips, bool reliable);

    /// @dev The lowest bits of the address must be `FLAGS`: mine a CREATE2 salt.
    constructor(
        IPoolManager poolManager_,
        IRiskParameters oracle_,
        bytes32 market_,
        Limits memory limits,
        Terms memory terms
    ) ForecastFee(poolManager_, oracle_, market_, limits) {
        bool ok;
        (ok, _knots) = RealizedVolatility.pack(terms.knots);
        if (!ok) revert InvalidConfiguration("knots");
        if (terms.leastOfForecastBps > BPS) revert InvalidConfiguration("leastOfForecastBps");
        if (terms.mostOfForecastBps < BPS) revert InvalidConfiguration("mostOfForecastBps");
        _checkWithin(terms.timeConstantSeconds, 1 days, "timeConstantSeconds");
        _checkWithin(terms.maxMoveE9, 1e8, "maxMoveE9");
        _checkWithin(terms.quietAfterSeconds, 1 days, "quietAfterSeconds");
        (leastOfForecastBps, mostOfForecastBps) = (terms.leastOfForecastBps, terms.mostOfForecastBps);
        (timeConstantSeconds, maxMoveE9) = (terms.timeConstantSeconds, terms.maxMoveE9);
        quietAfterSeconds = terms.quietAfterSeconds;
    }

    /// @notice The volatilities and fees between which the fee is linear.
    function knots() external view returns (RealizedVolatility.Knot[] memory) {
        return RealizedVolatility.unpack(_knots);
    }

    /// @notice The fee in pips that a swap in the present block pays, before any protocol fee; 0 if there is no such pool.
    function currentFeePips(PoolId poolId) external view returns (uint24) {
        Block memory last = blocks[poolId];
        if (last.timestamp == 0 || last.timestamp == block.timestamp) return last.feePips;
        (Block memory next,) = _advance(poolId, last);
        return next.feePips;
    }

    /// @notice Begins at the forecast. Only the pool manager; a pool with a static fee is refused.
    function afterInitialize(address, PoolKey calldata key, uint160 sqrtPriceX96, int24)
        external
        onlyPoolManager
        returns (bytes4)
    {
        PoolId poolId = key.toId();
        (uint24 feePips, bool reliable, uint32 volatilityE9) = _read(0);
        blocks[poolId] = Block(sqrtPriceX96, uint40(block.timestamp), type(uint32).max, feePips);
        estimates[poolId] =
            Estimate(RealizedVolatility.square(volatilityE9), uint40(block.timestamp), feePips, volatilityE9, reliable);
        emit ForecastFeeChanged(poolId, feePips, reliable);
        // For who reads the pool alone; a static pool has no such fee, and the manager says so.
        poolManager.updateDynamicLPFee(key, feePips);
        return IHooks.afterInitialize.selector;
    }

    /// @notice Takes in what the blocks before left, once a block. Only the pool manager.
    /// @return The selector, no delta, and the block's fee as an override.
    function beforeSwap(address, PoolKey calldata key, SwapParams calldata, bytes calldata)
        external
        onlyPoolManager
        returns (bytes4, BeforeSwapDelta, uint24)
    {
        PoolId poolId = key.toId();
        Block memory now_ = blocks[poolId];
        if (now_.timestamp != block.timestamp) {
            Estimate memory estimate;
            (now_, estimate) = _advance(poolId, now_);
            Estimate memory before = estimates[poolId];
            (blocks[poolId], estimates[poolId]) = (now_, estimate);
            if (before.forecastFeePips != estimate.forecastFeePips || before.reliable != estimate.reliable) {
                emit ForecastFeeChanged(poolId, estimate.forecastFeePips, estimate.reliable);
            }
        }
        return
            (
                IHooks.beforeSwap.selector,
                BeforeSwapDeltaLibrary.ZERO_DELTA,
                now_.feePips | LPFeeLibrary.OVERRIDE_FEE_FLAG
            );
    }

    /// @dev What the first swap of this block finds.
    function _advance(PoolId poolId, Block memory last)
        private
        view
        returns (Block memory next, Estimate memory estimate)
    {
        estimate = estimates[poolId];
        if (block.timestamp - estimate.readAt >= refreshAfterSeconds) {
            (estimate.forecastFeePips, estimate.reliable, estimate.forecastVolatilityE9) =
                _read(estimate.forecastFeePips);
            estimate.readAt = uint40(block.timestamp);
        }
        uint256 silenceSeconds = block.timestamp - last.timestamp;
        (uint160 sqrtPriceX96,,,) = poolManager.getSlot0(poolId);
        // The last block's swaps made up for the time before that block, not for the time since.
        bool known = last.elapsedSeconds <= quietAfterSeconds && silenceSeconds <= quietAfterSeconds;
        if (known) {
            uint256 moveE9 = RealizedVolatility.moveE9(last.sqrtPriceX96, sqrtPriceX96, maxMoveE9);
            estimate.varianceE18 =
                RealizedVolatility.fold(estimate.varianceE18, moveE9, last.elapsedSeconds, timeConstantSeconds);
        } else if (estimate.reliable) {
            estimate.varianceE18 = RealizedVolatility.square(estimate.forecastVolatilityE9);
        }
        next = Block({
            sqrtPriceX96: sqrtPriceX96,
            timestamp: uint40(block.timestamp),
            elapsedSeconds: uint32(FixedPointMathLib.min(silenceSeconds, type(uint32).max)),
            feePips: known && estimate.reliable ? _fee(estimate) : estimate.forecastFeePips
        });
    }

    /// @dev By the pool's own volatility, within the multiples of the forecast's fee and the limits.
    function _fee(Estimate memory estimate) private view returns (uint24) {
        uint256 forecastPips = estimate.forecastFeePips;
        uint256 ownPips = FixedPointMathLib.clamp(
            RealizedVolatility.fee(_knots, estimate.varianceE18),
            forecastPips * leastOfForecastBps / BPS,
            forecastPips * mostOfForecastBps / BPS
        );
        return uint24(FixedPointMathLib.clamp(ownPips, minFeePips, maxFeePips));
    }

    function _checkWithin(uint32 value, uint32 most, string memory field) private pure {
        if (value == 0 || value > most) revert InvalidConfiguration(field);
    }
}
