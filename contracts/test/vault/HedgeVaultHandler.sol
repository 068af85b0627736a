// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice An operator and attestors who work together against the owner, with as much money as they like, against a vault
/// that the owner fills, changes and empties. After each step the losses are held against what is stated.
contract HedgeVaultHandler is VaultFixture {
    /// @dev What a wrong tick of the mean price is worth, and the pool's rounding.
    uint256 private constant TOLERANCE_E9 = 200_000;

    uint256 public filledSats;
    uint256 public withdrawnSats;
    uint256 public donatedUsdc;
    uint256 public soldSats;
    uint256 public receivedUsdc;
    /// @dev What all sales had to bring by the floors that held.
    uint256 public flooredUsdcE8;
    uint256 public sales;
    mapping(bytes4 reason => uint256) public refusals;
    uint256 public firstUncoveredDay;
    mapping(uint256 periodStart => uint256) public soldInPeriod;

    address private immutable ATTACKER = makeAddr("trader");

    function setUp() public virtual override {
        super.setUp();
        filledSats = 10e8;
    }

    /* THE OWNER */

    function fill(uint64 sats) external {
        sats = uint64(bound(sats, 1, 20e8));
        wbtc.mint(address(vault), sats);
        filledSats += sats;
        vm.prank(OWNER);
        vault.unpause();
    }

    function withdraw(uint64 sats) external {
        uint256 balance = wbtc.balanceOf(address(vault));
        uint256 amount = bound(sats, 0, balance / 4);
        vm.prank(OWNER);
        vault.withdraw(address(wbtc), amount);
        withdrawnSats += amount;
    }

    /// @dev Honest, if hasty.
    function changeTerms(uint8 months, uint32 watts, uint16 slippageBps, uint32 floor, uint64 budget) external {
        IHedgeVault.Terms memory terms = _terms();
        terms.months = uint8(bound(months, 2, 5));
        terms.watts = uint32(bound(watts, 1, 20_000_000));
        terms.slippageBps = uint16(bound(slippageBps, 0, 10_00));
        terms.floorUsdPerBtc = uint32(bound(floor, 1, 60_000));
        terms.maxPerPeriodSats = uint64(bound(budget, 0, 10e8));
        terms.maxInAllSats = uint64(soldSats + terms.maxPerPeriodSats * 3);
        terms.deadline = uint40(block.timestamp + 365 days);
        _setTerms(terms);
        vm.prank(OWNER);
        vault.unpause();
    }

    /* THE WORLD */

    function passTime(uint32 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 10 days));
    }

    /// @dev The attackers move the price, either way, by up to 5 %, within what liquidity there is.
    function movePrice(uint64 amount, bool down) public {
        amount = uint64(bound(amount, 1e4, 100e8));
        vm.warp(block.timestamp + 12);
        _directed(down) ? _swap(wbtc, usdc, amount) : _swap(usdc, wbtc, uint256(amount) * BTC_USD / 100);
    }

    /// @dev The way that the price may still go.
    function _directed(bool down) internal view returns (bool) {
        (uint160 present,,,,,,) = pool.slot0();
        if (present < _sqrtPriceX96(BTC_USD * 9 / 10)) return false;
        if (present > _sqrtPriceX96(BTC_USD * 11 / 10)) return true;
        return down;
    }

    /// @dev They hold the price where it is for as long as they like.
    function holdPrice(uint16 minutes_) external {
        _age(bound(minutes_, 1, 40));
    }

    /* THE ATTACKERS */

    function pauseByOperator(uint8 seldom) external {
        if (seldom % 4 != 0) return;
        vm.prank(OPERATOR);
        vault.pause();
    }

    /// @dev A week later, with the price moved right before it, or not.
    function raid(int64[8] calldata logarithmsE3, uint64 eur, uint64 usd, uint64 amount, uint8 how) external {
        vm.warp(block.timestamp + WEEK);
        if (how % 3 != 0) movePrice(amount, how % 3 == 1);
        attack(logarithmsE3, eur, usd, how / 3);
    }

    /// @dev Everything that is signed is what suits them.
    function attack(int64[8] calldata logarithmsE3, uint64 eur, uint64 usd, uint8 by) public {
        (IModelRegistry.Update memory update, IHedgeVault.Prices memory prices) = _suiting(logarithmsE3, eur, usd);
        address[4] memory callers = [OPERATOR, RELAYER, STRANGER, OWNER];
        _attack(update, prices, callers[by % 4]);
    }

    function _suiting(int64[8] calldata logarithmsE3, uint64 eur, uint64 usd)
        internal
        view
        returns (IModelRegistry.Update memory update, IHedgeVault.Prices memory prices)
    {
        int128[] memory outputs = new int128[](8);
        for (uint256 i = 0; i < 8; ++i) {
            outputs[i] = int128((bound(logarithmsE3[i], -60_000, 60_000) << OUTPUT_SCALE) / 1000);
        }
        update = _update(outputs);
        // Sensible prices as well as any: of the latter nearly all sell the whole budget for a day.
        prices = eur % 2 == 0
            ? IHedgeVault.Prices(eur, usd)
            : IHedgeVault.Prices(uint64(bound(eur, 1e6, 1000e6)), uint64(bound(usd, 0.5e6, 2e6)));
    }

    function _attack(IModelRegistry.Update memory update, IHedgeVault.Prices memory prices, address caller) internal {
        bytes memory attestations = _attestationOf(update, prices);
        uint256 vaultBefore = wbtc.balanceOf(address(vault));
        uint256 ownerBefore = usdc.balanceOf(OWNER);
        uint256 leastWad = _meanPriceWad();
        vm.prank(caller);
        try vault.execute(update, prices, attestations) returns (IHedgeVault.Sale memory sale) {
            uint256 gone = vaultBefore - wbtc.balanceOf(address(vault));
            uint256 received = usdc.balanceOf(OWNER) - ownerBefore;
            assertEq(gone, sale.sats, "sold otherwise than told");
            assertEq(received, sale.usdc, "received otherwise than told");
            _judge(sale, leastWad, update.period * WEEK);
        } catch (bytes memory reason) {
            assertGe(reason.length, 4, "refused without a reason");
            ++refusals[bytes4(reason)];
        }
    }

    /// @dev What is stated of a sale, computed otherwise than the vault does.
    function _judge(IHedgeVault.Sale memory sale, uint256 meanWad, uint256 periodStart) private {
        IHedgeVault.Terms memory terms = vault.terms();
        assertGe(sale.usdc * 1e8, uint256(sale.sats) * terms.floorUsdPerBtc * 1e6, "below the floor");
        uint256 fairE9 = sale.sats * meanWad / 1e9 * (1e6 - FEE_PIPS) / 1e6 * (1e4 - terms.slippageBps) / 1e4;
        assertGe((sale.usdc + 1) * 1e9, fairE9 - fairE9 / 1e9 * TOLERANCE_E9, "below the slippage");
        assertLe(sale.sats, terms.maxPerPeriodSats, "above the period's budget");
        assertLe(vault.state().soldSats, terms.maxInAllSats, "above the budget");
        assertGe(sale.fromDay, firstUncoveredDay, "a day sold for twice");
        assertGe(sale.fromDay, block.timestamp / 1 days, "a day that is over");
        assertLe(sale.untilDay, periodStart / 1 days + 30 * terms.months, "beyond the horizon");
        assertLt(sale.fromDay, sale.untilDay, "no day");
        assertEq(soldInPeriod[periodStart], 0, "twice in a period");
        soldInPeriod[periodStart] = sale.sats;
        firstUncoveredDay = sale.untilDay;
        soldSats += sale.sats;
        receivedUsdc += sale.usdc;
        flooredUsdcE8 += uint256(sale.sats) * terms.floorUsdPerBtc * 1e6;
        ++sales;
    }

    /// @dev By the tick, as Uniswap's own libraries do it; zero where the pool does not know.
    function _meanPriceWad() private view returns (uint256) {
        uint32[] memory secondsAgos = new uint32[](2);
        secondsAgos[0] = vault.terms().twapSeconds;
        try pool.observe(secondsAgos) returns (int56[] memory sums, uint160[] memory) {
            int24 tick = int24((sums[1] - sums[0]) / int56(uint56(secondsAgos[0])));
            uint256 root = TickMath.getSqrtPriceAtTick(tick);
            return FixedPointMathLib.fullMulDiv(root * root, 1e18, 1 << 192);
        } catch {
            return 0;
        }
    }

    /* WHAT HOLDS BETWEEN STEPS */

    function check() external view {
        assertEq(filledSats, wbtc.balanceOf(address(vault)) + withdrawnSats + soldSats, "WBTC went elsewhere");
        assertEq(wbtc.balanceOf(OWNER), withdrawnSats);
        assertEq(usdc.balanceOf(OWNER), receivedUsdc);
        assertEq(usdc.balanceOf(address(vault)), donatedUsdc, "USDC stays");
        assertEq(vault.state().soldSats, soldSats);
        assertGe(receivedUsdc * 1e8, flooredUsdcE8, "loss beyond the floor");
        assertEq(wbtc.allowance(address(vault), address(pool)), 0);
        assertEq(wbtc.allowance(address(vault), address(router)), 0);
    }
}
