// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {Policies} from "./Policies.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";
import {packedOutputs, setFeature} from "./Packed.sol";

/// @notice Named actors, two markets and a small model behind a mock verifier.
abstract contract OracleFixture is Test {
    uint256 internal constant PERIOD_SECONDS = 14_400;

    /// @dev Monday 2024-08-05 00:00 UTC: slot 24 of the week, which begins on Thursday.
    uint64 internal constant MONDAY = 119_640;

    uint16 internal constant CANDLE_COUNT = 3;
    uint16 internal constant CALENDAR_COUNT = 2;
    uint8 internal constant OUTPUT_SCALE = 74;
    int128 internal constant ONE = int128(1) << OUTPUT_SCALE;
    uint32 internal constant FEATURE_BOUND = 4 << 13;
    uint32 internal constant PROOF_LENGTH = 64;

    bytes32 internal constant BTC = keccak256("BTC-USD");
    bytes32 internal constant ETH = keccak256("ETH-USD");

    address internal immutable OWNER = makeAddr("owner");
    address internal immutable MARKET_OWNER = makeAddr("market owner");
    address internal immutable GUARDIAN = makeAddr("guardian");
    address internal immutable RELAYER = makeAddr("relayer");
    address internal immutable STRANGER = makeAddr("stranger");

    ModelRegistry internal registry;
    RiskOracle internal oracle;
    MockVerifier internal verifier;
    address internal attestor;
    uint256 internal attestorKey;

    function setUp() public virtual {
        vm.warp(MONDAY * PERIOD_SECONDS + 75);
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        registry = new ModelRegistry(OWNER, GUARDIAN, _timelockSeconds(), _list(attestor), 1);
        oracle = new RiskOracle(OWNER, GUARDIAN, _timelockSeconds(), registry, _sequencerFeed());
        verifier = new MockVerifier();
        vm.startPrank(OWNER);
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds());
        oracle.registerMarket(ETH, MARKET_OWNER, _bounds());
        vm.stopPrank();
        vm.startPrank(MARKET_OWNER);
        oracle.setPolicy(BTC, _policy());
        oracle.setPolicy(ETH, _policy());
        vm.stopPrank();
    }

    /// @dev None, unless a test is about it: forge's chain is a development chain.
    function _timelockSeconds() internal pure virtual returns (uint256) {
        return 0;
    }

    function _sequencerFeed() internal virtual returns (address) {
        return address(0);
    }

    function _list(address one) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = one;
    }

    function _bounds() internal pure virtual returns (IRegimeRiskOracle.Bounds memory) {
        return Policies.bounds();
    }

    /// @dev Calm up to 0.05 % a minute, turbulent from 0.25 % on; no rule holds anything back.
    function _policy() internal pure virtual returns (IRegimeRiskOracle.Policy memory) {
        return Policies.plain();
    }

    /// @dev Entry `column` of row `slot` is `100 * slot + column`, with the sign of the column's parity.
    function _calendarEntry(uint256 slot, uint256 column) internal pure returns (int32) {
        int32 magnitude = int32(uint32(100 * slot + column));
        return column % 2 == 0 ? magnitude : -magnitude;
    }

    function _spec(bytes32[] memory markets) internal view returns (IModelRegistry.ModelSpec memory spec) {
        spec.purpose = keccak256("volatility-regime/1");
        spec.verifier = address(verifier);
        spec.verifierCodeHash = address(verifier).codehash;
        spec.verifierGas = 5_000_000;
        spec.manifestSha256 = keccak256("manifest");
        spec.verifyingKeySha256 = keccak256("verifying key");
        spec.onnxSha256 = keccak256("onnx");
        spec.settingsSha256 = keccak256("settings");
        spec.featureSpecSha256 = keccak256("features");
        spec.periodSeconds = uint32(PERIOD_SECONDS);
        spec.outputCount = 3;
        spec.featureCount = CANDLE_COUNT;
        spec.calendarFeatureCount = CALENDAR_COUNT;
        spec.inputScale = 13;
        spec.outputScale = OUTPUT_SCALE;
        spec.featureBound = FEATURE_BOUND;
        spec.proofLength = PROOF_LENGTH;
        spec.markets = markets;
        spec.calendarTable = _calendarTable(42);
    }

    function _calendarTable(uint256 rows) internal pure returns (bytes memory table) {
        table = new bytes(rows * CALENDAR_COUNT * 4);
        for (uint256 i = 0; i < rows * CALENDAR_COUNT; ++i) {
            bytes4 entry = bytes4(uint32(_calendarEntry(i / CALENDAR_COUNT, i % CALENDAR_COUNT)));
            for (uint256 j = 0; j < 4; ++j) {
                table[4 * i + j] = entry[j];
            }
        }
    }

    function _btc() internal pure returns (bytes32[] memory markets) {
        markets = new bytes32[](1);
        markets[0] = BTC;
    }

    function _btcAndEth() internal pure returns (bytes32[] memory markets) {
        markets = new bytes32[](2);
        (markets[0], markets[1]) = (BTC, ETH);
    }

    /// @dev Proposes and activates a model behind the mock verifier.
    function _register(IModelRegistry.ModelSpec memory spec) internal returns (bytes32 modelId) {
        vm.prank(OWNER);
        modelId = registry.proposeModel(spec, 0);
        _activate(modelId);
    }

    /// @dev Activates a ripe model: for the time of the test, the mock verifier accepts the test's proof alone.
    function _activate(bytes32 modelId) internal {
        IModelRegistry.Update memory smoke = _smoke(modelId);
        verifier.acceptOnly(smoke.proof, registry.instancesOf(modelId, smoke.period, smoke.features, smoke.outputs));
        registry.activateModel(smoke);
        verifier.acceptAny();
    }

    function _smoke(bytes32 modelId) internal view returns (IModelRegistry.Update memory) {
        IModelRegistry.ModelSpec memory spec = registry.modelSpec(modelId);
        return IModelRegistry.Update({
            modelId: modelId,
            period: MONDAY,
            omittedMarkets: 0,
            features: _candles(spec.markets.length * spec.featureCount),
            outputs: new bytes(16 * spec.outputCount * spec.markets.length),
            proof: _proof(),
            attestations: ""
        });
    }

    /// @dev 1, -2, 3, -4, …
    function _candles(uint256 count) internal pure returns (bytes memory features) {
        features = new bytes(4 * count);
        for (uint256 i = 0; i < count; ++i) {
            int32 magnitude = int32(uint32(i + 1));
            setFeature(features, i, i % 2 == 0 ? magnitude : -magnitude);
        }
    }

    /// @dev One market's outputs, given in thousandths.
    function _outputs(int128 logitLow, int128 logitHigh, int128 logVolatility)
        internal
        pure
        returns (int128[] memory outputs)
    {
        outputs = new int128[](3);
        outputs[0] = logitLow * ONE / 1000;
        outputs[1] = logitHigh * ONE / 1000;
        outputs[2] = logVolatility * ONE / 1000;
    }

    function _proof() internal pure returns (bytes memory) {
        return abi.encode(bytes32("a proof"), bytes32("of 64 bytes"));
    }

    /// @dev A valid update of the one-market model for the current period, signed by the one attestor.
    function _update(bytes32 modelId, int128[] memory outputs)
        internal
        view
        returns (IModelRegistry.Update memory update)
    {
        IModelRegistry.Facts memory model = registry.facts(modelId);
        update = IModelRegistry.Update({
            modelId: modelId,
            period: uint64(block.timestamp / model.periodSeconds),
            omittedMarkets: 0,
            features: _candles(outputs.length / 3 * CANDLE_COUNT),
            outputs: packedOutputs(outputs),
            proof: _proof(),
            attestations: ""
        });
        update.attestations = _attest(update);
    }

    /// @dev The attestation of the one attestor.
    function _attest(IModelRegistry.Update memory update) internal view returns (bytes memory) {
        return _attestedBy(attestor, attestorKey, _digest(update));
    }

    function _digest(IModelRegistry.Update memory update) internal view returns (bytes32) {
        return registry.attestationDigest(
            update.modelId,
            update.period,
            update.omittedMarkets,
            keccak256(
                abi.encodePacked(registry.instancesOf(update.modelId, update.period, update.features, update.outputs))
            )
        );
    }

    function _attestedBy(address signer, uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(signer, uint16(65), r, s, v);
    }

    /// @dev Lands a valid update of the one-market model for the current period.
    function _submit(bytes32 modelId, int128[] memory outputs) internal {
        IModelRegistry.Update memory update = _update(modelId, outputs);
        vm.prank(RELAYER);
        oracle.submit(update);
    }
}
