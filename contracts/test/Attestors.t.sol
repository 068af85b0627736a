// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {AttestedFixture} from "./AttestedFixture.sol";

/// @notice Sets of attestors, thresholds, and the bytes of attestations. Specification: Attestors.tree.
contract AttestorsTest is AttestedFixture {
    /* THE SET */

    function test_ANewSetReplacesTheOldOne() public {
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = STRANGER < RELAYER ? (STRANGER, RELAYER) : (RELAYER, STRANGER);
        vm.startPrank(OWNER);
        registry.schedule(abi.encodeCall(registry.setAttestors, (signers, 2)));
        vm.expectEmit(address(registry));
        emit IModelRegistry.AttestorsSet(
            2, signers, 2, keccak256(abi.encode(block.chainid, registry, uint32(2), signers, uint8(2)))
        );
        registry.setAttestors(signers, 2);
        vm.stopPrank();
        (uint32 version, uint8 threshold) = registry.attestorSet();
        assertEq(version, 2);
        assertEq(threshold, 2);
        assertTrue(registry.isAttestor(STRANGER) && registry.isAttestor(RELAYER));
        assertFalse(registry.isAttestor(attestor) || registry.isAttestor(address(0)));
    }

    function test_RevertWhen_TheSetIsUnusable() public {
        address[] memory signers = new address[](3);
        (signers[0], signers[1], signers[2]) = (address(1), address(2), address(3));
        _expectInvalid(signers, 0);
        _expectInvalid(signers, 4);
        _expectInvalid(new address[](0), 0);
        _expectInvalid(new address[](0), 1);
        signers[2] = address(2);
        _expectInvalid(signers, 1);
        (signers[1], signers[2]) = (address(3), address(2));
        _expectInvalid(signers, 1);
        (signers[0], signers[1]) = (address(0), address(1));
        _expectInvalid(signers, 1);
    }

    function test_RevertWhen_TheFirstSetIsUnusable() public {
        vm.expectRevert(IModelRegistry.InvalidAttestors.selector);
        new ModelRegistry(OWNER, GUARDIAN, 0, _list(attestor), 2);
    }

    /// @dev The signer stays, the set does not.
    function test_RevertWhen_AttestedForAnOlderSet() public {
        IModelRegistry.Update memory update = _update();
        _setAttestors(_list(attestor), 1);
        assertTrue(registry.isAttestor(attestor));
        _expectRefusal(update, _invalid(attestor));
        update.attestations = _attest(update);
        _expectLanding(update);
    }

    function test_RevertWhen_TheSignerWasDropped() public {
        IModelRegistry.Update memory update = _update();
        _setAttestors(_list(STRANGER), 1);
        _expectRefusal(update, _notAttestor(attestor));
        update.attestations = _attest(update);
        _expectRefusal(update, _notAttestor(attestor));
    }

    /* THE THRESHOLD */

    function test_OneOfOne() public {
        _expectLanding(_update());
    }

    function test_AnyTwoOfThree() public {
        address[] memory signers = _useAttestors(3, 2);
        for (uint256 without = 0; without < 3; ++without) {
            vm.warp(block.timestamp + PERIOD_SECONDS);
            IModelRegistry.Update memory update = _update();
            address first = signers[without == 0 ? 1 : 0];
            address second = signers[without == 2 ? 1 : 2];
            update.attestations = bytes.concat(_by(first, update), _by(second, update));
            _expectLanding(update);
        }
    }

    function test_FiveOfFive() public {
        address[] memory signers = _useAttestors(5, 5);
        IModelRegistry.Update memory update = _update();
        bytes memory all;
        for (uint256 i = 0; i < 5; ++i) {
            update.attestations = all;
            _expectRefusal(update, _malformed());
            all = bytes.concat(all, _by(signers[i], update));
        }
        update.attestations = all;
        _expectLanding(update);
    }

    function test_RevertWhen_MoreThanTheThreshold() public {
        address[] memory signers = _useAttestors(3, 2);
        IModelRegistry.Update memory update = _update();
        update.attestations = bytes.concat(_by(signers[0], update), _by(signers[1], update), _by(signers[2], update));
        _expectRefusal(update, _malformed());
    }

    /* THE ORDER */

    function test_RevertWhen_SignersDoNotAscend() public {
        address[] memory signers = _useAttestors(3, 2);
        IModelRegistry.Update memory update = _update();
        update.attestations = bytes.concat(_by(signers[2], update), _by(signers[1], update));
        _expectRefusal(update, _notAscending(signers[2], signers[1]));
        update.attestations = bytes.concat(_by(signers[1], update), _by(signers[1], update));
        _expectRefusal(update, _notAscending(signers[1], signers[1]));
    }

    /// @dev What a failed recovery answers is no signer.
    function test_RevertWhen_TheSignerIsZero() public {
        IModelRegistry.Update memory update = _update();
        update.attestations = abi.encodePacked(address(0), uint16(65), new bytes(65));
        _expectRefusal(update, _notAscending(address(0), address(0)));
    }

    function testFuzz_RevertWhen_TheSignerIsNotInTheSet(uint256 key) public {
        key = bound(key, 1, 2 ** 255);
        address signer = vm.addr(key);
        vm.assume(signer != attestor);
        IModelRegistry.Update memory update = _update();
        update.attestations = _attestedBy(signer, key, _digest(update));
        _expectRefusal(update, _notAttestor(signer));
    }

    function test_RevertWhen_SignedBySomebodyElseInTheSet() public {
        address[] memory signers = _useAttestors(2, 1);
        IModelRegistry.Update memory update = _update();
        update.attestations = _attestedBy(signers[0], _keyOfAttestor(signers[1]), _digest(update));
        _expectRefusal(update, _invalid(signers[0]));
    }

    /* THE BYTES */

    function test_RevertWhen_CutOff() public {
        address[] memory signers = _useAttestors(3, 2);
        IModelRegistry.Update memory update = _update();
        bytes memory whole = bytes.concat(_by(signers[0], update), _by(signers[1], update));
        assertEq(whole.length, 2 * 87);
        for (uint256 length = 0; length < whole.length; ++length) {
            update.attestations = _prefix(whole, length);
            _expectRefusal(update, _malformed());
        }
    }

    function testFuzz_RevertWhen_BytesFollow(bytes calldata more) public {
        vm.assume(more.length != 0);
        IModelRegistry.Update memory update = _update();
        update.attestations = bytes.concat(update.attestations, more);
        _expectRefusal(update, _malformed());
    }

    /// @dev 64 bytes may be a signature of EIP-2098, which passes: see below.
    function testFuzz_RevertWhen_TheLengthFieldIsWrong(uint16 length) public {
        vm.assume(length != 65 && length != 64);
        IModelRegistry.Update memory update = _update();
        (update.attestations[20], update.attestations[21]) = (bytes1(uint8(length >> 8)), bytes1(uint8(length)));
        _expectRefusal(update, length > 65 ? _malformed() : _invalid(attestor));
    }

    /// @dev A length field that reaches over the next attestation, which is then missing.
    function test_RevertWhen_OneSignatureSwallowsTheNext() public {
        address[] memory signers = _useAttestors(2, 2);
        IModelRegistry.Update memory update = _update();
        bytes memory both = bytes.concat(_by(signers[0], update), _by(signers[1], update));
        both[21] = bytes1(uint8(65 + 87));
        update.attestations = both;
        _expectRefusal(update, _invalid(signers[0]));
    }

    function testFuzz_RevertWhen_AnyByteOfASignatureDiffers(uint256 index, uint8 flip) public {
        index = bound(index, 22, 86);
        vm.assume(flip != 0);
        IModelRegistry.Update memory update = _update();
        update.attestations[index] ^= bytes1(flip);
        _expectRefusal(update, _invalid(attestor));
    }

    /// @dev A signature's other forms say the same. They pass, because nothing is named after a signature: an update is
    /// named by model and period, and nobody is paid for one.
    function test_OtherFormsOfASignaturePassOnce() public {
        bytes[2] memory forms = [_malleated(_update()), _short(_update())];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            IModelRegistry.Update memory update = _update();
            bytes memory plain = update.attestations;
            update.attestations = forms[i];
            assertTrue(keccak256(plain) != keccak256(forms[i]));
            _expectLanding(update);
            update.attestations = plain;
            _expectRefusal(
                update,
                abi.encodeWithSelector(
                    IRegimeRiskOracle.NothingApplied.selector, IRegimeRiskOracle.SkipReason.AlreadyUpdated
                )
            );
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_TwoFormsOfOneSignatureStandForTwo() public {
        address[] memory pair = new address[](2);
        (pair[0], pair[1]) = attestor < STRANGER ? (attestor, STRANGER) : (STRANGER, attestor);
        _setAttestors(pair, 2);
        IModelRegistry.Update memory update = _update();
        bytes[2] memory forms = [_malleated(update), _short(update)];
        for (uint256 i = 0; i < 2; ++i) {
            update.attestations = bytes.concat(_attest(update), forms[i]);
            assertEq(_answerTo(update), _notAscending(attestor, attestor));
        }
    }

    /* HELPERS */

    function _by(address signer, IModelRegistry.Update memory update) private view returns (bytes memory) {
        return _attestationOf(signer, _digest(update));
    }

    /// @dev The same point's mirror image: `(r, n - s)` with the other parity.
    function _malleated(IModelRegistry.Update memory update) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attestorKey, _digest(update));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(attestor, uint16(65), r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
    }

    /// @dev EIP-2098: 64 bytes.
    function _short(IModelRegistry.Update memory update) private view returns (bytes memory) {
        (bytes32 r, bytes32 vs) = vm.signCompact(attestorKey, _digest(update));
        return abi.encodePacked(attestor, uint16(64), r, vs);
    }

    function _prefix(bytes memory data, uint256 length) private pure returns (bytes memory prefix) {
        prefix = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            prefix[i] = data[i];
        }
    }

    function _expectInvalid(address[] memory signers, uint8 threshold) private {
        vm.startPrank(OWNER);
        registry.schedule(abi.encodeCall(registry.setAttestors, (signers, threshold)));
        vm.expectRevert(IModelRegistry.InvalidAttestors.selector);
        registry.setAttestors(signers, threshold);
        vm.stopPrank();
    }

    function _malformed() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.MalformedAttestations.selector);
    }

    function _invalid(address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, signer);
    }

    function _notAttestor(address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.NotAttestor.selector, signer);
    }

    function _notAscending(address previous, address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.SignersNotAscending.selector, previous, signer);
    }
}
