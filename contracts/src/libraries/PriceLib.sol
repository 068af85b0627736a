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

    /// @dev Several times what Chainlink's proxies need.
    uint256 private constant FEED_GAS = 100_000;

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
        (bool answered, int256 answer,, uint256 updatedAt) = _latest(priceCheck.feed);
        if (!answered || answer <= 0 || answer > type(int128).max || updatedAt > block.timestamp) return false;
        if (block.timestamp - updatedAt > priceCheck.maxAgeSeconds) return false;
        (bool scaled, bytes memory returned) = _ask(priceCheck.feed, abi.encodeCall(IAggregatorV3.decimals, ()), 32);
        if (!scaled) return false;
        uint256 decimals = abi.decode(returned, (uint256));
        if (decimals > MAX_FEED_DECIMALS) return false;
        uint256 fed = uint256(answer) * 10 ** CLOSE_DECIMALS;
        uint256 attested = closeE8 * 10 ** decimals;
        return FixedPointMathLib.dist(fed, attested) * PolicyLib.BPS <= fed * priceCheck.toleranceBps;
    }

    /// @notice Whether the chain's sequencer is up and an update has landed since it last came up.
    function sequencerUpSince(address feed, uint256 landedAt) internal view returns (bool) {
        (bool answered, int256 down, uint256 startedAt,) = _latest(feed);
        return answered && down == 0 && startedAt != 0 && landedAt >= startedAt;
    }

    function _latest(address feed)
        private
        view
        returns (bool answered, int256 answer, uint256 startedAt, uint256 updatedAt)
    {
        bytes memory returned;
        (answered, returned) = _ask(feed, abi.encodeCall(IAggregatorV3.latestRoundData, ()), 5 * 32);
        if (answered) {
            (, answer, startedAt, updatedAt,) = abi.decode(returned, (uint256, int256, uint256, uint256, uint256));
        }
    }

    /// @dev A call that cannot fail, cannot burn the caller's gas and cannot answer with something that does not decode:
    /// one broken feed must hold up neither other markets nor a reader.
    function _ask(address feed, bytes memory data, uint256 size) private view returns (bool, bytes memory returned) {
        bool success;
        (success, returned) = feed.staticcall{gas: FEED_GAS}(data);
        return (success && returned.length >= size, returned);
    }
}
