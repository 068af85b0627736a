// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";

/// @title UpdateLib
/// @notice Updates as they lie in calldata: one encoding each, so that what a watcher decodes is what the contract saw.
library UpdateLib {
    /// @notice Reverts with `NonCanonicalCalldata` unless the calldata is the selector, the offset of the only argument, its
    /// eight head words whose offsets leave neither gap nor overlap, its five arrays, and nothing else.
    /// @dev The lengths are those that decoding found, which follow the offsets that are checked here. Integers with dirty
    /// upper bytes fall to range checks. A proof of the registered length has no padding; the attestations' padding is the
    /// one thing that is left free, and nobody reads it.
    function checkCanonical(IRegimeRiskOracle.Update calldata update) internal pure {
        uint256 features = update.candleFeatures.length;
        uint256 outputs = update.outputs.length;
        uint256 closes = update.closesE8.length;
        uint256 proof = update.proof.length;
        uint256 attestations = update.attestations.length;
        bool canonical;
        assembly ("memory-safe") {
            function padded(length) -> size {
                size := and(add(length, 0x1f), not(0x1f))
            }
            let at := 0x100 // of the features: behind the head
            canonical := and(eq(calldataload(0x04), 0x20), eq(calldataload(0x84), at))
            at := add(at, shl(5, add(features, 1)))
            canonical := and(canonical, eq(calldataload(0xa4), at))
            at := add(at, shl(5, add(outputs, 1)))
            canonical := and(canonical, eq(calldataload(0xc4), at))
            at := add(at, shl(5, add(closes, 1)))
            canonical := and(canonical, eq(calldataload(0xe4), at))
            at := add(add(at, 0x20), padded(proof))
            canonical := and(canonical, eq(calldataload(0x104), at))
            at := add(add(at, 0x20), padded(attestations))
            canonical := and(canonical, eq(calldatasize(), add(at, 0x24)))
        }
        if (!canonical) revert IRegimeRiskOracle.NonCanonicalCalldata();
    }

    /// @notice Whether an update says nothing about the model's market of this index.
    function omits(IRegimeRiskOracle.Update calldata update, uint256 index) internal pure returns (bool) {
        return (update.omittedMarkets >> index) & 1 != 0;
    }

    /// @notice Reverts with `InvalidOmittedMarkets` or `OmittedMarketNotNeutral` unless the omitted markets are some of the
    /// model's, not all, and nothing is said about them. Counts of features and closes must have been checked.
    /// @dev Zeros, so that there is one update without a market and not as many as somebody likes to make up.
    function checkOmitted(IRegimeRiskOracle.Update calldata update, uint256 marketCount, uint256 candleFeatureCount)
        internal
        pure
    {
        uint256 omitted = update.omittedMarkets;
        if (omitted == 0) return;
        if (omitted >= (1 << marketCount) - 1) {
            revert IRegimeRiskOracle.InvalidOmittedMarkets(omitted, marketCount);
        }
        int32[] calldata features = update.candleFeatures;
        uint64[] calldata closes = update.closesE8;
        for (uint256 i = 0; i < marketCount; ++i) {
            if (!omits(update, i)) continue;
            uint256 said; // the bits of its words, united
            assembly ("memory-safe") {
                if closes.length { said := calldataload(add(closes.offset, shl(5, i))) }
                let at := add(features.offset, shl(5, mul(i, candleFeatureCount)))
                for { let end := add(at, shl(5, candleFeatureCount)) } lt(at, end) { at := add(at, 0x20) } {
                    said := or(said, calldataload(at))
                }
            }
            if (said != 0) revert IRegimeRiskOracle.OmittedMarketNotNeutral(i);
        }
    }

    /// @notice keccak256 of the public inputs and of the closes, 32 bytes each.
    function hashes(IRegimeRiskOracle.Update calldata update, uint256[] memory instances)
        internal
        pure
        returns (bytes32 instancesHash, bytes32 closesHash)
    {
        uint64[] calldata closes = update.closesE8;
        assembly ("memory-safe") {
            instancesHash := keccak256(add(instances, 0x20), shl(5, mload(instances)))
            let free := mload(0x40)
            calldatacopy(free, closes.offset, shl(5, closes.length))
            closesHash := keccak256(free, shl(5, closes.length))
        }
    }

    /// @notice Emits `UpdateAccepted`. Outputs lie in canonical calldata as they must lie in the event; features are packed,
    /// because every market pays for them.
    function emitAccepted(IRegimeRiskOracle.Update calldata update, uint32 attestorSetVersion) internal {
        bytes32 topic = IRegimeRiskOracle.UpdateAccepted.selector;
        bytes32 modelId = update.modelId;
        uint256 period = update.period;
        uint256 omitted = update.omittedMarkets;
        bytes32 proofHash = keccak256(update.proof);
        int32[] calldata features = update.candleFeatures;
        int128[] calldata outputs = update.outputs;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, omitted)
            mstore(add(data, 0x20), 0xa0)
            mstore(add(data, 0x60), proofHash)
            mstore(add(data, 0x80), attestorSetVersion)
            let size := shl(2, features.length)
            mstore(add(data, 0xa0), size)
            let at := add(data, 0xc0)
            let source := features.offset
            for { let end := add(at, size) } lt(at, end) { at := add(at, 4) } {
                mstore(at, shl(224, calldataload(source))) // clears what follows, so that the padding is zero
                source := add(source, 0x20)
            }
            at := add(add(data, 0xc0), and(add(size, 0x1f), not(0x1f)))
            mstore(add(data, 0x40), sub(at, data))
            let outputsSize := shl(5, add(outputs.length, 1))
            calldatacopy(at, sub(outputs.offset, 0x20), outputsSize)
            log4(data, sub(add(at, outputsSize), data), topic, modelId, period, caller())
        }
    }
}
