// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAaveRegimeSteward} from "../../../src/interfaces/IAaveRegimeSteward.sol";
import {IRiskParameters} from "../../../src/interfaces/IRiskParameters.sol";
import {AaveStewardBase} from "./AaveStewardBase.sol";
import {ProgrammableOracle} from "./ProgrammableOracle.sol";

/// @notice Everything that can happen around a steward, in any order, and after each step a look at everybody's health. It
/// never reverts, unless something is wrong.
contract AaveStewardHandler is AaveStewardBase {
    struct Position {
        uint256 health;
        uint256 healthAtFloor;
    }

    uint256 private constant USERS = 4;
    uint256 private constant ONE = 1e18;

    uint256 public fallen;
    uint256 public risen;
    uint256 public thresholdFalls;
    uint256 public thresholdRises;
    uint256 public liquidations;

    uint256 private _announcedAt;
    uint256 private _landedAt;
    uint256 private _thresholdChangedAt;

    function setUp() public override {
        super.setUp();
        configurator.configureReserveAsCollateral(address(weth), THRESHOLD - 50, THRESHOLD, BONUS);
        for (uint256 i; i < USERS; ++i) {
            supply(_user(i), weth, 10e18);
            borrow(_user(i), 1_000e6);
        }
    }

    /// @dev The LTV may come as near to the threshold as it can.
    function defaultLimits() internal pure override returns (IAaveRegimeSteward.Limits memory limits) {
        limits = super.defaultLimits();
        limits.maxLtvBps = limits.maxThresholdBps;
    }

    /// @dev Nothing that oracle, steward and Aave's guardians do makes anybody liquidatable who is healthy at the floor; and
    /// no threshold falls that was not announced in time.
    modifier harmless() {
        (uint256 ltv, uint256 threshold,) = collateralOf(weth);
        (uint256 floorBps, uint256 effectiveAt) = steward.announcement();
        Position[USERS] memory positions;
        for (uint256 i; i < USERS; ++i) {
            positions[i] = Position(healthFactor(_user(i)), _healthAt(_user(i), floorBps));
        }
        _;
        (uint256 newLtv, uint256 newThreshold, uint256 newBonus) = collateralOf(weth);
        assertEq(newBonus, BONUS, "bonus");
        newLtv < ltv ? fallen += ltv - newLtv : risen += newLtv - ltv;
        if (newThreshold != threshold) {
            _checkThreshold(threshold, newThreshold, floorBps, effectiveAt);
            _thresholdChangedAt = block.timestamp;
        }
        for (uint256 i; i < USERS; ++i) {
            uint256 health = healthFactor(_user(i));
            if (newThreshold >= threshold) assertGe(health, positions[i].health, "worse without a fall");
            if (positions[i].healthAtFloor >= ONE) assertGe(health, ONE, "healthy at the floor");
        }
        (, uint256 newEffectiveAt) = steward.announcement();
        if (newEffectiveAt != effectiveAt && newEffectiveAt != 0) {
            assertEq(newEffectiveAt, block.timestamp + NOTICE, "notice");
            _announcedAt = block.timestamp;
        }
    }

    function _checkThreshold(uint256 threshold, uint256 newThreshold, uint256 floorBps, uint256 effectiveAt) private {
        assertGt(block.timestamp, _landedAt, "in the block of an update");
        assertTrue(_thresholdChangedAt == 0 || block.timestamp >= _thresholdChangedAt + NOTICE, "too soon");
        if (newThreshold > threshold) {
            assertLe(newThreshold, threshold + 30, "rise");
            ++thresholdRises;
            return;
        }
        assertGt(effectiveAt, 0, "unannounced");
        assertGe(block.timestamp, _announcedAt + NOTICE, "before its time");
        assertLe(block.timestamp, _announcedAt + 2 * NOTICE, "lapsed");
        assertGe(newThreshold, floorBps, "below the floor");
        assertGe(newThreshold + 50, threshold, "fall");
        ++thresholdFalls;
    }

    /* ORACLE, STEWARD AND GUARDIANS */

    function poke() external harmless {
        steward.poke();
    }

    function update(uint256 borrowRatioBps, uint256 liquidationRatioBps) external harmless {
        _update(borrowRatioBps, liquidationRatioBps);
    }

    function pokeUpdatePoke(uint256 borrowRatioBps, uint256 liquidationRatioBps, uint256 pokes) external {
        _pokeOnce();
        _updateAndPoke(borrowRatioBps, liquidationRatioBps, bound(pokes, 1, 3));
    }

    /// @dev Mostly fresh: outages last until the next update or change of status.
    function setStatus(uint256 status) external harmless {
        status = bound(status, 0, 7);
        oracle.setStatus(status < 5 ? IRiskParameters.Status(status) : IRiskParameters.Status.Fresh);
        steward.poke();
    }

    /// @dev An oracle that misdates its updates moves the threshold in their block; all else holds for it as well.
    function garble(uint256 word, uint256 value) external harmless {
        word = bound(word, 0, 10);
        if (word == 1) _landedAt = 0;
        bytes memory answer = oracle.answer();
        oracle.setWord(word, value);
        steward.poke();
        oracle.answerWith(answer);
    }

    function misbehave(uint256 behaviour) external harmless {
        oracle.behave(
            ProgrammableOracle.Behaviour(bound(behaviour, 0, uint256(type(ProgrammableOracle.Behaviour).max)))
        );
        steward.poke();
        oracle.behave(ProgrammableOracle.Behaviour.Answer);
    }

    function closeReserve(bool paused, bool frozen, bool revoked) external harmless {
        configurator.setReservePause(address(weth), paused);
        configurator.setReserveFreeze(address(weth), frozen);
        if (revoked) acl.removeRiskAdmin(address(steward));
        steward.poke();
        configurator.setReservePause(address(weth), false);
        configurator.setReserveFreeze(address(weth), false);
        acl.addRiskAdmin(address(steward));
    }

    function _pokeOnce() private harmless {
        steward.poke();
    }

    function _updateAndPoke(uint256 borrowRatioBps, uint256 liquidationRatioBps, uint256 pokes) private harmless {
        _update(borrowRatioBps, liquidationRatioBps);
        for (uint256 i; i < pokes; ++i) {
            steward.poke();
        }
    }

    /// @dev Half of the updates ask for a threshold near the present one, where floor, threshold and LTV come together.
    function _update(uint256 borrowRatioBps, uint256 liquidationRatioBps) private {
        (, uint256 threshold,) = collateralOf(weth);
        uint256 present = 1e8 / threshold;
        liquidationRatioBps = liquidationRatioBps % 2 == 0
            ? bound(liquidationRatioBps, present - 1_00, present + 1_00)
            : bound(liquidationRatioBps, 119_00, 131_00);
        uint256 spread = borrowRatioBps % 2 == 0 ? 0 : bound(borrowRatioBps, 0, 20_00);
        oracle.update(liquidationRatioBps + spread, liquidationRatioBps);
        _landedAt = block.timestamp;
    }

    /* TIME AND PRICE */

    function elapse(uint256 elapsedSeconds) external {
        skip(bound(elapsedSeconds, 1, 2 days));
    }

    function pokeAllDay(uint256 pauseSeconds) external {
        for (uint256 i; i < 12; ++i) {
            skip(bound(pauseSeconds, 1, 1 days));
            _pokeOnce();
        }
    }

    function movePrice(uint256 dollars) external {
        wethPrice.set(int256(bound(dollars, 1_500, 2_500)) * 1e8);
    }

    /* USERS */

    /// @dev Borrows what Aave allows, to the last cent if need be: it is healthy at whatever floor is announced.
    function borrowMore(uint256 index, uint256 amount) external {
        address user = _user(index);
        (,, uint256 availableE8,,,) = pool.getUserAccountData(user);
        if (availableE8 < 1e8) return;
        borrow(user, bound(amount, 1, availableE8 / 100 - 1));
        (uint256 floorBps,) = steward.announcement();
        if (floorBps != 0) assertGe(_healthAt(user, floorBps), ONE, "borrowed under a floor");
    }

    /// @dev Withdraws down to a health just above one: such positions are the ones to look at.
    function withdrawToTheEdge(uint256 index, uint256 marginBps) external {
        address user = _user(index);
        (uint256 collateral, uint256 debt,,,,) = pool.getUserAccountData(user);
        (, uint256 threshold,) = collateralOf(weth);
        uint256 needed = debt * 10_000 / threshold * (10_000 + bound(marginBps, 1, 100)) / 10_000;
        if (collateral <= needed) return;
        uint256 amount = (collateral - needed) * 1e18 / uint256(wethPrice.latestAnswer());
        vm.prank(user);
        pool.withdraw(address(weth), amount, user);
    }

    function supplyMore(uint256 index, uint256 amount) external {
        supply(_user(index), weth, bound(amount, 0.1e18, 5e18));
    }

    function liquidateOne(uint256 index, uint256 amount) external {
        if (healthFactor(_user(index)) >= ONE) return;
        liquidate(_user(index), bound(amount, 1e6, 100e6));
        ++liquidations;
    }

    function _user(uint256 index) private returns (address) {
        return makeAddr(string.concat("user ", vm.toString(index % USERS)));
    }

    function _healthAt(address user, uint256 threshold) private view returns (uint256) {
        (uint256 collateral, uint256 debt,,,,) = pool.getUserAccountData(user);
        return debt == 0 ? type(uint256).max : (collateral * threshold + 5_000) / 10_000 * ONE / debt;
    }

    /* WHAT THE INVARIANTS LOOK AT */

    function reserve() external view returns (uint256 ltv, uint256 threshold, uint256 floorBps) {
        (ltv, threshold,) = collateralOf(weth);
        (floorBps,) = steward.announcement();
    }

    function elapsed() external view returns (uint256) {
        return block.timestamp - START;
    }
}
