// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "solady/auth/Ownable.sol";
import {Attestors} from "./base/Attestors.sol";
import {ModelRegistry} from "./base/ModelRegistry.sol";
import {Timelock} from "./base/Timelock.sol";
import {IRegimeRiskOracle} from "./interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "./interfaces/IRiskParameters.sol";
import {IERC165} from "./interfaces/external/IERC165.sol";
import {ForecastMath} from "./libraries/ForecastMath.sol";
import {Grid} from "./libraries/Grid.sol";
import {MarketAdmin} from "./libraries/MarketAdmin.sol";
import {ModelLib} from "./libraries/ModelLib.sol";
import {PolicyLib} from "./libraries/PolicyLib.sol";
import {RiskState} from "./libraries/RiskState.sol";
import {UpdateLib} from "./libraries/UpdateLib.sol";
import {Words} from "./libraries/Words.sol";

/// @title RiskOracle
/// @notice Applies proven and attested volatility forecasts to risk parameters, one for each market and period.
contract RiskOracle is ModelRegistry, Attestors, IERC165 {
    using ModelLib for ModelLib.Model;
    using UpdateLib for Update;
    using Words for uint256;
    using Words for PolicyLib.PackedGuard;
    using Words for RiskState.PackedParams;
    using RiskState for RiskState.PackedParams;
    using RiskState for PolicyLib.PackedGuard;

    /// @notice Feed that says whether the chain's sequencer is up; zero on chains without one.
    address public immutable sequencerFeed;

    mapping(bytes32 market => MarketAdmin.Market) private _markets;

    /* CONSTRUCTOR AND OWNERSHIP */

    /// @param initialOwner The account that registers markets, proposes models and sets attestors.
    /// @param initialGuardian The account that may only refuse, pause and disable.
    /// @param timelockSeconds_ Time between announcing and doing; at least a day on any chain but 31337.
    /// @param attestors Strictly ascending.
    /// @param threshold Attestations that an update needs.
    /// @param sequencerFeed_ Chainlink's sequencer uptime feed on an L2, zero elsewhere.
    constructor(
        address initialOwner,
        address initialGuardian,
        uint256 timelockSeconds_,
        address[] memory attestors,
        uint8 threshold,
        address sequencerFeed_
    ) Timelock(timelockSeconds_, initialGuardian) {
        if (initialOwner == address(0)) revert NewOwnerIsZeroAddress();
        _initializeOwner(initialOwner);
        _setAttestors(attestors, threshold);
        sequencerFeed = sequencerFeed_;
    }

    /// @notice Hands over to an account that has asked with `requestOwnershipHandover`. Only the owner, timelocked.
    function completeOwnershipHandover(address newOwner) public payable override timelocked {
        super.completeOwnershipHandover(newOwner);
    }

    /// @notice Refused: ownership moves in two steps.
    function transferOwnership(address) public payable override {
        revert Unauthorized();
    }

    /// @notice Refused: a contract without an owner could never replace its attestors.
    function renounceOwnership() public payable override {
        revert Unauthorized();
    }

    /// @notice Replaces the guardian. Only the owner, timelocked.
    function setGuardian(address newGuardian) external onlyOwner timelocked {
        _setGuardian(newGuardian);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setAttestors(address[] calldata attestors, uint8 threshold) external onlyOwner timelocked {
        _setAttestors(attestors, threshold);
    }

    /* MARKETS */

    /// @inheritdoc IRegimeRiskOracle
    function registerMarket(bytes32 market, address, Bounds calldata, PriceCheck calldata) external onlyOwner {
        MarketAdmin.register(_markets[market], msg.data[4:]);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setPolicy(bytes32 market, Policy calldata) external {
        address setter = _markets[market].registered.owner;
        if (setter == address(0)) revert UnknownMarket(market);
        if (setter != msg.sender) revert NotMarketOwner(market, msg.sender);
        if (_markets[market].guard != 0) _useTimelock();
        MarketAdmin.setPolicy(_markets[market], msg.data[4:]);
    }

    /* THE GUARDIAN */

    /// @inheritdoc IRegimeRiskOracle
    function pauseMarket(bytes32 market, uint40 untilTimestamp) external onlyGuardian {
        _checkMarket(market);
        MarketAdmin.pause(_markets[market], market, untilTimestamp);
    }

    /// @inheritdoc IRegimeRiskOracle
    function disablePeriod(bytes32 market, uint64 period) external onlyGuardian {
        _checkMarket(market);
        MarketAdmin.disable(_markets[market], market, period);
    }

    /* UPDATES */

    /// @inheritdoc IRegimeRiskOracle
    /// @dev No reentrancy lock: outside calls are STATICCALLs, to attestors that are contracts, the verifier and price
    /// feeds. None of them can change state here, and what they could read in between is what held before.
    function submit(Update calldata update) external {
        update.checkCanonical();
        ModelLib.Model memory registered = _registered(update.modelId);
        _checkPeriod(update, registered);
        uint256[] memory instances = registered.instances(update.period, update.candleFeatures, update.outputs);
        if (update.closesE8.length != 0 && update.closesE8.length != registered.marketCount) {
            revert CloseCountMismatch(registered.marketCount, update.closesE8.length);
        }
        update.checkOmitted(registered.marketCount, registered.candleFeatureCount);
        if (update.proof.length != registered.proofLength) {
            revert ProofLengthMismatch(registered.proofLength, update.proof.length);
        }
        AttestorSet memory set = _attestorSet();
        (bytes32 instancesHash, bytes32 closesHash) = update.hashes(instances);
        bytes32 digest = _attestationDigest(
            update.modelId, update.period, update.omittedMarkets, instancesHash, closesHash, set.version
        );
        _checkAttestations(set, digest, update.attestations);
        if (!registered.accepts(update.proof, instances)) revert InvalidProof();

        _models[update.modelId].latestPeriod = uint32(update.period);
        update.emitAccepted(set.version);
        _applyAll(update, registered);
    }

    /* READS */

    /// @inheritdoc IRiskParameters
    function params(bytes32 market) public view returns (Params memory current, Status status) {
        MarketAdmin.Market storage read = _markets[market];
        uint256 word = read.params;
        if (sequencerFeed == address(0) && word.onFastPath()) {
            word.readFastPath(current);
            return (current, Status.Fresh);
        }
        return _read(word, read.guard.unpackGuard());
    }

    /// @inheritdoc IRiskParameters
    function paramsNoOlderThan(bytes32 market, uint256 maxAgeSeconds) external view returns (Params memory current) {
        Status status;
        (current, status) = params(market);
        if (status == Status.Unset) revert ParamsUnset(market);
        if (status == Status.Withheld) revert ParamsWithheld(market);
        uint256 ageSeconds = Grid.ageSeconds(current.period);
        if (ageSeconds > maxAgeSeconds) revert StaleParams(ageSeconds, maxAgeSeconds);
    }

    /// @inheritdoc IRiskParameters
    function pending(bytes32 market) external view returns (RiskVector memory, uint256, uint256) {
        _return(MarketAdmin.pending(_markets[market]));
    }

    /// @inheritdoc IRegimeRiskOracle
    function currentPeriod() external view returns (uint64) {
        return Grid.currentPeriod();
    }

    /// @inheritdoc IRegimeRiskOracle
    function policy(bytes32 market) external view returns (Policy memory) {
        _return(MarketAdmin.policy(_markets[market]));
    }

    /// @inheritdoc IRegimeRiskOracle
    function bounds(bytes32 market) external view returns (Bounds memory) {
        _return(MarketAdmin.bounds(_markets[market]));
    }

    /// @inheritdoc IRegimeRiskOracle
    function marketOwner(bytes32 market) external view returns (address) {
        return _markets[market].registered.owner;
    }

    /// @inheritdoc IRegimeRiskOracle
    function attestorSet() external view returns (uint32 version, uint8 threshold) {
        AttestorSet memory set = _attestorSet();
        return (set.version, set.threshold);
    }

    /// @inheritdoc IRegimeRiskOracle
    function isAttestor(address account) external view returns (bool) {
        return _inSet(_attestorSet().version, account);
    }

    /// @inheritdoc IRegimeRiskOracle
    function attestationDigest(
        bytes32 modelId,
        uint64 period,
        uint256 omittedMarkets,
        bytes32 instancesHash,
        bytes32 closesHash
    ) external view returns (bytes32) {
        uint32 version = _attestorSet().version;
        return _attestationDigest(modelId, period, omittedMarkets, instancesHash, closesHash, version);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IRiskParameters).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    /* INTERNAL */

    function _read(uint256 word, PolicyLib.PackedGuard memory guard)
        private
        view
        returns (Params memory current, Status status)
    {
        bool withheld = sequencerFeed != address(0) && word != 0
            && !MarketAdmin.sequencerUpSince(sequencerFeed, word.landedAt());
        return RiskState.read(word, guard, withheld);
    }

    function _checkMarket(bytes32 market) internal view override {
        if (_markets[market].registered.owner == address(0)) revert UnknownMarket(market);
        if (_markets[market].guard == 0) revert PolicyUnset(market);
    }

    function _checkPeriod(Update calldata update, ModelLib.Model memory registered) private view {
        uint64 period = update.period;
        uint64 current = Grid.currentPeriod();
        if (period < current) revert StalePeriod(period, current);
        if (period > current) revert FuturePeriod(period, current);
        if (period > registered.lastPeriod) revert ModelNotActive(update.modelId);
        if (period <= registered.latestPeriod && !_servesAWaitingMarket(update, registered)) {
            revert AlreadySubmitted(update.modelId, period);
        }
    }

    /// @dev Whether a market that the update does not omit has none for the period yet: earlier ones omitted or skipped it.
    function _servesAWaitingMarket(Update calldata update, ModelLib.Model memory registered)
        private
        view
        returns (bool)
    {
        bytes32[] memory markets = registered.markets();
        for (uint256 i = 0; i < markets.length; ++i) {
            if (!update.omits(i) && _markets[markets[i]].params.unpackParams().period < update.period) return true;
        }
        return false;
    }

    function _applyAll(Update calldata update, ModelLib.Model memory registered) private {
        bytes32[] memory markets = registered.markets();
        int128[] calldata outputs = update.outputs;
        bool applied = false;
        SkipReason reason;
        for (uint256 i = 0; i < markets.length; ++i) {
            if (update.omits(i)) {
                emit MarketSkipped(markets[i], update.period, update.modelId, SkipReason.Omitted);
                continue;
            }
            uint256 closeE8 = update.closesE8.length == 0 ? 0 : update.closesE8[i];
            uint256 first = i * ModelLib.OUTPUTS_PER_MARKET;
            RiskState.Forecast memory forecast = RiskState.Forecast({
                period: uint32(update.period),
                probabilityHighBps: ForecastMath.probabilityHighBps(
                    outputs[first], outputs[first + 1], registered.outputScale
                ),
                volatilityWad: ForecastMath.volatilityWad(outputs[first + 2], registered.outputScale)
            });
            bool done;
            (done, reason) = _apply(update.modelId, markets[i], forecast, closeE8);
            if (done) applied = true;
            else emit MarketSkipped(markets[i], update.period, update.modelId, reason);
        }
        if (!applied) revert NothingApplied(reason);
    }

    /// @return done Whether the market moved; if not, `reason` says why.
    function _apply(bytes32 modelId, bytes32 market, RiskState.Forecast memory forecast, uint256 closeE8)
        private
        returns (bool done, SkipReason reason)
    {
        MarketAdmin.Market storage target = _markets[market];
        RiskState.PackedParams memory stored = target.params.unpackParams();
        PolicyLib.PackedGuard memory guard = target.guard.unpackGuard();
        if (forecast.period <= stored.period) return (false, SkipReason.AlreadyUpdated);
        if (block.timestamp < guard.pausedUntil || forecast.period <= guard.disabledPeriod) {
            return (false, SkipReason.Withheld);
        }
        PolicyLib.PackedRules memory rules = target.rules.unpackRules();
        if (rules.priceChecked && !MarketAdmin.priceAgrees(target, closeE8)) return (false, SkipReason.PriceMismatch);

        (Params memory inForce,) = params(market);
        (RiskState.PackedParams memory updated, uint256 targetBps, uint256 requestedBps) =
            stored.advance(inForce, guard, rules, forecast);
        if (targetBps != guard.rampTargetBps) {
            guard.turnRamp(targetBps);
            target.guard = guard.pack();
            emit LiquidationRampStarted(market, guard.rampStartBps, targetBps, guard.rampBpsPerDay);
        }
        if (inForce.liquidationCollateralRatioBps >= targetBps) updated.enableFastPath(guard);
        target.params = updated.pack();
        emit ParamsUpdated(market, forecast.period, modelId, target.params, requestedBps);
        return (true, reason);
    }
}
