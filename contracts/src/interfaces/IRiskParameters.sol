// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

/// @title IRiskParameters
/// @notice What a lending market or an AMM reads: the risk parameters of a market, how old they are, and what comes next.
/// @dev Units: bps (10_000 = 100 %), pips (1_000_000 = 100 %), seconds; a volatility is the standard deviation of
/// one-minute returns times 1e9. A period is a slot of the model's UTC grid; it is named by the time at which it begins.
/// @dev Tighter means: a higher borrow ratio, a higher fee, a lower borrow cap factor. Every fallback only tightens, and
/// none touches the liquidation ratio, so that no outage and no guardian makes a position liquidatable.
interface IRiskParameters {
    /// @notice A market's parameters at the present block.
    struct Params {
        /// Unix time in seconds at which the forecast's period begins; 0 before the first update.
        uint40 periodStart;
        /// Unix time in seconds at which the update landed.
        uint40 updatedAt;
        /// Collateral that a new borrow must show, in bps of the debt. Never below the liquidation ratio.
        uint16 borrowCollateralRatioBps;
        /// Collateral below which a position may be liquidated, in bps of the debt. It rises by a ramp, never by a step.
        uint16 liquidationCollateralRatioBps;
        /// Swap fee in pips.
        uint24 ammFeePips;
        /// Usable share of the borrow cap in bps.
        uint16 borrowCapFactorBps;
        /// Forecast probability of the High regime in bps, rounded to nearest, as proven. For information.
        uint16 probabilityHighBps;
        /// Forecast standard deviation of one-minute returns over the period, times 1e9, rounded down, as proven.
        uint32 volatilityE9;
        /// Volatility that the parameters follow: the forecast behind dwell, margin and rate limits.
        uint32 appliedVolatilityE9;
    }

    /// @notice The parameters that follow the volatility.
    struct RiskVector {
        /// Collateral that a new borrow must show, in bps of the debt. Higher is tighter.
        uint16 borrowCollateralRatioBps;
        /// Collateral below which a position may be liquidated, in bps of the debt.
        uint16 liquidationCollateralRatioBps;
        /// Swap fee in pips. Higher is tighter.
        uint24 ammFeePips;
        /// Share of the market's borrow cap that may be used, in bps. Lower is tighter.
        uint16 borrowCapFactorBps;
    }

    /// @notice How far a market's parameters can be relied on.
    enum Status {
        /// No update has ever landed: the policy's tightest vector, or zeros if the market has no policy.
        Unset,
        /// Young: the values are those of the last update.
        Fresh,
        /// An update is late; the values are still those of the last one.
        Grace,
        /// Too old: the values are tightened.
        Stale,
        /// The guardian paused the market, or the chain's sequencer is down or has just come up: tightened.
        Withheld
    }

    /// @notice Thrown when a market has no parameters yet.
    error ParamsUnset(bytes32 market);

    /// @notice Thrown when a market's parameters are withheld.
    error ParamsWithheld(bytes32 market);

    /// @notice Thrown when parameters are older than their reader, or the market's policy, accepts.
    error StaleParams(uint256 ageSeconds, uint256 maxAgeSeconds);

    /// @notice The parameters of a market and their status. Reverts for want of gas alone.
    /// @dev `Fresh` and `Grace`: the values of the last update. Otherwise at least as tight as the policy's tightest vector.
    function params(bytes32 market) external view returns (Params memory current, Status status);

    /// @notice The parameters of a market, if a forecast that is young enough for reader and policy stands behind them.
    /// @dev Reverts with `ParamsUnset` before the first update, with `ParamsWithheld` while they are withheld, and with
    /// `StaleParams` when they are `Stale` or when the age, counted from the period's start, exceeds the maximum. One period
    /// plus the time that proving and inclusion take is the least sensible age.
    function paramsNoOlderThan(bytes32 market, uint256 maxAgeSeconds) external view returns (Params memory current);

    /// @notice What the last update leads to, and when.
    /// @return next The vector that holds from `effectiveAt` on; its liquidation ratio is the end of the ramp.
    /// @return effectiveAt Unix seconds from which looser values hold. Tighter ones already do.
    /// @return liquidationReachedAt Unix seconds at which the ramp of the liquidation ratio ends; not after now if it has.
    function pending(bytes32 market)
        external
        view
        returns (RiskVector memory next, uint256 effectiveAt, uint256 liquidationReachedAt);
}
