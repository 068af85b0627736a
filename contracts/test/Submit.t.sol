// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {ForecastMath} from "../src/libraries/ForecastMath.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice Updates against a scripted verifier: what lands, what it changes, and everything that must not land.
contract SubmitTest is OracleFixture {
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
    }

    /* WHAT LANDS */

    function test_UpdateSetsTheParametersAndTellsEverything() public {
        int128[] memory outputs = _outputs(-500, 500, -7600);
        IRegimeRiskOracle.Params memory expected = IRegimeRiskOracle.Params({
            period: uint40(MONDAY),
            updatedAt: uint40(block.timestamp),
            borrowCollateralRatioBps: 186_56,
            liquidationCollateralRatioBps: 130_00,
            ammFeePips: 7446,
            borrowCapFactorBps: 56_13,
            probabilityHighBps: 73_11,
            volatilityWad: ForecastMath.volatilityWad(outputs[2], OUTPUT_SCALE),
            regime: 1
        });
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.UpdateAccepted(
            modelId, MONDAY, SUBMITTER, _candles(CANDLE_COUNT), outputs, keccak256(_proof())
        );
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ParamsUpdated(BTC, MONDAY, modelId, expected);
        _submit(modelId, outputs);

        (IRegimeRiskOracle.Params memory stored, IRegimeRiskOracle.Status status) = oracle.params(BTC);
        assertEq(abi.encode(stored), abi.encode(expected));
        assertEq(uint8(status), uint8(IRegimeRiskOracle.Status.Fresh));
        assertEq(oracle.latestPeriod(modelId), MONDAY);
    }

    function test_EqualLogitsAreLow() public {
        _submit(modelId, _outputs(700, 700, -7600));
        (IRegimeRiskOracle.Params memory stored,) = oracle.params(BTC);
        assertEq(stored.regime, 0);
        assertEq(stored.probabilityHighBps, 5000);
    }

    function testFuzz_AnyAcceptedUpdateStaysWithinThePolicy(int128 low, int128 high, int128 logVolatility) public {
        int128[] memory outputs = new int128[](3);
        outputs[0] = int128(bound(low, -64 * ONE + 1, 64 * ONE - 1));
        outputs[1] = int128(bound(high, -64 * ONE + 1, 64 * ONE - 1));
        outputs[2] = int128(bound(logVolatility, -64 * ONE + 1, 64 * ONE - 1));
        _submit(modelId, outputs);
        (IRegimeRiskOracle.Params memory stored,) = oracle.params(BTC);
        IRegimeRiskOracle.Policy memory p = _policy();
        assertGe(stored.borrowCollateralRatioBps, p.calm.borrowCollateralRatioBps);
        assertLe(stored.borrowCollateralRatioBps, p.turbulent.borrowCollateralRatioBps);
        assertGe(stored.ammFeePips, p.calm.ammFeePips);
        assertLe(stored.ammFeePips, p.turbulent.ammFeePips);
        assertLe(stored.borrowCapFactorBps, p.calm.borrowCapFactorBps);
        assertGe(stored.borrowCapFactorBps, p.turbulent.borrowCapFactorBps);
        assertEq(stored.liquidationCollateralRatioBps, p.liquidationCollateralRatioBps);
        assertEq(stored.regime, outputs[1] > outputs[0] ? 1 : 0);
    }

    function test_VerifierSeesTheContractsOwnInstances() public {
        int128[] memory outputs = _outputs(-500, 500, -7600);
        uint256[] memory instances = new uint256[](8);
        (instances[0], instances[1], instances[2]) = (1, FieldLib.R - 2, 3);
        (instances[3], instances[4]) = (2400, FieldLib.R - 2401); // Monday 00:00 is slot 24
        for (uint256 i = 0; i < 3; ++i) {
            instances[5 + i] = FieldLib.encode(outputs[i]);
        }
        assertEq(oracle.instancesOf(modelId, MONDAY, _candles(3), outputs), instances);
        verifier.acceptOnly(_proof(), instances);
        _submit(modelId, outputs);

        vm.warp((MONDAY + 1) * PERIOD_SECONDS);
        vm.expectRevert(IRegimeRiskOracle.InvalidProof.selector);
        _submit(modelId, outputs);
    }

    function test_MarketsFollowTheOrderOfTheModel() public {
        bytes32[] memory markets = _btcAndEth();
        (markets[0], markets[1]) = (ETH, BTC);
        bytes32 both = _register(_spec(markets));
        int128[] memory outputs = new int128[](6);
        int128[] memory eth = _outputs(500, -500, -8000);
        int128[] memory btc = _outputs(-2500, 0, -6000);
        for (uint256 i = 0; i < 3; ++i) {
            (outputs[i], outputs[3 + i]) = (eth[i], btc[i]);
        }
        uint256[] memory instances = oracle.instancesOf(both, MONDAY, _candles(6), outputs);
        assertEq(instances.length, 16);
        int256[10] memory features = [int256(1), -2, 3, 2400, -2401, -4, 5, -6, 2400, -2401];
        for (uint256 i = 0; i < 10; ++i) {
            assertEq(FieldLib.decode(instances[i]), features[i]);
        }
        for (uint256 i = 0; i < 6; ++i) {
            assertEq(FieldLib.decode(instances[10 + i]), outputs[i]);
        }

        vm.prank(SUBMITTER);
        oracle.submit(both, MONDAY, _candles(6), outputs, _proof());
        (IRegimeRiskOracle.Params memory storedEth,) = oracle.params(ETH);
        (IRegimeRiskOracle.Params memory storedBtc,) = oracle.params(BTC);
        assertEq(storedEth.probabilityHighBps, 2689);
        assertEq(storedBtc.probabilityHighBps, 9241);
        assertEq(storedEth.regime, 0);
        assertEq(storedBtc.regime, 1);
    }

    function test_CalendarRowsOfKnownMoments() public {
        _assertSlot(0, 0); // Thursday 1970-01-01 00:00
        _assertSlot(1_672_531_200, 18); // Sunday 2023-01-01 00:00
        _assertSlot(1_709_208_000, 3); // Thursday 2024-02-29 12:00
        _assertSlot(1_722_816_000, 24); // Monday 2024-08-05 00:00
        _assertSlot(1_731_096_000, 11); // Friday 2024-11-08 20:00
        _assertSlot(1_731_110_399, 11); // Friday 2024-11-08 23:59:59
        _assertSlot(1_731_110_400, 12); // Saturday 2024-11-09 00:00
    }

    function test_OneUpdateInEachPeriod() public {
        for (uint64 period = MONDAY; period < MONDAY + 3; ++period) {
            vm.warp((period + 1) * PERIOD_SECONDS - 1);
            _submit(modelId, _outputs(0, 0, -7600));
            assertEq(oracle.latestPeriod(modelId), period);
            vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.AlreadySubmitted.selector, modelId, period));
            _submit(modelId, _outputs(0, 1, -7600));
        }
    }

    /* WHO AND WHEN */

    function testFuzz_RevertWhen_NotSubmitter(address caller) public {
        vm.assume(caller != SUBMITTER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.NotSubmitter.selector, caller));
        oracle.submit(modelId, MONDAY, _candles(3), _outputs(0, 0, 0), _proof());
    }

    function test_RevertWhen_SubmitterWasDismissed() public {
        vm.prank(OWNER);
        oracle.setSubmitter(SUBMITTER, false);
        _expectRefusal(abi.encodeWithSelector(IRegimeRiskOracle.NotSubmitter.selector, SUBMITTER));
    }

    function testFuzz_RevertWhen_PeriodIsNotTheCurrentOne(uint64 period) public {
        vm.assume(period != MONDAY);
        bytes4 selector =
            period < MONDAY ? IRegimeRiskOracle.StalePeriod.selector : IRegimeRiskOracle.FuturePeriod.selector;
        vm.prank(SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(selector, period, MONDAY));
        oracle.submit(modelId, period, _candles(3), _outputs(0, 0, 0), _proof());
    }

    function test_RevertWhen_ModelIsUnknown() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownModel.selector, unknown));
        _submit(unknown, _outputs(0, 0, 0));
    }

    function test_RevertWhen_AnotherModelTookOverOneMarket() public {
        bytes32 both = _register(_spec(_btcAndEth()));
        _expectRefusal(abi.encodeWithSelector(IRegimeRiskOracle.ModelNotActive.selector, modelId, BTC));
        bytes32[] memory eth = new bytes32[](1);
        eth[0] = ETH;
        _register(_spec(eth));
        vm.prank(SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.ModelNotActive.selector, both, ETH));
        oracle.submit(both, MONDAY, _candles(6), new int128[](6), _proof());
    }

    /* COUNTS AND RANGES */

    function testFuzz_RevertWhen_CandleFeatureCountIsWrong(uint8 count) public {
        vm.assume(count != CANDLE_COUNT);
        vm.prank(SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.CandleFeatureCountMismatch.selector, 3, count));
        oracle.submit(modelId, MONDAY, new int32[](count), _outputs(0, 0, 0), _proof());
    }

    function testFuzz_RevertWhen_OutputCountIsWrong(uint8 count) public {
        vm.assume(count != 3);
        vm.prank(SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.OutputCountMismatch.selector, 3, count));
        oracle.submit(modelId, MONDAY, _candles(3), new int128[](count), _proof());
    }

    function testFuzz_FeatureRange(int32 value, uint8 index) public {
        index = index % uint8(CANDLE_COUNT);
        int32[] memory features = _candles(CANDLE_COUNT);
        features[index] = value;
        int256 magnitude = value < 0 ? -int256(value) : int256(value);
        vm.prank(SUBMITTER);
        if (magnitude > int256(uint256(FEATURE_BOUND))) {
            vm.expectRevert(
                abi.encodeWithSelector(IRegimeRiskOracle.FeatureOutOfRange.selector, index, value, FEATURE_BOUND)
            );
        }
        oracle.submit(modelId, MONDAY, features, _outputs(0, 0, 0), _proof());
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
        uint256 bound_ = uint256(int256(64 * ONE));
        value = value < 0
            ? int128(bound(value, type(int128).min, -64 * ONE))
            : int128(bound(value, 64 * ONE, type(int128).max));
        int128[] memory outputs = _outputs(0, 0, 0);
        outputs[index] = value;
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.OutputOutOfRange.selector, index, value, bound_));
        _submit(modelId, outputs);
    }

    function test_OutputBoundIsExclusive() public {
        int128[] memory outputs = _outputs(0, 0, 0);
        (outputs[0], outputs[1]) = (-64 * ONE + 1, 64 * ONE - 1);
        oracle.instancesOf(modelId, MONDAY, _candles(3), outputs);
        outputs[2] = -64 * ONE;
        vm.expectRevert(
            abi.encodeWithSelector(IRegimeRiskOracle.OutputOutOfRange.selector, 2, outputs[2], uint256(1) << 80)
        );
        oracle.instancesOf(modelId, MONDAY, _candles(3), outputs);
    }

    function testFuzz_RevertWhen_ProofLengthIsWrong(uint8 length) public {
        vm.assume(length != PROOF_LENGTH);
        vm.prank(SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.ProofLengthMismatch.selector, PROOF_LENGTH, length));
        oracle.submit(modelId, MONDAY, _candles(3), _outputs(0, 0, 0), new bytes(length));
    }

    /* THE VERIFIER */

    function test_RevertWhen_VerifierRefuses() public {
        MockVerifier.Behaviour[4] memory refusals = [
            MockVerifier.Behaviour.Refuse,
            MockVerifier.Behaviour.RevertEmpty,
            MockVerifier.Behaviour.RevertReason,
            MockVerifier.Behaviour.BurnAllGas
        ];
        for (uint256 i = 0; i < refusals.length; ++i) {
            verifier.behave(refusals[i]);
            _expectRefusal(abi.encodeWithSelector(IRegimeRiskOracle.InvalidProof.selector));
        }
    }

    /// @dev Code without a boolean answer is no verifier: the call reverts, whatever the reason given.
    function test_RevertWhen_VerifierAnswersNonsense() public {
        verifier.behave(MockVerifier.Behaviour.ReturnNothing);
        _expectRefusal("");
        verifier.behave(MockVerifier.Behaviour.ReturnGarbage);
        _expectRefusal("");
    }

    function test_RevertWhen_VerifierCodeChanged() public {
        bytes32 pinned = address(verifier).codehash;
        vm.etch(address(verifier), hex"600160005260206000f3"); // accepts anything
        _expectRefusal(
            abi.encodeWithSelector(
                IRegimeRiskOracle.VerifierCodeChanged.selector, verifier, pinned, address(verifier).codehash
            )
        );
    }

    /* CALLDATA */

    function test_CanonicalCalldataIsAccepted() public {
        assertTrue(_send(_calldata()));
    }

    function test_RevertWhen_CalldataIsPadded() public {
        _expectNonCanonical(bytes.concat(_calldata(), hex"00"));
        _expectNonCanonical(bytes.concat(_calldata(), bytes32(uint256(1))));
    }

    function test_RevertWhen_CalldataIsTruncated() public {
        bytes memory data = _calldata();
        for (uint256 length = 0; length < data.length; ++length) {
            assertFalse(_send(_prefix(data, length)));
        }
    }

    /// @dev The proof's offset points one word further and its data has moved along: same arguments, other bytes.
    function test_RevertWhen_OffsetsAreShifted() public {
        bytes memory data = _calldata();
        uint256 offset = _offsetAt(data, 4);
        bytes memory head = _prefix(data, 4 + offset);
        bytes memory tail = new bytes(data.length - 4 - offset);
        for (uint256 i = 0; i < tail.length; ++i) {
            tail[i] = data[4 + offset + i];
        }
        bytes memory shifted = bytes.concat(head, bytes32(0), tail);
        _setWord(shifted, 4, offset + 32);
        _expectNonCanonical(shifted);
    }

    /// @dev Three features and three outputs: both offsets may point to the same words.
    function test_RevertWhen_ArraysOverlap() public {
        bytes memory data = _calldata();
        _setWord(data, 3, _offsetAt(data, 2));
        _expectNonCanonical(data);
    }

    /// @dev Only a proof of another length has padding at all.
    function test_RevertWhen_PaddingIsDirty() public {
        bytes memory data =
            abi.encodeCall(oracle.submit, (modelId, MONDAY, _candles(3), _outputs(0, 0, 0), new bytes(63)));
        data[data.length - 1] = 0x01;
        vm.prank(SUBMITTER);
        (bool accepted, bytes memory returned) = address(oracle).call(data);
        assertFalse(accepted);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.ProofLengthMismatch.selector, PROOF_LENGTH, 63));
    }

    function test_RevertWhen_SmallIntegersAreDirty() public {
        bytes memory period = _calldata();
        period[4 + 32] = 0x01;
        assertFalse(_send(period));
        bytes memory feature = _calldata();
        feature[4 + _offsetAt(feature, 2) + 32] = 0x01;
        assertFalse(_send(feature));
        bytes memory output = _calldata();
        output[4 + _offsetAt(output, 3) + 32] = 0x01;
        assertFalse(_send(output));
    }

    function testFuzz_OnlyTheCanonicalBytesLand(uint16 position, uint8 flip) public {
        bytes memory data = _calldata();
        int128[] memory outputs = _outputs(0, 0, 0);
        verifier.acceptOnly(_proof(), oracle.instancesOf(modelId, MONDAY, _candles(3), outputs));
        data[position % data.length] ^= bytes1(flip);
        assertEq(_send(data), flip == 0);
    }

    /* HELPERS */

    /// @dev A well-formed update is refused with exactly this revert data and leaves no trace.
    function _expectRefusal(bytes memory revertData) private {
        vm.prank(SUBMITTER);
        (bool accepted, bytes memory returned) = address(oracle).call(_calldata());
        assertFalse(accepted);
        assertEq(returned, revertData);
        assertEq(oracle.latestPeriod(modelId), 0);
        (, IRegimeRiskOracle.Status status) = oracle.params(BTC);
        assertEq(uint8(status), uint8(IRegimeRiskOracle.Status.Unset));
    }

    function _expectNonCanonical(bytes memory data) private {
        vm.prank(SUBMITTER);
        (bool accepted, bytes memory returned) = address(oracle).call(data);
        assertFalse(accepted);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));
    }

    function _assertSlot(uint256 time, uint256 slot) private view {
        uint64 period = uint64(time / PERIOD_SECONDS);
        uint256[] memory instances = oracle.instancesOf(modelId, period, _candles(3), _outputs(0, 0, 0));
        assertEq(FieldLib.decode(instances[3]), _calendarEntry(slot, 0));
        assertEq(FieldLib.decode(instances[4]), _calendarEntry(slot, 1));
    }

    function _calldata() private view returns (bytes memory) {
        return abi.encodeCall(oracle.submit, (modelId, MONDAY, _candles(3), _outputs(0, 0, 0), _proof()));
    }

    function _send(bytes memory data) private returns (bool accepted) {
        vm.prank(SUBMITTER);
        (accepted,) = address(oracle).call(data);
    }

    function _prefix(bytes memory data, uint256 length) private pure returns (bytes memory prefix) {
        prefix = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            prefix[i] = data[i];
        }
    }

    /// @dev The word of the calldata's head that belongs to an argument, counted from 0.
    function _offsetAt(bytes memory data, uint256 argument) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := mload(add(add(data, 0x24), mul(argument, 0x20)))
        }
    }

    function _setWord(bytes memory data, uint256 argument, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 0x24), mul(argument, 0x20)), word)
        }
    }
}
