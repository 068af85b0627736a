// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {Grid} from "./Grid.sol";
import {PolicyLib} from "./PolicyLib.sol";
import {PriceLib} from "./PriceLib.sol";
import {RiskState} from "./RiskState.sol";
import {Words} from "./Words.sol";

/// @title MarketAdmin
/// @notice What is rarely done to a market: its registration and its policy. Deployed by itself and linked, to keep the
/// oracle's code small; for the same reason arguments and results come ABI-encoded.
library MarketAdmin {
    using PolicyLib for IRegimeRiskOracle.Bounds;
    using PolicyLib for IRegimeRiskOracle.Policy;
    using RiskState for PolicyLib.PackedGuard;
    using Words for PolicyLib.PackedGuard;
    using Words for PolicyLib.PackedRules;
    using Words for uint256;
    using PriceLib for IRegimeRiskOracle.PriceCheck;

    /// @notice Longest pause, and the time that must pass between two.
    uint256 internal constant MAX_PAUSE_SECONDS = 7 days;

    /// @notice Everything that is stored of a market, one word each.
    struct Market {
        PolicyLib.PackedMarket registered;
        IRegimeRiskOracle.PriceCheck priceCheck;
        /// `PolicyLib.PackedGuard`
        uint256 guard;
        /// `PolicyLib.PackedRules`
        uint256 rules;
        /// `RiskState.PackedParams`
        uint256 params;
    }

    /// @param arguments Those of `IRegimeRiskOracle.registerMarket`.
    function register(Market storage market, bytes calldata arguments) external {
        (
            bytes32 id,
            address owner,
            IRegimeRiskOracle.Bounds memory newBounds,
            IRegimeRiskOracle.PriceCheck memory priceCheck
        ) = abi.decode(arguments, (bytes32, address, IRegimeRiskOracle.Bounds, IRegimeRiskOracle.PriceCheck));
        if (market.registered.owner != address(0)) revert IRegimeRiskOracle.MarketAlreadyRegistered(id);
        if (owner == address(0)) revert IRegimeRiskOracle.InvalidBounds("marketOwner");
        newBounds.check();
        priceCheck.check();
        market.registered = PolicyLib.PackedMarket({
            owner: owner,
            minBorrowCollateralRatioBps: newBounds.minBorrowCollateralRatioBps,
            maxBorrowCollateralRatioBps: newBounds.maxBorrowCollateralRatioBps,
            minAmmFeePips: newBounds.minAmmFeePips,
            maxAmmFeePips: newBounds.maxAmmFeePips,
            maxLiquidationRiseBpsPerDay: newBounds.maxLiquidationRiseBpsPerDay
        });
        market.priceCheck = priceCheck;
        emit IRegimeRiskOracle.MarketRegistered(id, owner, newBounds, priceCheck);
    }

    /// @param arguments Those of `IRegimeRiskOracle.setPolicy`.
    /// @dev The ramp continues from where it is, towards what the policy asks for at the present applied probability. Only a
    /// market without a policy may start elsewhere: nobody can have borrowed against it.
    function setPolicy(Market storage market, bytes calldata arguments) external {
        (bytes32 id, IRegimeRiskOracle.Policy memory newPolicy) =
            abi.decode(arguments, (bytes32, IRegimeRiskOracle.Policy));
        newPolicy.check(market.registered);
        PolicyLib.PackedGuard memory guard = market.guard.unpackGuard();
        PolicyLib.PackedRules memory rules = newPolicy.rules(market.priceCheck.feed != address(0));
        RiskState.PackedParams memory params = market.params.unpackParams();
        uint256 appliedBps = params.period == 0 ? PolicyLib.BPS : params.appliedProbabilityBps;
        uint256 targetBps = PolicyLib.liquidationAt(rules, appliedBps);
        if (guard.graceAfterSeconds == 0) {
            (guard.rampStartBps, guard.rampTargetBps) = (uint16(targetBps), uint16(targetBps));
        }
        guard.turnRamp(targetBps);
        newPolicy.writeGuard(guard);
        if (guard.rampStartBps != targetBps && guard.rampBpsPerDay == 0) {
            revert IRegimeRiskOracle.InvalidPolicy("liquidationRiseBpsPerDay");
        }
        market.rules = rules.pack();
        _write(market, guard);
        emit IRegimeRiskOracle.PolicySet(id, newPolicy);
        emit IRegimeRiskOracle.LiquidationRampStarted(id, guard.rampStartBps, targetBps, guard.rampBpsPerDay);
    }

    /// @notice See `IRegimeRiskOracle.pauseMarket`.
    function pause(Market storage market, bytes32 id, uint40 untilTimestamp) external {
        PolicyLib.PackedGuard memory guard = market.guard.unpackGuard();
        uint256 latest = block.timestamp + MAX_PAUSE_SECONDS;
        if (untilTimestamp > latest) revert IRegimeRiskOracle.PauseTooLong(untilTimestamp, latest);
        uint256 reopened = guard.pausedUntil == 0 ? 0 : guard.pausedUntil + MAX_PAUSE_SECONDS;
        if (block.timestamp < reopened) revert IRegimeRiskOracle.PauseCoolingDown(reopened);
        guard.pausedUntil = untilTimestamp;
        _write(market, guard);
        emit IRegimeRiskOracle.MarketPaused(id, untilTimestamp);
    }

    /// @notice See `IRegimeRiskOracle.disablePeriod`.
    function disable(Market storage market, bytes32 id, uint64 period) external {
        PolicyLib.PackedGuard memory guard = market.guard.unpackGuard();
        if (period > Grid.currentPeriod() || period <= guard.disabledPeriod) {
            revert IRegimeRiskOracle.CannotDisable(period);
        }
        guard.disabledPeriod = uint32(period);
        _write(market, guard);
        emit IRegimeRiskOracle.PeriodDisabled(id, period);
    }

    /// @notice Whether the chain's sequencer is up and an update has landed since it last came up.
    function sequencerUpSince(address feed, uint256 landedAt) external view returns (bool) {
        return PriceLib.sequencerUpSince(feed, landedAt);
    }

    /// @notice Whether an attested close agrees with the market's price feed.
    function priceAgrees(Market storage market, uint256 closeE8) external view returns (bool) {
        return market.priceCheck.agrees(closeE8);
    }

    /// @notice The result of `IRegimeRiskOracle.policy`.
    function policy(Market storage market) external view returns (bytes memory) {
        return abi.encode(PolicyLib.unpack(market.guard.unpackGuard(), market.rules.unpackRules()));
    }

    /// @notice The result of `IRegimeRiskOracle.bounds`.
    function bounds(Market storage market) external view returns (bytes memory) {
        PolicyLib.PackedMarket memory registered = market.registered;
        return abi.encode(
            IRegimeRiskOracle.Bounds({
                minBorrowCollateralRatioBps: registered.minBorrowCollateralRatioBps,
                maxBorrowCollateralRatioBps: registered.maxBorrowCollateralRatioBps,
                minAmmFeePips: registered.minAmmFeePips,
                maxAmmFeePips: registered.maxAmmFeePips,
                maxLiquidationRiseBpsPerDay: registered.maxLiquidationRiseBpsPerDay
            })
        );
    }

    /// @notice The result of `IRiskParameters.pending`.
    function pending(Market storage market) external view returns (bytes memory) {
        (IRegimeRiskOracle.RiskVector memory next, uint256 effectiveAt, uint256 liquidationReachedAt) =
            RiskState.pending(market.params, market.guard.unpackGuard());
        return abi.encode(next, effectiveAt, liquidationReachedAt);
    }

    /// @dev Changes a guard, and makes readers look at it.
    function _write(Market storage market, PolicyLib.PackedGuard memory guard) private {
        market.guard = guard.pack();
        market.params = market.params.withoutFastPath();
    }
}
