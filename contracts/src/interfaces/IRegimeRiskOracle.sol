// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

/// @title IRegimeRiskOracle
/// @notice Risk parameters that follow a proven forecast of the volatility regime.
/// @dev Units: bps (10_000 = 100 %), pips (1_000_000 = 100 %), wad (1e18 = 1), seconds. A period is a 4-hour slot of the
/// UTC grid, `period = block.timestamp / 14_400`; its slot of the week is `period % 42`, slot 0 being Thursday 00:00.
/// @dev What an accepted update says: the registered model maps these features to these outputs. It does not say that
/// the features came from real candles. Every feature is in the `UpdateAccepted` event, so that anyone can recompute
/// them from public candles and hold the submitter to account.
/// @dev What the owner can do: register markets and models and choose submitters. What the owner cannot do: change a
/// registered model, set a parameter, or set a policy. What a submitter can do: land a valid proof. Nothing else.
interface IRegimeRiskOracle {
    /* TYPES */

    /// @notice Everything that defines a model on chain. `modelId = keccak256(abi.encode(spec))`.
    struct ModelSpec {
        /// Verifier contract that EZKL generated for this model's circuit.
        address verifier;
        /// `extcodehash` of the verifier; compared at registration and at every update.
        bytes32 verifierCodeHash;
        /// SHA-256 of the model bundle's manifest.
        bytes32 manifestSha256;
        /// SHA-256 of the verifying key.
        bytes32 verifyingKeySha256;
        /// SHA-256 of the ONNX file.
        bytes32 onnxSha256;
        /// Features per market that come from candles, hence from calldata. At least 1, at most 256.
        uint16 candleFeatureCount;
        /// Features per market that follow from the period alone; the contract fills them in. At most 64.
        uint16 calendarFeatureCount;
        /// Base-2 logarithm of the features' fixed-point unit.
        uint8 inputScale;
        /// Base-2 logarithm of the outputs' fixed-point unit, the same for all three. At most 120.
        uint8 outputScale;
        /// Largest absolute value of a quantised feature: the clip, shifted left by `inputScale`.
        uint32 featureBound;
        /// Exact length of a proof in bytes, a multiple of 32.
        uint32 proofLength;
        /// Markets in the order in which the proof lists them. 1 to 32, each registered, with a policy, and listed once.
        bytes32[] markets;
        /// 42 rows of `calendarFeatureCount` quantised features, row-major; the row of a period is `period % 42`.
        int32[] calendarTable;
    }

    /// @notice The parameters that a policy ties to one end of the probability scale.
    struct RiskVector {
        /// Collateral that a new borrow must show, in bps of the debt. Higher is tighter.
        uint24 borrowCollateralRatioBps;
        /// Swap fee in pips. Higher is tighter.
        uint24 ammFeePips;
        /// Share of the market's borrow cap that may be used, in bps. Lower is tighter.
        uint16 borrowCapFactorBps;
    }

    /// @notice How a market turns the probability of a turbulent period into parameters.
    struct Policy {
        /// Parameters at probability 0.
        RiskVector calm;
        /// Parameters at probability 10_000 bps, at least as tight as `calm` in every field; also the fallback.
        RiskVector turbulent;
        /// Collateral below which a position may be liquidated, in bps of the debt. Above 10_000, at most the borrow
        /// ratio of either vector. No update moves it, and its owner may lower but never raise it.
        uint24 liquidationCollateralRatioBps;
        /// Age in seconds, from the period's start, at which parameters stop being `Fresh`. At least one period.
        uint32 graceAfterSeconds;
        /// Age in seconds, from the period's start, at which parameters become `Stale`. At least `graceAfterSeconds`.
        uint32 staleAfterSeconds;
    }

    /// @notice Limits within which a market owner may choose a policy.
    struct Bounds {
        /// Lowest borrow ratio, in bps of the debt. Above 10_000.
        uint24 minBorrowCollateralRatioBps;
        /// Highest borrow ratio, in bps of the debt.
        uint24 maxBorrowCollateralRatioBps;
        /// Lowest swap fee in pips.
        uint24 minAmmFeePips;
        /// Highest swap fee in pips. At most 1_000_000.
        uint24 maxAmmFeePips;
    }

    /// @notice A market's parameters, exactly one storage word.
    struct Params {
        /// Period that the forecast is for.
        uint40 period;
        /// Unix time in seconds at which the update landed.
        uint40 updatedAt;
        /// Collateral that a new borrow must show, in bps of the debt.
        uint24 borrowCollateralRatioBps;
        /// Collateral below which a position may be liquidated, in bps of the debt.
        uint24 liquidationCollateralRatioBps;
        /// Swap fee in pips.
        uint24 ammFeePips;
        /// Usable share of the borrow cap in bps.
        uint16 borrowCapFactorBps;
        /// Forecast probability of the High regime in bps, rounded to nearest.
        uint16 probabilityHighBps;
        /// Forecast standard deviation of one-minute returns over the period, wad, rounded down.
        uint64 volatilityWad;
        /// 0 is Low, 1 is High.
        uint8 regime;
    }

    /// @notice How old a market's parameters are, by its own policy.
    enum Status {
        /// No update has ever landed.
        Unset,
        /// Younger than `graceAfterSeconds`.
        Fresh,
        /// At least `graceAfterSeconds` old: an update is overdue, the values are still as proven.
        Grace,
        /// At least `staleAfterSeconds` old: the values are tightened one-sidedly.
        Stale
    }

    /* EVENTS */

    /// @notice A market exists from now on.
    event MarketRegistered(bytes32 indexed market, address indexed marketOwner, Bounds bounds);

    /// @notice A market's policy changed. It shapes updates from now on; parameters already stored keep their values.
    event PolicySet(bytes32 indexed market, Policy policy);

    /// @notice A model was registered and made active for each of its markets.
    event ModelRegistered(bytes32 indexed modelId, ModelSpec spec);

    /// @notice A submitter was allowed or dismissed.
    event SubmitterSet(address indexed submitter, bool allowed);

    /// @notice A proof was accepted. Together with the model's specification this is all it takes to verify it again.
    event UpdateAccepted(
        bytes32 indexed modelId,
        uint64 indexed period,
        address indexed submitter,
        int32[] candleFeatures,
        int128[] outputs,
        bytes32 proofHash
    );

    /// @notice A market's parameters changed.
    event ParamsUpdated(bytes32 indexed market, uint64 indexed period, bytes32 indexed modelId, Params params);

    /* ERRORS: set-up */

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

    /// @notice Thrown when a policy would raise the liquidation ratio and so put healthy positions at risk.
    error LiquidationRatioRaised(uint256 currentBps, uint256 requestedBps);

    /// @notice Thrown when a market has no policy yet.
    error PolicyUnset(bytes32 market);

    /// @notice Thrown when the same specification is registered a second time.
    error ModelAlreadyRegistered(bytes32 modelId);

    /// @notice Thrown when a field of a model's specification is unusable.
    error InvalidModelSpec(string field);

    /// @notice Thrown when a verifier's code is not the code that was pinned.
    error VerifierCodeChanged(address verifier, bytes32 expected, bytes32 actual);

    /// @notice Thrown when ownership would move in one step.
    error HandoverRequired();

    /* ERRORS: updates */

    /// @notice Thrown when the caller is not a submitter.
    error NotSubmitter(address caller);

    /// @notice Thrown when the calldata is not the canonical encoding of its own arguments.
    error NonCanonicalCalldata();

    /// @notice Thrown when no such model was registered.
    error UnknownModel(bytes32 modelId);

    /// @notice Thrown when another model has taken over one of this model's markets.
    error ModelNotActive(bytes32 modelId, bytes32 market);

    /// @notice Thrown when an update is for a period that is over.
    error StalePeriod(uint256 period, uint256 current);

    /// @notice Thrown when an update is for a period that has not begun.
    error FuturePeriod(uint256 period, uint256 current);

    /// @notice Thrown when the model already has an update for the period.
    error AlreadySubmitted(bytes32 modelId, uint64 period);

    /// @notice Thrown when the number of candle features is not the model's.
    error CandleFeatureCountMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when the number of outputs is not three per market.
    error OutputCountMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when a feature, or an entry of a calendar table, lies outside the model's bound.
    error FeatureOutOfRange(uint256 index, int256 value, uint256 bound);

    /// @notice Thrown when an output stands for 64 or more in absolute value.
    error OutputOutOfRange(uint256 index, int256 value, uint256 bound);

    /// @notice Thrown when the proof's length is not the model's.
    error ProofLengthMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when the verifier does not accept the proof.
    error InvalidProof();

    /* ERRORS: reads */

    /// @notice Thrown when a market has no parameters yet.
    error ParamsUnset(bytes32 market);

    /// @notice Thrown when parameters are older than their reader accepts.
    error StaleParams(uint256 ageSeconds, uint256 maxAgeSeconds);

    /* SET-UP */

    /// @notice Adds a market. Only the contract's owner.
    /// @param market Identifier: keccak256 of the market's name, such as "BTC-USD".
    /// @param marketOwner The account that sets the market's policy.
    /// @param bounds Limits for that policy. They never change.
    function registerMarket(bytes32 market, address marketOwner, Bounds calldata bounds) external;

    /// @notice Sets the policy of a market. Only the market's owner.
    /// @dev Takes effect with the next update, except for the fallback of `params`, which follows it at once. The
    /// liquidation ratio may be lowered, never raised: nothing in this contract can make a healthy position
    /// liquidatable. A market that needs a higher one is a new market.
    function setPolicy(bytes32 market, Policy calldata policy) external;

    /// @notice Registers a model and makes it the active one of each of its markets. Only the contract's owner.
    /// @dev A model that loses one of its markets to another model can no longer land updates.
    /// @return modelId `keccak256(abi.encode(spec))`.
    function registerModel(ModelSpec calldata spec) external returns (bytes32 modelId);

    /// @notice Allows or dismisses a submitter. Only the contract's owner.
    function setSubmitter(address submitter, bool allowed) external;

    /* UPDATES */

    /// @notice Verifies a forecast and applies it to every market of the model, all or nothing. Only a submitter.
    /// @dev The contract builds the proof's public inputs itself, from these arguments and from what it knows: see
    /// `instancesOf`. A repeat for the same period reverts with `AlreadySubmitted`.
    /// @param modelId The model; active for each of its markets.
    /// @param period The current period.
    /// @param candleFeatures Quantised features that come from candles, market after market.
    /// @param outputs Per market: logit of Low, logit of High, natural logarithm of the standard deviation of
    /// one-minute returns; fixed point with the model's output scale, each below 64 in absolute value.
    /// @param proof The proof.
    function submit(
        bytes32 modelId,
        uint64 period,
        int32[] calldata candleFeatures,
        int128[] calldata outputs,
        bytes calldata proof
    ) external;

    /* READS */

    /// @notice The parameters of a market and their status. Never reverts.
    /// @dev `Fresh` and `Grace`: the values of the last update. `Stale`: the same, but borrow ratio and fee at least,
    /// and borrow cap factor at most, those of the policy's turbulent vector; the liquidation ratio stays, so an outage
    /// liquidates nobody. `Unset`: the turbulent vector if the market has a policy, zeros otherwise.
    function params(bytes32 market) external view returns (Params memory current, Status status);

    /// @notice The parameters of a market as proven, if they are young enough.
    /// @dev Reads one storage word. Values are never tightened here: choose `maxAgeSeconds` accordingly. Reverts with
    /// `ParamsUnset` before the first update and with `StaleParams` when the age, counted from the period's start, exceeds
    /// the maximum.
    function paramsNoOlderThan(bytes32 market, uint256 maxAgeSeconds) external view returns (Params memory current);

    /// @notice The period of the current block.
    function currentPeriod() external view returns (uint64);

    /// @notice The last period for which the model landed an update; 0 if none.
    function latestPeriod(bytes32 modelId) external view returns (uint64);

    /// @notice Whether an account may submit updates.
    function isSubmitter(address account) external view returns (bool);

    /// @notice The model that serves a market; zero if none.
    function activeModel(bytes32 market) external view returns (bytes32 modelId);

    /// @notice A registered model's specification. Reverts with `UnknownModel`.
    function model(bytes32 modelId) external view returns (ModelSpec memory spec);

    /// @notice A market's policy; all zeros before the first.
    function policy(bytes32 market) external view returns (Policy memory);

    /// @notice A market's bounds; all zeros if there is no such market.
    function bounds(bytes32 market) external view returns (Bounds memory);

    /// @notice The account that sets a market's policy; zero if there is no such market.
    function ownerOf(bytes32 market) external view returns (address);

    /// @notice The public inputs that `submit` would verify, for watchers and provers.
    /// @dev For each market its candle features and then the period's calendar features; after all features, for each
    /// market its three outputs. Negative numbers stand as `r + value`, r being the order of the BN254 scalar field.
    /// Reverts with the errors of `submit` on wrong counts and ranges. Any period is accepted.
    function instancesOf(bytes32 modelId, uint64 period, int32[] calldata candleFeatures, int128[] calldata outputs)
        external
        view
        returns (uint256[] memory instances);
}
