// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {RiskState} from "../src/libraries/RiskState.sol";
import {Words} from "../src/libraries/Words.sol";

/// @notice Three structs as words. Specification: Words.tree.
contract WordsTest is Test {
    using Words for *;

    uint256 private constant RULES_BITS = 168;

    /// @dev Widths of the fields in their order, as declared; sums are checked below.
    uint8[15] private paramsBits = [24, 14, 14, 14, 14, 32, 8, 16, 20, 14, 16, 20, 14, 16, 20];
    uint8[11] private guardBits = [16, 24, 16, 24, 24, 16, 16, 16, 32, 40, 32];
    uint8[11] private rulesBits = [16, 16, 24, 16, 16, 16, 8, 16, 16, 16, 1];

    /* ROUND TRIPS */

    function testFuzz_ParamsWordSurvives(uint256 word) public pure {
        assertEq(word.unpackParams().pack(), word);
    }

    function testFuzz_GuardWordSurvives(uint256 word) public pure {
        assertEq(word.unpackGuard().pack(), word);
    }

    function testFuzz_RulesWordSurvives(uint256 word) public pure {
        uint256 flag = uint8(word >> 160) == 0 ? 0 : 1;
        assertEq(word.unpackRules().pack(), word % (1 << 160) + (flag << 160));
    }

    function testFuzz_GuardSurvives(PolicyLib.PackedGuard memory guard) public pure {
        assertEq(abi.encode(guard.pack().unpackGuard()), abi.encode(guard));
    }

    function testFuzz_RulesSurvive(PolicyLib.PackedRules memory rules) public pure {
        assertEq(abi.encode(rules.pack().unpackRules()), abi.encode(rules));
        assertLt(rules.pack(), 1 << RULES_BITS);
    }

    /* WIDTHS */

    function test_FieldsFillTheWordInOrder() public view {
        assertEq(_sum(paramsBits), 256);
        uint256 shift = 0;
        for (uint256 i = 0; i < paramsBits.length; ++i) {
            uint256 largest = (1 << paramsBits[i]) - 1;
            bytes memory unpacked = abi.encode((largest << shift).unpackParams());
            for (uint256 j = 0; j < paramsBits.length; ++j) {
                assertEq(_word(unpacked, j), j == i ? largest : 0);
            }
            shift += paramsBits[i];
        }
    }

    function test_FieldsOfTheGuardFillTheWordInOrder() public view {
        uint256 shift = 0;
        for (uint256 i = 0; i < guardBits.length; ++i) {
            uint256 largest = (1 << guardBits[i]) - 1;
            bytes memory unpacked = abi.encode((largest << shift).unpackGuard());
            for (uint256 j = 0; j < guardBits.length; ++j) {
                assertEq(_word(unpacked, j), j == i ? largest : 0);
            }
            shift += guardBits[i];
        }
        assertEq(shift, 256);
    }

    function test_FieldsOfTheRulesFollowEachOther() public view {
        uint256 shift = 0;
        for (uint256 i = 0; i < rulesBits.length; ++i) {
            uint256 largest = (1 << rulesBits[i]) - 1;
            bytes memory unpacked = abi.encode((largest << shift).unpackRules());
            for (uint256 j = 0; j < rulesBits.length; ++j) {
                assertEq(_word(unpacked, j), j == i ? largest : 0);
            }
            shift += rulesBits[i];
        }
    }

    /// @dev What each field is promised to hold fits.
    function test_LargestValuesFit() public pure {
        RiskState.PackedParams memory largest = RiskState.PackedParams({
            period: 2 ** 24 - 1,
            landedAfterSeconds: 14_399,
            loosenDelaySeconds: 14_400,
            probabilityHighBps: 10_000,
            appliedProbabilityBps: 10_000,
            volatility: type(uint32).max,
            switchState: type(uint8).max,
            previousBorrowCollateralRatioBps: type(uint16).max,
            previousAmmFeePips: 1_000_000,
            previousBorrowCapFactorBps: 10_000,
            nextBorrowCollateralRatioBps: type(uint16).max,
            nextAmmFeePips: 1_000_000,
            nextBorrowCapFactorBps: 10_000,
            restingLiquidationRatioBps: type(uint16).max,
            freshSeconds: uint24(Words.MAX_FRESH_SECONDS)
        });
        assertEq(abi.encode(largest.pack().unpackParams()), abi.encode(largest));
    }

    /// @dev Each field in decimal or hexadecimal digits of its own: what a decoder off chain must find.
    function test_GoldenWord() public pure {
        RiskState.PackedParams memory params = RiskState.PackedParams({
            period: 119_640,
            landedAfterSeconds: 75,
            loosenDelaySeconds: 3600,
            probabilityHighBps: 7311,
            appliedProbabilityBps: 6500,
            volatility: 50_045,
            switchState: 0x82,
            previousBorrowCollateralRatioBps: 150_00,
            previousAmmFeePips: 500,
            previousBorrowCapFactorBps: 100_00,
            nextBorrowCollateralRatioBps: 182_50,
            nextAmmFeePips: 6675,
            nextBorrowCapFactorBps: 61_00,
            restingLiquidationRatioBps: 130_00,
            freshSeconds: 5 hours
        });
        uint256 expected = 119_640 + 75 * 2 ** 24 + 3600 * 2 ** 38 + 7311 * 2 ** 52 + 6500 * 2 ** 66 + 50_045 * 2 ** 80;
        expected += 0x82 * 2 ** 112 + 150_00 * 2 ** 120 + 500 * 2 ** 136 + 100_00 * 2 ** 156 + 182_50 * 2 ** 170;
        expected += 6675 * 2 ** 186 + 61_00 * 2 ** 206 + 130_00 * 2 ** 220 + 5 hours * 2 ** 236;
        assertEq(params.pack(), expected);
    }

    /* ASKING THE GUARD */

    function testFuzz_AskedClearsTheLastTwoFields(uint256 word) public pure {
        RiskState.PackedParams memory params = word.unpackParams();
        (params.restingLiquidationRatioBps, params.freshSeconds) = (0, 0);
        assertEq(word.withoutFastPath(), params.pack());
    }

    /* HELPERS */

    function _sum(uint8[15] memory bits) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < bits.length; ++i) {
            sum += bits[i];
        }
    }

    function _word(bytes memory data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), mul(index, 0x20)))
        }
    }
}
