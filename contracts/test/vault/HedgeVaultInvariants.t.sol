// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {HedgeVaultHandler} from "./HedgeVaultHandler.sol";
import {HedgeVaultRaids} from "./HedgeVaultRaids.sol";

/// @notice What operator and attestors can do together at worst, whatever the owner does meanwhile: sell the budgets at the
/// floor, or at the mean price less the slippage where that is more. The handler judges each sale.
/// forge-config: default.invariant.runs = 16
/// forge-config: default.invariant.depth = 100
/// forge-config: long.invariant.runs = 250
/// forge-config: long.invariant.depth = 1000
/// forge-config: default.invariant.fail-on-revert = true
contract HedgeVaultInvariantTest is Test {
    HedgeVaultRaids private _handler;

    function setUp() public {
        _handler = new HedgeVaultRaids();
        _handler.setUp();
        targetContract(address(_handler));
        bytes4[] memory actions = new bytes4[](15);
        (actions[0], actions[1]) = (HedgeVaultHandler.fill.selector, HedgeVaultHandler.withdraw.selector);
        (actions[2], actions[3]) = (HedgeVaultHandler.changeTerms.selector, HedgeVaultHandler.passTime.selector);
        (actions[4], actions[5]) = (HedgeVaultHandler.movePrice.selector, HedgeVaultHandler.holdPrice.selector);
        (actions[6], actions[7]) = (HedgeVaultHandler.attack.selector, HedgeVaultHandler.pauseByOperator.selector);
        (actions[8], actions[9]) = (HedgeVaultHandler.raid.selector, HedgeVaultRaids.donate.selector);
        (actions[10], actions[11]) = (HedgeVaultRaids.callAnything.selector, HedgeVaultRaids.forgery.selector);
        (actions[12], actions[13]) = (HedgeVaultRaids.reenter.selector, HedgeVaultRaids.raidFromWithin.selector);
        actions[14] = HedgeVaultRaids.sandwich.selector;
        targetSelector(FuzzSelector({addr: address(_handler), selectors: actions}));
    }

    /// @dev Says what a campaign did; see `test_AttacksSellAndAreRefused`.
    function afterInvariant() public {
        emit log_named_uint("sales", _handler.sales());
        emit log_named_uint("refused for the market", _handler.refusals(IHedgeVault.TooLittleReceived.selector));
        emit log_named_uint("refused for the period", _handler.refusals(IHedgeVault.PeriodDone.selector));
        emit log_named_uint("refused in a pause", _handler.refusals(IHedgeVault.VaultPaused.selector));
        emit log_named_uint("refused for the budget", _handler.refusals(IHedgeVault.BudgetTooSmall.selector));
        emit log_named_uint("refused for the history", _handler.refusals(IHedgeVault.NoTwap.selector));
        emit log_named_uint("refused as forgeries", _handler.forgeries());
        emit log_named_uint("refused while a sale ran", _handler.reentries());
        emit log_named_uint("refused while the pool was busy", _handler.busyPools());
        emit log_named_uint("sales between two trades of one block", _handler.sandwiches());
    }

    function invariant_TheLossIsWhatIsStated() public view {
        _handler.check();
    }

    /// @dev Raids reach what they are about: each would sell but for what refuses it.
    function test_RaidsAreRefusedForWhatTheyAre() public {
        int64[8] memory logarithms;
        _handler.donate(1e8, 5e6);
        for (uint8 field = 0; field < 8; ++field) {
            _handler.holdPrice(40);
            _handler.forgery(field, uint256(field) << 128 | 77, logarithms, 100e6 + 1, 1.1e6);
            bytes4 refusal = _handler.forgeryRefusal();
            bytes4[4] memory ofMarket = [
                IHedgeVault.NoTwap.selector,
                IHedgeVault.TooLittleReceived.selector,
                IHedgeVault.BudgetTooSmall.selector,
                IHedgeVault.PeriodDone.selector
            ];
            for (uint256 i = 0; i < 4; ++i) {
                assertTrue(refusal != ofMarket[i] && refusal != 0, "refused for another reason");
            }
        }
        assertEq(_handler.forgeries(), 8);
        for (uint8 which = 0; which < 7; ++which) {
            _handler.callAnything(which, which, 1e6, hex"1234");
        }
        _handler.holdPrice(40);
        _handler.reenter(logarithms, 100e6 + 1, 1.1e6, true);
        _handler.holdPrice(40);
        _handler.reenter(logarithms, 100e6 + 1, 1.1e6, false);
        assertEq(_handler.reentries(), 2);
        _handler.holdPrice(40);
        _handler.raidFromWithin(logarithms, 100e6 + 1, 1.1e6, 1e6, true);
        assertEq(_handler.busyPools(), 1);
        assertEq(_handler.sales(), 2);
        _handler.sandwich(logarithms, 100e6 + 1, 1.1e6, 1e5, false);
        assertEq(_handler.sandwiches(), 1);
        _handler.check();
    }

    /// @dev The campaign is about something: sales happen, and refusals for the market's sake.
    function test_AttacksSellAndAreRefused() public {
        int64[8] memory logarithms;
        _handler.attack(logarithms, 100e6 + 1, 1.1e6, 0);
        assertEq(_handler.sales(), 1);
        _handler.attack(logarithms, 100e6 + 1, 1.1e6, 1);
        assertEq(_handler.refusals(IHedgeVault.PeriodDone.selector), 1);
        _handler.passTime(7 days);
        _handler.movePrice(100e8, true);
        _handler.attack(logarithms, 100e6 + 1, 1.1e6, 2);
        assertEq(_handler.refusals(IHedgeVault.TooLittleReceived.selector), 1);
        _handler.holdPrice(40);
        _handler.attack(logarithms, 100e6 + 1, 1.1e6, 2);
        assertEq(_handler.sales(), 2);
        _handler.pauseByOperator(0);
        _handler.passTime(7 days);
        _handler.attack(logarithms, 100e6 + 1, 1.1e6, 2);
        assertEq(_handler.refusals(IHedgeVault.VaultPaused.selector), 1);
        _handler.check();
    }
}
