// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {BoundedCall} from "./BoundedCall.sol";

/// @title SequencerLib
/// @notice What Chainlink's uptime feed says of an L2's sequencer.
library SequencerLib {
    /// @notice Gas that a feed gets: several times what Chainlink's proxies need, and a third of what a reader gives an
    /// oracle, so that a feed that burns it blinds nobody.
    uint256 internal constant FEED_GAS = 30_000;

    /// @dev What `latestRoundData` answers.
    uint16 private constant ROUND_BYTES = 5 * 32;

    /// @notice Whether the sequencer is up, and has been for `graceSeconds`. A feed that gives no usable answer counts as
    /// down. Reverts with `BoundedCall.NotEnoughGas` alone.
    function isUp(address feed, uint256 graceSeconds) internal view returns (bool) {
        (bool ok, bytes memory answer) =
            BoundedCall.ask(feed, FEED_GAS, ROUND_BYTES, abi.encodeCall(IAggregatorV3.latestRoundData, ()));
        if (!ok) return false;
        (, uint256 down, uint256 startedAt,,) = abi.decode(answer, (uint256, uint256, uint256, uint256, uint256));
        // A start of zero is a round that has not begun.
        if (down != 0 || startedAt == 0 || startedAt > block.timestamp) return false;
        return block.timestamp - startedAt >= graceSeconds;
    }
}
