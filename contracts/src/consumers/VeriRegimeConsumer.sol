// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";
import {SequencerLib} from "../libraries/SequencerLib.sol";
import {BPS, PIPS} from "../libraries/Units.sol";

/// @title VeriRegimeConsumer
/// @notice Reads a risk oracle from where a revert would do harm: swaps, repayments, liquidations.
/// @dev Nothing that an oracle does makes a read revert: it gets a fixed amount of gas, the copy of its answer is bounded, and
/// the answer is checked before it is decoded. Keep cautious values of your own, and take the tighter of both:
///
///     (IRiskParameters.RiskVector memory terms,) = oracle.termsOr(market, cautious, 6 hours);
///     uint256 ltvBps = VeriRegimeConsumer.toLtvBps(terms.borrowCollateralRatioBps);
library VeriRegimeConsumer {
    /// @notice Gas that the oracle gets. One with a sequencer feed behind a proxy takes less than half of it.
    uint256 internal constant READ_GAS = 100_000;

    /// @dev What `params` answers: the nine words of `Params`, then the status.
    uint16 private constant PARAMS_BYTES = 10 * 32;

    /// @notice A market's parameters and their status. Reverts with `BoundedCall.NotEnoughGas` alone.
    /// @dev While `status` is `Stale` or `Withheld` the values are the oracle's own, tightened fallback: good for limits on new
    /// risk, not for anything that needs a forecast. Before the first update they are that too.
    /// @return ok Whether there is an answer and every value of it is possible. If not, the rest is zero.
    function tryParams(IRiskParameters oracle, bytes32 market)
        internal
        view
        returns (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status)
    {
        bytes memory answer;
        (ok, answer) =
            BoundedCall.ask(address(oracle), READ_GAS, PARAMS_BYTES, abi.encodeCall(IRiskParameters.params, (market)));
        if (!ok || !_isPlausible(abi.decode(answer, (uint256[10])))) return (false, current, status);
        (current, status) = abi.decode(answer, (IRiskParameters.Params, IRiskParameters.Status));
    }

    /// @notice A market's parameters, if a forecast that is young enough stands behind them. Reverts with
    /// `BoundedCall.NotEnoughGas` alone.
    /// @param maxAgeSeconds Counted from the start of the forecast's period. One period plus what proving and inclusion take is
    /// the least sensible; below that there are gaps in every period.
    /// @return ok Whether the parameters are `Fresh` or `Grace`, and no older. If not, `current` is zero.
    function tryParamsNoOlderThan(IRiskParameters oracle, bytes32 market, uint256 maxAgeSeconds)
        internal
        view
        returns (bool ok, IRiskParameters.Params memory current)
    {
        IRiskParameters.Params memory read;
        IRiskParameters.Status status;
        (ok, read, status) = tryParams(oracle, market);
        ok = ok && isReliable(status) && block.timestamp - read.periodStart <= maxAgeSeconds;
        if (ok) current = read;
    }

    /// @notice A market's parameters; where no young forecast stands behind them, the tighter of the oracle's and the caller's
    /// own, field by field. Reverts with `BoundedCall.NotEnoughGas` alone.
    /// @param cautious The caller's own. Its liquidation ratio counts only while the oracle cannot be read at all: make it the
    /// one that was read last, so that it neither falls, at the lenders' cost, nor rises, at the borrowers'.
    /// @return terms What new risk must meet.
    /// @return ok Whether a young forecast stands behind them.
    function termsOr(
        IRiskParameters oracle,
        bytes32 market,
        IRiskParameters.RiskVector memory cautious,
        uint256 maxAgeSeconds
    ) internal view returns (IRiskParameters.RiskVector memory terms, bool ok) {
        (bool readable, IRiskParameters.Params memory read, IRiskParameters.Status status) = tryParams(oracle, market);
        if (!readable) return (cautious, false);
        terms.borrowCollateralRatioBps = read.borrowCollateralRatioBps;
        terms.liquidationCollateralRatioBps = read.liquidationCollateralRatioBps;
        terms.ammFeePips = read.ammFeePips;
        terms.borrowCapFactorBps = read.borrowCapFactorBps;
        if (isReliable(status) && block.timestamp - read.periodStart <= maxAgeSeconds) return (terms, true);
        if (cautious.borrowCollateralRatioBps > terms.borrowCollateralRatioBps) {
            terms.borrowCollateralRatioBps = cautious.borrowCollateralRatioBps;
        }
        if (cautious.ammFeePips > terms.ammFeePips) terms.ammFeePips = cautious.ammFeePips;
        if (cautious.borrowCapFactorBps < terms.borrowCapFactorBps) {
            terms.borrowCapFactorBps = cautious.borrowCapFactorBps;
        }
    }

    /// @notice Whether a forecast, and not a fallback, stands behind parameters of this status.
    function isReliable(IRiskParameters.Status status) internal pure returns (bool) {
        return status == IRiskParameters.Status.Fresh || status == IRiskParameters.Status.Grace;
    }

    /// @notice Whether the chain's sequencer is up, and has been for `graceSeconds`. Reverts with `BoundedCall.NotEnoughGas`
    /// alone.
    /// @dev For chains whose users may be unable to act while the sequencer is down: let nothing be borrowed or liquidated
    /// before they could. The oracle's own feed makes parameters `Withheld`; this one is for the consumer's other prices.
    /// @param feed Chainlink's sequencer uptime feed. One that gives no usable answer counts as down.
    function sequencerIsUp(IAggregatorV3 feed, uint256 graceSeconds) internal view returns (bool) {
        return SequencerLib.isUp(address(feed), graceSeconds);
    }

    /// @notice Loan-to-value in bps up to which may be borrowed, rounded down: never more than the ratio allows.
    /// @param borrowCollateralRatioBps In bps of the debt.
    /// @return 0 for a ratio of zero, so that a forgotten check lends nothing.
    function toLtvBps(uint256 borrowCollateralRatioBps) internal pure returns (uint256) {
        return FixedPointMathLib.rawDiv(BPS * BPS, borrowCollateralRatioBps);
    }

    /// @notice Loan-to-value in bps above which may be liquidated, rounded up: never a position that meets the ratio.
    /// @param liquidationCollateralRatioBps In bps of the debt; below 100 % it counts as that.
    /// @return 100 % for a ratio of zero, so that a forgotten check liquidates no solvent position.
    function toThresholdBps(uint256 liquidationCollateralRatioBps) internal pure returns (uint256) {
        return FixedPointMathLib.divUp(BPS * BPS, FixedPointMathLib.max(liquidationCollateralRatioBps, BPS));
    }

    /// @dev Every word within its type and its meaning, so that decoding cannot revert, no ratio is zero, and nothing comes
    /// from the future.
    function _isPlausible(uint256[10] memory words) private view returns (bool) {
        (uint256 borrowRatioBps, uint256 liquidationRatioBps) = (words[2], words[3]);
        return words[0] <= block.timestamp && words[1] <= block.timestamp && borrowRatioBps <= type(uint16).max
            && liquidationRatioBps > BPS && liquidationRatioBps <= borrowRatioBps && words[4] <= PIPS && words[5] <= BPS
            && words[6] <= BPS && words[7] <= type(uint32).max && words[8] <= type(uint32).max
            && words[9] <= uint256(type(IRiskParameters.Status).max);
    }
}
