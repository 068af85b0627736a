// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {HedgeVaultHandler} from "./HedgeVaultHandler.sol";
import {StrangeToken} from "./Tokens.sol";
import {IUniswapV3PoolActions} from "./UniswapV3Market.sol";

/// @notice Calls the vault from within a swap of its own, while the pool is busy.
contract Raider {
    bool public executed;
    address private _vault;
    bytes private _call;
    StrangeToken private _paid;

    constructor(address vault) {
        _vault = vault;
    }

    function swapAround(
        IUniswapV3PoolActions pool,
        bool zeroForOne,
        StrangeToken paid,
        uint256 amount,
        bytes calldata call_
    ) external {
        (_paid, _call) = (paid, call_);
        uint160 limit = zeroForOne ? 4_295_128_740 : 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;
        pool.swap(address(this), zeroForOne, int256(amount), limit, "");
    }

    /// @dev Pays with what it can mint.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        (executed,) = _vault.call(_call);
        _paid.mint(msg.sender, uint256(amount0 > 0 ? amount0 : amount1));
    }
}

/// @notice What attackers do beside signing what suits them: they give money away, call with any data, change what was signed, come
/// back in while a sale runs, and trade around it in its own block. None of it may move a thing but by a sale that is judged.
contract HedgeVaultRaids is HedgeVaultHandler {
    uint256 public forgeries;
    /// @dev Why the last one was refused.
    bytes4 public forgeryRefusal;
    uint256 public reentries;
    uint256 public busyPools;
    uint256 public sandwiches;

    Raider private _raider;

    function setUp() public override {
        super.setUp();
        _raider = new Raider(address(vault));
    }

    function donate(uint64 sats, uint64 dollars) external {
        sats = uint64(bound(sats, 0, 1e8));
        wbtc.mint(address(vault), sats);
        wbtc.mint(address(pool), sats);
        usdc.mint(address(vault), dollars);
        usdc.mint(address(pool), dollars);
        filledSats += sats;
        donatedUsdc += dollars;
    }

    /// @dev Whatever it is, it is nobody's but the owner's to do.
    function callAnything(uint8 which, uint8 by, uint256 word, bytes calldata data) external {
        IHedgeVault.Terms memory terms = vault.terms();
        terms.floorUsdPerBtc = 1;
        terms.operator = STRANGER;
        bytes[7] memory calls = [
            abi.encodeCall(vault.withdraw, (address(wbtc), word)),
            abi.encodeCall(vault.setTerms, (terms)),
            abi.encodeCall(vault.unpause, ()),
            abi.encodeCall(vault.uniswapV3SwapCallback, (int256(word), int256(word >> 1), data)),
            abi.encodePacked(vault.execute.selector, data),
            abi.encodePacked(vault.execute.selector, word, data),
            data
        ];
        bytes32 before = _all();
        vm.prank(by % 2 == 0 ? OPERATOR : STRANGER);
        (bool ok,) = address(vault).call(calls[which % 7]);
        assertTrue(!ok || which % 7 == 6, "a stranger's call is taken");
        assertEq(_all(), before, "a stranger's call leaves a trace");
    }

    /// @dev Signed as it is, and sent with another field.
    function forgery(uint8 field, uint256 word, int64[8] calldata logarithmsE3, uint64 eur, uint64 usd) external {
        vm.warp(block.timestamp + WEEK);
        (IModelRegistry.Update memory update, IHedgeVault.Prices memory prices) = _suiting(logarithmsE3, eur, usd);
        bytes memory attestations = _attestationOf(update, prices);
        uint256 change = word | 1;
        if (field % 8 == 0) update.modelId ^= bytes32(change);
        else if (field % 8 == 1) update.period += uint64(bound(word, 1, 100));
        else if (field % 8 == 2) _flip(update.features, word);
        else if (field % 8 == 3) _flip(update.outputs, word);
        else if (field % 8 == 4) update.omittedMarkets = change;
        else if (field % 8 == 5) _flip(update.attestations, word);
        else if (field % 8 == 6) _flip(attestations, word);
        else prices.eurPerMwhE6 ^= uint64(change);
        bytes32 before = _all();
        vm.prank(STRANGER);
        (bool ok, bytes memory reason) =
            address(vault).call(abi.encodeCall(vault.execute, (update, prices, attestations)));
        assertFalse(ok, "a forgery is taken");
        (forgeryRefusal, forgeries) = (bytes4(reason), forgeries + 1);
        assertEq(_all(), before, "a forgery leaves a trace");
    }

    /// @dev A token that calls back brings the same sale again in the middle of it.
    function reenter(int64[8] calldata logarithmsE3, uint64 eur, uint64 usd, bool withUsdc) external {
        vm.warp(block.timestamp + WEEK);
        (IModelRegistry.Update memory update, IHedgeVault.Prices memory prices) = _suiting(logarithmsE3, eur, usd);
        StrangeToken token = withUsdc ? usdc : wbtc;
        token.callBack(address(vault), abi.encodeCall(vault.execute, (update, prices, _attestationOf(update, prices))));
        uint256 before = sales;
        _attack(update, prices, RELAYER);
        token.callBack(address(0), "");
        if (sales == before) return;
        assertEq(bytes4(token.refusal()), IHedgeVault.PeriodDone.selector, "sold twice");
        ++reentries;
    }

    /// @dev While the pool pays for another swap, with whatever price it shows by then.
    function raidFromWithin(int64[8] calldata logarithmsE3, uint64 eur, uint64 usd, uint32 amount, bool down) external {
        vm.warp(block.timestamp + WEEK);
        (IModelRegistry.Update memory update, IHedgeVault.Prices memory prices) = _suiting(logarithmsE3, eur, usd);
        down = _directed(down);
        uint256 paid = bound(amount, 1e4, 10e8) * (down ? 1 : BTC_USD / 100);
        bytes memory call_ = abi.encodeCall(vault.execute, (update, prices, _attestationOf(update, prices)));
        bytes32 before = _all();
        _raider.swapAround(pool, down == _wbtcIsToken0(), down ? wbtc : usdc, paid, call_);
        assertFalse(_raider.executed(), "a sale within another swap");
        assertEq(_all(), before, "a raid leaves a trace");
        ++busyPools;
    }

    /// @dev A trade before the sale and its opposite after it, all at one moment.
    function sandwich(int64[8] calldata logarithmsE3, uint64 eur, uint64 usd, uint32 amount, bool down) external {
        vm.warp(block.timestamp + WEEK);
        down = _directed(down);
        uint256 paid = bound(amount, 1e4, 40e8);
        uint256 got = down ? _swap(wbtc, usdc, paid) : _swap(usdc, wbtc, paid * BTC_USD / 100);
        uint256 before = sales;
        attack(logarithmsE3, eur, usd, 1);
        if (got != 0) down ? _swap(usdc, wbtc, got) : _swap(wbtc, usdc, got);
        if (sales != before) ++sandwiches;
    }

    function _flip(bytes memory data, uint256 word) private pure {
        uint256 place = word % data.length;
        data[place] = data[place] ^ bytes1(uint8(1 << ((word >> 128) % 8)));
    }

    function _all() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                vault.state(),
                vault.terms(),
                wbtc.balanceOf(address(vault)),
                usdc.balanceOf(address(vault)),
                wbtc.balanceOf(OWNER),
                usdc.balanceOf(OWNER)
            )
        );
    }
}
