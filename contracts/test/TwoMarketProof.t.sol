// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {MarketsSuite} from "./MarketsSuite.sol";
import {Halo2Verifier} from "./fixtures/two-market/Verifier.sol";

/// @notice Two markets of 5 candle and 3 calendar features in one proof.
contract TwoMarketProofTest is MarketsSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "TwoMarketProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (412_000, 505_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/two-market/proof.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }
}
