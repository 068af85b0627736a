// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {MarketsSuite} from "./MarketsSuite.sol";
import {NativeSuite} from "./NativeSuite.sol";
import {Halo2Verifier} from "./fixtures/halo2/markets-8/Verifier.sol";

/// @notice Eight markets in one proof of the native prover. The fixture is written by crates/halo2/examples/markets.rs.
contract NativeEightMarketProofTest is NativeSuite, MarketsSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "NativeEightMarketProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (320_000, 580_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/halo2/markets-8/proof.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }
}
