// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";

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
