// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Errors} from "@aave-dao/aave-v3-origin/protocol/libraries/helpers/Errors.sol";
import {IAaveRegimeSteward} from "../../src/interfaces/IAaveRegimeSteward.sol";
import {AaveOriginMarket} from "./aave/AaveOriginMarket.sol";
import {AaveStewardBase} from "./aave/AaveStewardBase.sol";
import {AaveV3Market} from "./aave/AaveV3Market.sol";
import {AaveRegimeStewardLtvTest} from "./AaveRegimeStewardLtv.t.sol";
import {AaveRegimeStewardThresholdTest} from "./AaveRegimeStewardThreshold.t.sol";

/// @notice Everything about the LTV, on Aave's current contracts.
contract AaveRegimeStewardLtvOriginTest is AaveRegimeStewardLtvTest, AaveOriginMarket {
    function deployAave() internal override(AaveV3Market, AaveOriginMarket) {
        AaveOriginMarket.deployAave();
    }
}

/// @notice Everything about the liquidation threshold, on Aave's current contracts.
contract AaveRegimeStewardThresholdOriginTest is AaveRegimeStewardThresholdTest, AaveOriginMarket {
    function deployAave() internal override(AaveV3Market, AaveOriginMarket) {
        AaveOriginMarket.deployAave();
    }
}

/// @notice What is different there, and what people feel of it.
contract AaveRegimeStewardOriginTest is AaveStewardBase, AaveOriginMarket {
    function deployAave() internal override(AaveV3Market, AaveOriginMarket) {
        AaveOriginMarket.deployAave();
    }

    /// @dev A reserve that was frozen has no LTV until somebody gives it back. The steward is not who does.
    function test_Poke_GivenTheReserveWasFrozen() public {
        updateAndWait(200_00, 130_00);
        configurator.setReserveFreeze(address(weth), true);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.setReserveFreeze(address(weth), false);
        assertCollateral(0, THRESHOLD);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        origin().setReserveLtvzero(address(weth), false);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV - 5_00, THRESHOLD);
    }

    function test_Poke_GivenTheReserveHasNoLtv() public {
        updateAndWait(200_00, 130_00);
        origin().setReserveLtvzero(address(weth), true);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        origin().setReserveLtvzero(address(weth), false);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
    }

    function test_Poke_GivenTheReserveIsPausedOrInactive() public {
        updateAndWait(200_00, 130_00);
        configurator.setReservePause(address(weth), true);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.setReservePause(address(weth), false);
        configurator.setReserveActive(address(weth), false);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.setReserveActive(address(weth), true);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
    }

    function test_Poke_GivenAaveRefuses() public {
        acl.removeRiskAdmin(address(steward));
        updateAndWait(200_00, 130_00);
        expectRefusal(IAaveRegimeSteward.Outcome.AaveRefused);
        acl.addRiskAdmin(address(steward));
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV - 5_00, THRESHOLD);
    }

    /// @dev In an e-mode, isolated or not, Aave measures by the category's numbers.
    function test_EMode_IsNotReached() public {
        origin().setEModeCategory(1, 90_00, 93_00, 102_00, "ether");
        origin().setAssetCollateralInEMode(address(weth), 1, true);
        origin().setAssetBorrowableInEMode(address(usd), 1, true);
        address user = openPosition("user", LTV);
        vm.prank(user);
        pool.setUserEMode(1);
        updateAndWait(200_00, 130_00);
        steward.poke();
        skip(NOTICE);
        steward.poke();
        assertCollateral(52_50, 79_50);
        (,,, uint256 threshold, uint256 ltv,) = pool.getUserAccountData(user);
        assertEq(threshold, 93_00);
        assertEq(ltv, 90_00);
    }

    /// @dev The worst update there is leaves everybody as healthy as they were for three days, and then takes half a percent.
    function test_NoUpdateLiquidatesAHealthyPositionInItsBlock() public {
        address user = openPosition("user", LTV);
        wethPrice.set(int256(uint256(ETHER_PRICE) * LTV / 79_90));
        uint256 health = healthFactor(user);
        oracle.update(655_35, 655_35);
        for (uint256 i; i < 5; ++i) {
            steward.poke();
        }
        assertEq(healthFactor(user), health);
        _expectHealthy(user);

        skip(12);
        steward.poke();
        assertAnnounced(79_50, block.timestamp + NOTICE);
        skip(NOTICE - 1);
        steward.poke();
        _expectHealthy(user);
        skip(1);
        steward.poke();
        assertLt(healthFactor(user), 1e18);
        liquidate(user, 100e6);
    }

    function _expectHealthy(address user) private {
        usd.mint(address(this), 100e6);
        usd.approve(address(pool), 100e6);
        vm.expectRevert(Errors.HealthFactorNotBelowThreshold.selector);
        pool.liquidationCall(address(weth), address(usd), user, 100e6, false);
    }
}
