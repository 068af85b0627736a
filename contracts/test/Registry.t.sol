// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {OracleFixture} from "./OracleFixture.sol";

/// @notice Ownership, submitters, markets and models.
contract RegistryTest is OracleFixture {
    bytes32 private constant SUI = keccak256("SUI-USD");

    /* OWNERSHIP AND SUBMITTERS */

    function test_RevertWhen_DeployedWithoutOwner() public {
        vm.expectRevert(Ownable.NewOwnerIsZeroAddress.selector);
        new RiskOracle(address(0));
    }

    function test_OwnershipMovesInTwoSteps() public {
        vm.prank(OWNER);
        vm.expectRevert(IRegimeRiskOracle.HandoverRequired.selector);
        oracle.transferOwnership(STRANGER);

        vm.prank(OWNER);
        vm.expectRevert(Ownable.NoHandoverRequest.selector);
        oracle.completeOwnershipHandover(STRANGER);

        vm.prank(STRANGER);
        oracle.requestOwnershipHandover();
        assertEq(oracle.owner(), OWNER);
        vm.prank(OWNER);
        oracle.completeOwnershipHandover(STRANGER);
        assertEq(oracle.owner(), STRANGER);
    }

    function testFuzz_RevertWhen_NotOwner(address caller) public {
        vm.assume(caller != OWNER);
        vm.startPrank(caller);
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.registerMarket(SUI, MARKET_OWNER, _bounds());
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.registerModel(_spec(_btc()));
        vm.expectRevert(Ownable.Unauthorized.selector);
        oracle.setSubmitter(caller, true);
    }

    function test_SubmittersAreAllowedAndDismissed() public {
        vm.startPrank(OWNER);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.SubmitterSet(STRANGER, true);
        oracle.setSubmitter(STRANGER, true);
        assertTrue(oracle.isSubmitter(STRANGER));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.SubmitterSet(STRANGER, false);
        oracle.setSubmitter(STRANGER, false);
        assertFalse(oracle.isSubmitter(STRANGER));
    }

    /* MARKETS */

    function test_RegisterMarket() public {
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketRegistered(SUI, STRANGER, _bounds());
        vm.prank(OWNER);
        oracle.registerMarket(SUI, STRANGER, _bounds());
        assertEq(oracle.ownerOf(SUI), STRANGER);
        assertEq(abi.encode(oracle.bounds(SUI)), abi.encode(_bounds()));
    }

    function test_RevertWhen_MarketIsRegisteredTwice() public {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.MarketAlreadyRegistered.selector, BTC));
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds());
    }

    function test_RevertWhen_BoundsAreUnusable() public {
        IRegimeRiskOracle.Bounds memory bad = _bounds();
        bad.minBorrowCollateralRatioBps = 100_00;
        _expectInvalidBounds(bad, MARKET_OWNER, "minBorrowCollateralRatioBps");
        bad = _bounds();
        bad.maxBorrowCollateralRatioBps = bad.minBorrowCollateralRatioBps - 1;
        _expectInvalidBounds(bad, MARKET_OWNER, "maxBorrowCollateralRatioBps");
        bad = _bounds();
        bad.maxAmmFeePips = 1_000_001;
        _expectInvalidBounds(bad, MARKET_OWNER, "maxAmmFeePips");
        bad = _bounds();
        bad.minAmmFeePips = bad.maxAmmFeePips + 1;
        _expectInvalidBounds(bad, MARKET_OWNER, "minAmmFeePips");
        _expectInvalidBounds(_bounds(), address(0), "marketOwner");
    }

    /* MODELS */

    function test_RegisterModel() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btcAndEth());
        bytes32 modelId = keccak256(abi.encode(spec));
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.ModelRegistered(modelId, spec);
        assertEq(_register(spec), modelId);
        assertEq(oracle.activeModel(BTC), modelId);
        assertEq(oracle.activeModel(ETH), modelId);
        assertEq(oracle.latestPeriod(modelId), 0);
        assertEq(abi.encode(oracle.model(modelId)), abi.encode(spec));
    }

    function testFuzz_SpecificationSurvivesStorage(
        bytes32[3] calldata digests,
        uint8 calendarCount,
        int32 entrySeed,
        uint8 inputScale,
        uint8 outputScale
    ) public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btcAndEth());
        (spec.manifestSha256, spec.verifyingKeySha256, spec.onnxSha256) = (digests[0], digests[1], digests[2]);
        spec.inputScale = inputScale;
        spec.outputScale = uint8(bound(outputScale, 0, 120));
        spec.featureBound = uint32(type(int32).max);
        spec.calendarFeatureCount = uint16(bound(calendarCount, 0, 8));
        spec.calendarTable = new int32[](42 * uint256(spec.calendarFeatureCount));
        for (uint256 i = 0; i < spec.calendarTable.length; ++i) {
            int256 entry = int32(uint32(uint256(keccak256(abi.encode(entrySeed, i)))));
            spec.calendarTable[i] = int32(bound(entry, -int256(type(int32).max), type(int32).max));
        }
        assertEq(abi.encode(oracle.model(_register(spec))), abi.encode(spec));
    }

    function test_LargestModelFits() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(new bytes32[](32));
        vm.startPrank(OWNER);
        for (uint256 i = 0; i < 32; ++i) {
            spec.markets[i] = keccak256(abi.encode("market", i));
            oracle.registerMarket(spec.markets[i], OWNER, _bounds());
            oracle.setPolicy(spec.markets[i], _policy());
        }
        vm.stopPrank();
        spec.candleFeatureCount = 256;
        spec.calendarFeatureCount = 64;
        spec.calendarTable = new int32[](42 * 64);
        for (uint256 i = 0; i < spec.calendarTable.length; ++i) {
            spec.calendarTable[i] = int32(uint32(i));
        }
        assertEq(abi.encode(oracle.model(_register(spec))), abi.encode(spec));
    }

    function test_NewModelReplacesTheActiveOne() public {
        bytes32 first = _register(_spec(_btcAndEth()));
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btc());
        spec.manifestSha256 = keccak256("another manifest");
        bytes32 second = _register(spec);
        assertEq(oracle.activeModel(BTC), second);
        assertEq(oracle.activeModel(ETH), first);
    }

    function test_RevertWhen_ModelIsRegisteredTwice() public {
        bytes32 modelId = _register(_spec(_btc()));
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.ModelAlreadyRegistered.selector, modelId));
        _register(_spec(_btc()));
    }

    function test_RevertWhen_ModelServesAnUnknownMarket() public {
        bytes32[] memory markets = _btcAndEth();
        markets[1] = SUI;
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.UnknownMarket.selector, SUI));
        _register(_spec(markets));
    }

    function test_RevertWhen_ModelServesAMarketWithoutPolicy() public {
        vm.prank(OWNER);
        oracle.registerMarket(SUI, MARKET_OWNER, _bounds());
        bytes32[] memory markets = _btcAndEth();
        markets[1] = SUI;
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.PolicyUnset.selector, SUI));
        _register(_spec(markets));
    }

    function test_RevertWhen_VerifierCodeIsNotThePinnedOne() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btc());
        spec.verifierCodeHash = keccak256("other code");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegimeRiskOracle.VerifierCodeChanged.selector,
                spec.verifier,
                spec.verifierCodeHash,
                spec.verifier.codehash
            )
        );
        _register(spec);
    }

    function test_RevertWhen_CalendarEntryIsOutOfRange() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btc());
        spec.calendarTable[83] = -int32(FEATURE_BOUND) - 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegimeRiskOracle.FeatureOutOfRange.selector, 83, -int256(uint256(FEATURE_BOUND)) - 1, FEATURE_BOUND
            )
        );
        _register(spec);
    }

    function test_RevertWhen_SpecificationIsUnusable() public {
        IRegimeRiskOracle.ModelSpec memory spec = _spec(_btc());
        (spec.verifier, spec.verifierCodeHash) = (STRANGER, STRANGER.codehash);
        _expectInvalidSpec(spec, "verifier");
        spec = _spec(_btc());
        spec.candleFeatureCount = 0;
        _expectInvalidSpec(spec, "candleFeatureCount");
        spec.candleFeatureCount = 257;
        _expectInvalidSpec(spec, "candleFeatureCount");
        spec = _spec(_btc());
        spec.calendarFeatureCount = 65;
        _expectInvalidSpec(spec, "calendarFeatureCount");
        spec = _spec(_btc());
        spec.outputScale = 121;
        _expectInvalidSpec(spec, "outputScale");
        spec = _spec(_btc());
        spec.featureBound = 0;
        _expectInvalidSpec(spec, "featureBound");
        spec.featureBound = uint32(type(int32).max) + 1;
        _expectInvalidSpec(spec, "featureBound");
        spec = _spec(_btc());
        spec.proofLength = 0;
        _expectInvalidSpec(spec, "proofLength");
        spec.proofLength = 65;
        _expectInvalidSpec(spec, "proofLength");
        _expectInvalidSpec(_spec(new bytes32[](0)), "markets");
        _expectInvalidSpec(_spec(new bytes32[](33)), "markets");
        bytes32[] memory twice = _btcAndEth();
        twice[1] = BTC;
        _expectInvalidSpec(_spec(twice), "markets");
        spec = _spec(_btc());
        spec.calendarTable = new int32[](83);
        _expectInvalidSpec(spec, "calendarTable");
    }

    function _expectInvalidBounds(IRegimeRiskOracle.Bounds memory bad, address marketOwner, string memory field)
        private
    {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidBounds.selector, field));
        oracle.registerMarket(SUI, marketOwner, bad);
    }

    function _expectInvalidSpec(IRegimeRiskOracle.ModelSpec memory spec, string memory field) private {
        vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidModelSpec.selector, field));
        _register(spec);
    }
}
