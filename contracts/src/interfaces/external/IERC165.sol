// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IERC165
/// @notice How a contract tells which interfaces it has.
interface IERC165 {
    /// @notice Whether the contract has an interface. True for `0x01ffc9a7`, false for `0xffffffff`.
    function supportsInterface(bytes4 interfaceId) external view returns (bool);
}
