// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Currency} from "@uniswap/v4-core/src/types/Currency.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {OwnFeeFixture} from "./OwnFeeFixture.sol";
import {PoolToken} from "./PoolFixture.sol";
import {PoolRouter} from "./PoolRouter.sol";

/// @notice Somebody trades to move the fee of a pool that follows its own volatility: what it costs, and what it brings to
/// whom. Both tokens are worth 1 elsewhere, all the time. In each block somebody trades for reasons of their own and whatever
/// the fee, then the attacker; before both, arbitrage brings the price back to where it no longer pays.
contract FeeManipulationTest is OwnFeeFixture {
    /// @dev An hour.
    uint256 private constant BLOCKS = 300;
    /// @dev 0.6 bps of the price, and about 0.01 % of what is in the pool.
    uint256 private constant NOISE = 3e19;

    PoolRouter private noise;
    PoolRouter private arbitrage;
    PoolRouter private attacker;

    /// @dev Results of an hour, in tokens. Positive for whom it is a gain.
    struct Hour {
        int256 noise;
        int256 arbitrage;
        int256 attacker;
        uint256 meanFeePips;
    }

    function setUp() public override {
        super.setUp();
        (noise, arbitrage, attacker) = (_trader(), _trader(), _trader());
    }

    /// @dev Moves of 3 bps, just as much as the highest fee takes, and inside its band, where nobody trades back: what it costs is
    /// the fee alone. The cheapest way there is.
    function test_MovingThePriceInsideTheFeesBand() public {
        _report("inside the band", 1.6e20);
    }

    /// @dev Moves as far as one counts, which arbitrage trades back in the next block.
    function test_MovingThePriceAsFarAsItCounts() public {
        _report("as far as counts", 2.5e21);
    }

    /// @dev Nothing that is traded makes a turbulent pool look calm: squares only add.
    function testFuzz_NoTradeLowersTheFeeBelowThatOfNotTrading(uint256 seed) public {
        for (uint256 i = 0; i < 20; ++i) {
            router.swap(key, _swapParams(i % 2 == 0, -1e21));
            _nextBlock();
        }
        router.swap(key, _exactInput(1));
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i < 10; ++i) {
            _nextBlock();
            router.swap(key, _exactInput(1));
        }
        uint64 untouched = _varianceE18();
        vm.revertToState(state);
        for (uint256 i = 0; i < 10; ++i) {
            _nextBlock();
            uint256 drawn = uint256(keccak256(abi.encode(seed, i)));
            router.swap(key, _swapParams(drawn & 1 == 0, -int256(bound(drawn >> 1, 1, 1e22))));
        }
        assertGe(_varianceE18(), untouched);
    }

    function _report(string memory name, uint256 amount) private {
        uint256 state = vm.snapshotState();
        Hour memory calm = _hour(0);
        vm.revertToState(state);
        Hour memory attacked = _hour(amount);
        assertGt(attacked.meanFeePips, calm.meanFeePips, "it does raise the fee");
        assertLe(attacked.meanFeePips, FORECAST_FEE_PIPS * MOST_BPS / 10_000);

        int256 cost = -attacked.attacker;
        int256 providers = _providers(attacked) - _providers(calm);
        assertGt(cost, 0, "who holds no share of the pool pays for it");
        // All that others pay more is bounded by the multiple of the forecast's fee.
        int256 traded = int256(BLOCKS * NOISE);
        int256 most = traded * int256(uint256(FORECAST_FEE_PIPS) * (MOST_BPS - 10_000)) / 10_000 / 1e6;
        assertLe(calm.noise - attacked.noise, most + traded / 1e4, "but for the way the price was moved");

        vm.snapshotValue("FeeManipulation", string.concat(name, ": fee before, pips"), calm.meanFeePips);
        vm.snapshotValue("FeeManipulation", string.concat(name, ": fee, pips"), attacked.meanFeePips);
        vm.snapshotValue("FeeManipulation", string.concat(name, ": cost, of traded, pips"), _pips(cost, traded));
        vm.snapshotValue(
            "FeeManipulation",
            string.concat(name, ": others pay more, of traded, pips"),
            _pips(calm.noise - attacked.noise, traded)
        );
        // The share of the pool from which on it pays: what providers gain, of which the attacker's trades are a part.
        uint256 share = providers > cost ? uint256(cost * 10_000 / providers) : 10_000;
        vm.snapshotValue("FeeManipulation", string.concat(name, ": share of the pool that breaks even, bps"), share);
    }

    function _hour(uint256 amount) private returns (Hour memory hour) {
        int256[3] memory before = [_worth(noise), _worth(arbitrage), _worth(attacker)];
        for (uint256 i = 0; i < BLOCKS; ++i) {
            _nextBlock();
            uint24 feePips = hook.currentFeePips(key.toId());
            hour.meanFeePips += feePips;
            _arbitrage(feePips);
            noise.swap(key, _swapParams(i % 4 < 2, -int256(NOISE)));
            if (amount > 0) attacker.swap(key, _swapParams(i % 2 == 0, -int256(amount)));
        }
        _nextBlock();
        _arbitrage(hook.currentFeePips(key.toId()));
        hour.meanFeePips /= BLOCKS;
        hour.noise = _worth(noise) - before[0];
        hour.arbitrage = _worth(arbitrage) - before[1];
        hour.attacker = _worth(attacker) - before[2];
    }

    /// @dev Trades until a further token would not pay its fee.
    function _arbitrage(uint24 feePips) private {
        uint256 left = 1e6 - feePips;
        uint160 most = uint160((1 << 96) * FixedPointMathLib.sqrt(1e36 * 1e6 / left) / 1e18);
        uint160 least = uint160((1 << 96) * FixedPointMathLib.sqrt(1e36 * left / 1e6) / 1e18);
        uint160 price = _sqrtPrice();
        if (price <= most && price >= least) return;
        SwapParams memory swap = _swapParams(price > most, -1e24);
        swap.sqrtPriceLimitX96 = price > most ? most : least;
        arbitrage.swap(key, swap);
    }

    function _trader() private returns (PoolRouter trader) {
        trader = new PoolRouter(manager);
        PoolToken(Currency.unwrap(currency0)).mint(address(trader), 1e30);
        PoolToken(Currency.unwrap(currency1)).mint(address(trader), 1e30);
    }

    /// @dev What the others lost is the providers'.
    function _providers(Hour memory hour) private pure returns (int256) {
        return -(hour.noise + hour.arbitrage + hour.attacker);
    }

    function _worth(PoolRouter trader) private view returns (int256) {
        return int256(currency0.balanceOf(address(trader)) + currency1.balanceOf(address(trader)));
    }

    function _pips(int256 amount, int256 of_) private pure returns (uint256) {
        return uint256(FixedPointMathLib.max(0, amount * 1e6 / of_));
    }
}
