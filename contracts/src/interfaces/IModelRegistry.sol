// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

/// @title IModelRegistry
/// @notice Models and attestors of a chain, shared by all who act on forecasts. It answers one question: is this update of
/// this model, for this period, verified and attested?
/// @dev What a yes says: the registered model maps these features to these outputs, and k attestors say that the features
/// are what public data give. The proof alone says nothing about where features come from.
interface IModelRegistry {
    /* TYPES */

    /// @notice Everything that defines a model on chain. `modelId = keccak256(abi.encode(spec))`.
    struct ModelSpec {
        /// What the outputs mean and for what they are used: keccak256 of a name that their consumer knows.
        bytes32 purpose;
        /// Contract that verifies this model's proofs.
        address verifier;
        /// `extcodehash` of the verifier; compared when proposed and when activated. Code does not change after that: chains
        /// with the Cancun rules let no contract but a new-born one destroy itself.
        bytes32 verifierCodeHash;
        /// Most gas that the verifier gets for one proof.
        uint32 verifierGas;
        /// SHA-256 of the model bundle's manifest.
        bytes32 manifestSha256;
        /// SHA-256 of the verifying key; zero for a verifier without one.
        bytes32 verifyingKeySha256;
        /// SHA-256 of the ONNX file.
        bytes32 onnxSha256;
        /// SHA-256 of the circuit's settings; zero for a verifier without a circuit.
        bytes32 settingsSha256;
        /// SHA-256 of the feature specification: ordered names with parameters, means, deviations, clip.
        bytes32 featureSpecSha256;
        /// Length of the model's periods in seconds, a divisor of a week. Period n begins at `n * periodSeconds`.
        uint32 periodSeconds;
        /// Features per market that come from data, hence from calldata. At least 1, at most 256.
        uint16 featureCount;
        /// Features per market that follow from the period alone; the contract fills them in. At most 16.
        uint16 calendarFeatureCount;
        /// Outputs per market. At least 1, at most 16.
        uint8 outputCount;
        /// Base-2 logarithm of the features' fixed-point unit.
        uint8 inputScale;
        /// Base-2 logarithm of the outputs' fixed-point unit, the same for all. At most 120.
        uint8 outputScale;
        /// Largest absolute value of a quantised feature: the clip, shifted left by `inputScale`.
        uint32 featureBound;
        /// Exact length of a proof in bytes, a multiple of 32; 0 for a verifier that needs none.
        uint32 proofLength;
        /// Markets in the order in which the proof lists them. 1 to 32, each listed once.
        bytes32[] markets;
        /// A row of `calendarFeatureCount` quantised features for each period of a week, 4 bytes each, big-endian two's
        /// complement; the row of a period is `period % (604_800 / periodSeconds)`, so that the first is Thursday 00:00 UTC.
        bytes calendarTable;
    }

    /// @notice What a consumer must know of a model to act on its updates.
    struct Facts {
        bytes32 purpose;
        uint32 periodSeconds;
        uint8 outputCount;
        uint8 outputScale;
        /// Unix time in seconds from which the model's updates are refused; 0 before its activation.
        uint40 activeUntil;
        bytes32[] markets;
    }

    /// @notice One forecast for one period, with everything that makes it acceptable.
    struct Update {
        /// The model: active, or in the overlap after its successor's activation.
        bytes32 modelId;
        /// The current period of the model's grid.
        uint64 period;
        /// Markets whose data failed, of which the update says nothing: bit i is the model's i-th market. Attested. Zero if
        /// it serves all.
        uint256 omittedMarkets;
        /// Quantised features that come from data, market after market, 4 bytes each, big-endian two's complement. Those of an
        /// omitted market are zero, which is each feature at its mean over the training data.
        bytes features;
        /// Per market its outputs, 16 bytes each, big-endian two's complement, fixed point with the model's output scale, each
        /// below 64 in absolute value. Those of an omitted market are what the network says to its zeros; nothing follows from
        /// them.
        bytes outputs;
        /// The proof.
        bytes proof;
        /// As many as the threshold says, signers strictly ascending; each is the signer (20 bytes), the signature's
        /// length (2 bytes) and the signature (65 bytes, or what an ERC-1271 contract wants).
        bytes attestations;
    }

    /* EVENTS */

    /// @notice A model was proposed; it can be activated from `readyAt` on.
    event ModelProposed(bytes32 indexed modelId, ModelSpec spec, uint256 overlapSeconds, uint256 readyAt);

    /// @notice The owner or the guardian withdrew a proposed model.
    event ModelCancelled(bytes32 indexed modelId, address indexed by);

    /// @notice A model passed its smoke test and serves its markets from now on.
    event ModelActivated(bytes32 indexed modelId);

    /// @notice The time from which a model's updates are refused was set.
    event ModelEnds(bytes32 indexed modelId, uint256 activeUntil);

    /// @notice The attestors were replaced.
    /// @param digest keccak256 of the ABI encoding of chain id, contract, version, attestors and threshold.
    event AttestorsSet(uint32 indexed version, address[] attestors, uint8 threshold, bytes32 digest);

    /* ERRORS: set-up */

    /// @notice Thrown when a model that is proposed, active or in its overlap is proposed again.
    error ModelAlreadyRegistered(bytes32 modelId);

    /// @notice Thrown when a field of a model's specification is unusable.
    error InvalidModelSpec(string field);

    /// @notice Thrown when a verifier's code is not the code that was pinned.
    error VerifierCodeChanged(address verifier, bytes32 expected, bytes32 actual);

    /// @notice Thrown when a model that is not proposed is to be cancelled or activated.
    error ModelNotProposed(bytes32 modelId);

    /// @notice Thrown when a model is activated before its timelock has passed, or long after.
    error ModelNotReady(bytes32 modelId, uint256 readyAt);

    /// @notice Thrown when the verifier fails the activation test: `forged` says which proof it judged wrongly.
    error SmokeTestFailed(bool forged);

    /// @notice Thrown when the attestors are not strictly ascending, or the threshold is not 1 to their number.
    error InvalidAttestors();

    /* ERRORS: updates */

    /// @notice Thrown when no such model was proposed.
    error UnknownModel(bytes32 modelId);

    /// @notice Thrown when a model is not active yet, or no longer accepted.
    error ModelNotActive(bytes32 modelId);

    /// @notice Thrown when an update is for a period that is over.
    error StalePeriod(uint256 period, uint256 current);

    /// @notice Thrown when an update is for a period that has not begun.
    error FuturePeriod(uint256 period, uint256 current);

    /// @notice Thrown when the bytes of the features are not as many as the model's features have.
    error FeaturesLengthMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when the bytes of the outputs are not as many as the model's outputs have.
    error OutputsLengthMismatch(uint256 expected, uint256 actual);

    /// @notice Thrown when an update omits a market that the model does not have, or every market that it has.
    error InvalidOmittedMarkets(uint256 omittedMarkets, uint256 marketCount);

    /// @notice Thrown when a feature of an omitted market is not zero; `index` is the market's in the model.
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

    /* SET-UP */

    /// @notice Proposes a model; it may be activated once the timelock has passed. Only the owner.
    /// @param overlapSeconds Time for which the models that it replaces stay accepted. At most a week.
    /// @return modelId `keccak256(abi.encode(spec))`.
    function proposeModel(ModelSpec calldata spec, uint256 overlapSeconds) external returns (bytes32 modelId);

    /// @notice Withdraws a proposed model. Only the owner or the guardian.
    function cancelModel(bytes32 modelId) external;

    /// @notice Makes a ripe model the active one of its markets. Anyone may call.
    /// @dev The verifier must accept the proof, and refuse it with one public input changed and with one byte changed.
    /// A model that loses one of its markets is accepted for the overlap, then for none of its markets.
    /// @param smoke A proven forecast of the model, for any period and without attestations.
    function activateModel(Update calldata smoke) external;

    /// @notice Ends a model at once. Only the owner or the guardian.
    function deprecateModel(bytes32 modelId) external;

    /// @notice Replaces the attestors. Only the owner, timelocked.
    /// @param attestors Strictly ascending.
    function setAttestors(address[] calldata attestors, uint8 threshold) external;

    /* WHAT CONSUMERS ASK */

    /// @notice What a consumer must know of a model. Reverts with `UnknownModel`.
    function facts(bytes32 modelId) external view returns (Facts memory);

    /// @notice Returns if an update is of an accepted model for its current period, proven and attested; else reverts.
    /// @dev Nothing is remembered: which updates were used already is for each consumer to know. The contract builds the
    /// proof's public inputs itself, from the update and from what it knows: see `instancesOf`.
    /// @return signers Who attested.
    /// @return attestorSetVersion The set that they belong to.
    function verify(Update calldata update) external view returns (address[] memory signers, uint32 attestorSetVersion);

    /// @notice Returns if the attestors signed a statement of the consumer's: a number that acts beside a forecast and that no
    /// feature tells, say. Reverts with the errors of `verify` on attestations.
    /// @dev Nothing is remembered. A consumer must hash its statements under a name of their own, as `HedgeVault` does, with
    /// all that they are for: else what was signed for one purpose serves another.
    /// @param attestations As of an update, over `statementDigest`.
    /// @return signers Who attested.
    /// @return attestorSetVersion The set that they belong to.
    function checkStatement(bytes32 statement, bytes calldata attestations)
        external
        view
        returns (address[] memory signers, uint32 attestorSetVersion);

    /* READS */

    /// @notice The model that serves a market for a purpose; zero if none does.
    function activeModel(bytes32 purpose, bytes32 market) external view returns (bytes32 modelId);

    /// @notice When a proposed model can be activated, in Unix seconds; 0 if it is not proposed.
    function modelReadyAt(bytes32 modelId) external view returns (uint256);

    /// @notice A model's specification. Reverts with `UnknownModel`.
    function modelSpec(bytes32 modelId) external view returns (ModelSpec memory);

    /// @notice The version of the attestor set, and how many attestations an update needs.
    function attestorSet() external view returns (uint32 version, uint8 threshold);

    /// @notice Whether an account is in the present attestor set.
    function isAttestor(address account) external view returns (bool);

    /// @notice What attestors sign: EIP-712 over chain, contract, model, period, the omitted markets, the public inputs and
    /// the version of the attestor set.
    /// @param omittedMarkets Bit i is the model's i-th market.
    /// @param instancesHash keccak256 of the public inputs (see `instancesOf`), 32 bytes each.
    function attestationDigest(bytes32 modelId, uint64 period, uint256 omittedMarkets, bytes32 instancesHash)
        external
        view
        returns (bytes32);

    /// @notice What attestors sign of a statement: EIP-712 over chain, contract, statement and the version of the attestor set.
    function statementDigest(bytes32 statement) external view returns (bytes32);

    /// @notice The public inputs that `verify` would verify, for watchers and provers.
    /// @dev For each market its features and then the period's calendar features; after all features, for each market its
    /// outputs. Negative numbers stand as `r + value`, r being the order of the BN254 scalar field. Reverts with the errors
    /// of `verify` on wrong counts and ranges. Any period is accepted.
    function instancesOf(bytes32 modelId, uint64 period, bytes calldata features, bytes calldata outputs)
        external
        view
        returns (uint256[] memory instances);
}
