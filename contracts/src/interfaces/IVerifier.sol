// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IVerifier
/// @notice How the chain convinces itself that a model was run: what EZKL generates, a halo2 verifier of another make, or
/// a contract that computes the network itself and then needs no proof.
/// @dev Declared `view`, although generated code does not say so: callers then use STATICCALL, under which the verifier can
/// change no state and re-enter nothing that matters.
/// @dev Warning: generated verifiers find their arguments at fixed calldata positions. Call this function through the
/// interface only, never with bytes that somebody else has encoded.
interface IVerifier {
    /// @notice Checks one proof against its public inputs.
    /// @param proof The proof; empty for a verifier that needs none.
    /// @param instances Public inputs, canonical elements of the BN254 scalar field.
    /// @return accepted True if the proof holds. A proof that does not hold may revert, with or without data.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool accepted);
}
