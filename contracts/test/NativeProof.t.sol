// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {ProofSuite} from "./ProofSuite.sol";
import {Halo2Verifier as EzklVerifier} from "../../models/btc-regime-4h-v1/Verifier.sol";
import {Halo2Verifier} from "../../models/btc-regime-4h-v1/Halo2Verifier.sol";

/// @notice The shipped model proven by the native prover: the same public inputs as EZKL's, another proof and verifier.
contract NativeProofTest is ProofSuite {
    uint256 private constant MOST_GAS_OF_A_REFUSAL = 300_000;

    function _snapshotGroup() internal pure override returns (string memory) {
        return "NativeProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (240_000, 316_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/halo2/btc-regime-4h-v1.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }

    function test_CodeIsSmall() public view {
        assertLe(address(halo2).code.length, 10_000);
    }

    function test_EzklsProofIsNoNativeProof() public {
        bytes memory ezkl = vm.parseJsonBytes(vm.readFile("contracts/test/fixtures/btc-regime-4h-v1.json"), ".proof");
        assertFalse(_verifies(ezkl, instances));
        halo2 = IVerifier(address(new EzklVerifier()));
        assertTrue(_verifies(ezkl, instances));
        assertFalse(_verifies(proof, instances));
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

    /// @dev Whether the verifier says yes; never for more gas than an oracle would give it.
    function _answers(bytes memory data) private returns (bool) {
        (bool success, bytes memory returned) = address(halo2).call{gas: 5_000_000}(data);
        assertLe(vm.lastCallGas().gasTotalUsed, MOST_GAS_OF_A_REFUSAL);
        return success && returned.length == 32 && abi.decode(returned, (bool));
    }
}
