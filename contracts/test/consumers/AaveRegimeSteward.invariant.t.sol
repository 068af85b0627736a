// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {AaveStewardHandler} from "./aave/AaveStewardHandler.sol";

/// @notice No sequence of updates, pokes, pauses and time makes a position liquidatable in Aave that is healthy at the
/// announced floor: the handler looks after each step. Here is what holds between steps.
/// forge-config: default.invariant.runs = 16
/// forge-config: default.invariant.depth = 100
/// forge-config: long.invariant.runs = 128
/// forge-config: long.invariant.depth = 500
/// forge-config: default.invariant.fail-on-revert = true
contract AaveRegimeStewardInvariantTest is Test {
    AaveStewardHandler private _handler;

    function setUp() public {
        _handler = new AaveStewardHandler();
        _handler.setUp();
        targetContract(address(_handler));
        bytes4[] memory notActions = new bytes4[](1);
        notActions[0] = AaveStewardHandler.setUp.selector;
        excludeSelector(FuzzSelector(address(_handler), notActions));
    }

    function invariant_NothingMakesAHealthyPositionLiquidatable() public view {
        (uint256 ltv, uint256 threshold, uint256 floorBps) = _handler.reserve();
        assertGe(ltv, 40_00);
        assertLe(ltv, threshold);
        assertGe(threshold, 75_00);
        assertLe(threshold, 82_00);
        if (floorBps != 0) {
            assertLe(ltv, floorBps);
            assertLt(floorBps, threshold);
            assertGe(floorBps + 50, threshold);
        }
        uint256 elapsed = _handler.elapsed();
        assertLe(_handler.fallen(), 5_00 + 5_00 * elapsed / 4 hours);
        assertLe(_handler.risen(), 2_00 + 2_00 * elapsed / 4 hours);
        assertLe(_handler.thresholdFalls() + _handler.thresholdRises(), 1 + elapsed / 3 days);
    }
}
