// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../../src/libraries/PolicyLib.sol";

/// @notice Interpolation of every policy that `PolicyLib.check` lets through, by halmos: see `make halmos`. A field at a time,
/// because each has a product that the solver must take apart; the fee is the borrow ratio's formula on wider numbers.
contract PolicyLibSymbolic is Test {
    uint256 private constant BPS = 10_000;

    function check_EndsAreTheVectors(PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules)
        public
        pure
    {
        _assumeChecked(guard, rules);
        IRiskParameters.RiskVector memory calm = PolicyLib.interpolate(guard, rules, 0);
        assert(calm.borrowCollateralRatioBps == rules.calmBorrowCollateralRatioBps);
        assert(calm.liquidationCollateralRatioBps == rules.calmLiquidationCollateralRatioBps);
        assert(calm.ammFeePips == rules.calmAmmFeePips);
        assert(calm.borrowCapFactorBps == rules.calmBorrowCapFactorBps);
        IRiskParameters.RiskVector memory turbulent = PolicyLib.interpolate(guard, rules, BPS);
        assert(turbulent.borrowCollateralRatioBps == guard.turbulentBorrowCollateralRatioBps);
        assert(turbulent.liquidationCollateralRatioBps == rules.turbulentLiquidationCollateralRatioBps);
        assert(turbulent.ammFeePips == guard.turbulentAmmFeePips);
        assert(turbulent.borrowCapFactorBps == guard.turbulentBorrowCapFactorBps);
    }

    /// @dev The nearest value at or above the exact one, hence between the ends and monotone.
    function check_BorrowRatioIsRoundedUp(uint16 calm, uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(calm <= turbulent && shareBps <= BPS);
        (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmBorrowCollateralRatioBps, guard.turbulentBorrowCollateralRatioBps) = (calm, turbulent);
        uint256 value = PolicyLib.interpolate(guard, rules, shareBps).borrowCollateralRatioBps;
        uint256 exact = calm * BPS + uint256(turbulent - calm) * shareBps;
        assert(value * BPS >= exact && value * BPS < exact + BPS);
        assert(value >= calm && value <= turbulent);
    }

    function check_FeeIsRoundedUp(uint24 calm, uint24 turbulent, uint16 shareBps) public pure {
        vm.assume(calm <= turbulent && turbulent <= 1_000_000 && shareBps <= BPS);
        (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmAmmFeePips, guard.turbulentAmmFeePips) = (calm, turbulent);
        uint256 value = PolicyLib.interpolate(guard, rules, shareBps).ammFeePips;
        uint256 exact = calm * BPS + uint256(turbulent - calm) * shareBps;
        assert(value * BPS >= exact && value * BPS < exact + BPS);
        assert(value >= calm && value <= turbulent);
    }

    function check_LiquidationRatioIsRoundedDown(uint16 calm, uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(calm <= turbulent && shareBps <= BPS);
        (, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmLiquidationCollateralRatioBps, rules.turbulentLiquidationCollateralRatioBps) = (calm, turbulent);
        uint256 value = PolicyLib.liquidationAt(rules, shareBps);
        uint256 exact = calm * BPS + uint256(turbulent - calm) * shareBps;
        assert(value * BPS <= exact && value * BPS + BPS > exact);
        assert(value >= calm && value <= turbulent);
    }

    function check_CapIsRoundedDown(uint16 calm, uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(turbulent <= calm && calm <= BPS && shareBps <= BPS);
        (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmBorrowCapFactorBps, guard.turbulentBorrowCapFactorBps) = (calm, turbulent);
        uint256 value = PolicyLib.interpolate(guard, rules, shareBps).borrowCapFactorBps;
        uint256 exact = calm * BPS - uint256(calm - turbulent) * shareBps;
        assert(value * BPS <= exact && value * BPS + BPS > exact);
        assert(value <= calm && value >= turbulent);
    }

    function _empty() private pure returns (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) {}

    /// @dev What `PolicyLib.check` asks of the two vectors.
    function _assumeChecked(PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) private pure {
        vm.assume(guard.turbulentBorrowCollateralRatioBps >= rules.calmBorrowCollateralRatioBps);
        vm.assume(rules.turbulentLiquidationCollateralRatioBps >= rules.calmLiquidationCollateralRatioBps);
        vm.assume(guard.turbulentAmmFeePips >= rules.calmAmmFeePips && guard.turbulentAmmFeePips <= 1_000_000);
        vm.assume(
            guard.turbulentBorrowCapFactorBps <= rules.calmBorrowCapFactorBps && rules.calmBorrowCapFactorBps <= BPS
        );
    }
}
