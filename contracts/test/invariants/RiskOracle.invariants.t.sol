// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {Handler} from "./Handler.sol";

/// @notice What holds after any sequence of updates, time, prices, guardians, owners, borrowers and liquidators, over the
/// real oracle and the reference market. `docs/SECURITY.md` lists these rules; the handler asserts those about one action.
contract RiskOracleInvariants is Test {
    Handler private _handler;
    bytes32[2] private _markets;

    function setUp() public {
        _handler = new Handler();
        _markets = [_handler.markets(0), _handler.markets(1)];
        bytes4[] memory selectors = new bytes4[](14);
        (selectors[0], selectors[1]) = (Handler.submit.selector, Handler.nextPeriod.selector);
        (selectors[2], selectors[3]) = (Handler.passTime.selector, Handler.movePrice.selector);
        (selectors[4], selectors[5]) = (Handler.pause.selector, Handler.sequencer.selector);
        (selectors[6], selectors[7]) = (Handler.deprecate.selector, Handler.setPolicy.selector);
        (selectors[8], selectors[9]) = (Handler.rotate.selector, Handler.borrow.selector);
        (selectors[10], selectors[11]) = (Handler.removeCollateral.selector, Handler.repay.selector);
        (selectors[12], selectors[13]) = (Handler.liquidate.selector, Handler.liftPause.selector);
        targetSelector(FuzzSelector({addr: address(_handler), selectors: selectors}));
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_ParametersStayInsideTheBounds() public view {
        for (uint256 i = 0; i < _markets.length; ++i) {
            (IRiskParameters.Params memory current,) = _handler.read(_markets[i]);
            IRegimeRiskOracle.Bounds memory bounds = _handler.boundsOf(_markets[i]);
            assertGe(current.borrowCollateralRatioBps, bounds.minBorrowCollateralRatioBps);
            assertLe(current.borrowCollateralRatioBps, bounds.maxBorrowCollateralRatioBps);
            assertGe(current.ammFeePips, bounds.minAmmFeePips);
            assertLe(current.ammFeePips, bounds.maxAmmFeePips);
            assertLe(current.borrowCapFactorBps, 100_00);
            assertGe(current.borrowCollateralRatioBps, current.liquidationCollateralRatioBps);
            assertGe(current.liquidationCollateralRatioBps, bounds.minLiquidationCollateralRatioBps);
            assertGe(current.borrowCapFactorBps, bounds.minBorrowCapFactorBps);
        }
    }

    /// @dev Whatever the state, growing stale tightens, and is at least as tight as the turbulent vector.
    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_FallbackOnlyTightens() public {
        uint256 present = block.timestamp;
        for (uint256 i = 0; i < _markets.length; ++i) {
            IRegimeRiskOracle.Policy memory policy = _handler.policyOf(_markets[i]);
            (IRiskParameters.Params memory current, IRiskParameters.Status status) = _handler.read(_markets[i]);
            if (status == IRiskParameters.Status.Unset) continue;
            uint256 stale = uint256(current.periodStart) + 6 * 14_400; // no policy lets them live longer
            if (stale <= present) continue;
            vm.warp(stale - 1);
            (current,) = _handler.read(_markets[i]);
            vm.warp(stale);
            IRiskParameters.Params memory later;
            (later, status) = _handler.read(_markets[i]);
            vm.warp(present);
            assertTrue(status == IRiskParameters.Status.Stale || status == IRiskParameters.Status.Withheld);
            assertGe(later.borrowCollateralRatioBps, current.borrowCollateralRatioBps);
            assertGe(later.borrowCollateralRatioBps, policy.knots[1].vector.borrowCollateralRatioBps);
            assertGe(later.ammFeePips, policy.knots[1].vector.ammFeePips);
            assertLe(later.borrowCapFactorBps, policy.knots[1].vector.borrowCapFactorBps);
            assertLe(later.liquidationCollateralRatioBps - current.liquidationCollateralRatioBps, 1, "a step");
        }
    }

    /// @dev Says what a campaign did; see `test_EveryActionGoesThrough`.
    function afterInvariant() public {
        string[14] memory actions = [
            "submit",
            "submit a part",
            "nextPeriod",
            "passTime",
            "movePrice",
            "pause",
            "liftPause",
            "sequencer",
            "deprecate",
            "setPolicy",
            "rotate",
            "borrow",
            "removeCollateral",
            "liquidate"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            emit log_named_uint(actions[i], _handler.done(actions[i]));
        }
    }

    /// @dev That the handler's actions are not all refused: each goes through in a plain sequence.
    function test_EveryActionGoesThrough() public {
        _handler.submit(0, -5_000, true, 0);
        _handler.borrow(0, 1e18, 150_00);
        _handler.removeCollateral(0, 1);
        _handler.nextPeriod(60);
        _handler.rotate(1, 2);
        _handler.submit(1, 9_000, true, 1);
        _handler.submit(1, 9_000, true, 0);
        _handler.setPolicy(0, 1234567);
        _handler.passTime(1 hours);
        for (uint256 i = 0; i < 40; ++i) {
            _handler.movePrice(0);
        }
        _handler.liquidate(0, 1e10);
        _handler.repay(0, 1e10);
        _handler.pause(0, 1 hours);
        _handler.liftPause(0);
        _handler.sequencer(1);
        _handler.deprecate(1);
        string[15] memory actions = [
            "submit",
            "submit a part",
            "nextPeriod",
            "passTime",
            "movePrice",
            "pause",
            "liftPause",
            "sequencer",
            "deprecate",
            "setPolicy",
            "rotate",
            "borrow",
            "removeCollateral",
            "liquidate",
            "repay"
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            assertGt(_handler.done(actions[i]), 0, actions[i]);
        }
    }
}
