// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AaveRegimeSteward} from "../../src/consumers/AaveRegimeSteward.sol";
import {IAaveRegimeSteward} from "../../src/interfaces/IAaveRegimeSteward.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {AaveStewardBase} from "./aave/AaveStewardBase.sol";
import {ProgrammableOracle} from "./aave/ProgrammableOracle.sol";

contract AaveRegimeStewardTest is AaveStewardBase {
    /* CONSTRUCTOR */

    function test_Constructor_KeepsItsArguments() public view {
        assertEq(address(steward.oracle()), address(oracle));
        assertEq(steward.market(), MARKET);
        assertEq(steward.asset(), address(weth));
        assertEq(keccak256(abi.encode(steward.limits())), keccak256(abi.encode(defaultLimits())));
        assertAnnounced(0, 0);
    }

    function test_Constructor_RevertWhen_ALimitIsUnusable() public {
        IAaveRegimeSteward.Limits memory limits = defaultLimits();
        limits.minLtvBps = 0;
        _expectInvalid(limits, "ltv");
        limits.minLtvBps = limits.maxLtvBps + 1;
        _expectInvalid(limits, "ltv");

        limits = defaultLimits();
        limits.maxLtvFallAbsBps = 0;
        _expectInvalid(limits, "maxLtvFallAbsBps");

        limits = defaultLimits();
        limits.ltvRechargeSeconds = 0;
        _expectInvalid(limits, "ltvRechargeSeconds");

        limits = defaultLimits();
        limits.minThresholdBps = limits.minLtvBps - 1;
        _expectInvalid(limits, "threshold");
        limits = defaultLimits();
        limits.minThresholdBps = limits.maxThresholdBps + 1;
        _expectInvalid(limits, "threshold");
        limits = defaultLimits();
        limits.maxThresholdBps = limits.maxLtvBps - 1;
        _expectInvalid(limits, "threshold");
    }

    function test_Constructor_RevertWhen_ALimitIsWiderThanAavesOwn() public {
        IAaveRegimeSteward.Limits memory limits = defaultLimits();
        limits.maxThresholdFallAbsBps = 51;
        _expectInvalid(limits, "maxThresholdFallAbsBps");

        limits = defaultLimits();
        limits.maxThresholdRiseAbsBps = limits.maxThresholdFallAbsBps + 1;
        _expectInvalid(limits, "maxThresholdRiseAbsBps");

        limits = defaultLimits();
        limits.noticeSeconds = uint32(3 days - 1);
        _expectInvalid(limits, "noticeSeconds");
    }

    function _expectInvalid(IAaveRegimeSteward.Limits memory limits, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IAaveRegimeSteward.InvalidLimits.selector, field));
        this.create(limits);
    }

    function create(IAaveRegimeSteward.Limits memory limits) external {
        newSteward(limits);
    }

    /* POKE: refusals */

    function test_Poke_GivenTheReserveIsClosed() public {
        updateAndWait(200_00, 130_00);

        configurator.setReservePause(address(weth), true);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.setReservePause(address(weth), false);

        configurator.setReserveFreeze(address(weth), true);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.setReserveFreeze(address(weth), false);

        configurator.setReserveActive(address(weth), false);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.setReserveActive(address(weth), true);

        configurator.configureReserveAsCollateral(address(weth), 0, THRESHOLD, BONUS);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        configurator.configureReserveAsCollateral(address(weth), 0, 0, 0);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);

        configurator.configureReserveAsCollateral(address(weth), LTV, THRESHOLD, BONUS);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
    }

    function test_Poke_GivenTheReserveIsClosed_WithdrawsTheAnnouncement() public {
        updateAndWait(BORROW_RATIO, 130_00);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        configurator.setReserveFreeze(address(weth), true);

        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.FallAnnounced(0, 0);
        expectRefusal(IAaveRegimeSteward.Outcome.ReserveClosed);
        assertAnnounced(0, 0);

        configurator.setReserveFreeze(address(weth), false);
        skip(NOTICE);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, THRESHOLD);
        assertAnnounced(79_50, block.timestamp + NOTICE);
    }

    function test_Poke_GivenTheOracleCannotBeRead() public {
        updateAndWait(200_00, 130_00);
        for (uint256 i = 1; i <= uint256(ProgrammableOracle.Behaviour.BurnAllGas); ++i) {
            oracle.behave(ProgrammableOracle.Behaviour(i));
            uint256 gasBefore = gasleft();
            expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);
            assertLt(gasBefore - gasleft(), 300_000, "a hostile oracle costs what its reads may cost");
        }

        oracle.answerWith(new bytes(9 * 32));
        expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);
        oracle.answerWith(new bytes(11 * 32));
        expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);

        vm.etch(address(oracle), "");
        expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);
    }

    /// @dev By cutting the gas of a poke nobody chooses what the oracle says, be it only to lower the LTV.
    function testFuzz_Poke_GivenTooLittleGasForTheOracle(uint256 gasLimit) public {
        oracle.behave(ProgrammableOracle.Behaviour.StarveUnlessFed);
        try steward.poke{gas: bound(gasLimit, 21_000, 400_000)}() {} catch {}
        assertCollateral(LTV, THRESHOLD);
    }

    function test_Poke_GivenTheOraclesAnswerIsImplausible() public {
        _expectImplausible(1, block.timestamp + 2);
        _expectImplausible(2, 0);
        _expectImplausible(2, LIQUIDATION_RATIO - 1);
        _expectImplausible(2, uint256(type(uint16).max) + 1);
        _expectImplausible(2, type(uint256).max);
        _expectImplausible(3, 0);
        _expectImplausible(3, 100_00);
        _expectImplausible(3, BORROW_RATIO + 1);
        _expectImplausible(3, type(uint256).max);
        _expectImplausible(9, uint256(type(IRiskParameters.Status).max) + 1);
        _expectImplausible(9, type(uint256).max);
    }

    function _expectImplausible(uint256 word, uint256 value) private {
        updateAndWait(BORROW_RATIO, LIQUIDATION_RATIO);
        oracle.setWord(word, value);
        expectRefusal(IAaveRegimeSteward.Outcome.Unreadable);
    }

    function test_Poke_GivenAaveRefuses() public {
        acl.removeRiskAdmin(address(steward));
        updateAndWait(200_00, 130_00);
        expectRefusal(IAaveRegimeSteward.Outcome.AaveRefused);
        assertAnnounced(0, 0);

        acl.addRiskAdmin(address(steward));
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV - 5_00, THRESHOLD); // the refusal has spent nothing
    }

    /// @dev Whatever words come, a poke ends, and moves the reserve by no more than its steps.
    function testFuzz_Poke_GivenGarbage(uint256[10] memory words, uint256 elapsed) public {
        skip(bound(elapsed, 0, 365 days));
        oracle.answerWith(abi.encode(words));
        steward.poke();
        (uint256 ltv, uint256 threshold, uint256 bonus) = collateralOf(weth);
        assertGe(ltv, LTV - 5_00);
        assertLe(ltv, LTV + 2_00);
        assertGe(threshold, THRESHOLD);
        assertLe(threshold, THRESHOLD + 30);
        assertEq(bonus, BONUS);
    }

    /* POKE: parameters that are not fresh */

    function test_Poke_GivenParametersAreNotFresh() public {
        IRiskParameters.Status[3] memory statuses =
            [IRiskParameters.Status.Unset, IRiskParameters.Status.Stale, IRiskParameters.Status.Withheld];
        for (uint256 i; i < statuses.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            updateAndWait(200_00, 130_00);
            oracle.setStatus(statuses[i]);
            expectPoke(IAaveRegimeSteward.Outcome.Changed);
            assertCollateral(LTV - 5_00, THRESHOLD);
            assertAnnounced(0, 0);

            updateAndWait(130_00, 120_00);
            oracle.setStatus(statuses[i]);
            expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
            assertCollateral(LTV - 5_00, THRESHOLD);
            vm.revertToState(snapshot);
        }
    }

    function test_Poke_GivenParametersAreNotFresh_LeavesADueAnnouncementAlone() public {
        updateAndWait(BORROW_RATIO, 130_00);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        skip(NOTICE);
        oracle.setStatus(IRiskParameters.Status.Stale);
        expectPoke(IAaveRegimeSteward.Outcome.Unchanged);
        assertAnnounced(79_50, block.timestamp);

        oracle.setStatus(IRiskParameters.Status.Grace);
        expectPoke(IAaveRegimeSteward.Outcome.Changed);
        assertCollateral(LTV, 79_50);
    }
}
