// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AaveProtocolDataProvider} from "@aave-dao/aave-v3-origin/helpers/AaveProtocolDataProvider.sol";
import {ATokenInstance} from "@aave-dao/aave-v3-origin/instances/ATokenInstance.sol";
import {PoolConfiguratorInstance} from "@aave-dao/aave-v3-origin/instances/PoolConfiguratorInstance.sol";
import {PoolInstance} from "@aave-dao/aave-v3-origin/instances/PoolInstance.sol";
import {VariableDebtTokenInstance} from "@aave-dao/aave-v3-origin/instances/VariableDebtTokenInstance.sol";
import {IDefaultInterestRateStrategyV2} from "@aave-dao/aave-v3-origin/interfaces/IDefaultInterestRateStrategyV2.sol";
import {IPoolConfigurator as IOriginConfigurator} from "@aave-dao/aave-v3-origin/interfaces/IPoolConfigurator.sol";
import {AaveOracle} from "@aave-dao/aave-v3-origin/misc/AaveOracle.sol";
import {
    DefaultReserveInterestRateStrategyV2
} from "@aave-dao/aave-v3-origin/misc/DefaultReserveInterestRateStrategyV2.sol";
import {ACLManager} from "@aave-dao/aave-v3-origin/protocol/configuration/ACLManager.sol";
import {PoolAddressesProvider} from "@aave-dao/aave-v3-origin/protocol/configuration/PoolAddressesProvider.sol";
import {ConfiguratorInputTypes} from "@aave-dao/aave-v3-origin/protocol/libraries/types/ConfiguratorInputTypes.sol";
import {IACLManager} from "@aave/core-v3/contracts/interfaces/IACLManager.sol";
import {IPool} from "@aave/core-v3/contracts/interfaces/IPool.sol";
import {IPoolAddressesProvider} from "@aave/core-v3/contracts/interfaces/IPoolAddressesProvider.sol";
import {IPoolConfigurator} from "@aave/core-v3/contracts/interfaces/IPoolConfigurator.sol";
import {AaveV3Market} from "./AaveV3Market.sol";

/// @notice The same market on Aave's current contracts, compiled from their package's sources.
abstract contract AaveOriginMarket is AaveV3Market {
    function deployAave() internal virtual override {
        aave = IPoolAddressesProvider(_new(type(PoolAddressesProvider).name, abi.encode("test", this)));
        aave.setACLAdmin(address(this));
        acl = IACLManager(_new(type(ACLManager).name, abi.encode(aave)));
        aave.setACLManager(address(acl));
        acl.addPoolAdmin(address(this));
        acl.addEmergencyAdmin(address(this));

        address rates = _new(type(DefaultReserveInterestRateStrategyV2).name, abi.encode(aave));
        aave.setPoolImpl(_new(type(PoolInstance).name, abi.encode(aave, rates)));
        pool = IPool(aave.getPool());
        aave.setPoolConfiguratorImpl(_new(type(PoolConfiguratorInstance).name, ""));
        configurator = IPoolConfigurator(aave.getPoolConfigurator());

        (address[] memory assets, bytes memory arguments) = _createAssets();
        aave.setPriceOracle(_new(type(AaveOracle).name, arguments));
        aave.setPoolDataProvider(_new(type(AaveProtocolDataProvider).name, abi.encode(aave)));

        _list(assets);
        _openMarket();
    }

    function origin() internal view returns (IOriginConfigurator) {
        return IOriginConfigurator(address(configurator));
    }

    function _list(address[] memory assets) private {
        ConfiguratorInputTypes.InitReserveInput[] memory inputs =
            new ConfiguratorInputTypes.InitReserveInput[](assets.length);
        address aToken = _new(type(ATokenInstance).name, abi.encode(pool, address(0), makeAddr("treasury")));
        address debtToken = _new(type(VariableDebtTokenInstance).name, abi.encode(pool, address(0)));
        for (uint256 i; i < assets.length; ++i) {
            inputs[i].aTokenImpl = aToken;
            inputs[i].variableDebtTokenImpl = debtToken;
            inputs[i].underlyingAsset = assets[i];
            inputs[i].interestRateData =
                abi.encode(IDefaultInterestRateStrategyV2.InterestRateData(80_00, 0, 4_00, 60_00));
        }
        origin().initReserves(inputs);
    }

    /// @dev By artifact, so that no test carries all of Aave in its own code. Forge links the libraries.
    function _new(string memory name, bytes memory arguments) private returns (address) {
        return deployCode(string.concat(name, ".sol:", name), arguments);
    }
}
