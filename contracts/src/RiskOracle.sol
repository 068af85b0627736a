// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";
import {Governed} from "./base/Governed.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "./interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "./interfaces/IRiskParameters.sol";
import {IERC165} from "./interfaces/external/IERC165.sol";
import {ForecastMath} from "./libraries/ForecastMath.sol";
import {PolicyLib} from "./libraries/PolicyLib.sol";
import {RiskState} from "./libraries/RiskState.sol";
import {SequencerLib} from "./libraries/SequencerLib.sol";
import {UpdateLib} from "./libraries/UpdateLib.sol";
import {Words} from "./libraries/Words.sol";

/// @title RiskOracle
/// @notice Applies proven and attested volatility forecasts to risk parameters, once for each market and period.
contract RiskOracle is IRegimeRiskOracle, Governed, IERC165 {
    using PolicyLib for Bounds;
    using PolicyLib for Policy;
    using RiskState for RiskState.State;
    using UpdateLib for IModelRegistry.Update;

    /// @notice Everything that is stored of a market.
    struct Market {
        /// Zero exactly if there is no such market.
        address owner;
        /// When the allowance of pauses is full again, in Unix seconds.
        uint40 pauseFullAt;
        Bounds bounds;
        /// Data contract with the ABI-encoded policy; zero exactly if there is none.
        address policy;
        /// `RiskState.State`, as `Words` packs it.
        uint256 first;
        uint256 second;
    }

    /// @notice The purpose of the models whose updates are applied: per market the logit of Low, the logit of High and the
    /// natural logarithm of the standard deviation of one-minute returns.
    bytes32 public constant PURPOSE = keccak256("volatility-regime/1");

    /// @notice Longest period of a model: nothing that lenders read may be older.
    uint256 public constant MAX_PERIOD_SECONDS = 1 days;

    /// @notice Time for which the sequencer must have been up, so that its users could act.
    uint256 public constant SEQUENCER_GRACE_SECONDS = 5 minutes;

    /// @inheritdoc IRegimeRiskOracle
    IModelRegistry public immutable registry;

    /// @inheritdoc IRegimeRiskOracle
    address public sequencerFeed;

    mapping(bytes32 market => Market) private _markets;

    /// @param owner_ The account that registers markets.
    /// @param guardian_ The account that may only refuse and pause.
    /// @param timelockSeconds_ Time between announcing and doing; at least a day on any chain but 31337.
    /// @param sequencerFeed_ Chainlink's sequencer uptime feed on an L2, zero elsewhere.
    constructor(
        address owner_,
        address guardian_,
        uint256 timelockSeconds_,
        IModelRegistry registry_,
        address sequencerFeed_
    ) Governed(owner_, guardian_, timelockSeconds_) {
        registry = registry_;
        _setSequencerFeed(sequencerFeed_);
    }

    /* SET-UP */

    /// @inheritdoc IRegimeRiskOracle
    function registerMarket(bytes32 market, address marketOwner_, Bounds calldata bounds_) external onlyOwner {
        if (_markets[market].owner != address(0)) revert MarketAlreadyRegistered(market);
        Bounds memory limits = bounds_;
        limits.check();
        _markets[market].bounds = limits;
        emit MarketRegistered(market, marketOwner_, limits);
        _setMarketOwner(market, marketOwner_);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setMarketOwner(bytes32 market, address marketOwner_) external onlyOwner {
        _useTimelock(abi.encodeCall(this.setMarketOwner, (market, marketOwner_)));
        if (_markets[market].owner == address(0)) revert UnknownMarket(market);
        _setMarketOwner(market, marketOwner_);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setSequencerFeed(address feed) external onlyOwner {
        _useTimelock(abi.encodeCall(this.setSequencerFeed, (feed)));
        _setSequencerFeed(feed);
    }

    /// @inheritdoc IRegimeRiskOracle
    function setPolicy(bytes32 market, Policy calldata policy_) external {
        Market storage target = _markets[market];
        if (target.owner == address(0)) revert UnknownMarket(market);
        if (target.owner != msg.sender) revert NotMarketOwner(market, msg.sender);
        Policy memory next = policy_;
        bool first = target.policy == address(0);
        if (!first) _useTimelock(abi.encodeCall(this.setPolicy, (market, next)));
        next.check(target.bounds);
        RiskState.State memory state = _load(market);
        // slither-disable-next-line incorrect-equality (zero stands for "never")
        if (state.periodStart == 0) state.begin(next, first);
        uint256 targetBps = next.vectorAt(state.appliedVolatilityE9).liquidationCollateralRatioBps;
        state.turnRamp(targetBps, next.liquidationRiseBpsPerDay);
        emit LiquidationRampSet(market, state.liquidationRatioBps(), targetBps, next.liquidationRiseBpsPerDay);
        if (state.liquidationRatioBps() < state.rampTargetBps && state.rampBpsPerDay == 0) {
            revert InvalidPolicy("liquidationRiseBpsPerDay");
        }
        (target.first, target.second) = Words.pack(state);
        target.policy = SSTORE2.write(abi.encode(next));
        emit PolicySet(market, next);
    }

    /// @inheritdoc IRegimeRiskOracle
    function pauseMarket(bytes32 market, uint40 untilTimestamp) external onlyGuardian {
        Market storage target = _markets[market];
        if (target.owner == address(0)) revert UnknownMarket(market);
        RiskState.State memory state = _load(market);
        target.pauseFullAt = uint40(state.pause(untilTimestamp, target.pauseFullAt));
        (target.first, target.second) = Words.pack(state);
        emit MarketPaused(market, state.pausedUntil);
    }

    /* UPDATES */

    /// @inheritdoc IRegimeRiskOracle
    /// @dev No reentrancy lock: outside calls are STATICCALLs, to the registry and from there to attestors that are contracts
    /// and to the verifier. None of them can change state here, and what they could read is what held before.
    function submit(IModelRegistry.Update calldata update) external {
        IModelRegistry.Facts memory model = registry.facts(update.modelId);
        bool known = model.purpose == PURPOSE && model.outputCount == ForecastMath.OUTPUTS_PER_MARKET;
        if (!known || model.periodSeconds > MAX_PERIOD_SECONDS) revert ForeignModel(update.modelId);
        uint256 periodStart = uint256(update.period) * model.periodSeconds;
        uint256 waiting = _waiting(update, model.markets, periodStart);
        _verify(update);
        for (uint256 i = 0; i < model.markets.length; ++i) {
            if ((waiting >> i) & 1 == 0) continue;
            _apply(model.markets[i], update.modelId, ForecastMath.forecastOf(update, model, i));
        }
    }

    /* READS */

    /// @inheritdoc IRiskParameters
    function params(bytes32 market) public view returns (Params memory current, Status status) {
        Market storage read = _markets[market];
        status = _read(read, current);
        address feed = sequencerFeed;
        if (feed == address(0) || status == Status.Unset) return (current, status);
        if (SequencerLib.isUp(feed, SEQUENCER_GRACE_SECONDS)) return (current, status);
        status = Status.Withheld;
        _tighten(read, current);
    }

    /// @inheritdoc IRiskParameters
    function paramsNoOlderThan(bytes32 market, uint256 maxAgeSeconds) external view returns (Params memory current) {
        Status status;
        (current, status) = params(market);
        if (status == Status.Unset) revert ParamsUnset(market);
        if (status == Status.Withheld) revert ParamsWithheld(market);
        uint256 ageSeconds = block.timestamp - current.periodStart;
        if (status == Status.Stale || ageSeconds > maxAgeSeconds) revert StaleParams(ageSeconds, maxAgeSeconds);
    }

    /// @inheritdoc IRiskParameters
    function pending(bytes32 market) external view returns (RiskVector memory, uint256, uint256) {
        return _load(market).pending();
    }

    /// @inheritdoc IRegimeRiskOracle
    function policy(bytes32 market) external view returns (Policy memory) {
        return PolicyLib.read(_markets[market].policy);
    }

    /// @inheritdoc IRegimeRiskOracle
    function bounds(bytes32 market) external view returns (Bounds memory) {
        return _markets[market].bounds;
    }

    /// @inheritdoc IRegimeRiskOracle
    function marketOwner(bytes32 market) external view returns (address) {
        return _markets[market].owner;
    }

    /// @inheritdoc IRegimeRiskOracle
    function pausedUntil(bytes32 market) external view returns (uint256) {
        return _load(market).pausedUntil;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IRiskParameters).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    /* INTERNAL */

    /// @dev Fills in what readers see where the sequencer is up.
    function _read(Market storage market, Params memory current) private view returns (Status status) {
        (uint256 first, uint256 second) = (market.first, market.second);
        Words.readCurrent(current, first, second);
        status = Words.status(first, second);
        if (status >= Status.Stale) _tighten(market, current);
    }

    /// @dev Twice is as good as once.
    function _tighten(Market storage market, Params memory current) private view {
        RiskState.tighten(current, PolicyLib.read(market.policy).tightest());
    }

    function _load(bytes32 market) private view returns (RiskState.State memory) {
        return Words.unpack(_markets[market].first, _markets[market].second);
    }

    function _setMarketOwner(bytes32 market, address marketOwner_) private {
        if (marketOwner_ == address(0)) revert InvalidBounds("marketOwner");
        _markets[market].owner = marketOwner_;
        emit MarketOwnerSet(market, marketOwner_);
    }

    function _setSequencerFeed(address feed) private {
        sequencerFeed = feed;
        emit SequencerFeedSet(feed);
    }

    /// @dev The markets that have no update for the period yet: bit i is the model's i-th. Reverts, before the dear part, if
    /// there is none.
    function _waiting(IModelRegistry.Update calldata update, bytes32[] memory markets, uint256 periodStart)
        private
        returns (uint256 waiting)
    {
        SkipReason last;
        for (uint256 i = 0; i < markets.length; ++i) {
            Market storage market = _markets[markets[i]];
            SkipReason reason = SkipReason.Omitted;
            if (!update.omits(i)) {
                last = reason = market.policy == address(0) ? SkipReason.NoPolicy : SkipReason.AlreadyUpdated;
                if (reason == SkipReason.AlreadyUpdated && Words.periodStart(market.first) < periodStart) {
                    waiting |= 1 << i;
                    continue;
                }
            }
            emit MarketSkipped(markets[i], update.modelId, periodStart, reason);
        }
        if (waiting == 0) revert NothingApplied(last);
    }

    /// @dev Lets the registry verify, and tells the world.
    function _verify(IModelRegistry.Update calldata update) private {
        (address[] memory signers, uint32 version) = registry.verify(update);
        emit UpdateAccepted(
            update.modelId,
            update.period,
            msg.sender,
            update.omittedMarkets,
            update.features,
            update.outputs,
            EfficientHashLib.hashCalldata(update.proof),
            signers,
            version
        );
    }

    function _apply(bytes32 market, bytes32 modelId, RiskState.Forecast memory forecast) private {
        Market storage target = _markets[market];
        (uint256 first, uint256 second) = (target.first, target.second);
        Policy memory rules = PolicyLib.read(target.policy);
        Params memory inForce;
        Words.readCurrent(inForce, first, second);
        if (Words.status(first, second) >= Status.Stale) RiskState.tighten(inForce, rules.tightest());
        RiskState.State memory state = Words.unpack(first, second);
        (uint256 requestedE9, RiskVector memory next) = state.advance(rules, forecast, inForce);
        if (next.liquidationCollateralRatioBps != state.rampTargetBps) {
            state.turnRamp(next.liquidationCollateralRatioBps, rules.liquidationRiseBpsPerDay);
        }
        (target.first, target.second) = Words.pack(state);
        emit ParamsUpdated(
            market,
            modelId,
            forecast.periodStart,
            forecast.probabilityHighBps,
            forecast.volatilityE9,
            uint32(requestedE9),
            state.appliedVolatilityE9,
            next,
            block.timestamp + rules.loosenDelaySeconds
        );
    }
}
