// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Attestors} from "../src/base/Attestors.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {AttestedFixture} from "./AttestedFixture.sol";
import {MockSigner} from "./mocks/MockSigner.sol";

/// @notice Attestors without an oracle around them.
contract AttestorsHarness is Attestors {
    function set(address[] calldata attestors, uint8 threshold) external {
        _setAttestors(attestors, threshold);
    }

    function digest(bytes32 modelId, uint64 period, uint256 omittedMarkets, bytes32 instancesHash, uint32 version)
        external
        view
        returns (bytes32)
    {
        return _attestationDigest(modelId, period, omittedMarkets, instancesHash, version);
    }

    function check(bytes32 signed, bytes calldata attestations) external view {
        _checkAttestations(_attestorSet(), signed, attestations);
    }
}

/// @notice What attestors sign, and what contracts among them answer. Specification: Attestors.tree.
contract AttestationDigestTest is AttestedFixture {
    string private _vectors = vm.readFile("contracts/test/vectors/attestation.json");

    /* THE DIGEST */

    function test_TheDigestIsEip712() public view {
        IModelRegistry.Update memory update = _update();
        assertEq(_digest(update), _digestOf(_signed(update)));
    }

    function test_TheDigestFollowsTheChain() public {
        IModelRegistry.Update memory update = _update();
        bytes32 here = _digest(update);
        vm.chainId(10);
        assertEq(_digest(update), _digestOf(_signed(update)));
        assertTrue(_digest(update) != here);
    }

    function testFuzz_EveryFieldCounts(uint8 field, bytes32 noise) public {
        vm.assume(noise != 0);
        IModelRegistry.Update memory update = _update();
        Signed memory other = _signed(update);
        uint64 small = uint64(bound(uint256(noise), 1, type(uint32).max));
        field = uint8(bound(field, 0, 8));
        if (field == 0) other.name = string.concat(other.name, " ");
        if (field == 1) other.version = "2";
        if (field == 2) other.chainId ^= small;
        if (field == 3) other.verifyingContract = address(uint160(other.verifyingContract) ^ uint160(small));
        if (field == 4) other.modelId ^= noise;
        if (field == 5) other.period ^= small;
        if (field == 6) other.instancesHash ^= noise;
        if (field == 7) other.omittedMarkets ^= uint256(noise);
        if (field == 8) other.setVersion ^= uint32(small);
        _expectInvalid(update, _digestOf(other));
    }

    function test_EveryPublicInputCounts() public {
        IModelRegistry.Update memory update = _update();
        uint256[] memory instances = registry.instancesOf(modelId, update.period, update.features, update.outputs);
        assertEq(instances.length, 8);
        for (uint256 i = 0; i < instances.length; ++i) {
            Signed memory other = _signed(update);
            instances[i] ^= 1;
            other.instancesHash = keccak256(abi.encodePacked(instances));
            _expectInvalid(update, _digestOf(other));
            instances[i] ^= 1;
        }
    }

    /// @dev The inputs that were signed are those of the contract: whoever relays other features lands nothing.
    function test_RevertWhen_TheRelayerChangesAnything() public {
        IModelRegistry.Update memory update = _update();
        for (uint256 i = 3; i < update.features.length; i += 4) {
            update.features[i] ^= 0x01;
            _expectRefusal(update, _invalid(attestor));
            update.features[i] ^= 0x01;
        }
        for (uint256 i = 15; i < update.outputs.length; i += 16) {
            update.outputs[i] ^= 0x01;
            _expectRefusal(update, _invalid(attestor));
            update.outputs[i] ^= 0x01;
        }
        _expectLanding(update);
    }

    /// @dev Rust tests the same file.
    function test_SharedVectors() public {
        uint256 count = 0;
        for (; vm.keyExistsJson(_vectors, _key(count, "digest")); ++count) {
            vm.chainId(vm.parseJsonUint(_vectors, _key(count, "chain_id")));
            AttestorsHarness harness = AttestorsHarness(vm.parseJsonAddress(_vectors, _key(count, "registry")));
            deployCodeTo("AttestationDigest.t.sol:AttestorsHarness", address(harness));
            bytes32 instancesHash =
                keccak256(abi.encodePacked(vm.parseJsonUintArray(_vectors, _key(count, "instances"))));
            assertEq(instancesHash, vm.parseJsonBytes32(_vectors, _key(count, "instances_hash")));
            uint256 version = vm.parseJsonUint(_vectors, _key(count, "attestor_set_version"));
            bytes32 digest = harness.digest(
                vm.parseJsonBytes32(_vectors, _key(count, "model_id")),
                uint64(vm.parseJsonUint(_vectors, _key(count, "period"))),
                vm.parseJsonUint(_vectors, _key(count, "omitted_markets")),
                instancesHash,
                uint32(version)
            );
            assertEq(digest, vm.parseJsonBytes32(_vectors, _key(count, "digest")));
            uint256 key = vm.parseJsonUint(_vectors, _key(count, "key"));
            bytes memory attestation = vm.parseJsonBytes(_vectors, _key(count, "attestation"));
            assertEq(attestation, _attestedBy(vm.addr(key), key, digest));
            harness.set(_list(vm.addr(key)), 1);
            harness.check(digest, attestation);
        }
        assertGe(count, 2, "the vector file is shorter than it should be");
    }

    /* CONTRACTS AMONG THE ATTESTORS */

    function test_AContractAttests() public {
        MockSigner signer = _useMockSigner();
        IModelRegistry.Update memory update = _update();
        update.attestations = abi.encodePacked(signer, uint16(7), "a quorum of it"); // 7 bytes of a longer string
        _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.MalformedAttestations.selector));
        update.attestations = abi.encodePacked(signer, uint16(14), "a quorum of it");
        signer.acceptOnly(_digest(update), "a quorum of them");
        _expectRefusal(update, _invalid(address(signer)));
        signer.acceptOnly("another digest", "a quorum of it");
        _expectRefusal(update, _invalid(address(signer)));
        signer.acceptOnly(_digest(update), "a quorum of it");
        _expectLanding(update);
    }

    function test_AContractMayWantNoBytesAtAll() public {
        MockSigner signer = _useMockSigner();
        IModelRegistry.Update memory update = _update();
        update.attestations = abi.encodePacked(signer, uint16(0));
        _expectLanding(update);
    }

    function test_RevertWhen_AContractDoesNotAccept() public {
        MockSigner signer = _useMockSigner();
        IModelRegistry.Update memory update = _update();
        update.attestations = abi.encodePacked(signer, uint16(3), "yes");
        for (uint8 i = 1; i <= uint8(type(MockSigner.Behaviour).max); ++i) {
            signer.behave(MockSigner.Behaviour(i));
            _expectRefusal(update, _invalid(address(signer)));
        }
        signer.behave(MockSigner.Behaviour.Accept);
        _expectLanding(update);
    }

    function test_AKeyAndAContractMakeTwo() public {
        MockSigner signer = new MockSigner();
        address[] memory pair = new address[](2);
        bool keyFirst = attestor < address(signer);
        (pair[0], pair[1]) = keyFirst ? (attestor, address(signer)) : (address(signer), attestor);
        _setAttestors(pair, 2);
        IModelRegistry.Update memory update = _update();
        bytes memory byContract = abi.encodePacked(signer, uint16(3), "yes");
        bytes memory byKey = _attest(update);
        update.attestations = keyFirst ? bytes.concat(byKey, byContract) : bytes.concat(byContract, byKey);
        _expectLanding(update);
    }

    /* HELPERS */

    function _useMockSigner() private returns (MockSigner signer) {
        signer = new MockSigner();
        _setAttestors(_list(address(signer)), 1);
    }

    function _expectInvalid(IModelRegistry.Update memory update, bytes32 digest) private {
        update.attestations = _attestationOf(attestor, digest);
        _expectRefusal(update, _invalid(attestor));
    }

    function _invalid(address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, signer);
    }

    function _key(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat("[", vm.toString(index), "].", field);
    }
}
