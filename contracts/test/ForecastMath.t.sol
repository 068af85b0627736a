// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {ForecastMath} from "../src/libraries/ForecastMath.sol";
import {ModelLib} from "../src/libraries/ModelLib.sol";

/// @notice Expected values come from 60-digit decimal arithmetic outside Solidity. Specification: ForecastMath.tree.
contract ForecastMathTest is Test {
    uint256 private constant SCALE = 74;
    int256 private constant ONE = int256(1) << SCALE;

    function test_ProbabilityGoldenValues() public pure {
        assertEq(_probability(0), 5000);
        assertEq(_probability(1), 5002); // 5002.4999998
        assertEq(_probability(500), 6225); // 6224.59
        assertEq(_probability(1000), 7311); // 7310.59
        assertEq(_probability(-1000), 2689); // 2689.41
        assertEq(_probability(2500), 9241); // 9241.42
        assertEq(_probability(-2500), 759); // 758.58
        assertEq(_probability(9300), 9999);
        assertEq(_probability(-9300), 1);
        assertEq(_probability(127_900), 10_000);
        assertEq(_probability(-127_900), 0);
    }

    function test_VolatilityGoldenValues() public pure {
        assertEq(_volatility(-7600), 500_451);
        assertEq(_volatility(-6900), 1_007_785);
        assertEq(_volatility(-4000), 18_315_638);
        assertEq(_volatility(0), 1e9);
        assertEq(_volatility(-20_000), 2);
        assertEq(_volatility(-20_723), 1);
        assertEq(_volatility(-20_724), 0);
        assertEq(_volatility(-63_999), 0);
        assertEq(_volatility(1400), 4_055_199_966);
    }

    function test_VolatilitySaturatesAboveTheLargestExponent() public pure {
        assertEq(_volatility(1401), _volatility(1400));
        assertEq(_volatility(63_999), _volatility(1400));
    }

    function testFuzz_ProbabilityIsMonotone(int128 a, int128 b, uint8 scale) public pure {
        (a, b, scale) = _inRange(a, b, scale);
        (int256 low, int256 high) = a < b ? (a, b) : (b, a);
        assertLe(ForecastMath.probabilityHighBps(0, low, scale), ForecastMath.probabilityHighBps(0, high, scale));
        assertGe(ForecastMath.probabilityHighBps(low, 0, scale), ForecastMath.probabilityHighBps(high, 0, scale));
    }

    function testFuzz_ProbabilitiesOfBothRegimesSumToOne(int128 a, int128 b, uint8 scale) public pure {
        (a, b, scale) = _inRange(a, b, scale);
        uint256 sum = uint256(ForecastMath.probabilityHighBps(a, b, scale))
            + uint256(ForecastMath.probabilityHighBps(b, a, scale));
        assertApproxEqAbs(sum, 10_000, 1);
    }

    function testFuzz_RegimeAgreesWithProbability(int128 a, int128 b, uint8 scale) public pure {
        (a, b, scale) = _inRange(a, b, scale);
        uint256 probability = ForecastMath.probabilityHighBps(a, b, scale);
        if (b > a) assertGe(probability, 5000);
        else assertLe(probability, 5000);
    }

    function testFuzz_VolatilityIsMonotone(int128 a, int128 b, uint8 scale) public pure {
        (a, b, scale) = _inRange(a, b, scale);
        (int256 low, int256 high) = a < b ? (a, b) : (b, a);
        assertLe(ForecastMath.volatilityE9(low, scale), ForecastMath.volatilityE9(high, scale));
    }

    /// @dev The same real number at another scale gives the same result.
    function testFuzz_ScaleIsOnlyAUnit(int32 thousandths, uint8 scale) public pure {
        thousandths = int32(bound(thousandths, -63, 63));
        scale = uint8(bound(scale, 0, ModelLib.MAX_OUTPUT_SCALE));
        int256 scaled = int256(thousandths) << scale;
        assertEq(ForecastMath.volatilityE9(scaled, scale), ForecastMath.volatilityE9(thousandths, 0));
        assertEq(ForecastMath.probabilityHighBps(0, scaled, scale), ForecastMath.probabilityHighBps(0, thousandths, 0));
    }

    /// @dev Largest outputs at the largest scale, in every sign: nothing overflows.
    function test_ExtremeOutputs() public pure {
        for (uint256 scale = 0; scale <= ModelLib.MAX_OUTPUT_SCALE; ++scale) {
            int256 limit = int256(1 << (scale + ModelLib.OUTPUT_LIMIT_LOG2)) - 1;
            assertEq(ForecastMath.probabilityHighBps(-limit, limit, scale), 10_000);
            assertEq(ForecastMath.probabilityHighBps(limit, -limit, scale), 0);
            assertEq(ForecastMath.probabilityHighBps(limit, limit, scale), 5000);
            assertEq(ForecastMath.volatilityE9(-limit, scale), 0);
            assertEq(ForecastMath.volatilityE9(limit, scale), 4_055_199_966);
        }
    }

    function _inRange(int128 a, int128 b, uint8 scale) private pure returns (int128, int128, uint8) {
        scale = uint8(bound(scale, 0, ModelLib.MAX_OUTPUT_SCALE));
        int256 limit = int256(1 << (scale + ModelLib.OUTPUT_LIMIT_LOG2)) - 1;
        return (int128(bound(a, -limit, limit)), int128(bound(b, -limit, limit)), scale);
    }

    function _probability(int256 differenceThousandths) private pure returns (uint256) {
        int256 half = differenceThousandths * ONE / 2000;
        return ForecastMath.probabilityHighBps(-half, half, SCALE);
    }

    function _volatility(int256 thousandths) private pure returns (uint256) {
        return ForecastMath.volatilityE9(thousandths * ONE / 1000, SCALE);
    }
}
