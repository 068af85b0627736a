// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {FieldLib} from "../../src/libraries/FieldLib.sol";

/// @notice For every integer and every word there is, by halmos: see `make halmos`.
contract FieldLibSymbolic is Test {
    function check_DecodeUndoesEncode(int128 value) public pure {
        uint256 element = FieldLib.encode(value);
        assert(element < FieldLib.R);
        assert(FieldLib.decode(element) == value);
    }

    function check_EncodeUndoesDecode(uint256 element) public pure {
        vm.assume(_isAnInt128(element));
        assert(FieldLib.encode(FieldLib.decode(element)) == element);
    }

    function check_DecodeRefusesExactlyWhatIsNone(uint256 element) public view {
        (bool decoded,) = address(this).staticcall(abi.encodeCall(this.decode, (element)));
        assert(decoded == _isAnInt128(element));
    }

    function check_EncodeSmallIsTheResidue(int256 value) public pure {
        vm.assume(value > -int256(FieldLib.R) && value < int256(FieldLib.R));
        uint256 element = FieldLib.encodeSmall(value);
        assert(element == (value < 0 ? FieldLib.R - uint256(-value) : uint256(value)));
    }

    function decode(uint256 element) external pure returns (int128) {
        return FieldLib.decode(element);
    }

    function _isAnInt128(uint256 element) private pure returns (bool) {
        return element < 2 ** 127 || (element < FieldLib.R && element >= FieldLib.R - 2 ** 127);
    }
}
