// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {MarketsSuite} from "./MarketsSuite.sol";
import {Halo2Verifier} from "./fixtures/three-market/Verifier.sol";

/// @notice Three markets, each with as many features as the shipped model has, in one proof.
contract ThreeMarketProofTest is MarketsSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "ThreeMarketProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (450_000, 568_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/three-market/proof.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }
}
