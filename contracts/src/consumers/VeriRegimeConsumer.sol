// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibCall} from "solady/utils/LibCall.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";

/// @title VeriRegimeConsumer
/// @notice Reads a risk oracle from where a revert would do harm: swaps, repayments, liquidations.
/// @dev Nothing that an oracle does makes a read revert: it gets a fixed amount of gas, the copy of its answer is bounded, and
/// the answer is checked before it is decoded. Keep a fallback of your own for `ok == false`; it must only tighten:
///
///     (bool ok, IRiskParameters.Params memory current) = oracle.tryParamsNoOlderThan(market, 6 hours);
///     uint256 ltvBps = ok ? FixedPointMathLib.min(current.borrowLtvBps(), MAX_LTV_BPS) : FALLBACK_LTV_BPS;
library VeriRegimeConsumer {
    /// @notice Gas that the oracle gets. One with a sequencer feed behind a proxy takes about a third of it.
    uint256 internal constant READ_GAS = 100_000;

    /// @dev `READ_GAS`, the 1/64 that a caller keeps, the cost of the call itself, and something to spare.
    uint256 private constant GAS_BEFORE_READ = 108_000;

    uint256 private constant BPS = 10_000;
    uint256 private constant PIPS = 1_000_000;
    uint256 private constant PERIOD_SECONDS = 14_400;

    /// @dev What `params` answers: the ten words of `Params`, then the status.
    uint16 private constant PARAMS_BYTES = 11 * 32;

    /// @dev What `latestRoundData` answers.
    uint16 private constant ROUND_BYTES = 5 * 32;

    /// @notice Thrown when the caller's gas does not cover the oracle's share. Without this the caller, or a wallet that
    /// searches for the lowest gas at which a call passes, could starve the read and so choose the fallback.
    error NotEnoughGas();

    /// @notice A market's parameters and their status. Reverts with `NotEnoughGas` alone.
    /// @dev While `status` is `Stale` or `Withheld` the values are the oracle's own, tightened fallback: good for limits on new
    /// risk, not for anything that needs a forecast. Before the first update they are that too.
    /// @return ok Whether there is an answer and every value of it is possible. If not, the rest is zero.
    function tryParams(IRiskParameters oracle, bytes32 market)
        internal
        view
        returns (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status)
    {
        bytes memory answer;
        (ok, answer) = _read(address(oracle), PARAMS_BYTES, abi.encodeCall(IRiskParameters.params, (market)));
        if (!ok || !_isPlausible(abi.decode(answer, (uint256[11])))) return (false, current, status);
        (current, status) = abi.decode(answer, (IRiskParameters.Params, IRiskParameters.Status));
    }

    /// @notice A market's parameters, if a forecast that is young enough stands behind them. Reverts with `NotEnoughGas` alone.
    /// @param maxAgeSeconds Counted from the start of the forecast's period. One period (14,400) plus what proving and
    /// inclusion take is the least sensible; below that there are gaps in every period.
    /// @return ok Whether the parameters are `Fresh` or `Grace`, and no older. If not, `current` is zero.
    function tryParamsNoOlderThan(IRiskParameters oracle, bytes32 market, uint256 maxAgeSeconds)
        internal
        view
        returns (bool ok, IRiskParameters.Params memory current)
    {
        IRiskParameters.Params memory read;
        IRiskParameters.Status status;
        (ok, read, status) = tryParams(oracle, market);
        ok = ok && isReliable(status) && block.timestamp - read.period * PERIOD_SECONDS <= maxAgeSeconds;
        if (ok) current = read;
    }

    /// @notice Whether a forecast, and not a fallback, stands behind parameters of this status.
    function isReliable(IRiskParameters.Status status) internal pure returns (bool) {
        return status == IRiskParameters.Status.Fresh || status == IRiskParameters.Status.Grace;
    }

    /// @notice Whether the chain's sequencer is up, and has been for `graceSeconds`. Reverts with `NotEnoughGas` alone.
    /// @dev For chains whose users may be unable to act while the sequencer is down: let nothing be borrowed or liquidated
    /// before they could. The oracle's own feed makes parameters `Withheld`; this one is for the consumer's other prices.
    /// @param feed Chainlink's sequencer uptime feed. One that gives no usable answer counts as down.
    function sequencerIsUp(IAggregatorV3 feed, uint256 graceSeconds) internal view returns (bool) {
        (bool ok, bytes memory answer) =
            _read(address(feed), ROUND_BYTES, abi.encodeCall(IAggregatorV3.latestRoundData, ()));
        if (!ok) return false;
        (, uint256 down, uint256 startedAt,,) = abi.decode(answer, (uint256, uint256, uint256, uint256, uint256));
        // A start of zero is a round that has not begun.
        if (down != 0 || startedAt == 0 || startedAt > block.timestamp) return false;
        return block.timestamp - startedAt >= graceSeconds;
    }

    /// @notice Loan-to-value in bps up to which may be borrowed, rounded down: never more than the ratio allows.
    /// @return ltvBps 0 for parameters that are zero, so that a forgotten check lends nothing.
    function borrowLtvBps(IRiskParameters.Params memory current) internal pure returns (uint256 ltvBps) {
        return toLtvBps(current.borrowCollateralRatioBps);
    }

    /// @notice Loan-to-value in bps above which may be liquidated, rounded up: never a position that meets the ratio.
    /// @return thresholdBps 100 % for parameters that are zero, so that a forgotten check liquidates no solvent position.
    function liquidationThresholdBps(IRiskParameters.Params memory current)
        internal
        pure
        returns (uint256 thresholdBps)
    {
        return toThresholdBps(current.liquidationCollateralRatioBps);
    }

    /// @notice See `borrowLtvBps`. The ratio in bps of the debt.
    function toLtvBps(uint256 borrowCollateralRatioBps) internal pure returns (uint256) {
        return FixedPointMathLib.rawDiv(BPS * BPS, borrowCollateralRatioBps);
    }

    /// @notice See `liquidationThresholdBps`. The ratio in bps of the debt; below 100 % it counts as that.
    function toThresholdBps(uint256 liquidationCollateralRatioBps) internal pure returns (uint256) {
        return FixedPointMathLib.divUp(BPS * BPS, FixedPointMathLib.max(liquidationCollateralRatioBps, BPS));
    }

    /// @return ok Whether the call succeeded with an answer of exactly `size` bytes.
    function _read(address target, uint16 size, bytes memory question)
        private
        view
        returns (bool ok, bytes memory answer)
    {
        if (gasleft() < GAS_BEFORE_READ) revert NotEnoughGas();
        bool longer;
        (ok, longer, answer) = LibCall.tryStaticCall(target, READ_GAS, size, question);
        ok = ok && !longer && answer.length == size;
    }

    /// @dev Every word within its type and its meaning, so that decoding cannot revert, no ratio is zero, and nothing comes
    /// from the future.
    function _isPlausible(uint256[11] memory words) private view returns (bool) {
        (uint256 borrowRatioBps, uint256 liquidationRatioBps) = (words[2], words[3]);
        return words[0] <= block.timestamp / PERIOD_SECONDS && words[1] <= block.timestamp
            && borrowRatioBps <= type(uint16).max && liquidationRatioBps > BPS && liquidationRatioBps <= borrowRatioBps
            && words[4] <= PIPS && words[5] <= BPS && words[6] <= BPS && words[7] <= BPS && words[8] <= type(uint64).max
            && words[9] <= 1 && words[10] <= uint256(type(IRiskParameters.Status).max);
    }
}
