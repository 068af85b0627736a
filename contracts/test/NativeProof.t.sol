// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IVerifier} from "../src/interfaces/IVerifier.sol";
import {NativeSuite} from "./NativeSuite.sol";
import {Halo2Verifier as EzklVerifier} from "../../models/btc-regime-4h-v1/Verifier.sol";

/// @notice The shipped model proven by the native prover: the same public inputs as EZKL's, another proof and verifier.
contract NativeProofTest is NativeSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "NativeProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (240_000, 316_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/halo2/btc-regime-4h-v1.json";
    }

    /// @dev From the code that the product compiles, for many runs, and not from the source beside it.
    function _deployVerifier() internal override returns (address deployed) {
        bytes memory code = vm.parseBytes(vm.trim(vm.readFile("models/btc-regime-4h-v1/halo2-verifier.bytecode")));
        assembly {
            deployed := create(0, add(code, 32), mload(code))
        }
        assertNotEq(deployed, address(0));
    }

    function test_EzklsProofIsNoNativeProof() public {
        bytes memory ezkl = vm.parseJsonBytes(vm.readFile("contracts/test/fixtures/btc-regime-4h-v1.json"), ".proof");
        assertFalse(_verifies(ezkl, instances));
        halo2 = IVerifier(address(new EzklVerifier()));
        assertTrue(_verifies(ezkl, instances));
        assertFalse(_verifies(proof, instances));
    }
}
