// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC20} from "solady/tokens/ERC20.sol";
import {Test} from "forge-std/Test.sol";
import {IACLManager} from "@aave/core-v3/contracts/interfaces/IACLManager.sol";
import {IPool} from "@aave/core-v3/contracts/interfaces/IPool.sol";
import {IPoolAddressesProvider} from "@aave/core-v3/contracts/interfaces/IPoolAddressesProvider.sol";
import {IPoolConfigurator} from "@aave/core-v3/contracts/interfaces/IPoolConfigurator.sol";
import {ConfiguratorInputTypes} from "@aave/core-v3/contracts/protocol/libraries/types/ConfiguratorInputTypes.sol";

/// @notice A token that anyone may mint.
contract TestToken is ERC20 {
    string private _symbol;
    uint8 private immutable _decimals;

    constructor(string memory symbol_, uint8 decimals_) {
        (_symbol, _decimals) = (symbol_, decimals_);
    }

    function name() public view override returns (string memory) {
        return _symbol;
    }

    function symbol() public view override returns (string memory) {
        return _symbol;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice A price feed that says what it is told, in dollars with 8 decimals.
contract TestPrice {
    int256 public latestAnswer;

    constructor(int256 price) {
        latestAnswer = price;
    }

    function set(int256 price) external {
        latestAnswer = price;
    }
}

/// @notice Aave v3 core as its package publishes it, byte for byte, with ether as collateral and dollars to borrow. The test
/// contract is the owner of everything.
abstract contract AaveV3Market is Test {
    string private constant ARTIFACTS = "node_modules/@aave/core-v3/artifacts/";
    uint256 internal constant VARIABLE_RATE = 2;

    uint256 internal constant LTV = 62_50;
    uint256 internal constant THRESHOLD = 80_00;
    uint256 internal constant BONUS = 105_00;
    int256 internal constant ETHER_PRICE = 2_000e8;

    IPoolAddressesProvider internal aave;
    IACLManager internal acl;
    IPool internal pool;
    IPoolConfigurator internal configurator;
    TestToken internal weth;
    TestToken internal usd;
    TestPrice internal wethPrice;

    /// @dev What stands in bytecode for the deployed libraries' addresses, and the addresses.
    string[] private _placeholders;
    string[] private _libraries;

    function deployAave() internal virtual {
        aave = IPoolAddressesProvider(_deploy("protocol/configuration/PoolAddressesProvider", abi.encode("test", this)));
        aave.setACLAdmin(address(this));
        acl = IACLManager(_deploy("protocol/configuration/ACLManager", abi.encode(aave)));
        aave.setACLManager(address(acl));
        acl.addPoolAdmin(address(this));
        acl.addEmergencyAdmin(address(this));

        string[8] memory logic =
            ["Borrow", "Bridge", "Configurator", "EMode", "FlashLoan", "Liquidation", "Pool", "Supply"];
        for (uint256 i; i < logic.length; ++i) {
            _deployLibrary(string.concat("protocol/libraries/logic/", logic[i], "Logic"));
        }
        aave.setPoolImpl(_deploy("protocol/pool/Pool", abi.encode(aave)));
        pool = IPool(aave.getPool());
        aave.setPoolConfiguratorImpl(_deploy("protocol/pool/PoolConfigurator", ""));
        configurator = IPoolConfigurator(aave.getPoolConfigurator());

        (address[] memory assets, bytes memory arguments) = _createAssets();
        aave.setPriceOracle(_deploy("misc/AaveOracle", arguments));
        aave.setPoolDataProvider(_deploy("misc/AaveProtocolDataProvider", abi.encode(aave)));

        _listReserves(assets);
        _openMarket();
    }

    /// @dev Ether and dollars with their prices, and what Aave's oracle of them is constructed with.
    function _createAssets() internal returns (address[] memory assets, bytes memory arguments) {
        weth = new TestToken("WETH", 18);
        usd = new TestToken("USD", 6);
        wethPrice = new TestPrice(ETHER_PRICE);
        assets = new address[](2);
        address[] memory prices = new address[](2);
        (assets[0], assets[1]) = (address(weth), address(usd));
        (prices[0], prices[1]) = (address(wethPrice), address(new TestPrice(1e8)));
        arguments = abi.encode(aave, assets, prices, address(0), address(0), 1e8);
    }

    /// @dev Ether as collateral, dollars to borrow, and a lender of them.
    function _openMarket() internal {
        configurator.configureReserveAsCollateral(address(weth), LTV, THRESHOLD, BONUS);
        configurator.configureReserveAsCollateral(address(usd), 75_00, 78_00, BONUS);
        configurator.setReserveBorrowing(address(usd), true);
        supply(makeAddr("lender"), usd, 100_000_000e6);
    }

    /* WHAT USERS DO */

    function supply(address user, TestToken token, uint256 amount) internal {
        token.mint(user, amount);
        vm.startPrank(user);
        token.approve(address(pool), amount);
        pool.supply(address(token), amount, user, 0);
        vm.stopPrank();
    }

    function borrow(address user, uint256 amount) internal {
        vm.prank(user);
        pool.borrow(address(usd), amount, VARIABLE_RATE, 0, user);
    }

    /// @dev A user with one ether and this debt, in bps of the ether's value of 2,000 dollars.
    function openPosition(string memory name, uint256 debtBps) internal returns (address user) {
        user = makeAddr(name);
        supply(user, weth, 1e18);
        borrow(user, uint256(ETHER_PRICE) * debtBps / 100 / 10_000);
    }

    function liquidate(address user, uint256 amount) internal {
        address liquidator = makeAddr("liquidator");
        usd.mint(liquidator, amount);
        vm.startPrank(liquidator);
        usd.approve(address(pool), amount);
        pool.liquidationCall(address(weth), address(usd), user, amount, false);
        vm.stopPrank();
    }

    function healthFactor(address user) internal view returns (uint256 factorWad) {
        (,,,,, factorWad) = pool.getUserAccountData(user);
    }

    /* WHAT THE RESERVE IS LIKE */

    function collateralOf(TestToken token) internal view returns (uint256 ltv, uint256 threshold, uint256 bonus) {
        uint256 data = pool.getConfiguration(address(token)).data;
        return (uint16(data), uint16(data >> 16), uint16(data >> 32));
    }

    function assertCollateral(uint256 expectedLtv, uint256 expectedThreshold) internal view {
        (uint256 ltv, uint256 threshold, uint256 bonus) = collateralOf(weth);
        assertEq(ltv, expectedLtv, "LTV");
        assertEq(threshold, expectedThreshold, "threshold");
        assertEq(bonus, BONUS, "bonus");
    }

    /* DEPLOYMENT */

    function _listReserves(address[] memory assets) private {
        bytes memory rates = abi.encode(aave, 0.8e27, 0, 0.04e27, 0.6e27, 0, 0, 0, 0, 0);
        ConfiguratorInputTypes.InitReserveInput memory input;
        input.aTokenImpl = _deploy("protocol/tokenization/AToken", abi.encode(pool));
        input.stableDebtTokenImpl = _deploy("protocol/tokenization/StableDebtToken", abi.encode(pool));
        input.variableDebtTokenImpl = _deploy("protocol/tokenization/VariableDebtToken", abi.encode(pool));
        input.interestRateStrategyAddress = _deploy("protocol/pool/DefaultReserveInterestRateStrategy", rates);
        input.treasury = makeAddr("treasury");
        ConfiguratorInputTypes.InitReserveInput[] memory inputs = new ConfiguratorInputTypes.InitReserveInput[](1);
        for (uint256 i; i < assets.length; ++i) {
            input.underlyingAsset = assets[i];
            input.underlyingAssetDecimals = TestToken(assets[i]).decimals();
            inputs[0] = input;
            configurator.initReserves(inputs);
        }
    }

    function _deployLibrary(string memory path) private {
        string memory qualified = string.concat("contracts/", path, ".sol:", _fileName(path));
        string memory digest = vm.toString(keccak256(bytes(qualified)));
        _libraries.push(_slice(vm.toString(_deploy(path, "")), 2, 42));
        _placeholders.push(string.concat("__$", _slice(digest, 2, 36), "$__"));
    }

    function _deploy(string memory path, bytes memory arguments) private returns (address deployed) {
        string memory file = string.concat(ARTIFACTS, "contracts/", path, ".sol/", _fileName(path), ".json");
        string memory bytecode = vm.parseJsonString(vm.readFile(file), ".bytecode");
        for (uint256 i; i < _placeholders.length; ++i) {
            bytecode = vm.replace(bytecode, _placeholders[i], _libraries[i]);
        }
        bytes memory initCode = bytes.concat(vm.parseBytes(bytecode), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(initCode, 0x20), mload(initCode))
        }
        assertGt(deployed.code.length, 0, path);
    }

    function _fileName(string memory path) private pure returns (string memory) {
        string[] memory parts = vm.split(path, "/");
        return parts[parts.length - 1];
    }

    function _slice(string memory text, uint256 from, uint256 to) private pure returns (string memory) {
        bytes memory part = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            part[i - from] = bytes(text)[i];
        }
        return string(part);
    }
}
