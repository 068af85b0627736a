// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title FieldLib
/// @notice Signed integers as elements of the BN254 scalar field: `q >= 0` stands as `q`, `q < 0` as `r + q`.
/// @dev The rule is EZKL's: a residue above `2**127 - 1` is negative. `contracts/test/vectors/field.json` holds examples
/// that every implementation of the rule is tested with.
library FieldLib {
    /// @notice Order of the BN254 scalar field.
    uint256 internal constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    /// @notice Largest residue that stands for a non-negative integer.
    uint256 internal constant MAX_POSITIVE = 2 ** 127 - 1;

    /// @notice Thrown when a word is not below `r`, so that it would alias another element.
    error NotCanonical(uint256 element);

    /// @notice Thrown when an element stands for an integer outside `int128`.
    error NotInt128(uint256 element);

    /// @notice The canonical element of an integer.
    function encode(int128 value) internal pure returns (uint256) {
        return encodeSmall(value);
    }

    /// @notice The canonical element of an integer whose absolute value is below `r`.
    function encodeSmall(int256 value) internal pure returns (uint256 element) {
        assembly ("memory-safe") {
            element := add(value, mul(R, slt(value, 0))) // two's complement: 2**256 + value if negative
        }
    }

    /// @notice The integer of a canonical element.
    function decode(uint256 element) internal pure returns (int128) {
        if (element >= R) revert NotCanonical(element);
        if (element <= MAX_POSITIVE) return int128(uint128(element));
        uint256 magnitude = R - element;
        if (magnitude > MAX_POSITIVE + 1) revert NotInt128(element);
        return int128(-int256(magnitude));
    }
}
