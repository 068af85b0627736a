// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {FieldLib} from "../src/libraries/FieldLib.sol";
import {ProofSuite} from "./ProofSuite.sol";
import {Halo2Verifier as EzklVerifier} from "../../models/btc-regime-4h-v1/Verifier.sol";

/// @notice The shipped model computed by a contract: the same public inputs as EZKL's, and no proof.
contract DirectProofTest is ProofSuite {
    uint256 private constant MOST_GAS_OF_A_REFUSAL = 32_000;

    function _snapshotGroup() internal pure override returns (string memory) {
        return "DirectProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (30_000, 105_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/btc-regime-4h-v1.json";
    }

    function _proof(string memory) internal pure override returns (bytes memory) {
        return "";
    }

    /// @dev From the code that the product compiles, for many runs, and not from the source beside it.
    function _deployVerifier() internal override returns (address deployed) {
        bytes memory code = vm.parseBytes(vm.trim(vm.readFile("models/btc-regime-4h-v1/direct-verifier.bytecode")));
        assembly {
            deployed := create(0, add(code, 32), mload(code))
        }
        assertNotEq(deployed, address(0));
    }

    function test_CodeIsSmall() public view {
        assertLe(address(halo2).code.length, 4_200);
    }

    /// @dev Both verify the very same statement, each in its own way.
    function test_EzklsProofIsNoneHereAndNoneIsNoProofForEzkl() public {
        bytes memory ezkl = super._proof(vm.readFile(_fixture()));
        assertFalse(_verifies(ezkl, instances));
        halo2 = IVerifier(address(new EzklVerifier()));
        assertTrue(_verifies(ezkl, instances));
        assertFalse(_verifies("", instances));
    }

    function test_FeaturesOutsideOfTheirBoundAreRefused() public view {
        uint256[] memory mutant = instances;
        uint256 bound = uint32(spec.featureBound);
        for (uint256 i = 0; i < 16; ++i) {
            uint256[3] memory outside = [bound + 1, FieldLib.R - bound - 1, type(uint256).max];
            for (uint256 k = 0; k < 3; ++k) {
                mutant[i] = outside[k];
                assertFalse(_verifies("", mutant));
            }
            mutant[i] = instances[i];
        }
    }

    function test_ARefusalCostsNoMoreThanAYes() public {
        uint256[] memory mutant = instances;
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] ^= 1;
            (bool success, bytes memory returned) =
                address(halo2).call{gas: 1_000_000}(abi.encodeCall(halo2.verifyProof, ("", mutant)));
            assertLe(vm.lastCallGas().gasTotalUsed, MOST_GAS_OF_A_REFUSAL);
            assertTrue(success && !abi.decode(returned, (bool)));
            mutant[i] ^= 1;
        }
        (bool answered,) = address(halo2).call("");
        assertFalse(answered, "no call at all");
    }
}
