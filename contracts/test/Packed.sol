// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @dev Features as updates carry them.
function packed(int32[] memory features) pure returns (bytes memory data) {
    data = new bytes(4 * features.length);
    for (uint256 i = 0; i < features.length; ++i) {
        setFeature(data, i, features[i]);
    }
}

/// @dev Outputs as updates carry them.
function packedOutputs(int128[] memory outputs) pure returns (bytes memory data) {
    data = new bytes(16 * outputs.length);
    for (uint256 i = 0; i < outputs.length; ++i) {
        setOutput(data, i, outputs[i]);
    }
}

/// @dev Replaces one of the features.
function setFeature(bytes memory features, uint256 index, int32 value) pure {
    bytes4 bits = bytes4(uint32(value));
    for (uint256 i = 0; i < 4; ++i) {
        features[4 * index + i] = bits[i];
    }
}

/// @dev Replaces one of the outputs.
function setOutput(bytes memory outputs, uint256 index, int128 value) pure {
    bytes16 bits = bytes16(uint128(value));
    for (uint256 i = 0; i < 16; ++i) {
        outputs[16 * index + i] = bits[i];
    }
}
