// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {HedgeVault} from "../../src/HedgeVault.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {TableFixture} from "../TableFixture.sol";
import {UniswapV3Market} from "./UniswapV3Market.sol";

/// @notice A filled vault with terms, a registry with an electricity model behind a mock verifier, and a pool with a history,
/// an hour and a half into a period.
abstract contract VaultFixture is UniswapV3Market, TableFixture {
    uint256 internal constant WEEK = 1 weeks;

    /// @dev Thursday 2025-07-31 00:00 UTC.
    uint64 internal constant PERIOD = 2900;
    uint256 internal constant FIRST_DAY = PERIOD * 7;

    address internal immutable OWNER = makeAddr("miner");
    address internal immutable OPERATOR = makeAddr("operator");
    address internal immutable STRANGER = makeAddr("stranger");

    HedgeVault internal vault;

    function setUp() public virtual {
        vm.warp(PERIOD * WEEK + 30 minutes);
        _deployMarket();
        _provide(LIQUIDITY);
        _age(60);
        _deployRegistry();
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

    function _spec() internal view returns (IModelRegistry.ModelSpec memory) {
        return _specOf("electricity-price/1", "DEU", WEEK, 8, 2);
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

    function _update(int128[] memory outputs) internal view returns (IModelRegistry.Update memory) {
        return _updateOf(modelId, WEEK, outputs);
    }

    function _attestationOf(IModelRegistry.Update memory update, IHedgeVault.Prices memory prices)
        internal
        view
        returns (bytes memory)
    {
        return _signed(registry.statementDigest(vault.statementOf(update.modelId, update.period, prices)));
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
