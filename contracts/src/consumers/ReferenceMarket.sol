// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IAggregatorV3} from "../interfaces/external/IAggregatorV3.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {BPS} from "../libraries/Units.sol";
import {ReferenceAccounts} from "./ReferenceAccounts.sol";
import {VeriRegimeConsumer} from "./VeriRegimeConsumer.sol";

/// @title ReferenceMarket
/// @notice A small lending market with one collateral and one debt token that reads a risk oracle as it should be read: new
/// risk follows the borrow side, liquidation only the ramped liquidation ratio, and repaying never depends on the oracle.
/// @dev A reference, not a product. Rounding is to the market's side. Bad debt stays with its account, and with the lenders.
contract ReferenceMarket is ReferenceAccounts {
    using SafeTransferLib for address;
    using VeriRegimeConsumer for IRiskParameters;

    /// @notice What a liquidator gets on top of the collateral for the debt repaid, in bps.
    uint256 public constant LIQUIDATION_BONUS_BPS = 5_00;

    /// @notice Oldest price that counts, in seconds.
    uint256 public constant MAX_PRICE_AGE_SECONDS = 1 hours;

    /// @notice Price of one smallest unit of collateral in smallest units of debt, times `priceUnit`.
    IAggregatorV3 public immutable priceFeed;
    uint256 public immutable priceUnit;

    IRiskParameters public immutable oracle;
    bytes32 public immutable market;

    /// @notice Most debt there may be while the oracle's borrow cap factor is 100 %.
    uint256 public immutable borrowCap;

    /// @notice The liquidation ratio that was read last, in bps of the debt. It holds while the oracle cannot be read, so that
    /// this neither makes a healthy position liquidatable nor keeps an unhealthy one from being liquidated.
    uint256 public lastLiquidationRatioBps;

    event Liquidated(address indexed borrower, address indexed liquidator, uint256 repaid, uint256 seized);

    /// @notice Thrown when the oracle has no forecast to lend on: unset, withheld or unreadable.
    error BorrowingClosed(IRiskParameters.Status status);

    /// @notice Thrown when a new borrow, or a withdrawal, would leave too little collateral.
    error NotEnoughCollateral(uint256 collateralValue, uint256 required);

    /// @notice Thrown when a new borrow would exceed the usable share of the cap.
    error BorrowCapReached(uint256 totalDebt, uint256 usableCap);

    /// @notice Thrown when a position that is not below the liquidation ratio is to be liquidated.
    error Healthy(address borrower);

    /// @notice Thrown when the price is not positive, or too old.
    error PriceUnusable(int256 price, uint256 updatedAt);

    constructor(
        address collateralToken_,
        address debtToken_,
        IAggregatorV3 priceFeed_,
        IRiskParameters oracle_,
        bytes32 market_,
        uint256 borrowCap_
    ) ReferenceAccounts(collateralToken_, debtToken_) {
        (priceFeed, oracle, market, borrowCap) = (priceFeed_, oracle_, market_, borrowCap_);
        priceUnit = 10 ** priceFeed_.decimals();
        if (rememberLiquidationRatio() == 0) revert BorrowingClosed(IRiskParameters.Status.Unset);
    }

    /// @notice Takes collateral out. With debt, what remains must be enough for a new borrow.
    function removeCollateral(uint256 amount) external {
        Position memory position = positions[msg.sender];
        if (amount > position.collateral) revert InvalidAmount(amount, position.collateral);
        _setCollateral(msg.sender, position.collateral - amount);
        if (position.debt != 0) _checkNewRisk(msg.sender);
        collateralToken.safeTransfer(msg.sender, amount);
    }

    /// @notice Borrows. Needs the oracle's borrow ratio and room under the usable share of the cap.
    function borrow(uint256 amount) external {
        rememberLiquidationRatio();
        _setDebt(msg.sender, positions[msg.sender].debt + amount);
        IRiskParameters.Params memory current = _checkNewRisk(msg.sender);
        uint256 usableCap = borrowCap * current.borrowCapFactorBps / BPS;
        if (totalDebt > usableCap) revert BorrowCapReached(totalDebt, usableCap);
        debtToken.safeTransfer(msg.sender, amount);
    }

    /// @notice Repays debt of a position below the liquidation ratio for its worth in collateral and a bonus.
    function liquidate(address borrower, uint256 amount) external {
        rememberLiquidationRatio();
        if (!isLiquidatable(borrower)) revert Healthy(borrower);
        Position memory position = positions[borrower];
        uint256 repaid = FixedPointMathLib.min(amount, position.debt);
        uint256 worth = FixedPointMathLib.fullMulDiv(repaid, priceUnit, priceOrRevert());
        uint256 seized = FixedPointMathLib.min(worth * (BPS + LIQUIDATION_BONUS_BPS) / BPS, position.collateral);
        _setDebt(borrower, position.debt - repaid);
        _setCollateral(borrower, position.collateral - seized);
        debtToken.safeTransferFrom(msg.sender, address(this), repaid);
        collateralToken.safeTransfer(msg.sender, seized);
        emit Liquidated(borrower, msg.sender, repaid, seized);
    }

    /* READS */

    /// @notice Whether a position's collateral is worth less than the liquidation ratio asks for.
    function isLiquidatable(address borrower) public view returns (bool) {
        Position memory position = positions[borrower];
        if (position.debt == 0) return false;
        return _collateralValue(position) * BPS < position.debt * liquidationRatioBps();
    }

    /// @notice The ratio below which positions are liquidated, in bps of the debt. Every status has the same one.
    function liquidationRatioBps() public view returns (uint256) {
        (bool ok, IRiskParameters.Params memory current,) = oracle.tryParams(market);
        return ok ? current.liquidationCollateralRatioBps : lastLiquidationRatioBps;
    }

    /// @notice Reads the liquidation ratio and keeps it. For anyone; every borrow and liquidation does.
    function rememberLiquidationRatio() public returns (uint256 ratioBps) {
        ratioBps = liquidationRatioBps();
        if (ratioBps != lastLiquidationRatioBps) lastLiquidationRatioBps = ratioBps;
    }

    /// @notice The feed's price. Reverts with `PriceUnusable`.
    function priceOrRevert() public view returns (uint256) {
        (, int256 price,, uint256 updatedAt,) = priceFeed.latestRoundData();
        if (price <= 0 || updatedAt + MAX_PRICE_AGE_SECONDS < block.timestamp) revert PriceUnusable(price, updatedAt);
        return uint256(price);
    }

    /// @dev Stale parameters are the oracle's own cautious ones: they still lend. Without a forecast nothing new is lent.
    function _checkNewRisk(address borrower) private view returns (IRiskParameters.Params memory current) {
        bool ok;
        IRiskParameters.Status status;
        (ok, current, status) = oracle.tryParams(market);
        if (!ok || status == IRiskParameters.Status.Unset || status == IRiskParameters.Status.Withheld) {
            revert BorrowingClosed(status);
        }
        Position memory position = positions[borrower];
        uint256 required = FixedPointMathLib.fullMulDivUp(position.debt, current.borrowCollateralRatioBps, BPS);
        uint256 value = _collateralValue(position);
        if (value < required) revert NotEnoughCollateral(value, required);
    }

    function _collateralValue(Position memory position) private view returns (uint256) {
        return FixedPointMathLib.fullMulDiv(position.collateral, priceOrRevert(), priceUnit);
    }
}
