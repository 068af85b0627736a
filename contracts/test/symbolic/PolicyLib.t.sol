// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../../src/libraries/PolicyLib.sol";

/// @notice Interpolation of every policy that `PolicyLib.check` lets through, by halmos: see `make halmos`.
/// @dev Solvers hardly take products apart. So each formula is proven from zero, and then that the other end only shifts
/// it. Unchecked, because a check of a product is one more division.
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
    }

    /* FROM ZERO: THE NEAREST VALUE ON THE CAUTIOUS SIDE, HENCE MONOTONE; BETWEEN THE ENDS */

    function check_BorrowRatioIsRoundedUp(uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(shareBps <= BPS);
        uint256 value = _borrowRatio(0, turbulent, shareBps);
        unchecked {
            uint256 exact = uint256(turbulent) * shareBps;
            assert(value * BPS >= exact);
            assert(value * BPS < exact + BPS);
            assert(value <= turbulent);
        }
    }

    function check_LiquidationRatioIsRoundedDown(uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(shareBps <= BPS);
        uint256 value = _liquidationRatio(0, turbulent, shareBps);
        unchecked {
            uint256 exact = uint256(turbulent) * shareBps;
            assert(value * BPS <= exact);
            assert(value * BPS + BPS > exact);
            assert(value <= turbulent);
        }
    }

    /* THE OTHER END SHIFTS */

    function check_BorrowRatioShifts(uint16 calm, uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(calm <= turbulent && shareBps <= BPS);
        unchecked {
            uint256 shifted = uint16(calm + _borrowRatio(0, turbulent - calm, shareBps));
            assert(_borrowRatio(calm, turbulent, shareBps) == shifted);
        }
    }

    function check_FeeShifts(uint24 calm, uint24 turbulent, uint16 shareBps) public pure {
        vm.assume(calm <= turbulent && turbulent <= 1_000_000 && shareBps <= BPS);
        unchecked {
            uint256 shifted = uint24(calm + _fee(0, turbulent - calm, shareBps));
            assert(_fee(calm, turbulent, shareBps) == shifted);
        }
    }

    /// @dev The same formula: what holds for the one holds for the other.
    function check_FeeRisesAsTheBorrowRatio(uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(shareBps <= BPS);
        assert(uint16(_fee(0, turbulent, shareBps)) == _borrowRatio(0, turbulent, shareBps));
    }

    function check_CapFallsAsTheBorrowRatioRises(uint16 calm, uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(turbulent <= calm && calm <= BPS && shareBps <= BPS);
        unchecked {
            assert(_cap(calm, turbulent, shareBps) == uint16(calm - _borrowRatio(0, calm - turbulent, shareBps)));
        }
    }

    function check_LiquidationRatioShifts(uint16 calm, uint16 turbulent, uint16 shareBps) public pure {
        vm.assume(calm <= turbulent && shareBps <= BPS);
        unchecked {
            uint256 shifted = calm + _liquidationRatio(0, turbulent - calm, shareBps);
            assert(_liquidationRatio(calm, turbulent, shareBps) == shifted);
        }
    }

    /* HELPERS */

    function _borrowRatio(uint16 calm, uint16 turbulent, uint256 shareBps) private pure returns (uint256) {
        (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmBorrowCollateralRatioBps, guard.turbulentBorrowCollateralRatioBps) = (calm, turbulent);
        return PolicyLib.interpolate(guard, rules, shareBps).borrowCollateralRatioBps;
    }

    function _fee(uint24 calm, uint24 turbulent, uint256 shareBps) private pure returns (uint256) {
        (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmAmmFeePips, guard.turbulentAmmFeePips) = (calm, turbulent);
        return PolicyLib.interpolate(guard, rules, shareBps).ammFeePips;
    }

    function _liquidationRatio(uint16 calm, uint16 turbulent, uint256 shareBps) private pure returns (uint256) {
        (, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmLiquidationCollateralRatioBps, rules.turbulentLiquidationCollateralRatioBps) = (calm, turbulent);
        return PolicyLib.liquidationAt(rules, shareBps);
    }

    function _cap(uint16 calm, uint16 turbulent, uint256 shareBps) private pure returns (uint256) {
        (PolicyLib.PackedGuard memory guard, PolicyLib.PackedRules memory rules) = _empty();
        (rules.calmBorrowCapFactorBps, guard.turbulentBorrowCapFactorBps) = (calm, turbulent);
        return PolicyLib.interpolate(guard, rules, shareBps).borrowCapFactorBps;
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
