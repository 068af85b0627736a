// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ChaosRiskOracle} from "../../src/facades/ChaosRiskOracle.sol";
import {ChaosRecords} from "../../src/libraries/ChaosRecords.sol";
import {IChaosRiskOracle} from "../../src/interfaces/external/IChaosRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {OracleFixture} from "../OracleFixture.sol";

/// @notice Two markets of a Chaos-shaped facade, in front of whatever oracle a test wants.
abstract contract ChaosFixture is OracleFixture {
    uint256 internal constant TYPES = 3;
    uint16 internal constant STEP_BPS = 50;

    string internal constant COLLATERAL = "CollateralUpdate";
    string internal constant SUPPLY_CAP = "supplyCap";
    string internal constant BORROW_CAP = "borrowCap";

    /// @dev "As it is", for Aave's config engine.
    uint256 internal constant KEEP_CURRENT = type(uint256).max - 42;

    uint96 internal constant SUPPLY_TOKENS = 1_000;
    uint96 internal constant BORROW_TOKENS = 500;

    address internal immutable WBTC = makeAddr("WBTC");
    address internal immutable WETH = makeAddr("WETH");

    ChaosRiskOracle internal facade;

    function _deployFacade(IRiskParameters behind) internal returns (ChaosRiskOracle) {
        return new ChaosRiskOracle(behind, STEP_BPS, _twoListings());
    }

    function _twoListings() internal view returns (ChaosRiskOracle.Listing[] memory listings) {
        listings = new ChaosRiskOracle.Listing[](2);
        listings[0] = _listing(WBTC, BTC);
        listings[1] = _listing(WETH, ETH);
    }

    function _listing(address market, bytes32 oracleMarket) internal pure returns (ChaosRiskOracle.Listing memory) {
        return ChaosRiskOracle.Listing(market, oracleMarket, ChaosRecords.Caps(SUPPLY_TOKENS, BORROW_TOKENS));
    }

    function _latest(string memory updateType) internal view returns (IChaosRiskOracle.RiskParameterUpdate memory) {
        return facade.getLatestUpdateByParameterAndMarket(updateType, WBTC);
    }

    function _ltv() internal view returns (uint256 ltvBps) {
        (ltvBps,,) = _collateral(_latest(COLLATERAL));
    }

    function _threshold() internal view returns (uint256 thresholdBps) {
        (, thresholdBps,) = _collateral(_latest(COLLATERAL));
    }

    function _collateral(IChaosRiskOracle.RiskParameterUpdate memory update)
        internal
        pure
        returns (uint256 ltvBps, uint256 thresholdBps, uint256 bonus)
    {
        return abi.decode(update.newValue, (uint256, uint256, uint256));
    }

    function _hash(IChaosRiskOracle.RiskParameterUpdate memory update) internal pure returns (bytes32) {
        return keccak256(abi.encode(update));
    }

    function _expectNoUpdate(string memory updateType, address market) internal {
        vm.expectRevert(abi.encodeWithSelector(ChaosRiskOracle.NoUpdate.selector, updateType, market));
    }

    /// @dev Nothing to show for WBTC: by no getter of the latest update, for no type.
    function _assertNothing() internal {
        string[] memory types = facade.getAllUpdateTypes();
        for (uint256 i = 0; i < types.length; ++i) {
            (bool exists, IChaosRiskOracle.RiskParameterUpdate memory update) =
                facade.tryGetLatestUpdateByParameterAndMarket(types[i], WBTC);
            assertFalse(exists);
            assertEq(update.updateId, 0);
            assertEq(update.newValue.length, 0);
            _expectNoUpdate(types[i], WBTC);
            facade.getLatestUpdateByParameterAndMarket(types[i], WBTC);
        }
        _expectNoUpdate("", WBTC);
        facade.getLatestUpdatesByMarket(WBTC);
    }

    function _assertVector(uint256 ltvBps, uint256 thresholdBps, uint256 capFactorBps) internal view {
        assertEq(_latest(COLLATERAL).newValue, abi.encode(ltvBps, thresholdBps, KEEP_CURRENT), "collateral");
        assertEq(_latest(SUPPLY_CAP).newValue, abi.encode(SUPPLY_TOKENS * capFactorBps / 100_00 * 1e18), "supply cap");
        assertEq(_latest(BORROW_CAP).newValue, abi.encode(BORROW_TOKENS * capFactorBps / 100_00 * 1e18), "borrow cap");
    }
}
