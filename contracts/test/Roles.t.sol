// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {Governed} from "../src/base/Governed.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice Who may do what, as a table. Specification: Roles.tree.
contract RolesTest is OracleFixture {
    bytes32 private constant SUI = keccak256("SUI-USD");
    uint256 private constant DELAY = 1 days;

    /* OUTCOMES: four characters each, so that the table reads as one */
    bytes4 private constant DONE = 0;
    bytes4 private constant AUTH = Ownable.Unauthorized.selector;
    bytes4 private constant GUAR = Governed.NotGuardian.selector;
    bytes4 private constant LOCK = Governed.NotScheduled.selector;
    bytes4 private constant MKTO = IRegimeRiskOracle.NotMarketOwner.selector;

    struct Row {
        string name;
        bytes data;
        /// owner, guardian, market owner, attestor, relayer, stranger
        bytes4[6] outcomes;
    }

    Row[] private _rows;
    bytes32 private _activeModel;
    bytes32 private _proposedModel;

    function _timelockSeconds() internal pure override returns (uint256) {
        return DELAY;
    }

    /// @dev A market without a policy, an active model, a ripe one, an announced call and a request for the ownership.
    function setUp() public override {
        super.setUp();
        vm.startPrank(OWNER);
        oracle.registerMarket(SUI, MARKET_OWNER, _bounds());
        _activeModel = registry.proposeModel(_spec(_btc()), 0);
        _proposedModel = registry.proposeModel(_spec(_btcAndEth()), 0);
        oracle.schedule(abi.encodeCall(oracle.setGuardian, (OWNER)));
        registry.schedule(abi.encodeCall(oracle.setGuardian, (OWNER)));
        vm.stopPrank();
        vm.warp(block.timestamp + DELAY);
        _activate(_activeModel);
        vm.startPrank(STRANGER);
        oracle.requestOwnershipHandover();
        registry.requestOwnershipHandover();
        vm.stopPrank();
    }

    function test_DirectCalls() public {
        _fillDirect();
        for (uint256 i = 0; i < _rows.length; ++i) {
            _check(_rows[i], false);
        }
    }

    function test_AnnouncedCalls() public {
        _fillAnnounced();
        for (uint256 i = 0; i < _rows.length; ++i) {
            _check(_rows[i], true);
        }
    }

    /// @dev A function that is added must be added here, too.
    function test_TheTableIsComplete() public {
        _fillDirect();
        assertEq(_listedFunctions("out/RiskOracle.sol/RiskOracle.json"), 14);
        assertEq(_listedFunctions("out/ModelRegistry.sol/ModelRegistry.json"), 13);
    }

    /// @return count Functions of a contract that change something, each of which is in the table.
    function _listedFunctions(string memory path) private view returns (uint256 count) {
        string memory json = vm.readFile(path);
        for (uint256 i = 0; vm.keyExistsJson(json, _key(i, "type")); ++i) {
            if (!_equal(vm.parseJsonString(json, _key(i, "type")), "function")) continue;
            string memory mutability = vm.parseJsonString(json, _key(i, "stateMutability"));
            if (_equal(mutability, "view") || _equal(mutability, "pure")) continue;
            string memory name = vm.parseJsonString(json, _key(i, "name"));
            assertTrue(_listed(name), name);
            ++count;
        }
    }

    /* THE TABLE */

    function _fillDirect() private {
        //                                owner guardian mkt o. attest. relayer stranger
        _row("registerMarket", _registration(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("proposeModel", _proposal(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row(
            "cancelModel", abi.encodeCall(registry.cancelModel, (_proposedModel)), [DONE, DONE, AUTH, AUTH, AUTH, AUTH]
        );
        _row("activateModel", _activation(), [DONE, DONE, DONE, DONE, DONE, DONE]);
        _row(
            "deprecateModel",
            abi.encodeCall(registry.deprecateModel, (_activeModel)),
            [DONE, DONE, AUTH, AUTH, AUTH, AUTH]
        );
        _row("setPolicy", _policyOf(SUI), [MKTO, MKTO, DONE, MKTO, MKTO, MKTO]);
        _row("setPolicy", _policyOf(BTC), [MKTO, MKTO, LOCK, MKTO, MKTO, MKTO]);
        _row("pauseMarket", _pause(), [GUAR, DONE, GUAR, GUAR, GUAR, GUAR]);
        _row("submit", _submission(), [DONE, DONE, DONE, DONE, DONE, DONE]);
        _row("setAttestors", _attestors(), [LOCK, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setGuardian", abi.encodeCall(oracle.setGuardian, (STRANGER)), [LOCK, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("schedule", abi.encodeCall(oracle.schedule, ("any")), [DONE, DONE, DONE, DONE, DONE, DONE]);
        _row("veto", abi.encodeCall(oracle.veto, (_announced())), [GUAR, DONE, GUAR, GUAR, GUAR, GUAR]);
        _row(
            "requestOwnershipHandover",
            abi.encodeCall(oracle.requestOwnershipHandover, ()),
            [DONE, DONE, DONE, DONE, DONE, DONE]
        );
        _row(
            "cancelOwnershipHandover",
            abi.encodeCall(oracle.cancelOwnershipHandover, ()),
            [DONE, DONE, DONE, DONE, DONE, DONE]
        );
        _row("completeOwnershipHandover", _completion(), [LOCK, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setMarketOwner", _marketOwner(), [LOCK, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setSequencerFeed", _feed(), [LOCK, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("transferOwnership", _transfer(), [AUTH, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("renounceOwnership", abi.encodeCall(oracle.renounceOwnership, ()), [AUTH, AUTH, AUTH, AUTH, AUTH, AUTH]);
    }

    function _fillAnnounced() private {
        _row("registerMarket", _registration(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("proposeModel", _proposal(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setPolicy", _policyOf(BTC), [MKTO, MKTO, DONE, MKTO, MKTO, MKTO]);
        _row("setMarketOwner", _marketOwner(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setSequencerFeed", _feed(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setAttestors", _attestors(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("setGuardian", abi.encodeCall(oracle.setGuardian, (STRANGER)), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("pauseMarket", _pause(), [GUAR, DONE, GUAR, GUAR, GUAR, GUAR]);
        _row(
            "cancelModel", abi.encodeCall(registry.cancelModel, (_proposedModel)), [DONE, DONE, AUTH, AUTH, AUTH, AUTH]
        );
        _row("veto", abi.encodeCall(oracle.veto, (_announced())), [GUAR, DONE, GUAR, GUAR, GUAR, GUAR]);
        _row("completeOwnershipHandover", _completion(), [DONE, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("transferOwnership", _transfer(), [AUTH, AUTH, AUTH, AUTH, AUTH, AUTH]);
        _row("renounceOwnership", abi.encodeCall(oracle.renounceOwnership, ()), [AUTH, AUTH, AUTH, AUTH, AUTH, AUTH]);
    }

    /* CALLS */

    function _registration() private view returns (bytes memory) {
        return abi.encodeCall(oracle.registerMarket, ("another market", STRANGER, _bounds()));
    }

    function _proposal() private view returns (bytes memory) {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        spec.manifestSha256 = keccak256("another manifest");
        return abi.encodeCall(registry.proposeModel, (spec, 0));
    }

    function _activation() private returns (bytes memory) {
        IModelRegistry.Update memory smoke = _smoke(_proposedModel);
        smoke.proof = abi.encode(bytes32("a smoke proof"), bytes32("of 64 bytes"));
        uint256[] memory instances = registry.instancesOf(_proposedModel, smoke.period, smoke.features, smoke.outputs);
        bytes memory forged = bytes.concat(smoke.proof);
        forged[63] ^= 0x01;
        vm.mockCallRevert(address(verifier), abi.encodeCall(verifier.verifyProof, (forged, instances)), "");
        instances[instances.length - 1] += 1;
        vm.mockCallRevert(address(verifier), abi.encodeCall(verifier.verifyProof, (smoke.proof, instances)), "");
        return abi.encodeCall(registry.activateModel, (smoke));
    }

    function _policyOf(bytes32 market) private view returns (bytes memory) {
        return abi.encodeCall(oracle.setPolicy, (market, _policy()));
    }

    function _pause() private view returns (bytes memory) {
        return abi.encodeCall(oracle.pauseMarket, (BTC, uint40(block.timestamp + 1 days)));
    }

    function _submission() private view returns (bytes memory) {
        return abi.encodeCall(oracle.submit, (_update(_activeModel, _outputs(0, 0, -7600))));
    }

    function _attestors() private view returns (bytes memory) {
        return abi.encodeCall(registry.setAttestors, (_list(STRANGER), 1));
    }

    /// @dev The operation of the set-up.
    function _announced() private view returns (bytes32) {
        return oracle.operationOf(OWNER, abi.encodeCall(oracle.setGuardian, (OWNER)));
    }

    function _marketOwner() private view returns (bytes memory) {
        return abi.encodeCall(oracle.setMarketOwner, (BTC, STRANGER));
    }

    function _feed() private view returns (bytes memory) {
        return abi.encodeCall(oracle.setSequencerFeed, (STRANGER));
    }

    function _completion() private view returns (bytes memory) {
        return abi.encodeCall(oracle.completeOwnershipHandover, (STRANGER));
    }

    function _transfer() private view returns (bytes memory) {
        return abi.encodeCall(oracle.transferOwnership, (STRANGER));
    }

    /* HELPERS */

    function _row(string memory name, bytes memory data, bytes4[6] memory outcomes) private {
        _rows.push(Row(name, data, outcomes));
    }

    /// @dev On each contract that has the function.
    function _check(Row memory row, bool announced) private {
        address[2] memory targets = [address(oracle), address(registry)];
        uint256 checked = 0;
        for (uint256 t = 0; t < 2; ++t) {
            if (!_has(targets[t], bytes4(row.data))) continue;
            _checkOn(targets[t], row, announced);
            ++checked;
        }
        assertGt(checked, 0, row.name);
    }

    function _checkOn(address target, Row memory row, bool announced) private {
        address[6] memory callers = [OWNER, GUARDIAN, MARKET_OWNER, attestor, RELAYER, STRANGER];
        for (uint256 i = 0; i < 6; ++i) {
            uint256 snapshot = vm.snapshotState();
            if (announced) {
                vm.prank(callers[i]);
                Governed(target).schedule(row.data);
                vm.warp(block.timestamp + DELAY);
            }
            vm.prank(callers[i]);
            (bool success, bytes memory returned) = target.call(row.data);
            string memory which = string.concat(row.name, " by number ", vm.toString(i));
            assertEq(success, row.outcomes[i] == DONE, which);
            if (!success) assertEq(bytes4(returned), row.outcomes[i], which);
            vm.revertToState(snapshot);
        }
    }

    /// @dev Whether a contract dispatches a selector: its code compares with it.
    function _has(address target, bytes4 selector) private view returns (bool) {
        bytes memory code = target.code;
        bytes5 push = bytes5(abi.encodePacked(hex"63", selector));
        for (uint256 i = 0; i + 5 <= code.length; ++i) {
            bytes5 window;
            assembly ("memory-safe") {
                window := mload(add(add(code, 0x20), i))
            }
            if (window == push) return true;
        }
        return false;
    }

    function _listed(string memory name) private view returns (bool) {
        for (uint256 i = 0; i < _rows.length; ++i) {
            if (_equal(_rows[i].name, name)) return true;
        }
        return false;
    }

    function _equal(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    function _key(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".abi[", vm.toString(index), "].", field);
    }
}
