// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IHedgeVault} from "../interfaces/IHedgeVault.sol";
import {BPS, PIPS} from "./Units.sol";

/// @title HedgeMath
/// @notice From a forecast of the electricity price to WBTC to sell: which days, how much, and for no less than what.
/// @dev Prices are at most `2**64`, watts at most `2**32`, so that a product of all stays below `2**247`.
library HedgeMath {
    using FixedPointMathLib for uint256;

    /// @notice Outputs of a model: a logarithm for each horizon, then a half-width for each.
    uint256 internal constant OUTPUTS = 8;

    /// @notice Horizons: of 2 to 5 months.
    uint256 internal constant FIRST_MONTHS = 2;
    uint256 internal constant LAST_MONTHS = 5;

    /// @notice Largest logarithm of a ratio that is believed: a price that doubles, or halves.
    int256 internal constant MAX_LOG_RATIO_WAD = 0.7e18;

    uint256 private constant MONTH_DAYS = 30;
    int256 private constant WAD = 1e18;
    uint256 private constant BTC_SATS = 1e8;
    uint256 private constant USDC_UNITS = 1e6;
    /// @dev Both prices' 1e6, watt-hours in a megawatt-hour, and bps, less the 1e6 units of a USDC.
    uint256 private constant UNITS = 1e6 * 1e6 * 1e6 * BPS / USDC_UNITS;

    /// @notice Which days to pay, and the WBTC that pays them. Whole days, so that nothing sold is lost by rounding.
    /// @param output The model's for the terms' horizon.
    /// @param availableSats What budgets and balance allow.
    /// @param feePips The pool's fee, which the sale is to pay beside the electricity.
    function saleOf(
        IHedgeVault.Terms memory terms,
        IHedgeVault.State memory state,
        IHedgeVault.Prices calldata prices,
        int256 output,
        uint256 periodStart,
        uint256 availableSats,
        uint256 twapWad,
        uint256 feePips
    ) internal view returns (IHedgeVault.Sale memory sale) {
        uint256 from = uint256(state.coveredUntilDay).max(block.timestamp / 1 days);
        uint256 until = periodStart / 1 days + terms.months * MONTH_DAYS;
        if (from >= until) revert IHedgeVault.NothingToCover(from);
        uint256 cost = dailyCost(terms, prices, ratioWad(output, state.outputScale));
        if (cost == 0) revert IHedgeVault.InvalidPrices();
        // slither-disable-next-line divide-before-multiply (a price of 18 decimals loses less than a unit of the sale)
        uint256 worth = twapWad * (PIPS - feePips) / PIPS * UNITS;
        uint256 count = availableSats.fullMulDiv(worth, cost).min(until - from);
        // slither-disable-next-line incorrect-equality (no whole day is paid)
        if (count == 0) revert IHedgeVault.BudgetTooSmall(availableSats);
        sale.sats = uint64(count.fullMulDivUp(cost, worth));
        (sale.fromDay, sale.untilDay) = (uint32(from), uint32(from + count));
        sale.twapWad = twapWad;
    }

    /// @notice Fewest units of USDC for a sale, rounded up.
    function minUsdc(IHedgeVault.Terms memory terms, IHedgeVault.Sale memory sale, uint256 feePips)
        internal
        pure
        returns (uint256)
    {
        uint256 fair = uint256(sale.sats).fullMulDiv(sale.twapWad * (PIPS - feePips), uint256(WAD) * PIPS);
        uint256 slipped = (fair * (BPS - terms.slippageBps)).divUp(BPS);
        return slipped.max((uint256(sale.sats) * terms.floorUsdPerBtc * USDC_UNITS).divUp(BTC_SATS));
    }

    /// @notice What a day's electricity costs, in `1e-18` of a unit of USDC times `UNITS`.
    function dailyCost(IHedgeVault.Terms memory terms, IHedgeVault.Prices calldata prices, uint256 ratio)
        internal
        pure
        returns (uint256)
    {
        return uint256(prices.eurPerMwhE6) * prices.usdPerEurE6 * terms.watts * 24 * terms.shareBps * ratio;
    }

    /// @notice The ratio that an output stands for, wad.
    function ratioWad(int256 output, uint256 scale) internal pure returns (uint256) {
        int256 logarithm = FixedPointMathLib.clamp((output * WAD) >> scale, -MAX_LOG_RATIO_WAD, MAX_LOG_RATIO_WAD);
        return uint256(FixedPointMathLib.expWad(logarithm));
    }
}
