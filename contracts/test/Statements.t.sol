// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {AttestedFixture} from "./AttestedFixture.sol";

/// @notice What attestors sign beside updates. Specification: Attestors.tree.
contract StatementsTest is AttestedFixture {
    bytes32 private constant STATEMENT = keccak256("of a consumer");

    function test_TheDigestIsEip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                EIP712_DOMAIN, keccak256("VeriRegime ModelRegistry"), keccak256("1"), block.chainid, address(registry)
            )
        );
        bytes32 typehash = keccak256("Statement(bytes32 statement,uint32 attestorSetVersion)");
        bytes32 message = keccak256(abi.encode(typehash, STATEMENT, uint32(1)));
        assertEq(registry.statementDigest(STATEMENT), keccak256(abi.encodePacked(hex"1901", domain, message)));
    }

    function test_TwoOfThreeSuffice() public {
        address[] memory signers = _useAttestors(3, 2);
        bytes memory attestations = bytes.concat(_by(signers[0]), _by(signers[2]));
        (address[] memory found, uint32 version) = registry.checkStatement(STATEMENT, attestations);
        assertEq(found.length, 2);
        assertEq(found[0], signers[0]);
        assertEq(found[1], signers[2]);
        assertEq(version, 2);
    }

    function test_RevertWhen_FewerMoreOrOtherBytes() public {
        address[] memory signers = _useAttestors(3, 2);
        bytes memory two = bytes.concat(_by(signers[0]), _by(signers[1]));
        _refused(STATEMENT, _by(signers[0]), abi.encodeWithSelector(IModelRegistry.MalformedAttestations.selector));
        _refused(
            STATEMENT,
            bytes.concat(two, _by(signers[2])),
            abi.encodeWithSelector(IModelRegistry.MalformedAttestations.selector)
        );
        _refused(
            STATEMENT, bytes.concat(two, hex"00"), abi.encodeWithSelector(IModelRegistry.MalformedAttestations.selector)
        );
        _refused(
            STATEMENT,
            bytes.concat(_by(signers[0]), _by(signers[0])),
            abi.encodeWithSelector(IModelRegistry.SignersNotAscending.selector, signers[0], signers[0])
        );
        registry.checkStatement(STATEMENT, two);
    }

    function test_RevertWhen_AnythingSignedDiffers() public {
        bytes memory invalid = abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor);
        bytes memory good = _by(attestor);
        registry.checkStatement(STATEMENT, good);
        _refused(keccak256("another"), good, invalid);
        // What was signed as an update's is no statement, and a statement no update.
        IModelRegistry.Update memory update = _update();
        _refused(_digest(update), update.attestations, invalid);
        update.attestations = _attestedBy(attestor, attestorKey, registry.statementDigest(_digest(update)));
        _expectRefusal(update, invalid);
        // Another registry, another chain, a later set.
        ModelRegistry other = new ModelRegistry(OWNER, GUARDIAN, 0, _list(attestor), 1);
        vm.expectRevert(invalid);
        other.checkStatement(STATEMENT, good);
        vm.chainId(31_338);
        _refused(STATEMENT, good, invalid);
        vm.chainId(31_337);
        _setAttestors(_list(attestor), 1);
        _refused(STATEMENT, good, invalid);
        registry.checkStatement(STATEMENT, _by(attestor));
    }

    function test_RevertWhen_SignedByNoAttestor() public {
        (address stranger, uint256 key) = makeAddrAndKey("stranger");
        bytes memory theirs = _attestedBy(stranger, key, registry.statementDigest(STATEMENT));
        _refused(STATEMENT, theirs, abi.encodeWithSelector(IModelRegistry.NotAttestor.selector, stranger));
    }

    function _by(address signer) private view returns (bytes memory) {
        return _attestationOf(signer, registry.statementDigest(STATEMENT));
    }

    function _refused(bytes32 statement, bytes memory attestations, bytes memory revertData) private {
        vm.expectRevert(revertData);
        registry.checkStatement(statement, attestations);
    }
}
