// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IVerifier} from "../../src/interfaces/IVerifier.sol";
import {Halo2Verifier} from "../../../models/eu-electricity-v1/Verifier.sol";
import {TableProofFixture} from "../TableProofFixture.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice A real proof of the shipped electricity model, through its generated verifier, the registry and the vault.
contract HedgeVaultProofTest is VaultFixture, TableProofFixture {
    uint256 private constant MAX_GAS_OVER_VERIFICATION = 260_000;

    function setUp() public override {
        super.setUp();
        IVerifier generated = IVerifier(address(new Halo2Verifier()));
        _prove("contracts/test/fixtures/eu-electricity-v1.json", generated, _spec());
        _setTerms(_terms());
    }

    function test_BundleHoldsTheCodeOfItsVerifier() public view {
        bytes memory bundled = vm.parseBytes(vm.trim(vm.readFile("models/eu-electricity-v1/verifier.bytecode")));
        assertEq(bundled, type(Halo2Verifier).creationCode);
    }

    /// @dev An output just below zero: the next two months cost what the last one did.
    function test_AProvenForecastSells() public {
        IHedgeVault.Sale memory sale = _executeProven();
        assertEq(sale.untilDay - sale.fromDay, 60);
        assertApproxEqRel(sale.usdc, 158_400e6, 0.002e18);
    }

    /// @dev The owner holds no USDC before, and the pool's history is long: the dear case.
    function test_Gas() public {
        _executeProven();
        _keepGas("HedgeVaultProof", "execute", vm.lastCallGas().gasTotalUsed, MAX_GAS_OVER_VERIFICATION);
    }

    function _expectInvalidProof(IModelRegistry.Update memory update) internal override {
        _expectRefusal(update, _prices(), abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
    }

    function _executeProven() private returns (IHedgeVault.Sale memory) {
        IModelRegistry.Update memory update = _attested(proven);
        bytes memory attestations = _attestationOf(update, _prices());
        vm.prank(RELAYER);
        return vault.execute(update, _prices(), attestations);
    }
}
