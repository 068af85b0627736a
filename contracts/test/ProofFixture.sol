// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice A real proof of a file, its generated verifier, and its model, active.
abstract contract ProofFixture is OracleFixture {
    uint256 private constant VERIFY_GAS = 1_000_000;
    uint256 private constant SUBMIT_GAS = 3_000_000;

    IVerifier internal halo2;
    IModelRegistry.ModelSpec internal spec;
    bytes32 internal modelId;
    uint64 internal period;
    int32[] internal features;
    int128[] internal outputs;
    uint256[] internal instances;
    bytes internal proof;

    /// @dev File of the proof.
    function _fixture() internal pure virtual returns (string memory path);

    /// @dev The file's proof.
    function _proof(string memory json) internal pure virtual returns (bytes memory) {
        return vm.parseJsonBytes(json, ".proof");
    }

    /// @dev A new instance of the generated verifier.
    function _deployVerifier() internal virtual returns (address);

    function setUp() public virtual override {
        super.setUp();
        string memory json = vm.readFile(_fixture());
        halo2 = IVerifier(_deployVerifier());
        period = uint64(vm.parseJsonUint(json, ".period"));
        instances = vm.parseJsonUintArray(json, ".instances");
        proof = _proof(json);
        int256[] memory parsed = vm.parseJsonIntArray(json, ".candle_features");
        for (uint256 i = 0; i < parsed.length; ++i) {
            features.push(int32(parsed[i]));
        }
        int256[] memory values = vm.parseJsonIntArray(json, ".outputs");
        for (uint256 i = 0; i < values.length; ++i) {
            outputs.push(int128(values[i]));
        }
        _readSpec(json);
        _registerMarkets();
        vm.warp(period * PERIOD_SECONDS + 75);
        modelId = _activated();
    }

    /// @dev Proposes the real model and activates it by its own proof.
    function _activated() internal returns (bytes32 id) {
        vm.prank(OWNER);
        id = registry.proposeModel(spec, 0);
        registry.activateModel(IModelRegistry.Update(id, period, 0, features, outputs, proof, ""));
    }

    function _verifies(bytes memory someProof, uint256[] memory someInstances) internal view returns (bool) {
        try halo2.verifyProof{gas: VERIFY_GAS}(someProof, someInstances) returns (bool accepted) {
            return accepted;
        } catch {
            return false;
        }
    }

    /// @dev The revert data of an update; empty if it landed.
    function _submits(bytes32 id, int32[] memory features_, int128[] memory values, bytes memory someProof)
        internal
        returns (bytes memory)
    {
        IModelRegistry.Update memory update = _real(id, features_, values, someProof);
        try oracle.submit{gas: SUBMIT_GAS}(update) {
            return "";
        } catch (bytes memory revertData) {
            return revertData;
        }
    }

    /// @dev An attested update.
    function _real(bytes32 id, int32[] memory features_, int128[] memory values, bytes memory someProof)
        internal
        view
        returns (IModelRegistry.Update memory update)
    {
        update = IModelRegistry.Update(id, period, 0, features_, values, someProof, "");
        update.attestations = _attest(update);
    }

    /// @dev Those that the fixture does not have.
    function _registerMarkets() private {
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            if (oracle.marketOwner(spec.markets[i]) != address(0)) continue;
            vm.prank(OWNER);
            oracle.registerMarket(spec.markets[i], MARKET_OWNER, _bounds());
            vm.prank(MARKET_OWNER);
            oracle.setPolicy(spec.markets[i], _policy());
        }
    }

    function _readSpec(string memory json) private {
        spec.purpose = oracle.PURPOSE();
        spec.verifier = address(halo2);
        spec.verifierGas = 1_000_000;
        spec.verifierCodeHash = address(halo2).codehash;
        spec.manifestSha256 = keccak256("manifest");
        spec.verifyingKeySha256 = keccak256("verifying key");
        spec.onnxSha256 = keccak256("onnx");
        spec.settingsSha256 = keccak256("settings");
        spec.featureSpecSha256 = keccak256("features");
        spec.periodSeconds = uint32(PERIOD_SECONDS);
        spec.outputCount = 3;
        spec.featureCount = uint16(vm.parseJsonUint(json, ".candle_feature_count"));
        spec.calendarFeatureCount = uint16(vm.parseJsonUint(json, ".calendar_feature_count"));
        spec.inputScale = uint8(vm.parseJsonUint(json, ".input_scale"));
        spec.outputScale = uint8(vm.parseJsonUint(json, ".output_scale"));
        spec.featureBound = uint32(vm.parseJsonUint(json, ".feature_bound"));
        spec.proofLength = uint32(proof.length);
        string[] memory names = vm.parseJsonStringArray(json, ".markets");
        for (uint256 i = 0; i < names.length; ++i) {
            spec.markets.push(keccak256(bytes(names[i])));
        }
        int256[] memory table = vm.parseJsonIntArray(json, ".calendar_table");
        for (uint256 i = 0; i < table.length; ++i) {
            spec.calendarTable = bytes.concat(spec.calendarTable, bytes4(uint32(int32(table[i]))));
        }
    }
}
