// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {Grid} from "./Grid.sol";

/// @title PolicyLib
/// @notice Checks of policies and bounds, and the words in which a market is stored.
library PolicyLib {
    uint256 internal constant BPS = 10_000;
    uint256 private constant PIPS = 1_000_000;
    uint256 private constant MAX_DWELL_PERIODS = 127;

    /// @notice A market's owner and bounds in one storage word (256 bits). `owner` is zero exactly if there is none.
    struct PackedMarket {
        address owner;
        uint16 minBorrowCollateralRatioBps;
        uint16 maxBorrowCollateralRatioBps;
        uint24 minAmmFeePips;
        uint24 maxAmmFeePips;
        uint16 maxLiquidationRiseBpsPerDay;
    }

    /// @notice What a reader needs beside the parameters themselves, in one storage word (256 bits): the fallback, the
    /// ages, the ramp of the liquidation ratio, and what the guardian withholds. `graceAfterSeconds` is zero exactly if the
    /// market has no policy.
    struct PackedGuard {
        uint16 turbulentBorrowCollateralRatioBps;
        uint24 turbulentAmmFeePips;
        uint16 turbulentBorrowCapFactorBps;
        uint24 graceAfterSeconds;
        uint24 staleAfterSeconds;
        uint16 rampStartBps;
        uint16 rampTargetBps;
        uint16 rampBpsPerDay;
        uint32 rampStartedAt;
        uint40 pausedUntil;
        uint32 disabledPeriod;
    }

    /// @notice What only an update needs, in one storage word (168 bits).
    struct PackedRules {
        uint16 calmBorrowCollateralRatioBps;
        uint16 calmLiquidationCollateralRatioBps;
        uint24 calmAmmFeePips;
        uint16 calmBorrowCapFactorBps;
        uint16 turbulentLiquidationCollateralRatioBps;
        uint16 marginBps;
        uint8 dwellPeriods;
        uint16 maxRiseBpsPerPeriod;
        uint16 maxFallBpsPerPeriod;
        uint16 loosenDelaySeconds;
        bool priceChecked;
    }

    /// @notice Reverts with `InvalidBounds` unless a policy can exist within the bounds.
    function check(IRegimeRiskOracle.Bounds memory bounds) internal pure {
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
    /// @dev The turbulent vector is the tighter one in each field, so each bound has one vector to check. Parameters are
    /// mixtures of the two, hence within the bounds as well.
    function check(IRegimeRiskOracle.Policy memory policy, PackedMarket memory market) internal pure {
        IRiskParameters.RiskVector memory calm = policy.calm;
        IRiskParameters.RiskVector memory turbulent = policy.turbulent;
        _require(
            turbulent.borrowCollateralRatioBps >= calm.borrowCollateralRatioBps, "turbulent.borrowCollateralRatioBps"
        );
        _require(
            turbulent.liquidationCollateralRatioBps >= calm.liquidationCollateralRatioBps,
            "turbulent.liquidationCollateralRatioBps"
        );
        _require(turbulent.ammFeePips >= calm.ammFeePips, "turbulent.ammFeePips");
        _require(turbulent.borrowCapFactorBps <= calm.borrowCapFactorBps, "turbulent.borrowCapFactorBps");
        _require(
            calm.borrowCollateralRatioBps >= market.minBorrowCollateralRatioBps
                && turbulent.borrowCollateralRatioBps <= market.maxBorrowCollateralRatioBps,
            "borrowCollateralRatioBps"
        );
        _require(calm.ammFeePips >= market.minAmmFeePips && turbulent.ammFeePips <= market.maxAmmFeePips, "ammFeePips");
        _require(calm.borrowCapFactorBps <= BPS, "calm.borrowCapFactorBps");
        _require(
            calm.liquidationCollateralRatioBps > BPS
                && calm.liquidationCollateralRatioBps <= calm.borrowCollateralRatioBps
                && turbulent.liquidationCollateralRatioBps <= turbulent.borrowCollateralRatioBps,
            "liquidationCollateralRatioBps"
        );
        _require(policy.marginBps < BPS / 2, "marginBps");
        _require(policy.dwellPeriods != 0 && policy.dwellPeriods <= MAX_DWELL_PERIODS, "dwellPeriods");
        _require(policy.maxRiseBpsPerPeriod != 0 && policy.maxRiseBpsPerPeriod <= BPS, "maxRiseBpsPerPeriod");
        _require(policy.maxFallBpsPerPeriod != 0 && policy.maxFallBpsPerPeriod <= BPS, "maxFallBpsPerPeriod");
        _require(policy.loosenDelaySeconds <= Grid.PERIOD_SECONDS, "loosenDelaySeconds");
        _require(
            policy.liquidationRiseBpsPerDay <= market.maxLiquidationRiseBpsPerDay
                && (policy.liquidationRiseBpsPerDay != 0
                    || turbulent.liquidationCollateralRatioBps == calm.liquidationCollateralRatioBps),
            "liquidationRiseBpsPerDay"
        );
        _require(policy.graceAfterSeconds >= Grid.PERIOD_SECONDS, "graceAfterSeconds");
        _require(policy.staleAfterSeconds >= policy.graceAfterSeconds, "staleAfterSeconds");
    }

    /// @notice The half of a policy that readers need, written over `guard`; its ramp and its guardian's fields stay.
    function writeGuard(IRegimeRiskOracle.Policy memory policy, PackedGuard memory guard) internal pure {
        guard.turbulentBorrowCollateralRatioBps = policy.turbulent.borrowCollateralRatioBps;
        guard.turbulentAmmFeePips = policy.turbulent.ammFeePips;
        guard.turbulentBorrowCapFactorBps = policy.turbulent.borrowCapFactorBps;
        guard.graceAfterSeconds = policy.graceAfterSeconds;
        guard.staleAfterSeconds = policy.staleAfterSeconds;
        guard.rampBpsPerDay = policy.liquidationRiseBpsPerDay;
    }

    /// @notice The half of a policy that only updates need.
    function rules(IRegimeRiskOracle.Policy memory policy, bool priceChecked)
        internal
        pure
        returns (PackedRules memory)
    {
        return PackedRules({
            calmBorrowCollateralRatioBps: policy.calm.borrowCollateralRatioBps,
            calmLiquidationCollateralRatioBps: policy.calm.liquidationCollateralRatioBps,
            calmAmmFeePips: policy.calm.ammFeePips,
            calmBorrowCapFactorBps: policy.calm.borrowCapFactorBps,
            turbulentLiquidationCollateralRatioBps: policy.turbulent.liquidationCollateralRatioBps,
            marginBps: policy.marginBps,
            dwellPeriods: policy.dwellPeriods,
            maxRiseBpsPerPeriod: policy.maxRiseBpsPerPeriod,
            maxFallBpsPerPeriod: policy.maxFallBpsPerPeriod,
            loosenDelaySeconds: policy.loosenDelaySeconds,
            priceChecked: priceChecked
        });
    }

    /// @notice A stored policy as its owner gave it.
    function unpack(PackedGuard memory guard, PackedRules memory applied)
        internal
        pure
        returns (IRegimeRiskOracle.Policy memory)
    {
        return IRegimeRiskOracle.Policy({
            calm: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: applied.calmBorrowCollateralRatioBps,
                liquidationCollateralRatioBps: applied.calmLiquidationCollateralRatioBps,
                ammFeePips: applied.calmAmmFeePips,
                borrowCapFactorBps: applied.calmBorrowCapFactorBps
            }),
            turbulent: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: guard.turbulentBorrowCollateralRatioBps,
                liquidationCollateralRatioBps: applied.turbulentLiquidationCollateralRatioBps,
                ammFeePips: guard.turbulentAmmFeePips,
                borrowCapFactorBps: guard.turbulentBorrowCapFactorBps
            }),
            marginBps: applied.marginBps,
            dwellPeriods: applied.dwellPeriods,
            maxRiseBpsPerPeriod: applied.maxRiseBpsPerPeriod,
            maxFallBpsPerPeriod: applied.maxFallBpsPerPeriod,
            loosenDelaySeconds: applied.loosenDelaySeconds,
            liquidationRiseBpsPerDay: guard.rampBpsPerDay,
            graceAfterSeconds: guard.graceAfterSeconds,
            staleAfterSeconds: guard.staleAfterSeconds
        });
    }

    /// @notice The parameters at a probability, each linear between calm (0) and turbulent (10_000 bps). Borrow side and fee
    /// are rounded to the tighter side, the liquidation ratio down, so that it never passes the borrow ratio.
    /// @dev Of a checked policy, whose turbulent vector is the tighter one: then nothing here can overflow.
    function interpolate(PackedGuard memory guard, PackedRules memory applied, uint256 probabilityBps)
        internal
        pure
        returns (IRiskParameters.RiskVector memory vector)
    {
        unchecked {
            vector.borrowCollateralRatioBps = uint16(
                _riseUp(applied.calmBorrowCollateralRatioBps, guard.turbulentBorrowCollateralRatioBps, probabilityBps)
            );
            vector.liquidationCollateralRatioBps = uint16(liquidationAt(applied, probabilityBps));
            vector.ammFeePips = uint24(_riseUp(applied.calmAmmFeePips, guard.turbulentAmmFeePips, probabilityBps));
            uint256 capFall = uint256(applied.calmBorrowCapFactorBps) - guard.turbulentBorrowCapFactorBps;
            vector.borrowCapFactorBps =
                uint16(applied.calmBorrowCapFactorBps - (capFall * probabilityBps + BPS - 1) / BPS);
        }
    }

    /// @notice The liquidation ratio at a probability, rounded down.
    function liquidationAt(PackedRules memory applied, uint256 probabilityBps) internal pure returns (uint256) {
        unchecked {
            uint256 calm = applied.calmLiquidationCollateralRatioBps;
            return calm + (applied.turbulentLiquidationCollateralRatioBps - calm) * probabilityBps / BPS;
        }
    }

    function _riseUp(uint256 low, uint256 high, uint256 shareBps) private pure returns (uint256) {
        unchecked {
            return low + ((high - low) * shareBps + BPS - 1) / BPS;
        }
    }

    function _require(bool holds, string memory field) private pure {
        if (!holds) revert IRegimeRiskOracle.InvalidPolicy(field);
    }
}
