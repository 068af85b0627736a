// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

import {IModelRegistry} from "./IModelRegistry.sol";
import {IRiskParameters} from "./IRiskParameters.sol";

/// @title IRegimeRiskOracle
/// @notice Risk parameters that follow a proven forecast of the volatility: markets, policies and updates.
/// @dev Which updates are good is the registry's to say; see `IModelRegistry`. What is done with a good one is decided here.
interface IRegimeRiskOracle is IRiskParameters {
    /* TYPES */

    /// @notice The parameters at one volatility.
    struct Knot {
        /// Standard deviation of one-minute returns, times 1e9.
        uint32 volatilityE9;
        RiskVector vector;
    }

    /// @notice How a market turns the forecast of the volatility into parameters.
    struct Policy {
        /// 2 to 4, of rising volatility, each at least as tight as the one before in every field. Parameters are linear
        /// between them, and those of the first and last below and above. The last is also the fallback.
        Knot[] knots;
        /// How far below the applied volatility a forecast must lie to ask for looser values, in bps of the distance from
        /// the first to the last knot.
        uint16 marginBps;
        /// Updates in a row that must ask for looser values before there are any. At least 1.
        uint8 dwellPeriods;
        /// Most that the applied volatility rises in a period, in bps of the distance from the first to the last knot. At
        /// least 1; 10_000 is no limit. Unused allowance adds up with time, for up to six periods.
        uint16 maxRiseBpsPerPeriod;
        /// Most that it falls, likewise.
        uint16 maxFallBpsPerPeriod;
        /// Seconds between an update and the moment its looser values hold. Tighter ones hold at once. At most a day.
        uint24 loosenDelaySeconds;
        /// Speed at which the liquidation ratio rises to a higher target, in bps of the debt a day.
        uint16 liquidationRiseBpsPerDay;
        /// Age, from the period's start and in bps of the period's length, at which parameters stop being `Fresh`. 10_000
        /// to 20_000.
        uint16 graceAfterBps;
        /// Age at which they become `Stale`, likewise. At least `graceAfterBps`, at most 60_000.
        uint16 staleAfterBps;
    }

    /// @notice Limits within which a market owner may choose a policy. They never change.
    struct Bounds {
        /// Lowest borrow ratio, in bps of the debt.
        uint16 minBorrowCollateralRatioBps;
        /// Highest borrow ratio, in bps of the debt.
        uint16 maxBorrowCollateralRatioBps;
        /// Lowest liquidation ratio, in bps of the debt: the debt and the liquidation bonus, and something to spare. At
        /// least 10_500.
        uint16 minLiquidationCollateralRatioBps;
        /// Highest speed at which a liquidation ratio may rise, in bps of the debt a day. At most 200.
        uint16 maxLiquidationRiseBpsPerDay;
        /// Lowest swap fee in pips.
        uint24 minAmmFeePips;
        /// Highest swap fee in pips. At most 1_000_000.
        uint24 maxAmmFeePips;
        /// Lowest usable share of the borrow cap, in bps.
        uint16 minBorrowCapFactorBps;
    }

    /// @notice Why an update left a market as it was.
    enum SkipReason {
        /// The update says itself that it omits the market.
        Omitted,
        /// There is no such market here, or it has no policy.
        NoPolicy,
        /// Another update for the period, or for a later one, has landed.
        AlreadyUpdated
    }

    /* EVENTS */

    /// @notice A market exists from now on.
    event MarketRegistered(bytes32 indexed market, address indexed marketOwner, Bounds bounds);

    /// @notice A market has another owner.
    event MarketOwnerSet(bytes32 indexed market, address indexed marketOwner);

    /// @notice A market's policy changed. It shapes updates from now on, and the fallback at once.
    event PolicySet(bytes32 indexed market, Policy policy);

    /// @notice Another feed says whether the chain's sequencer is up; zero is none.
    event SequencerFeedSet(address indexed feed);

    /// @notice A proof was accepted. With the model's specification this is all it takes to compute the forecast again. The
    /// proof itself lies in the transaction's calldata, deeper in it if a contract relayed the update.
    /// @param omittedMarkets Markets that the update leaves as they were: bit i is the model's i-th.
    /// @param features The features of the update, 4 bytes each, big-endian two's complement.
    /// @param outputs The outputs of the update, 16 bytes each, the same way.
    /// @param proofHash keccak256 of the proof, by which to recognise it.
    /// @param signers Who attested.
    event UpdateAccepted(
        bytes32 indexed modelId,
        uint64 indexed period,
        address indexed relayer,
        uint256 omittedMarkets,
        bytes features,
        bytes outputs,
        bytes32 proofHash,
        address[] signers,
        uint32 attestorSetVersion
    );

    /// @notice A market's parameters changed.
    /// @param periodStart Unix time in seconds at which the forecast's period begins.
    /// @param requestedVolatilityE9 What dwell and margin left of the forecast, before rate limits; where it differs from
    /// the applied volatility, the update was clipped.
    /// @param next What holds from `effectiveAt` on; tighter values hold at once. Its liquidation ratio is the ramp's target.
    event ParamsUpdated(
        bytes32 indexed market,
        bytes32 indexed modelId,
        uint256 indexed periodStart,
        uint16 probabilityHighBps,
        uint32 volatilityE9,
        uint32 requestedVolatilityE9,
        uint32 appliedVolatilityE9,
        RiskVector next,
        uint256 effectiveAt
    );

    /// @notice An accepted update left a market as it was.
    event MarketSkipped(
        bytes32 indexed market, bytes32 indexed modelId, uint256 indexed periodStart, SkipReason reason
    );

    /// @notice By a policy the liquidation ratio of a market moves from `fromBps` now to `toBps`, upwards at `bpsPerDay`,
    /// downwards at once. Where an update leads it, `ParamsUpdated` says.
    event LiquidationRampSet(bytes32 indexed market, uint256 fromBps, uint256 toBps, uint256 bpsPerDay);

    /// @notice The guardian paused a market, or lifted a pause where the time is not after now.
    event MarketPaused(bytes32 indexed market, uint256 untilTimestamp);

    /* ERRORS */

    /// @notice Thrown when a market is registered a second time.
    error MarketAlreadyRegistered(bytes32 market);

    /// @notice Thrown when a market has not been registered.
    error UnknownMarket(bytes32 market);

    /// @notice Thrown when a field of the bounds, or the market's owner, is unusable.
    error InvalidBounds(string field);

    /// @notice Thrown when somebody other than the market's owner sets its policy.
    error NotMarketOwner(bytes32 market, address caller);

    /// @notice Thrown when a field of a policy contradicts the bounds or the rest of the policy.
    error InvalidPolicy(string field);

    /// @notice Thrown when a market is to be paused beyond what is left of its allowance.
    error PauseTooLong(uint256 untilTimestamp, uint256 latest);

    /// @notice Thrown when a model forecasts something else than this contract understands, or for too long a period.
    error ForeignModel(bytes32 modelId);

    /// @notice Thrown when an update would change no market; `reason` is that of the last one that it does not omit.
    error NothingApplied(SkipReason reason);

    /* SET-UP */

    /// @notice Adds a market. Only the contract's owner.
    /// @param market Identifier: keccak256 of the market's name, such as "BTC-USD".
    /// @param marketOwner_ The account that sets the market's policy.
    function registerMarket(bytes32 market, address marketOwner_, Bounds calldata bounds_) external;

    /// @notice Replaces a market's owner. Only the contract's owner, timelocked.
    function setMarketOwner(bytes32 market, address marketOwner_) external;

    /// @notice Replaces the feed of the chain's sequencer; zero is none. Only the contract's owner, timelocked.
    function setSequencerFeed(address feed) external;

    /// @notice Sets the policy of a market. Only the market's owner; timelocked, except for the first.
    /// @dev Shapes updates from the next one on, and the fallback at once. A higher liquidation ratio is reached by a ramp, a
    /// lower one holds at once.
    function setPolicy(bytes32 market, Policy calldata policy_) external;

    /// @notice Withholds a market's parameters until a time; until now, or before, lifts a pause. Only the guardian.
    /// @dev A market has an allowance of 7 days of pause; each second without one gives back a second. Updates land during a
    /// pause, and hold when it ends.
    function pauseMarket(bytes32 market, uint40 untilTimestamp) external;

    /* UPDATES */

    /// @notice Lets the registry verify a forecast and applies it to the model's markets. Anyone may relay one.
    /// @dev The parameters of a market change together or not at all. A market that was updated already is skipped without
    /// holding up the others; an update that would change none reverts. A market that an update omits stays as if none had
    /// come, and can still be updated within the period.
    function submit(IModelRegistry.Update calldata update) external;

    /* READS */

    /// @notice The registry of the models whose updates are applied.
    function registry() external view returns (IModelRegistry);

    /// @notice Feed that says whether the chain's sequencer is up; zero on chains without one.
    function sequencerFeed() external view returns (address);

    /// @notice A market's policy; without knots before the first.
    function policy(bytes32 market) external view returns (Policy memory);

    /// @notice A market's bounds; all zeros if there is no such market.
    function bounds(bytes32 market) external view returns (Bounds memory);

    /// @notice The account that sets a market's policy; zero if there is no such market.
    function marketOwner(bytes32 market) external view returns (address);

    /// @notice Unix time in seconds until which a market is paused; not after now if it is not.
    function pausedUntil(bytes32 market) external view returns (uint256);
}
