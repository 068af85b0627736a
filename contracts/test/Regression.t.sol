// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {Ownable} from "solady/auth/Ownable.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {Governed} from "../src/base/Governed.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {AttestedFixture} from "./AttestedFixture.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";
import {setFeature} from "./Packed.sol";

/// @notice Faults of earlier oracles that carry proofs, each of which must not be possible here. Specification:
/// Regression.tree. What limits and ramps must not do is in RegressionLimits.t.sol.
contract RegressionTest is AttestedFixture {
    /* EZKL AND ITS REUSABLE VERIFIER */

    /// @dev Its `registerVka` is open to all, so that a consumer that only looks at `success` takes a proof of any circuit.
    function test_Regression_ForeignVerificationKey() public {
        MockVerifier foreign = new MockVerifier();
        IModelRegistry.ModelSpec memory spec = _spec(_eth());
        (spec.verifier, spec.verifyingKeySha256) = (address(foreign), keccak256("foreign"));
        vm.prank(OWNER);
        bytes32 foreignId = registry.proposeModel(spec, 0);
        verifier.behave(MockVerifier.Behaviour.Refuse);
        IModelRegistry.Update memory update = _update();
        assertTrue(foreign.verifyProof(update.proof, new uint256[](0)), "a verifier that would accept exists");
        vm.expectCall(address(foreign), "", 0);
        _expectRefusal(update, _invalidProof());
        update.modelId = foreignId;
        update.attestations = _attest(update);
        _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.ModelNotActive.selector, foreignId));
    }

    /// @dev An old generated verifier ended the whole call with `return(0, 0)` on a mismatch: success without an answer.
    function test_Regression_SilentVerifierReturn() public {
        verifier.behave(MockVerifier.Behaviour.ReturnNothing);
        _expectNothing(_update());
        verifier.behave(MockVerifier.Behaviour.ReturnGarbage);
        _expectNothing(_update());
        vm.etch(address(verifier), "");
        _expectNothing(_update());
    }

    /// @dev Generated verifiers fail by `revert(0, 0)`.
    function test_Regression_Ezkl_ASilentRefusalHasAReason() public {
        verifier.behave(MockVerifier.Behaviour.RevertEmpty);
        _expectRefusal(_update(), _invalidProof());
    }

    /* SENTIMENT */

    /// @dev `Request` overwrote the pending one and began its 24 hours anew, for anyone who asked.
    function test_Regression_Sentiment_RerequestDoesNotRestartTheTimelock() public {
        RiskOracle slow = new RiskOracle(OWNER, GUARDIAN, 1 days, registry, address(0));
        bytes memory call = abi.encodeCall(slow.setGuardian, (STRANGER));
        vm.prank(OWNER);
        bytes32 operation = slow.schedule(call);
        uint256 readyAt = slow.readyAt(operation);
        vm.warp(readyAt - 1);
        vm.prank(STRANGER);
        slow.schedule(call);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(Governed.AlreadyScheduled.selector, operation));
        slow.schedule(call);
        vm.warp(readyAt);
        vm.prank(OWNER);
        slow.setGuardian(STRANGER);
        assertEq(slow.guardian(), STRANGER);
    }

    /// @dev `counter - 1` with a counter of zero: the first value could never be stored.
    function test_Regression_Sentiment_TheFirstValueLandsAndTheNext() public {
        for (uint64 i = 0; i < 3; ++i) {
            _expectLanding(_update());
            (IRiskParameters.Params memory current,) = oracle.params(BTC);
            assertEq(current.periodStart, (MONDAY + i) * PERIOD_SECONDS);
            vm.warp(block.timestamp + PERIOD_SECONDS);
        }
    }

    /// @dev `instances[20] >> 13`, unchecked, took a negative number for one near r.
    function test_Regression_Sentiment_NegativeOutputsAreNotHugeNumbers() public {
        _submit(modelId, _outputs(-1, -1001, -1));
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertEq(current.probabilityHighBps, 26_89, "1 / (1 + e)");
        assertEq(current.volatilityE9, 999_000_499, "exp(-0.001)");
    }

    /// @dev The same shift for every model, whatever its circuit's scale.
    function testFuzz_Regression_Sentiment_TheScaleIsTheModels(uint8 scale) public {
        IModelRegistry.ModelSpec memory spec = _spec(_eth());
        spec.outputScale = uint8(bound(scale, 10, 120));
        int128[] memory outputs = new int128[](3);
        int128 unit = int128(1) << spec.outputScale;
        (outputs[0], outputs[1], outputs[2]) = (-unit / 2, unit / 2, -unit * 7);
        _submit(_register(spec), outputs);
        _submit(modelId, _outputs(-500, 500, -7000));
        (IRiskParameters.Params memory other,) = oracle.params(ETH);
        (IRiskParameters.Params memory usual,) = oracle.params(BTC);
        assertEq(abi.encode(other), abi.encode(usual));
    }

    /// @dev Engine, pool and asset came from the caller.
    function test_Regression_Sentiment_TheCallerDoesNotChooseTheTarget() public {
        _expectLanding(_update());
        (, IRiskParameters.Status btc) = oracle.params(BTC);
        (, IRiskParameters.Status eth) = oracle.params(ETH);
        assertEq(uint8(btc), uint8(IRiskParameters.Status.Fresh));
        assertEq(uint8(eth), uint8(IRiskParameters.Status.Unset));
    }

    /// @dev Anyone could `Reject` what was pending.
    function test_Regression_Sentiment_AStrangerRefusesNothing() public {
        vm.prank(OWNER);
        bytes32 proposed = registry.proposeModel(_spec(_eth()), 0);
        address[3] memory callers = [STRANGER, RELAYER, MARKET_OWNER];
        for (uint256 i = 0; i < 3; ++i) {
            vm.startPrank(callers[i]);
            vm.expectRevert(Ownable.Unauthorized.selector);
            registry.cancelModel(proposed);
            vm.expectRevert(Ownable.Unauthorized.selector);
            registry.deprecateModel(modelId);
            vm.stopPrank();
        }
        _activate(proposed);
    }

    /* LOAN-ZKML */

    /// @dev `updateTier(address, uint256, bool proofValidated)` was public.
    function test_Regression_LoanZkml_NothingMovesWithoutAProof() public {
        verifier.behave(MockVerifier.Behaviour.Refuse);
        address[6] memory callers = [OWNER, GUARDIAN, MARKET_OWNER, attestor, RELAYER, STRANGER];
        IModelRegistry.Update memory update = _update();
        for (uint256 i = 0; i < 6; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(IModelRegistry.InvalidProof.selector);
            oracle.submit(update);
        }
        (, IRiskParameters.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(IRiskParameters.Status.Unset));
    }

    /// @dev Its scale was applied to values above 1e18 only, so that 0.7 % of a score counted as favourable.
    function testFuzz_Regression_LoanZkml_SmallOutputsAreScaledAsWell(uint256 raw) public {
        int128[] memory outputs = new int128[](3);
        outputs[1] = int128(int256(bound(raw, 0, 2 ** 60)));
        _submit(modelId, outputs);
        (IRiskParameters.Params memory current,) = oracle.params(BTC);
        assertEq(current.probabilityHighBps, 50_00, "2**60 / 2**74 is next to nothing");
    }

    /// @dev `proofUsers[keccak(proof)]` made the proof the property of whoever copied it first.
    function test_Regression_ProofFrontRunDoesNotOwnTheUpdate() public {
        IModelRegistry.Update memory update = _update();
        uint256 snapshot = vm.snapshotState();
        vm.prank(RELAYER);
        oracle.submit(update);
        (IRiskParameters.Params memory honest,) = oracle.params(BTC);
        vm.revertToState(snapshot);

        vm.prank(STRANGER);
        oracle.submit(update);
        (IRiskParameters.Params memory copied,) = oracle.params(BTC);
        assertEq(abi.encode(copied), abi.encode(honest), "the copier changed something");
        _expectRefusal(update, _alreadyUpdated());
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectLanding(_update()); // the same proof bytes, again from the relayer
    }

    /// @dev `verificationKeyHash` was a constant that nobody compared.
    function test_Regression_LoanZkml_TheRecordedKeyIsTheUsedOne() public {
        IModelRegistry.ModelSpec memory spec = _spec(_eth());
        vm.prank(OWNER);
        bytes32 proposed = registry.proposeModel(spec, 0);
        IModelRegistry.Update memory smoke = _smoke(proposed);
        bytes memory other = bytes.concat(address(verifier).code, hex"00");
        vm.etch(address(verifier), other);
        bytes memory reason = abi.encodeWithSelector(
            IModelRegistry.VerifierCodeChanged.selector, verifier, spec.verifierCodeHash, keccak256(other)
        );
        vm.expectRevert(reason);
        registry.activateModel(smoke);
        spec.manifestSha256 = keccak256("another manifest");
        vm.prank(OWNER);
        vm.expectRevert(reason);
        registry.proposeModel(spec, 0);
    }

    /* HSHADAB */

    /// @dev The service fell back to a simulated proof, and its contract had an entry without one.
    function test_Regression_Hshadab_ASimulatedProofDoesNotLand() public {
        IModelRegistry.Update memory update = _update();
        uint256[] memory instances = registry.instancesOf(modelId, MONDAY, update.features, update.outputs);
        verifier.acceptOnly(update.proof, instances);
        update.proof = new bytes(PROOF_LENGTH);
        _expectRefusal(update, _invalidProof());
        update.proof = "";
        _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.ProofLengthMismatch.selector, PROOF_LENGTH, 0));
    }

    /// @dev `featuresHash` was never compared with the headline: one proof did for any.
    function test_Regression_Hshadab_AProofIsForItsFeatures() public {
        IModelRegistry.Update memory update = _update();
        verifier.acceptOnly(update.proof, registry.instancesOf(modelId, MONDAY, update.features, update.outputs));
        setFeature(update.features, 1, -3);
        update.attestations = _attest(update);
        _expectRefusal(update, _invalidProof());
        vm.warp(block.timestamp + PERIOD_SECONDS);
        _expectRefusal(_update(), _invalidProof()); // the next period has another calendar row
    }

    /* FAI3, BUIDLATHON, INFERNET, ORA, GIZA */

    /// @dev `registerModel` was first come, first served: anybody could claim any verifier.
    function test_Regression_Fai3_NobodyClaimsAVerifier() public {
        vm.prank(STRANGER);
        vm.expectRevert(Ownable.Unauthorized.selector);
        registry.proposeModel(_spec(_eth()), 0);
        assertTrue(_register(_spec(_eth())) != modelId, "a verifier may serve several models");
        _expectLanding(_update());
    }

    /// @dev It acted on `instances[0]` and verified afterwards, going on either way.
    function test_Regression_Buidlathon_NothingHappensBeforeVerification() public {
        verifier.behave(MockVerifier.Behaviour.Refuse);
        vm.recordLogs();
        vm.startStateDiffRecording();
        _expectRefusal(_update(), _invalidProof());
        Vm.AccountAccess[] memory accesses = vm.stopAndReturnStateDiff();
        assertEq(vm.getRecordedLogs().length, 0);
        assertGt(accesses.length, 0);
        for (uint256 i = 0; i < accesses.length; ++i) {
            for (uint256 j = 0; j < accesses[i].storageAccesses.length; ++j) {
                assertFalse(accesses[i].storageAccesses[j].isWrite && accesses[i].account == address(oracle));
            }
        }
    }

    function test_Regression_Infernet_ADeliveryIsForThePresentInterval() public {
        IModelRegistry.Update memory update = _update();
        vm.warp(MONDAY * PERIOD_SECONDS - 1);
        _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.FuturePeriod.selector, MONDAY, MONDAY - 1));
        vm.warp((MONDAY + 1) * PERIOD_SECONDS);
        _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.StalePeriod.selector, MONDAY, MONDAY + 1));
        vm.warp((MONDAY + 1) * PERIOD_SECONDS - 1);
        _expectLanding(update);
    }

    /// @dev The callback came before the end of the challenge period, and `updateResult` might change it afterwards.
    function test_Regression_Ora_WhatHasLandedIsNotReplaced() public {
        _expectLanding(_update());
        (IRiskParameters.Params memory landed,) = oracle.params(BTC);
        _expectRefusal(_update(modelId, _outputs(500, -500, -8000)), _alreadyUpdated());
        (IRiskParameters.Params memory present,) = oracle.params(BTC);
        assertEq(abi.encode(present), abi.encode(landed));
    }

    /// @dev `_verify_proof` logged the verdict and returned true.
    function test_Regression_Giza_TheVerdictCounts() public {
        verifier.behave(MockVerifier.Behaviour.Refuse);
        _expectRefusal(_update(), _invalidProof());
        verifier.behave(MockVerifier.Behaviour.Accept);
        _expectLanding(_update());
    }

    /* HELPERS */

    function _alreadyUpdated() private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.AlreadyUpdated
            );
    }

    function _eth() private pure returns (bytes32[] memory markets) {
        markets = new bytes32[](1);
        markets[0] = ETH;
    }

    function _invalidProof() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.InvalidProof.selector);
    }

    /// @dev It does not land, with or without a reason.
    function _expectNothing(IModelRegistry.Update memory update) private {
        (bool success,) = address(oracle).call(abi.encodeCall(oracle.submit, (update)));
        assertFalse(success);
        (, IRiskParameters.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(IRiskParameters.Status.Unset));
    }
}
