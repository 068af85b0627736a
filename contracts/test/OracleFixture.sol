// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";

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

    RiskOracle internal oracle;
    MockVerifier internal verifier;
    address internal attestor;
    uint256 internal attestorKey;

    function setUp() public virtual {
        vm.warp(MONDAY * PERIOD_SECONDS + 75);
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        oracle = new RiskOracle(OWNER, GUARDIAN, _timelockSeconds(), _list(attestor), 1, _sequencerFeed());
        verifier = new MockVerifier();
        vm.startPrank(OWNER);
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds(), _noPriceCheck());
        oracle.registerMarket(ETH, MARKET_OWNER, _bounds(), _noPriceCheck());
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

    function _noPriceCheck() internal pure returns (IRegimeRiskOracle.PriceCheck memory none) {}

    function _bounds() internal pure virtual returns (IRegimeRiskOracle.Bounds memory) {
        return IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: 120_00,
            maxBorrowCollateralRatioBps: 300_00,
            minAmmFeePips: 100,
            maxAmmFeePips: 20_000,
            maxLiquidationRiseBpsPerDay: 5_00
        });
    }

    function _policy() internal pure virtual returns (IRegimeRiskOracle.Policy memory) {
        return IRegimeRiskOracle.Policy({
            calm: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: 150_00,
                liquidationCollateralRatioBps: 130_00,
                ammFeePips: 500,
                borrowCapFactorBps: 100_00
            }),
            turbulent: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: 200_00,
                liquidationCollateralRatioBps: 130_00,
                ammFeePips: 10_000,
                borrowCapFactorBps: 40_00
            }),
            marginBps: 0,
            dwellPeriods: 1,
            maxRiseBpsPerPeriod: 100_00,
            maxFallBpsPerPeriod: 100_00,
            loosenDelaySeconds: 0,
            liquidationRiseBpsPerDay: 0,
            graceAfterSeconds: 5 hours,
            staleAfterSeconds: 8 hours
        });
    }

    /// @dev Entry `column` of row `slot` is `100 * slot + column`, with the sign of the column's parity.
    function _calendarEntry(uint256 slot, uint256 column) internal pure returns (int32) {
        int32 magnitude = int32(uint32(100 * slot + column));
        return column % 2 == 0 ? magnitude : -magnitude;
    }

    function _spec(bytes32[] memory markets) internal view returns (IRegimeRiskOracle.ModelSpec memory spec) {
        spec.verifier = address(verifier);
        spec.verifierCodeHash = address(verifier).codehash;
        spec.manifestSha256 = keccak256("manifest");
        spec.verifyingKeySha256 = keccak256("verifying key");
        spec.onnxSha256 = keccak256("onnx");
        spec.settingsSha256 = keccak256("settings");
        spec.featureSpecSha256 = keccak256("features");
        spec.outputDecoding = 1;
        spec.candleFeatureCount = CANDLE_COUNT;
        spec.calendarFeatureCount = CALENDAR_COUNT;
        spec.inputScale = 13;
        spec.outputScale = OUTPUT_SCALE;
        spec.featureBound = FEATURE_BOUND;
        spec.proofLength = PROOF_LENGTH;
        spec.markets = markets;
        spec.calendarTable = new int32[](42 * uint256(CALENDAR_COUNT));
        for (uint256 i = 0; i < spec.calendarTable.length; ++i) {
            spec.calendarTable[i] = _calendarEntry(i / CALENDAR_COUNT, i % CALENDAR_COUNT);
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
    function _register(IRegimeRiskOracle.ModelSpec memory spec) internal returns (bytes32 modelId) {
        vm.prank(OWNER);
        modelId = oracle.proposeModel(spec, 0);
        _activate(modelId);
    }

    /// @dev Activates a ripe model: for the time of the test, the mock verifier accepts the test's proof alone.
    function _activate(bytes32 modelId) internal {
        IRegimeRiskOracle.SmokeProof memory smoke = _smoke(modelId);
        verifier.acceptOnly(smoke.proof, oracle.instancesOf(modelId, smoke.period, smoke.candleFeatures, smoke.outputs));
        oracle.activateModel(modelId, smoke);
        verifier.acceptAny();
    }

    function _specOf(bytes32 modelId) internal view returns (IRegimeRiskOracle.ModelSpec memory) {
        return abi.decode(oracle.modelSpec(modelId), (IRegimeRiskOracle.ModelSpec));
    }

    function _smoke(bytes32 modelId) internal view returns (IRegimeRiskOracle.SmokeProof memory) {
        uint256 count = _specOf(modelId).markets.length;
        return IRegimeRiskOracle.SmokeProof({
            period: MONDAY,
            candleFeatures: _candles(count * CANDLE_COUNT),
            outputs: new int128[](3 * count),
            proof: _proof()
        });
    }

    /// @dev 1, -2, 3, -4, …
    function _candles(uint256 count) internal pure returns (int32[] memory features) {
        features = new int32[](count);
        for (uint256 i = 0; i < count; ++i) {
            int32 magnitude = int32(uint32(i + 1));
            features[i] = i % 2 == 0 ? magnitude : -magnitude;
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
    function _update(bytes32 modelId, int128[] memory outputs) internal view returns (IRegimeRiskOracle.Update memory) {
        return _update(modelId, outputs, new uint64[](0));
    }

    function _update(bytes32 modelId, int128[] memory outputs, uint64[] memory closesE8)
        internal
        view
        returns (IRegimeRiskOracle.Update memory update)
    {
        update = IRegimeRiskOracle.Update({
            modelId: modelId,
            period: uint64(block.timestamp / PERIOD_SECONDS),
            omittedMarkets: 0,
            candleFeatures: _candles(outputs.length / 3 * CANDLE_COUNT),
            outputs: outputs,
            closesE8: closesE8,
            proof: _proof(),
            attestations: ""
        });
        update.attestations = _attest(update);
    }

    /// @dev The attestation of the one attestor.
    function _attest(IRegimeRiskOracle.Update memory update) internal view returns (bytes memory) {
        return _attestedBy(attestor, attestorKey, _digest(update));
    }

    function _digest(IRegimeRiskOracle.Update memory update) internal view returns (bytes32) {
        return oracle.attestationDigest(
            update.modelId,
            update.period,
            update.omittedMarkets,
            keccak256(
                abi.encodePacked(
                    oracle.instancesOf(update.modelId, update.period, update.candleFeatures, update.outputs)
                )
            ),
            keccak256(abi.encodePacked(update.closesE8))
        );
    }

    function _attestedBy(address signer, uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(signer, uint16(65), r, s, v);
    }

    /// @dev Lands a valid update of the one-market model for the current period.
    function _submit(bytes32 modelId, int128[] memory outputs) internal {
        IRegimeRiskOracle.Update memory update = _update(modelId, outputs);
        vm.prank(RELAYER);
        oracle.submit(update);
    }
}
