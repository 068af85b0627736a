// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {DataTypes} from "@aave/core-v3/contracts/protocol/libraries/types/DataTypes.sol";
import {IAaveRegimeSteward} from "../../src/interfaces/IAaveRegimeSteward.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {AaveStewardBase} from "./aave/AaveStewardBase.sol";
import {ProgrammableOracle} from "./aave/ProgrammableOracle.sol";

/// @notice What the steward does to people who borrow from the real Aave.
contract AaveRegimeStewardPositionsTest is AaveStewardBase {
    bytes private constant HEALTH_FACTOR_NOT_BELOW_THRESHOLD = "45";
    bytes private constant COLLATERAL_CANNOT_COVER_NEW_BORROW = "36";

    /// @dev A user whose debt, after a fall of the price, is this share of the collateral's value.
    function _strained(string memory name, uint256 debtBps) private returns (address user) {
        user = openPosition(name, LTV);
        wethPrice.set(int256(uint256(ETHER_PRICE) * LTV / debtBps));
    }

    function _expectNotLiquidatable(address user) private {
        assertGe(healthFactor(user), 1e18, "healthy");
        address liquidator = makeAddr("liquidator");
        usd.mint(liquidator, 100e6);
        vm.startPrank(liquidator);
        usd.approve(address(pool), 100e6);
        vm.expectRevert(HEALTH_FACTOR_NOT_BELOW_THRESHOLD);
        pool.liquidationCall(address(weth), address(usd), user, 100e6, false);
        vm.stopPrank();
    }

    function _expectLiquidatable(address user) private {
        assertLt(healthFactor(user), 1e18, "unhealthy");
        uint256 seized = weth.balanceOf(makeAddr("liquidator"));
        liquidate(user, 100e6);
        assertGt(weth.balanceOf(makeAddr("liquidator")), seized, "collateral seized");
    }

    /* MARCH 2026 */

    /// @dev An automated feed moved Aave's numbers and 26 million dollars were liquidated in the block. Here the worst update
    /// there is, with as many pokes as anyone likes, leaves every position as healthy as it was, in its block and for
    /// three days after; then the announced half percent, and no more.
    function test_Regression_AaveMarch2026_NoUpdateAndPokeLiquidatesAHealthyPosition() public {
        address user = _strained("user", 79_90);
        uint256 health = healthFactor(user);

        oracle.update(655_35, 655_35);
        for (uint256 i; i < 5; ++i) {
            steward.poke();
        }
        assertEq(healthFactor(user), health);
        _expectNotLiquidatable(user);

        skip(12); // interest aside, nothing changes until the announced fall is due
        steward.poke();
        assertAnnounced(79_50, block.timestamp + NOTICE);
        for (uint256 i; i < 6; ++i) {
            skip(NOTICE / 6 - 1);
            steward.poke();
            _expectNotLiquidatable(user);
        }

        address careful = makeAddr("careful");
        supply(careful, weth, 1e18);
        uint256 price = uint256(wethPrice.latestAnswer());
        (uint256 ltv,,) = collateralOf(weth);
        borrow(careful, price * ltv / 10_000 / 100);
        skip(6);
        steward.poke();
        _expectLiquidatable(user);
        _expectNotLiquidatable(careful);
    }

    /// @dev What broke was a pair of which one half moved. A pair that has come apart is refused whole: not even its good
    /// half is applied.
    function test_Regression_AaveMarch2026_APairThatHasComeApartIsRefusedWhole() public {
        updateAndWait(150_00, 155_00);
        expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);
        updateAndWait(200_00, 0);
        expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);
        assertAnnounced(0, 0);
    }

    /// @dev The threat that others meet with permissioned callers: update, poke and liquidate in one transaction.
    function test_Regression_FrontRunning_UpdatePokeAndLiquidateInOneBlock() public {
        address user = _strained("user", 79_90);
        updateAndWait(BORROW_RATIO, 125_01);
        steward.poke();
        skip(NOTICE); // a fall is announced and due, but hardly any is asked for
        oracle.update(200_00, 200_00);
        steward.poke();
        _expectNotLiquidatable(user);
    }

    /* WHO IS HEALTHY AT THE FLOOR STAYS HEALTHY */

    /// @dev For any debt and any size of fall; and whoever is not healthy there was so for the whole notice time.
    function testFuzz_HealthyAtTheFloor_StaysHealthy(uint256 debtBps, uint256 ratioBps) public {
        address user = _strained("user", bound(debtBps, 79_00, 79_98));
        updateAndWait(BORROW_RATIO, bound(ratioBps, 125_02, 160_00));
        steward.poke();
        skip(NOTICE);
        (uint256 floorBps,) = steward.announcement();
        bool healthyAtFloor = _healthAt(user, floorBps) >= 1e18;
        steward.poke();
        (, uint256 threshold,) = collateralOf(weth);
        assertGe(threshold, floorBps);
        assertEq(healthFactor(user), _healthAt(user, threshold), "Aave's own formula");
        if (healthyAtFloor) _expectNotLiquidatable(user);
    }

    /// @dev For users whose only collateral is ether.
    function _healthAt(address user, uint256 threshold) private view returns (uint256) {
        (uint256 collateral, uint256 debt,,,,) = pool.getUserAccountData(user);
        uint256 weighted = (collateral * threshold + 5_000) / 10_000;
        return (weighted * 1e18 + debt / 2) / debt;
    }

    function test_MixedCollateral_HealthyAtTheFloor_StaysHealthy() public {
        address user = makeAddr("user");
        supply(user, weth, 1e18);
        supply(user, usd, 1_000e6);
        borrow(user, 1_990e6); // 75 % and 62.5 % may be borrowed
        wethPrice.set(1_524e8);
        updateAndWait(BORROW_RATIO, 130_00);
        steward.poke();
        skip(NOTICE);
        uint256 health = healthFactor(user);
        steward.poke();
        assertLt(healthFactor(user), health);
        _expectNotLiquidatable(user);
    }

    function test_BorrowedWhileAFallIsAnnounced_IsHealthyAfterIt() public {
        configurator.configureReserveAsCollateral(address(weth), 78_00, 78_40, BONUS);
        updateAndWait(128_20, 128_20);
        steward.poke();
        assertCollateral(78_00, 78_40);
        assertAnnounced(78_00, block.timestamp + NOTICE);
        assertGe(_healthAt(openPosition("at the limit", 78_00), 78_00), 1e18);

        address user = openPosition("one bps below it", 77_99);
        skip(NOTICE); // and its interest
        steward.poke();
        assertCollateral(78_00, 78_00);
        _expectNotLiquidatable(user);
    }

    /* OUTAGES */

    function test_Outage_RestrictsBorrowingAndLiquidatesNobody() public {
        address user = _strained("user", 79_90);
        address fresh = makeAddr("fresh");
        supply(fresh, weth, 1e18);
        uint256 price = uint256(wethPrice.latestAnswer());

        updateAndWait(250_00, 160_00);
        oracle.setStatus(IRiskParameters.Status.Stale);
        for (uint256 i; i < 12; ++i) {
            steward.poke();
            skip(RECHARGE);
            _expectNotLiquidatable(user);
        }
        assertCollateral(40_00, THRESHOLD);
        vm.expectRevert(COLLATERAL_CANNOT_COVER_NEW_BORROW);
        this.borrowAs(fresh, price * 41_00 / 10_000 / 100);
        borrow(fresh, price * 39_00 / 10_000 / 100);
    }

    function borrowAs(address user, uint256 amount) external {
        borrow(user, amount);
    }

    /// @dev Aave does not know the oracle: repaying, withdrawing and liquidating go on whatever state it is in.
    function test_HostileOracle_HoldsUpNobody() public {
        address user = _strained("user", 79_00);
        oracle.behave(ProgrammableOracle.Behaviour.BurnAllGas);
        steward.poke();
        usd.mint(user, 100e6);
        vm.startPrank(user);
        usd.approve(address(pool), 100e6);
        pool.repay(address(usd), 100e6, VARIABLE_RATE, user);
        pool.withdraw(address(weth), 0.01e18, user);
        vm.stopPrank();
        wethPrice.set(wethPrice.latestAnswer() * 90 / 100);
        _expectLiquidatable(user);
    }

    /* E-MODE, ISOLATION */

    /// @dev In an e-mode of the asset's category Aave measures by the category's numbers, not by the reserve's.
    function test_EMode_IsNotReached() public {
        configurator.setEModeCategory(1, 90_00, 93_00, 102_00, address(0), "ether");
        configurator.setAssetEModeCategory(address(weth), 1);
        configurator.setAssetEModeCategory(address(usd), 1);
        address user = openPosition("user", LTV);
        vm.prank(user);
        pool.setUserEMode(1);
        (,,, uint256 thresholdBefore, uint256 ltvBefore,) = pool.getUserAccountData(user);

        updateAndWait(200_00, 130_00);
        steward.poke();
        skip(NOTICE);
        steward.poke();
        assertCollateral(52_50, 79_50);
        (,,, uint256 threshold, uint256 ltv,) = pool.getUserAccountData(user);
        assertEq(threshold, thresholdBefore);
        assertEq(threshold, 93_00);
        assertEq(ltv, ltvBefore);
    }

    function test_Isolation_KeepsItsCeilingAndSwitches() public {
        configurator.setDebtCeiling(address(weth), 1_000_000_00);
        configurator.setBorrowableInIsolation(address(usd), true);
        address user = makeAddr("user");
        supply(user, weth, 1e18);
        vm.prank(user);
        pool.setUserUseReserveAsCollateral(address(weth), true);
        borrow(user, 1_000e6);

        uint256 before = pool.getConfiguration(address(weth)).data;
        updateAndWait(200_00, LIQUIDATION_RATIO);
        steward.poke();
        assertCollateral(57_50, THRESHOLD);
        assertEq(pool.getConfiguration(address(weth)).data >> 16, before >> 16, "all but the LTV");
        DataTypes.ReserveData memory reserve = pool.getReserveData(address(weth));
        assertEq(reserve.isolationModeTotalDebt, 1_000_00);
        borrow(user, 149e6);
    }

    /* THE ROLE */

    /// @dev All that the role is used for: the pool's administrators can take it back, and nobody can use it through the
    /// steward for anything but a poke.
    function test_Role_IsTheOnlySwitch() public {
        acl.removeRiskAdmin(address(steward));
        updateAndWait(200_00, LIQUIDATION_RATIO);
        vm.prank(makeAddr("stranger"));
        expectRefusal(IAaveRegimeSteward.Outcome.AaveRefused);
        acl.addRiskAdmin(address(steward));
        vm.prank(makeAddr("stranger"));
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
    }
}
