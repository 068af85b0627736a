// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {LibString} from "solady/utils/LibString.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {BPS, PIPS} from "./Units.sol";

/// @title PolicyLib
/// @notice Checks of policies and bounds, and the parameters that a policy has for a volatility.
library PolicyLib {
    uint256 internal constant MAX_KNOTS = 4;

    /// @notice Least distance from the first to the last knot: a bps of it is one unit of volatility.
    uint256 internal constant MIN_SPAN_E9 = 10_000;

    /// @notice Highest speed at which any market's liquidation ratio may rise: 2 % of the debt a day.
    uint256 internal constant MAX_LIQUIDATION_RISE_BPS_PER_DAY = 2_00;

    /// @notice Lowest liquidation ratio of any market: the debt, and a bonus of 5 %.
    uint256 internal constant MIN_LIQUIDATION_RATIO_BPS = 105_00;

    uint256 private constant MAX_LOOSEN_DELAY_SECONDS = 1 days;
    uint256 private constant MAX_GRACE_AFTER_BPS = 2 * BPS;
    uint256 private constant MAX_STALE_AFTER_BPS = 6 * BPS;

    /// @notice Reverts with `InvalidBounds` unless a policy can exist within the bounds.
    function check(IRegimeRiskOracle.Bounds memory bounds) internal pure {
        _bound(bounds.minLiquidationCollateralRatioBps >= MIN_LIQUIDATION_RATIO_BPS, "minLiquidationCollateralRatioBps");
        _bound(
            bounds.minBorrowCollateralRatioBps >= bounds.minLiquidationCollateralRatioBps, "minBorrowCollateralRatioBps"
        );
        _bound(bounds.maxBorrowCollateralRatioBps >= bounds.minBorrowCollateralRatioBps, "maxBorrowCollateralRatioBps");
        _bound(bounds.maxLiquidationRiseBpsPerDay <= MAX_LIQUIDATION_RISE_BPS_PER_DAY, "maxLiquidationRiseBpsPerDay");
        _bound(bounds.maxAmmFeePips <= PIPS, "maxAmmFeePips");
        _bound(bounds.minAmmFeePips <= bounds.maxAmmFeePips, "minAmmFeePips");
        _bound(bounds.minBorrowCapFactorBps <= BPS, "minBorrowCapFactorBps");
    }

    /// @notice Reverts with `InvalidPolicy` unless the policy is consistent and within the market's bounds.
    /// @dev Each knot is at least as tight as the one before, the first as the bounds' loose side. Parameters are mixtures of
    /// knots, hence within the bounds as well.
    function check(IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds) internal pure {
        uint256 count = policy.knots.length;
        _require(count >= 2 && count <= MAX_KNOTS, "knots");
        uint256 previousE9 = 0;
        IRiskParameters.RiskVector memory previous = IRiskParameters.RiskVector({
            borrowCollateralRatioBps: bounds.minBorrowCollateralRatioBps,
            liquidationCollateralRatioBps: bounds.minLiquidationCollateralRatioBps,
            ammFeePips: bounds.minAmmFeePips,
            borrowCapFactorBps: uint16(BPS)
        });
        for (uint256 i = 0; i < count; ++i) {
            IRegimeRiskOracle.Knot memory knot = policy.knots[i];
            _require(knot.volatilityE9 > previousE9, "volatilityE9");
            _checkOrder(previous, knot.vector);
            (previousE9, previous) = (knot.volatilityE9, knot.vector);
        }
        _require(previous.borrowCollateralRatioBps <= bounds.maxBorrowCollateralRatioBps, "borrowCollateralRatioBps");
        _require(previous.ammFeePips <= bounds.maxAmmFeePips, "ammFeePips");
        _require(previous.borrowCapFactorBps >= bounds.minBorrowCapFactorBps, "borrowCapFactorBps");
        (uint256 lowest, uint256 highest) = span(policy);
        _require(highest - lowest >= MIN_SPAN_E9, "volatilityE9");
        _require(policy.marginBps <= BPS, "marginBps");
        _require(policy.dwellPeriods != 0, "dwellPeriods");
        _require(policy.maxRiseBpsPerPeriod != 0 && policy.maxRiseBpsPerPeriod <= BPS, "maxRiseBpsPerPeriod");
        _require(policy.maxFallBpsPerPeriod != 0 && policy.maxFallBpsPerPeriod <= BPS, "maxFallBpsPerPeriod");
        _require(policy.loosenDelaySeconds <= MAX_LOOSEN_DELAY_SECONDS, "loosenDelaySeconds");
        _require(
            policy.liquidationRiseBpsPerDay <= bounds.maxLiquidationRiseBpsPerDay
                && (policy.liquidationRiseBpsPerDay != 0
                    || previous.liquidationCollateralRatioBps == policy.knots[0].vector.liquidationCollateralRatioBps),
            "liquidationRiseBpsPerDay"
        );
        _require(policy.graceAfterBps >= BPS && policy.graceAfterBps <= MAX_GRACE_AFTER_BPS, "graceAfterBps");
        _require(
            policy.staleAfterBps >= policy.graceAfterBps && policy.staleAfterBps <= MAX_STALE_AFTER_BPS, "staleAfterBps"
        );
    }

    /// @notice The policy that a data contract holds, as `abi.encode` has written it; without knots for no contract.
    /// @dev Read in place, because every update pays for it: memory holds a policy's words in the order of the encoding, and
    /// only what are offsets there are pointers here.
    function read(address data) internal view returns (IRegimeRiskOracle.Policy memory policy) {
        if (data == address(0)) return policy;
        bytes memory encoded = SSTORE2.read(data);
        assembly ("memory-safe") {
            policy := add(encoded, 0x40) // behind the length and the offset of all
            let source := add(policy, mload(policy))
            let count := mload(source)
            let knots := mload(0x40)
            let knot := add(knots, shl(5, add(count, 1)))
            mstore(0x40, add(knot, shl(6, count)))
            mstore(policy, knots)
            mstore(knots, count)
            for {} count { count := sub(count, 1) } {
                knots := add(knots, 0x20)
                mstore(knots, knot)
                mstore(knot, mload(add(source, 0x20))) // the volatility; its vector stays where it is
                mstore(add(knot, 0x20), add(source, 0x40))
                knot := add(knot, 0x40)
                source := add(source, 0xa0)
            }
        }
    }

    /// @notice The lowest and the highest volatility that a policy tells from others.
    function span(IRegimeRiskOracle.Policy memory policy) internal pure returns (uint256 lowest, uint256 highest) {
        return (policy.knots[0].volatilityE9, policy.knots[policy.knots.length - 1].volatilityE9);
    }

    /// @notice The vector of the last knot, which is also the fallback.
    function tightest(IRegimeRiskOracle.Policy memory policy)
        internal
        pure
        returns (IRiskParameters.RiskVector memory)
    {
        return policy.knots[policy.knots.length - 1].vector;
    }

    /// @notice The parameters at a volatility. Borrow side and fee are rounded to the tighter side, the liquidation ratio
    /// down, so that it never passes the borrow ratio.
    /// @dev Of a checked policy, whose knots rise and tighten: then nothing here can overflow.
    function vectorAt(IRegimeRiskOracle.Policy memory policy, uint256 volatilityE9)
        internal
        pure
        returns (IRiskParameters.RiskVector memory vector)
    {
        unchecked {
            uint256 count = policy.knots.length;
            IRegimeRiskOracle.Knot memory lower;
            IRegimeRiskOracle.Knot memory upper = policy.knots[0];
            if (volatilityE9 <= upper.volatilityE9) return upper.vector;
            for (uint256 i = 1; i < count && upper.volatilityE9 < volatilityE9; ++i) {
                (lower, upper) = (upper, policy.knots[i]);
            }
            if (volatilityE9 >= upper.volatilityE9) return upper.vector;
            (IRiskParameters.RiskVector memory a, IRiskParameters.RiskVector memory b) = (lower.vector, upper.vector);
            uint256 width = upper.volatilityE9 - lower.volatilityE9;
            uint256 left = upper.volatilityE9 - volatilityE9;
            // From the tighter end down, so that rounding a difference down stays on the tighter side.
            vector.borrowCollateralRatioBps = b.borrowCollateralRatioBps
                - uint16((b.borrowCollateralRatioBps - a.borrowCollateralRatioBps) * left / width);
            vector.ammFeePips = b.ammFeePips - uint24((b.ammFeePips - a.ammFeePips) * left / width);
            vector.borrowCapFactorBps =
                b.borrowCapFactorBps + uint16((a.borrowCapFactorBps - b.borrowCapFactorBps) * left / width);
            vector.liquidationCollateralRatioBps = a.liquidationCollateralRatioBps
                + uint16((b.liquidationCollateralRatioBps - a.liquidationCollateralRatioBps) * (width - left) / width);
        }
    }

    function _checkOrder(IRiskParameters.RiskVector memory a, IRiskParameters.RiskVector memory b) private pure {
        _require(
            b.borrowCollateralRatioBps >= a.borrowCollateralRatioBps
                && b.borrowCollateralRatioBps >= b.liquidationCollateralRatioBps,
            "borrowCollateralRatioBps"
        );
        _require(b.liquidationCollateralRatioBps >= a.liquidationCollateralRatioBps, "liquidationCollateralRatioBps");
        _require(b.ammFeePips >= a.ammFeePips, "ammFeePips");
        _require(b.borrowCapFactorBps <= a.borrowCapFactorBps, "borrowCapFactorBps");
    }

    function _bound(bool holds, bytes32 field) private pure {
        if (!holds) revert IRegimeRiskOracle.InvalidBounds(LibString.fromSmallString(field));
    }

    function _require(bool holds, bytes32 field) private pure {
        if (!holds) revert IRegimeRiskOracle.InvalidPolicy(LibString.fromSmallString(field));
    }
}
