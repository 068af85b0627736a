// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {MarketsSuite} from "./MarketsSuite.sol";
import {Halo2Verifier} from "./fixtures/eight-market/Verifier.sol";

/// @notice Eight markets, each with as many features as the shipped model has, in one proof.
contract EightMarketProofTest is MarketsSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "EightMarketProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (550_000, 803_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/eight-market/proof.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }
}
