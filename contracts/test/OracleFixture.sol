// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
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
    address internal immutable SUBMITTER = makeAddr("submitter");
    address internal immutable STRANGER = makeAddr("stranger");

    RiskOracle internal oracle;
    MockVerifier internal verifier;

    function setUp() public virtual {
        vm.warp(MONDAY * PERIOD_SECONDS + 75);
        oracle = new RiskOracle(OWNER);
        verifier = new MockVerifier();
        vm.startPrank(OWNER);
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds());
        oracle.registerMarket(ETH, MARKET_OWNER, _bounds());
        oracle.setSubmitter(SUBMITTER, true);
        vm.stopPrank();
        vm.startPrank(MARKET_OWNER);
        oracle.setPolicy(BTC, _policy());
        oracle.setPolicy(ETH, _policy());
        vm.stopPrank();
    }

    function _bounds() internal pure returns (IRegimeRiskOracle.Bounds memory) {
        return IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: 120_00,
            maxBorrowCollateralRatioBps: 300_00,
            minAmmFeePips: 100,
            maxAmmFeePips: 20_000
        });
    }

    function _policy() internal pure returns (IRegimeRiskOracle.Policy memory) {
        return IRegimeRiskOracle.Policy({
            calm: IRegimeRiskOracle.RiskVector({
                borrowCollateralRatioBps: 150_00, ammFeePips: 500, borrowCapFactorBps: 100_00
            }),
            turbulent: IRegimeRiskOracle.RiskVector({
                borrowCollateralRatioBps: 200_00, ammFeePips: 10_000, borrowCapFactorBps: 40_00
            }),
            liquidationCollateralRatioBps: 130_00,
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

    function _register(IRegimeRiskOracle.ModelSpec memory spec) internal returns (bytes32) {
        vm.prank(OWNER);
        return oracle.registerModel(spec);
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

    /// @dev Lands a valid update of the one-market model for the current period.
    function _submit(bytes32 modelId, int128[] memory outputs) internal {
        uint64 period = uint64(block.timestamp / PERIOD_SECONDS);
        vm.prank(SUBMITTER);
        oracle.submit(modelId, period, _candles(CANDLE_COUNT), outputs, _proof());
    }
}
