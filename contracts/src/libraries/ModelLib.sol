// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {FieldLib} from "./FieldLib.sol";
import {ForecastMath} from "./ForecastMath.sol";
import {Grid} from "./Grid.sol";

/// @title ModelLib
/// @notice Validation and storage of model specifications, and the layout of a proof's public inputs.
/// @dev What every update needs stands in three storage words; the digests, the list of markets and the calendar table
/// stand as the code of a data contract, in this order: three digests and the input scale, 32 bytes each; the markets, 32
/// bytes each; the table, 4 bytes an entry.
library ModelLib {
    /// @notice Outputs per market: logit of Low, logit of High, log-volatility.
    uint256 internal constant OUTPUTS_PER_MARKET = 3;

    /// @notice Most markets in one proof.
    uint256 internal constant MAX_MARKETS = 32;

    /// @notice Most candle features per market.
    uint256 internal constant MAX_CANDLE_FEATURES = 256;

    /// @notice Most calendar features per market; the table then takes 10,752 bytes of the data contract.
    uint256 internal constant MAX_CALENDAR_FEATURES = 64;

    uint256 private constant HEAD_BYTES = 4 * 32;
    uint256 private constant ENTRY_BYTES = 4;

    /// @notice A registered model. `verifier` is zero exactly if there is none.
    struct Model {
        address verifier;
        uint32 featureBound;
        uint16 candleFeatureCount;
        uint16 calendarFeatureCount;
        uint8 outputScale;
        uint8 marketCount;
        bytes32 verifierCodeHash;
        address data;
        uint32 proofLength;
        uint64 latestPeriod;
    }

    /// @notice Reverts with `InvalidModelSpec`, `FeatureOutOfRange` or `VerifierCodeChanged` if the specification cannot work.
    function check(IRegimeRiskOracle.ModelSpec calldata spec) internal view {
        if (spec.verifier.code.length == 0) revert IRegimeRiskOracle.InvalidModelSpec("verifier");
        checkVerifierCode(spec.verifier, spec.verifierCodeHash);
        if (spec.candleFeatureCount == 0 || spec.candleFeatureCount > MAX_CANDLE_FEATURES) {
            revert IRegimeRiskOracle.InvalidModelSpec("candleFeatureCount");
        }
        if (spec.calendarFeatureCount > MAX_CALENDAR_FEATURES) {
            revert IRegimeRiskOracle.InvalidModelSpec("calendarFeatureCount");
        }
        if (spec.outputScale > ForecastMath.MAX_OUTPUT_SCALE) revert IRegimeRiskOracle.InvalidModelSpec("outputScale");
        if (spec.featureBound == 0 || spec.featureBound > uint32(type(int32).max)) {
            revert IRegimeRiskOracle.InvalidModelSpec("featureBound");
        }
        if (spec.proofLength == 0 || spec.proofLength % 32 != 0) {
            revert IRegimeRiskOracle.InvalidModelSpec("proofLength");
        }
        uint256 marketCount = spec.markets.length;
        if (marketCount == 0 || marketCount > MAX_MARKETS) revert IRegimeRiskOracle.InvalidModelSpec("markets");
        for (uint256 i = 1; i < marketCount; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                if (spec.markets[i] == spec.markets[j]) revert IRegimeRiskOracle.InvalidModelSpec("markets");
            }
        }
        if (spec.calendarTable.length != Grid.SLOTS_PER_WEEK * spec.calendarFeatureCount) {
            revert IRegimeRiskOracle.InvalidModelSpec("calendarTable");
        }
        for (uint256 i = 0; i < spec.calendarTable.length; ++i) {
            _checkFeature(i, spec.calendarTable[i], spec.featureBound);
        }
    }

    /// @notice Reverts with `VerifierCodeChanged` unless the verifier's code has the expected hash.
    function checkVerifierCode(address verifier, bytes32 expected) internal view {
        if (verifier.codehash != expected) {
            revert IRegimeRiskOracle.VerifierCodeChanged(verifier, expected, verifier.codehash);
        }
    }

    /// @notice Writes a checked specification's data contract and returns the words to store.
    function write(IRegimeRiskOracle.ModelSpec calldata spec) internal returns (Model memory) {
        bytes memory table = new bytes(spec.calendarTable.length * ENTRY_BYTES);
        for (uint256 i = 0; i < spec.calendarTable.length; ++i) {
            uint32 entry = uint32(spec.calendarTable[i]);
            for (uint256 j = 0; j < ENTRY_BYTES; ++j) {
                table[i * ENTRY_BYTES + j] = bytes1(uint8(entry >> (8 * (ENTRY_BYTES - 1 - j))));
            }
        }
        bytes memory head = abi.encode(spec.manifestSha256, spec.verifyingKeySha256, spec.onnxSha256, spec.inputScale);
        return Model({
            verifier: spec.verifier,
            featureBound: spec.featureBound,
            candleFeatureCount: spec.candleFeatureCount,
            calendarFeatureCount: spec.calendarFeatureCount,
            outputScale: spec.outputScale,
            marketCount: uint8(spec.markets.length),
            verifierCodeHash: spec.verifierCodeHash,
            data: SSTORE2.write(abi.encodePacked(head, spec.markets, table)),
            proofLength: spec.proofLength,
            latestPeriod: 0
        });
    }

    /// @notice The specification that `write` was given.
    function read(Model memory model) internal view returns (IRegimeRiskOracle.ModelSpec memory spec) {
        spec.verifier = model.verifier;
        spec.verifierCodeHash = model.verifierCodeHash;
        (spec.manifestSha256, spec.verifyingKeySha256, spec.onnxSha256, spec.inputScale) =
            abi.decode(SSTORE2.read(model.data, 0, HEAD_BYTES), (bytes32, bytes32, bytes32, uint8));
        spec.candleFeatureCount = model.candleFeatureCount;
        spec.calendarFeatureCount = model.calendarFeatureCount;
        spec.outputScale = model.outputScale;
        spec.featureBound = model.featureBound;
        spec.proofLength = model.proofLength;
        spec.markets = markets(model);
        uint256 entryCount = Grid.SLOTS_PER_WEEK * model.calendarFeatureCount;
        spec.calendarTable = new int32[](entryCount);
        bytes memory table = _table(model, 0, entryCount);
        for (uint256 i = 0; i < entryCount; ++i) {
            spec.calendarTable[i] = _entry(table, i);
        }
    }

    /// @notice The model's markets in the order of the proof.
    function markets(Model memory model) internal view returns (bytes32[] memory list) {
        list = new bytes32[](model.marketCount);
        bytes memory words = SSTORE2.read(model.data, HEAD_BYTES, HEAD_BYTES + list.length * 32);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = _word(words, i * 32);
        }
    }

    /// @notice Checks counts and ranges and lays out the public inputs: per market candle features, then calendar
    /// features; after all features, per market its outputs.
    function instances(Model memory model, uint256 period, int32[] calldata candleFeatures, int128[] calldata outputs)
        internal
        view
        returns (uint256[] memory elements)
    {
        uint256 candleCount = uint256(model.marketCount) * model.candleFeatureCount;
        if (candleFeatures.length != candleCount) {
            revert IRegimeRiskOracle.CandleFeatureCountMismatch(candleCount, candleFeatures.length);
        }
        uint256 outputCount = model.marketCount * OUTPUTS_PER_MARKET;
        if (outputs.length != outputCount) revert IRegimeRiskOracle.OutputCountMismatch(outputCount, outputs.length);

        uint256 featureCount = candleCount + uint256(model.marketCount) * model.calendarFeatureCount;
        elements = new uint256[](featureCount + outputCount);
        _layFeatures(elements, model, period, candleFeatures);
        _layOutputs(elements, featureCount, model.outputScale, outputs);
    }

    function _layFeatures(
        uint256[] memory elements,
        Model memory model,
        uint256 period,
        int32[] calldata candleFeatures
    ) private view {
        uint256[] memory calendar = _calendarElements(model, period);
        uint256 bound = model.featureBound;
        uint256 candleCount = model.candleFeatureCount;
        uint256 next = 0;
        uint256 i = 0;
        // Every index below stays under elements.length, which is the sum of the loops' lengths.
        unchecked {
            while (i < candleFeatures.length) {
                for (uint256 end = i + candleCount; i < end; ++i) {
                    int32 feature = candleFeatures[i];
                    _checkFeature(i, feature, bound);
                    elements[next++] = FieldLib.encode(feature);
                }
                for (uint256 j = 0; j < calendar.length; ++j) {
                    elements[next++] = calendar[j];
                }
            }
        }
    }

    function _calendarElements(Model memory model, uint256 period) private view returns (uint256[] memory elements) {
        uint256 count = model.calendarFeatureCount;
        uint256 first = Grid.slotOfWeek(period) * count;
        bytes memory row = _table(model, first, first + count);
        elements = new uint256[](count);
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                elements[i] = FieldLib.encode(_entry(row, i));
            }
        }
    }

    function _layOutputs(uint256[] memory elements, uint256 next, uint256 outputScale, int128[] calldata outputs)
        private
        pure
    {
        uint256 bound = 1 << (outputScale + ForecastMath.OUTPUT_LIMIT_LOG2);
        unchecked {
            for (uint256 i = 0; i < outputs.length; ++i) {
                int128 output = outputs[i];
                if (FixedPointMathLib.abs(output) >= bound) {
                    revert IRegimeRiskOracle.OutputOutOfRange(i, output, bound);
                }
                elements[next + i] = FieldLib.encode(output);
            }
        }
    }

    function _checkFeature(uint256 index, int256 value, uint256 bound) private pure {
        if (FixedPointMathLib.abs(value) > bound) revert IRegimeRiskOracle.FeatureOutOfRange(index, value, bound);
    }

    function _table(Model memory model, uint256 first, uint256 end) private view returns (bytes memory) {
        uint256 start = HEAD_BYTES + uint256(model.marketCount) * 32;
        return SSTORE2.read(model.data, start + first * ENTRY_BYTES, start + end * ENTRY_BYTES);
    }

    function _entry(bytes memory table, uint256 index) private pure returns (int32) {
        return int32(uint32(bytes4(_word(table, index * ENTRY_BYTES))));
    }

    /// @dev The word that begins at an offset; what lies past the end of `data` is undefined and must not be used.
    function _word(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }
}
