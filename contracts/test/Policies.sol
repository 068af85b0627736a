// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";

/// @notice Policies and bounds for tests: one that uses every rule, and any that the contract must accept.
library Policies {
    function bounds() internal pure returns (IRegimeRiskOracle.Bounds memory) {
        return IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: 120_00,
            maxBorrowCollateralRatioBps: 300_00,
            minAmmFeePips: 100,
            maxAmmFeePips: 20_000,
            maxLiquidationRiseBpsPerDay: 5_00
        });
    }

    /// @notice Margin, dwell, limits to both sides, a delay, and a liquidation ratio that moves.
    function ramped() internal pure returns (IRegimeRiskOracle.Policy memory) {
        return IRegimeRiskOracle.Policy({
            calm: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: 150_00,
                liquidationCollateralRatioBps: 130_00,
                ammFeePips: 500,
                borrowCapFactorBps: 100_00
            }),
            turbulent: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: 200_00,
                liquidationCollateralRatioBps: 140_00,
                ammFeePips: 10_000,
                borrowCapFactorBps: 40_00
            }),
            marginBps: 5_00,
            dwellPeriods: 3,
            maxRiseBpsPerPeriod: 20_00,
            maxFallBpsPerPeriod: 5_00,
            loosenDelaySeconds: 1 hours,
            liquidationRiseBpsPerDay: 2_00,
            graceAfterSeconds: 5 hours,
            staleAfterSeconds: 8 hours
        });
    }

    /// @notice Brings an arbitrary policy within the rules and the bounds.
    function valid(IRegimeRiskOracle.Policy memory p, IRegimeRiskOracle.Bounds memory b)
        internal
        pure
        returns (IRegimeRiskOracle.Policy memory)
    {
        IRiskParameters.RiskVector memory calm = p.calm;
        IRiskParameters.RiskVector memory turbulent = p.turbulent;
        calm.borrowCollateralRatioBps = uint16(
            _between(calm.borrowCollateralRatioBps, b.minBorrowCollateralRatioBps, b.maxBorrowCollateralRatioBps)
        );
        turbulent.borrowCollateralRatioBps = uint16(
            _between(turbulent.borrowCollateralRatioBps, calm.borrowCollateralRatioBps, b.maxBorrowCollateralRatioBps)
        );
        calm.liquidationCollateralRatioBps =
            uint16(_between(calm.liquidationCollateralRatioBps, 100_01, calm.borrowCollateralRatioBps));
        turbulent.liquidationCollateralRatioBps = uint16(
            _between(
                turbulent.liquidationCollateralRatioBps,
                calm.liquidationCollateralRatioBps,
                turbulent.borrowCollateralRatioBps
            )
        );
        calm.ammFeePips = uint24(_between(calm.ammFeePips, b.minAmmFeePips, b.maxAmmFeePips));
        turbulent.ammFeePips = uint24(_between(turbulent.ammFeePips, calm.ammFeePips, b.maxAmmFeePips));
        calm.borrowCapFactorBps = uint16(_between(calm.borrowCapFactorBps, 0, 100_00));
        turbulent.borrowCapFactorBps = uint16(_between(turbulent.borrowCapFactorBps, 0, calm.borrowCapFactorBps));
        p.marginBps = uint16(_between(p.marginBps, 0, 4999));
        p.dwellPeriods = uint8(_between(p.dwellPeriods, 1, 127));
        p.maxRiseBpsPerPeriod = uint16(_between(p.maxRiseBpsPerPeriod, 1, 100_00));
        p.maxFallBpsPerPeriod = uint16(_between(p.maxFallBpsPerPeriod, 1, 100_00));
        p.loosenDelaySeconds = uint16(_between(p.loosenDelaySeconds, 0, 4 hours));
        p.liquidationRiseBpsPerDay = uint16(_between(p.liquidationRiseBpsPerDay, 1, b.maxLiquidationRiseBpsPerDay));
        p.graceAfterSeconds = uint24(_between(p.graceAfterSeconds, 4 hours, type(uint24).max));
        p.staleAfterSeconds = uint24(_between(p.staleAfterSeconds, p.graceAfterSeconds, type(uint24).max));
        return p;
    }

    function _between(uint256 x, uint256 low, uint256 high) private pure returns (uint256) {
        return x < low || x > high ? low + x % (high - low + 1) : x;
    }
}
