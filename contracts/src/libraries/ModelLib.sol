// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IHalo2Verifier} from "../interfaces/IHalo2Verifier.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {FieldLib} from "./FieldLib.sol";
import {ForecastMath} from "./ForecastMath.sol";
import {Grid} from "./Grid.sol";

/// @title ModelLib
/// @notice Validation and storage of model specifications, and the layout of a proof's public inputs.
/// @dev What every update needs stands in two storage words; the specification itself, ABI-encoded, is the code of a data
/// contract, from which markets and calendar rows are read in place.
library ModelLib {
    /// @notice Outputs per market: logit of Low, logit of High, log-volatility.
    uint256 internal constant OUTPUTS_PER_MARKET = 3;

    /// @notice Most markets in one proof.
    uint256 internal constant MAX_MARKETS = 32;

    /// @notice Most candle features per market.
    uint256 internal constant MAX_CANDLE_FEATURES = 256;

    /// @notice Most calendar features per market; the table then takes 21,504 bytes of the data contract's 24,576.
    uint256 internal constant MAX_CALENDAR_FEATURES = 16;

    /// @notice The one way of reading outputs that there is: logit of Low, logit of High, log-volatility.
    uint8 internal constant OUTPUT_DECODING = 1;

    /// @notice `lastPeriod` of a model that has no end yet.
    uint32 internal constant NO_END = type(uint32).max;

    /// @dev Where the markets begin in an encoded specification: behind its offset, its sixteen head words and their count.
    uint256 private constant MARKETS_AT = (1 + 16 + 1) * 32;

    /// @notice A model in two words. `verifier` is zero exactly if there is none.
    struct Model {
        address verifier;
        uint32 featureBound;
        uint16 candleFeatureCount;
        uint16 calendarFeatureCount;
        uint8 outputScale;
        uint8 marketCount;
        uint16 overlapPeriods;
        address data;
        uint32 proofLength;
        /// Last period with an update, 0 if none.
        uint32 latestPeriod;
        /// Last period for which updates are accepted, 0 before the activation.
        uint32 lastPeriod;
    }

    /// @notice Reverts with `InvalidModelSpec`, `FeatureOutOfRange` or `VerifierCodeChanged` if the specification cannot work.
    function check(IRegimeRiskOracle.ModelSpec memory spec) internal view {
        if (spec.verifier.code.length == 0) revert IRegimeRiskOracle.InvalidModelSpec("verifier");
        checkVerifierCode(spec.verifier, spec.verifierCodeHash);
        if (spec.outputDecoding != OUTPUT_DECODING) revert IRegimeRiskOracle.InvalidModelSpec("outputDecoding");
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
            int256 entry = spec.calendarTable[i];
            if (FixedPointMathLib.abs(entry) > spec.featureBound) {
                revert IRegimeRiskOracle.FeatureOutOfRange(i, entry, spec.featureBound);
            }
        }
    }

    /// @notice Reverts with `VerifierCodeChanged` unless the verifier's code has the expected hash.
    function checkVerifierCode(address verifier, bytes32 expected) internal view {
        if (verifier.codehash != expected) {
            revert IRegimeRiskOracle.VerifierCodeChanged(verifier, expected, verifier.codehash);
        }
    }

    /// @notice Whether the verifier accepts. EZKL's verifiers revert on a bad proof; anything but a clean `true` is no.
    function accepts(Model memory model, bytes memory proof, uint256[] memory elements) internal view returns (bool) {
        try IHalo2Verifier(model.verifier).verifyProof(proof, elements) returns (bool accepted) {
            return accepted;
        } catch {
            return false;
        }
    }

    /// @notice Writes a checked specification's data contract and returns the words to store, of a model not yet active.
    function write(IRegimeRiskOracle.ModelSpec memory spec, uint16 overlapPeriods, uint32 latestPeriod)
        internal
        returns (Model memory)
    {
        return Model({
            verifier: spec.verifier,
            featureBound: spec.featureBound,
            candleFeatureCount: spec.candleFeatureCount,
            calendarFeatureCount: spec.calendarFeatureCount,
            outputScale: spec.outputScale,
            marketCount: uint8(spec.markets.length),
            overlapPeriods: overlapPeriods,
            data: SSTORE2.write(abi.encode(spec)),
            proofLength: spec.proofLength,
            latestPeriod: latestPeriod,
            lastPeriod: 0
        });
    }

    /// @notice The model's markets in the order of the proof.
    function markets(Model memory model) internal view returns (bytes32[] memory list) {
        uint256 count = model.marketCount;
        bytes memory encoded = SSTORE2.read(model.data, MARKETS_AT, MARKETS_AT + count * 32);
        assembly ("memory-safe") {
            list := encoded // its words are the markets
            mstore(list, count)
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
        _writeFeatures(elements, model, period, candleFeatures);
        _writeOutputs(elements, featureCount, model.outputScale, outputs);
    }

    function _writeFeatures(
        uint256[] memory elements,
        Model memory model,
        uint256 period,
        int32[] calldata candleFeatures
    ) private view {
        bytes memory row = _calendarRow(model, period);
        uint256 bound = model.featureBound;
        uint256 candleCount = model.candleFeatureCount;
        uint256 next = 0;
        for (uint256 first = 0; first < candleFeatures.length; first += candleCount) {
            uint256 source;
            assembly ("memory-safe") {
                source := add(candleFeatures.offset, shl(5, first))
            }
            (uint256 written, int256 outside) = _writeSigned(elements, next, source, candleCount, bound);
            if (written < candleCount) revert IRegimeRiskOracle.FeatureOutOfRange(first + written, outside, bound);
            next += candleCount;
            next = _copy(elements, next, row);
        }
    }

    /// @dev The calendar features of a period, as field elements.
    function _calendarRow(Model memory model, uint256 period) private view returns (bytes memory row) {
        uint256 size = 32 * uint256(model.calendarFeatureCount);
        uint256 rowAt = MARKETS_AT + 32 * (uint256(model.marketCount) + 1) + Grid.slotOfWeek(period) * size;
        row = SSTORE2.read(model.data, rowAt, rowAt + size);
        uint256 order = FieldLib.R;
        assembly ("memory-safe") {
            let end := add(add(row, 0x20), size)
            for { let at := add(row, 0x20) } lt(at, end) { at := add(at, 0x20) } {
                let value := mload(at)
                mstore(at, add(value, mul(order, slt(value, 0))))
            }
        }
    }

    /// @dev Copies a row, and says which index comes next. The elements must exist.
    function _copy(uint256[] memory elements, uint256 index, bytes memory row) private pure returns (uint256 next) {
        assembly ("memory-safe") {
            mcopy(add(add(elements, 0x20), shl(5, index)), add(row, 0x20), mload(row))
            next := add(index, shr(5, mload(row)))
        }
    }

    function _writeOutputs(uint256[] memory elements, uint256 next, uint256 outputScale, int128[] calldata outputs)
        private
        pure
    {
        uint256 bound = 1 << (outputScale + ForecastMath.OUTPUT_LIMIT_LOG2);
        uint256 source;
        assembly ("memory-safe") {
            source := outputs.offset
        }
        (uint256 written, int256 outside) = _writeSigned(elements, next, source, outputs.length, bound - 1);
        if (written < outputs.length) revert IRegimeRiskOracle.OutputOutOfRange(written, outside, bound);
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
            let lowest := sub(0, bound)
            for {} lt(written, count) { written := add(written, 1) } {
                let value := calldataload(add(source, shl(5, written)))
                if or(sgt(value, bound), slt(value, lowest)) {
                    outside := value
                    break
                }
                mstore(add(target, shl(5, written)), add(value, mul(order, slt(value, 0))))
            }
        }
    }
}
