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

    /// @dev Words in the head of an encoded specification.
    uint256 private constant HEAD_WORDS = 19;

    /// @dev Bytes of one feature, and of one output.
    uint256 private constant FEATURE_BYTES = 4;
    uint256 private constant OUTPUT_BYTES = 16;

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
        _require(table.length == entries * FEATURE_BYTES && table.length <= MAX_TABLE_BYTES, "calendarTable");
        for (uint256 i = 0; i < entries; ++i) {
            int256 entry = int32(uint32(bytes4(table[i * FEATURE_BYTES:])));
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
    /// @param asked What `question` has written.
    function accepts(IModelRegistry.ModelSpec memory model, bytes memory asked) internal view returns (bool) {
        (bool answered, bytes memory answer) = BoundedCall.ask(model.verifier, model.verifierGas, 32, asked);
        return answered && abi.decode(answer, (uint256)) == 1;
    }

    /// @notice `abi.encodeCall(IVerifier.verifyProof, (proof, elements))` of a proof of whole words, without a loop over them:
    /// the last byte is the last element's, and the proof ends `32 * (1 + elements.length)` bytes before the end.
    function question(bytes calldata proof, uint256[] memory elements) internal pure returns (bytes memory asked) {
        bytes32 selector = IVerifier.verifyProof.selector;
        assembly ("memory-safe") {
            asked := mload(0x40)
            let elementBytes := add(0x20, shl(5, mload(elements)))
            let size := add(0x64, add(proof.length, elementBytes))
            mstore(asked, size)
            mstore(add(asked, 0x20), selector)
            mstore(add(asked, 0x24), 0x40)
            mstore(add(asked, 0x44), add(0x60, proof.length))
            mstore(add(asked, 0x64), proof.length)
            calldatacopy(add(asked, 0x84), proof.offset, proof.length)
            mcopy(add(asked, add(0x84, proof.length)), elements, elementBytes)
            mstore(0x40, and(add(asked, add(size, 0x3f)), not(0x1f)))
        }
    }

    /// @notice Checks counts and ranges and lays out the public inputs: per market its features, then calendar features;
    /// after all features, per market its outputs.
    /// @dev The bounds of a checked specification leave sums and products far below what overflows.
    function instances(
        IModelRegistry.ModelSpec memory model,
        address data,
        uint256 period,
        bytes calldata features,
        bytes calldata outputs
    ) internal view returns (uint256[] memory elements) {
        unchecked {
            uint256 marketCount = model.markets.length;
            uint256 count = marketCount * model.featureCount;
            if (features.length != count * FEATURE_BYTES) {
                revert IModelRegistry.FeaturesLengthMismatch(count * FEATURE_BYTES, features.length);
            }
            uint256 outputCount = marketCount * model.outputCount;
            if (outputs.length != outputCount * OUTPUT_BYTES) {
                revert IModelRegistry.OutputsLengthMismatch(outputCount * OUTPUT_BYTES, outputs.length);
            }

            uint256 featureCount = count + marketCount * model.calendarFeatureCount;
            elements = new uint256[](featureCount + outputCount);
            _writeFeatures(elements, model, _calendarRow(model, data, period), features);
            _writeOutputs(elements, featureCount, outputCount, model.outputScale, outputs);
        }
    }

    /// @notice Reverts with `InvalidOmittedMarkets` or `OmittedMarketNotNeutral` unless the omitted markets are some of the
    /// model's, not all, and nothing is said about them. The features' length must have been checked.
    /// @dev Zeros, so that there is one update without a market and not as many as somebody likes to make up.
    function checkOmitted(IModelRegistry.ModelSpec memory model, uint256 omitted, bytes calldata features)
        internal
        pure
    {
        if (omitted == 0) return;
        uint256 marketCount = model.markets.length;
        if (omitted >= (1 << marketCount) - 1) revert IModelRegistry.InvalidOmittedMarkets(omitted, marketCount);
        uint256 marketBytes = model.featureCount * FEATURE_BYTES;
        for (uint256 i = 0; i < features.length; ++i) {
            uint256 market = i / marketBytes;
            if ((omitted >> market) & 1 != 0 && features[i] != 0) {
                revert IModelRegistry.OmittedMarketNotNeutral(market);
            }
        }
    }

    function _writeFeatures(
        uint256[] memory elements,
        IModelRegistry.ModelSpec memory model,
        uint256[] memory row,
        bytes calldata features
    ) private pure {
        (uint256 bound, uint256 count) = (model.featureBound, model.featureCount);
        uint256 marketCount = model.markets.length;
        uint256 source;
        assembly ("memory-safe") {
            source := features.offset
        }
        uint256 next = 0;
        unchecked {
            for (uint256 market = 0; market < marketCount; ++market) {
                (uint256 written, int256 outside) = _writeSigned(elements, next, source, count, FEATURE_BYTES, bound);
                if (written < count) revert IModelRegistry.FeatureOutOfRange(market * count + written, outside, bound);
                next = _copy(elements, next + count, row);
                source += count * FEATURE_BYTES;
            }
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
        unchecked {
            uint256 slot = period % (WEEK_SECONDS / model.periodSeconds);
            // Behind the offset of all, the head, the markets and the table's length.
            uint256 start = 32 * (1 + HEAD_WORDS + 1 + model.markets.length + 1) + slot * count * FEATURE_BYTES;
            bytes memory packed = SSTORE2.read(data, start, start + count * FEATURE_BYTES);
            uint256 order = FieldLib.R;
            assembly ("memory-safe") {
                let source := add(packed, 0x20)
                let target := add(row, 0x20)
                for { let end := add(target, shl(5, count)) } lt(target, end) { target := add(target, 0x20) } {
                    let entry := sar(224, mload(source))
                    mstore(target, add(entry, mul(order, slt(entry, 0))))
                    source := add(source, FEATURE_BYTES)
                }
            }
        }
    }

    /// @dev Copies a row, and says which index comes next. The elements must exist.
    function _copy(uint256[] memory elements, uint256 index, uint256[] memory row) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mcopy(add(add(elements, 0x20), shl(5, index)), add(row, 0x20), shl(5, mload(row)))
            next := add(index, mload(row))
        }
    }

    function _writeOutputs(
        uint256[] memory elements,
        uint256 next,
        uint256 count,
        uint256 outputScale,
        bytes calldata outputs
    ) private pure {
        uint256 bound = 1 << (outputScale + OUTPUT_LIMIT_LOG2);
        uint256 source;
        assembly ("memory-safe") {
            source := outputs.offset
        }
        (uint256 written, int256 outside) = _writeSigned(elements, next, source, count, OUTPUT_BYTES, bound - 1);
        if (written < count) revert IModelRegistry.OutputOutOfRange(written, outside, bound);
    }

    /// @dev Writes signed integers of the calldata, big-endian and of `size` bytes each, as field elements, as long as their
    /// absolute values are within the bound. The elements must exist: this is the inner loop.
    /// @return written How many were written.
    /// @return outside The integer that was not, if there is one.
    function _writeSigned(
        uint256[] memory elements,
        uint256 index,
        uint256 source,
        uint256 count,
        uint256 size,
        uint256 bound
    ) private pure returns (uint256 written, int256 outside) {
        uint256 order = FieldLib.R;
        assembly ("memory-safe") {
            let first := add(add(elements, 0x20), shl(5, index))
            let target := first
            let end := add(first, shl(5, count))
            let width := shl(1, bound)
            let shift := sub(256, shl(3, size))
            for {} lt(target, end) { target := add(target, 0x20) } {
                let value := sar(shift, calldataload(source))
                if gt(add(value, bound), width) {
                    outside := value
                    break
                }
                mstore(target, add(value, mul(order, slt(value, 0))))
                source := add(source, size)
            }
            written := shr(5, sub(target, first))
        }
    }

    function _require(bool holds, bytes32 field) private pure {
        if (!holds) revert IModelRegistry.InvalidModelSpec(LibString.fromSmallString(field));
    }
}
