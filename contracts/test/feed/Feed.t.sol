// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Feed} from "../../src/Feed.sol";
import {IFeed} from "../../src/interfaces/IFeed.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {FeedFixture} from "./FeedFixture.sol";

/// @notice Publication and reading of forecasts. Specification: Feed.tree.
contract FeedTest is FeedFixture {
    /* CONSTRUCTION */

    function test_KeepsItsArguments() public view {
        assertEq(address(feed.registry()), address(registry));
        assertEq(feed.strategy(), keccak256("aave"));
        assertEq(feed.PURPOSE(), keccak256("strategy-yield/1"));
    }

    function test_RefusesWhatCannotWork() public {
        vm.expectRevert(abi.encodeWithSelector(IFeed.InvalidConfiguration.selector, "registry"));
        new Feed(IModelRegistry(RELAYER), "aave");
        vm.expectRevert(abi.encodeWithSelector(IFeed.InvalidConfiguration.selector, "name"));
        new Feed(registry, "");
    }

    /* PUBLICATION */

    /// @dev By hand: z = ln 6 + 0.1, deviation e^-2, half an interval 2 e^-1.
    function test_AForecastIsPublishedAndTold() public {
        IModelRegistry.Update memory update = _update(modelId, _outputs(100, -2000));
        IFeed.Level memory level = _level();
        bytes memory attestations = _attestationOf(update, level);
        vm.expectEmit(address(feed));
        emit IFeed.ForecastUsed(modelId, PERIOD, update.features, update.outputs, keccak256(update.proof));
        vm.prank(RELAYER);
        IFeed.Forecast memory forecast = feed.publish(update, level, attestations);
        assertEq(abi.encode(feed.latest()), abi.encode(forecast));
        assertEq(forecast.periodStart, PERIOD * DAY);
        assertEq(forecast.updatedAt, block.timestamp);
        assertEq(forecast.dataDay, PERIOD - 1);
        // 6 e^0.1 - 1 = 5.631 %; e^-2 of 6.631 points = 0.8974; z between 1.156 and 2.627.
        assertApproxEqAbs(forecast.apyE8, 5_631_025, 2);
        assertApproxEqAbs(forecast.volatilityE8, 897_411, 2);
        assertApproxEqAbs(forecast.lowE8, 2_177_200, 2);
        assertApproxEqAbs(forecast.highE8, 12_839_382, 2);
    }

    function test_NegativeRatesAreBelowZero() public {
        IModelRegistry.Update memory update = _update(modelId, _outputs(0, -2000));
        IFeed.Level memory level = _level();
        level.levelE9 = -level.levelE9;
        IFeed.Forecast memory forecast = _publish(feed, update, level);
        assertApproxEqAbs(forecast.apyE8, -5_000_000, 2);
        assertLt(forecast.lowE8, forecast.apyE8);
        assertGt(forecast.highE8, forecast.apyE8);
    }

    function test_APeriodIsPublishedOnce() public {
        _publish(0, 0);
        IModelRegistry.Update memory again = _update(modelId, _outputs(50, 0));
        bytes memory done = abi.encodeWithSelector(IFeed.PeriodDone.selector, PERIOD * DAY, PERIOD * DAY);
        _expectRefusal(feed, again, _level(), _attestationOf(again, _level()), done);
        vm.warp(block.timestamp + DAY);
        assertEq(_publish(50, 0).periodStart, (PERIOD + 1) * DAY);
    }

    function test_RefusesWhatTheRegistryRefuses() public {
        IFeed.Level memory level = _level();
        IModelRegistry.Update memory update = _update(modelId, _outputs(0, 0));
        bytes memory attested = _attestationOf(update, level);
        verifier.acceptOnly("", new uint256[](0));
        _expectRefusal(feed, update, level, attested, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        verifier.acceptAny();
        IModelRegistry.Update memory altered = _update(modelId, _outputs(0, 0));
        altered.outputs = _update(modelId, _outputs(1, 0)).outputs;
        bytes memory foreign = abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor);
        _expectRefusal(feed, altered, level, attested, foreign);
        // A level that nobody stated, of this period or of another.
        IFeed.Level memory better = _level();
        better.levelE9 += 1;
        _expectRefusal(feed, update, better, attested, foreign);
        vm.warp(block.timestamp + DAY);
        IFeed.Level memory next = _level();
        _expectRefusal(feed, _update(modelId, _outputs(0, 0)), next, attested, foreign);
    }

    function test_RefusesDataThatAreTooOldOrOfTheFuture() public {
        IFeed.Level memory level = _level();
        for (uint32 day = uint32(PERIOD - 9); day < PERIOD + 3; ++day) {
            level.day = day;
            if (day + 7 >= PERIOD && day < PERIOD) continue;
            _expectRefusal(level, abi.encodeWithSelector(IFeed.DataOutOfTime.selector, day, PERIOD));
        }
        level.day = uint32(PERIOD - 7);
        assertEq(_publish(feed, _update(modelId, _outputs(0, 0)), level).dataDay, PERIOD - 7);
    }

    function test_RefusesLevelsOutOfAllBounds() public {
        bytes memory invalid = abi.encodeWithSelector(IFeed.InvalidLevel.selector);
        IFeed.Level memory level = _level();
        int64[4] memory levels = [int64(8e9 + 1), -8e9 - 1, type(int64).max, type(int64).min];
        for (uint256 i = 0; i < levels.length; ++i) {
            level.levelE9 = levels[i];
            _expectRefusal(level, invalid);
        }
        level = _level();
        level.factorE9 = 100e9 + 1;
        _expectRefusal(level, invalid);
    }

    /// @dev What lies on a bound is inside: the rate is then the largest that there is, and so are both ends of its interval.
    function test_TakesLevelsAndFactorsOnTheirBounds() public {
        uint256 snapshot = vm.snapshotState();
        int64[2] memory ends = [int64(8e9), -8e9];
        for (uint256 i = 0; i < ends.length; ++i) {
            IFeed.Level memory level = _level();
            (level.levelE9, level.factorE9) = (ends[i], 100e9);
            IFeed.Forecast memory forecast = _publish(feed, _update(modelId, _outputs(0, 0)), level);
            // e^8 - 1 percent: an interval of a hundred sizes holds every rate.
            assertEq(forecast.apyE8, ends[i] > 0 ? int256(2_979_957_987) : -int256(2_979_957_987));
            assertEq(forecast.highE8, 2_979_957_987);
            assertEq(forecast.lowE8, -2_979_957_987);
            assertTrue(vm.revertToState(snapshot));
        }
    }

    /* STRATEGIES */

    /// @dev The proof covers the computation, not the data: the very same proof, features and outputs are good for either
    /// strategy, and what tells them apart is signed. Without attestations of its own model nothing lands.
    function test_AProofOfOneStrategyNeverPassesForAnother() public {
        IFeed.Level memory level = _level();
        IModelRegistry.Update memory mine = _update(modelId, _outputs(100, 0));
        bytes memory attested = _attestationOf(mine, level);
        // As it is, the other strategy's feed takes it for a foreign model's.
        _expectRefusal(other, mine, level, attested, abi.encodeWithSelector(IFeed.ForeignModel.selector, modelId));
        // Called the other strategy's, its attestations are no longer those of the update.
        IModelRegistry.Update memory passed = _update(modelId, _outputs(100, 0));
        passed.modelId = otherModelId;
        bytes memory foreign = abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor);
        _expectRefusal(other, passed, level, attested, foreign);
        // With the update's own attestations, the level's are still of the first strategy.
        passed.attestations = _attestationOf(passed);
        _expectRefusal(other, passed, level, attested, foreign);
        // Attestors who state both let the same proof land: it says nothing of where features come from.
        assertEq(passed.proof, mine.proof);
        assertEq(_publish(other, passed, level).apyE8, _publish(feed, mine, level).apyE8);
    }

    function test_RefusesModelsOfSomethingElse() public {
        IModelRegistry.ModelSpec[3] memory specs = [_spec("aave"), _spec("aave"), _spec("aave")];
        specs[0].purpose = keccak256("electricity-price/1");
        specs[1].outputCount = 2;
        specs[2].markets = new bytes32[](2);
        (specs[2].markets[0], specs[2].markets[1]) = (keccak256("aave"), keccak256("lido"));
        for (uint256 i = 0; i < specs.length; ++i) {
            bytes32 id = _register(specs[i]);
            IModelRegistry.Update memory update;
            update.modelId = id;
            bytes memory foreign = abi.encodeWithSelector(IFeed.ForeignModel.selector, id);
            _expectRefusal(feed, update, _level(), "", foreign);
        }
        IModelRegistry.Update memory unknown;
        unknown.modelId = keccak256("nobody's");
        bytes memory revertData = abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, unknown.modelId);
        _expectRefusal(feed, unknown, _level(), "", revertData);
    }

    /* READING */

    function test_ReadersSayHowOldAForecastMayBe() public {
        vm.expectRevert(IFeed.NoForecast.selector);
        feed.forecastNoOlderThan(type(uint256).max);
        assertEq(feed.latest().updatedAt, 0);
        IFeed.Forecast memory forecast = _publish(0, 0);
        assertEq(abi.encode(feed.forecastNoOlderThan(2 hours)), abi.encode(forecast));
        vm.expectRevert(abi.encodeWithSelector(IFeed.TooOld.selector, 2 hours, 2 hours - 1));
        feed.forecastNoOlderThan(2 hours - 1);
        vm.warp(block.timestamp + 3 * DAY);
        vm.expectRevert(abi.encodeWithSelector(IFeed.TooOld.selector, 3 * DAY + 2 hours, 2 * DAY));
        feed.forecastNoOlderThan(2 * DAY);
    }

    /// @dev Whatever attestors state and a model says, the interval holds the rate and nothing is beyond its bounds.
    function testFuzz_AnyForecastIsWithinBounds(int64 changeE3, int64 deviationE3, int64 levelE9, uint64 factorE9)
        public
    {
        changeE3 = int64(bound(changeE3, -60_000, 60_000));
        deviationE3 = int64(bound(deviationE3, -60_000, 60_000));
        IFeed.Level memory level = _level();
        level.levelE9 = int64(bound(levelE9, -8e9, 8e9));
        level.factorE9 = uint64(bound(factorE9, 0, 100e9));
        IFeed.Forecast memory forecast = _publish(feed, _update(modelId, _outputs(changeE3, deviationE3)), level);
        assertLe(forecast.lowE8, forecast.apyE8);
        assertGe(forecast.highE8, forecast.apyE8);
        assertLe(forecast.highE8, 2_979_957_988);
        assertGe(forecast.lowE8, -2_979_957_988);
        assertGt(forecast.volatilityE8, 0);
        assertLe(forecast.volatilityE8, 13_359_726_831);
    }

    /* GAS */

    /// @dev Without the proof: the verifier is a mock.
    function test_Gas() public {
        _publish(0, 0);
        uint256 first = vm.lastCallGas().gasTotalUsed;
        vm.warp(block.timestamp + DAY);
        _publish(100, -1000);
        uint256 next = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("Feed", "publish, the first", first);
        vm.snapshotValue("Feed", "publish, each after it", next);
        assertLe(first, 150_000);
        assertLe(next, 115_000);
    }
}
