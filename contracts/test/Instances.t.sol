// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {OracleFixture} from "./OracleFixture.sol";
import {packed, packedOutputs, setFeature, setOutput} from "./Packed.sol";

/// @notice The public inputs that the contract builds itself. Specification: Instances.tree.
contract InstancesTest is OracleFixture {
    int128 private constant OUTPUT_LIMIT = 64 * ONE;

    string private _vectors = vm.readFile("contracts/test/vectors/instances.json");
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _propose(_spec(_btc()));
    }

    /* LAYOUT */

    /// @dev Rust tests the same file.
    function test_SharedVectors() public {
        uint256 count = 0;
        uint256[9] memory seen;
        for (; vm.keyExistsJson(_vectors, _key(count, "period")); ++count) {
            uint256 markets = _uint(count, "market_count");
            ++seen[markets];
            IModelRegistry.ModelSpec memory spec = _spec(_register(markets));
            spec.featureCount = uint16(_uint(count, "candle_feature_count"));
            spec.calendarFeatureCount = uint16(_uint(count, "calendar_feature_count"));
            spec.outputScale = uint8(_uint(count, "output_scale"));
            spec.featureBound = uint32(_uint(count, "feature_bound"));
            spec.calendarTable = packed(_small(vm.parseJsonIntArray(_vectors, _key(count, "calendar_table"))));
            assertEq(
                registry.instancesOf(
                    _propose(spec),
                    uint64(_uint(count, "period")),
                    packed(_small(vm.parseJsonIntArray(_vectors, _key(count, "candle_features")))),
                    packedOutputs(_large(vm.parseJsonIntArray(_vectors, _key(count, "outputs"))))
                ),
                vm.parseJsonUintArray(_vectors, _key(count, "instances"))
            );
        }
        assertTrue(seen[1] > 0 && seen[3] > 0 && seen[8] > 0);
    }

    function test_CalendarRowsOfKnownMoments() public view {
        _assertSlot(0, 0); // Thursday 1970-01-01 00:00
        _assertSlot(14_399, 0); // Thursday 1970-01-01 03:59:59
        _assertSlot(1_672_531_200, 18); // Sunday 2023-01-01 00:00
        _assertSlot(1_709_208_000, 3); // Thursday 2024-02-29 12:00
        _assertSlot(1_722_816_000, 24); // Monday 2024-08-05 00:00
        _assertSlot(1_731_096_000, 11); // Friday 2024-11-08 20:00
        _assertSlot(1_731_110_399, 11); // Friday 2024-11-08 23:59:59
        _assertSlot(1_731_110_400, 12); // Saturday 2024-11-09 00:00
    }

    function testFuzz_TheCalendarFollowsThePeriodAlone(uint64 period) public view {
        _assertSlotOfPeriod(period, period % 42);
    }

    /// @dev A quarter of an hour, an hour: rows of their own, which begin on Thursday as well.
    function test_AGridOfItsOwn() public {
        uint32[3] memory lengths = [uint32(900), 3600, 86_400];
        for (uint256 i = 0; i < lengths.length; ++i) {
            IModelRegistry.ModelSpec memory spec = _spec(_btc());
            spec.periodSeconds = lengths[i];
            spec.featureBound = uint32(type(int32).max);
            uint256 rows = 604_800 / lengths[i];
            spec.calendarTable = _calendarTable(rows);
            bytes32 id = _propose(spec);
            for (uint256 n = 0; n < 3; ++n) {
                uint64 period = uint64(MONDAY * PERIOD_SECONDS / lengths[i] + n * (rows - 1) / 2);
                uint256[] memory instances = registry.instancesOf(id, period, _candles(3), new bytes(48));
                assertEq(FieldLib.decode(instances[3]), _calendarEntry(period % rows, 0));
                assertEq(FieldLib.decode(instances[4]), _calendarEntry(period % rows, 1));
            }
        }
    }

    function test_AModelMayHaveNoCalendar() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btcAndEth());
        spec.calendarFeatureCount = 0;
        spec.calendarTable = "";
        uint256[] memory instances = registry.instancesOf(_propose(spec), MONDAY, _candles(6), new bytes(96));
        assertEq(instances.length, 12);
        int32[6] memory features = [int32(1), -2, 3, -4, 5, -6];
        for (uint256 i = 0; i < 6; ++i) {
            assertEq(FieldLib.decode(instances[i]), features[i]);
            assertEq(instances[6 + i], 0);
        }
    }

    function testFuzz_ElementsDecodeToWhatWasGiven(int32[3] memory features, int128[3] memory outputs) public view {
        int32[] memory given = new int32[](3);
        int128[] memory results = new int128[](3);
        for (uint256 i = 0; i < 3; ++i) {
            given[i] = int32(bound(features[i], -int256(uint256(FEATURE_BOUND)), int256(uint256(FEATURE_BOUND))));
            results[i] = int128(bound(outputs[i], -OUTPUT_LIMIT + 1, OUTPUT_LIMIT - 1));
        }
        uint256[] memory instances = registry.instancesOf(modelId, MONDAY, packed(given), packedOutputs(results));
        assertEq(instances.length, 8);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(FieldLib.decode(instances[i]), given[i]);
            assertEq(FieldLib.decode(instances[5 + i]), results[i]);
        }
    }

    /* COUNTS AND RANGES */

    function testFuzz_RevertWhen_TheFeaturesLengthIsWrong(uint8 length) public {
        vm.assume(length != 12);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.FeaturesLengthMismatch.selector, 12, length));
        registry.instancesOf(modelId, MONDAY, new bytes(length), new bytes(48));
    }

    function testFuzz_RevertWhen_TheOutputsLengthIsWrong(uint8 length) public {
        vm.assume(length != 48);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.OutputsLengthMismatch.selector, 48, length));
        registry.instancesOf(modelId, MONDAY, _candles(3), new bytes(length));
    }

    function testFuzz_FeatureRange(int32 value, uint256 index) public {
        bytes32 both = _propose(_spec(_btcAndEth()));
        index = bound(index, 0, 5);
        int32 limit = int32(FEATURE_BOUND);
        int32[7] memory edges = [value, limit, -limit, limit + 1, -limit - 1, type(int32).max, type(int32).min];
        for (uint256 i = 0; i < edges.length; ++i) {
            bytes memory features = _candles(6);
            setFeature(features, index, edges[i]);
            if (edges[i] < -limit || edges[i] > limit) _expectFeatureOutOfRange(index, edges[i]);
            registry.instancesOf(both, MONDAY, features, new bytes(96));
        }
    }

    function testFuzz_OutputRange(int128 value, uint256 index) public {
        bytes32 both = _propose(_spec(_btcAndEth()));
        index = bound(index, 0, 5);
        int128 limit = OUTPUT_LIMIT;
        int128[7] memory edges = [value, limit - 1, 1 - limit, limit, -limit, type(int128).max, type(int128).min];
        for (uint256 i = 0; i < edges.length; ++i) {
            bytes memory outputs = new bytes(96);
            setOutput(outputs, index, edges[i]);
            if (edges[i] <= -limit || edges[i] >= limit) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        IModelRegistry.OutputOutOfRange.selector, index, edges[i], uint256(int256(limit))
                    )
                );
            }
            registry.instancesOf(both, MONDAY, _candles(6), outputs);
        }
    }

    function test_TheFirstOffenderIsNamed() public {
        bytes32 both = _propose(_spec(_btcAndEth()));
        bytes memory features = _candles(6);
        setFeature(features, 4, type(int32).min);
        setFeature(features, 5, type(int32).max);
        bytes memory outputs = new bytes(96);
        setOutput(outputs, 0, OUTPUT_LIMIT);
        _expectFeatureOutOfRange(4, type(int32).min);
        registry.instancesOf(both, MONDAY, features, outputs);
    }

    /* HELPERS */

    function _propose(IModelRegistry.ModelSpec memory spec) private returns (bytes32) {
        vm.prank(OWNER);
        return registry.proposeModel(spec, 0);
    }

    /// @dev Markets with policies; those that exist are taken as they are.
    function _register(uint256 count) private returns (bytes32[] memory markets) {
        markets = new bytes32[](count);
        vm.startPrank(OWNER);
        for (uint256 i = 0; i < count; ++i) {
            markets[i] = keccak256(abi.encode("market", i));
            if (oracle.marketOwner(markets[i]) != address(0)) continue;
            oracle.registerMarket(markets[i], OWNER, _bounds());
            oracle.setPolicy(markets[i], _policy());
        }
        vm.stopPrank();
    }

    function _assertSlot(uint256 time, uint256 slot) private view {
        _assertSlotOfPeriod(uint64(time / PERIOD_SECONDS), slot);
    }

    function _assertSlotOfPeriod(uint64 period, uint256 slot) private view {
        uint256[] memory instances = registry.instancesOf(modelId, period, _candles(3), new bytes(48));
        assertEq(FieldLib.decode(instances[3]), _calendarEntry(slot, 0));
        assertEq(FieldLib.decode(instances[4]), _calendarEntry(slot, 1));
    }

    function _expectFeatureOutOfRange(uint256 index, int256 value) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.FeatureOutOfRange.selector, index, value, FEATURE_BOUND));
    }

    function _uint(uint256 index, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(_vectors, _key(index, field));
    }

    function _key(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("[", vm.toString(index), "].", field);
    }

    function _small(int256[] memory values) private pure returns (int32[] memory small) {
        small = new int32[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            small[i] = int32(values[i]);
        }
    }

    function _large(int256[] memory values) private pure returns (int128[] memory large) {
        large = new int128[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            large[i] = int128(values[i]);
        }
    }
}
