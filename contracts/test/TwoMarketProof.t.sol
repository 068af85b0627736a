// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {ProofSuite} from "./ProofSuite.sol";
import {Halo2Verifier} from "./fixtures/two-market/Verifier.sol";

/// @notice The circuit of fixtures/generate.py: two markets in one proof.
contract TwoMarketProofTest is ProofSuite {
    function _snapshotGroup() internal pure override returns (string memory) {
        return "TwoMarketProof";
    }

    function _maxGas() internal pure override returns (uint256, uint256) {
        return (412_000, 550_000);
    }

    function _fixture() internal pure override returns (string memory) {
        return "contracts/test/fixtures/two-market/proof.json";
    }

    function _deployVerifier() internal override returns (address) {
        return address(new Halo2Verifier());
    }

    function test_OracleRefusesSwappedMarkets() public {
        int32[] memory features = candleFeatures;
        int128[] memory values = outputs;
        uint256 half = features.length / 2;
        for (uint256 i = 0; i < half; ++i) {
            (features[i], features[half + i]) = (features[half + i], features[i]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            (values[i], values[3 + i]) = (values[3 + i], values[i]);
        }
        _assertInvalidProof(features, values, proof);
        _assertInvalidProof(features, outputs, proof);
        _assertInvalidProof(candleFeatures, values, proof);
    }

    function test_EachMarketGetsItsOwnForecast() public {
        assertEq(_submits(modelId, candleFeatures, outputs, proof), "");
        (IRegimeRiskOracle.Params memory btc,) = oracle.params(BTC);
        (IRegimeRiskOracle.Params memory eth,) = oracle.params(ETH);
        assertEq(btc.regime, outputs[1] > outputs[0] ? 1 : 0);
        assertEq(eth.regime, outputs[4] > outputs[3] ? 1 : 0);
        assertTrue(btc.probabilityHighBps != eth.probabilityHighBps && btc.volatilityWad != eth.volatilityWad);
    }

    /// @dev An honest proof from a circuit of the same shape with other weights.
    function test_VerifierRefusesAProofOfAForeignCircuit() public view {
        string memory json = vm.readFile(_fixture());
        bytes memory foreignProof = vm.parseJsonBytes(json, ".foreign_proof");
        assertEq(foreignProof.length, proof.length);
        assertFalse(_verifies(foreignProof, vm.parseJsonUintArray(json, ".foreign_instances")));
    }
}
