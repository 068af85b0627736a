// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";

/// @notice Policies and bounds for tests: one without limits, one that uses every rule, and any that the contract must
/// accept.
library Policies {
    /// @notice Calm up to 0.05 % a minute, turbulent from 0.25 % on.
    uint32 internal constant CALM_E9 = 500_000;
    uint32 internal constant TURBULENT_E9 = 2_500_000;

    function bounds() internal pure returns (IRegimeRiskOracle.Bounds memory) {
        return IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: 120_00,
            maxBorrowCollateralRatioBps: 300_00,
            minLiquidationCollateralRatioBps: 110_00,
            maxLiquidationRiseBpsPerDay: 2_00,
            minAmmFeePips: 100,
            maxAmmFeePips: 20_000,
            minBorrowCapFactorBps: 10_00
        });
    }

    function vector(uint16 borrow, uint16 liquidation, uint24 fee, uint16 cap)
        internal
        pure
        returns (IRiskParameters.RiskVector memory)
    {
        return IRiskParameters.RiskVector(borrow, liquidation, fee, cap);
    }

    /// @notice Nothing is held back, and the liquidation ratio stands still.
    function plain() internal pure returns (IRegimeRiskOracle.Policy memory policy) {
        policy.knots = new IRegimeRiskOracle.Knot[](2);
        policy.knots[0] = IRegimeRiskOracle.Knot(CALM_E9, vector(150_00, 130_00, 500, 100_00));
        policy.knots[1] = IRegimeRiskOracle.Knot(TURBULENT_E9, vector(200_00, 130_00, 10_000, 40_00));
        policy.dwellPeriods = 1;
        policy.maxRiseBpsPerPeriod = 100_00;
        policy.maxFallBpsPerPeriod = 100_00;
        policy.graceAfterBps = 125_00;
        policy.staleAfterBps = 200_00;
    }

    /// @notice Three knots, margin, dwell, limits to both sides, a delay, and a liquidation ratio that moves.
    function ramped() internal pure returns (IRegimeRiskOracle.Policy memory policy) {
        policy.knots = new IRegimeRiskOracle.Knot[](3);
        policy.knots[0] = IRegimeRiskOracle.Knot(CALM_E9, vector(150_00, 130_00, 500, 100_00));
        policy.knots[1] = IRegimeRiskOracle.Knot(1_000_000, vector(160_00, 130_00, 1_000, 90_00));
        policy.knots[2] = IRegimeRiskOracle.Knot(TURBULENT_E9, vector(200_00, 140_00, 10_000, 40_00));
        policy.marginBps = 5_00;
        policy.dwellPeriods = 3;
        policy.maxRiseBpsPerPeriod = 20_00;
        policy.maxFallBpsPerPeriod = 5_00;
        policy.loosenDelaySeconds = 1 hours;
        policy.liquidationRiseBpsPerDay = 2_00;
        policy.graceAfterBps = 125_00;
        policy.staleAfterBps = 200_00;
    }

    /// @notice Brings an arbitrary policy within the rules and the bounds.
    function valid(IRegimeRiskOracle.Policy memory p, IRegimeRiskOracle.Bounds memory b)
        internal
        pure
        returns (IRegimeRiskOracle.Policy memory)
    {
        uint256 count = 2 + (p.knots.length == 0 ? 0 : p.knots[0].volatilityE9 % 3);
        IRegimeRiskOracle.Knot[] memory knots = new IRegimeRiskOracle.Knot[](count);
        IRiskParameters.RiskVector memory last =
            vector(b.minBorrowCollateralRatioBps, b.minLiquidationCollateralRatioBps, b.minAmmFeePips, 100_00);
        uint256 lastE9 = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (i < p.knots.length) knots[i] = p.knots[i];
            IRiskParameters.RiskVector memory v = knots[i].vector;
            v.borrowCollateralRatioBps = uint16(
                _between(v.borrowCollateralRatioBps, last.borrowCollateralRatioBps, b.maxBorrowCollateralRatioBps)
            );
            v.liquidationCollateralRatioBps = uint16(
                _between(
                    v.liquidationCollateralRatioBps, last.liquidationCollateralRatioBps, v.borrowCollateralRatioBps
                )
            );
            v.ammFeePips = uint24(_between(v.ammFeePips, last.ammFeePips, b.maxAmmFeePips));
            v.borrowCapFactorBps =
                uint16(_between(v.borrowCapFactorBps, b.minBorrowCapFactorBps, last.borrowCapFactorBps));
            uint256 lowest = i == 0 ? 1 : lastE9 + (i == count - 1 ? 10_000 : 1);
            knots[i].volatilityE9 = uint32(_between(knots[i].volatilityE9, lowest, type(uint32).max - 40_000 * (3 - i)));
            (last, lastE9) = (v, knots[i].volatilityE9);
        }
        p.knots = knots;
        p.marginBps = uint16(_between(p.marginBps, 0, 100_00));
        p.dwellPeriods = uint8(_between(p.dwellPeriods, 1, 255));
        p.maxRiseBpsPerPeriod = uint16(_between(p.maxRiseBpsPerPeriod, 1, 100_00));
        p.maxFallBpsPerPeriod = uint16(_between(p.maxFallBpsPerPeriod, 1, 100_00));
        p.loosenDelaySeconds = uint24(_between(p.loosenDelaySeconds, 0, 1 days));
        p.liquidationRiseBpsPerDay = uint16(_between(p.liquidationRiseBpsPerDay, 1, b.maxLiquidationRiseBpsPerDay));
        p.graceAfterBps = uint16(_between(p.graceAfterBps, 100_00, 200_00));
        p.staleAfterBps = uint16(_between(p.staleAfterBps, p.graceAfterBps, 600_00));
        return p;
    }

    function _between(uint256 x, uint256 low, uint256 high) private pure returns (uint256) {
        return x < low || x > high ? low + x % (high - low + 1) : x;
    }
}
