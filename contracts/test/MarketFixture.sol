// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {OracleFixture} from "./OracleFixture.sol";
import {Policies} from "./Policies.sol";

/// @notice Policies that change, forecasts in bps, and short ways to read.
abstract contract MarketFixture is OracleFixture {
    uint256 internal constant START = MONDAY * PERIOD_SECONDS;

    bytes32 internal constant SOL = keccak256("SOL-USD");

    /// @dev Announces a policy and sets it once it is ripe.
    function _changePolicy(bytes32 market, IRegimeRiskOracle.Policy memory next) internal {
        _announcePolicy(market, next);
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(market, next);
    }

    /// @dev Announces a policy and waits until it is ripe.
    function _announcePolicy(bytes32 market, IRegimeRiskOracle.Policy memory next) internal {
        vm.prank(MARKET_OWNER);
        oracle.schedule(abi.encodeCall(oracle.setPolicy, (market, next)));
        vm.warp(block.timestamp + oracle.timelockSeconds());
    }

    /// @dev A further market, SOL, with the policy that uses every rule.
    function _registerRamped() internal {
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, Policies.ramped());
    }

    function _one(bytes32 market) internal pure returns (bytes32[] memory markets) {
        markets = new bytes32[](1);
        markets[0] = market;
    }

    /// @dev Outputs of one market: below the first knot of each policy, or above the last.
    function _low() internal pure returns (int128[] memory) {
        return _outputs(30_000, -30_000, -7700);
    }

    function _high() internal pure returns (int128[] memory) {
        return _outputs(-30_000, 30_000, -5900);
    }

    /// @dev Outputs of two markets.
    function _both(int128[] memory first, int128[] memory second) internal pure returns (int128[] memory outputs) {
        outputs = new int128[](6);
        for (uint256 i = 0; i < 3; ++i) {
            (outputs[i], outputs[3 + i]) = (first[i], second[i]);
        }
    }

    function _warpTo(uint64 period, uint256 secondsAfter) internal {
        vm.warp(period * PERIOD_SECONDS + secondsAfter);
    }

    function _params(bytes32 market) internal view returns (IRiskParameters.Params memory current) {
        (current,) = oracle.params(market);
    }

    function _status(bytes32 market) internal view returns (IRiskParameters.Status status) {
        (, status) = oracle.params(market);
    }

    function _assertStatus(bytes32 market, IRiskParameters.Status expected) internal view {
        assertEq(uint8(_status(market)), uint8(expected));
    }

    function _assertParams(IRiskParameters.Params memory actual, IRiskParameters.Params memory expected) internal pure {
        assertEq(abi.encode(actual), abi.encode(expected));
    }
}
