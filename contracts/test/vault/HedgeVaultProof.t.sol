// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IVerifier} from "../../src/interfaces/IVerifier.sol";
import {FieldLib} from "../../src/libraries/FieldLib.sol";
import {Halo2Verifier} from "../../../models/eu-electricity-v1/Verifier.sol";
import {packed, packedOutputs, setFeature, setOutput} from "../Packed.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice A real proof of the shipped electricity model, through its generated verifier, the registry and the vault: see
/// fixtures/electricity.py.
contract HedgeVaultProofTest is VaultFixture {
    string private constant FIXTURE = "contracts/test/fixtures/eu-electricity-v1.json";
    uint256 private constant MAX_VERIFY_GAS = 420_000;
    uint256 private constant MAX_GAS_OVER_VERIFICATION = 260_000;

    IVerifier private _halo2;
    IModelRegistry.Update private _proven;
    uint256[] private _instances;

    function setUp() public override {
        super.setUp();
        string memory json = vm.readFile(FIXTURE);
        _halo2 = IVerifier(address(new Halo2Verifier()));
        _proven.period = uint64(vm.parseJsonUint(json, ".period"));
        _proven.proof = vm.parseJsonBytes(json, ".proof");
        _instances = vm.parseJsonUintArray(json, ".instances");
        int256[] memory features = vm.parseJsonIntArray(json, ".features");
        int32[] memory narrow = new int32[](features.length);
        for (uint256 i = 0; i < features.length; ++i) {
            narrow[i] = int32(features[i]);
        }
        _proven.features = packed(narrow);
        int256[] memory outputs = vm.parseJsonIntArray(json, ".outputs");
        int128[] memory values = new int128[](outputs.length);
        for (uint256 i = 0; i < outputs.length; ++i) {
            values[i] = int128(outputs[i]);
        }
        _proven.outputs = packedOutputs(values);
        IModelRegistry.ModelSpec memory spec = _spec();
        (spec.verifier, spec.verifierCodeHash) = (address(_halo2), address(_halo2).codehash);
        spec.featureCount = uint16(vm.parseJsonUint(json, ".feature_count"));
        spec.outputScale = uint8(vm.parseJsonUint(json, ".output_scale"));
        spec.featureBound = uint32(vm.parseJsonUint(json, ".feature_bound"));
        spec.proofLength = uint32(_proven.proof.length);
        assertEq(spec.periodSeconds, vm.parseJsonUint(json, ".period_seconds"));
        vm.prank(REGISTRY_OWNER);
        modelId = _proven.modelId = registry.proposeModel(spec, 0);
        registry.activateModel(_proven);
        _setTerms(_terms());
    }

    function test_BundleHoldsTheCodeOfItsVerifier() public view {
        bytes memory bundled = vm.parseBytes(vm.trim(vm.readFile("models/eu-electricity-v1/verifier.bytecode")));
        assertEq(bundled, type(Halo2Verifier).creationCode);
    }

    function test_RegistryBuildsTheProversInstances() public view {
        assertEq(registry.instancesOf(modelId, PERIOD, _proven.features, _proven.outputs), _instances);
    }

    /// @dev An output just below zero: the next two months cost what the last one did.
    function test_AProvenForecastSells() public {
        IHedgeVault.Sale memory sale = _executeProven(_proven);
        assertEq(sale.untilDay - sale.fromDay, 60);
        assertApproxEqRel(sale.usdc, 158_400e6, 0.002e18);
    }

    function test_AForgedForecastDoesNot() public {
        IModelRegistry.Update memory forged = _proven;
        setOutput(forged.outputs, 0, 1);
        _expectRefusal(_attested(forged), _prices(), abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        forged = _proven;
        setFeature(forged.features, 3, 1);
        _expectRefusal(_attested(forged), _prices(), abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        forged = _proven;
        forged.proof[100] ^= 0x01;
        _expectRefusal(_attested(forged), _prices(), abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
    }

    function test_VerifierRefusesAnyAlteredInstance() public view {
        uint256[] memory mutant = _instances;
        assertTrue(_halo2.verifyProof(_proven.proof, mutant));
        for (uint256 i = 0; i < mutant.length; ++i) {
            mutant[i] = addmod(_instances[i], 1, FieldLib.R);
            try _halo2.verifyProof{gas: 1_000_000}(_proven.proof, mutant) returns (bool accepted) {
                assertFalse(accepted);
            } catch {}
            mutant[i] = _instances[i];
        }
    }

    /// @dev The owner holds no USDC before, and the pool's history is long: the dear case.
    function test_Gas() public {
        _halo2.verifyProof(_proven.proof, _instances);
        uint256 verify = _transactionGas(abi.encodeCall(_halo2.verifyProof, (_proven.proof, _instances)));
        _executeProven(_proven);
        uint256 execute = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("HedgeVaultProof", "verifyProof", verify);
        vm.snapshotValue("HedgeVaultProof", "execute", execute);
        vm.snapshotValue("HedgeVaultProof", "execute, over verifyProof", execute - verify);
        assertLe(verify, MAX_VERIFY_GAS);
        assertLe(execute - verify, MAX_GAS_OVER_VERIFICATION);
    }

    /// @dev Gas of the last call as a transaction of its own: what the call used, plus the fixed and the calldata price.
    function _transactionGas(bytes memory data) private view returns (uint256 gas) {
        gas = 21_000 + vm.lastCallGas().gasTotalUsed;
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }

    function _attested(IModelRegistry.Update memory update) private view returns (IModelRegistry.Update memory) {
        update.attestations = _attestationOf(update);
        return update;
    }

    function _executeProven(IModelRegistry.Update memory update) private returns (IHedgeVault.Sale memory) {
        update = _attested(update);
        bytes memory attestations = _attestationOf(update, _prices());
        vm.prank(RELAYER);
        return vault.execute(update, _prices(), attestations);
    }
}
