// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Feed} from "../../src/Feed.sol";
import {IFeed} from "../../src/interfaces/IFeed.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {TableFixture} from "../TableFixture.sol";

/// @notice Feeds of two strategies whose models differ in nothing but the strategy, behind one mock verifier.
abstract contract FeedFixture is TableFixture {
    uint256 internal constant DAY = 1 days;

    /// @dev 2025-07-31 00:00 UTC.
    uint64 internal constant PERIOD = 20_300;

    Feed internal feed;
    Feed internal other;
    bytes32 internal otherModelId;

    function setUp() public virtual {
        vm.warp(PERIOD * DAY + 2 hours);
        _deployRegistry();
        (feed, other) = (new Feed(registry, "aave"), new Feed(registry, "lido"));
        (modelId, otherModelId) = (_register(_spec("aave")), _register(_spec("lido")));
    }

    /* SET-UP */

    function _spec(string memory strategy) internal view returns (IModelRegistry.ModelSpec memory) {
        return _specOf("strategy-yield/1", strategy, DAY, 3, 3);
    }

    /* FORECASTS */

    /// @dev In thousandths.
    function _outputs(int256 changeE3, int256 logDeviationE3) internal pure returns (int128[] memory outputs) {
        outputs = new int128[](3);
        outputs[0] = int128((changeE3 << OUTPUT_SCALE) / 1000);
        outputs[1] = int128((logDeviationE3 << OUTPUT_SCALE) / 1000);
        outputs[2] = int128(2) << OUTPUT_SCALE;
    }

    /// @dev A mean rate of 5 %, `ln(6)`, up to yesterday; half an interval of two sizes.
    function _level() internal view returns (IFeed.Level memory) {
        return IFeed.Level({day: uint32(block.timestamp / DAY - 1), levelE9: 1_791_759_469, factorE9: 2e9});
    }

    function _update(bytes32 id, int128[] memory outputs) internal view returns (IModelRegistry.Update memory) {
        return _updateOf(id, DAY, outputs);
    }

    function _attestationOf(IModelRegistry.Update memory update, IFeed.Level memory level)
        internal
        view
        returns (bytes memory)
    {
        return _signed(registry.statementDigest(feed.statementOf(update.modelId, update.period, level)));
    }

    /* PUBLICATION */

    function _publish(int256 changeE3, int256 logDeviationE3) internal returns (IFeed.Forecast memory) {
        IModelRegistry.Update memory update = _update(modelId, _outputs(changeE3, logDeviationE3));
        return _publish(feed, update, _level());
    }

    function _publish(Feed target, IModelRegistry.Update memory update, IFeed.Level memory level)
        internal
        returns (IFeed.Forecast memory)
    {
        bytes memory attestations = _attestationOf(update, level);
        vm.prank(RELAYER);
        return target.publish(update, level, attestations);
    }

    /// @dev The feed says exactly this, and nothing has changed.
    function _expectRefusal(
        Feed target,
        IModelRegistry.Update memory update,
        IFeed.Level memory level,
        bytes memory attestations,
        bytes memory revertData
    ) internal {
        bytes memory before = abi.encode(target.latest());
        vm.prank(RELAYER);
        (bool ok, bytes memory returned) =
            address(target).call(abi.encodeCall(target.publish, (update, level, attestations)));
        assertFalse(ok, "published");
        assertEq(returned, revertData);
        assertEq(abi.encode(target.latest()), before, "left a trace");
    }

    function _expectRefusal(IFeed.Level memory level, bytes memory revertData) internal {
        IModelRegistry.Update memory update = _update(modelId, _outputs(0, 0));
        _expectRefusal(feed, update, level, _attestationOf(update, level), revertData);
    }
}
