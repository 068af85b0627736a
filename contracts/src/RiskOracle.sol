// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "solady/auth/Ownable.sol";
import {IHalo2Verifier} from "./interfaces/IHalo2Verifier.sol";
import {IRegimeRiskOracle} from "./interfaces/IRegimeRiskOracle.sol";
import {ForecastMath} from "./libraries/ForecastMath.sol";
import {Grid} from "./libraries/Grid.sol";
import {ModelLib} from "./libraries/ModelLib.sol";
import {PolicyLib} from "./libraries/PolicyLib.sol";

/// @title RiskOracle
/// @notice Applies proven volatility forecasts to risk parameters, one update per model and period.
contract RiskOracle is IRegimeRiskOracle, Ownable {
    using ModelLib for ModelLib.Model;
    using ModelLib for ModelSpec;
    using PolicyLib for PolicyLib.PackedPolicy;
    using PolicyLib for Policy;
    using PolicyLib for Bounds;

    /* STORAGE */

    /// @inheritdoc IRegimeRiskOracle
    mapping(address account => bool) public isSubmitter;

    /// @inheritdoc IRegimeRiskOracle
    mapping(bytes32 market => bytes32 modelId) public activeModel;

    mapping(bytes32 market => PolicyLib.PackedMarket) private _markets;
    mapping(bytes32 market => PolicyLib.PackedPolicy) private _policies;
    mapping(bytes32 market => Params) private _params;
    mapping(bytes32 modelId => ModelLib.Model) private _models;

    /* CONSTRUCTOR */

    /// @param initialOwner The account that registers markets, models and submitters; handed over in two steps.
    constructor(address initialOwner) {
        if (initialOwner == address(0)) revert NewOwnerIsZeroAddress();
        _initializeOwner(initialOwner);
    }

    /* OWNERSHIP */

    /// @notice Refused: the next owner asks with `requestOwnershipHandover`, the present one completes the handover.
    function transferOwnership(address) public payable override {
        revert HandoverRequired();
    }

    /* SET-UP */

    /// @inheritdoc IRegimeRiskOracle
    function registerMarket(bytes32 market, address marketOwner, Bounds calldata newBounds) external onlyOwner {
        if (_markets[market].owner != address(0)) revert MarketAlreadyRegistered(market);
        if (marketOwner == address(0)) revert InvalidBounds("marketOwner");
        newBounds.check();
        _markets[market] = PolicyLib.PackedMarket({
            owner: marketOwner,
            minBorrowCollateralRatioBps: newBounds.minBorrowCollateralRatioBps,
            maxBorrowCollateralRatioBps: newBounds.maxBorrowCollateralRatioBps,
            minAmmFeePips: newBounds.minAmmFeePips,
            maxAmmFeePips: newBounds.maxAmmFeePips
        });
        emit MarketRegistered(market, marketOwner, newBounds);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setPolicy(bytes32 market, Policy calldata newPolicy) external {
        PolicyLib.PackedMarket memory registered = _markets[market];
        if (registered.owner == address(0)) revert UnknownMarket(market);
        if (registered.owner != msg.sender) revert NotMarketOwner(market, msg.sender);
        newPolicy.check(registered);
        uint256 currentBps = _policies[market].liquidationCollateralRatioBps;
        if (currentBps != 0 && newPolicy.liquidationCollateralRatioBps > currentBps) {
            revert LiquidationRatioRaised(currentBps, newPolicy.liquidationCollateralRatioBps);
        }
        _policies[market] = newPolicy.pack();
        emit PolicySet(market, newPolicy);
    }

    /// @inheritdoc IRegimeRiskOracle
    function registerModel(ModelSpec calldata spec) external onlyOwner returns (bytes32 modelId) {
        modelId = keccak256(abi.encode(spec));
        if (_models[modelId].verifier != address(0)) revert ModelAlreadyRegistered(modelId);
        spec.check();
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            bytes32 market = spec.markets[i];
            if (_markets[market].owner == address(0)) revert UnknownMarket(market);
            if (_policies[market].graceAfterSeconds == 0) revert PolicyUnset(market);
            activeModel[market] = modelId;
        }
        _models[modelId] = spec.write();
        emit ModelRegistered(modelId, spec);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setSubmitter(address submitter, bool allowed) external onlyOwner {
        isSubmitter[submitter] = allowed;
        emit SubmitterSet(submitter, allowed);
    }

    /* UPDATES */

    /// @inheritdoc IRegimeRiskOracle
    /// @dev No reentrancy lock: the only outside call is the STATICCALL to the verifier, under which nothing can change
    /// state, and it comes before every effect.
    function submit(
        bytes32 modelId,
        uint64 period,
        int32[] calldata candleFeatures,
        int128[] calldata outputs,
        bytes calldata proof
    ) external {
        if (!isSubmitter[msg.sender]) revert NotSubmitter(msg.sender);
        _checkCanonical(candleFeatures.length, outputs.length, proof.length);
        ModelLib.Model memory registered = _registered(modelId);
        bytes32[] memory markets = registered.markets();
        _checkActive(modelId, markets);
        _checkPeriod(modelId, period, registered.latestPeriod);
        uint256[] memory instances = registered.instances(period, candleFeatures, outputs);
        if (proof.length != registered.proofLength) revert ProofLengthMismatch(registered.proofLength, proof.length);
        _verify(registered, proof, instances);

        _models[modelId].latestPeriod = period;
        emit UpdateAccepted(modelId, period, msg.sender, candleFeatures, outputs, keccak256(proof));
        _apply(modelId, registered.outputScale, markets, outputs);
    }

    /* READS */

    /// @inheritdoc IRegimeRiskOracle
    function params(bytes32 market) external view returns (Params memory current, Status status) {
        current = _params[market];
        PolicyLib.PackedPolicy memory applied = _policies[market];
        if (current.period == 0) {
            current.liquidationCollateralRatioBps = applied.liquidationCollateralRatioBps;
            current.borrowCapFactorBps = applied.turbulentBorrowCapFactorBps;
            PolicyLib.tighten(current, applied);
            return (current, Status.Unset);
        }
        uint256 ageSeconds = Grid.ageSeconds(current.period);
        if (ageSeconds < applied.graceAfterSeconds) return (current, Status.Fresh);
        if (ageSeconds < applied.staleAfterSeconds) return (current, Status.Grace);
        PolicyLib.tighten(current, applied);
        return (current, Status.Stale);
    }

    /// @inheritdoc IRegimeRiskOracle
    function paramsNoOlderThan(bytes32 market, uint256 maxAgeSeconds) external view returns (Params memory current) {
        current = _params[market];
        if (current.period == 0) revert ParamsUnset(market);
        uint256 ageSeconds = Grid.ageSeconds(current.period);
        if (ageSeconds > maxAgeSeconds) revert StaleParams(ageSeconds, maxAgeSeconds);
    }

    /// @inheritdoc IRegimeRiskOracle
    function currentPeriod() external view returns (uint64) {
        return Grid.currentPeriod();
    }

    /// @inheritdoc IRegimeRiskOracle
    function latestPeriod(bytes32 modelId) external view returns (uint64) {
        return _models[modelId].latestPeriod;
    }

    /// @inheritdoc IRegimeRiskOracle
    function model(bytes32 modelId) external view returns (ModelSpec memory spec) {
        return _registered(modelId).read();
    }

    /// @inheritdoc IRegimeRiskOracle
    function policy(bytes32 market) external view returns (Policy memory) {
        return _policies[market].unpack();
    }

    /// @inheritdoc IRegimeRiskOracle
    function bounds(bytes32 market) external view returns (Bounds memory) {
        PolicyLib.PackedMarket memory registered = _markets[market];
        return Bounds({
            minBorrowCollateralRatioBps: registered.minBorrowCollateralRatioBps,
            maxBorrowCollateralRatioBps: registered.maxBorrowCollateralRatioBps,
            minAmmFeePips: registered.minAmmFeePips,
            maxAmmFeePips: registered.maxAmmFeePips
        });
    }

    /// @inheritdoc IRegimeRiskOracle
    function ownerOf(bytes32 market) external view returns (address) {
        return _markets[market].owner;
    }

    /// @inheritdoc IRegimeRiskOracle
    function instancesOf(bytes32 modelId, uint64 period, int32[] calldata candleFeatures, int128[] calldata outputs)
        external
        view
        returns (uint256[] memory instances)
    {
        return _registered(modelId).instances(period, candleFeatures, outputs);
    }

    /* INTERNAL */

    function _registered(bytes32 modelId) private view returns (ModelLib.Model memory registered) {
        registered = _models[modelId];
        if (registered.verifier == address(0)) revert UnknownModel(modelId);
    }

    /// @dev Verifiers of EZKL revert on a bad proof; anything but a clean `true` is a refusal.
    function _verify(ModelLib.Model memory registered, bytes calldata proof, uint256[] memory instances) private view {
        ModelLib.checkVerifierCode(registered.verifier, registered.verifierCodeHash);
        try IHalo2Verifier(registered.verifier).verifyProof(proof, instances) returns (bool accepted) {
            if (!accepted) revert InvalidProof();
        } catch {
            revert InvalidProof();
        }
    }

    /// @dev Canonical calldata of `submit`: the selector, five head words whose offsets leave neither gap nor overlap, the
    /// three arguments behind them, and nothing else. Decoding itself refuses integers with dirty upper bytes, and a proof of
    /// the registered length has no padding, so that each update has exactly one encoding.
    function _checkCanonical(uint256 featureCount, uint256 outputCount, uint256 proofLength) private pure {
        uint256 featuresAt = 5 * 32;
        uint256 outputsAt = featuresAt + 32 + 32 * featureCount;
        uint256 proofAt = outputsAt + 32 + 32 * outputCount;
        uint256 end = proofAt + 32 + (proofLength + 31) / 32 * 32;
        bytes calldata arguments = msg.data[4:];
        if (
            arguments.length != end || uint256(bytes32(arguments[64:96])) != featuresAt
                || uint256(bytes32(arguments[96:128])) != outputsAt || uint256(bytes32(arguments[128:160])) != proofAt
        ) revert NonCanonicalCalldata();
    }

    function _checkActive(bytes32 modelId, bytes32[] memory markets) private view {
        for (uint256 i = 0; i < markets.length; ++i) {
            if (activeModel[markets[i]] != modelId) revert ModelNotActive(modelId, markets[i]);
        }
    }

    function _checkPeriod(bytes32 modelId, uint64 period, uint64 latest) private view {
        uint64 current = Grid.currentPeriod();
        if (period < current) revert StalePeriod(period, current);
        if (period > current) revert FuturePeriod(period, current);
        if (period <= latest) revert AlreadySubmitted(modelId, period);
    }

    function _apply(bytes32 modelId, uint256 outputScale, bytes32[] memory markets, int128[] calldata outputs) private {
        uint64 period = Grid.currentPeriod();
        for (uint256 i = 0; i < markets.length; ++i) {
            uint256 first = i * ModelLib.OUTPUTS_PER_MARKET;
            Params memory updated =
                _forecast(_policies[markets[i]], outputScale, outputs[first], outputs[first + 1], outputs[first + 2]);
            _params[markets[i]] = updated;
            emit ParamsUpdated(markets[i], period, modelId, updated);
        }
    }

    /// @dev The parameters of a market for the current period.
    function _forecast(
        PolicyLib.PackedPolicy memory applied,
        uint256 outputScale,
        int128 logitLow,
        int128 logitHigh,
        int128 logVolatility
    ) private view returns (Params memory updated) {
        updated.period = uint40(Grid.currentPeriod());
        updated.updatedAt = uint40(block.timestamp);
        updated.probabilityHighBps = ForecastMath.probabilityHighBps(logitLow, logitHigh, outputScale);
        updated.volatilityWad = ForecastMath.volatilityWad(logVolatility, outputScale);
        updated.regime = logitHigh > logitLow ? 1 : 0;
        updated.liquidationCollateralRatioBps = applied.liquidationCollateralRatioBps;
        RiskVector memory vector = applied.interpolate(updated.probabilityHighBps);
        updated.borrowCollateralRatioBps = vector.borrowCollateralRatioBps;
        updated.ammFeePips = vector.ammFeePips;
        updated.borrowCapFactorBps = vector.borrowCapFactorBps;
    }
}
