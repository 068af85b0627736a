// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {PolicyLib} from "./PolicyLib.sol";

/// @title PriceLib
/// @notice What price and sequencer feeds of Chainlink's shape say. A feed that gives no usable answer never counts in
/// favour of an update.
library PriceLib {
    uint256 private constant CLOSE_DECIMALS = 8;
    uint256 private constant MAX_FEED_DECIMALS = 18;

    /// @notice Reverts with `InvalidBounds` unless the feed answers and tolerance and age are set.
    function check(IRegimeRiskOracle.PriceCheck memory priceCheck) internal view {
        if (priceCheck.feed == address(0)) return;
        if (priceCheck.toleranceBps == 0 || priceCheck.toleranceBps > PolicyLib.BPS) {
            revert IRegimeRiskOracle.InvalidBounds("toleranceBps");
        }
        if (priceCheck.maxAgeSeconds == 0) revert IRegimeRiskOracle.InvalidBounds("maxAgeSeconds");
        if (IAggregatorV3(priceCheck.feed).decimals() > MAX_FEED_DECIMALS) {
            revert IRegimeRiskOracle.InvalidBounds("feed");
        }
    }

    /// @notice Whether a close lies within the tolerance of the feed's latest, young, positive answer.
    function agrees(IRegimeRiskOracle.PriceCheck memory priceCheck, uint256 closeE8) internal view returns (bool) {
        try IAggregatorV3(priceCheck.feed).latestRoundData() returns (
            uint80, int256 answer, uint256, uint256 updatedAt, uint80
        ) {
            if (answer <= 0 || answer > type(int128).max || updatedAt > block.timestamp) return false;
            if (block.timestamp - updatedAt > priceCheck.maxAgeSeconds) return false;
            uint256 scale = 10 ** IAggregatorV3(priceCheck.feed).decimals();
            uint256 fed = uint256(answer) * 10 ** CLOSE_DECIMALS;
            uint256 attested = closeE8 * scale;
            return FixedPointMathLib.dist(fed, attested) * PolicyLib.BPS <= fed * priceCheck.toleranceBps;
        } catch {
            return false;
        }
    }

    /// @notice Whether the chain's sequencer is up and an update has landed since it last came up.
    function sequencerVouches(address feed, uint256 landedAt) internal view returns (bool) {
        try IAggregatorV3(feed).latestRoundData() returns (uint80, int256 down, uint256 startedAt, uint256, uint80) {
            return down == 0 && startedAt != 0 && landedAt >= startedAt;
        } catch {
            return false;
        }
    }
}
