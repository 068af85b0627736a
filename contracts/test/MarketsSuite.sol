// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {ProofSuite} from "./ProofSuite.sol";

/// @notice What matters where one proof covers several markets. The circuits are those of fixtures/generate.py.
abstract contract MarketsSuite is ProofSuite {
    function test_OracleRefusesSwappedMarkets() public {
        uint256 count = spec.featureCount;
        for (uint256 market = 1; market < spec.markets.length; ++market) {
            int32[] memory swapped = features;
            int128[] memory values = outputs;
            for (uint256 i = (market - 1) * count; i < market * count; ++i) {
                (swapped[i], swapped[count + i]) = (swapped[count + i], swapped[i]);
            }
            for (uint256 i = (market - 1) * 3; i < market * 3; ++i) {
                (values[i], values[3 + i]) = (values[3 + i], values[i]);
            }
            _assertInvalidProof(swapped, values, proof);
            _assertInvalidProof(swapped, outputs, proof);
            _assertInvalidProof(features, values, proof);
        }
    }

    function test_EachMarketGetsItsOwnForecast() public {
        assertEq(_submits(modelId, features, outputs, proof), "");
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            (IRegimeRiskOracle.Params memory own,) = oracle.params(spec.markets[i]);
            assertEq(own.probabilityHighBps > 50_00, outputs[3 * i + 1] > outputs[3 * i]);
            for (uint256 j = 0; j < i; ++j) {
                (IRegimeRiskOracle.Params memory other,) = oracle.params(spec.markets[j]);
                assertTrue(own.probabilityHighBps != other.probabilityHighBps);
                assertTrue(own.volatilityE9 != other.volatilityE9);
            }
        }
    }

    /// @dev An honest proof from a circuit of the same shape with other weights.
    function test_VerifierRefusesAProofOfAForeignCircuit() public view {
        string memory json = vm.readFile(_fixture());
        bytes memory foreignProof = vm.parseJsonBytes(json, ".foreign_proof");
        assertEq(foreignProof.length, proof.length);
        assertFalse(_verifies(foreignProof, vm.parseJsonUintArray(json, ".foreign_instances")));
    }
}
