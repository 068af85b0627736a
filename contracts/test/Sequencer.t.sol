// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IAggregatorV3} from "../src/interfaces/external/IAggregatorV3.sol";
import {VeriRegimeConsumer} from "../src/consumers/VeriRegimeConsumer.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {Ownable} from "solady/auth/Ownable.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice On an L2: values are withheld during an outage of its sequencer and for minutes after it. Specification: Reads.tree.
contract SequencerTest is MarketFixture {
    uint256 private constant GRACE = 5 minutes;

    MockFeed private feed;
    bytes32 private modelId;
    uint256 private landed;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
        landed = block.timestamp;
        feed.sequencer(0, landed - GRACE);
        _submit(modelId, _low());
    }

    function _sequencerFeed() internal override returns (address) {
        feed = new MockFeed();
        return address(feed);
    }

    function test_TheFeedIsKnown() public view {
        assertEq(oracle.sequencerFeed(), address(feed));
    }

    function test_UpForLongEnough() public {
        _assertSeen(0, landed - GRACE, IRiskParameters.Status.Fresh);
        _assertSeen(0, 1, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    function test_GraceAndStaleAsElsewhere() public {
        vm.warp(START + 5 hours);
        _assertSeen(0, landed, IRiskParameters.Status.Grace);
        vm.warp(START + 8 hours);
        _assertSeen(0, landed, IRiskParameters.Status.Stale);
    }

    function test_WithheldWhileItIsNotKnownToBeUp() public {
        _assertSeen(0, landed - GRACE + 1, IRiskParameters.Status.Withheld);
        _assertSeen(0, landed + 1, IRiskParameters.Status.Withheld);
        _assertSeen(1, landed - GRACE, IRiskParameters.Status.Withheld);
        _assertSeen(0, 0, IRiskParameters.Status.Withheld);
        IRiskParameters.Params memory seen = _params(BTC);
        assertEq(seen.ammFeePips, 10_000);
        assertEq(seen.liquidationCollateralRatioBps, 130_00);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsWithheld.selector, BTC));
        oracle.paramsNoOlderThan(BTC, type(uint256).max);
    }

    /// @dev It withheld the market until another forecast landed, which the same period could not have.
    function test_Fault4_ABlipCostsMinutesAndNotThePeriod() public {
        vm.warp(landed + 600);
        feed.sequencer(0, block.timestamp); // down for 30 seconds, and up again
        _assertStatus(BTC, IRiskParameters.Status.Withheld);
        vm.warp(block.timestamp + GRACE - 1);
        _assertStatus(BTC, IRiskParameters.Status.Withheld);
        vm.warp(block.timestamp + 1);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    /// @dev A feed that is retired withheld for ever: it was immutable.
    function test_Fault4_ARetiredFeedIsReplaced() public {
        feed.fail(IAggregatorV3.latestRoundData.selector, MockFeed.Failure.RevertEmpty);
        _assertStatus(BTC, IRiskParameters.Status.Withheld);
        MockFeed next = new MockFeed();
        next.sequencer(0, 1);
        bytes memory call = abi.encodeCall(oracle.setSequencerFeed, (address(next)));
        vm.prank(STRANGER);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.setSequencerFeed(address(next));
        vm.startPrank(OWNER);
        oracle.schedule(call);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.SequencerFeedSet(address(next));
        oracle.setSequencerFeed(address(next));
        vm.stopPrank();
        assertEq(oracle.sequencerFeed(), address(next));
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
    }

    /// @dev A feed that burns its gas left the consumer's share, which was no larger, empty.
    function test_Fault8_AFeedThatBurnsItsGasBlindsNoConsumer() public {
        feed.fail(IAggregatorV3.latestRoundData.selector, MockFeed.Failure.BurnAllGas);
        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
            VeriRegimeConsumer.tryParams(oracle, BTC);
        assertTrue(ok);
        assertEq(uint8(status), uint8(IRiskParameters.Status.Withheld));
        assertEq(current.ammFeePips, 10_000);
    }

    function test_AFeedThatFailsWithholds() public {
        for (uint8 failure = 1; failure <= uint8(type(MockFeed.Failure).max); ++failure) {
            feed.fail(IAggregatorV3.latestRoundData.selector, MockFeed.Failure(failure));
            _assertStatus(BTC, IRiskParameters.Status.Withheld);
        }
    }

    function test_UnsetIsUnsetWhateverTheFeed() public {
        feed.sequencer(1, landed);
        _assertStatus(ETH, IRiskParameters.Status.Unset);
    }

    function testFuzz_UpdatesLandWhateverTheFeedSays(int256 down, uint256 startedAt) public {
        feed.sequencer(down, startedAt);
        _warpTo(MONDAY + 1, 75);
        _submit(modelId, _high());
        assertEq(_params(BTC).periodStart, START + PERIOD_SECONDS);
        assertEq(_params(BTC).probabilityHighBps, 100_00);
    }

    function _assertSeen(int256 down, uint256 startedAt, IRiskParameters.Status expected) private {
        feed.sequencer(down, startedAt);
        _assertStatus(BTC, expected);
    }
}
