// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAaveRegimeSteward} from "../../src/interfaces/IAaveRegimeSteward.sol";
import {AaveStewardBase} from "./aave/AaveStewardBase.sol";

/// @notice The LTV: at once, within allowances.
contract AaveRegimeStewardLtvTest is AaveStewardBase {
    function test_Ltv_IsSetInTheBlockOfTheUpdate() public {
        oracle.update(170_00, LIQUIDATION_RATIO);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.ReserveConfigured(58_82, THRESHOLD, 58_82, THRESHOLD);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(58_82, THRESHOLD);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
    }

    function test_Ltv_FallsByItsStepAndAsItRecharges() public {
        updateAndWait(250_00, LIQUIDATION_RATIO);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.ReserveConfigured(57_50, THRESHOLD, 40_00, THRESHOLD);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);

        skip(RECHARGE / 5);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(56_50, THRESHOLD);
        skip(10 * RECHARGE); // no more than one step is ever saved up
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(51_50, THRESHOLD);
    }

    function test_Ltv_RisesByItsStepAndAsItRecharges() public {
        updateAndWait(130_00, LIQUIDATION_RATIO);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(64_50, THRESHOLD);
        skip(RECHARGE / 2);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(65_50, THRESHOLD);
    }

    /// @dev Falling and rising have allowances of their own: loosening first does not hold up tightening.
    function test_Ltv_FallsRightAfterARise() public {
        updateAndWait(130_00, LIQUIDATION_RATIO);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        updateAndWait(200_00, LIQUIDATION_RATIO);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(59_50, THRESHOLD);
    }

    function test_Ltv_StaysWithinItsBounds() public {
        updateAndWait(500_00, LIQUIDATION_RATIO);
        for (uint256 i; i < 10; ++i) {
            steward.poke();
            skip(RECHARGE);
        }
        assertCollateral(40_00, THRESHOLD);
        updateAndWait(LIQUIDATION_RATIO, LIQUIDATION_RATIO);
        for (uint256 i; i < 30; ++i) {
            steward.poke();
            skip(RECHARGE);
        }
        assertCollateral(78_00, THRESHOLD);
    }

    function test_Ltv_StaysAtOrBelowTheThreshold() public {
        configurator.configureReserveAsCollateral(address(weth), 76_50, 77_00, BONUS);
        updateAndWait(110_00, 110_00);
        oracle.setWord(3, 125_00);
        oracle.setWord(2, 125_00);
        steward.poke();
        (uint256 ltv, uint256 threshold,) = collateralOf(weth);
        assertEq(ltv, 77_00);
        assertEq(threshold, 77_30);
    }

    /// @dev What governance set outside of the bounds is led back only if the oracle asks for it.
    function test_Ltv_StaysWhereGovernancePutItBeyondTheBounds() public {
        configurator.configureReserveAsCollateral(address(weth), 79_00, 85_00, BONUS);
        updateAndWait(112_00, 112_00);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        configurator.configureReserveAsCollateral(address(weth), 30_00, 70_00, BONUS);
        updateAndWait(500_00, 150_00);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        updateAndWait(320_00, 150_00);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(31_25, 70_00);
    }

    /// @dev However a time is cut into pokes, and whatever they ask for, they move the LTV no further than the allowance.
    function testFuzz_Ltv_CannotBeatTheRecharge(uint256[12] memory waits, uint256[12] memory ratios) public {
        uint256 fallen;
        uint256 risen;
        (uint256 ltv,,) = collateralOf(weth);
        uint256 begun = block.timestamp;
        for (uint256 i; i < waits.length; ++i) {
            skip(bound(waits[i], 0, RECHARGE / 3));
            oracle.update(bound(ratios[i], LIQUIDATION_RATIO, 300_00), LIQUIDATION_RATIO);
            steward.poke();
            (uint256 next,,) = collateralOf(weth);
            if (next < ltv) fallen += ltv - next;
            else risen += next - ltv;
            ltv = next;
            uint256 elapsed = block.timestamp - begun;
            assertLe(fallen, 5_00 + 5_00 * elapsed / RECHARGE, "fallen");
            assertLe(risen, 2_00 + 2_00 * elapsed / RECHARGE, "risen");
        }
    }

    /// @dev A bps costs 1.43 seconds here, and 2 if it is taken alone: splitting never comes cheaper.
    function test_Ltv_PaysForItsMovesRoundedUp() public {
        IAaveRegimeSteward.Limits memory limits = defaultLimits();
        (limits.maxLtvFallAbsBps, limits.ltvRechargeSeconds) = (7, 10);
        steward = newSteward(limits);
        uint256 ltv = LTV;
        for (uint256 i; i <= 100; ++i) {
            oracle.update(1e8 / (ltv - 1) + 1, LIQUIDATION_RATIO);
            steward.poke();
            (ltv,,) = collateralOf(weth);
            assertLe(LTV - ltv, 7 + 7 * i / 10);
            skip(1);
        }
        assertGt(LTV - ltv, 50);
    }

    /// @dev Pokes that find nothing to do leave the allowance as it is.
    function testFuzz_Ltv_IsNotSpentByPokesThatChangeNothing(uint256 pokes) public {
        pokes = bound(pokes, 1, 20);
        for (uint256 i; i < pokes; ++i) {
            expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        }
        updateAndWait(200_00, LIQUIDATION_RATIO);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(57_50, THRESHOLD);
    }

    function test_Ltv_NeverRises_GivenNoAllowance() public {
        IAaveRegimeSteward.Limits memory limits = defaultLimits();
        limits.maxLtvRiseAbsBps = 0;
        steward = newSteward(limits);
        updateAndWait(130_00, LIQUIDATION_RATIO);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
    }
}
