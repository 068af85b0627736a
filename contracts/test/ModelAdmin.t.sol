// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {OracleFixture} from "./OracleFixture.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";
import {packedOutputs, setFeature} from "./Packed.sol";

/// @notice The test on chain that a model passes before it counts. Specification: ModelAdmin.tree.
contract ModelAdminTest is OracleFixture {
    bytes32 private modelId;
    IModelRegistry.Update private smoke;
    uint256[] private instances;

    function setUp() public override {
        super.setUp();
        vm.prank(OWNER);
        modelId = registry.proposeModel(_spec(_btc()), 0);
        smoke = IModelRegistry.Update(
            modelId, MONDAY, 0, _candles(CANDLE_COUNT), packedOutputs(_outputs(-500, 500, -7600)), _proof(), ""
        );
        instances = registry.instancesOf(modelId, smoke.period, smoke.features, smoke.outputs);
        verifier.acceptOnly(smoke.proof, instances);
    }

    /* WHAT PASSES */

    function test_TheVerifierIsAskedThreeTimes() public {
        vm.expectCall(address(verifier), abi.encodeCall(verifier.verifyProof, (smoke.proof, instances)), 1);
        vm.expectCall(address(verifier), abi.encodeCall(verifier.verifyProof, (smoke.proof, _otherInstances())), 1);
        vm.expectCall(address(verifier), abi.encodeCall(verifier.verifyProof, (_otherProof(), instances)), 1);
        _expectActivation();
    }

    /// @dev As EZKL's verifiers do.
    function test_AVerifierMayRefuseByReverting() public {
        bytes[2] memory forged = _forgeries();
        for (uint256 i = 0; i < 2; ++i) {
            vm.mockCallRevert(address(verifier), forged[i], "");
        }
        _expectActivation();
    }

    function testFuzz_AProofOfAnyPeriodWillDo(uint64 period) public {
        smoke.period = period;
        verifier.acceptOnly(smoke.proof, registry.instancesOf(modelId, period, smoke.features, smoke.outputs));
        _expectActivation();
    }

    /// @dev The last public input stands for -1: one more is 0, not r.
    function test_TheForgedInputIsAFieldElement() public {
        int128[] memory values = _outputs(-500, 500, 0);
        values[2] = -1;
        smoke.outputs = packedOutputs(values);
        instances[instances.length - 1] = FieldLib.R - 1;
        verifier.acceptOnly(smoke.proof, instances);
        assertEq(_otherInstances()[instances.length - 1], 0);
        vm.expectCall(address(verifier), abi.encodeCall(verifier.verifyProof, (smoke.proof, _otherInstances())), 1);
        _expectActivation();
    }

    /* WHAT DOES NOT */

    function test_RevertWhen_TheVerifierDoesNotAccept() public {
        verifier.acceptAny();
        MockVerifier.Behaviour[4] memory refusals = [
            MockVerifier.Behaviour.Refuse,
            MockVerifier.Behaviour.RevertEmpty,
            MockVerifier.Behaviour.RevertReason,
            MockVerifier.Behaviour.BurnAllGas
        ];
        for (uint256 i = 0; i < refusals.length; ++i) {
            verifier.behave(refusals[i]);
            _expectRefusal(_failed(false));
        }
    }

    function test_RevertWhen_TheVerifierAcceptsEverything() public {
        verifier.acceptAny();
        _expectRefusal(_failed(true));
    }

    function test_RevertWhen_TheVerifierAcceptsAForgery() public {
        bytes[2] memory forged = _forgeries();
        for (uint256 i = 0; i < 2; ++i) {
            vm.mockCall(address(verifier), forged[i], abi.encode(true));
            _expectRefusal(_failed(true));
            vm.clearMockedCalls();
        }
        _expectActivation();
    }

    /// @dev Whoever activates chooses the gas: running out of it must not look like a refusal.
    function testFuzz_RevertWhen_GasIsShort(uint256 gasLimit) public {
        verifier.acceptAny();
        bytes memory data = abi.encodeCall(registry.activateModel, (smoke));
        (bool success,) = address(registry).call{gas: bound(gasLimit, 30_000, 5_000_000)}(data);
        assertFalse(success);
        assertEq(_activeModel(), 0);
    }

    function test_RevertWhen_TheVerifierAnswersNonsense() public {
        verifier.acceptAny();
        verifier.behave(MockVerifier.Behaviour.ReturnNothing);
        _expectRefusal(_failed(false));
        verifier.behave(MockVerifier.Behaviour.ReturnGarbage);
        _expectRefusal(_failed(false));
    }

    /// @dev Nonsense is a refusal, and a forgery must be refused.
    function test_NonsenseRefusesAForgery() public {
        vm.mockCall(address(verifier), _forgeries()[0], abi.encode(2));
        vm.mockCall(address(verifier), _forgeries()[1], "");
        _expectActivation();
    }

    function test_AVerifierThatNeedsNoProofIsTestedByItsInputs() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.proofLength = 0;
        vm.prank(OWNER);
        modelId = registry.proposeModel(spec, 0);
        (smoke.modelId, smoke.proof) = (modelId, "");
        verifier.acceptAny();
        _expectRefusal(_failed(true));
        verifier.acceptOnly("", instances);
        _expectActivation();
    }

    function test_RevertWhen_TheVerifiersCodeChanged() public {
        bytes32 pinned = address(verifier).codehash;
        vm.etch(address(verifier), hex"600160005260206000f3"); // accepts anything
        _expectRefusal(
            abi.encodeWithSelector(
                IModelRegistry.VerifierCodeChanged.selector, verifier, pinned, address(verifier).codehash
            )
        );
        vm.etch(address(verifier), "");
        _expectRefusal(
            abi.encodeWithSelector(
                IModelRegistry.VerifierCodeChanged.selector, verifier, pinned, address(verifier).codehash
            )
        );
    }

    function test_RevertWhen_TheProofDoesNotFitTheModel() public {
        smoke.proof = new bytes(PROOF_LENGTH + 32);
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.ProofLengthMismatch.selector, 64, 96));
        smoke.proof = "";
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.ProofLengthMismatch.selector, 64, 0));
        smoke.outputs = new bytes(64);
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.OutputsLengthMismatch.selector, 48, 64));
        smoke.outputs = packedOutputs(_outputs(0, 0, 64_000));
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.OutputOutOfRange.selector, 2, 64 * ONE, uint256(1) << 80));
        bytes memory features = smoke.features;
        int32 below = -int32(FEATURE_BOUND) - 1;
        setFeature(features, 1, below);
        smoke.features = features;
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.FeatureOutOfRange.selector, 1, below, FEATURE_BOUND));
        smoke.features = new bytes(8);
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.FeaturesLengthMismatch.selector, 12, 8));
    }

    /* HELPERS */

    function _activeModel() private view returns (bytes32) {
        return registry.activeModel(oracle.PURPOSE(), BTC);
    }

    function _expectActivation() private {
        registry.activateModel(smoke);
        assertEq(_activeModel(), modelId);
    }

    function _expectRefusal(bytes memory revertData) private {
        uint256 readyAt = registry.modelReadyAt(modelId);
        (bool success, bytes memory returned) = address(registry).call(abi.encodeCall(registry.activateModel, (smoke)));
        assertFalse(success);
        assertEq(returned, revertData);
        assertEq(_activeModel(), 0);
        assertEq(registry.modelReadyAt(modelId), readyAt);
        assertGt(readyAt, 0);
    }

    function _failed(bool forged) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.SmokeTestFailed.selector, forged);
    }

    /// @dev The two calls that a verifier must refuse.
    function _forgeries() private view returns (bytes[2] memory) {
        return [
            abi.encodeCall(verifier.verifyProof, (smoke.proof, _otherInstances())),
            abi.encodeCall(verifier.verifyProof, (_otherProof(), instances))
        ];
    }

    function _otherInstances() private view returns (uint256[] memory other) {
        other = instances;
        other[other.length - 1] = addmod(other[other.length - 1], 1, FieldLib.R);
    }

    function _otherProof() private view returns (bytes memory other) {
        other = smoke.proof;
        other[other.length - 1] ^= 0x01;
    }
}
