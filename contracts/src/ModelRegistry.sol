// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {Attestors} from "./base/Attestors.sol";
import {Governed} from "./base/Governed.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {FieldLib} from "./libraries/FieldLib.sol";
import {ModelLib} from "./libraries/ModelLib.sol";

/// @title ModelRegistry
/// @notice Models, proposed, ripe, activated after a test on chain, overlapping with their successors, ended; and the
/// attestors of their inputs.
contract ModelRegistry is IModelRegistry, Governed, Attestors {
    using ModelLib for ModelSpec;

    /// @dev `data` is zero exactly if there is no such model, `activeUntil` before its activation, `readyAt` unless it is
    /// proposed.
    struct Model {
        address data;
        uint40 activeUntil;
        uint40 readyAt;
        /// Of the models that it replaces; a week is 604_800.
        uint256 overlapSeconds;
    }

    uint256 private constant MAX_OVERLAP_SECONDS = 7 days;
    uint40 private constant NO_END = type(uint40).max;

    mapping(bytes32 modelId => Model) private _models;
    mapping(bytes32 purpose => mapping(bytes32 market => bytes32 modelId)) private _active;

    /// @param owner_ The account that proposes models and sets attestors.
    /// @param guardian_ The account that may only refuse and end.
    /// @param timelockSeconds_ Time between announcing and doing; at least a day on any chain but 31337.
    /// @param attestors Strictly ascending.
    /// @param threshold Attestations that an update needs.
    constructor(
        address owner_,
        address guardian_,
        uint256 timelockSeconds_,
        address[] memory attestors,
        uint8 threshold
    ) Governed(owner_, guardian_, timelockSeconds_) {
        _setAttestors(attestors, threshold);
    }

    /* MODELS */

    /// @inheritdoc IModelRegistry
    function proposeModel(ModelSpec calldata spec, uint256 overlapSeconds)
        external
        onlyOwner
        returns (bytes32 modelId)
    {
        bytes memory encoded = abi.encode(spec);
        modelId = keccak256(encoded);
        Model memory earlier = _models[modelId];
        bool proposed = earlier.readyAt != 0 && !_expired(earlier.readyAt);
        if (proposed || block.timestamp < earlier.activeUntil) revert ModelAlreadyRegistered(modelId);
        ModelLib.check(spec);
        if (overlapSeconds > MAX_OVERLAP_SECONDS) revert InvalidModelSpec("overlapSeconds");
        uint256 ripe = block.timestamp + timelockSeconds;
        _models[modelId] = Model(SSTORE2.write(encoded), 0, uint40(ripe), overlapSeconds);
        emit ModelProposed(modelId, spec, overlapSeconds, ripe);
    }

    /// @inheritdoc IModelRegistry
    function cancelModel(bytes32 modelId) external {
        if (msg.sender != guardian) _checkOwner();
        if (_models[modelId].readyAt == 0) revert ModelNotProposed(modelId);
        _models[modelId].readyAt = 0;
        emit ModelCancelled(modelId, msg.sender);
    }

    /// @inheritdoc IModelRegistry
    function activateModel(Update calldata smoke) external {
        bytes32 modelId = smoke.modelId;
        Model storage model = _models[modelId];
        uint256 ripe = model.readyAt;
        // slither-disable-next-line incorrect-equality (zero stands for "not proposed")
        if (ripe == 0) revert ModelNotProposed(modelId);
        if (block.timestamp < ripe || _expired(ripe)) revert ModelNotReady(modelId, ripe);
        ModelSpec memory spec = ModelLib.read(model.data);
        _smokeTest(spec, model.data, smoke);
        (model.readyAt, model.activeUntil) = (0, NO_END);
        uint256 overlapEnd = block.timestamp + model.overlapSeconds;
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            bytes32 replaced = _active[spec.purpose][spec.markets[i]];
            _active[spec.purpose][spec.markets[i]] = modelId;
            if (replaced != modelId) _end(replaced, overlapEnd);
        }
        emit ModelActivated(modelId);
    }

    /// @inheritdoc IModelRegistry
    function deprecateModel(bytes32 modelId) external {
        if (msg.sender != guardian) _checkOwner();
        if (block.timestamp >= _models[modelId].activeUntil) revert ModelNotActive(modelId);
        _end(modelId, block.timestamp);
    }

    /// @inheritdoc IModelRegistry
    function setAttestors(address[] calldata attestors, uint8 threshold) external onlyOwner {
        _useTimelock(abi.encodeCall(this.setAttestors, (attestors, threshold)));
        _setAttestors(attestors, threshold);
    }

    /* WHAT CONSUMERS ASK */

    /// @inheritdoc IModelRegistry
    function facts(bytes32 modelId) external view returns (Facts memory) {
        (address data, uint256 activeUntil) = _known(modelId);
        ModelSpec memory spec = ModelLib.read(data);
        return Facts({
            purpose: spec.purpose,
            periodSeconds: spec.periodSeconds,
            outputCount: spec.outputCount,
            outputScale: spec.outputScale,
            activeUntil: uint40(activeUntil),
            markets: spec.markets
        });
    }

    /// @inheritdoc IModelRegistry
    function verify(Update calldata update)
        external
        view
        returns (address[] memory signers, uint32 attestorSetVersion)
    {
        (address data, uint256 activeUntil) = _known(update.modelId);
        ModelSpec memory spec = ModelLib.read(data);
        uint256 current = block.timestamp / spec.periodSeconds;
        if (update.period < current) revert StalePeriod(update.period, current);
        if (update.period > current) revert FuturePeriod(update.period, current);
        if (block.timestamp >= activeUntil) revert ModelNotActive(update.modelId);

        bytes calldata features = update.features;
        uint256[] memory instances = spec.instances(data, update.period, features, update.outputs);
        spec.checkOmitted(update.omittedMarkets, features);
        _checkProofLength(spec, update.proof);
        AttestorSet memory set = _attestorSet();
        bytes32 instancesHash;
        assembly ("memory-safe") {
            instancesHash := keccak256(add(instances, 0x20), shl(5, mload(instances)))
        }
        bytes32 digest =
            _attestationDigest(update.modelId, update.period, update.omittedMarkets, instancesHash, set.version);
        signers = _checkAttestations(set, digest, update.attestations);
        if (!spec.accepts(ModelLib.question(update.proof, instances))) revert InvalidProof();
        attestorSetVersion = set.version;
    }

    /// @inheritdoc IModelRegistry
    function checkStatement(bytes32 statement, bytes calldata attestations)
        external
        view
        returns (address[] memory signers, uint32 attestorSetVersion)
    {
        AttestorSet memory set = _attestorSet();
        signers = _checkAttestations(set, _statementDigest(statement, set.version), attestations);
        attestorSetVersion = set.version;
    }

    /* READS */

    /// @inheritdoc IModelRegistry
    function activeModel(bytes32 purpose, bytes32 market) external view returns (bytes32 modelId) {
        modelId = _active[purpose][market];
        if (block.timestamp >= _models[modelId].activeUntil) modelId = 0;
    }

    /// @inheritdoc IModelRegistry
    function modelReadyAt(bytes32 modelId) external view returns (uint256) {
        return _models[modelId].readyAt;
    }

    /// @inheritdoc IModelRegistry
    function modelSpec(bytes32 modelId) external view returns (ModelSpec memory) {
        (address data,) = _known(modelId);
        return abi.decode(SSTORE2.read(data), (ModelSpec));
    }

    /// @inheritdoc IModelRegistry
    function attestorSet() external view returns (uint32 version, uint8 threshold) {
        AttestorSet memory set = _attestorSet();
        return (set.version, set.threshold);
    }

    /// @inheritdoc IModelRegistry
    function isAttestor(address account) external view returns (bool) {
        return _inSet(_attestorSet().version, account);
    }

    /// @inheritdoc IModelRegistry
    function attestationDigest(bytes32 modelId, uint64 period, uint256 omittedMarkets, bytes32 instancesHash)
        external
        view
        returns (bytes32)
    {
        return _attestationDigest(modelId, period, omittedMarkets, instancesHash, _attestorSet().version);
    }

    /// @inheritdoc IModelRegistry
    function statementDigest(bytes32 statement) external view returns (bytes32) {
        return _statementDigest(statement, _attestorSet().version);
    }

    /// @inheritdoc IModelRegistry
    function instancesOf(bytes32 modelId, uint64 period, bytes calldata features, bytes calldata outputs)
        external
        view
        returns (uint256[] memory instances)
    {
        (address data,) = _known(modelId);
        return ModelLib.read(data).instances(data, period, features, outputs);
    }

    /* INTERNAL */

    function _known(bytes32 modelId) private view returns (address data, uint256 activeUntil) {
        Model storage model = _models[modelId];
        (data, activeUntil) = (model.data, model.activeUntil);
        if (data == address(0)) revert UnknownModel(modelId);
    }

    /// @dev Unless it has ended before.
    function _end(bytes32 modelId, uint256 activeUntil) private {
        if (_models[modelId].activeUntil <= activeUntil) return;
        _models[modelId].activeUntil = uint40(activeUntil);
        emit ModelEnds(modelId, activeUntil);
    }

    function _checkProofLength(ModelSpec memory spec, bytes calldata proof) private pure {
        if (proof.length != spec.proofLength) revert ProofLengthMismatch(spec.proofLength, proof.length);
    }

    /// @dev What accepts everything, or nothing, does not pass.
    function _smokeTest(ModelSpec memory spec, address data, Update calldata smoke) private view {
        ModelLib.checkVerifierCode(spec.verifier, spec.verifierCodeHash);
        uint256[] memory instances = spec.instances(data, smoke.period, smoke.features, smoke.outputs);
        _checkProofLength(spec, smoke.proof);
        bytes memory honest = ModelLib.question(smoke.proof, instances);
        if (!spec.accepts(honest)) revert SmokeTestFailed(false);
        uint256 last = instances.length - 1;
        instances[last] = addmod(instances[last], 1, FieldLib.R);
        if (spec.accepts(ModelLib.question(smoke.proof, instances))) revert SmokeTestFailed(true);
        if (smoke.proof.length == 0) return;
        honest[honest.length - 32 * (1 + instances.length) - 1] ^= 0x01;
        if (spec.accepts(honest)) revert SmokeTestFailed(true);
    }
}
