// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {LibSort} from "solady/utils/LibSort.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice An active model, sets of several attestors, and what the contract says to an update.
abstract contract AttestedFixture is OracleFixture {
    bytes32 internal constant EIP712_DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant ATTESTATION = keccak256(
        "Attestation(bytes32 modelId,uint64 period,uint256 omittedMarkets,bytes32 instancesHash,uint32 attestorSetVersion)"
    );

    /// @dev Everything that an attestation is about.
    struct Signed {
        string name;
        string version;
        uint256 chainId;
        address verifyingContract;
        bytes32 modelId;
        uint64 period;
        uint256 omittedMarkets;
        bytes32 instancesHash;
        uint32 setVersion;
    }

    bytes32 internal modelId;
    mapping(address signer => uint256) private _keyOf;

    function setUp() public virtual override {
        super.setUp();
        modelId = _register(_spec(_btc()));
        _keyOf[attestor] = attestorKey;
    }

    /// @dev EIP-712 written out, without help from the contract.
    function _digestOf(Signed memory signed) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                EIP712_DOMAIN,
                keccak256(bytes(signed.name)),
                keccak256(bytes(signed.version)),
                signed.chainId,
                signed.verifyingContract
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                ATTESTATION,
                signed.modelId,
                signed.period,
                signed.omittedMarkets,
                signed.instancesHash,
                signed.setVersion
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    /// @dev What an attestor of the present set signs for an update.
    function _signed(IModelRegistry.Update memory update) internal view returns (Signed memory signed) {
        uint256[] memory instances =
            registry.instancesOf(update.modelId, update.period, update.features, update.outputs);
        (uint32 version,) = registry.attestorSet();
        signed = Signed({
            name: "VeriRegime ModelRegistry",
            version: "1",
            chainId: block.chainid,
            verifyingContract: address(registry),
            modelId: update.modelId,
            period: update.period,
            omittedMarkets: update.omittedMarkets,
            instancesHash: keccak256(abi.encodePacked(instances)),
            setVersion: version
        });
    }

    /// @dev A new set of n accounts with keys, in ascending order.
    function _useAttestors(uint256 count, uint8 threshold) internal returns (address[] memory signers) {
        signers = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key;
            (signers[i], key) = makeAddrAndKey(string.concat("attestor ", vm.toString(i)));
            _keyOf[signers[i]] = key;
        }
        LibSort.sort(signers);
        _setAttestors(signers, threshold);
    }

    function _setAttestors(address[] memory signers, uint8 threshold) internal {
        vm.startPrank(OWNER);
        registry.schedule(abi.encodeCall(registry.setAttestors, (signers, threshold)));
        registry.setAttestors(signers, threshold);
        vm.stopPrank();
    }

    function _attestationOf(address signer, bytes32 digest) internal view returns (bytes memory) {
        return _attestedBy(signer, _keyOf[signer], digest);
    }

    function _keyOfAttestor(address signer) internal view returns (uint256) {
        return _keyOf[signer];
    }

    function _update() internal view returns (IModelRegistry.Update memory) {
        return _update(modelId, _outputs(-500, 500, -7700));
    }

    /// @dev The contract says exactly this to an update, and keeps no trace of one that it refuses.
    function _expectRefusal(IModelRegistry.Update memory update, bytes memory revertData) internal {
        bytes32 before = _everything(update.modelId);
        assertEq(_answerTo(update), revertData);
        assertEq(_everything(update.modelId), before);
    }

    function _expectLanding(IModelRegistry.Update memory update) internal {
        assertEq(_answerTo(update), "");
        IModelRegistry.Facts memory model = registry.facts(update.modelId);
        for (uint256 i = 0; i < model.markets.length; ++i) {
            if ((update.omittedMarkets >> i) & 1 != 0) continue;
            (IRiskParameters.Params memory current,) = oracle.params(model.markets[i]);
            assertEq(current.periodStart, update.period * model.periodSeconds);
        }
    }

    /// @dev What readers see of a model's markets.
    function _everything(bytes32 id) private view returns (bytes32 digest) {
        try registry.facts(id) returns (IModelRegistry.Facts memory model) {
            for (uint256 i = 0; i < model.markets.length; ++i) {
                (IRiskParameters.Params memory current,) = oracle.params(model.markets[i]);
                digest = keccak256(abi.encode(digest, current));
            }
        } catch {}
    }

    /// @dev The revert data of an update; empty if it landed.
    function _answerTo(IModelRegistry.Update memory update) internal returns (bytes memory) {
        vm.prank(RELAYER);
        (bool success, bytes memory returned) = address(oracle).call(abi.encodeCall(oracle.submit, (update)));
        if (!success) assertGt(returned.length, 0, "refused without a reason");
        return returned;
    }
}
