// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {MarketFixture} from "./MarketFixture.sol";

/// @notice One update has one encoding: what a watcher decodes is what the contract saw. Specification: Calldata.tree.
contract CalldataTest is MarketFixture {
    /// @dev Words behind the selector: the update's offset, then its head.
    uint256 private constant UPDATE = 0;
    uint256 private constant PERIOD = 2;
    uint256 private constant FEATURES = 4;
    uint256 private constant ATTESTATIONS = 8;

    /// @dev An attestation has 87 bytes, so that nine more fill its last word.
    uint256 private constant PADDING = 9;

    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        modelId = _register(_spec(_btc()));
    }

    function test_CanonicalCalldataIsAccepted() public {
        assertEq(_send(_calldata()), "");
    }

    function test_RevertWhen_CalldataIsContinued() public {
        _expectNonCanonical(bytes.concat(_calldata(), hex"00"));
        _expectNonCanonical(bytes.concat(_calldata(), bytes32(0)));
        _expectNonCanonical(bytes.concat(_calldata(), bytes32(uint256(1))));
    }

    function test_RevertWhen_CalldataIsCutOff() public {
        bytes memory data = _calldata();
        for (uint256 length = 0; length < data.length; ++length) {
            (bool accepted,) = address(oracle).call(_slice(data, 0, length));
            assertFalse(accepted);
        }
    }

    /// @dev From each array on everything moves one word along, and the offsets follow: the same arguments, other bytes.
    function test_RevertWhen_ThereIsAGap() public {
        for (uint256 first = FEATURES; first <= ATTESTATIONS; ++first) {
            bytes memory data = _calldata();
            uint256 start = 4 + 32 + _wordAt(data, first);
            bytes memory gapped = bytes.concat(_slice(data, 0, start), bytes32(0), _slice(data, start, data.length));
            for (uint256 i = first; i <= ATTESTATIONS; ++i) {
                _setWord(gapped, i, _wordAt(data, i) + 32);
            }
            _expectNonCanonical(gapped);
        }
    }

    function test_RevertWhen_TheUpdateBeginsLater() public {
        bytes memory data = _calldata();
        bytes memory gapped = bytes.concat(_slice(data, 0, 36), bytes32(0), _slice(data, 36, data.length));
        _setWord(gapped, UPDATE, 64);
        _expectNonCanonical(gapped);
    }

    /// @dev Three features and three outputs: both offsets may point to the same words.
    function test_RevertWhen_ArraysOverlap() public {
        bytes memory data = _calldata();
        _setWord(data, FEATURES + 1, _wordAt(data, FEATURES));
        _expectNonCanonical(data);
    }

    function testFuzz_RevertWhen_AnOffsetIsAnother(uint256 offset, uint256 head) public {
        head = bound(head, FEATURES, ATTESTATIONS);
        bytes memory data = _calldata();
        if (offset % 2 == 0) offset = bound(offset, 0, data.length);
        vm.assume(offset != _wordAt(data, head));
        _setWord(data, head, offset);
        assertTrue(_send(data).length != 0 || _refusedWithoutData(data));
    }

    function test_RevertWhen_SmallIntegersAreDirty() public {
        bytes memory data = _calldata();
        _assertRefused(data, 4 + 32 * PERIOD);
        for (uint256 head = FEATURES; head < FEATURES + 2; ++head) {
            _assertRefused(data, 4 + 32 + _wordAt(data, head) + 32);
        }
        IRegimeRiskOracle.Update memory update = _update(modelId, _low(), new uint64[](1));
        data = abi.encodeCall(oracle.submit, (update));
        _assertRefused(data, 4 + 32 + _wordAt(data, FEATURES + 2) + 32);
    }

    function test_PaddingOfAttestationsIsFree() public {
        bytes memory data = _calldata();
        data[data.length - 1] = 0x01;
        data[data.length - PADDING] = 0x01;
        assertEq(_send(data), "");
    }

    function testFuzz_OnlyTheCanonicalBytesLand(uint16 position, uint8 flip) public {
        bytes memory data = _calldata();
        verifier.acceptOnly(_proof(), oracle.instancesOf(modelId, MONDAY, _candles(3), _low()));
        uint256 start = position % data.length;
        data[start] ^= bytes1(flip);
        (bool accepted,) = address(oracle).call(data);
        assertEq(accepted, flip == 0 || start >= data.length - PADDING);
    }

    /// @dev The attestations' length is the set's business: any is canonical, and refused for what it is.
    function testFuzz_AnyLengthOfAttestationsIsCanonical(bytes memory attestations) public {
        IRegimeRiskOracle.Update memory update = _update(modelId, _low());
        update.attestations = attestations;
        bytes memory returned = _send(abi.encodeCall(oracle.submit, (update)));
        assertTrue(returned.length >= 4 && bytes4(returned) != IRegimeRiskOracle.NonCanonicalCalldata.selector);
    }

    /* HELPERS */

    function _calldata() private view returns (bytes memory) {
        return abi.encodeCall(oracle.submit, (_update(modelId, _low())));
    }

    /// @dev The revert data; empty if it landed.
    function _send(bytes memory data) private returns (bytes memory) {
        (bool accepted, bytes memory returned) = address(oracle).call(data);
        return accepted ? bytes("") : returned;
    }

    function _refusedWithoutData(bytes memory data) private returns (bool) {
        (bool accepted,) = address(oracle).call(data);
        return !accepted && oracle.latestPeriod(modelId) == 0;
    }

    function _expectNonCanonical(bytes memory data) private {
        assertEq(_send(data), abi.encodeWithSelector(IRegimeRiskOracle.NonCanonicalCalldata.selector));
    }

    function _assertRefused(bytes memory data, uint256 dirtyAt) private {
        data[dirtyAt] ^= 0x01;
        assertTrue(_refusedWithoutData(data));
        data[dirtyAt] ^= 0x01;
    }

    function _slice(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory slice) {
        slice = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            slice[i - from] = data[i];
        }
    }

    /// @dev A word behind the selector, counted from 0. Offsets count from the update's first word, which is word 1.
    function _wordAt(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x24), mul(index, 0x20)))
        }
    }

    function _setWord(bytes memory data, uint256 index, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 0x24), mul(index, 0x20)), word)
        }
    }
}
