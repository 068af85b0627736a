// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {FieldLib} from "./FieldLib.sol";
import {Grid} from "./Grid.sol";
import {ModelLib} from "./ModelLib.sol";

/// @title ModelAdmin
/// @notice What is rarely done to a model: its proposal and the test that activates it. Deployed by itself and linked, to
/// keep the oracle's code small; for the same reason arguments and results come ABI-encoded.
library ModelAdmin {
    using ModelLib for IRegimeRiskOracle.ModelSpec;
    using ModelLib for ModelLib.Model;

    /// @dev A week.
    uint256 private constant MAX_OVERLAP_PERIODS = 42;

    /// @notice Checks and stores a specification. An earlier life of the same model keeps its latest period.
    /// @param arguments Those of `IRegimeRiskOracle.proposeModel`.
    function propose(
        mapping(bytes32 modelId => ModelLib.Model) storage models,
        bytes calldata arguments,
        uint256 readyAt
    ) external returns (bytes32 modelId, bytes32[] memory markets) {
        (IRegimeRiskOracle.ModelSpec memory spec, uint16 overlapPeriods) =
            abi.decode(arguments, (IRegimeRiskOracle.ModelSpec, uint16));
        modelId = keccak256(abi.encode(spec));
        if (models[modelId].lastPeriod >= Grid.currentPeriod()) {
            revert IRegimeRiskOracle.ModelAlreadyRegistered(modelId);
        }
        spec.check();
        if (overlapPeriods > MAX_OVERLAP_PERIODS) revert IRegimeRiskOracle.InvalidModelSpec("overlapPeriods");
        models[modelId] = spec.write(overlapPeriods, models[modelId].latestPeriod);
        emit IRegimeRiskOracle.ModelProposed(modelId, spec, overlapPeriods, readyAt);
        markets = spec.markets;
    }

    /// @notice Makes a model that has passed its smoke test the active one of its markets.
    function install(
        mapping(bytes32 modelId => ModelLib.Model) storage models,
        mapping(bytes32 market => bytes32 modelId) storage activeModel,
        bytes32 modelId
    ) external {
        ModelLib.Model storage model = models[modelId];
        model.lastPeriod = ModelLib.NO_END;
        uint64 overlapEnd = Grid.currentPeriod() + model.overlapPeriods;
        bytes32[] memory markets = ModelLib.markets(model);
        for (uint256 i = 0; i < markets.length; ++i) {
            bytes32 replaced = activeModel[markets[i]];
            activeModel[markets[i]] = modelId;
            if (replaced != 0 && replaced != modelId) end(models[replaced], replaced, overlapEnd);
        }
        emit IRegimeRiskOracle.ModelActivated(modelId);
    }

    /// @notice Ends a model with a period, unless it has ended before.
    function end(ModelLib.Model storage model, bytes32 modelId, uint64 period) public {
        if (model.lastPeriod <= period) return;
        model.lastPeriod = uint32(period);
        emit IRegimeRiskOracle.ModelEnds(modelId, period);
    }

    /// @notice Reverts with `SmokeTestFailed` unless the model's verifier accepts a proof, and refuses it with one public
    /// input changed and with one byte changed: what accepts everything, or nothing, does not pass.
    /// @param arguments Those of `IRegimeRiskOracle.activateModel`.
    function smokeTest(ModelLib.Model storage model, bytes calldata arguments) external view {
        IRegimeRiskOracle.SmokeProof calldata smoke;
        assembly ("memory-safe") {
            smoke := add(arguments.offset, calldataload(add(arguments.offset, 0x20))) // its offset is the second word
        }
        ModelLib.Model memory candidate = model;
        ModelLib.checkVerifierCode(candidate.verifier, bytes32(SSTORE2.read(candidate.data, 64, 96)));
        uint256[] memory instances = candidate.instances(smoke.period, smoke.candleFeatures, smoke.outputs);
        bytes memory proof = smoke.proof;
        if (proof.length != candidate.proofLength) {
            revert IRegimeRiskOracle.ProofLengthMismatch(candidate.proofLength, proof.length);
        }
        if (!candidate.accepts(proof, instances)) revert IRegimeRiskOracle.SmokeTestFailed(false);
        uint256 last = instances.length - 1;
        uint256 honest = instances[last];
        instances[last] = addmod(honest, 1, FieldLib.R);
        if (candidate.accepts(proof, instances)) revert IRegimeRiskOracle.SmokeTestFailed(true);
        instances[last] = honest;
        proof[proof.length - 1] ^= 0x01;
        if (candidate.accepts(proof, instances)) revert IRegimeRiskOracle.SmokeTestFailed(true);
    }
}
