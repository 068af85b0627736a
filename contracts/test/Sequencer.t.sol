// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IAggregatorV3} from "../src/interfaces/external/IAggregatorV3.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice On an L2: values from before an outage of its sequencer are withheld. Specification: Reads.tree.
contract SequencerTest is MarketFixture {
    MockFeed private feed;
    bytes32 private modelId;
    uint256 private landed;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
        landed = block.timestamp;
        feed.sequencer(0, landed);
        _submit(modelId, _low());
    }

    function _sequencerFeed() internal override returns (address) {
        feed = new MockFeed();
        return address(feed);
    }

    function test_TheFeedIsKnown() public view {
        assertEq(oracle.sequencerFeed(), address(feed));
    }

    function test_UpSinceBeforeTheUpdate() public {
        _assertSeen(0, landed, IRiskParameters.Status.Fresh);
        _assertSeen(0, landed - 1, IRiskParameters.Status.Fresh);
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
        _assertSeen(0, landed + 1, IRiskParameters.Status.Withheld);
        _assertSeen(1, landed, IRiskParameters.Status.Withheld);
        _assertSeen(0, 0, IRiskParameters.Status.Withheld);
        IRiskParameters.Params memory seen = _params(BTC);
        assertEq(seen.ammFeePips, 10_000);
        assertEq(seen.liquidationCollateralRatioBps, 130_00);
        vm.expectRevert(abi.encodeWithSelector(IRiskParameters.ParamsWithheld.selector, BTC));
        oracle.paramsNoOlderThan(BTC, type(uint256).max);
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

    /// @dev The first update after a restart counts from its landing, and what readers saw meanwhile from then on.
    function test_AnUpdateAfterTheRestartEndsIt() public {
        _warpTo(MONDAY + 1, 600);
        feed.sequencer(0, block.timestamp - 60);
        _assertStatus(BTC, IRiskParameters.Status.Withheld);
        _submit(modelId, _low());
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    function test_LooserValuesAfterARestartWaitForTheirDelay() public {
        IRegimeRiskOracle.Policy memory slow = _policy();
        slow.loosenDelaySeconds = 600;
        _changePolicy(BTC, slow);
        _warpTo(MONDAY + 1, 600);
        feed.sequencer(0, block.timestamp);
        _submit(modelId, _low());
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        assertEq(_params(BTC).ammFeePips, 10_000, "what readers saw before it");
        vm.warp(block.timestamp + 600);
        assertEq(_params(BTC).ammFeePips, 500);
    }

    function testFuzz_UpdatesLandWhateverTheFeedSays(int256 down, uint256 startedAt) public {
        feed.sequencer(down, startedAt);
        _warpTo(MONDAY + 1, 75);
        _submit(modelId, _high());
        assertEq(_params(BTC).period, MONDAY + 1);
        assertEq(_params(BTC).regime, 1);
    }

    function _assertSeen(int256 down, uint256 startedAt, IRiskParameters.Status expected) private {
        feed.sequencer(down, startedAt);
        _assertStatus(BTC, expected);
    }
}
