// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {RealizedVolatility} from "../src/libraries/RealizedVolatility.sol";

contract RealizedVolatilityTest is Test {
    /// @dev Fees at, between and beyond knots, by hand.
    function test_TheFeeIsLinearBetweenKnotsAndFlatBeyond() public pure {
        RealizedVolatility.Knot[] memory knots = new RealizedVolatility.Knot[](3);
        knots[0] = RealizedVolatility.Knot(600_000, 1300);
        knots[1] = RealizedVolatility.Knot(1_000_000, 4500);
        knots[2] = RealizedVolatility.Knot(1_600_000, 15_000);
        (bool ok, uint256 packed) = RealizedVolatility.pack(knots);
        assertTrue(ok);
        uint32[8] memory volatilitiesE9 =
            [uint32(0), 600_000, 700_000, 999_999, 1_000_000, 1_150_000, 1_600_000, 9_000_000];
        uint24[8] memory feesPips = [uint24(1300), 1300, 2100, 4499, 4500, 7125, 15_000, 15_000];
        for (uint256 i = 0; i < 8; ++i) {
            uint64 varianceE18 = RealizedVolatility.square(volatilitiesE9[i]);
            assertEq(RealizedVolatility.fee(packed, varianceE18), feesPips[i]);
        }
    }
}
