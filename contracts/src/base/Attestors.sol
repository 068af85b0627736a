// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ECDSA} from "solady/utils/ECDSA.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {SignatureCheckerLib} from "solady/utils/SignatureCheckerLib.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";

/// @title Attestors
/// @notice The accounts that sign "these features are what public data give for this period", and how many must.
/// @dev Replacing the set raises its version, which is signed over: an attestation made for an older set is worth nothing,
/// even if its signer is in the new one.
abstract contract Attestors is EIP712 {
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 modelId,uint64 period,uint256 omittedMarkets,bytes32 instancesHash,uint32 attestorSetVersion)"
    );
    bytes32 private constant STATEMENT_TYPEHASH = keccak256("Statement(bytes32 statement,uint32 attestorSetVersion)");

    uint256 private constant ADDRESS_BYTES = 20;
    uint256 private constant HEAD_BYTES = ADDRESS_BYTES + 2;

    struct AttestorSet {
        uint32 version;
        uint8 threshold;
    }

    AttestorSet private _set;
    /// @dev The version that an account is a member of.
    mapping(address account => uint32 version) private _memberOf;

    function _setAttestors(address[] memory attestors, uint8 threshold) internal {
        if (threshold == 0 || threshold > attestors.length) revert IModelRegistry.InvalidAttestors();
        uint32 version = _set.version + 1;
        _set = AttestorSet({version: version, threshold: threshold});
        address previous = address(0);
        for (uint256 i = 0; i < attestors.length; ++i) {
            if (attestors[i] <= previous) revert IModelRegistry.InvalidAttestors();
            previous = attestors[i];
            _memberOf[previous] = version;
        }
        bytes32 digest = keccak256(abi.encode(block.chainid, address(this), version, attestors, threshold));
        emit IModelRegistry.AttestorsSet(version, attestors, threshold, digest);
    }

    function _attestorSet() internal view returns (AttestorSet memory) {
        return _set;
    }

    function _inSet(uint32 version, address account) internal view returns (bool) {
        return _memberOf[account] == version;
    }

    /// @dev What attestors sign.
    function _attestationDigest(
        bytes32 modelId,
        uint64 period,
        uint256 omittedMarkets,
        bytes32 instancesHash,
        uint32 version
    ) internal view returns (bytes32) {
        return _hashTypedData(
            keccak256(abi.encode(ATTESTATION_TYPEHASH, modelId, period, omittedMarkets, instancesHash, version))
        );
    }

    /// @dev What attestors sign of a consumer's statement.
    function _statementDigest(bytes32 statement, uint32 version) internal view returns (bytes32) {
        return _hashTypedData(keccak256(abi.encode(STATEMENT_TYPEHASH, statement, version)));
    }

    /// @dev Exactly `threshold` attestations by members of the set, strictly ascending, and no byte more.
    function _checkAttestations(AttestorSet memory set, bytes32 digest, bytes calldata attestations)
        internal
        view
        returns (address[] memory signers)
    {
        signers = new address[](set.threshold);
        address previous = address(0);
        uint256 next = 0;
        unchecked {
            for (uint256 i = 0; i < set.threshold; ++i) {
                if (attestations.length < next + HEAD_BYTES) revert IModelRegistry.MalformedAttestations();
                address signer = address(bytes20(attestations[next:]));
                uint256 start = next + HEAD_BYTES;
                next = start + uint16(bytes2(attestations[next + ADDRESS_BYTES:]));
                if (attestations.length < next) revert IModelRegistry.MalformedAttestations();
                if (signer <= previous) revert IModelRegistry.SignersNotAscending(previous, signer);
                if (!_inSet(set.version, signer)) revert IModelRegistry.NotAttestor(signer);
                if (!_signed(signer, digest, attestations[start:next])) {
                    revert IModelRegistry.InvalidAttestation(signer);
                }
                (previous, signers[i]) = (signer, signer);
            }
        }
        if (next != attestations.length) revert IModelRegistry.MalformedAttestations();
    }

    /// @dev Keys first: asking a key's account for code costs as much as the signature.
    function _signed(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        return ECDSA.tryRecoverCalldata(digest, signature) == signer
            || SignatureCheckerLib.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }

    function _domainNameAndVersion() internal pure override returns (string memory name, string memory version) {
        return ("VeriRegime ModelRegistry", "1");
    }
}
