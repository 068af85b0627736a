// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice Which specifications work, and that they are stored to the last bit. Specification: ModelSpec.tree.
contract ModelSpecTest is OracleFixture {
    uint32 private constant INT32_MAX = uint32(type(int32).max);

    /* WHAT CANNOT WORK */

    function test_RevertWhen_TheVerifierHasNoCode() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        (spec.verifier, spec.verifierCodeHash) = (STRANGER, STRANGER.codehash);
        _expectInvalid(spec, "verifier");
    }

    function testFuzz_RevertWhen_TheVerifiersCodeIsAnother(bytes32 codeHash) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        vm.assume(codeHash != spec.verifierCodeHash);
        spec.verifierCodeHash = codeHash;
        _expectRefusal(
            spec,
            abi.encodeWithSelector(
                IModelRegistry.VerifierCodeChanged.selector, verifier, codeHash, address(verifier).codehash
            )
        );
    }

    function testFuzz_PeriodsDivideAWeek(uint32 periodSeconds) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        (spec.calendarFeatureCount, spec.calendarTable) = (0, "");
        uint32[7] memory edges = [periodSeconds, 0, 1, 900, 86_400, 604_800, 604_801];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.periodSeconds = edges[i];
            _expectValidIf(edges[i] != 0 && 604_800 % edges[i] == 0, spec, "periodSeconds");
        }
    }

    function testFuzz_OutputCount(uint8 count) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        uint8[4] memory edges = [count, 0, 16, 17];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.outputCount = edges[i];
            _expectValidIf(edges[i] >= 1 && edges[i] <= 16, spec, "outputCount");
        }
    }

    function test_RevertWhen_TheVerifierGetsNoGas() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.verifierGas = 0;
        _expectInvalid(spec, "verifierGas");
    }

    /// @dev 8 calendar features each quarter of an hour, and not one more: the table must fit a data contract.
    function test_TheLargestTable() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        (spec.periodSeconds, spec.calendarFeatureCount) = (900, 8);
        spec.calendarTable = new bytes(672 * 8 * 4);
        _expectValidIf(true, spec, "");
        spec.calendarFeatureCount = 9;
        spec.calendarTable = new bytes(672 * 9 * 4);
        _expectInvalid(spec, "calendarTable");
    }

    function testFuzz_CandleFeatureCount(uint16 count) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        uint16[5] memory edges = [count, 0, 1, 256, 257];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.featureCount = edges[i];
            _expectValidIf(edges[i] >= 1 && edges[i] <= 256, spec, "featureCount");
        }
    }

    function testFuzz_CalendarFeatureCount(uint16 count) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        uint16[4] memory edges = [uint16(bound(count, 0, 64)), 0, 16, 17];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.calendarFeatureCount = edges[i];
            spec.calendarTable = new bytes(168 * uint256(edges[i]));
            _expectValidIf(edges[i] <= 16, spec, "calendarFeatureCount");
        }
    }

    function testFuzz_OutputScale(uint8 outputScale) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        uint8[4] memory edges = [outputScale, 0, 120, 121];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.outputScale = edges[i];
            _expectValidIf(edges[i] <= 120, spec, "outputScale");
        }
    }

    function testFuzz_FeatureBound(uint32 featureBound) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.calendarTable = new bytes(336);
        uint32[5] memory edges = [featureBound, 0, 1, INT32_MAX, INT32_MAX + 1];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.featureBound = edges[i];
            _expectValidIf(edges[i] >= 1 && edges[i] <= INT32_MAX, spec, "featureBound");
        }
    }

    function testFuzz_ProofLength(uint32 proofLength) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        uint32[6] memory edges = [proofLength, 0, 31, 32, 33, type(uint32).max - 31];
        for (uint256 i = 0; i < edges.length; ++i) {
            spec.proofLength = edges[i];
            _expectValidIf(edges[i] % 32 == 0, spec, "proofLength");
        }
    }

    function test_RevertWhen_ThereAreNoMarketsOrTooMany() public {
        _expectInvalid(_spec(new bytes32[](0)), "markets");
        bytes32[] memory markets = _register(33);
        _expectInvalid(_spec(markets), "markets");
        assembly ("memory-safe") {
            mstore(markets, 32)
        }
        _expectValidIf(true, _spec(markets), "");
    }

    function testFuzz_RevertWhen_AMarketIsListedTwice(uint256 first, uint256 second) public {
        bytes32[] memory markets = _register(5);
        first = bound(first, 0, 4);
        second = bound(second, 0, 4);
        vm.assume(first != second);
        markets[second] = markets[first];
        _expectInvalid(_spec(markets), "markets");
    }

    function test_RevertWhen_TheCalendarTableHasAnotherSize() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        uint256[4] memory sizes = [uint256(0), 335, 337, 340];
        for (uint256 i = 0; i < sizes.length; ++i) {
            spec.calendarTable = new bytes(sizes[i]);
            _expectInvalid(spec, "calendarTable");
        }
        spec.calendarFeatureCount = 0;
        spec.calendarTable = new bytes(4);
        _expectInvalid(spec, "calendarTable");
    }

    function testFuzz_CalendarEntriesLieWithinTheBound(int32 entry, uint256 index) public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        index = bound(index, 0, 83);
        int32 limit = int32(FEATURE_BOUND);
        int32[7] memory edges = [entry, limit, -limit, limit + 1, -limit - 1, type(int32).max, type(int32).min];
        for (uint256 i = 0; i < edges.length; ++i) {
            _setEntry(spec.calendarTable, index, edges[i]);
            if (edges[i] >= -limit && edges[i] <= limit) {
                _expectValidIf(true, spec, "");
                continue;
            }
            _expectRefusal(
                spec, abi.encodeWithSelector(IModelRegistry.FeatureOutOfRange.selector, index, edges[i], FEATURE_BOUND)
            );
        }
    }

    /* WHAT IS STORED */

    function testFuzz_ASpecificationSurvivesStorage(
        bytes32[5] calldata digests,
        uint8 calendarCount,
        uint8 marketCount,
        int32 entrySeed,
        uint8 inputScale
    ) public {
        IModelRegistry.ModelSpec memory spec = _spec(_register(bound(marketCount, 1, 32)));
        (spec.manifestSha256, spec.verifyingKeySha256) = (digests[0], digests[1]);
        (spec.onnxSha256, spec.settingsSha256, spec.featureSpecSha256) = (digests[2], digests[3], digests[4]);
        spec.inputScale = inputScale;
        spec.featureBound = INT32_MAX;
        spec.calendarFeatureCount = uint16(bound(calendarCount, 0, 16));
        spec.calendarTable = new bytes(168 * uint256(spec.calendarFeatureCount));
        for (uint256 i = 0; i < 42 * uint256(spec.calendarFeatureCount); ++i) {
            int256 entry = int32(uint32(uint256(keccak256(abi.encode(entrySeed, i)))));
            _setEntry(
                spec.calendarTable, i, int32(bound(entry, -int256(uint256(INT32_MAX)), int256(uint256(INT32_MAX))))
            );
        }
        _expectValidIf(true, spec, "");
    }

    /// @dev 32 markets of 256 candle and 16 calendar features: stored, activated and updated.
    function test_TheLargestModelWorks() public {
        IModelRegistry.ModelSpec memory spec = _spec(_register(32));
        spec.featureCount = 256;
        spec.calendarFeatureCount = 16;
        spec.calendarTable = new bytes(168 * 16);
        for (uint256 i = 0; i < 42 * 16; ++i) {
            _setEntry(spec.calendarTable, i, -int32(uint32(i)));
        }
        vm.prank(OWNER);
        bytes32 modelId = registry.proposeModel(spec, 0);
        assertEq(abi.encode(registry.modelSpec(modelId)), abi.encode(spec));

        bytes memory features = _candles(32 * 256);
        bytes memory outputs = new bytes(16 * 32 * 3);
        uint256[] memory instances = registry.instancesOf(modelId, MONDAY, features, outputs);
        assertEq(instances.length, 32 * (256 + 16 + 3));
        verifier.acceptOnly(_proof(), instances);
        IModelRegistry.Update memory update = IModelRegistry.Update(modelId, MONDAY, 0, features, outputs, _proof(), "");
        registry.activateModel(update);
        update.attestations = _attest(update);
        oracle.submit(update);
        for (uint256 i = 0; i < 32; ++i) {
            (IRegimeRiskOracle.Params memory current,) = oracle.params(spec.markets[i]);
            assertEq(current.periodStart, MONDAY * PERIOD_SECONDS);
        }
    }

    /// @dev One bit anywhere but in the padding, 16 bytes here, makes another model.
    function testFuzz_EveryFieldIsPartOfTheName(uint256 word, uint8 bit) public view {
        bytes memory encoded = abi.encode(_spec(_btcAndEth()));
        bytes memory altered = bytes.concat(encoded);
        altered[bound(word, 0, encoded.length - 17)] ^= bytes1(uint8(1 << (bit % 8)));
        try this.nameOf(altered) returns (bytes32 name) {
            assertTrue(name != keccak256(encoded));
        } catch {} // not a specification at all
    }

    function nameOf(bytes calldata encoded) external pure returns (bytes32) {
        return keccak256(abi.encode(abi.decode(encoded, (IModelRegistry.ModelSpec))));
    }

    /* HELPERS */

    function _setEntry(bytes memory table, uint256 index, int32 entry) private pure {
        for (uint256 i = 0; i < 4; ++i) {
            table[4 * index + i] = bytes4(uint32(entry))[i];
        }
    }

    /// @dev New markets with policies.
    function _register(uint256 count) private returns (bytes32[] memory markets) {
        markets = new bytes32[](count);
        vm.startPrank(OWNER);
        for (uint256 i = 0; i < count; ++i) {
            markets[i] = keccak256(abi.encode("market", i));
            oracle.registerMarket(markets[i], OWNER, _bounds());
            oracle.setPolicy(markets[i], _policy());
        }
        vm.stopPrank();
    }

    /// @dev Proposes it; keeps no trace.
    function _expectValidIf(bool valid, IModelRegistry.ModelSpec memory spec, string memory field) private {
        if (!valid) return _expectInvalid(spec, field);
        uint256 snapshot = vm.snapshotState();
        vm.prank(OWNER);
        bytes32 modelId = registry.proposeModel(spec, 0);
        bytes memory stored = abi.encode(registry.modelSpec(modelId));
        assertEq(stored, abi.encode(spec));
        assertEq(keccak256(stored), modelId);
        vm.revertToState(snapshot);
    }

    function _expectInvalid(IModelRegistry.ModelSpec memory spec, string memory field) private {
        _expectRefusal(spec, abi.encodeWithSelector(IModelRegistry.InvalidModelSpec.selector, field));
    }

    function _expectRefusal(IModelRegistry.ModelSpec memory spec, bytes memory reason) private {
        vm.prank(OWNER);
        vm.expectRevert(reason);
        registry.proposeModel(spec, 0);
    }
}
