// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IERC20Decimals
/// @notice The part of a token that is used here beside its transfers.
interface IERC20Decimals {
    /// @notice Decimals of the token's unit.
    function decimals() external view returns (uint8);
}
