// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IHalo2Verifier
/// @notice The one function of a verifier contract that EZKL generates.
/// @dev Declared `view`, although the generated code does not say so: callers then use STATICCALL, under which the
/// verifier can change no state and re-enter nothing that matters.
/// @dev Warning: generated verifiers find their arguments at fixed calldata positions. Call this function through the
/// interface only, never with bytes that somebody else has encoded.
interface IHalo2Verifier {
    /// @notice Checks one proof against its public inputs.
    /// @param proof The proof, in EZKL's EVM transcript encoding.
    /// @param instances Public inputs, canonical elements of the BN254 scalar field.
    /// @return accepted True if the proof holds. A proof that does not hold usually reverts without data.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool accepted);
}
