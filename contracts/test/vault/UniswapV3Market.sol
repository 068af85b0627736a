// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IUniswapV3Factory, IUniswapV3Pool} from "../../src/interfaces/external/IUniswapV3.sol";
import {StrangeToken} from "./Tokens.sol";

/// @notice What tests use of a pool beside what the vault does.
interface IUniswapV3PoolActions is IUniswapV3Pool {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 liquidity, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
    function burn(int24 tickLower, int24 tickUpper, uint128 liquidity) external returns (uint256, uint256);
    function increaseObservationCardinalityNext(uint16 observations) external;
}

/// @notice What tests use of a factory.
interface IUniswapV3FactoryActions is IUniswapV3Factory {
    function createPool(address tokenA, address tokenB, uint24 feePips) external returns (address);
}

/// @notice What tests use of a router.
interface ISwapRouter {
    struct ExactInputSingleParams {
        address tokenIn;
        address tokenOut;
        uint24 fee;
        address recipient;
        uint256 deadline;
        uint256 amountIn;
        uint256 amountOutMinimum;
        uint160 sqrtPriceLimitX96;
    }

    function exactInputSingle(ExactInputSingleParams calldata params) external returns (uint256 amountOut);
}

/// @notice Uniswap v3's factory, pool and router as their packages publish them, byte for byte, with WBTC and USDC at 60,000
/// dollars. The test contract provides the liquidity.
abstract contract UniswapV3Market is Test {
    string private constant CORE = "node_modules/@uniswap/v3-core/artifacts/contracts/";
    string private constant PERIPHERY = "node_modules/@uniswap/v3-periphery/artifacts/contracts/";

    uint24 internal constant FEE_PIPS = 3000;
    int24 internal constant TICK_SPACING = 60;
    uint256 internal constant BTC_USD = 60_000;
    uint16 internal constant OBSERVATIONS = 200;

    /// @dev In a range of about a fifth up and down: six bitcoin move the price by 30 bps.
    uint128 internal constant LIQUIDITY = 1e13;
    int24 internal constant RANGE_TICKS = 1800;

    IUniswapV3FactoryActions internal factory;
    IUniswapV3PoolActions internal pool;
    ISwapRouter internal router;
    StrangeToken internal wbtc;
    StrangeToken internal usdc;

    /// @dev Which of the two the pool lists first.
    function _wbtcIsToken0() internal pure virtual returns (bool) {
        return true;
    }

    /// @dev A pool with a price and room for observations, but without liquidity and history.
    function _deployMarket() internal {
        factory = IUniswapV3FactoryActions(_deploy(CORE, "UniswapV3Factory", ""));
        router = ISwapRouter(_deploy(PERIPHERY, "SwapRouter", abi.encode(factory, makeAddr("no WETH"))));
        usdc = new StrangeToken("USDC", 6);
        do {
            wbtc = new StrangeToken("WBTC", 8);
        } while (address(wbtc) < address(usdc) != _wbtcIsToken0());
        pool = IUniswapV3PoolActions(factory.createPool(address(wbtc), address(usdc), FEE_PIPS));
        pool.initialize(_sqrtPriceX96(BTC_USD));
        pool.increaseObservationCardinalityNext(OBSERVATIONS);
    }

    /// @dev In dollars for a bitcoin.
    function _sqrtPriceX96(uint256 btcUsd) internal pure returns (uint160) {
        uint256 squared = _wbtcIsToken0() ? (btcUsd << 192) / 100 : (uint256(100) << 192) / btcUsd;
        return uint160(FixedPointMathLib.sqrt(squared));
    }

    /// @dev Around the present price.
    function _provide(uint128 liquidity) internal {
        (int24 lower, int24 upper) = _range(-RANGE_TICKS, RANGE_TICKS);
        pool.mint(address(this), lower, upper, liquidity, "");
    }

    /// @dev The range that is so many ticks from the first price.
    function _range(int24 below, int24 above) internal pure returns (int24 lower, int24 upper) {
        int24 middle = _wbtcIsToken0() ? int24(63_960) : int24(-63_960); // 1.0001**63973 is 600
        return (middle + below, middle + above);
    }

    /// @dev Pays the pool for liquidity.
    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        (StrangeToken token0, StrangeToken token1) = _wbtcIsToken0() ? (wbtc, usdc) : (usdc, wbtc);
        token0.mint(msg.sender, amount0);
        token1.mint(msg.sender, amount1);
    }

    /// @dev Lets time pass with an observation each minute: pools write them when liquidity changes, or a trade moves the tick.
    function _age(uint256 minutes_) internal {
        (int24 lower, int24 upper) = _range(-RANGE_TICKS, RANGE_TICKS);
        for (uint256 i = 0; i < minutes_; ++i) {
            vm.warp(block.timestamp + 1 minutes);
            pool.mint(address(this), lower, upper, 1, "");
        }
    }

    /// @dev Somebody's swap through the router, at any price.
    function _swap(StrangeToken from, StrangeToken to, uint256 amount) internal returns (uint256 received) {
        address trader = makeAddr("trader");
        from.mint(trader, amount);
        vm.startPrank(trader);
        from.approve(address(router), amount);
        received = router.exactInputSingle(
            ISwapRouter.ExactInputSingleParams({
                tokenIn: address(from),
                tokenOut: address(to),
                fee: FEE_PIPS,
                recipient: trader,
                deadline: block.timestamp,
                amountIn: amount,
                amountOutMinimum: 0,
                sqrtPriceLimitX96: 0
            })
        );
        vm.stopPrank();
    }

    function _deploy(string memory folder, string memory name, bytes memory arguments)
        private
        returns (address deployed)
    {
        string memory file = string.concat(folder, name, ".sol/", name, ".json");
        bytes memory initCode =
            bytes.concat(vm.parseBytes(vm.parseJsonString(vm.readFile(file), ".bytecode")), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(initCode, 0x20), mload(initCode))
        }
        assertGt(deployed.code.length, 0, name);
    }
}
