// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";

/// @notice Integers as field elements, with the vectors that Rust is tested with. Specification: FieldLib.tree.
contract FieldLibTest is Test {
    string private vectors = vm.readFile("contracts/test/vectors/field.json");

    function test_OrderIsThatOfTheVectors() public view {
        assertEq(FieldLib.R, _uintAt(".order"));
    }

    function test_AcceptedVectors() public view {
        uint256 count = 0;
        for (; vm.keyExistsJson(vectors, _key("accepted", count, "value")); ++count) {
            int128 value = int128(vm.parseInt(vm.parseJsonString(vectors, _key("accepted", count, "value"))));
            uint256 element = _uintAt(_key("accepted", count, "element"));
            assertEq(FieldLib.encode(value), element);
            assertEq(FieldLib.decode(element), value);
        }
        assertGe(count, 10, "the vector file is shorter than it should be");
    }

    function test_RejectedVectors() public {
        uint256 count = 0;
        for (; vm.keyExistsJson(vectors, _key("rejected", count, "element")); ++count) {
            uint256 element = _uintAt(_key("rejected", count, "element"));
            string memory reason = vm.parseJsonString(vectors, _key("rejected", count, "reason"));
            bytes4 selector = keccak256(bytes(reason)) == keccak256("not_canonical")
                ? FieldLib.NotCanonical.selector
                : FieldLib.NotInt128.selector;
            vm.expectRevert(abi.encodeWithSelector(selector, element));
            this.decode(element);
        }
        assertGe(count, 5, "the vector file is shorter than it should be");
    }

    function testFuzz_DecodeUndoesEncode(int128 value) public pure {
        uint256 element = FieldLib.encode(value);
        assertLt(element, FieldLib.R);
        assertEq(FieldLib.decode(element), value);
    }

    /// @dev The encoding is the ring homomorphism that the circuit relies on: sums agree modulo `r`.
    function testFuzz_EncodeRespectsAddition(int64 a, int64 b) public pure {
        uint256 sum = addmod(FieldLib.encode(a), FieldLib.encode(b), FieldLib.R);
        assertEq(sum, FieldLib.encode(int128(a) + int128(b)));
    }

    function testFuzz_EncodeUndoesDecode(uint256 offset, bool belowOrder) public view {
        offset = bound(offset, 0, 2 ** 128);
        uint256 element = belowOrder ? FieldLib.R - offset : offset;
        try this.decode(element) returns (int128 value) {
            assertEq(FieldLib.encode(value), element);
        } catch {
            assertTrue(element > FieldLib.MAX_POSITIVE && (element >= FieldLib.R || FieldLib.R - element > 2 ** 127));
        }
    }

    /// @dev 0, the largest and the smallest integer, the order, and the end of the words, each with its neighbours.
    function testFuzz_DecodeNearTheEdges(uint8 edge, int8 distance) public {
        uint256[5] memory edges = [uint256(0), 2 ** 127, FieldLib.R - 2 ** 127, FieldLib.R, type(uint256).max];
        uint256 element;
        unchecked {
            element = edges[edge % 5] + uint256(int256(distance));
        }
        if (element >= FieldLib.R) {
            vm.expectRevert(abi.encodeWithSelector(FieldLib.NotCanonical.selector, element));
            this.decode(element);
        } else if (element >= 2 ** 127 && element < FieldLib.R - 2 ** 127) {
            vm.expectRevert(abi.encodeWithSelector(FieldLib.NotInt128.selector, element));
            this.decode(element);
        } else {
            int256 value = element < 2 ** 127 ? int256(element) : -int256(FieldLib.R - element);
            assertEq(this.decode(element), value);
            assertEq(FieldLib.encode(int128(value)), element);
        }
    }

    /// @dev Anywhere between minus and plus the order.
    function testFuzz_EncodeSmallIsTheResidue(int256 value) public pure {
        value = bound(value, -int256(FieldLib.R) + 1, int256(FieldLib.R) - 1);
        uint256 element = FieldLib.encodeSmall(value);
        assertLt(element, FieldLib.R);
        assertEq(element, value < 0 ? FieldLib.R - uint256(-value) : uint256(value));
    }

    function testFuzz_RevertWhen_NotCanonical(uint256 element) public {
        element = bound(element, FieldLib.R, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(FieldLib.NotCanonical.selector, element));
        this.decode(element);
    }

    function testFuzz_RevertWhen_NotAnInt128(uint256 element) public {
        element = bound(element, 2 ** 127, FieldLib.R - 2 ** 127 - 1);
        vm.expectRevert(abi.encodeWithSelector(FieldLib.NotInt128.selector, element));
        this.decode(element);
    }

    function decode(uint256 element) external pure returns (int128) {
        return FieldLib.decode(element);
    }

    function _uintAt(string memory key) private view returns (uint256) {
        return vm.parseUint(vm.parseJsonString(vectors, key));
    }

    function _key(string memory list, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "].", field);
    }
}
