// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {packed, packedOutputs, setFeature, setOutput} from "./Packed.sol";
import {TableFixture} from "./TableFixture.sol";

/// @notice A real proof of a shipped model of a table, through its generated verifier and the registry: see fixtures/table.py.
abstract contract TableProofFixture is TableFixture {
    uint256 private constant MAX_VERIFY_GAS = 420_000;

    IVerifier internal halo2;
    IModelRegistry.Update internal proven;
    uint256[] internal instances;

    /// @dev Reads a proof, and registers its model behind the verifier.
    function _prove(string memory fixture, IVerifier generated, IModelRegistry.ModelSpec memory spec) internal {
        string memory json = vm.readFile(fixture);
        halo2 = generated;
        proven.period = uint64(vm.parseJsonUint(json, ".period"));
        proven.proof = vm.parseJsonBytes(json, ".proof");
        instances = vm.parseJsonUintArray(json, ".instances");
        int256[] memory features = vm.parseJsonIntArray(json, ".features");
        int32[] memory narrow = new int32[](features.length);
        for (uint256 i = 0; i < features.length; ++i) {
            narrow[i] = int32(features[i]);
        }
        proven.features = packed(narrow);
        int256[] memory outputs = vm.parseJsonIntArray(json, ".outputs");
        int128[] memory values = new int128[](outputs.length);
        for (uint256 i = 0; i < outputs.length; ++i) {
            values[i] = int128(outputs[i]);
        }
        proven.outputs = packedOutputs(values);
        (spec.verifier, spec.verifierCodeHash) = (address(halo2), address(halo2).codehash);
        spec.featureCount = uint16(vm.parseJsonUint(json, ".feature_count"));
        spec.outputScale = uint8(vm.parseJsonUint(json, ".output_scale"));
        spec.featureBound = uint32(vm.parseJsonUint(json, ".feature_bound"));
        spec.proofLength = uint32(proven.proof.length);
        assertEq(spec.periodSeconds, vm.parseJsonUint(json, ".period_seconds"));
        vm.prank(REGISTRY_OWNER);
        modelId = proven.modelId = registry.proposeModel(spec, 0);
        registry.activateModel(proven);
    }

    function test_RegistryBuildsTheProversInstances() public view {
        assertEq(registry.instancesOf(modelId, proven.period, proven.features, proven.outputs), instances);
    }

    function test_AForgedForecastIsRefused() public {
        IModelRegistry.Update memory forged = proven;
        setOutput(forged.outputs, 0, 1);
        _expectInvalidProof(_attested(forged));
        forged = proven;
        setFeature(forged.features, 3, 1);
        _expectInvalidProof(_attested(forged));
        forged = proven;
        forged.proof[100] ^= 0x01;
        _expectInvalidProof(_attested(forged));
    }

    function test_VerifierRefusesAnyAlteredInstance() public view {
        uint256[] memory mutant = instances;
        assertTrue(halo2.verifyProof(proven.proof, mutant));
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] = addmod(instances[i], 1, FieldLib.R);
            try halo2.verifyProof{gas: 1_000_000}(proven.proof, mutant) returns (bool accepted) {
                assertFalse(accepted);
            } catch {}
            mutant[i] = instances[i];
        }
    }

    /// @dev Brings an update, and expects that its proof is refused.
    function _expectInvalidProof(IModelRegistry.Update memory update) internal virtual;

    /// @dev Keeps what a verification costs, and what the call of that name does over it.
    function _keepGas(string memory suite, string memory name, uint256 called, uint256 mostOver) internal {
        halo2.verifyProof(proven.proof, instances);
        uint256 verify = _transactionGas(abi.encodeCall(halo2.verifyProof, (proven.proof, instances)));
        vm.snapshotValue(suite, "verifyProof", verify);
        vm.snapshotValue(suite, name, called);
        vm.snapshotValue(suite, string.concat(name, ", over verifyProof"), called - verify);
        assertLe(verify, MAX_VERIFY_GAS);
        assertLe(called - verify, mostOver);
    }

    /// @dev Gas of the last call as a transaction of its own: what the call used, plus the fixed and the calldata price.
    function _transactionGas(bytes memory data) private view returns (uint256 gas) {
        gas = 21_000 + vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }

    function _attested(IModelRegistry.Update memory update) internal view returns (IModelRegistry.Update memory) {
        update.attestations = _attestationOf(update);
        return update;
    }
}
