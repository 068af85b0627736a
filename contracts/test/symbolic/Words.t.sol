// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {RiskState} from "../../src/libraries/RiskState.sol";
import {Words} from "../../src/libraries/Words.sol";

/// @notice Words and structs are each other's image, by halmos: see `make halmos`.
contract WordsSymbolic is Test {
    function check_WordsSurviveTheStruct(uint256 first, uint256 second) public pure {
        (first, second) = (first & (2 ** 255 - 1), second & (2 ** 224 - 1));
        (uint256 firstAgain, uint256 secondAgain) = Words.pack(Words.unpack(first, second));
        assert(firstAgain == first && secondAgain == second);
    }

    function check_ReadersSeeWhatIsStored(uint256 first, uint256 second, uint40 time) public {
        RiskState.State memory state = Words.unpack(first, second);
        vm.assume(state.periodStart <= time && state.rampSince <= time);
        vm.warp(time);
        assert(Words.periodStart(first) == state.periodStart);
        if (state.periodStart == 0) assert(uint8(Words.status(first, second)) == 0);
        else if (time < state.pausedUntil) assert(uint8(Words.status(first, second)) == 4);
    }
}
