// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibString} from "solady/utils/LibString.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {BoundedCall} from "./BoundedCall.sol";
import {FieldLib} from "./FieldLib.sol";
import {WEEK_SECONDS} from "./Units.sol";

/// @title ModelLib
/// @notice Validation and storage of model specifications, and the layout of a proof's public inputs.
/// @dev A specification is stored once, ABI-encoded, as the code of a data contract, and read in place.
library ModelLib {
    /// @notice Most markets in one proof.
    uint256 internal constant MAX_MARKETS = 32;

    /// @notice Most features per market.
    uint256 internal constant MAX_FEATURES = 256;

    /// @notice Most calendar features, and most outputs, per market.
    uint256 internal constant MAX_CALENDAR_FEATURES = 16;
    uint256 internal constant MAX_OUTPUTS = 16;

    /// @notice Outputs stand for less than `2**6 = 64` in absolute value.
    uint256 internal constant OUTPUT_LIMIT_LOG2 = 6;

    /// @notice Largest output scale: `2**(120 + 6)` still fits an `int128`.
    uint256 internal constant MAX_OUTPUT_SCALE = 120;

    /// @notice Most bytes of a calendar table: with the rest of a specification it fits a data contract.
    uint256 internal constant MAX_TABLE_BYTES = 22_528;

    /// @dev Words in the head of an encoded specification, and bytes of one entry of its table.
    uint256 private constant HEAD_WORDS = 19;
    uint256 private constant ENTRY_BYTES = 4;

    /// @notice Reverts with `InvalidModelSpec`, `FeatureOutOfRange` or `VerifierCodeChanged` if the specification cannot work.
    function check(IModelRegistry.ModelSpec calldata spec) internal view {
        checkVerifierCode(spec.verifier, spec.verifierCodeHash);
        _require(spec.verifier.code.length != 0, "verifier");
        _require(spec.verifierGas != 0, "verifierGas");
        _require(spec.periodSeconds != 0 && WEEK_SECONDS % spec.periodSeconds == 0, "periodSeconds");
        _require(spec.featureCount != 0 && spec.featureCount <= MAX_FEATURES, "featureCount");
        _require(spec.calendarFeatureCount <= MAX_CALENDAR_FEATURES, "calendarFeatureCount");
        _require(spec.outputCount != 0 && spec.outputCount <= MAX_OUTPUTS, "outputCount");
        _require(spec.outputScale <= MAX_OUTPUT_SCALE, "outputScale");
        _require(spec.featureBound != 0 && spec.featureBound <= uint32(type(int32).max), "featureBound");
        _require(spec.proofLength % 32 == 0, "proofLength");
        uint256 marketCount = spec.markets.length;
        _require(marketCount != 0 && marketCount <= MAX_MARKETS, "markets");
        for (uint256 i = 1; i < marketCount; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                _require(spec.markets[i] != spec.markets[j], "markets");
            }
        }
        bytes calldata table = spec.calendarTable;
        // slither-disable-next-line divide-before-multiply (a period divides a week)
        uint256 entries = WEEK_SECONDS / spec.periodSeconds * spec.calendarFeatureCount;
        _require(table.length == entries * ENTRY_BYTES && table.length <= MAX_TABLE_BYTES, "calendarTable");
        for (uint256 i = 0; i < entries; ++i) {
            int256 entry = int32(uint32(bytes4(table[i * ENTRY_BYTES:])));
            if (FixedPointMathLib.abs(entry) > spec.featureBound) {
                revert IModelRegistry.FeatureOutOfRange(i, entry, spec.featureBound);
            }
        }
    }

    /// @notice Reverts with `VerifierCodeChanged` unless the verifier's code has the expected hash.
    function checkVerifierCode(address verifier, bytes32 expected) internal view {
        if (verifier.codehash != expected) {
            revert IModelRegistry.VerifierCodeChanged(verifier, expected, verifier.codehash);
        }
    }

    /// @notice The specification that a data contract holds, but for its calendar table, which is empty here.
    /// @dev Read in place: memory holds a specification's words in the order of the encoding, and only what are offsets there
    /// are pointers here.
    function read(address data) internal view returns (IModelRegistry.ModelSpec memory model) {
        bytes memory encoded = SSTORE2.read(data, 32, 32 * (1 + HEAD_WORDS + 1 + MAX_MARKETS));
        assembly ("memory-safe") {
            model := add(encoded, 0x20)
            // The markets' number and they themselves follow the head; 0x60 is Solidity's empty array.
            mstore(add(model, mul(0x20, sub(HEAD_WORDS, 2))), add(model, mul(0x20, HEAD_WORDS)))
            mstore(add(model, mul(0x20, sub(HEAD_WORDS, 1))), 0x60)
        }
    }

    /// @notice Whether the verifier accepts; anything but a clean `true` is no. Generated verifiers revert on a bad proof.
    /// @dev Reverts with `BoundedCall.NotEnoughGas`: want of gas must not look like a no.
    function accepts(IModelRegistry.ModelSpec memory model, bytes memory proof, uint256[] memory elements)
        internal
        view
        returns (bool)
    {
        (bool answered, bytes memory answer) =
            BoundedCall.ask(model.verifier, model.verifierGas, 32, _question(proof, elements));
        return answered && abi.decode(answer, (uint256)) == 1;
    }

    /// @dev `abi.encodeCall(IVerifier.verifyProof, (proof, elements))` of a proof of whole words, without a loop over them.
    function _question(bytes memory proof, uint256[] memory elements) private pure returns (bytes memory question) {
        bytes32 selector = IVerifier.verifyProof.selector;
        assembly ("memory-safe") {
            question := mload(0x40)
            let proofBytes := add(0x20, mload(proof))
            let elementBytes := add(0x20, shl(5, mload(elements)))
            let size := add(0x44, add(proofBytes, elementBytes))
            mstore(question, size)
            mstore(add(question, 0x20), selector)
            mstore(add(question, 0x24), 0x40)
            mstore(add(question, 0x44), add(0x40, proofBytes))
            mcopy(add(question, 0x64), proof, proofBytes)
            mcopy(add(question, add(0x64, proofBytes)), elements, elementBytes)
            mstore(0x40, and(add(question, add(size, 0x3f)), not(0x1f)))
        }
    }

    /// @notice Checks counts and ranges and lays out the public inputs: per market its features, then calendar features;
    /// after all features, per market its outputs.
    function instances(
        IModelRegistry.ModelSpec memory model,
        address data,
        uint256 period,
        int32[] calldata features,
        int128[] calldata outputs
    ) internal view returns (uint256[] memory elements) {
        uint256 marketCount = model.markets.length;
        uint256 count = marketCount * model.featureCount;
        if (features.length != count) revert IModelRegistry.FeatureCountMismatch(count, features.length);
        uint256 outputCount = marketCount * model.outputCount;
        if (outputs.length != outputCount) revert IModelRegistry.OutputCountMismatch(outputCount, outputs.length);

        uint256 featureCount = count + marketCount * model.calendarFeatureCount;
        elements = new uint256[](featureCount + outputCount);
        _writeFeatures(elements, model, _calendarRow(model, data, period), features);
        _writeOutputs(elements, featureCount, model.outputScale, outputs);
    }

    /// @notice Reverts with `InvalidOmittedMarkets` or `OmittedMarketNotNeutral` unless the omitted markets are some of the
    /// model's, not all, and nothing is said about them. The count of features must have been checked.
    /// @dev Zeros, so that there is one update without a market and not as many as somebody likes to make up.
    function checkOmitted(IModelRegistry.ModelSpec memory model, uint256 omitted, int32[] calldata features)
        internal
        pure
    {
        if (omitted == 0) return;
        uint256 marketCount = model.markets.length;
        if (omitted >= (1 << marketCount) - 1) revert IModelRegistry.InvalidOmittedMarkets(omitted, marketCount);
        for (uint256 i = 0; i < features.length; ++i) {
            uint256 market = i / model.featureCount;
            if ((omitted >> market) & 1 != 0 && features[i] != 0) {
                revert IModelRegistry.OmittedMarketNotNeutral(market);
            }
        }
    }

    function _writeFeatures(
        uint256[] memory elements,
        IModelRegistry.ModelSpec memory model,
        uint256[] memory row,
        int32[] calldata features
    ) private pure {
        (uint256 bound, uint256 count) = (model.featureBound, model.featureCount);
        uint256 next = 0;
        for (uint256 first = 0; first < features.length; first += count) {
            uint256 source;
            assembly ("memory-safe") {
                source := add(features.offset, shl(5, first))
            }
            (uint256 written, int256 outside) = _writeSigned(elements, next, source, count, bound);
            if (written < count) revert IModelRegistry.FeatureOutOfRange(first + written, outside, bound);
            next += count;
            next = _copy(elements, next, row);
        }
    }

    /// @dev The calendar features of a period, as field elements.
    function _calendarRow(IModelRegistry.ModelSpec memory model, address data, uint256 period)
        private
        view
        returns (uint256[] memory row)
    {
        uint256 count = model.calendarFeatureCount;
        row = new uint256[](count);
        if (count == 0) return row;
        uint256 slot = period % (WEEK_SECONDS / model.periodSeconds);
        // Behind the offset of all, the head, the markets and the table's length.
        uint256 start = 32 * (1 + HEAD_WORDS + 1 + model.markets.length + 1) + slot * count * ENTRY_BYTES;
        bytes memory packed = SSTORE2.read(data, start, start + count * ENTRY_BYTES);
        for (uint256 i = 0; i < count; ++i) {
            int256 entry;
            assembly ("memory-safe") {
                entry := sar(224, mload(add(add(packed, 0x20), shl(2, i))))
            }
            row[i] = FieldLib.encodeSmall(entry);
        }
    }

    /// @dev Copies a row, and says which index comes next. The elements must exist.
    function _copy(uint256[] memory elements, uint256 index, uint256[] memory row) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mcopy(add(add(elements, 0x20), shl(5, index)), add(row, 0x20), shl(5, mload(row)))
            next := add(index, mload(row))
        }
    }

    function _writeOutputs(uint256[] memory elements, uint256 next, uint256 outputScale, int128[] calldata outputs)
        private
        pure
    {
        uint256 bound = 1 << (outputScale + OUTPUT_LIMIT_LOG2);
        uint256 source;
        assembly ("memory-safe") {
            source := outputs.offset
        }
        (uint256 written, int256 outside) = _writeSigned(elements, next, source, outputs.length, bound - 1);
        if (written < outputs.length) revert IModelRegistry.OutputOutOfRange(written, outside, bound);
    }

    /// @dev Writes signed words of the calldata as field elements, as long as their absolute values are within the bound. A
    /// word that passes is a clean integer of any type that holds the bound. The elements must exist: this is the inner loop.
    /// @return written How many were written.
    /// @return outside The word that was not, if there is one.
    function _writeSigned(uint256[] memory elements, uint256 index, uint256 source, uint256 count, uint256 bound)
        private
        pure
        returns (uint256 written, int256 outside)
    {
        uint256 order = FieldLib.R;
        assembly ("memory-safe") {
            let target := add(add(elements, 0x20), shl(5, index))
            let width := shl(1, bound)
            for {} lt(written, count) { written := add(written, 1) } {
                let value := calldataload(source)
                if gt(add(value, bound), width) {
                    outside := value
                    break
                }
                mstore(target, add(value, mul(order, slt(value, 0))))
                source := add(source, 0x20)
                target := add(target, 0x20)
            }
        }
    }

    function _require(bool holds, bytes32 field) private pure {
        if (!holds) revert IModelRegistry.InvalidModelSpec(LibString.fromSmallString(field));
    }
}
