// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IAggregatorV3} from "../src/interfaces/external/IAggregatorV3.sol";
import {PriceLib} from "../src/libraries/PriceLib.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice What feeds say, and what is made of feeds that say nothing. Specification: PriceLib.tree.
contract PriceLibTest is Test {
    uint256 private constant NOW = 1_722_816_000;
    uint32 private constant MAX_AGE = 1 hours;
    uint256 private constant CLOSE_E8 = 60_000e8;
    int256 private constant ANSWER_E8 = 60_000e8;

    MockFeed private feed;
    IRegimeRiskOracle.PriceCheck private priceCheck;

    function setUp() public {
        vm.warp(NOW);
        feed = new MockFeed();
        feed.price(ANSWER_E8, 8, NOW);
        priceCheck = IRegimeRiskOracle.PriceCheck({feed: address(feed), toleranceBps: 100, maxAgeSeconds: MAX_AGE});
    }

    /* REGISTRATION */

    function test_NoFeedNeedsNoSettings() public {
        delete priceCheck;
        this.check(priceCheck);
    }

    function test_RevertWhen_ToleranceIsOutOfRange() public {
        priceCheck.toleranceBps = 1;
        this.check(priceCheck);
        priceCheck.toleranceBps = 10_000;
        this.check(priceCheck);
        priceCheck.toleranceBps = 10_001;
        _expectInvalid("toleranceBps");
        priceCheck.toleranceBps = 0;
        _expectInvalid("toleranceBps");
    }

    function test_RevertWhen_NoAgeIsAllowed() public {
        priceCheck.maxAgeSeconds = 1;
        this.check(priceCheck);
        priceCheck.maxAgeSeconds = 0;
        _expectInvalid("maxAgeSeconds");
    }

    function test_RevertWhen_FeedHasTooManyDecimals() public {
        feed.price(ANSWER_E8, 18, NOW);
        this.check(priceCheck);
        feed.price(ANSWER_E8, 19, NOW);
        _expectInvalid("feed");
    }

    function test_RevertWhen_FeedDoesNotAnswer() public {
        feed.fail(IAggregatorV3.decimals.selector, MockFeed.Failure.RevertReason);
        vm.expectRevert(bytes("no"));
        this.check(priceCheck);
        priceCheck.feed = makeAddr("no contract");
        vm.expectRevert();
        this.check(priceCheck);
    }

    /* AGREEMENT */

    function test_ToleranceIsInclusive() public {
        assertTrue(_agrees(60_600e8));
        assertFalse(_agrees(60_600e8 + 1));
        assertTrue(_agrees(59_400e8));
        assertFalse(_agrees(59_400e8 - 1));
        priceCheck.toleranceBps = 10_000;
        assertTrue(_agrees(0));
        assertTrue(_agrees(120_000e8));
        assertFalse(_agrees(120_000e8 + 1));
    }

    function testFuzz_AgreesExactlyWithinTheTolerance(uint64 closeE8, int256 answer, uint256 decimals, uint16 tolerance)
        public
    {
        decimals = bound(decimals, 0, 18);
        answer = bound(answer, 1, int256(uint256(type(uint64).max)) * int256(10 ** decimals) / 1e8 + 1);
        closeE8 = uint64(bound(closeE8, 0, type(uint64).max));
        priceCheck.toleranceBps = uint16(bound(tolerance, 1, 10_000));
        feed.price(answer, decimals, NOW);
        uint256 fed = uint256(answer) * 1e8;
        uint256 close = uint256(closeE8) * 10 ** decimals;
        uint256 slack = fed * priceCheck.toleranceBps;
        bool within = close * 10_000 <= fed * 10_000 + slack && close * 10_000 + slack >= fed * 10_000;
        assertEq(_agrees(closeE8), within);
    }

    /// @dev The same price, at every number of decimals that a feed may have.
    function test_DecimalsAreOnlyAUnit() public {
        for (uint256 decimals = 0; decimals <= 18; ++decimals) {
            feed.price(int256(60_000 * 10 ** decimals), decimals, NOW);
            assertTrue(_agrees(60_000e8));
            assertTrue(_agrees(60_600e8));
            assertFalse(_agrees(60_600e8 + 1));
            assertFalse(_agrees(59_400e8 - 1));
        }
    }

    function test_WholeDollarsOfAFeedWithoutDecimals() public {
        feed.price(2, 0, NOW);
        priceCheck.toleranceBps = 5000;
        assertTrue(_agrees(1e8));
        assertFalse(_agrees(1e8 - 1));
        assertTrue(_agrees(3e8));
        assertFalse(_agrees(3e8 + 1));
    }

    /* ANSWERS THAT DO NOT COUNT */

    function test_RefusesAnswersThatAreNoPrice() public {
        int256[4] memory none = [int256(0), -1, -ANSWER_E8, type(int256).min];
        for (uint256 i = 0; i < none.length; ++i) {
            feed.price(none[i], 8, NOW);
            assertFalse(_agrees(CLOSE_E8));
            assertFalse(_agrees(0));
        }
    }

    /// @dev The largest answers neither overflow nor agree by overflowing.
    function testFuzz_HugeAnswersNeverAgree(int256 answer, uint64 closeE8, uint8 decimals) public {
        answer = bound(answer, int256(type(int128).max) - 5, type(int256).max);
        priceCheck.toleranceBps = 9999;
        feed.price(answer, bound(decimals, 0, 18), NOW);
        assertFalse(_agrees(closeE8));
        feed.price(type(int256).max, 0, NOW);
        assertFalse(_agrees(closeE8));
    }

    function test_TheLargestAnswerIsThatOfAnInt128() public {
        priceCheck.toleranceBps = 10_000;
        feed.price(type(int128).max, 18, NOW);
        assertTrue(_agrees(0), "a tolerance of everything");
        feed.price(int256(type(int128).max) + 1, 18, NOW);
        assertFalse(_agrees(0));
    }

    function test_RefusesOldAnswersAndThoseOfTheFuture() public {
        feed.price(ANSWER_E8, 8, NOW - MAX_AGE);
        assertTrue(_agrees(CLOSE_E8));
        feed.price(ANSWER_E8, 8, NOW - MAX_AGE - 1);
        assertFalse(_agrees(CLOSE_E8));
        feed.price(ANSWER_E8, 8, 0);
        assertFalse(_agrees(CLOSE_E8));
        feed.price(ANSWER_E8, 8, NOW + 1);
        assertFalse(_agrees(CLOSE_E8));
        feed.price(ANSWER_E8, 8, type(uint256).max);
        assertFalse(_agrees(CLOSE_E8));
    }

    /// @dev A feed may be replaced behind its proxy after registration.
    function test_RefusesDecimalsThatChangedToNonsense() public {
        feed.price(type(int128).max, 18, NOW);
        priceCheck.toleranceBps = 10_000;
        assertTrue(_agrees(0));
        feed.price(type(int128).max, 19, NOW);
        assertFalse(_agrees(0));
        feed.price(type(int128).max, type(uint256).max, NOW);
        assertFalse(_agrees(0));
    }

    function test_RefusesFeedsThatFail() public {
        bytes4[2] memory selectors = [IAggregatorV3.latestRoundData.selector, IAggregatorV3.decimals.selector];
        for (uint256 i = 0; i < selectors.length; ++i) {
            for (uint8 failure = 1; failure <= uint8(type(MockFeed.Failure).max); ++failure) {
                if (MockFeed.Failure(failure) == MockFeed.Failure.ReturnHuge) continue;
                feed.fail(selectors[i], MockFeed.Failure(failure));
                assertFalse(_agrees(CLOSE_E8));
            }
            feed.fail(selectors[i], MockFeed.Failure.None);
            assertTrue(_agrees(CLOSE_E8));
        }
    }

    function test_RefusesAFeedWithoutCode() public {
        priceCheck.feed = makeAddr("no contract");
        assertFalse(_agrees(CLOSE_E8));
    }

    /// @dev Neither all the gas of a call nor all the memory that it can fill costs the asker more than a bounded sum.
    function test_FailingFeedsCostBoundedGas() public {
        bytes4[2] memory selectors = [IAggregatorV3.latestRoundData.selector, IAggregatorV3.decimals.selector];
        MockFeed.Failure[2] memory failures = [MockFeed.Failure.BurnAllGas, MockFeed.Failure.ReturnHuge];
        for (uint256 i = 0; i < 4; ++i) {
            feed.fail(selectors[i % 2], failures[i / 2]);
            this.agrees{gas: 210_000}(priceCheck, CLOSE_E8);
            feed.fail(selectors[i % 2], MockFeed.Failure.None);
        }
    }

    /* THE SEQUENCER */

    function testFuzz_SequencerVouchesExactlyIfUpSinceBeforeTheUpdate(int256 down, uint256 startedAt, uint256 landedAt)
        public
    {
        if (down % 4 != 0) down = 0;
        feed.sequencer(down, startedAt);
        bool expected = down == 0 && startedAt != 0 && startedAt <= landedAt;
        assertEq(PriceLib.sequencerUpSince(address(feed), landedAt), expected);
    }

    function test_SequencerBoundaries() public {
        _assertVouches(0, NOW, NOW, true);
        _assertVouches(0, NOW + 1, NOW, false);
        _assertVouches(0, NOW - 1, NOW, true);
        _assertVouches(0, 1, NOW, true);
        _assertVouches(0, 0, NOW, false);
        _assertVouches(1, NOW - 1, NOW, false);
        _assertVouches(-1, NOW - 1, NOW, false);
    }

    function test_NoUsableAnswerDoesNotVouch() public {
        feed.sequencer(0, 1);
        assertTrue(PriceLib.sequencerUpSince(address(feed), NOW));
        for (uint8 failure = 1; failure <= uint8(type(MockFeed.Failure).max); ++failure) {
            if (MockFeed.Failure(failure) == MockFeed.Failure.ReturnHuge) continue;
            feed.fail(IAggregatorV3.latestRoundData.selector, MockFeed.Failure(failure));
            assertFalse(PriceLib.sequencerUpSince(address(feed), NOW));
        }
        assertFalse(PriceLib.sequencerUpSince(makeAddr("no contract"), NOW));
    }

    /* HELPERS */

    function check(IRegimeRiskOracle.PriceCheck memory checked) external view {
        PriceLib.check(checked);
    }

    function agrees(IRegimeRiskOracle.PriceCheck memory checked, uint256 closeE8) external view returns (bool) {
        return PriceLib.agrees(checked, closeE8);
    }

    function _agrees(uint256 closeE8) private view returns (bool) {
        return PriceLib.agrees(priceCheck, closeE8);
    }

    function _assertVouches(int256 down, uint256 startedAt, uint256 landedAt, bool expected) private {
        feed.sequencer(down, startedAt);
        assertEq(PriceLib.sequencerUpSince(address(feed), landedAt), expected);
    }

    function _expectInvalid(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, field));
        this.check(priceCheck);
    }
}
