// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";

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
        oracle.deprecateModel(ended);
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btc());
        spec.manifestSha256 = keccak256("another manifest");
        modelId = _register(spec);
        _submit(modelId, _low());

        int32[] memory features = new int32[](4);
        features[2] = int32(FEATURE_BOUND) + 1;
        int128[] memory outputs = new int128[](2);
        outputs[1] = 64 * ONE;
        IRegimeRiskOracle.Update memory u = IRegimeRiskOracle.Update({
            modelId: keccak256("unknown"),
            period: MONDAY + 1,
            omittedMarkets: 1,
            candleFeatures: features,
            outputs: outputs,
            closesE8: new uint64[](2),
            proof: new bytes(PROOF_LENGTH - 32),
            attestations: ""
        });
        verifier.behave(MockVerifier.Behaviour.Refuse);
        (bool accepted, bytes memory returned) =
            address(oracle).call(bytes.concat(abi.encodeCall(oracle.submit, (u)), hex"00"));
        assertFalse(accepted);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));

        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.UnknownModel.selector, u.modelId));
        u.modelId = ended;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.FuturePeriod.selector, MONDAY + 1, MONDAY));
        u.period = MONDAY;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.ModelNotActive.selector, ended));
        u.modelId = modelId;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, MONDAY));
        _warpTo(MONDAY + 1, 75);
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.StalePeriod.selector, MONDAY, MONDAY + 1));
        u.period = MONDAY + 1;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.CandleFeatureCountMismatch.selector, 3, 4));
        u.candleFeatures = new int32[](3);
        u.candleFeatures[2] = features[2];
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.OutputCountMismatch.selector, 3, 2));
        u.outputs = new int128[](3);
        u.outputs[1] = outputs[1];
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.FeatureOutOfRange.selector, 2, features[2], FEATURE_BOUND));
        u.candleFeatures[2] = 0;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.OutputOutOfRange.selector, 1, 64 * ONE, 64 * ONE));
        u.outputs[1] = 0;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.CloseCountMismatch.selector, 1, 2));
        u.closesE8 = new uint64[](1);
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.InvalidOmittedMarkets.selector, 1, 1));
        u.omittedMarkets = 0;
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.ProofLengthMismatch.selector, 64, 32));
        u.proof = _proof();
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.MalformedAttestations.selector));
        u.attestations = _attestedBy(attestor, attestorKey, keccak256("another"));
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.InvalidAttestation.selector, attestor));
        u.attestations = _attest(u);
        _expect(u, abi.encodeWithSelector(IRegimeRiskOracle.InvalidProof.selector));
        verifier.behave(MockVerifier.Behaviour.Accept);
        vm.prank(GUARDIAN);
        oracle.pauseMarket(BTC, uint40(block.timestamp + 1));
        _expect(
            u, abi.encodeWithSelector(IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.Withheld)
        );
        vm.warp(block.timestamp + 1);
        oracle.submit(u);
    }

    /* WHEN */

    function testFuzz_RevertWhen_PeriodIsNotThePresentOne(uint64 period) public {
        vm.assume(period != MONDAY);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.period = period;
        bytes4 selector =
            period < MONDAY ? IRegimeRiskOracle.StalePeriod.selector : IRegimeRiskOracle.FuturePeriod.selector;
        _expect(update, abi.encodeWithSelector(selector, period, MONDAY));
    }

    function test_AnUpdateLivesAsLongAsItsPeriod() public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.period = MONDAY + 1;
        update.attestations = _attest(update);
        _warpTo(MONDAY, PERIOD_SECONDS - 1);
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.FuturePeriod.selector, MONDAY + 1, MONDAY));
        _warpTo(MONDAY + 2, 0);
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.StalePeriod.selector, MONDAY + 1, MONDAY + 2));
        _warpTo(MONDAY + 1, 0);
        uint256 snapshot = vm.snapshotState();
        oracle.submit(update);
        vm.revertToState(snapshot);
        _warpTo(MONDAY + 1, PERIOD_SECONDS - 1);
        oracle.submit(update);
    }

    function test_RevertWhen_TheModelIsOnlyProposed() public {
        vm.prank(OWNER);
        bytes32 proposed = oracle.proposeModel(_spec(_btcAndEth()), 0);
        IRegimeRiskOracle.Update memory update = _update(proposed, _both(_low(), _low()));
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.ModelNotActive.selector, proposed));
    }

    /* COUNTS AND RANGES */

    function testFuzz_RevertWhen_CandleFeatureCountIsWrong(uint8 count) public {
        vm.assume(count != CANDLE_COUNT);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.candleFeatures = new int32[](count);
        _expect(
            update, abi.encodeWithSelector(IRegimeRiskOracle.CandleFeatureCountMismatch.selector, CANDLE_COUNT, count)
        );
    }

    function testFuzz_RevertWhen_OutputCountIsWrong(uint8 count) public {
        vm.assume(count != 3);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.outputs = new int128[](count);
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.OutputCountMismatch.selector, 3, count));
    }

    function testFuzz_FeatureRange(int32 value, uint8 index) public {
        index = index % uint8(CANDLE_COUNT);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        int256 magnitude = value < 0 ? -int256(value) : int256(value);
        update.candleFeatures[index] = value;
        if (magnitude <= int256(uint256(FEATURE_BOUND))) {
            update.attestations = _attest(update);
            oracle.submit(update);
        } else {
            _expect(
                update,
                abi.encodeWithSelector(IRegimeRiskOracle.FeatureOutOfRange.selector, index, value, FEATURE_BOUND)
            );
        }
    }

    function test_FeatureBoundIsInclusive() public {
        int32[] memory features = _candles(CANDLE_COUNT);
        (features[0], features[1]) = (int32(FEATURE_BOUND), -int32(FEATURE_BOUND));
        oracle.instancesOf(modelId, MONDAY, features, _outputs(0, 0, 0));
        features[2] = -int32(FEATURE_BOUND) - 1;
        vm.expectRevert(
            abi.encodeWithSelector(IRegimeRiskOracle.FeatureOutOfRange.selector, 2, features[2], FEATURE_BOUND)
        );
        oracle.instancesOf(modelId, MONDAY, features, _outputs(0, 0, 0));
    }

    function testFuzz_RevertWhen_OutputIsOutOfRange(int128 value, uint8 index) public {
        index = index % 3;
        value = value < 0
            ? int128(bound(value, type(int128).min, -64 * ONE))
            : int128(bound(value, 64 * ONE, type(int128).max));
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.outputs[index] = value;
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.OutputOutOfRange.selector, index, value, 64 * ONE));
    }

    function test_OutputBoundIsExclusive() public {
        int128[] memory outputs = _outputs(0, 0, 0);
        (outputs[0], outputs[1]) = (-64 * ONE + 1, 64 * ONE - 1);
        oracle.instancesOf(modelId, MONDAY, _candles(3), outputs);
        outputs[2] = -64 * ONE;
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.OutputOutOfRange.selector, 2, outputs[2], 64 * ONE));
        oracle.instancesOf(modelId, MONDAY, _candles(3), outputs);
    }

    function testFuzz_RevertWhen_CloseCountIsWrong(uint8 count) public {
        vm.assume(count > 1);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low(), new uint64[](count));
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.CloseCountMismatch.selector, 1, count));
    }

    /// @dev A market without a price check does not mind a close.
    function test_ClosesAreOptional() public {
        oracle.submit(_update(modelId, _low(), new uint64[](1)));
        _warpTo(MONDAY + 1, 75);
        oracle.submit(_update(modelId, _low(), new uint64[](0)));
    }

    function testFuzz_RevertWhen_ProofLengthIsWrong(uint8 length) public {
        vm.assume(length != PROOF_LENGTH);
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.proof = new bytes(length);
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.ProofLengthMismatch.selector, PROOF_LENGTH, length));
    }

    /* THE VERIFIER */

    function test_RevertWhen_VerifierRefuses() public {
        MockVerifier.Behaviour[4] memory refusals = [
            MockVerifier.Behaviour.Refuse,
            MockVerifier.Behaviour.RevertEmpty,
            MockVerifier.Behaviour.RevertReason,
            MockVerifier.Behaviour.BurnAllGas
        ];
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        for (uint256 i = 0; i < refusals.length; ++i) {
            verifier.behave(refusals[i]);
            _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.InvalidProof.selector));
        }
    }

    /// @dev Code without a boolean answer is no verifier: the call reverts, without a reason.
    function test_RevertWhen_VerifierAnswersNonsense() public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        verifier.behave(MockVerifier.Behaviour.ReturnNothing);
        _expect(update, "");
        verifier.behave(MockVerifier.Behaviour.ReturnGarbage);
        _expect(update, "");
    }

    /// @dev An update that is refused for a reason of the moment may be tried again in its period.
    function test_ARefusedUpdateMayBeTriedAgain() public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        verifier.behave(MockVerifier.Behaviour.Refuse);
        _expect(update, abi.encodeWithSelector(IRegimeRiskOracle.InvalidProof.selector));
        verifier.behave(MockVerifier.Behaviour.Accept);
        oracle.submit(update);
        assertEq(_params(BTC).period, MONDAY);
    }

    /// @dev Refused with exactly this revert data, and without a trace.
    function _expect(IRegimeRiskOracle.Update memory update, bytes memory revertData) private {
        uint64 latest = oracle.latestPeriod(modelId);
        IRiskParameters.Params memory before = _params(BTC);
        (bool accepted, bytes memory returned) = address(oracle).call(abi.encodeCall(oracle.submit, (update)));
        assertFalse(accepted);
        assertEq(returned, revertData);
        assertEq(oracle.latestPeriod(modelId), latest);
        _assertParams(_params(BTC), before);
    }
}
