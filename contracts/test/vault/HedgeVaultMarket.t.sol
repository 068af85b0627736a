// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {HedgeVault} from "../../src/HedgeVault.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {StrangeToken} from "./Tokens.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice A vault against a real pool that is thin, moved or empty, and against tokens that misbehave. Specification:
/// HedgeVault.tree.
contract HedgeVaultMarketTest is VaultFixture {
    /* HISTORY */

    function test_APoolWithoutObservationsIsRefused() public {
        factory.createPool(address(wbtc), address(usdc), 500);
        _useFee(500);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.ThinHistory.selector, 0, 50));
    }

    function test_AThinHistoryIsRefused() public {
        IHedgeVault.Terms memory terms = _terms();
        (,,, uint16 observations,,,) = pool.slot0();
        terms.minObservations = observations + 1;
        _setTerms(terms);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.ThinHistory.selector, observations, observations + 1));
        terms.minObservations = observations;
        _setTerms(terms);
        _execute();
    }

    function test_AYoungHistoryIsRefused() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.twapSeconds = 2 hours;
        _setTerms(terms);
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.NoTwap.selector, 2 hours));
        _age(60);
        _execute();
    }

    /* PRICE */

    /// @dev 2 % lower for a block, then back: what a sandwich does.
    function test_APriceMovedDownBeforeIsRefused() public {
        uint256 dumped = _dump(1_00);
        uint256 snapshot = vm.snapshotState();
        _expectTooLittle();
        vm.revertToState(snapshot);
        // When the price is back, the period is not lost.
        _swap(usdc, wbtc, dumped);
        _execute();
    }

    /// @dev Within the slippage it is sold, for no less than the terms allow.
    function test_AtWorstASandwichTakesTheSlippage() public {
        _dump(80);
        IHedgeVault.Sale memory sale = _execute();
        uint256 fair = sale.sats * sale.twapWad / 1e18 * 997 / 1000;
        assertGe(sale.usdc, fair * 99_00 / 100_00);
        assertLt(sale.usdc, fair * 99_40 / 100_00, "the price had not moved");
    }

    /// @dev A higher price for a block makes the vault receive more, not sell less.
    function test_APriceMovedUpBeforeIsTheOwnersGain() public {
        uint256 snapshot = vm.snapshotState();
        IHedgeVault.Sale memory plain = _execute();
        vm.revertToState(snapshot);
        _swap(usdc, wbtc, 30 * BTC_USD * 1e6);
        IHedgeVault.Sale memory sale = _execute();
        assertApproxEqRel(sale.sats, plain.sats, 0.0001e18);
        assertGt(sale.usdc, plain.usdc);
    }

    /// @dev Held down for half of the time, a price takes the mean with it; the floor stays.
    function test_BelowTheFloorNothingIsSold() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.floorUsdPerBtc = 59_900;
        _setTerms(terms);
        _dump(50);
        vm.warp(block.timestamp + 1 hours);
        _age(10);
        _expectTooLittle();
        terms.floorUsdPerBtc = 59_000;
        _setTerms(terms);
        _execute();
    }

    /* LIQUIDITY */

    function test_OneSidedLiquidityIsRefused() public {
        (int24 lower, int24 upper) = _range(-RANGE_TICKS, RANGE_TICKS);
        pool.burn(lower, upper, LIQUIDITY);
        // WBTC alone, above the price: nobody buys.
        (lower, upper) = _wbtcIsToken0() ? _range(TICK_SPACING, RANGE_TICKS) : _range(-RANGE_TICKS, -TICK_SPACING);
        pool.mint(address(this), lower, upper, LIQUIDITY, "");
        vm.warp(block.timestamp + 1 minutes);
        _expectTooLittle();
    }

    function test_AnEmptyPoolIsRefused() public {
        (int24 lower, int24 upper) = _range(-RANGE_TICKS, RANGE_TICKS);
        pool.burn(lower, upper, LIQUIDITY);
        _expectTooLittle();
    }

    function test_TooLittleLiquidityIsRefused() public {
        (int24 lower, int24 upper) = _range(-RANGE_TICKS, RANGE_TICKS);
        pool.burn(lower, upper, LIQUIDITY - LIQUIDITY / 100);
        _expectTooLittle();
    }

    /* TOKENS */

    function test_WbtcWithAFeeIsRefused() public {
        wbtc.setFee(1);
        _expectRefusal(abi.encodeWithSignature("Error(string)", "IIA")); // the pool counts what it is paid
    }

    function test_UsdcWithAFeeIsRefused() public {
        usdc.setFee(2_00);
        _expectTooLittle();
    }

    function test_UsdcThatRefusesTheOwnerLeavesTheWbtc() public {
        usdc.refuse(OWNER);
        _expectRefusal(abi.encodeWithSignature("Error(string)", "TF")); // of the pool's transfer
        vm.prank(OWNER);
        vault.withdraw(address(wbtc), 10e8);
        assertEq(wbtc.balanceOf(OWNER), 10e8);
    }

    /// @dev From within either token's transfer, nothing can be done that could not be done after it.
    function test_NothingIsSoldTwiceByCallingBack() public {
        StrangeToken[2] memory tokens = [usdc, wbtc];
        IModelRegistry.Update memory update = _update(_outputs());
        bytes memory attestations = _attestationOf(update, _prices());
        bytes memory call = abi.encodeCall(vault.execute, (update, _prices(), attestations));
        uint256 start = PERIOD * WEEK;
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            tokens[i].callBack(address(vault), call);
            IHedgeVault.Sale memory sale = _execute();
            assertEq(tokens[i].refusal(), abi.encodeWithSelector(IHedgeVault.PeriodDone.selector, start, start));
            assertEq(wbtc.balanceOf(address(vault)), 10e8 - sale.sats);
            vm.revertToState(snapshot);
        }
    }

    function test_NobodyIsPaidByCallingBack() public {
        usdc.callBack(address(vault), abi.encodeCall(vault.uniswapV3SwapCallback, (1e8, 1e8, "")));
        IHedgeVault.Sale memory sale = _execute();
        assertEq(usdc.refusal(), abi.encodeWithSelector(IHedgeVault.NotPool.selector, address(usdc)));
        assertEq(wbtc.balanceOf(address(vault)), 10e8 - sale.sats);
    }

    /* HELPERS */

    function _useFee(uint24 feePips) private {
        vault = new HedgeVault(OWNER, registry, factory, address(wbtc), address(usdc), feePips);
        _setTerms(_terms());
    }

    /// @dev Sells until the price is so many bps lower, and says for how much.
    function _dump(uint256 bps) private returns (uint256 received) {
        (uint160 before,,,,,,) = pool.slot0();
        while (true) {
            received += _swap(wbtc, usdc, 1e8);
            (uint160 present,,,,,,) = pool.slot0();
            uint256 ratio = uint256(present) * 1e9 / before; // of square roots
            uint256 moved = ratio < 1e9 ? 1e18 - ratio * ratio : 1e18 - 1e36 / (ratio * ratio);
            if (moved >= bps * 1e14) return received;
        }
    }

    /// @dev Refused for what it would bring, and nothing has changed.
    function _expectTooLittle() private {
        IModelRegistry.Update memory update = _update(_outputs());
        bytes32 before = _everything();
        bytes memory attestations = _attestationOf(update, _prices());
        vm.prank(RELAYER);
        (bool ok, bytes memory reason) =
            address(vault).call(abi.encodeCall(vault.execute, (update, _prices(), attestations)));
        assertFalse(ok, "executed");
        assertEq(bytes4(reason), IHedgeVault.TooLittleReceived.selector);
        assertEq(_everything(), before, "left a trace");
    }
}

/// @notice The same in a pool that has the tokens the other way round.
contract HedgeVaultMarketFlippedTest is HedgeVaultMarketTest {
    function _wbtcIsToken0() internal pure override returns (bool) {
        return false;
    }
}
