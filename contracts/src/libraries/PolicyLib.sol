// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {Grid} from "./Grid.sol";

/// @title PolicyLib
/// @notice Validation, interpolation and one-word storage of policies and bounds.
library PolicyLib {
    uint256 private constant BPS = 10_000;
    uint256 private constant PIPS = 1_000_000;

    /// @notice A policy in one storage word (216 bits). `graceAfterSeconds` is zero exactly if there is none.
    struct PackedPolicy {
        uint24 calmBorrowCollateralRatioBps;
        uint24 calmAmmFeePips;
        uint16 calmBorrowCapFactorBps;
        uint24 turbulentBorrowCollateralRatioBps;
        uint24 turbulentAmmFeePips;
        uint16 turbulentBorrowCapFactorBps;
        uint24 liquidationCollateralRatioBps;
        uint32 graceAfterSeconds;
        uint32 staleAfterSeconds;
    }

    /// @notice A market's owner and bounds in one storage word (256 bits). `owner` is zero exactly if there is none.
    struct PackedMarket {
        address owner;
        uint24 minBorrowCollateralRatioBps;
        uint24 maxBorrowCollateralRatioBps;
        uint24 minAmmFeePips;
        uint24 maxAmmFeePips;
    }

    /// @notice Reverts with `InvalidBounds` unless a policy can exist within the bounds.
    function check(IRegimeRiskOracle.Bounds calldata bounds) internal pure {
        if (bounds.minBorrowCollateralRatioBps <= BPS) {
            revert IRegimeRiskOracle.InvalidBounds("minBorrowCollateralRatioBps");
        }
        if (bounds.maxBorrowCollateralRatioBps < bounds.minBorrowCollateralRatioBps) {
            revert IRegimeRiskOracle.InvalidBounds("maxBorrowCollateralRatioBps");
        }
        if (bounds.maxAmmFeePips > PIPS) revert IRegimeRiskOracle.InvalidBounds("maxAmmFeePips");
        if (bounds.minAmmFeePips > bounds.maxAmmFeePips) revert IRegimeRiskOracle.InvalidBounds("minAmmFeePips");
    }

    /// @notice Reverts with `InvalidPolicy` unless the policy is consistent and within the market's bounds.
    /// @dev The turbulent vector is the tighter one in each field, so the calm one needs only the other half of each check.
    function check(IRegimeRiskOracle.Policy calldata policy, PackedMarket memory market) internal pure {
        IRegimeRiskOracle.RiskVector calldata calm = policy.calm;
        IRegimeRiskOracle.RiskVector calldata turbulent = policy.turbulent;
        if (turbulent.borrowCollateralRatioBps < calm.borrowCollateralRatioBps) {
            revert IRegimeRiskOracle.InvalidPolicy("turbulent.borrowCollateralRatioBps");
        }
        if (turbulent.ammFeePips < calm.ammFeePips) revert IRegimeRiskOracle.InvalidPolicy("turbulent.ammFeePips");
        if (turbulent.borrowCapFactorBps > calm.borrowCapFactorBps) {
            revert IRegimeRiskOracle.InvalidPolicy("turbulent.borrowCapFactorBps");
        }
        if (
            calm.borrowCollateralRatioBps < market.minBorrowCollateralRatioBps
                || turbulent.borrowCollateralRatioBps > market.maxBorrowCollateralRatioBps
        ) revert IRegimeRiskOracle.InvalidPolicy("borrowCollateralRatioBps");
        if (calm.ammFeePips < market.minAmmFeePips || turbulent.ammFeePips > market.maxAmmFeePips) {
            revert IRegimeRiskOracle.InvalidPolicy("ammFeePips");
        }
        if (calm.borrowCapFactorBps > BPS) revert IRegimeRiskOracle.InvalidPolicy("calm.borrowCapFactorBps");
        if (
            policy.liquidationCollateralRatioBps <= BPS
                || policy.liquidationCollateralRatioBps > calm.borrowCollateralRatioBps
        ) revert IRegimeRiskOracle.InvalidPolicy("liquidationCollateralRatioBps");
        if (policy.graceAfterSeconds < Grid.PERIOD_SECONDS) {
            revert IRegimeRiskOracle.InvalidPolicy("graceAfterSeconds");
        }
        if (policy.staleAfterSeconds < policy.graceAfterSeconds) {
            revert IRegimeRiskOracle.InvalidPolicy("staleAfterSeconds");
        }
    }

    /// @notice The parameters at a probability, each linear between calm (0) and turbulent (10_000 bps) and rounded to
    /// the tighter side.
    function interpolate(PackedPolicy memory policy, uint256 probabilityBps)
        internal
        pure
        returns (IRegimeRiskOracle.RiskVector memory vector)
    {
        vector.borrowCollateralRatioBps = uint24(
            _riseUp(policy.calmBorrowCollateralRatioBps, policy.turbulentBorrowCollateralRatioBps, probabilityBps)
        );
        vector.ammFeePips = uint24(_riseUp(policy.calmAmmFeePips, policy.turbulentAmmFeePips, probabilityBps));
        vector.borrowCapFactorBps =
            uint16(_fallDown(policy.calmBorrowCapFactorBps, policy.turbulentBorrowCapFactorBps, probabilityBps));
    }

    /// @notice Tightens parameters in place to at least the turbulent vector. The liquidation ratio stays.
    function tighten(IRegimeRiskOracle.Params memory params, PackedPolicy memory policy) internal pure {
        params.borrowCollateralRatioBps =
            uint24(FixedPointMathLib.max(params.borrowCollateralRatioBps, policy.turbulentBorrowCollateralRatioBps));
        params.ammFeePips = uint24(FixedPointMathLib.max(params.ammFeePips, policy.turbulentAmmFeePips));
        params.borrowCapFactorBps =
            uint16(FixedPointMathLib.min(params.borrowCapFactorBps, policy.turbulentBorrowCapFactorBps));
    }

    /// @notice A policy as it is stored.
    function pack(IRegimeRiskOracle.Policy calldata policy) internal pure returns (PackedPolicy memory) {
        return PackedPolicy({
            calmBorrowCollateralRatioBps: policy.calm.borrowCollateralRatioBps,
            calmAmmFeePips: policy.calm.ammFeePips,
            calmBorrowCapFactorBps: policy.calm.borrowCapFactorBps,
            turbulentBorrowCollateralRatioBps: policy.turbulent.borrowCollateralRatioBps,
            turbulentAmmFeePips: policy.turbulent.ammFeePips,
            turbulentBorrowCapFactorBps: policy.turbulent.borrowCapFactorBps,
            liquidationCollateralRatioBps: policy.liquidationCollateralRatioBps,
            graceAfterSeconds: policy.graceAfterSeconds,
            staleAfterSeconds: policy.staleAfterSeconds
        });
    }

    /// @notice A stored policy as its owner gave it.
    function unpack(PackedPolicy memory packed) internal pure returns (IRegimeRiskOracle.Policy memory) {
        return IRegimeRiskOracle.Policy({
            calm: IRegimeRiskOracle.RiskVector({
                borrowCollateralRatioBps: packed.calmBorrowCollateralRatioBps,
                ammFeePips: packed.calmAmmFeePips,
                borrowCapFactorBps: packed.calmBorrowCapFactorBps
            }),
            turbulent: IRegimeRiskOracle.RiskVector({
                borrowCollateralRatioBps: packed.turbulentBorrowCollateralRatioBps,
                ammFeePips: packed.turbulentAmmFeePips,
                borrowCapFactorBps: packed.turbulentBorrowCapFactorBps
            }),
            liquidationCollateralRatioBps: packed.liquidationCollateralRatioBps,
            graceAfterSeconds: packed.graceAfterSeconds,
            staleAfterSeconds: packed.staleAfterSeconds
        });
    }

    function _riseUp(uint256 low, uint256 high, uint256 shareBps) private pure returns (uint256) {
        return low + FixedPointMathLib.divUp((high - low) * shareBps, BPS);
    }

    function _fallDown(uint256 high, uint256 low, uint256 shareBps) private pure returns (uint256) {
        return high - FixedPointMathLib.divUp((high - low) * shareBps, BPS);
    }
}
