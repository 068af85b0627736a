// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {HedgeVault} from "../../src/HedgeVault.sol";
import {IHedgeVault} from "../../src/interfaces/IHedgeVault.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {StrangeToken} from "./Tokens.sol";
import {VaultFixture} from "./VaultFixture.sol";

/// @notice Construction, terms and roles of a vault. Specification: HedgeVault.tree.
contract HedgeVaultTest is VaultFixture {
    /* CONSTRUCTION */

    function test_KeepsItsArguments() public view {
        assertEq(vault.owner(), OWNER);
        assertEq(address(vault.registry()), address(registry));
        assertEq(vault.wbtc(), address(wbtc));
        assertEq(vault.usdc(), address(usdc));
        assertEq(vault.pool(), address(pool));
        assertEq(vault.PURPOSE(), keccak256("electricity-price/1"));
    }

    function _expectInvalid(string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.InvalidConfiguration.selector, field));
    }

    function test_RefusesWhatCannotWork() public {
        _expectInvalid("owner");
        new HedgeVault(address(0), registry, factory, address(wbtc), address(usdc), FEE_PIPS);
        _expectInvalid("owner");
        new HedgeVault(
            vm.computeCreateAddress(address(this), vm.getNonce(address(this))),
            registry,
            factory,
            address(wbtc),
            address(usdc),
            FEE_PIPS
        );
        _expectInvalid("registry");
        new HedgeVault(OWNER, IModelRegistry(STRANGER), factory, address(wbtc), address(usdc), FEE_PIPS);
        _expectInvalid("wbtc");
        new HedgeVault(OWNER, registry, factory, address(usdc), address(wbtc), FEE_PIPS);
        StrangeToken wide = new StrangeToken("USDC", 18);
        _expectInvalid("usdc");
        new HedgeVault(OWNER, registry, factory, address(wbtc), address(wide), FEE_PIPS);
        _expectInvalid("pool");
        new HedgeVault(OWNER, registry, factory, address(wbtc), address(usdc), 500);
    }

    /* TERMS */

    function test_OnlyTheOwnerSetsTerms() public {
        IHedgeVault.Terms memory terms = _terms();
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.NotAllowed.selector, OPERATOR));
        vm.prank(OPERATOR);
        vault.setTerms(terms);
    }

    function test_TermsAreKeptAndTold() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.watts = 7;
        vm.expectEmit(address(vault));
        emit IHedgeVault.TermsSet(terms);
        _setTerms(terms);
        assertEq(abi.encode(vault.terms()), abi.encode(terms));
        assertEq(vault.state().periodSeconds, WEEK);
        assertEq(vault.state().outputScale, OUTPUT_SCALE);
    }

    function test_NewTermsLeaveWhatWasDone() public {
        _execute();
        IHedgeVault.State memory before = vault.state();
        IHedgeVault.Terms memory terms = _terms();
        terms.watts *= 2;
        _setTerms(terms);
        assertEq(abi.encode(vault.state()), abi.encode(before));
        assertGt(before.soldSats, 0);
    }

    function test_EndsOfRangesAreInside() public {
        IHedgeVault.Terms memory terms = _terms();
        (terms.watts, terms.shareBps, terms.slippageBps) = (1, 1, 0);
        (terms.twapSeconds, terms.minObservations, terms.floorUsdPerBtc) = (300, 2, 1);
        _setTerms(terms);
        (terms.watts, terms.shareBps, terms.slippageBps) = (type(uint32).max, 100_00, 10_00);
        (terms.months, terms.twapSeconds) = (5, 1 days);
        (terms.minObservations, terms.floorUsdPerBtc) = (type(uint16).max, type(uint32).max);
        _setTerms(terms);
    }

    function test_FieldsOutOfRangeAreRefused() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.watts = 0;
        _refused(terms, "watts");
        terms = _terms();
        terms.months = 1;
        _refused(terms, "months");
        terms.months = 6;
        _refused(terms, "months");
        terms = _terms();
        terms.shareBps = 0;
        _refused(terms, "shareBps");
        terms.shareBps = 100_01;
        _refused(terms, "shareBps");
        terms = _terms();
        terms.slippageBps = 10_01;
        _refused(terms, "slippageBps");
        terms = _terms();
        terms.twapSeconds = 299;
        _refused(terms, "twapSeconds");
        terms.twapSeconds = 1 days + 1;
        _refused(terms, "twapSeconds");
        terms = _terms();
        terms.minObservations = 1;
        _refused(terms, "minObservations");
        terms = _terms();
        terms.floorUsdPerBtc = 0;
        _refused(terms, "floorUsdPerBtc");
    }

    function test_ModelsOfOtherKindsAreRefused() public {
        IHedgeVault.Terms memory terms = _terms();
        IModelRegistry.ModelSpec memory spec = _spec();
        spec.purpose = keccak256("volatility-regime/1");
        terms.modelId = _register(spec);
        _refused(terms, "modelId");
        spec = _spec();
        spec.outputCount = 7;
        terms.modelId = _register(spec);
        _refused(terms, "modelId");
        spec = _spec();
        spec.markets = new bytes32[](2);
        spec.markets[1] = keccak256("FRA");
        terms.modelId = _register(spec);
        _refused(terms, "modelId");
        terms.modelId = keccak256("none");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, terms.modelId));
        _setTerms(terms);
    }

    function test_WithoutTermsNothingIsSold() public {
        HedgeVault bare = new HedgeVault(OWNER, registry, factory, address(wbtc), address(usdc), FEE_PIPS);
        IModelRegistry.Update memory update = _update(_outputs());
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.DeadlineOver.selector, 0));
        bare.execute(update, _prices(), "");
    }

    function _refused(IHedgeVault.Terms memory terms, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.InvalidTerms.selector, field));
        _setTerms(terms);
    }

    /* PAUSE */

    function test_OwnerAndOperatorPauseAndTheOwnerAloneGoesOn() public {
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.NotAllowed.selector, STRANGER));
        vm.prank(STRANGER);
        vault.pause();
        vm.expectEmit(address(vault));
        emit IHedgeVault.PausedSet(true, OPERATOR);
        vm.prank(OPERATOR);
        vault.pause();
        _expectRefusal(abi.encodeWithSelector(IHedgeVault.VaultPaused.selector));
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.NotAllowed.selector, OPERATOR));
        vm.prank(OPERATOR);
        vault.unpause();
        vm.prank(OWNER);
        vault.unpause();
        _execute();
        vm.prank(OWNER);
        vault.pause();
        assertTrue(vault.state().paused);
    }

    /// @dev An operator that is nobody is not everybody.
    function test_WithoutAnOperatorTheOwnerAlonePauses() public {
        IHedgeVault.Terms memory terms = _terms();
        terms.operator = address(0);
        _setTerms(terms);
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.NotAllowed.selector, OPERATOR));
        vm.prank(OPERATOR);
        vault.pause();
    }

    /* THE WAY OUT */

    function test_TheOwnerAloneWithdrawsAndAtAnyTime() public {
        address[3] memory others = [OPERATOR, RELAYER, STRANGER];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IHedgeVault.NotAllowed.selector, others[i]));
            vm.prank(others[i]);
            vault.withdraw(address(wbtc), 1);
        }
        vm.prank(OPERATOR);
        vault.pause();
        vm.warp(block.timestamp + 3650 days);
        vm.expectEmit(address(vault));
        emit IHedgeVault.Withdrawn(address(wbtc), 10e8);
        vm.prank(OWNER);
        vault.withdraw(address(wbtc), 10e8);
        assertEq(wbtc.balanceOf(OWNER), 10e8);
    }

    function test_TokensSentByMistakeComeBack() public {
        StrangeToken other = new StrangeToken("OTHER", 18);
        other.mint(address(vault), 5);
        vm.prank(OWNER);
        vault.withdraw(address(other), 5);
        assertEq(other.balanceOf(OWNER), 5);
    }

    /* PAYMENT */

    function test_OnlyThePoolIsPaid() public {
        vm.expectRevert(abi.encodeWithSelector(IHedgeVault.NotPool.selector, STRANGER));
        vm.prank(STRANGER);
        vault.uniswapV3SwapCallback(1, 1, "");
        // Somebody's swap calls back somebody, not the vault.
        vm.prank(STRANGER);
        vm.expectRevert();
        pool.swap(STRANGER, true, 1e8, 4_295_128_740, abi.encode(vault));
        assertEq(wbtc.balanceOf(address(vault)), 10e8);
    }
}
