// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {ReferenceAccounts} from "../../src/consumers/ReferenceAccounts.sol";
import {ReferenceMarket} from "../../src/consumers/ReferenceMarket.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {MockRiskOracle} from "../../src/testing/MockRiskOracle.sol";
import {FreeToken} from "../invariants/World.sol";
import {MockFeed} from "../mocks/MockFeed.sol";

/// @notice What the reference market does and refuses, at the exact edge of each rule. Collateral is worth 100 debt tokens, a
/// new borrow needs 150 % of it and liquidation begins below 130 %.
contract ReferenceMarketTest is Test {
    bytes32 private constant MARKET = keccak256("BTC-USD");
    uint256 private constant CAP = 1_000e18;
    uint256 private constant LENT = 10_000e18;

    MockRiskOracle private _oracle;
    MockFeed private _price;
    FreeToken private _collateral;
    FreeToken private _debt;
    ReferenceMarket private _lending;
    address private _borrower = makeAddr("borrower");
    address private _liquidator = makeAddr("liquidator");

    function setUp() public {
        vm.warp(1_767_571_200);
        (_oracle, _price, _collateral, _debt) = (new MockRiskOracle(), new MockFeed(), new FreeToken(), new FreeToken());
        _setPrice(100e8);
        _set(IRiskParameters.Status.Fresh, 100_00);
        _lending = new ReferenceMarket(address(_collateral), address(_debt), _price, _oracle, MARKET, CAP);
        _debt.mint(address(this), LENT);
        _debt.approve(address(_lending), LENT);
        _lending.lend(LENT);
        _collateral.mint(_borrower, 15e18);
        _debt.mint(_liquidator, LENT);
        vm.startPrank(_borrower);
        _collateral.approve(address(_lending), type(uint256).max);
        _debt.approve(address(_lending), type(uint256).max);
        vm.stopPrank();
        vm.prank(_liquidator);
        _debt.approve(address(_lending), type(uint256).max);
    }

    function _setPrice(int256 price) private {
        _price.price(price, 8, block.timestamp);
    }

    function _set(IRiskParameters.Status status, uint16 capFactorBps) private {
        IRiskParameters.Params memory current;
        (current.updatedAt, current.borrowCollateralRatioBps) = (uint40(block.timestamp), 150_00);
        (current.liquidationCollateralRatioBps, current.borrowCapFactorBps) = (130_00, capFactorBps);
        _oracle.set(MARKET, current, status);
    }

    function _borrow(uint256 collateral, uint256 amount) private {
        vm.startPrank(_borrower);
        _lending.addCollateral(_borrower, collateral);
        _lending.borrow(amount);
        vm.stopPrank();
    }

    function test_LendersGetBackWhatIsTheirsAndNoMore() public {
        _lending.withdraw(LENT - 1);
        assertEq(_debt.balanceOf(address(this)), LENT - 1);
        vm.expectRevert(abi.encodeWithSelector(ReferenceAccounts.InvalidAmount.selector, 2, 1));
        _lending.withdraw(2);
        _lending.withdraw(1);
        assertEq(_lending.lent(address(this)), 0);
    }

    function test_ANewBorrowNeedsTheBorrowRatioToTheLastUnit() public {
        uint256 most = uint256(1_500e18) * 10_000 / 150_00;
        vm.prank(_borrower);
        _lending.addCollateral(_borrower, 15e18);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.NotEnoughCollateral.selector, 1_500e18, 1_500e18 + 2));
        vm.prank(_borrower);
        _lending.borrow(most + 1);
        vm.prank(_borrower);
        _lending.borrow(most);
        assertEq(_debt.balanceOf(_borrower), most);
    }

    function test_TheCapShrinksWithItsFactor() public {
        _set(IRiskParameters.Status.Fresh, 40_00);
        vm.prank(_borrower);
        _lending.addCollateral(_borrower, 15e18);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.BorrowCapReached.selector, 400e18 + 1, 400e18));
        vm.prank(_borrower);
        _lending.borrow(400e18 + 1);
        vm.prank(_borrower);
        _lending.borrow(400e18);
    }

    function test_WithoutAForecastThereIsNoNewRiskAndDebtIsRepaidAllTheSame() public {
        _borrow(15e18, 500e18);
        IRiskParameters.Status[2] memory closed = [IRiskParameters.Status.Unset, IRiskParameters.Status.Withheld];
        for (uint256 i = 0; i < closed.length; ++i) {
            _set(closed[i], 100_00);
            vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.BorrowingClosed.selector, closed[i]));
            vm.prank(_borrower);
            _lending.borrow(1);
            vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.BorrowingClosed.selector, closed[i]));
            vm.prank(_borrower);
            _lending.removeCollateral(1);
        }
        _oracle.setMode(MockRiskOracle.Mode.RevertEmpty);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.BorrowingClosed.selector, IRiskParameters.Status.Unset));
        vm.prank(_borrower);
        _lending.borrow(1);
        vm.startPrank(_borrower);
        _lending.repay(_borrower, 600e18);
        assertEq(_lending.totalDebt(), 0, "no more is taken than is owed");
        _lending.removeCollateral(15e18);
        assertEq(_collateral.balanceOf(_borrower), 15e18);
    }

    function test_CollateralIsWithdrawnDownToTheBorrowRatio() public {
        _borrow(15e18, 500e18);
        vm.startPrank(_borrower);
        vm.expectRevert(abi.encodeWithSelector(ReferenceAccounts.InvalidAmount.selector, 16e18, 15e18));
        _lending.removeCollateral(16e18);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.NotEnoughCollateral.selector, 750e18 - 100, 750e18));
        _lending.removeCollateral(7.5e18 + 1);
        _lending.removeCollateral(7.5e18);
    }

    function test_ABorrowerIsLiquidatedBelowTheLiquidationRatioOnly() public {
        _borrow(15e18, 1_000e18);
        int256 edge = 86.66666667e8;
        _setPrice(edge);
        assertFalse(_lending.isLiquidatable(_borrower));
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.Healthy.selector, _borrower));
        vm.prank(_liquidator);
        _lending.liquidate(_borrower, 1);
        _setPrice(edge - 1);
        vm.prank(_liquidator);
        _lending.liquidate(_borrower, 100e18);
        uint256 seized = _collateral.balanceOf(_liquidator);
        assertApproxEqRel(seized * uint256(edge - 1) / 1e8, 105e18, 1e9, "the debt repaid and the bonus");
        (, uint128 debt) = _lending.positions(_borrower);
        assertEq(debt, 900e18);
    }

    function test_NoMoreIsSeizedThanThereIs() public {
        _borrow(15e18, 1_000e18);
        _setPrice(10e8);
        vm.prank(_liquidator);
        _lending.liquidate(_borrower, type(uint256).max);
        assertEq(_collateral.balanceOf(_liquidator), 15e18);
        (uint128 collateral, uint128 debt) = _lending.positions(_borrower);
        assertEq(collateral + debt, 0);
    }

    /// @dev The ratio fell to a constant while the oracle could not be read: nobody who was due could be liquidated.
    function test_Fault8_AnUnreadableOracleMovesTheLiquidationRatioNowhere() public {
        _borrow(15e18, 1_000e18);
        _setPrice(87e8);
        assertFalse(_lending.isLiquidatable(_borrower));
        _oracle.setMode(MockRiskOracle.Mode.RevertEmpty);
        assertFalse(_lending.isLiquidatable(_borrower));
        assertFalse(_lending.isLiquidatable(_liquidator), "no debt, no liquidation");
        assertEq(_lending.liquidationRatioBps(), 130_00);
        _setPrice(86e8);
        assertTrue(_lending.isLiquidatable(_borrower));
        vm.prank(_liquidator);
        _lending.liquidate(_borrower, 1e18);
    }

    function test_RevertWhen_TheOracleHasNoRatioToBeginWith() public {
        _oracle.setMode(MockRiskOracle.Mode.RevertEmpty);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.BorrowingClosed.selector, IRiskParameters.Status.Unset));
        new ReferenceMarket(address(_collateral), address(_debt), _price, _oracle, MARKET, CAP);
    }

    function test_APriceThatIsOldOrNotPositiveIsRefused() public {
        _borrow(15e18, 500e18);
        uint256 pricedAt = block.timestamp;
        vm.warp(pricedAt + 1 hours);
        assertEq(_lending.priceOrRevert(), 100e8);
        vm.warp(pricedAt + 1 hours + 1);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.PriceUnusable.selector, int256(100e8), pricedAt));
        _lending.priceOrRevert();
        _setPrice(0);
        vm.expectRevert(abi.encodeWithSelector(ReferenceMarket.PriceUnusable.selector, int256(0), block.timestamp));
        vm.prank(_borrower);
        _lending.borrow(1);
    }

    function test_AmountsThatNoAccountHoldsAreRefused() public {
        uint256 tooMuch = uint256(type(uint128).max) + 1;
        bytes memory refusal =
            abi.encodeWithSelector(ReferenceAccounts.InvalidAmount.selector, tooMuch, type(uint128).max);
        vm.startPrank(_borrower);
        vm.expectRevert(refusal);
        _lending.addCollateral(_borrower, tooMuch);
        vm.expectRevert(refusal);
        _lending.borrow(tooMuch);
    }
}
