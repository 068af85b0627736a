// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {LPFeeLibrary} from "@uniswap/v4-core/src/libraries/LPFeeLibrary.sol";
import {StateLibrary} from "@uniswap/v4-core/src/libraries/StateLibrary.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {BalanceDelta} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {Currency} from "@uniswap/v4-core/src/types/Currency.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {ModifyLiquidityParams, SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {Test, Vm} from "forge-std/Test.sol";
import {ERC20} from "solady/tokens/ERC20.sol";
import {LibClone} from "solady/utils/LibClone.sol";
import {ForecastFee} from "../../src/consumers/ForecastFee.sol";
import {RegimeFeeHook} from "../../src/consumers/RegimeFeeHook.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {PoolRouter} from "./PoolRouter.sol";

contract PoolToken is ERC20 {
    constructor(address holder) {
        _mint(holder, 1e36);
    }

    function mint(address holder, uint256 amount) external {
        _mint(holder, amount);
    }

    function name() public pure override returns (string memory) {
        return "Token";
    }

    function symbol() public pure override returns (string memory) {
        return "TKN";
    }
}

/// @notice The pool manager that Uniswap published, two tokens, and pools of equal liquidity at price 1.
abstract contract PoolFixture is Test {
    /// @dev The published build: the source wants a compiler of its own.
    string internal constant MANAGER_BUILD = "node_modules/@uniswap/v4-core/out/PoolManager.sol/PoolManager.json";
    /// @dev Of both hooks: after an initialization, before a swap.
    uint160 internal constant FLAGS = (1 << 12) | (1 << 7);
    uint24 internal constant MAX_FEE_PIPS = 15_000;
    int24 internal constant TICK_SPACING = 60;
    int256 internal constant LIQUIDITY = 1e24;

    IPoolManager internal manager;
    PoolRouter internal router;
    Currency internal currency0;
    Currency internal currency1;

    function _deployManager() internal {
        manager = IPoolManager(deployCode(MANAGER_BUILD, abi.encode(address(this))));
        router = new PoolRouter(manager);
        address a = address(new PoolToken(address(router)));
        address b = address(new PoolToken(address(router)));
        (currency0, currency1) = a < b ? (Currency.wrap(a), Currency.wrap(b)) : (Currency.wrap(b), Currency.wrap(a));
    }

    /// @dev Deploys the hook to an address with its flags.
    function _deployHook(
        address oracle,
        bytes32 market,
        uint24 minFeePips,
        uint24 fallbackFeePips,
        uint32 refreshAfterSeconds
    ) internal returns (RegimeFeeHook) {
        uint24 maxFeePips = fallbackFeePips < MAX_FEE_PIPS ? MAX_FEE_PIPS : fallbackFeePips;
        bytes memory arguments =
            abi.encode(manager, oracle, market, minFeePips, fallbackFeePips, maxFeePips, refreshAfterSeconds);
        bytes memory initCode = abi.encodePacked(type(RegimeFeeHook).creationCode, arguments);
        return new RegimeFeeHook{salt: _mine(initCode, FLAGS)}(
            manager, IRiskParameters(oracle), market, minFeePips, fallbackFeePips, maxFeePips, refreshAfterSeconds
        );
    }

    /// @dev The first CREATE2 salt that gives a hook an address that ends in the 14 flags.
    function _mine(bytes memory initCode, uint160 flags) internal view returns (bytes32) {
        bytes32 initCodeHash = keccak256(initCode);
        for (uint256 salt = 0;; ++salt) {
            address hook = LibClone.predictDeterministicAddress(initCodeHash, bytes32(salt), address(this));
            if (uint160(hook) & 0x3fff == flags) return bytes32(salt);
        }
    }

    function _dynamicKey(ForecastFee hook) internal view returns (PoolKey memory) {
        return _key(LPFeeLibrary.DYNAMIC_FEE_FLAG, address(hook));
    }

    function _key(uint24 fee, address hook) internal view returns (PoolKey memory) {
        return PoolKey(currency0, currency1, fee, TICK_SPACING, IHooks(hook));
    }

    /// @dev Initializes a pool and fills it.
    function _open(PoolKey memory key) internal {
        manager.initialize(key, uint160(1 << 96));
        router.modifyLiquidity(
            key,
            ModifyLiquidityParams({
                tickLower: -100 * TICK_SPACING, tickUpper: 100 * TICK_SPACING, liquidityDelta: LIQUIDITY, salt: 0
            })
        );
    }

    function _exactInput(uint256 amount) internal pure returns (SwapParams memory) {
        return _swapParams(true, -int256(amount));
    }

    /// @dev Negative amounts are exact inputs.
    function _swapParams(bool zeroForOne, int256 amount) internal pure returns (SwapParams memory) {
        return SwapParams({
            zeroForOne: zeroForOne,
            amountSpecified: amount,
            sqrtPriceLimitX96: zeroForOne ? TickMath.MIN_SQRT_PRICE + 1 : TickMath.MAX_SQRT_PRICE - 1
        });
    }

    /// @dev Swaps, and returns the fee that the pool manager says it took.
    function _swap(PoolKey memory key, SwapParams memory params) internal returns (BalanceDelta delta, uint24 feePips) {
        vm.recordLogs();
        delta = router.swap(key, params);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IPoolManager.Swap.selector) continue;
            (,,,,, feePips) = abi.decode(logs[i].data, (int128, int128, uint160, uint128, int24, uint24));
            return (delta, feePips);
        }
        revert("no swap");
    }

    function _swapFee(PoolKey memory key) internal returns (uint24 feePips) {
        (, feePips) = _swap(key, _exactInput(1e18));
    }

    /// @dev The fee that lies in the pool.
    function _poolFee(PoolKey memory key) internal view returns (uint24 feePips) {
        (,,, feePips) = StateLibrary.getSlot0(manager, key.toId());
    }
}
