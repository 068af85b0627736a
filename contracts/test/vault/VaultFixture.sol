// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {HedgeVault} from "../../src/HedgeVault.sol";
import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {packedOutputs, setFeature} from "../Packed.sol";
import {MockVerifier} from "../mocks/MockVerifier.sol";
import {UniswapV3Market} from "./UniswapV3Market.sol";

/// @notice A filled vault with terms, a registry with an electricity model behind a mock verifier, and a pool with a history,
/// an hour and a half into a period.
abstract contract VaultFixture is UniswapV3Market {
    uint256 internal constant WEEK = 1 weeks;

    /// @dev Thursday 2025-07-31 00:00 UTC.
    uint64 internal constant PERIOD = 2900;
    uint256 internal constant FIRST_DAY = PERIOD * 7;

    uint8 internal constant OUTPUT_SCALE = 29;
    uint256 internal constant FEATURES = 13;

    address internal immutable OWNER = makeAddr("miner");
    address internal immutable OPERATOR = makeAddr("operator");
    address internal immutable RELAYER = makeAddr("relayer");
    address internal immutable STRANGER = makeAddr("stranger");
    address internal immutable REGISTRY_OWNER = makeAddr("owner of the registry");

    ModelRegistry internal registry;
    MockVerifier internal verifier;
    HedgeVault internal vault;
    bytes32 internal modelId;
    address internal attestor;
    uint256 internal attestorKey;

    function setUp() public virtual {
        vm.warp(PERIOD * WEEK + 30 minutes);
        _deployMarket();
        _provide(LIQUIDITY);
        _age(60);
        (attestor, attestorKey) = makeAddrAndKey("attestor");
        address[] memory attestors = new address[](1);
        attestors[0] = attestor;
        registry = new ModelRegistry(REGISTRY_OWNER, makeAddr("guardian"), 0, attestors, 1);
        verifier = new MockVerifier();
        modelId = _register(_spec());
        vault = _newVault(OWNER);
    }

    /* SET-UP */

    function _newVault(address owner) internal returns (HedgeVault made) {
        made = new HedgeVault(owner, registry, factory, address(wbtc), address(usdc), FEE_PIPS);
        wbtc.mint(address(made), 10e8);
        vm.prank(owner);
        made.setTerms(_terms());
    }

    /// @dev A megawatt for two months: 158,400 dollars or 2.65 bitcoin at `_prices`.
    function _terms() internal view returns (IHedgeVault.Terms memory) {
        return IHedgeVault.Terms({
            modelId: modelId,
            watts: 1_000_000,
            months: 2,
            shareBps: 100_00,
            slippageBps: 1_00,
            twapSeconds: 30 minutes,
            minObservations: 50,
            deadline: uint40((PERIOD + 52) * WEEK),
            maxPerPeriodSats: 5e8,
            operatorSeconds: 0,
            maxInAllSats: 100e8,
            floorUsdPerBtc: 40_000,
            operator: OPERATOR
        });
    }

    function _setTerms(IHedgeVault.Terms memory terms) internal {
        vm.prank(OWNER);
        vault.setTerms(terms);
    }

    function _spec() internal view returns (IModelRegistry.ModelSpec memory spec) {
        spec.purpose = keccak256("electricity-price/1");
        spec.verifier = address(verifier);
        spec.verifierCodeHash = address(verifier).codehash;
        spec.verifierGas = 1_000_000;
        spec.manifestSha256 = keccak256("manifest");
        spec.periodSeconds = uint32(WEEK);
        spec.featureCount = uint16(FEATURES);
        spec.outputCount = 8;
        spec.inputScale = 13;
        spec.outputScale = OUTPUT_SCALE;
        spec.featureBound = 2 << 13;
        spec.proofLength = 64;
        spec.markets = new bytes32[](1);
        spec.markets[0] = keccak256("DEU");
    }

    /// @dev Proposed and activated; the mock accepts the smoke test's proof alone while it is tested.
    function _register(IModelRegistry.ModelSpec memory spec) internal returns (bytes32 id) {
        vm.prank(REGISTRY_OWNER);
        id = registry.proposeModel(spec, 0);
        IModelRegistry.Update memory smoke;
        smoke.modelId = id;
        smoke.features = new bytes(4 * spec.featureCount * spec.markets.length);
        smoke.outputs = new bytes(16 * spec.outputCount * spec.markets.length);
        smoke.proof = new bytes(spec.proofLength);
        verifier.acceptOnly(smoke.proof, registry.instancesOf(id, 0, smoke.features, smoke.outputs));
        registry.activateModel(smoke);
        verifier.acceptAny();
    }

    /* FORECASTS */

    /// @dev Logarithms of 0, 0.1, 0.2 and 0.3 for 2, 3, 4 and 5 months.
    function _outputs() internal pure returns (int128[] memory outputs) {
        outputs = new int128[](8);
        for (uint256 i = 0; i < 4; ++i) {
            outputs[i] = int128(int256(i << OUTPUT_SCALE) / 10);
            outputs[4 + i] = int128(1) << (OUTPUT_SCALE - 2);
        }
    }

    function _outputsOf(int256 logarithmE3) internal pure returns (int128[] memory outputs) {
        outputs = _outputs();
        outputs[0] = int128((logarithmE3 << OUTPUT_SCALE) / 1000);
    }

    /// @dev 110 dollars for a megawatt-hour.
    function _prices() internal pure returns (IHedgeVault.Prices memory) {
        return IHedgeVault.Prices({eurPerMwhE6: 100e6, usdPerEurE6: 1.1e6});
    }

    /// @dev Attested, of the current period.
    function _update(int128[] memory outputs) internal view returns (IModelRegistry.Update memory update) {
        update.modelId = modelId;
        update.period = uint64(block.timestamp / WEEK);
        update.features = new bytes(4 * FEATURES);
        setFeature(update.features, 0, -5);
        update.outputs = packedOutputs(outputs);
        update.proof = new bytes(64);
        update.attestations = _attestationOf(update);
    }

    function _attestationOf(IModelRegistry.Update memory update) internal view returns (bytes memory) {
        uint256[] memory instances =
            registry.instancesOf(update.modelId, update.period, update.features, update.outputs);
        return _signed(
            registry.attestationDigest(
                update.modelId, update.period, update.omittedMarkets, keccak256(abi.encodePacked(instances))
            )
        );
    }

    function _attestationOf(IModelRegistry.Update memory update, IHedgeVault.Prices memory prices)
        internal
        view
        returns (bytes memory)
    {
        return _signed(registry.statementDigest(vault.statementOf(update.modelId, update.period, prices)));
    }

    function _signed(bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(attestorKey, digest);
        return abi.encodePacked(attestor, uint16(65), r, s, v);
    }

    /* EXECUTION */

    function _execute() internal returns (IHedgeVault.Sale memory) {
        return _execute(vault, _outputs(), _prices());
    }

    function _execute(HedgeVault target, int128[] memory outputs, IHedgeVault.Prices memory prices)
        internal
        returns (IHedgeVault.Sale memory)
    {
        IModelRegistry.Update memory update = _update(outputs);
        bytes memory attestations = _attestationOf(update, prices);
        vm.prank(RELAYER);
        return target.execute(update, prices, attestations);
    }

    function _expectRefusal(bytes memory revertData) internal {
        _expectRefusal(_update(_outputs()), _prices(), revertData);
    }

    /// @dev The vault says exactly this, and nothing has changed.
    function _expectRefusal(
        IModelRegistry.Update memory update,
        IHedgeVault.Prices memory prices,
        bytes memory revertData
    ) internal {
        bytes32 before = _everything();
        bytes memory attestations = _attestationOf(update, prices);
        vm.prank(RELAYER);
        (bool ok, bytes memory returned) =
            address(vault).call(abi.encodeCall(vault.execute, (update, prices, attestations)));
        assertFalse(ok, "executed");
        assertEq(returned, revertData);
        assertEq(_everything(), before, "left a trace");
    }

    function _everything() internal view returns (bytes32) {
        return keccak256(abi.encode(vault.state(), wbtc.balanceOf(address(vault)), usdc.balanceOf(OWNER)));
    }

    /// @dev To the same time of a later period, with trades before it.
    function _nextPeriod(uint256 periods) internal {
        vm.warp(block.timestamp + periods * WEEK - 40 minutes);
        _age(40);
    }
}
