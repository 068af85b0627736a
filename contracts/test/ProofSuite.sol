// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {ForecastMath} from "../src/libraries/ForecastMath.sol";
import {Policies} from "./Policies.sol";
import {ProofFixture} from "./ProofFixture.sol";

/// @notice A real proof and its mutants, on the generated verifier alone and through the oracle.
abstract contract ProofSuite is ProofFixture {
    /// @dev Name under which gas is recorded.
    function _snapshotGroup() internal pure virtual returns (string memory);

    /// @dev Most gas of a verification and of an update, each as a transaction of its own.
    function _maxGas() internal pure virtual returns (uint256 verify, uint256 submit);

    /// @dev Most gas that each market after the first adds to an update, over what it adds to the verification.
    function _maxGasOfAFurtherMarket() internal pure virtual returns (uint256) {
        return 0;
    }

    /* THE HONEST PROOF */

    function test_VerifierAcceptsTheProof() public view {
        assertTrue(_verifies(proof, instances));
    }

    function test_OracleBuildsTheProversInstances() public view {
        assertEq(registry.instancesOf(modelId, period, features, outputs), instances);
    }

    function test_UpdateLands() public {
        assertEq(_submits(modelId, features, outputs, proof), "");
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            (IRiskParameters.Params memory stored, IRiskParameters.Status status) = oracle.params(spec.markets[i]);
            assertEq(uint8(status), uint8(IRiskParameters.Status.Fresh));
            assertEq(
                stored.probabilityHighBps,
                ForecastMath.probabilityHighBps(outputs[3 * i], outputs[3 * i + 1], spec.outputScale)
            );
            assertEq(stored.periodStart, period * PERIOD_SECONDS);
            assertEq(stored.volatilityE9, ForecastMath.volatilityE9(outputs[3 * i + 2], spec.outputScale));
            assertGt(stored.volatilityE9, 10_000, "less than 0.001 % a minute");
            assertLt(stored.volatilityE9, 100_000_000, "more than 10 % a minute");
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
        bool isEmpty = proof.length == 0;
        assertFalse(_verifies(isEmpty ? abi.encode(bit) : _flipped(bit % (proof.length * 8)), instances));
    }

    function test_VerifierRefusesWrongLengths() public view {
        uint256[] memory lengths = _wrongLengths();
        for (uint256 i = 0; i < lengths.length; ++i) {
            assertFalse(_verifies(_resized(lengths[i]), instances));
        }
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
        int32[] memory mutant = features;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] += mutant[i] > 0 ? int32(-1) : int32(1);
            _assertInvalidProof(mutant, outputs, proof);
            mutant[i] = features[i];
        }
    }

    function test_OracleRefusesAnyAlteredOutput() public {
        int128[] memory mutant = outputs;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] += 1;
            _assertInvalidProof(features, mutant, proof);
            mutant[i] = outputs[i];
        }
    }

    function test_OracleRefusesAnyAlteredWordOfTheProof() public {
        for (uint256 word = 0; word < proof.length / 32; ++word) {
            _assertInvalidProof(features, outputs, _flipped(word * 256 + 255));
        }
    }

    /// @dev The same calldata, landed at every other slot of the week: the contract fills in that slot's calendar.
    function test_OracleRefusesTheProofInAnyOtherSlot() public {
        uint64 proven = period;
        for (uint64 slots = 1; slots < 42; ++slots) {
            period = proven + slots;
            vm.warp(period * PERIOD_SECONDS);
            if (_sharesCalendar(proven, period)) continue;
            _assertInvalidProof(features, outputs, proof);
        }
        assertFalse(_sharesCalendar(proven, proven + 1), "not even the next slot has other features");
        assertFalse(_sharesCalendar(proven, proven + 41), "not even the previous slot has other features");
    }

    function test_OracleRefusesWrongLengths() public {
        uint256[] memory lengths = _wrongLengths();
        for (uint256 i = 0; i < lengths.length; ++i) {
            assertEq(
                _submits(modelId, features, outputs, _resized(lengths[i])),
                abi.encodeWithSelector(IModelRegistry.ProofLengthMismatch.selector, proof.length, lengths[i])
            );
        }
    }

    function test_OracleRefusesASecondSubmission() public {
        assertEq(_submits(modelId, features, outputs, proof), "");
        assertEq(
            _submits(modelId, features, outputs, proof),
            abi.encodeWithSelector(
                IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.AlreadyUpdated
            )
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

    /// @dev What registry and oracle add to a verification, in markets that had an update in the period before.
    function test_GasOverVerification() public {
        _landBefore(1);
        uint256 over = _gasOverVerification();
        vm.snapshotValue(_snapshotGroup(), "submit, over verifyProof", over);
        assertLe(over, 86_000 + _maxGasOfAFurtherMarket() * (spec.markets.length - 1));
    }

    /// @dev The same with the dearest policy: every market's ramp is led elsewhere.
    function test_GasOverVerificationWithRamps() public {
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            bytes memory call = abi.encodeCall(oracle.setPolicy, (spec.markets[i], Policies.ramped()));
            vm.startPrank(MARKET_OWNER);
            oracle.schedule(call);
            oracle.setPolicy(spec.markets[i], Policies.ramped());
            vm.stopPrank();
        }
        _landBefore(4);
        bytes32 last = spec.markets[spec.markets.length - 1];
        (IRiskParameters.RiskVector memory before,,) = oracle.pending(last);
        uint256 over = _gasOverVerification();
        (IRiskParameters.RiskVector memory afterwards,,) = oracle.pending(last);
        assertNotEq(before.liquidationCollateralRatioBps, afterwards.liquidationCollateralRatioBps);
        vm.snapshotValue(_snapshotGroup(), "submit with ramps, over verifyProof", over);
        assertLe(over, 93_000 + (5_000 + _maxGasOfAFurtherMarket()) * (spec.markets.length - 1));
    }

    /// @dev As a transaction of its own, so that nothing is warm.
    function test_GasOfUpdates() public {
        (, uint256 limit) = _maxGas();
        _landBefore(1);
        oracle.submit(_real(modelId, features, outputs, proof));
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue(_snapshotGroup(), "submit", gas);
        assertLe(gas, limit);
    }

    function _gasOverVerification() private returns (uint256) {
        halo2.verifyProof(proof, instances);
        uint256 verification = _transactionGas(abi.encodeCall(halo2.verifyProof, (proof, instances)));
        oracle.submit(_real(modelId, features, outputs, proof));
        return vm.lastCallGas().gasTotalUsed - verification;
    }

    /// @dev Updates for the periods before, which a verifier that accepts everything lets through.
    function _landBefore(uint64 periods) private {
        vm.mockCall(address(halo2), abi.encodeWithSelector(halo2.verifyProof.selector), abi.encode(true));
        for (period -= periods; periods > 0; --periods) {
            vm.warp(period * PERIOD_SECONDS + 75);
            oracle.submit(_real(modelId, features, outputs, proof));
            ++period;
        }
        vm.clearMockedCalls();
        vm.warp(period * PERIOD_SECONDS + 75);
    }

    /// @dev Gas of the last call as a transaction of its own: what the call used, plus the fixed and the calldata price.
    function _transactionGas(bytes memory data) private view returns (uint256 gas) {
        gas = 21_000 + vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }

    /* HELPERS */

    function _assertInvalidProof(int32[] memory features_, int128[] memory values, bytes memory someProof) internal {
        assertEq(
            _submits(modelId, features_, values, someProof),
            abi.encodeWithSelector(IModelRegistry.InvalidProof.selector)
        );
    }

    function _sharesCalendar(uint64 a, uint64 b) private view returns (bool) {
        return keccak256(abi.encode(registry.instancesOf(modelId, a, features, outputs)))
            == keccak256(abi.encode(registry.instancesOf(modelId, b, features, outputs)));
    }

    function _flipped(uint256 bit) private view returns (bytes memory mutant) {
        mutant = proof;
        mutant[bit / 8] ^= bytes1(uint8(0x80 >> (bit % 8)));
    }

    /// @dev None, a word less and a word more, as far as the proof does not have that length.
    function _wrongLengths() private view returns (uint256[] memory lengths) {
        lengths = new uint256[](proof.length == 0 ? 1 : 3);
        lengths[0] = proof.length + 32;
        if (proof.length == 0) return lengths;
        lengths[1] = proof.length - 32;
    }

    /// @dev The proof cut off, or continued with zeros.
    function _resized(uint256 length) private view returns (bytes memory mutant) {
        bytes memory original = proof;
        mutant = new bytes(length);
        for (uint256 i = 0; i < length && i < original.length; ++i) {
            mutant[i] = original[i];
        }
    }
}
