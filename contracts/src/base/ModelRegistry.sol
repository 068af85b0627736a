// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";
import {Grid} from "../libraries/Grid.sol";
import {ModelAdmin} from "../libraries/ModelAdmin.sol";
import {ModelLib} from "../libraries/ModelLib.sol";
import {Timelock} from "./Timelock.sol";

/// @title ModelRegistry
/// @notice Models: proposed, ripe, activated after a test on chain, overlapping with their successors, ended.
abstract contract ModelRegistry is IRegimeRiskOracle, Ownable, Timelock {
    using ModelLib for ModelLib.Model;

    /// @inheritdoc IRegimeRiskOracle
    mapping(bytes32 market => bytes32 modelId) public activeModel;

    /// @notice When a proposed model can be activated, in Unix seconds; 0 if it is not proposed.
    mapping(bytes32 modelId => uint256) public modelReadyAt;

    mapping(bytes32 modelId => ModelLib.Model) internal _models;

    /// @inheritdoc IRegimeRiskOracle
    function proposeModel(ModelSpec calldata, uint16) external onlyOwner returns (bytes32 modelId) {
        uint256 ripe = block.timestamp + timelockSeconds;
        bytes32[] memory markets;
        (modelId, markets) = ModelAdmin.propose(_models, msg.data[4:], ripe);
        uint256 earlier = modelReadyAt[modelId];
        if (earlier != 0 && !_expired(earlier)) revert ModelAlreadyRegistered(modelId);
        for (uint256 i = 0; i < markets.length; ++i) {
            _checkMarket(markets[i]);
        }
        modelReadyAt[modelId] = ripe;
    }

    /// @inheritdoc IRegimeRiskOracle
    function vetoModel(bytes32 modelId) external onlyGuardian {
        if (modelReadyAt[modelId] == 0) revert ModelNotProposed(modelId);
        delete modelReadyAt[modelId];
        emit ModelVetoed(modelId);
    }

    /// @inheritdoc IRegimeRiskOracle
    function activateModel(bytes32 modelId, SmokeProof calldata) external {
        uint256 ripe = modelReadyAt[modelId];
        // slither-disable-next-line incorrect-equality (zero stands for "never proposed")
        if (ripe == 0) revert ModelNotProposed(modelId);
        if (block.timestamp < ripe || _expired(ripe)) revert ModelNotReady(modelId, ripe);
        delete modelReadyAt[modelId];
        ModelAdmin.smokeTest(_models[modelId], msg.data[4:]);
        ModelAdmin.install(_models, activeModel, modelId);
    }

    /// @inheritdoc IRegimeRiskOracle
    function deprecateModel(bytes32 modelId) external {
        if (msg.sender != guardian) _checkOwner();
        if (_models[modelId].lastPeriod < Grid.currentPeriod()) revert ModelNotActive(modelId);
        ModelAdmin.end(_models[modelId], modelId, Grid.currentPeriod() - 1);
    }

    /// @inheritdoc IRegimeRiskOracle
    function latestPeriod(bytes32 modelId) external view returns (uint64) {
        return _models[modelId].latestPeriod;
    }

    /// @inheritdoc IRegimeRiskOracle
    function lastPeriod(bytes32 modelId) external view returns (uint64) {
        return _models[modelId].lastPeriod;
    }

    /// @inheritdoc IRegimeRiskOracle
    function modelSpec(bytes32 modelId) external view returns (bytes memory) {
        return SSTORE2.read(_registered(modelId).data);
    }

    /// @inheritdoc IRegimeRiskOracle
    function instancesOf(bytes32 modelId, uint64 period, int32[] calldata candleFeatures, int128[] calldata outputs)
        external
        view
        returns (uint256[] memory instances)
    {
        return _registered(modelId).instances(period, candleFeatures, outputs);
    }

    /// @dev Reverts unless a model may be proposed for the market.
    function _checkMarket(bytes32 market) internal view virtual;

    function _registered(bytes32 modelId) internal view returns (ModelLib.Model memory registered) {
        registered = _models[modelId];
        if (registered.verifier == address(0)) revert UnknownModel(modelId);
    }

    /// @dev Ends the call with a result that is ABI-encoded already.
    function _return(bytes memory encoded) internal pure {
        assembly ("memory-safe") {
            return(add(encoded, 0x20), mload(encoded))
        }
    }
}
