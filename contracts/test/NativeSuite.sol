// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ProofSuite} from "./ProofSuite.sol";

/// @notice What the native prover's verifiers promise beyond others, for any number of markets.
abstract contract NativeSuite is ProofSuite {
    function test_CodeIsSmall() public view {
        assertLe(address(halo2).code.length, 10_000);
    }

    /// @dev Precompiles burn all gas they are given for a point that is on no curve: none must get that far.
    function test_NoProofBurnsTheGasThatItIsGiven() public {
        bytes memory mutant = proof;
        for (uint256 word = 0; word < proof.length / 32; ++word) {
            mutant[32 * word + 31] ^= 0x01;
            assertFalse(_answers(abi.encodeCall(halo2.verifyProof, (mutant, instances))));
            mutant[32 * word + 31] ^= 0x01;
        }
    }

    function test_OnlyTheOneEncodingIsRead() public {
        bytes memory data = abi.encodeCall(halo2.verifyProof, (proof, instances));
        assertTrue(_answers(data));
        assertFalse(_answers(bytes.concat(data, hex"00")), "a trailing byte");
        bytes memory cut = new bytes(data.length - 1);
        for (uint256 i = 0; i < cut.length; ++i) {
            cut[i] = data[i];
        }
        assertFalse(_answers(cut), "a byte is missing");
        for (uint256 head = 0; head < 2; ++head) {
            data[4 + 32 * head + 31] ^= 0x20;
            assertFalse(_answers(data), "another offset");
            data[4 + 32 * head + 31] ^= 0x20;
        }
        assertFalse(_answers(""), "no call at all");
    }

    /// @dev Whether the verifier says yes; never for more gas than a proof that holds may take.
    function _answers(bytes memory data) private returns (bool) {
        (uint256 limit,) = _maxGas();
        (bool success, bytes memory returned) = address(halo2).call{gas: 5_000_000}(data);
        assertLe(vm.lastCallGas().gasTotalUsed, limit);
        return success && returned.length == 32 && abi.decode(returned, (bool));
    }
}
