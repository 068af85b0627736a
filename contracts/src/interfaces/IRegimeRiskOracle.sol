// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

import {IRiskParameters} from "./IRiskParameters.sol";

/// @title IRegimeRiskOracle
/// @notice Risk parameters that follow a proven forecast of the volatility regime: registry, updates and policies.
/// @dev What an accepted update says: the registered model maps these features to these outputs, and k attestors say that
/// the features are what public candles give. The proof alone says nothing about where features come from; every one of
/// them is in the `UpdateAccepted` event, so that anyone can recompute them.
interface IRegimeRiskOracle is IRiskParameters {
    /* TYPES */

    /// @notice Everything that defines a model on chain. `modelId = keccak256(abi.encode(spec))`.
    struct ModelSpec {
        /// Verifier contract that EZKL generated for this model's circuit.
        address verifier;
        /// `extcodehash` of the verifier; compared when proposed and when activated. Code does not change after that: chains
        /// with the Cancun rules let no contract but a new-born one destroy itself.
        bytes32 verifierCodeHash;
        /// SHA-256 of the model bundle's manifest.
        bytes32 manifestSha256;
        /// SHA-256 of the verifying key.
        bytes32 verifyingKeySha256;
        /// SHA-256 of the ONNX file.
        bytes32 onnxSha256;
        /// SHA-256 of the circuit's settings.
        bytes32 settingsSha256;
        /// SHA-256 of the feature specification: ordered names with parameters, means, deviations, clip.
        bytes32 featureSpecSha256;
        /// How outputs are read: 1 is logit of Low, logit of High, natural logarithm of the volatility. Nothing else exists.
        uint8 outputDecoding;
        /// Features per market that come from candles, hence from calldata. At least 1, at most 256.
        uint16 candleFeatureCount;
        /// Features per market that follow from the period alone; the contract fills them in. At most 16.
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

    /// @notice How a market turns the probability of a turbulent period into parameters.
    struct Policy {
        /// Parameters at probability 0.
        RiskVector calm;
        /// Parameters at probability 10_000 bps, at least as tight as `calm` in every field; also the fallback.
        RiskVector turbulent;
        /// How far beyond one half a forecast must lie to turn the market's regime, in bps of probability. At most 4_999.
        uint16 marginBps;
        /// Updates in a row that must ask for Low before a market turns from High to Low. 1 to 127.
        uint8 dwellPeriods;
        /// Most that the applied probability rises in a period, in bps. At least 1. 10_000 is no limit.
        uint16 maxRiseBpsPerPeriod;
        /// Most that the applied probability falls in a period, in bps. At least 1. 10_000 is no limit.
        uint16 maxFallBpsPerPeriod;
        /// Seconds between an update and the moment its looser values hold. Tighter ones hold at once. At most one period.
        uint16 loosenDelaySeconds;
        /// Speed at which the liquidation ratio rises to a higher target, in bps of the debt a day.
        uint16 liquidationRiseBpsPerDay;
        /// Age in seconds, from the period's start, at which parameters stop being `Fresh`. At least one period.
        uint24 graceAfterSeconds;
        /// Age in seconds, from the period's start, at which parameters become `Stale`. At least `graceAfterSeconds`.
        uint24 staleAfterSeconds;
    }

    /// @notice Limits within which a market owner may choose a policy. They never change.
    struct Bounds {
        /// Lowest borrow ratio, in bps of the debt. Above 10_000.
        uint16 minBorrowCollateralRatioBps;
        /// Highest borrow ratio, in bps of the debt.
        uint16 maxBorrowCollateralRatioBps;
        /// Lowest swap fee in pips.
        uint24 minAmmFeePips;
        /// Highest swap fee in pips. At most 1_000_000.
        uint24 maxAmmFeePips;
        /// Highest speed at which a liquidation ratio may rise, in bps of the debt a day.
        uint16 maxLiquidationRiseBpsPerDay;
    }

    /// @notice A price feed that an update's attested close must agree with. `feed` zero: no check.
    struct PriceCheck {
        /// Chainlink aggregator of the market's price.
        address feed;
        /// Largest difference, in bps of the feed's answer. 1 to 10_000.
        uint16 toleranceBps;
        /// Oldest answer that counts, in seconds.
        uint32 maxAgeSeconds;
    }

    /// @notice One forecast for one period, with everything that makes it acceptable.
    struct Update {
        /// The model: active, or in the overlap after its successor's activation.
        bytes32 modelId;
        /// The current period.
        uint64 period;
        /// Markets without candles, which the update leaves as they are: bit i is the model's i-th market. Attested. Zero if
        /// it serves all.
        uint256 omittedMarkets;
        /// Quantised features that come from candles, market after market. Those of an omitted market are zero, which is each
        /// feature at its mean over the training data.
        int32[] candleFeatures;
        /// Per market: logit of Low, logit of High, natural logarithm of the standard deviation of one-minute returns;
        /// fixed point with the model's output scale, each below 64 in absolute value. Those of an omitted market are what
        /// the network says to its zeros; nothing follows from them.
        int128[] outputs;
        /// Last close of each market's window, 8 decimals, zero for an omitted one; empty if no market of the model has a
        /// price check. Attested, not proven.
        uint64[] closesE8;
        /// The proof.
        bytes proof;
        /// As many as the threshold says, signers strictly ascending; each is the signer (20 bytes), the signature's
        /// length (2 bytes) and the signature (65 bytes, or what an ERC-1271 contract wants).
        bytes attestations;
    }

    /// @notice An earlier proof of the model, for the test that activates it.
    struct SmokeProof {
        uint64 period;
        int32[] candleFeatures;
        int128[] outputs;
        bytes proof;
    }

    /// @notice Why an update left a market as it was.
    enum SkipReason {
        /// The guardian paused the market or disabled the period.
        Withheld,
        /// Another model's update for the period came first, or a later one has landed.
        AlreadyUpdated,
        /// The attested close and the price feed disagree, or the feed gives no usable answer.
        PriceMismatch,
        /// The update says itself that it omits the market.
        Omitted
    }

    /* EVENTS */

    /// @notice A market exists from now on.
    event MarketRegistered(bytes32 indexed market, address indexed marketOwner, Bounds bounds, PriceCheck priceCheck);

    /// @notice A market's policy changed. It shapes updates from now on, and the fallback at once.
    event PolicySet(bytes32 indexed market, Policy policy);

    /// @notice A model was proposed; it can be activated from `readyAt` on.
    event ModelProposed(bytes32 indexed modelId, ModelSpec spec, uint256 overlapPeriods, uint256 readyAt);

    /// @notice The guardian refused a proposed model.
    event ModelVetoed(bytes32 indexed modelId);

    /// @notice A model passed its smoke test and serves its markets from now on.
    event ModelActivated(bytes32 indexed modelId);

    /// @notice The last period for which a model is accepted was set.
    event ModelEnds(bytes32 indexed modelId, uint64 lastPeriod);

    /// @notice The attestors were replaced.
    /// @param digest keccak256 of the ABI encoding of chain id, contract, version, attestors and threshold.
    event AttestorsSet(uint32 indexed version, address[] attestors, uint8 threshold, bytes32 digest);

    /// @notice A proof was accepted. Together with the model's specification this is all it takes to verify it again.
    /// @param omittedMarkets Markets that the update leaves as they were: bit i is the model's i-th.
    /// @param candleFeatures The features of the update, 4 bytes each, big-endian two's complement.
    event UpdateAccepted(
        bytes32 indexed modelId,
        uint64 indexed period,
        address indexed relayer,
        uint256 omittedMarkets,
        bytes candleFeatures,
        int128[] outputs,
        bytes32 proofHash,
        uint32 attestorSetVersion
    );

    /// @notice A market's parameters changed.
    /// @param word What is stored; `Words.unpackParams` says how to read it.
    /// @param requestedProbabilityBps What dwell and margin left of the forecast, before rate limits; where it differs from
    /// the applied probability, the update was clipped.
    event ParamsUpdated(
        bytes32 indexed market,
        uint64 indexed period,
        bytes32 indexed modelId,
        uint256 word,
        uint256 requestedProbabilityBps
    );

    /// @notice An accepted update left a market as it was.
    event MarketSkipped(bytes32 indexed market, uint64 indexed period, bytes32 indexed modelId, SkipReason reason);

    /// @notice The liquidation ratio of a market moves from `fromBps` now to `toBps`.
    event LiquidationRampStarted(bytes32 indexed market, uint256 fromBps, uint256 toBps, uint256 bpsPerDay);

    /// @notice The guardian paused a market.
    event MarketPaused(bytes32 indexed market, uint256 untilTimestamp);

    /// @notice The guardian withdrew a market's parameters up to and including a period.
    event PeriodDisabled(bytes32 indexed market, uint64 period);

    /* ERRORS: set-up */

    /// @notice Thrown when a market is registered a second time.
    error MarketAlreadyRegistered(bytes32 market);

    /// @notice Thrown when a market has not been registered.
    error UnknownMarket(bytes32 market);

    /// @notice Thrown when a field of the bounds, of the price check, or the market's owner, is unusable.
    error InvalidBounds(string field);

    /// @notice Thrown when somebody other than the market's owner sets its policy.
    error NotMarketOwner(bytes32 market, address caller);

    /// @notice Thrown when a field of a policy contradicts the bounds or the rest of the policy.
    error InvalidPolicy(string field);

    /// @notice Thrown when a market has no policy yet.
    error PolicyUnset(bytes32 market);

    /// @notice Thrown when a model that is proposed, active or in its overlap is proposed again.
    error ModelAlreadyRegistered(bytes32 modelId);

    /// @notice Thrown when a field of a model's specification is unusable.
    error InvalidModelSpec(string field);

    /// @notice Thrown when a verifier's code is not the code that was pinned.
    error VerifierCodeChanged(address verifier, bytes32 expected, bytes32 actual);

    /// @notice Thrown when a model that is not proposed is to be vetoed or activated.
    error ModelNotProposed(bytes32 modelId);

    /// @notice Thrown when a model is activated before its timelock has passed, or long after.
    error ModelNotReady(bytes32 modelId, uint256 readyAt);

    /// @notice Thrown when the verifier fails the activation test: `forged` says which proof it judged wrongly.
    error SmokeTestFailed(bool forged);

    /// @notice Thrown when the attestors are not strictly ascending, or the threshold is not 1 to their number.
    error InvalidAttestors();

    /* ERRORS: the guardian */

    /// @notice Thrown when a pause would be longer than the longest.
    error PauseTooLong(uint256 untilTimestamp, uint256 latest);

    /// @notice Thrown when a market is paused again before it has been open for as long as the longest pause.
    error PauseCoolingDown(uint256 untilTimestamp);

    /// @notice Thrown when a period that has not begun, or that is disabled already, is to be disabled.
    error CannotDisable(uint64 period);

    /* ERRORS: updates */

    /// @notice Thrown when the calldata is not the canonical encoding of its own arguments.
    error NonCanonicalCalldata();

    /// @notice Thrown when no such model was proposed.
    error UnknownModel(bytes32 modelId);

    /// @notice Thrown when a model is not active yet, or no longer accepted.
    error ModelNotActive(bytes32 modelId);

    /// @notice Thrown when an update is for a period that is over.
    error StalePeriod(uint256 period, uint256 current);

    /// @notice Thrown when an update is for a period that has not begun.
    error FuturePeriod(uint256 period, uint256 current);

    /// @notice Thrown when the model already has an update for the period, and this one serves no market that still lacks one.
    error AlreadySubmitted(bytes32 modelId, uint64 period);

    /// @notice Thrown when the number of candle features is not the model's.
    error CandleFeatureCountMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when the number of outputs is not three per market.
    error OutputCountMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when there are closes, but not one per market.
    error CloseCountMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when an update omits a market that the model does not have, or every market that it has.
    error InvalidOmittedMarkets(uint256 omittedMarkets, uint256 marketCount);

    /// @notice Thrown when a candle feature or the close of an omitted market is not zero; `index` is the market's in the model.
    error OmittedMarketNotNeutral(uint256 index);

    /// @notice Thrown when a feature, or an entry of a calendar table, lies outside the model's bound.
    error FeatureOutOfRange(uint256 index, int256 value, uint256 bound);

    /// @notice Thrown when an output stands for 64 or more in absolute value.
    error OutputOutOfRange(uint256 index, int256 value, uint256 bound);

    /// @notice Thrown when the proof's length is not the model's.
    error ProofLengthMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when the attestations are cut off, or are not as many as the threshold says.
    error MalformedAttestations();

    /// @notice Thrown when signers are not strictly ascending.
    error SignersNotAscending(address previous, address signer);

    /// @notice Thrown when a signer is not in the present attestor set.
    error NotAttestor(address signer);

    /// @notice Thrown when a signature is not the signer's, or not for this update.
    error InvalidAttestation(address signer);

    /// @notice Thrown when the verifier does not accept the proof.
    error InvalidProof();

    /// @notice Thrown when an update would change no market; `reason` is that of the last one that it does not omit.
    error NothingApplied(SkipReason reason);

    /* SET-UP: the owner */

    /// @notice Adds a market. Only the contract's owner.
    /// @param market Identifier: keccak256 of the market's name, such as "BTC-USD".
    /// @param marketOwner The account that sets the market's policy.
    function registerMarket(bytes32 market, address marketOwner, Bounds calldata bounds, PriceCheck calldata priceCheck)
        external;

    /// @notice Proposes a model; it may be activated once the timelock has passed. Only the contract's owner.
    /// @param overlapPeriods Periods for which the models that it replaces stay accepted. At most 42.
    /// @return modelId `keccak256(abi.encode(spec))`.
    function proposeModel(ModelSpec calldata spec, uint16 overlapPeriods) external returns (bytes32 modelId);

    /// @notice Makes a ripe model the active one of its markets. Anyone may call.
    /// @dev The verifier must accept `smoke`, and refuse it with one public input changed and with one byte changed.
    /// A model that loses one of its markets is accepted for the overlap, then for none of its markets.
    function activateModel(bytes32 modelId, SmokeProof calldata smoke) external;

    /// @notice Ends a model at once. Only the owner or the guardian.
    function deprecateModel(bytes32 modelId) external;

    /// @notice Replaces the attestors. Only the contract's owner, timelocked.
    /// @param attestors Strictly ascending.
    function setAttestors(address[] calldata attestors, uint8 threshold) external;

    /* SET-UP: a market's owner */

    /// @notice Sets the policy of a market. Only the market's owner; timelocked, except for the first.
    /// @dev Shapes updates from the next one on, and the fallback at once. A higher liquidation ratio is reached by a ramp.
    function setPolicy(bytes32 market, Policy calldata policy) external;

    /* THE GUARDIAN */

    /// @notice Refuses a proposed model. Only the guardian.
    function vetoModel(bytes32 modelId) external;

    /// @notice Withholds a market's parameters until a time, at most 7 days ahead. Only the guardian, and not again until
    /// the market has been open for 7 days.
    function pauseMarket(bytes32 market, uint40 untilTimestamp) external;

    /// @notice Withholds what was and will be submitted for a period and those before it. Only the guardian.
    function disablePeriod(bytes32 market, uint64 period) external;

    /* UPDATES */

    /// @notice Verifies a forecast and applies it to the model's markets. Anyone may relay one.
    /// @dev The parameters of a market change together or not at all. A market that is withheld, was updated already or
    /// fails its price check is skipped without holding up the others; an update that would change none reverts.
    /// @dev A market that an update omits stays as if none had come. A market that was skipped or omitted can still be
    /// updated within the period, by an update of its own or by the same one again; no market is updated twice.
    /// @dev The contract builds the proof's public inputs itself, from these arguments and from what it knows: see
    /// `instancesOf`.
    function submit(Update calldata update) external;

    /* READS */

    /// @notice The period of the current block.
    function currentPeriod() external view returns (uint64);

    /// @notice The last period for which the model landed an update, of whichever of its markets; 0 if none.
    function latestPeriod(bytes32 modelId) external view returns (uint64);

    /// @notice The last period for which the model is accepted: 0 before its activation.
    function lastPeriod(bytes32 modelId) external view returns (uint64);

    /// @notice The model that serves a market; zero if none.
    function activeModel(bytes32 market) external view returns (bytes32 modelId);

    /// @notice A model's specification as `abi.encode(ModelSpec)`, of which `modelId` is the hash. Reverts with `UnknownModel`.
    function modelSpec(bytes32 modelId) external view returns (bytes memory encoded);

    /// @notice A market's policy; all zeros before the first.
    function policy(bytes32 market) external view returns (Policy memory);

    /// @notice A market's bounds; all zeros if there is no such market.
    function bounds(bytes32 market) external view returns (Bounds memory);

    /// @notice The account that sets a market's policy; zero if there is no such market.
    function marketOwner(bytes32 market) external view returns (address);

    /// @notice The version of the attestor set, and how many attestations an update needs.
    function attestorSet() external view returns (uint32 version, uint8 threshold);

    /// @notice Whether an account is in the present attestor set.
    function isAttestor(address account) external view returns (bool);

    /// @notice What attestors sign: EIP-712 over chain, contract, model, period, the omitted markets, the public inputs, the
    /// closes and the version of the attestor set.
    /// @param omittedMarkets Bit i is the model's i-th market.
    /// @param instancesHash keccak256 of the public inputs (see `instancesOf`), 32 bytes each.
    /// @param closesHash keccak256 of the closes, 32 bytes each; of nothing, if there are none.
    function attestationDigest(
        bytes32 modelId,
        uint64 period,
        uint256 omittedMarkets,
        bytes32 instancesHash,
        bytes32 closesHash
    ) external view returns (bytes32);

    /// @notice The public inputs that `submit` would verify, for watchers and provers.
    /// @dev For each market its candle features and then the period's calendar features; after all features, for each
    /// market its three outputs. Negative numbers stand as `r + value`, r being the order of the BN254 scalar field.
    /// Reverts with the errors of `submit` on wrong counts and ranges. Any period is accepted.
    function instancesOf(bytes32 modelId, uint64 period, int32[] calldata candleFeatures, int128[] calldata outputs)
        external
        view
        returns (uint256[] memory instances);
}
