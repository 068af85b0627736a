// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IModelRegistry} from "../interfaces/IModelRegistry.sol";

/// @title UpdateLib
/// @notice Updates as consumers of the registry take them apart.
library UpdateLib {
    /// @notice Whether an update says nothing about the model's market of this index.
    function omits(IModelRegistry.Update calldata update, uint256 index) internal pure returns (bool) {
        return (update.omittedMarkets >> index) & 1 != 0;
    }

    /// @notice Features for an event: 4 bytes each, big-endian two's complement, because every market pays for them.
    /// @dev Of an update that the registry has verified: each word is a clean `int32`.
    function packed(int32[] calldata features) internal pure returns (bytes memory data) {
        data = new bytes(features.length * 4);
        assembly ("memory-safe") {
            let source := features.offset
            let target := add(data, 4) // a word that ends with the feature, and begins with what is before it
            for { let end := add(source, shl(5, features.length)) } lt(source, end) { source := add(source, 0x20) } {
                mstore(target, or(shl(32, shr(32, mload(target))), and(calldataload(source), 0xffffffff)))
                target := add(target, 4)
            }
        }
    }
}
