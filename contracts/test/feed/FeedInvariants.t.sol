// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {Feed} from "../../src/Feed.sol";
import {IFeed} from "../../src/interfaces/IFeed.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {FeedFixture} from "./FeedFixture.sol";

/// @notice Relayers who carry whatever attestors sign of either strategy to either feed, early, late and twice.
contract FeedHandler is FeedFixture {
    uint256 public published;
    uint256 public refused;
    mapping(Feed => uint256) public lastStart;
    mapping(Feed => bytes32) public lastTold;

    function passTime(uint32 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 40 hours));
    }

    function carry(int64 changeE3, bool mine, bool toMine, uint8 age, bool swapped) external {
        Feed target = toMine ? feed : other;
        int128[] memory outputs = _outputs(bound(changeE3, -3000, 3000), -1000);
        IModelRegistry.Update memory update = _update(mine ? modelId : otherModelId, outputs);
        IFeed.Level memory level = _level();
        level.day = uint32(block.timestamp / DAY - bound(age, 0, 9));
        bytes memory attestations = _attestationOf(update, level);
        if (swapped) update.modelId = toMine ? modelId : otherModelId;
        uint256 start = update.period * DAY;
        bool due = start > lastStart[target] && level.day < update.period && level.day + 7 >= update.period;
        vm.prank(RELAYER);
        try target.publish(update, level, attestations) returns (IFeed.Forecast memory forecast) {
            assertTrue(due && mine == toMine, "published what it must not");
            assertEq(forecast.periodStart, start);
            (lastStart[target], lastTold[target]) = (start, keccak256(abi.encode(forecast)));
            ++published;
        } catch {
            assertTrue(!due || mine != toMine, "refused what it must not");
            ++refused;
        }
    }

    function check() external view {
        Feed[2] memory feeds = [feed, other];
        for (uint256 i = 0; i < 2; ++i) {
            IFeed.Forecast memory last = feeds[i].latest();
            assertEq(last.periodStart, lastStart[feeds[i]]);
            if (lastStart[feeds[i]] != 0) assertEq(keccak256(abi.encode(last)), lastTold[feeds[i]]);
            assertLe(last.updatedAt, block.timestamp);
        }
    }
}

/// @notice No forecast of one strategy lands among another's, none changes within its period, and periods only rise.
/// forge-config: default.invariant.runs = 16
/// forge-config: default.invariant.depth = 100
/// forge-config: long.invariant.runs = 250
/// forge-config: long.invariant.depth = 1000
/// forge-config: default.invariant.fail-on-revert = true
contract FeedInvariantTest is Test {
    FeedHandler private _handler;

    function setUp() public {
        _handler = new FeedHandler();
        _handler.setUp();
        targetContract(address(_handler));
        bytes4[] memory actions = new bytes4[](2);
        (actions[0], actions[1]) = (FeedHandler.passTime.selector, FeedHandler.carry.selector);
        targetSelector(FuzzSelector({addr: address(_handler), selectors: actions}));
    }

    function afterInvariant() public {
        emit log_named_uint("published", _handler.published());
        emit log_named_uint("refused", _handler.refused());
    }

    function invariant_EachFeedHoldsWhatItsOwnAttestorsStated() public view {
        _handler.check();
    }

    /// @dev The campaign is about something.
    function test_ForecastsLandAndAreRefused() public {
        _handler.carry(100, true, true, 1, false);
        _handler.carry(100, true, true, 1, false);
        _handler.carry(100, true, false, 1, false);
        _handler.carry(100, true, false, 1, true);
        _handler.carry(100, false, false, 1, false);
        assertEq(_handler.published(), 2);
        assertEq(_handler.refused(), 3);
        _handler.check();
    }
}
