// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {ProofSuite} from "./ProofSuite.sol";
import {Halo2Verifier as ForeignVerifier} from "./fixtures/two-market/Verifier.sol";
import {Halo2Verifier} from "../../models/btc-regime-4h-v1/Verifier.sol";
import {packed, packedOutputs} from "./Packed.sol";

/// @notice The shipped model's forecast for the crash of Monday 2024-08-05, on real candles: see fixtures/shipped.mjs.
contract ShippedModelProofTest is ProofSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "ShippedModelProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (412_000, 473_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/btc-regime-4h-v1.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }

    function test_BundleHoldsTheCodeOfItsVerifier() public view {
        bytes memory bundled = vm.parseBytes(vm.trim(vm.readFile("models/btc-regime-4h-v1/verifier.bytecode")));
        assertEq(bundled, type(Halo2Verifier).creationCode);
    }

    function test_TheCrashTurnsTheRegimeHigh() public {
        assertEq(_submits(modelId, features, outputs, proof), "");
        (IRiskParameters.Params memory stored,) = oracle.params(BTC);
        assertGt(stored.probabilityHighBps, 90_00);
    }

    function test_AForeignVerifierFailsTheSmokeTest() public {
        spec.verifier = address(new ForeignVerifier());
        spec.verifierCodeHash = spec.verifier.codehash;
        vm.prank(OWNER);
        bytes32 id = registry.proposeModel(spec, 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.SmokeTestFailed.selector, false));
        registry.activateModel(
            IModelRegistry.Update(id, period, 0, packed(features), packedOutputs(outputs), proof, "")
        );
    }
}
