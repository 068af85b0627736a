// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @title ReferenceAccounts
/// @notice The accounts of a lending market with one collateral and one debt token, and what is done with them that asks
/// neither price nor oracle: lending, taking back, adding collateral, repaying.
/// @dev There is no interest, and lenders may withdraw what is not lent. Tokens must move exactly what they are told to.
abstract contract ReferenceAccounts {
    using SafeTransferLib for address;

    /// @notice A borrower's account, in the tokens' smallest units.
    struct Position {
        uint128 collateral;
        uint128 debt;
    }

    address public immutable collateralToken;
    address public immutable debtToken;

    mapping(address borrower => Position) public positions;
    mapping(address lender => uint256) public lent;
    uint256 public totalDebt;

    event Lent(address indexed lender, uint256 amount);
    event Withdrawn(address indexed lender, uint256 amount);
    event CollateralChanged(address indexed borrower, uint256 collateral);
    event DebtChanged(address indexed borrower, uint256 debt);

    /// @notice Thrown when an amount is more than there is, or than an account holds.
    error InvalidAmount(uint256 amount, uint256 available);

    constructor(address collateralToken_, address debtToken_) {
        (collateralToken, debtToken) = (collateralToken_, debtToken_);
    }

    /// @notice Lends debt tokens to the market.
    function lend(uint256 amount) external {
        lent[msg.sender] += amount;
        debtToken.safeTransferFrom(msg.sender, address(this), amount);
        emit Lent(msg.sender, amount);
    }

    /// @notice Takes lent tokens back, as far as they are not borrowed.
    function withdraw(uint256 amount) external {
        if (amount > lent[msg.sender]) revert InvalidAmount(amount, lent[msg.sender]);
        lent[msg.sender] -= amount;
        debtToken.safeTransfer(msg.sender, amount);
        emit Withdrawn(msg.sender, amount);
    }

    /// @notice Adds collateral. Never depends on price or oracle.
    function addCollateral(address borrower, uint256 amount) external {
        _setCollateral(borrower, positions[borrower].collateral + amount);
        collateralToken.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Repays somebody's debt, at most all of it. Never depends on price or oracle.
    function repay(address borrower, uint256 amount) external {
        uint256 repaid = FixedPointMathLib.min(amount, positions[borrower].debt);
        _setDebt(borrower, positions[borrower].debt - repaid);
        debtToken.safeTransferFrom(msg.sender, address(this), repaid);
    }

    function _setCollateral(address borrower, uint256 collateral) internal {
        if (collateral > type(uint128).max) revert InvalidAmount(collateral, type(uint128).max);
        positions[borrower].collateral = uint128(collateral);
        emit CollateralChanged(borrower, collateral);
    }

    function _setDebt(address borrower, uint256 debt) internal {
        if (debt > type(uint128).max) revert InvalidAmount(debt, type(uint128).max);
        totalDebt = totalDebt - positions[borrower].debt + debt;
        positions[borrower].debt = uint128(debt);
        emit DebtChanged(borrower, debt);
    }
}
