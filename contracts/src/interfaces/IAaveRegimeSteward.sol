// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

import {IRiskParameters} from "./IRiskParameters.sol";

/// @title IAaveRegimeSteward
/// @notice Lets the collateral parameters of one Aave v3 reserve follow one market of a risk oracle. It needs the role
/// `RISK_ADMIN` and no other; Aave's access control is its only switch. Nobody steers it: `poke` is everybody's.
///
/// @dev Two numbers follow the oracle, rounded down to whole bps. The LTV (what may be borrowed) follows
/// `1e8 / borrowCollateralRatioBps` at once, within an allowance that recharges. The liquidation threshold follows
/// `1e8 / liquidationCollateralRatioBps` by at most one step in each notice time, and downwards only after an announcement.
/// The liquidation bonus never changes.
///
/// @dev What is guaranteed, whatever the oracle says and whoever pokes when:
/// 1. Only an announced fall lowers the threshold: once, at the earliest a notice time and at the latest two after its
///    announcement, by no more than a step, to no less than the announced floor. A position that is healthy at the floor
///    is healthy after the fall.
/// 2. Once an update of the oracle has landed, the threshold does not change in the same block. No update makes a healthy
///    position liquidatable in its block, with whatever pokes follow it, due announcements included. (This alone rests on
///    the oracle: on its `updatedAt`.)
/// 3. While a fall is announced, no poke raises the LTV above the floor: what is borrowed meanwhile is healthy at the floor,
///    unless Aave's governance raises the LTV itself.
/// 4. Without fresh parameters (`Unset`, `Stale`, `Withheld`) the LTV can only fall, and the threshold and its announcement
///    are not touched: neither an outage nor the oracle's guardian makes anything liquidatable.
/// 5. The LTV is never set to 0, which Aave takes as a switch and not as a number, and never above the threshold.
/// 6. With a threshold step of 0 the threshold never moves, and no poke ever changes anybody's health.
///
/// @dev What is not. Prices, interest and Aave's governance can make a position liquidatable at any time. A position that
/// stays between floor and threshold until the announced fall is made can be liquidated in the block of that poke. A pause
/// of Aave's shortens the time that its users have to act; a poke while the reserve is paused or frozen withdraws the
/// announcement. Aave from 3.6 on leaves a reserve that was frozen without LTV until an administrator gives it back: the steward
/// waits for that. Users in an e-mode that the asset belongs to are measured by the e-mode's numbers, which the steward
/// neither reads nor sets: choose maxima below those of every such category, as Aave's governance must. The debt ceiling and
/// the other switches of isolation mode stay as they are; an isolated asset's LTV and threshold follow like any other's.
interface IAaveRegimeSteward {
    /* TYPES */

    /// @notice How far and how fast the steward may move a reserve: in bps of the collateral's value, steps as absolute
    /// differences.
    /// @dev Minima and maxima bound what the steward sets. What governance set beyond them it leaves alone, unless the oracle
    /// asks for a value on their other side.
    struct Limits {
        /// Lowest LTV that a fall may end at. At least 1.
        uint16 minLtvBps;
        /// Highest LTV that a rise may end at.
        uint16 maxLtvBps;
        /// Most that the LTV falls at once, and again in each `ltvRechargeSeconds`. At least 1.
        uint16 maxLtvFallAbsBps;
        /// Most that the LTV rises at once, and again in each `ltvRechargeSeconds`.
        uint16 maxLtvRiseAbsBps;
        /// Time in which a spent allowance of the LTV fills up again, linearly. At least 1.
        uint32 ltvRechargeSeconds;
        /// Lowest liquidation threshold that a fall may end at. At least `minLtvBps`.
        uint16 minThresholdBps;
        /// Highest liquidation threshold that a rise may end at. At least `maxLtvBps` and `minThresholdBps`.
        uint16 maxThresholdBps;
        /// Most that the liquidation threshold falls by one announcement. At most 50, as for Aave's own stewards.
        uint16 maxThresholdFallAbsBps;
        /// Most that the liquidation threshold rises at once. At most its fall: what rises must be able to come back.
        uint16 maxThresholdRiseAbsBps;
        /// Time from the announcement of a fall until it may be made, from then until it lapses, and between any two changes
        /// of the liquidation threshold. At least 3 days, as for Aave's own stewards.
        uint32 noticeSeconds;
    }

    /// @notice What became of a poke.
    enum Outcome {
        /// The reserve stands where it should, or where the limits hold it for now.
        Unchanged,
        /// The reserve's configuration or the announcement changed.
        Changed,
        /// Refused: the oracle reverted, or answered in another form or with something that no oracle may say.
        Unreadable,
        /// Refused: the reserve is paused, frozen, inactive, or without LTV, as whatever is no collateral. Its announcement is
        /// withdrawn.
        ReserveClosed,
        /// Refused: Aave did not take the configuration; the steward's role may have been revoked.
        AaveRefused
    }

    /* EVENTS */

    /// @notice The reserve was configured. Where a target differs from what was set, a limit held the steward back.
    event ReserveConfigured(uint256 ltvBps, uint256 thresholdBps, uint256 targetLtvBps, uint256 targetThresholdBps);

    /// @notice From `effectiveAt` on, and for one notice time, the liquidation threshold may be lowered once, to no less than
    /// `floorBps`. This replaces what was announced before; zeros mean that no fall is announced any more.
    event FallAnnounced(uint256 floorBps, uint256 effectiveAt);

    /// @notice A poke left the reserve as it was, and why.
    event PokeRefused(Outcome reason);

    /* ERRORS */

    /// @notice Thrown when a limit is unusable, or wider than Aave's own stewards have it.
    error InvalidLimits(string field);

    /* FUNCTIONS */

    /// @notice Brings the reserve as near to the oracle's parameters as the limits allow. Anyone may call, at any time.
    /// @dev Does not revert on anything that the oracle does, nor when Aave refuses, but for want of gas to ask the oracle. A
    /// poke that changes nothing spends nothing of any allowance; splitting a move into many spends at least as much as
    /// making it at once.
    function poke() external returns (Outcome);

    /// @notice The announced fall of the liquidation threshold; zeros if there is none.
    /// @return floorBps The threshold below which the fall will not go.
    /// @return effectiveAt Unix seconds from which the fall may be made.
    function announcement() external view returns (uint256 floorBps, uint256 effectiveAt);

    /// @notice The limits; they never change.
    function limits() external view returns (Limits memory);

    /// @notice The oracle that the reserve follows.
    function oracle() external view returns (IRiskParameters);

    /// @notice The oracle's market that the reserve follows.
    function market() external view returns (bytes32);

    /// @notice The reserve's underlying token.
    function asset() external view returns (address);
}
