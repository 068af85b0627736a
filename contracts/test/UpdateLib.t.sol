// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {UpdateLib} from "../src/libraries/UpdateLib.sol";
import {AttestedFixture} from "./AttestedFixture.sol";
import {packed} from "./Packed.sol";

/// @notice The library behind a function of one argument, as it wants to be called.
contract UpdateHarness {
    using UpdateLib for IRegimeRiskOracle.Update;

    function check(IRegimeRiskOracle.Update calldata update) external pure {
        update.checkCanonical();
    }

    function accept(IRegimeRiskOracle.Update calldata update) external {
        update.emitAccepted(uint32(update.period));
    }

    function hashes(IRegimeRiskOracle.Update calldata update, uint256[] calldata instances)
        external
        pure
        returns (bytes32, bytes32)
    {
        return update.hashes(instances);
    }
}

/// @notice One encoding for each update. Specification: UpdateLib.tree.
contract UpdateLibTest is AttestedFixture {
    UpdateHarness private harness = new UpdateHarness();

    /* THE ENCODING */

    function testFuzz_TheCompilersEncodingIsCanonical(IRegimeRiskOracle.Update calldata update) public view {
        harness.check(update);
    }

    function testFuzz_RevertWhen_BytesFollow(IRegimeRiskOracle.Update calldata update, bytes calldata more)
        public
        view
    {
        vm.assume(more.length != 0);
        _expectNonCanonical(bytes.concat(abi.encodeCall(harness.check, (update)), more));
    }

    function test_RevertWhen_BytesAreMissing() public view {
        bytes memory data = abi.encodeCall(harness.check, (_update()));
        for (uint256 length = 0; length < data.length; ++length) {
            (bool success,) = address(harness).staticcall(_slice(data, 0, length));
            assertFalse(success);
        }
    }

    /// @dev The argument's own offset, and those of its five arrays.
    function testFuzz_RevertWhen_AnOffsetIsAnother(
        IRegimeRiskOracle.Update calldata update,
        uint256 which,
        uint256 offset
    ) public view {
        bytes memory data = abi.encodeCall(harness.check, (update));
        which = [uint256(0), 4, 5, 6, 7, 8][bound(which, 0, 5)];
        offset = bound(offset, 0, data.length);
        vm.assume(offset != _word(data, which));
        _setWord(data, which, offset);
        (bool success,) = address(harness).staticcall(data);
        assertFalse(success);
    }

    /// @dev A word of air before an array, with offsets to match: the same arguments in other bytes.
    function testFuzz_RevertWhen_ThereIsAGap(IRegimeRiskOracle.Update calldata update, uint256 before) public view {
        bytes memory data = abi.encodeCall(harness.check, (update));
        before = bound(before, 4, 8);
        uint256 cut = 0x24 + _word(data, before);
        bytes memory gapped = bytes.concat(_slice(data, 0, cut), bytes32(0), _slice(data, cut, data.length));
        for (uint256 i = before; i <= 8; ++i) {
            _setWord(gapped, i, _word(data, i) + 0x20);
        }
        _expectNonCanonical(gapped);
    }

    /// @dev Features and outputs of the same count: one array may stand for both.
    function test_RevertWhen_ArraysOverlap() public view {
        bytes memory data = abi.encodeCall(harness.check, (_update()));
        _setWord(data, 5, _word(data, 4));
        _expectNonCanonical(data);
    }

    /// @dev No closes and no attestations: both are one word, zero, and either may stand first.
    function test_RevertWhen_ArraysStandInAnotherOrder() public view {
        IRegimeRiskOracle.Update memory update = _update();
        update.attestations = "";
        bytes memory data = abi.encodeCall(harness.check, (update));
        (uint256 closesAt, uint256 attestationsAt) = (_word(data, 6), _word(data, 8));
        _setWord(data, 6, attestationsAt);
        _setWord(data, 8, closesAt);
        _expectNonCanonical(data);
    }

    /// @dev The argument itself begins a word later.
    function test_RevertWhen_TheArgumentIsShifted() public view {
        bytes memory data = abi.encodeCall(harness.check, (_update()));
        bytes memory shifted =
            bytes.concat(_slice(data, 0, 4), bytes32(uint256(0x40)), bytes32(0), _slice(data, 36, data.length));
        _expectNonCanonical(shifted);
    }

    function test_AttestationsPaddingIsFree() public {
        bytes memory data = abi.encodeCall(oracle.submit, (_update()));
        assertEq(data[data.length - 1], bytes1(0));
        data[data.length - 1] = 0x01;
        (bool success,) = address(oracle).call(data);
        assertTrue(success);
    }

    /* HASHES AND THE EVENT */

    function testFuzz_HashesAreOverWords(IRegimeRiskOracle.Update calldata update, uint256[] calldata instances)
        public
        view
    {
        (bytes32 instancesHash, bytes32 closesHash) = harness.hashes(update, instances);
        assertEq(instancesHash, keccak256(abi.encodePacked(instances)));
        assertEq(closesHash, keccak256(abi.encodePacked(update.closesE8)));
    }

    function testFuzz_TheEventCarriesFeaturesAndOutputs(
        IRegimeRiskOracle.Update calldata update,
        uint32 period,
        address relayer
    ) public {
        IRegimeRiskOracle.Update memory sent = update;
        sent.period = period;
        vm.expectEmit(address(harness));
        emit IRegimeRiskOracle.UpdateAccepted(
            sent.modelId,
            period,
            relayer,
            sent.omittedMarkets,
            packed(sent.candleFeatures),
            sent.outputs,
            keccak256(sent.proof),
            period
        );
        vm.prank(relayer);
        harness.accept(sent);
    }

    /* THROUGH THE ORACLE */

    function test_TheOracleRefusesOtherEncodings() public {
        bytes memory data = abi.encodeCall(oracle.submit, (_update()));
        (bool success, bytes memory returned) = address(oracle).call(bytes.concat(data, bytes32(0)));
        assertFalse(success);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));
        _setWord(data, 5, _word(data, 4));
        (success, returned) = address(oracle).call(data);
        assertFalse(success);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));
    }

    /// @dev The nine bytes of padding behind the attestation aside, each byte is part of what was proven and signed.
    function testFuzz_OnlyTheSignedBytesLand(uint256 position, uint8 flip) public {
        IRegimeRiskOracle.Update memory update = _update();
        verifier.acceptOnly(update.proof, oracle.instancesOf(modelId, MONDAY, update.candleFeatures, update.outputs));
        bytes memory data = abi.encodeCall(oracle.submit, (update));
        uint256 padding = (32 - update.attestations.length % 32) % 32;
        assertEq(padding, 9);
        data[bound(position, 0, data.length - 1 - padding)] ^= bytes1(flip);
        (bool success,) = address(oracle).call(data);
        assertEq(success, flip == 0);
        assertEq(oracle.latestPeriod(modelId), flip == 0 ? MONDAY : 0);
    }

    /* HELPERS */

    function _expectNonCanonical(bytes memory data) private view {
        (bool success, bytes memory returned) = address(harness).staticcall(data);
        assertFalse(success);
        assertEq(returned, abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));
    }

    /// @dev A word behind the selector: 0 is the argument's offset, 1 to 8 are its head.
    function _word(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x24), mul(index, 0x20)))
        }
    }

    function _setWord(bytes memory data, uint256 index, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 0x24), mul(index, 0x20)), word)
        }
    }

    function _slice(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = data[from + i];
        }
    }
}
