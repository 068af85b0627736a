// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../../src/libraries/PolicyLib.sol";
import {RiskState} from "../../src/libraries/RiskState.sol";
import {Words} from "../../src/libraries/Words.sol";

/// @notice For every word there is, by halmos: see `make halmos`.
contract WordsSymbolic is Test {
    using Words for *;

    function check_ParamsRoundTrip(uint256 word) public pure {
        assert(word.unpackParams().pack() == word);
    }

    function check_GuardRoundTrip(uint256 word) public pure {
        assert(word.unpackGuard().pack() == word);
    }

    function check_RulesRoundTrip(uint256 word) public pure {
        vm.assume(word >> 160 <= 1);
        assert(word.unpackRules().pack() == word);
    }

    function check_RulesLoseNothing(PolicyLib.PackedRules memory rules) public pure {
        PolicyLib.PackedRules memory again = rules.pack().unpackRules();
        assert(keccak256(abi.encode(again)) == keccak256(abi.encode(rules)));
    }

    function check_AskedKeepsAllOtherFields(uint256 word) public pure {
        RiskState.PackedParams memory params = word.unpackParams();
        (params.restingLiquidationRatioBps, params.freshSeconds) = (0, 0);
        assert(word.withoutFastPath() == params.pack());
    }

    /// @dev Readers' fields straight from the word are those of the struct. Of the volatility, whose product is too much for the
    /// solvers, `Words.t.sol` has examples.
    function check_FreshReadsTheRightFields(uint256 word) public pure {
        vm.assume(uint32(word >> 80) == 0);
        RiskState.PackedParams memory params = word.unpackParams();
        IRiskParameters.Params memory current;
        word.readFastPath(current);
        assert(current.period == params.period);
        assert(current.borrowCollateralRatioBps == params.nextBorrowCollateralRatioBps);
        assert(current.liquidationCollateralRatioBps == params.restingLiquidationRatioBps);
        assert(current.ammFeePips == params.nextAmmFeePips);
        assert(current.borrowCapFactorBps == params.nextBorrowCapFactorBps);
        assert(current.probabilityHighBps == params.probabilityHighBps);
        assert(current.appliedProbabilityBps == params.appliedProbabilityBps);
        assert(current.regime == params.switchState >> 7);
    }

    function check_FreshnessIsThatOfTheFields(uint256 word, uint40 time) public {
        RiskState.PackedParams memory params = word.unpackParams();
        unchecked {
            uint256 start = uint256(params.period) * 14_400;
            vm.assume(time >= start);
            vm.warp(time);
            uint256 age = time - start;
            bool effective = age >= uint256(params.landedAfterSeconds) + params.loosenDelaySeconds;
            assert(word.onFastPath() == (age < params.freshSeconds && effective));
        }
    }
}
