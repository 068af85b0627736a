// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @dev Features as `UpdateAccepted` shows them.
function packed(int32[] memory features) pure returns (bytes memory data) {
    for (uint256 i = 0; i < features.length; ++i) {
        data = bytes.concat(data, bytes4(uint32(features[i])));
    }
}
