// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IFeed} from "../../src/interfaces/IFeed.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IVerifier} from "../../src/interfaces/IVerifier.sol";
import {Halo2Verifier} from "../../../models/yields-v1/lending/Verifier.sol";
import {TableProofFixture} from "../TableProofFixture.sol";
import {FeedFixture} from "./FeedFixture.sol";

/// @notice A real proof of the shipped model of lenders, through its generated verifier, the registry and the feed.
contract FeedProofTest is FeedFixture, TableProofFixture {
    uint256 private constant MAX_GAS_OVER_VERIFICATION = 150_000;

    function setUp() public override {
        super.setUp();
        IVerifier generated = IVerifier(address(new Halo2Verifier()));
        _prove("contracts/test/fixtures/yields-v1-lending.json", generated, _spec("aave"));
    }

    function test_BundleHoldsTheCodeOfItsVerifier() public view {
        bytes memory bundled = vm.parseBytes(vm.trim(vm.readFile("models/yields-v1/lending/verifier.bytecode")));
        assertEq(bundled, type(Halo2Verifier).creationCode);
    }

    function test_AProvenForecastIsPublished() public {
        IFeed.Forecast memory forecast = _publish(feed, _attested(proven), _level());
        assertEq(abi.encode(feed.latest()), abi.encode(forecast));
        assertLt(forecast.lowE8, forecast.apyE8);
        assertGt(forecast.highE8, forecast.apyE8);
        assertApproxEqAbs(forecast.apyE8, 5_000_000, 1_000_000);
    }

    /// @dev The first forecast of a feed, which is the dear one.
    function test_Gas() public {
        _publish(feed, _attested(proven), _level());
        _keepGas("FeedProof", "publish", vm.lastCallGas().gasTotalUsed, MAX_GAS_OVER_VERIFICATION);
    }

    function _expectInvalidProof(IModelRegistry.Update memory update) internal override {
        IFeed.Level memory level = _level();
        bytes memory refused = abi.encodeWithSelector(IModelRegistry.InvalidProof.selector);
        _expectRefusal(feed, update, level, _attestationOf(update, level), refused);
    }
}
