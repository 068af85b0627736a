// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {BoundedCall} from "../src/libraries/BoundedCall.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";
import {packedOutputs, setFeature, setOutput} from "./Packed.sol";

/// @notice Everything that must not land. Specification: the first branches of Submit.tree.
contract SubmitRefusalsTest is MarketFixture {
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
    }

    /// @dev An update with every fault at once, mended one by one: the errors come in the order that the code promises.
    function test_ErrorsComeInOrder() public {
        bytes32 ended = modelId;
        vm.prank(GUARDIAN);
        registry.deprecateModel(ended);
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.manifestSha256 = keccak256("another manifest");
        modelId = _register(spec);
        _submit(modelId, _low());

        int32 above = int32(FEATURE_BOUND) + 1;
        IModelRegistry.Update memory u = IModelRegistry.Update({
            modelId: keccak256("unknown"),
            period: MONDAY + 1,
            omittedMarkets: 0,
            features: new bytes(13),
            outputs: new bytes(47),
            proof: new bytes(PROOF_LENGTH - 32),
            attestations: ""
        });
        verifier.behave(MockVerifier.Behaviour.Refuse);
        _expect(u, abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, u.modelId));
        u.modelId = ended;
        _expect(u, abi.encodeWithSelector(IModelRegistry.FuturePeriod.selector, MONDAY + 1, MONDAY));
        u.period = MONDAY;
        bytes memory nothing = abi.encodeWithSelector(
            IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.AlreadyUpdated
        );
        _expect(u, nothing);
        _warpTo(MONDAY + 2, 75);
        _expect(u, nothing);
        u.period = MONDAY + 1;
        _expect(u, abi.encodeWithSelector(IModelRegistry.StalePeriod.selector, MONDAY + 1, MONDAY + 2));
        u.period = MONDAY + 2;
        _expect(u, abi.encodeWithSelector(IModelRegistry.ModelNotActive.selector, ended));
        u.modelId = modelId;
        _expect(u, abi.encodeWithSelector(IModelRegistry.FeaturesLengthMismatch.selector, 12, 13));
        u.features = new bytes(12);
        setFeature(u.features, 2, above);
        _expect(u, abi.encodeWithSelector(IModelRegistry.OutputsLengthMismatch.selector, 48, 47));
        u.outputs = packedOutputs(_outputs(0, 64_000, 0));
        _expect(u, abi.encodeWithSelector(IModelRegistry.FeatureOutOfRange.selector, 2, above, FEATURE_BOUND));
        setFeature(u.features, 2, 0);
        _expect(u, abi.encodeWithSelector(IModelRegistry.OutputOutOfRange.selector, 1, 64 * ONE, 64 * ONE));
        setOutput(u.outputs, 1, 0);
        u.omittedMarkets = 2;
        _expect(u, abi.encodeWithSelector(IModelRegistry.InvalidOmittedMarkets.selector, 2, 1));
        u.omittedMarkets = 0;
        _expect(u, abi.encodeWithSelector(IModelRegistry.ProofLengthMismatch.selector, 64, 32));
        u.proof = _proof();
        _expect(u, abi.encodeWithSelector(IModelRegistry.MalformedAttestations.selector));
        u.attestations = _attestedBy(attestor, attestorKey, keccak256("another"));
        _expect(u, abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor));
        u.attestations = _attest(u);
        _expect(u, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        verifier.behave(MockVerifier.Behaviour.Accept);
        oracle.submit(u);
    }

    /* WHEN */

    function testFuzz_RevertWhen_PeriodIsNotThePresentOne(uint64 period) public {
        vm.assume(period != MONDAY);
        IModelRegistry.Update memory update = _update(modelId, _low());
        update.period = period;
        if (period == 0) {
            return _expect(
                update,
                abi.encodeWithSelector(
                    IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.AlreadyUpdated
                )
            );
        }
        bytes4 selector = period < MONDAY ? IModelRegistry.StalePeriod.selector : IModelRegistry.FuturePeriod.selector;
        _expect(update, abi.encodeWithSelector(selector, period, MONDAY));
    }

    function test_AnUpdateLivesAsLongAsItsPeriod() public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        update.period = MONDAY + 1;
        update.attestations = _attest(update);
        _warpTo(MONDAY, PERIOD_SECONDS - 1);
        _expect(update, abi.encodeWithSelector(IModelRegistry.FuturePeriod.selector, MONDAY + 1, MONDAY));
        _warpTo(MONDAY + 2, 0);
        _expect(update, abi.encodeWithSelector(IModelRegistry.StalePeriod.selector, MONDAY + 1, MONDAY + 2));
        _warpTo(MONDAY + 1, 0);
        uint256 snapshot = vm.snapshotState();
        oracle.submit(update);
        vm.revertToState(snapshot);
        _warpTo(MONDAY + 1, PERIOD_SECONDS - 1);
        oracle.submit(update);
    }

    function test_RevertWhen_TheModelIsOnlyProposed() public {
        vm.prank(OWNER);
        bytes32 proposed = registry.proposeModel(_spec(_btcAndEth()), 0);
        IModelRegistry.Update memory update = _update(proposed, _both(_low(), _low()));
        _expect(update, abi.encodeWithSelector(IModelRegistry.ModelNotActive.selector, proposed));
    }

    /* COUNTS AND RANGES */

    function testFuzz_RevertWhen_TheFeaturesLengthIsWrong(uint8 length) public {
        vm.assume(length != 12);
        IModelRegistry.Update memory update = _update(modelId, _low());
        update.features = new bytes(length);
        _expect(update, abi.encodeWithSelector(IModelRegistry.FeaturesLengthMismatch.selector, 12, length));
    }

    function testFuzz_RevertWhen_TheOutputsLengthIsWrong(uint8 length) public {
        vm.assume(length != 48);
        IModelRegistry.Update memory update = _update(modelId, _low());
        update.outputs = new bytes(length);
        _expect(update, abi.encodeWithSelector(IModelRegistry.OutputsLengthMismatch.selector, 48, length));
    }

    function testFuzz_FeatureRange(int32 value, uint8 index) public {
        index = index % uint8(CANDLE_COUNT);
        IModelRegistry.Update memory update = _update(modelId, _low());
        int256 magnitude = value < 0 ? -int256(value) : int256(value);
        setFeature(update.features, index, value);
        if (magnitude <= int256(uint256(FEATURE_BOUND))) {
            update.attestations = _attest(update);
            oracle.submit(update);
        } else {
            _expect(
                update, abi.encodeWithSelector(IModelRegistry.FeatureOutOfRange.selector, index, value, FEATURE_BOUND)
            );
        }
    }

    function test_FeatureBoundIsInclusive() public {
        bytes memory features = _candles(CANDLE_COUNT);
        setFeature(features, 0, int32(FEATURE_BOUND));
        setFeature(features, 1, -int32(FEATURE_BOUND));
        registry.instancesOf(modelId, MONDAY, features, new bytes(48));
        int32 below = -int32(FEATURE_BOUND) - 1;
        setFeature(features, 2, below);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.FeatureOutOfRange.selector, 2, below, FEATURE_BOUND));
        registry.instancesOf(modelId, MONDAY, features, new bytes(48));
    }

    function testFuzz_RevertWhen_OutputIsOutOfRange(int128 value, uint8 index) public {
        index = index % 3;
        value = value < 0
            ? int128(bound(value, type(int128).min, -64 * ONE))
            : int128(bound(value, 64 * ONE, type(int128).max));
        IModelRegistry.Update memory update = _update(modelId, _low());
        setOutput(update.outputs, index, value);
        _expect(update, abi.encodeWithSelector(IModelRegistry.OutputOutOfRange.selector, index, value, 64 * ONE));
    }

    function test_OutputBoundIsExclusive() public {
        int128[] memory outputs = _outputs(0, 0, 0);
        (outputs[0], outputs[1]) = (-64 * ONE + 1, 64 * ONE - 1);
        registry.instancesOf(modelId, MONDAY, _candles(3), packedOutputs(outputs));
        outputs[2] = -64 * ONE;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.OutputOutOfRange.selector, 2, outputs[2], 64 * ONE));
        registry.instancesOf(modelId, MONDAY, _candles(3), packedOutputs(outputs));
    }

    function testFuzz_RevertWhen_ProofLengthIsWrong(uint8 length) public {
        vm.assume(length != PROOF_LENGTH);
        IModelRegistry.Update memory update = _update(modelId, _low());
        update.proof = new bytes(length);
        _expect(update, abi.encodeWithSelector(IModelRegistry.ProofLengthMismatch.selector, PROOF_LENGTH, length));
    }

    /* THE VERIFIER */

    function test_RevertWhen_VerifierRefuses() public {
        MockVerifier.Behaviour[4] memory refusals = [
            MockVerifier.Behaviour.Refuse,
            MockVerifier.Behaviour.RevertEmpty,
            MockVerifier.Behaviour.RevertReason,
            MockVerifier.Behaviour.BurnAllGas
        ];
        IModelRegistry.Update memory update = _update(modelId, _low());
        for (uint256 i = 0; i < refusals.length; ++i) {
            verifier.behave(refusals[i]);
            _expect(update, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        }
    }

    function test_RevertWhen_VerifierAnswersNonsense() public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        verifier.behave(MockVerifier.Behaviour.ReturnNothing);
        _expect(update, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        verifier.behave(MockVerifier.Behaviour.ReturnGarbage);
        _expect(update, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
    }

    /// @dev What a relayer saves on gas must not look like a bad proof.
    function testFuzz_RevertWhen_GasDoesNotCoverTheVerifiersShare(uint256 gasLimit) public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        (bool landed, bytes memory returned) =
            address(oracle).call{gas: bound(gasLimit, 200_000, 5_000_000)}(abi.encodeCall(oracle.submit, (update)));
        assertFalse(landed);
        assertEq(returned, abi.encodeWithSelector(BoundedCall.NotEnoughGas.selector));
    }

    /// @dev The period is the one word of an update that could hold more than its type.
    function testFuzz_RevertWhen_CalldataIsDirty(uint256 dirt) public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        bytes memory data = abi.encodeCall(oracle.submit, (update));
        assembly ("memory-safe") {
            // Behind the length, the selector, the offset and the model.
            let word := add(data, 0x64)
            mstore(word, xor(mload(word), shl(64, or(1, shr(64, dirt)))))
        }
        (bool landed,) = address(oracle).call(data);
        assertFalse(landed);
    }

    /// @dev An update that is refused for a reason of the moment may be tried again in its period.
    function test_ARefusedUpdateMayBeTriedAgain() public {
        IModelRegistry.Update memory update = _update(modelId, _low());
        verifier.behave(MockVerifier.Behaviour.Refuse);
        _expect(update, abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        verifier.behave(MockVerifier.Behaviour.Accept);
        oracle.submit(update);
        assertEq(_params(BTC).periodStart, START);
    }

    /// @dev Refused with exactly this revert data, and without a trace.
    function _expect(IModelRegistry.Update memory update, bytes memory revertData) private {
        IRiskParameters.Params memory before = _params(BTC);
        (bool accepted, bytes memory returned) = address(oracle).call(abi.encodeCall(oracle.submit, (update)));
        assertFalse(accepted);
        assertEq(returned, revertData);
        _assertParams(_params(BTC), before);
    }
}
