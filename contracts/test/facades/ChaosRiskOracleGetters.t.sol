// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ChaosRiskOracle} from "../../src/facades/ChaosRiskOracle.sol";
import {IChaosRiskOracle, IChaosRiskOracleOfBytes} from "../../src/interfaces/external/IChaosRiskOracle.sol";
import {IERC165} from "../../src/interfaces/external/IERC165.sol";
import {MockRiskOracle} from "../../src/testing/MockRiskOracle.sol";
import {ChaosFixture} from "./ChaosFixture.sol";

contract ChaosRiskOracleGettersTest is ChaosFixture {
    MockRiskOracle private mock;

    function setUp() public override {
        super.setUp();
        mock = new MockRiskOracle();
        facade = _deployFacade(mock);
    }

    function test_RevertWhen_TheTypeOrTheMarketIsUnknown() public {
        mock.setCalm(BTC);
        facade.record();
        _expectNoUpdate("SupplyCapUpdate", WBTC);
        facade.getLatestUpdateByParameterAndMarket("SupplyCapUpdate", WBTC);
        _expectNoUpdate("", WBTC);
        facade.getLatestUpdateByParameterAndMarket("", WBTC);
        _expectNoUpdate(COLLATERAL, STRANGER);
        facade.getLatestUpdateByParameterAndMarket(COLLATERAL, STRANGER);
        _expectNoUpdate("", STRANGER);
        facade.getLatestUpdatesByMarket(STRANGER);
        (bool exists,) = facade.tryGetLatestUpdateByParameterAndMarket("SupplyCapUpdate", WBTC);
        assertFalse(exists);
        (exists,) = facade.tryGetLatestUpdateByParameterAndMarket(COLLATERAL, STRANGER);
        assertFalse(exists);
    }

    function testFuzz_RevertWhen_TheIdIsUnknown(uint256 updateId) public {
        mock.setCalm(BTC);
        facade.record();
        updateId = updateId % 2 == 0 ? 0 : bound(updateId, TYPES + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(ChaosRiskOracle.UnknownUpdateId.selector, updateId));
        facade.getUpdateById(updateId);
    }

    function test_AllGettersShowTheSame() public {
        mock.setCalm(BTC);
        facade.record();
        skip(4 hours);
        mock.setTurbulent(BTC);
        facade.record();
        string[] memory types = facade.getAllUpdateTypes();
        assertEq(types.length, TYPES);
        IChaosRiskOracle.RiskParameterUpdate[] memory all = facade.getLatestUpdatesByMarket(WBTC);
        assertEq(all.length, TYPES);
        for (uint256 i = 0; i < TYPES; ++i) {
            (bool exists, IChaosRiskOracle.RiskParameterUpdate memory update) =
                facade.tryGetLatestUpdateByParameterAndMarket(types[i], WBTC);
            assertTrue(exists);
            assertEq(update.updateType, types[i]);
            assertEq(update.updateId, TYPES + i + 1);
            assertEq(_hash(update), _hash(_latest(types[i])));
            assertEq(_hash(update), _hash(all[i]));
            assertEq(_hash(update), _hash(facade.getUpdateById(TYPES + i + 1)));
            assertEq(update.previousValue, facade.getUpdateById(i + 1).newValue);
        }
    }

    function test_MarketsMayBeBytes() public {
        mock.setCalm(BTC);
        facade.record();
        IChaosRiskOracle.RiskParameterUpdate memory update = _latest(COLLATERAL);
        IChaosRiskOracleOfBytes.BytesMarketUpdate memory same =
            facade.getLatestUpdateByParameterAndMarket(COLLATERAL, abi.encode(WBTC));
        assertEq(same.market, abi.encode(WBTC));
        assertEq(
            abi.encode(same.timestamp, same.newValue, same.referenceId, same.previousValue),
            abi.encode(update.timestamp, update.newValue, update.referenceId, update.previousValue)
        );
        assertEq(
            abi.encode(same.updateType, same.updateId, same.additionalData),
            abi.encode(update.updateType, update.updateId, update.additionalData)
        );
        _expectNoUpdate(COLLATERAL, STRANGER);
        facade.getLatestUpdateByParameterAndMarket(COLLATERAL, abi.encode(STRANGER));
        vm.expectRevert();
        facade.getLatestUpdateByParameterAndMarket(COLLATERAL, abi.encodePacked(WBTC));
    }

    function test_OnlyTheOracleIsAuthorized() public view {
        assertTrue(facade.isAuthorized(address(mock)));
        assertFalse(facade.isAuthorized(address(this)));
    }

    function testFuzz_HasThreeInterfaces(bytes4 other) public view {
        bytes4 chaos = IChaosRiskOracle.getLatestUpdateByParameterAndMarket.selector
            ^ IChaosRiskOracle.getUpdateById.selector ^ IChaosRiskOracle.getAllUpdateTypes.selector
            ^ IChaosRiskOracle.updateCounter.selector ^ IChaosRiskOracle.isAuthorized.selector;
        assertTrue(facade.supportsInterface(chaos));
        assertTrue(facade.supportsInterface(type(IERC165).interfaceId));
        bytes4 ofBytes = type(IChaosRiskOracleOfBytes).interfaceId;
        assertTrue(facade.supportsInterface(ofBytes));
        vm.assume(other != chaos && other != ofBytes && other != type(IERC165).interfaceId);
        assertFalse(facade.supportsInterface(other));
    }
}
