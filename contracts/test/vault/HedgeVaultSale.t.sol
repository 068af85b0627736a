// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {HedgeVault} from "../../src/HedgeVault.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {setOutput} from "../Packed.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice What a vault sells, for which days, and when it refuses to. Specification: HedgeVault.tree.
contract HedgeVaultSaleTest is VaultFixture {
    /// @dev Dollars for a day of a megawatt at 110 dollars.
    uint256 private constant DAY_USD = 2640;

    /* WHAT IS SOLD */

    function test_SellsWhatPaysTheElectricity() public {
        IHedgeVault.Sale memory sale = _execute();
        assertEq(sale.fromDay, FIRST_DAY);
        assertEq(sale.untilDay, FIRST_DAY + 60);
        assertApproxEqRel(sale.twapWad, 600e18, 0.0001e18);
        // 158,400 dollars at 60,000, and the pool's fee on top.
        assertApproxEqRel(sale.sats, 60 * DAY_USD * 1e8 / BTC_USD * 1000 / 997, 0.0001e18);
        assertApproxEqRel(sale.usdc, 60 * DAY_USD * 1e6, 0.001e18);
        assertEq(usdc.balanceOf(OWNER), sale.usdc);
        assertEq(usdc.balanceOf(address(vault)), 0);
        assertEq(wbtc.balanceOf(address(vault)), 10e8 - sale.sats);
        IHedgeVault.State memory state = vault.state();
        assertEq(state.lastPeriodStart, PERIOD * WEEK);
        assertEq(state.coveredUntilDay, sale.untilDay);
        assertEq(state.soldSats, sale.sats);
    }

    /// @dev To the unit: days times price over the time-weighted price, rounded up.
    function testFuzz_TheAmountIsTheFormula(uint32 watts, uint16 shareBps, uint64 eur, uint64 usd, int16 logE3) public {
        IHedgeVault.Terms memory terms = _terms();
        terms.watts = uint32(bound(watts, 1_000, 3_000_000));
        terms.shareBps = uint16(bound(shareBps, 1_00, 100_00));
        _setTerms(terms);
        IHedgeVault.Prices memory prices =
            IHedgeVault.Prices(uint64(bound(eur, 10e6, 200e6)), uint64(bound(usd, 0.5e6, 1.5e6)));
        IHedgeVault.Sale memory sale = _execute(vault, _outputsOf(bound(logE3, -700, 0)), prices);
        // In the same unit: what the days cost at the last month's price, and what WBTC's unit brings. The forecast is at
        // most that price, and at least half.
        uint256 cost = uint256(sale.untilDay - sale.fromDay) * terms.watts * 24 * prices.eurPerMwhE6
            * prices.usdPerEurE6 * terms.shareBps * 1e18;
        uint256 worth = sale.twapWad * 1e16 * 997 / 1000;
        assertLe(sale.sats, cost / worth + 1);
        assertGe(uint256(sale.sats) * 20_138 / 10_000 + 3, cost / worth);
        assertLe(sale.sats, terms.maxPerPeriodSats);
    }

    function test_TellsEverything() public {
        IModelRegistry.Update memory update = _update(_outputs());
        bytes memory attestations = _attestationOf(update, _prices());
        uint256 snapshot = vm.snapshotState();
        IHedgeVault.Sale memory sale = vault.execute(update, _prices(), attestations);
        vm.revertToState(snapshot);
        vm.expectEmit(address(vault));
        emit IHedgeVault.ForecastUsed(modelId, PERIOD, update.features, update.outputs, keccak256(update.proof));
        vm.expectEmit(address(vault));
        emit IHedgeVault.Sold(modelId, PERIOD, RELAYER, _prices(), sale);
        vm.prank(RELAYER);
        vault.execute(update, _prices(), attestations);
    }

    function test_TheHorizonTakesItsOutput() public {
        for (uint8 months = 2; months <= 5; ++months) {
            uint256 snapshot = vm.snapshotState();
            IHedgeVault.Terms memory terms = _terms();
            (terms.months, terms.watts) = (months, 100_000);
            _setTerms(terms);
            IHedgeVault.Sale memory sale = _execute();
            assertEq(sale.untilDay - sale.fromDay, months * 30);
            uint256 ratio = months == 2 ? 1e18 : months == 3 ? 1.105171e18 : months == 4 ? 1.221403e18 : 1.349859e18;
            uint256 dollars = months * 30 * DAY_USD / 10 * ratio / 1e18;
            assertApproxEqRel(sale.sats, dollars * 1e8 / BTC_USD * 1000 / 997, 0.0005e18);
            vm.revertToState(snapshot);
        }
    }

    /// @dev A price that doubles, or halves, is what readers believe at most.
    function test_OutputsBeyondAFactorOfTwoAreClipped() public {
        uint256[4] memory sold;
        int256[4] memory logarithms = [int256(700), 5000, -700, -5000];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            IHedgeVault.Terms memory terms = _terms();
            terms.watts = 100_000;
            _setTerms(terms);
            sold[i] = _execute(vault, _outputsOf(logarithms[i]), _prices()).sats;
            vm.revertToState(snapshot);
        }
        assertApproxEqAbs(sold[0], sold[1], 2);
        assertApproxEqAbs(sold[2], sold[3], 2);
        assertApproxEqRel(sold[0], sold[2] * 4.0552e6 / 1e6, 0.0001e18);
    }

    function test_AShareIsCovered() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.shareBps = 25_00;
        _setTerms(terms);
        IHedgeVault.Sale memory sale = _execute();
        assertEq(sale.untilDay - sale.fromDay, 60);
        assertApproxEqRel(sale.usdc, 15 * DAY_USD * 1e6, 0.001e18);
    }

    /* DAYS */

    function test_TheNextPeriodCoversTheDaysSince() public {
        IHedgeVault.Sale memory first = _execute();
        _nextPeriod(1);
        IHedgeVault.Sale memory second = _execute();
        assertEq(second.fromDay, first.untilDay);
        assertEq(second.untilDay, first.untilDay + 7);
        assertApproxEqRel(second.usdc, 7 * DAY_USD * 1e6, 0.002e18);
    }

    function test_ABudgetCoversWholeDaysAndTheNextPeriodGoesOn() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.maxPerPeriodSats = 1e8; // 22.6 days
        _setTerms(terms);
        IHedgeVault.Sale memory first = _execute();
        assertEq(first.untilDay - first.fromDay, 22);
        assertLe(first.sats, 1e8);
        _nextPeriod(1);
        IHedgeVault.Sale memory second = _execute();
        assertEq(second.fromDay, first.untilDay);
        assertEq(second.untilDay - second.fromDay, 22);
    }

    function test_DaysThatAreOverAreNotSoldFor() public {
        vm.warp(block.timestamp + 3 days);
        _age(60);
        IHedgeVault.Sale memory sale = _execute();
        assertEq(sale.fromDay, FIRST_DAY + 3);
        assertEq(sale.untilDay, FIRST_DAY + 60);
        _nextPeriod(10);
        sale = _execute();
        assertEq(sale.fromDay, FIRST_DAY + 73);
    }

    function test_NothingIsSoldForCoveredDays() public {
        IHedgeVault.Terms memory terms = _terms();
        (terms.months, terms.watts) = (5, 100_000);
        _setTerms(terms);
        _execute();
        terms.months = 2;
        _setTerms(terms);
        _nextPeriod(1);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.NothingToCover.selector, FIRST_DAY + 150));
    }

    /// Where the covered days end on the very day that the terms reach to, nothing is left, and it is said so.
    function test_NothingIsSoldWhereTheCoveredDaysEndWithTheTerms() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.months = 5;
        _setTerms(terms);
        uint256 snapshot = vm.snapshotState();
        IHedgeVault.Sale memory sale = _execute();
        uint256 daysSold = sale.untilDay - sale.fromDay;
        vm.revertToState(snapshot);
        terms.maxPerPeriodSats = uint64((uint256(sale.sats) * 67 + daysSold - 1) / daysSold);
        _setTerms(terms);
        assertEq(_execute().untilDay, FIRST_DAY + 67);
        terms.months = 2;
        _setTerms(terms);
        _nextPeriod(1);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.NothingToCover.selector, FIRST_DAY + 67));
    }

    /* BUDGETS */

    function test_TheBudgetInAllEnds() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.maxInAllSats = 3e8;
        _setTerms(terms);
        uint256 sold = _execute().sats;
        _nextPeriod(4);
        sold += _execute().sats;
        assertLe(sold, 3e8);
        assertGt(sold, 2.95e8);
        _nextPeriod(4);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.BudgetTooSmall.selector, 3e8 - sold));
        // Below what is sold already: nothing is left, and nothing underflows.
        terms.maxInAllSats = 1;
        _setTerms(terms);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.BudgetTooSmall.selector, 0));
    }

    function test_ABalanceBelowADayIsKept() public {
        vm.prank(OWNER);
        vault.withdraw(address(wbtc), 10e8 - 4_000_000); // a day costs 0.0441 bitcoin
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.BudgetTooSmall.selector, 4_000_000));
        wbtc.mint(address(vault), 500_000);
        IHedgeVault.Sale memory sale = _execute();
        assertEq(sale.untilDay - sale.fromDay, 1);
    }

    /* WHEN */

    function test_APeriodSellsOnce() public {
        _execute();
        uint256 start = PERIOD * WEEK;
        verifier.behave(verifier.behaviour()); // as before: what follows is refused before it is asked
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.PeriodDone.selector, start, start));
    }

    /// @dev A second model of the same country in the overlap is no second turn.
    function test_APeriodSellsOnceWhateverTheModel() public {
        _execute();
        IModelRegistry.ModelSpec memory spec = _spec();
        spec.manifestSha256 = keccak256("a successor");
        spec.markets[0] = keccak256("DEU/2");
        IHedgeVault.Terms memory terms = _terms();
        modelId = terms.modelId = _register(spec);
        terms.months = 5;
        _setTerms(terms);
        uint256 start = PERIOD * WEEK;
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.PeriodDone.selector, start, start));
    }

    function test_AfterTheDeadlineNothingIsSold() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.deadline = uint40(block.timestamp - 1);
        _setTerms(terms);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.DeadlineOver.selector, terms.deadline));
        terms.deadline = uint40(block.timestamp);
        _setTerms(terms);
        _execute();
    }

    function test_TheOperatorComesFirstAndAnyoneAfter() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.operatorSeconds = 1 days;
        _setTerms(terms);
        uint256 open = PERIOD * WEEK + 1 days;
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.OperatorFirst.selector, open));
        IModelRegistry.Update memory update = _update(_outputs());
        bytes memory attestations = _attestationOf(update, _prices());
        address[2] memory first = [OPERATOR, OWNER];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(first[i]);
            vault.execute(update, _prices(), attestations);
            vm.revertToState(snapshot);
        }
        vm.warp(open);
        _execute();
    }

    /* WHOSE FORECAST */

    function test_AForeignModelIsRefused() public {
        IModelRegistry.ModelSpec memory spec = _spec();
        spec.markets[0] = keccak256("FRA");
        modelId = _register(spec);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.ForeignModel.selector, modelId));
    }

    function test_TheRegistryRefuses() public {
        verifier.behave(verifier.behaviour());
        IModelRegistry.Update memory update = _update(_outputs());
        setOutput(update.outputs, 0, 1);
        _expectRefusal(update, _prices(), abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor));
        update = _update(_outputs());
        update.period -= 1;
        bytes memory stale = abi.encodeWithSelector(IModelRegistry.StalePeriod.selector, PERIOD - 1, PERIOD);
        _expectRefusal(update, _prices(), stale);
        vm.prank(REGISTRY_OWNER);
        registry.deprecateModel(modelId);
        _expectRefusal(abi.encodeWithSelector(IModelRegistry.ModelNotActive.selector, modelId));
    }

    function test_PricesAreStatedForTheirPeriodModelAndSet() public {
        IModelRegistry.Update memory update = _update(_outputs());
        bytes memory good = _attestationOf(update, _prices());
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor);
        IHedgeVault.Prices memory other = _prices();
        other.eurPerMwhE6 += 1;
        vm.expectRevert(refusal);
        vault.execute(update, other, good);
        other = _prices();
        other.usdPerEurE6 += 1;
        vm.expectRevert(refusal);
        vault.execute(update, other, good);
        // Of the period before.
        update.period -= 1;
        bytes memory earlier = _attestationOf(update, _prices());
        update.period += 1;
        vm.expectRevert(refusal);
        vault.execute(update, _prices(), earlier);
        // The update's own attestation is none of the prices.
        vm.expectRevert(refusal);
        vault.execute(update, _prices(), update.attestations);
        vm.expectRevert(IModelRegistry.MalformedAttestations.selector);
        vault.execute(update, _prices(), "");
        vm.expectRevert(IModelRegistry.MalformedAttestations.selector);
        vault.execute(update, _prices(), bytes.concat(good, hex"00"));
    }

    function test_AnOlderSetsStatementsAreWorthNothing() public {
        bytes memory old = _attestationOf(_update(_outputs()), _prices());
        address[] memory same = new address[](1);
        same[0] = attestor;
        vm.startPrank(REGISTRY_OWNER);
        registry.schedule(abi.encodeCall(registry.setAttestors, (same, 1)));
        registry.setAttestors(same, 1);
        vm.stopPrank();
        IModelRegistry.Update memory update = _update(_outputs());
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor));
        vault.execute(update, _prices(), old);
    }

    function test_APriceOfZeroIsNone() public {
        bytes memory refusal = abi.encodeWithSelector(IHedgeVault.InvalidPrices.selector);
        _expectRefusal(_update(_outputs()), IHedgeVault.Prices(0, 1.1e6), refusal);
        _expectRefusal(_update(_outputs()), IHedgeVault.Prices(100e6, 0), refusal);
    }

    /* OTHERS */

    function test_VaultsAreApart() public {
        address neighbour = makeAddr("neighbour");
        HedgeVault second = _newVault(neighbour);
        bytes32 before = _everything();
        // One forecast, one statement of prices, both vaults.
        IHedgeVault.Sale memory theirs = _execute(second, _outputs(), _prices());
        assertEq(_everything(), before);
        assertEq(usdc.balanceOf(neighbour), theirs.usdc);
        IHedgeVault.Sale memory ours = _execute();
        assertEq(usdc.balanceOf(OWNER), ours.usdc);
        assertEq(ours.untilDay, theirs.untilDay);
    }
}

/// @notice The same in a pool that has the tokens the other way round.
contract HedgeVaultSaleFlippedTest is HedgeVaultSaleTest {
    function _wbtcIsToken0() internal pure override returns (bool) {
        return false;
    }
}
