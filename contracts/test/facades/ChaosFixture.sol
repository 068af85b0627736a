// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ChaosRiskOracle} from "../../src/facades/ChaosRiskOracle.sol";
import {IChaosRiskOracle} from "../../src/interfaces/external/IChaosRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {OracleFixture} from "../OracleFixture.sol";

/// @notice Two markets of a Chaos-shaped facade, in front of whatever oracle a test wants.
abstract contract ChaosFixture is OracleFixture {
    uint256 internal constant TYPES = 6;
    uint16 internal constant STEP_BPS = 50;

    string internal constant RATIO = "BorrowCollateralRatio";
    string internal constant LTV = "BorrowLtv";
    string internal constant THRESHOLD = "LiquidationThreshold";
    string internal constant FEE = "AmmFee";
    string internal constant CAP = "BorrowCapFactor";
    string internal constant REGIME = "VolatilityRegime";

    address internal immutable WBTC = makeAddr("WBTC");
    address internal immutable WETH = makeAddr("WETH");

    ChaosRiskOracle internal facade;

    function _deployFacade(IRiskParameters behind) internal returns (ChaosRiskOracle) {
        (address[] memory markets, bytes32[] memory oracleMarkets) = _twoMarkets();
        return new ChaosRiskOracle(behind, STEP_BPS, markets, oracleMarkets);
    }

    function _twoMarkets() internal view returns (address[] memory markets, bytes32[] memory oracleMarkets) {
        (markets, oracleMarkets) = (new address[](2), _btcAndEth());
        (markets[0], markets[1]) = (WBTC, WETH);
    }

    function _latest(string memory updateType) internal view returns (IChaosRiskOracle.RiskParameterUpdate memory) {
        return facade.getLatestUpdateByParameterAndMarket(updateType, WBTC);
    }

    function _value(string memory updateType) internal view returns (uint256) {
        return abi.decode(_latest(updateType).newValue, (uint256));
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

    function _assertVector(uint256 ratio, uint256 ltv, uint256 threshold, uint256 fee, uint256 cap, uint256 regime)
        internal
        view
    {
        assertEq(_value(RATIO), ratio, "ratio");
        assertEq(_value(LTV), ltv, "ltv");
        assertEq(_value(THRESHOLD), threshold, "threshold");
        assertEq(_value(FEE), fee, "fee");
        assertEq(_value(CAP), cap, "cap");
        assertEq(_value(REGIME), regime, "regime");
    }
}
