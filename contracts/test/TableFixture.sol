// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {packedOutputs, setFeature} from "./Packed.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";

/// @notice A registry with one attestor, and models of a table, each of one market, behind a mock verifier.
abstract contract TableFixture is Test {
    uint8 internal constant OUTPUT_SCALE = 29;
    uint256 internal constant FEATURES = 13;

    address internal immutable RELAYER = makeAddr("relayer");
    address internal immutable REGISTRY_OWNER = makeAddr("owner of the registry");

    ModelRegistry internal registry;
    MockVerifier internal verifier;
    bytes32 internal modelId;
    address internal attestor;
    uint256 internal attestorKey;

    function _deployRegistry() internal {
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        address[] memory attestors = new address[](1);
        attestors[0] = attestor;
        registry = new ModelRegistry(REGISTRY_OWNER, makeAddr("guardian"), 0, attestors, 1);
        verifier = new MockVerifier();
    }

    /// @dev Columns are clipped at so many deviations.
    function _specOf(string memory purpose, string memory market, uint256 period, uint8 outputs, uint32 clip)
        internal
        view
        returns (IModelRegistry.ModelSpec memory spec)
    {
        spec.purpose = keccak256(bytes(purpose));
        spec.verifier = address(verifier);
        spec.verifierCodeHash = address(verifier).codehash;
        spec.verifierGas = 1_000_000;
        spec.manifestSha256 = keccak256("manifest");
        spec.periodSeconds = uint32(period);
        spec.featureCount = uint16(FEATURES);
        spec.outputCount = outputs;
        spec.inputScale = 13;
        spec.outputScale = OUTPUT_SCALE;
        spec.featureBound = clip << 13;
        spec.proofLength = 64;
        spec.markets = new bytes32[](1);
        spec.markets[0] = keccak256(bytes(market));
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

    /// @dev Attested, of the current one of periods of that length.
    function _updateOf(bytes32 id, uint256 periodSeconds, int128[] memory outputs)
        internal
        view
        returns (IModelRegistry.Update memory update)
    {
        update.modelId = id;
        update.period = uint64(block.timestamp / periodSeconds);
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

    function _signed(bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attestorKey, digest);
        return abi.encodePacked(attestor, uint16(65), r, s, v);
    }
}
