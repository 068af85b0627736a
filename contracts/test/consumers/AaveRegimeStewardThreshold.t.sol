// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAaveRegimeSteward} from "../../src/interfaces/IAaveRegimeSteward.sol";
import {AaveStewardBase} from "./aave/AaveStewardBase.sol";

/// @notice The liquidation threshold: slowly up, announced down.
contract AaveRegimeStewardThresholdTest is AaveStewardBase {
    /* DOWN */

    function test_Fall_IsAnnouncedFirst() public {
        updateAndWait(BORROW_RATIO, 130_00);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.FallAnnounced(79_50, block.timestamp + NOTICE);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, THRESHOLD);

        skip(NOTICE - 1);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        assertAnnounced(79_50, block.timestamp + 1);
    }

    function test_Fall_IsMadeOnceTheNoticeHasPassed_AndTheNextIsAnnounced() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        skip(NOTICE);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.ReserveConfigured(LTV, 79_50, LTV, 76_92);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.FallAnnounced(79_00, block.timestamp + NOTICE);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 79_50);

        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        skip(NOTICE);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 79_00);
    }

    function test_Fall_EndsAtTheTarget() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        skip(NOTICE);
        updateAndWait(BORROW_RATIO, 125_40);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 79_74);
        assertAnnounced(0, 0);
    }

    function test_Fall_IsDropped_WhenTheOracleNoLongerAsksForIt() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        skip(NOTICE);
        updateAndWait(BORROW_RATIO, LIQUIDATION_RATIO);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.FallAnnounced(0, 0);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, THRESHOLD);
    }

    /// @dev Nobody is liquidated by an announcement that everybody has forgotten.
    function test_Fall_Lapses() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        uint256 snapshot = vm.snapshotState();
        skip(2 * NOTICE);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 79_50);

        vm.revertToState(snapshot);
        skip(2 * NOTICE + 1);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, THRESHOLD);
        assertAnnounced(79_50, block.timestamp + NOTICE);
    }

    function test_Fall_IsNeitherAnnouncedNorMadeInTheBlockOfAnUpdate() public {
        oracle.update(BORROW_RATIO, 130_00);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        assertAnnounced(0, 0);
        skip(1);
        steward.poke();

        skip(NOTICE);
        oracle.update(BORROW_RATIO, 140_00);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        assertCollateral(LTV, THRESHOLD);
        skip(1);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 79_50);
    }

    function test_Fall_StopsAtTheLowestThreshold() public {
        configurator.configureReserveAsCollateral(address(weth), LTV, 75_20, BONUS);
        updateAndWait(BORROW_RATIO, 150_00);
        steward.poke();
        assertAnnounced(75_00, block.timestamp + NOTICE);
        skip(NOTICE);
        steward.poke();
        assertCollateral(LTV, 75_00);
        assertAnnounced(0, 0);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
    }

    /// @dev The LTV goes first: the threshold does not fall below it, and it does not rise above what is announced.
    function test_Fall_StopsAtTheLtv_WhichStaysBelowTheFloor() public {
        configurator.configureReserveAsCollateral(address(weth), 76_92, 77_20, BONUS);
        updateAndWait(130_00, 130_00);
        steward.poke();
        assertCollateral(76_92, 77_20);
        assertAnnounced(76_92, block.timestamp + NOTICE);

        updateAndWait(129_60, 129_60);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        skip(NOTICE);
        updateAndWait(130_00, 130_00);
        steward.poke();
        assertCollateral(76_92, 76_92);
    }

    function test_Fall_IsNoLargerThanItsStep_WhenGovernanceRaisedTheThreshold() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        configurator.configureReserveAsCollateral(address(weth), LTV, 82_00, BONUS);
        skip(NOTICE);
        steward.poke();
        assertCollateral(LTV, 81_50);
    }

    function test_Fall_IsNotMade_WhenGovernanceLoweredTheThresholdFurther() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        configurator.configureReserveAsCollateral(address(weth), LTV, 79_00, BONUS);
        skip(NOTICE);
        steward.poke();
        assertCollateral(LTV, 79_00);
        assertAnnounced(78_50, block.timestamp + NOTICE);
    }

    /// @dev The LTV comes down to the floor first; where its step does not suffice, the threshold waits above it.
    function test_Fall_StaysAtOrAboveAnLtvThatGovernanceRaised() public {
        IAaveRegimeSteward.Limits memory limits = defaultLimits();
        limits.maxLtvFallAbsBps = 10;
        steward = newSteward(limits);
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        configurator.configureReserveAsCollateral(address(weth), THRESHOLD, THRESHOLD, BONUS);
        skip(NOTICE);
        steward.poke();
        assertCollateral(79_90, 79_90);
    }

    function test_Fall_NeverComes_GivenAStepOfZero() public {
        IAaveRegimeSteward.Limits memory limits = defaultLimits();
        (limits.maxThresholdFallAbsBps, limits.maxThresholdRiseAbsBps) = (0, 0);
        steward = newSteward(limits);
        updateAndWait(200_00, 200_00);
        for (uint256 i; i < 5; ++i) {
            steward.poke();
            assertAnnounced(0, 0);
            skip(NOTICE);
        }
        assertCollateral(50_00, THRESHOLD);
        updateAndWait(120_00, 120_00);
        steward.poke();
        assertCollateral(52_00, THRESHOLD);
    }

    /* UP */

    function test_Rise_IsOneStepInEachNoticeTime() public {
        updateAndWait(BORROW_RATIO, 122_00);
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.ReserveConfigured(LTV, 80_30, LTV, 81_96);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        skip(NOTICE - 1);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        skip(1);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 80_60);
    }

    function test_Rise_DoesNotComeInTheBlockOfAnUpdate() public {
        oracle.update(BORROW_RATIO, 122_00);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
    }

    function test_Rise_WaitsANoticeTimeAfterAFall() public {
        updateAndWait(BORROW_RATIO, 125_40);
        steward.poke();
        skip(NOTICE);
        steward.poke();
        assertCollateral(LTV, 79_74);
        updateAndWait(BORROW_RATIO, 122_00);
        skip(NOTICE - 2);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        skip(1);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 80_04);
    }

    function test_Rise_DoesNotCome_WhileAFallIsAnnounced() public {
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        updateAndWait(BORROW_RATIO, 122_00);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
    }

    function test_Rise_StopsAtTheHighestThreshold() public {
        configurator.configureReserveAsCollateral(address(weth), LTV, 81_90, BONUS);
        updateAndWait(BORROW_RATIO, 110_00);
        steward.poke();
        assertCollateral(LTV, 82_00);
        skip(NOTICE);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
    }

    /// @dev Aave refuses a threshold that with the bonus on top exceeds the collateral.
    function test_Rise_LeavesRoomForTheBonus() public {
        configurator.configureReserveAsCollateral(address(weth), LTV, 79_90, 125_00);
        updateAndWait(BORROW_RATIO, 110_00);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        (uint256 ltv, uint256 threshold, uint256 bonus) = collateralOf(weth);
        assertEq(ltv, LTV);
        assertEq(threshold, 80_00);
        assertEq(bonus, 125_00);
    }

    /// @dev However a time is cut into pokes, the threshold changes at most once in each notice time, by one step.
    function testFuzz_Threshold_CannotBeHurried(uint256[16] memory waits, uint256[16] memory ratios) public {
        (, uint256 threshold,) = collateralOf(weth);
        uint256 changedAt;
        for (uint256 i; i < waits.length; ++i) {
            oracle.update(BORROW_RATIO, bound(ratios[i], 115_00, 140_00));
            skip(bound(waits[i], 0, NOTICE));
            steward.poke();
            (, uint256 next,) = collateralOf(weth);
            if (next == threshold) continue;
            assertLe(next, threshold + 30);
            assertGe(next + 50, threshold);
            assertGe(block.timestamp, changedAt + NOTICE);
            (threshold, changedAt) = (next, block.timestamp);
        }
    }
}
