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

    /// @notice One of an update's outputs, which must have it: those that the registry has verified do.
    function outputAt(bytes calldata outputs, uint256 index) internal pure returns (int128 output) {
        assembly ("memory-safe") {
            output := sar(128, calldataload(add(outputs.offset, shl(4, index))))
        }
    }
}
