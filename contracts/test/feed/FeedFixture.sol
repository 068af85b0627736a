// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {Feed} from "../../src/Feed.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {IFeed} from "../../src/interfaces/IFeed.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {packedOutputs, setFeature} from "../Packed.sol";
import {MockVerifier} from "../mocks/MockVerifier.sol";

/// @notice Feeds of two strategies whose models differ in nothing but the strategy, behind one mock verifier.
abstract contract FeedFixture is Test {
    uint256 internal constant DAY = 1 days;

    /// @dev 2025-07-31 00:00 UTC.
    uint64 internal constant PERIOD = 20_300;

    uint8 internal constant OUTPUT_SCALE = 29;
    uint256 internal constant FEATURES = 13;

    address internal immutable RELAYER = makeAddr("relayer");
    address internal immutable REGISTRY_OWNER = makeAddr("owner of the registry");

    ModelRegistry internal registry;
    MockVerifier internal verifier;
    Feed internal feed;
    Feed internal other;
    bytes32 internal modelId;
    bytes32 internal otherModelId;
    address internal attestor;
    uint256 internal attestorKey;

    function setUp() public virtual {
        vm.warp(PERIOD * DAY + 2 hours);
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        address[] memory attestors = new address[](1);
        attestors[0] = attestor;
        registry = new ModelRegistry(REGISTRY_OWNER, makeAddr("guardian"), 0, attestors, 1);
        verifier = new MockVerifier();
        (feed, other) = (new Feed(registry, "aave"), new Feed(registry, "lido"));
        (modelId, otherModelId) = (_register(_spec("aave")), _register(_spec("lido")));
    }

    /* SET-UP */

    function _spec(string memory strategy) internal view returns (IModelRegistry.ModelSpec memory spec) {
        spec.purpose = keccak256("strategy-yield/1");
        spec.verifier = address(verifier);
        spec.verifierCodeHash = address(verifier).codehash;
        spec.verifierGas = 1_000_000;
        spec.manifestSha256 = keccak256("manifest");
        spec.periodSeconds = uint32(DAY);
        spec.featureCount = uint16(FEATURES);
        spec.outputCount = 3;
        spec.inputScale = 13;
        spec.outputScale = OUTPUT_SCALE;
        spec.featureBound = 3 << 13;
        spec.proofLength = 64;
        spec.markets = new bytes32[](1);
        spec.markets[0] = keccak256(bytes(strategy));
    }

    /// @dev Proposed and activated; the mock accepts the smoke test's proof alone while it is tested.
    function _register(IModelRegistry.ModelSpec memory spec) internal returns (bytes32 id) {
        vm.prank(REGISTRY_OWNER);
        id = registry.proposeModel(spec, 0);
        IModelRegistry.Update memory smoke;
        smoke.modelId = id;
        smoke.features = new bytes(4 * spec.featureCount * spec.markets.length);
        smoke.outputs = new bytes(16 * spec.outputCount * spec.markets.length);
        smoke.proof = new bytes(spec.proofLength);
        verifier.acceptOnly(smoke.proof, registry.instancesOf(id, 0, smoke.features, smoke.outputs));
        registry.activateModel(smoke);
        verifier.acceptAny();
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

    /// @dev Attested, of the current period.
    function _update(bytes32 id, int128[] memory outputs) internal view returns (IModelRegistry.Update memory update) {
        update.modelId = id;
        update.period = uint64(block.timestamp / DAY);
        update.features = new bytes(4 * FEATURES);
        setFeature(update.features, 0, -5);
        update.outputs = packedOutputs(outputs);
        update.proof = new bytes(64);
        update.attestations = _attestationOf(update);
    }

    function _attestationOf(IModelRegistry.Update memory update) internal view returns (bytes memory) {
        uint256[] memory instances =
            registry.instancesOf(update.modelId, update.period, update.features, update.outputs);
        bytes32 hash = keccak256(abi.encodePacked(instances));
        return _signed(registry.attestationDigest(update.modelId, update.period, update.omittedMarkets, hash));
    }

    function _attestationOf(IModelRegistry.Update memory update, IFeed.Level memory level)
        internal
        view
        returns (bytes memory)
    {
        return _signed(registry.statementDigest(feed.statementOf(update.modelId, update.period, level)));
    }

    function _signed(bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attestorKey, digest);
        return abi.encodePacked(attestor, uint16(65), r, s, v);
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
