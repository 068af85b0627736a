// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IHalo2Verifier} from "../src/interfaces/IHalo2Verifier.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {ForecastMath} from "../src/libraries/ForecastMath.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice A real proof and its mutants, on the generated verifier alone and through the oracle.
abstract contract ProofSuite is OracleFixture {
    uint256 private constant VERIFY_GAS = 1_000_000;
    uint256 private constant SUBMIT_GAS = 3_000_000;

    IHalo2Verifier internal halo2;
    IRegimeRiskOracle.ModelSpec internal spec;
    bytes32 internal modelId;
    uint64 internal period;
    int32[] internal candleFeatures;
    int128[] internal outputs;
    uint256[] internal instances;
    bytes internal proof;

    /// @dev Name under which gas is recorded.
    function _snapshotGroup() internal pure virtual returns (string memory);

    /// @dev Most gas of a verification and of an update, each as a transaction of its own.
    function _maxGas() internal pure virtual returns (uint256 verify, uint256 submit);

    /// @dev File of the proof.
    function _fixture() internal pure virtual returns (string memory path);

    /// @dev A new instance of the generated verifier.
    function _deployVerifier() internal virtual returns (address);

    function setUp() public virtual override {
        super.setUp();
        string memory json = vm.readFile(_fixture());
        halo2 = IHalo2Verifier(_deployVerifier());
        period = uint64(vm.parseJsonUint(json, ".period"));
        instances = vm.parseJsonUintArray(json, ".instances");
        proof = vm.parseJsonBytes(json, ".proof");
        int256[] memory features = vm.parseJsonIntArray(json, ".candle_features");
        for (uint256 i = 0; i < features.length; ++i) {
            candleFeatures.push(int32(features[i]));
        }
        int256[] memory values = vm.parseJsonIntArray(json, ".outputs");
        for (uint256 i = 0; i < values.length; ++i) {
            outputs.push(int128(values[i]));
        }
        _readSpec(json);
        vm.warp(period * PERIOD_SECONDS + 75);
        modelId = _activated();
    }

    /// @dev Proposes the real model and activates it by its own proof.
    function _activated() internal returns (bytes32 id) {
        vm.prank(OWNER);
        id = oracle.proposeModel(spec, 0);
        oracle.activateModel(id, IRegimeRiskOracle.SmokeProof(period, candleFeatures, outputs, proof));
    }

    /* THE HONEST PROOF */

    function test_VerifierAcceptsTheProof() public view {
        assertTrue(_verifies(proof, instances));
    }

    function test_OracleBuildsTheProversInstances() public view {
        assertEq(oracle.instancesOf(modelId, period, candleFeatures, outputs), instances);
    }

    function test_UpdateLands() public {
        assertEq(_submits(modelId, candleFeatures, outputs, proof), "");
        assertEq(oracle.latestPeriod(modelId), period);
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            (IRiskParameters.Params memory stored, IRiskParameters.Status status) = oracle.params(spec.markets[i]);
            assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
            assertEq(
                stored.probabilityHighBps,
                ForecastMath.probabilityHighBps(outputs[3 * i], outputs[3 * i + 1], spec.outputScale)
            );
            assertApproxEqAbs(
                stored.volatilityWad, ForecastMath.volatilityWad(outputs[3 * i + 2], spec.outputScale), 1e10
            );
            assertGt(stored.volatilityWad, 1e13, "less than 0.001 % a minute");
            assertLt(stored.volatilityWad, 1e17, "more than 10 % a minute");
        }
    }

    /* MUTANTS, ON THE VERIFIER */

    function test_VerifierRefusesAnyAlteredInstance() public view {
        uint256[] memory mutant = instances;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] = addmod(instances[i], 1, FieldLib.R);
            assertFalse(_verifies(proof, mutant));
            mutant[i] = instances[i];
        }
    }

    /// @dev `x + r` stands for the same residue: it must not pass for `x`, or one update would have many names.
    function test_VerifierRefusesAnyAliasedInstance() public view {
        uint256[] memory mutant = instances;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] = instances[i] + FieldLib.R;
            assertFalse(_verifies(proof, mutant));
            mutant[i] = instances[i];
        }
    }

    function test_VerifierRefusesAnyAlteredWordOfTheProof() public view {
        for (uint256 word = 0; word < proof.length / 32; ++word) {
            assertFalse(_verifies(_flipped(word * 256 + 255), instances), "lowest bit");
            assertFalse(_verifies(_flipped(word * 256 + 3), instances), "a high bit");
        }
    }

    function testFuzz_VerifierRefusesAnyFlippedBit(uint256 bit) public view {
        assertFalse(_verifies(_flipped(bit % (proof.length * 8)), instances));
    }

    function test_VerifierRefusesWrongLengths() public view {
        assertFalse(_verifies("", instances));
        assertFalse(_verifies(_resized(proof.length - 32), instances));
        assertFalse(_verifies(_resized(proof.length + 32), instances));
        uint256[] memory longer = new uint256[](instances.length + 1);
        uint256[] memory shorter = new uint256[](instances.length - 1);
        for (uint256 i = 0; i < instances.length; ++i) {
            longer[i] = instances[i];
            if (i < shorter.length) shorter[i] = instances[i];
        }
        assertFalse(_verifies(proof, longer));
        assertFalse(_verifies(proof, shorter));
    }

    /* MUTANTS, THROUGH THE ORACLE */

    function test_OracleRefusesAnyAlteredFeature() public {
        int32[] memory mutant = candleFeatures;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] += mutant[i] > 0 ? int32(-1) : int32(1);
            _assertInvalidProof(mutant, outputs, proof);
            mutant[i] = candleFeatures[i];
        }
    }

    function test_OracleRefusesAnyAlteredOutput() public {
        int128[] memory mutant = outputs;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] += 1;
            _assertInvalidProof(candleFeatures, mutant, proof);
            mutant[i] = outputs[i];
        }
    }

    function test_OracleRefusesAnyAlteredWordOfTheProof() public {
        for (uint256 word = 0; word < proof.length / 32; ++word) {
            _assertInvalidProof(candleFeatures, outputs, _flipped(word * 256 + 255));
        }
    }

    /// @dev The same calldata, landed at every other slot of the week: the contract fills in that slot's calendar.
    function test_OracleRefusesTheProofInAnyOtherSlot() public {
        uint64 proven = period;
        for (uint64 slots = 1; slots < 42; ++slots) {
            period = proven + slots;
            vm.warp(period * PERIOD_SECONDS);
            if (_sharesCalendar(proven, period)) continue;
            _assertInvalidProof(candleFeatures, outputs, proof);
        }
        assertFalse(_sharesCalendar(proven, proven + 1), "not even the next slot has other features");
        assertFalse(_sharesCalendar(proven, proven + 41), "not even the previous slot has other features");
    }

    function test_OracleRefusesWrongLengths() public {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 length = [0, proof.length - 32, proof.length + 32][i];
            assertEq(
                _submits(modelId, candleFeatures, outputs, _resized(length)),
                abi.encodeWithSelector(IRegimeRiskOracle.ProofLengthMismatch.selector, proof.length, length)
            );
        }
    }

    function test_OracleRefusesNonCanonicalCalldata() public {
        bytes memory data = abi.encodeCall(oracle.submit, (_real(modelId, candleFeatures, outputs, proof)));
        (bool accepted, bytes memory returned) = address(oracle).call(bytes.concat(data, bytes32(0)));
        assertFalse(accepted);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));
    }

    function test_OracleRefusesASecondSubmission() public {
        assertEq(_submits(modelId, candleFeatures, outputs, proof), "");
        assertEq(
            _submits(modelId, candleFeatures, outputs, proof),
            abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, period)
        );
    }

    /* COST */

    function test_GasOfVerification() public {
        (uint256 limit,) = _maxGas();
        halo2.verifyProof(proof, instances);
        uint256 used = _transactionGas(abi.encodeCall(halo2.verifyProof, (proof, instances)));
        vm.snapshotValue(_snapshotGroup(), "verifyProof", used);
        assertLe(used, limit);
    }

    /// @dev As a transaction of its own, so that nothing is warm. The first update of a market fills an empty storage word;
    /// each later one costs 17,100 a market less.
    function test_GasOfUpdates() public {
        (, uint256 limit) = _maxGas();
        IRegimeRiskOracle.Update memory update = _real(modelId, candleFeatures, outputs, proof);
        oracle.submit(update);
        uint256 first = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue(_snapshotGroup(), "submit, first of its markets", first);
        vm.snapshotValue(_snapshotGroup(), "submit", first - 17_100 * spec.markets.length);
        assertLe(first, limit);
    }

    /// @dev Gas of the last call as a transaction of its own: what the call used, plus the fixed and the calldata price.
    function _transactionGas(bytes memory data) private view returns (uint256 gas) {
        gas = 21_000 + vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }

    /* HELPERS */

    function _verifies(bytes memory someProof, uint256[] memory someInstances) internal view returns (bool) {
        try halo2.verifyProof{gas: VERIFY_GAS}(someProof, someInstances) returns (bool accepted) {
            return accepted;
        } catch {
            return false;
        }
    }

    /// @dev The revert data of an update; empty if it landed.
    function _submits(bytes32 id, int32[] memory features, int128[] memory values, bytes memory someProof)
        internal
        returns (bytes memory)
    {
        IRegimeRiskOracle.Update memory update = _real(id, features, values, someProof);
        try oracle.submit{gas: SUBMIT_GAS}(update) {
            return "";
        } catch (bytes memory revertData) {
            return revertData;
        }
    }

    /// @dev An attested update.
    function _real(bytes32 id, int32[] memory features, int128[] memory values, bytes memory someProof)
        internal
        view
        returns (IRegimeRiskOracle.Update memory update)
    {
        update = IRegimeRiskOracle.Update(id, period, features, values, new uint64[](0), someProof, "");
        update.attestations = _attest(update);
    }

    function _assertInvalidProof(int32[] memory features, int128[] memory values, bytes memory someProof) internal {
        assertEq(
            _submits(modelId, features, values, someProof),
            abi.encodeWithSelector(IRegimeRiskOracle.InvalidProof.selector)
        );
    }

    function _sharesCalendar(uint64 a, uint64 b) private view returns (bool) {
        return keccak256(abi.encode(oracle.instancesOf(modelId, a, candleFeatures, outputs)))
            == keccak256(abi.encode(oracle.instancesOf(modelId, b, candleFeatures, outputs)));
    }

    function _flipped(uint256 bit) private view returns (bytes memory mutant) {
        mutant = proof;
        mutant[bit / 8] ^= bytes1(uint8(0x80 >> (bit % 8)));
    }

    /// @dev The proof cut off, or continued with zeros.
    function _resized(uint256 length) private view returns (bytes memory mutant) {
        bytes memory original = proof;
        mutant = new bytes(length);
        for (uint256 i = 0; i < length && i < original.length; ++i) {
            mutant[i] = original[i];
        }
    }

    function _readSpec(string memory json) private {
        spec.verifier = address(halo2);
        spec.verifierCodeHash = address(halo2).codehash;
        spec.manifestSha256 = keccak256("manifest");
        spec.verifyingKeySha256 = keccak256("verifying key");
        spec.onnxSha256 = keccak256("onnx");
        spec.settingsSha256 = keccak256("settings");
        spec.featureSpecSha256 = keccak256("features");
        spec.outputDecoding = 1;
        spec.candleFeatureCount = uint16(vm.parseJsonUint(json, ".candle_feature_count"));
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
            spec.calendarTable.push(int32(table[i]));
        }
    }
}
