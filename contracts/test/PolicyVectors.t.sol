// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {PolicyLib} from "../src/libraries/PolicyLib.sol";
import {RiskState} from "../src/libraries/RiskState.sol";
import {Words} from "../src/libraries/Words.sol";
import {Policies} from "./Policies.sol";

/// @notice Policies and updates with the vectors that Rust is tested with: what `crates/core` says of a policy is what the
/// contract does.
contract PolicyVectorsTest is Test {
    using PolicyLib for IRegimeRiskOracle.Policy;
    using RiskState for RiskState.State;

    string private _vectors = vm.readFile("contracts/test/vectors/policy.json");
    uint256 private constant NUMBERS_PER_UPDATE = 4;
    uint256 private constant NUMBERS_PER_RESULT = 12;

    function test_UpdatesMoveAMarketAsInRust() public {
        uint256 count = 0;
        for (; vm.keyExistsJson(_vectors, _key("cases", count, "knots")); ++count) {
            IRegimeRiskOracle.Policy memory policy = _policy("cases", count);
            uint256[] memory updates = vm.parseJsonUintArray(_vectors, _key("cases", count, "updates"));
            uint256[] memory expected = vm.parseJsonUintArray(_vectors, _key("cases", count, "expected"));
            uint32 periodSeconds = uint32(vm.parseJsonUint(_vectors, _key("cases", count, "period_seconds")));
            policy.check(_widest());
            _replay(policy, periodSeconds, updates, expected);
        }
        assertGt(count, 10);
    }

    function test_WhatRustRefusesIsRefusedForTheSameField() public {
        uint256 count = 0;
        for (; vm.keyExistsJson(_vectors, _key("refused", count, "knots")); ++count) {
            string memory field = vm.parseJsonString(_vectors, _key("refused", count, "field"));
            vm.expectRevert(abi.encodeWithSelector(IRegimeRiskOracle.InvalidPolicy.selector, field));
            this.check(_policy("refused", count));
        }
        assertGt(count, 10);
    }

    function check(IRegimeRiskOracle.Policy memory policy) external pure {
        policy.check(_widest());
    }

    /// @dev What `RiskOracle` does with an update that was verified, by way of the stored words.
    function _replay(
        IRegimeRiskOracle.Policy memory policy,
        uint32 periodSeconds,
        uint256[] memory updates,
        uint256[] memory expected
    ) private {
        RiskState.State memory state;
        state.begin(policy, true);
        state.rampBpsPerDay = policy.liquidationRiseBpsPerDay;
        (uint256 first, uint256 second) = Words.pack(state);
        assertEq(updates.length / NUMBERS_PER_UPDATE, expected.length / NUMBERS_PER_RESULT);
        for (uint256 i = 0; i < updates.length / NUMBERS_PER_UPDATE; ++i) {
            uint256 place = i * NUMBERS_PER_UPDATE;
            vm.warp(updates[place + 1]);
            (first, second) = _apply(
                policy,
                RiskState.Forecast(uint40(updates[place]), periodSeconds, 0, uint32(updates[place + 2])),
                first,
                second,
                expected,
                i * NUMBERS_PER_RESULT
            );
            vm.warp(updates[place + 3]);
            IRiskParameters.Params memory seen = _seen(policy, first, second);
            place = i * NUMBERS_PER_RESULT + 7;
            assertEq(seen.borrowCollateralRatioBps, expected[place], "borrow");
            assertEq(seen.liquidationCollateralRatioBps, expected[place + 1], "liquidation");
            assertEq(seen.ammFeePips, expected[place + 2], "fee");
            assertEq(seen.borrowCapFactorBps, expected[place + 3], "cap");
            assertEq(uint256(Words.status(first, second)), expected[place + 4], "status");
        }
    }

    function _apply(
        IRegimeRiskOracle.Policy memory policy,
        RiskState.Forecast memory forecast,
        uint256 first,
        uint256 second,
        uint256[] memory expected,
        uint256 place
    ) private view returns (uint256, uint256) {
        IRiskParameters.Params memory inForce = _seen(policy, first, second);
        RiskState.State memory state = Words.unpack(first, second);
        (uint256 requestedE9, IRiskParameters.RiskVector memory next) = state.advance(policy, forecast, inForce);
        if (next.liquidationCollateralRatioBps != state.rampTargetBps) {
            state.turnRamp(next.liquidationCollateralRatioBps, policy.liquidationRiseBpsPerDay);
        }
        assertEq(requestedE9, expected[place], "requested");
        assertEq(state.appliedVolatilityE9, expected[place + 1], "applied");
        assertEq(state.looserCount, expected[place + 2], "count");
        assertEq(next.borrowCollateralRatioBps, expected[place + 3], "next borrow");
        assertEq(next.liquidationCollateralRatioBps, expected[place + 4], "next liquidation");
        assertEq(next.ammFeePips, expected[place + 5], "next fee");
        assertEq(next.borrowCapFactorBps, expected[place + 6], "next cap");
        return Words.pack(state);
    }

    function _seen(IRegimeRiskOracle.Policy memory policy, uint256 first, uint256 second)
        private
        view
        returns (IRiskParameters.Params memory seen)
    {
        Words.readCurrent(seen, first, second);
        if (Words.status(first, second) >= IRiskParameters.Status.Stale) RiskState.tighten(seen, policy.tightest());
    }

    function _policy(string memory kind, uint256 index) private view returns (IRegimeRiskOracle.Policy memory policy) {
        uint256[] memory knots = vm.parseJsonUintArray(_vectors, _key(kind, index, "knots"));
        policy.knots = new IRegimeRiskOracle.Knot[](knots.length / 5);
        for (uint256 i = 0; i < policy.knots.length; ++i) {
            policy.knots[i] = IRegimeRiskOracle.Knot(
                uint32(knots[5 * i]),
                Policies.vector(
                    uint16(knots[5 * i + 1]),
                    uint16(knots[5 * i + 2]),
                    uint24(knots[5 * i + 3]),
                    uint16(knots[5 * i + 4])
                )
            );
        }
        uint256[] memory limits = vm.parseJsonUintArray(_vectors, _key(kind, index, "limits"));
        policy.marginBps = uint16(limits[0]);
        policy.dwellPeriods = uint8(limits[1]);
        policy.maxRiseBpsPerPeriod = uint16(limits[2]);
        policy.maxFallBpsPerPeriod = uint16(limits[3]);
        policy.loosenDelaySeconds = uint24(limits[4]);
        policy.liquidationRiseBpsPerDay = uint16(limits[5]);
        policy.graceAfterBps = uint16(limits[6]);
        policy.staleAfterBps = uint16(limits[7]);
    }

    function _widest() private pure returns (IRegimeRiskOracle.Bounds memory) {
        return IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: 105_00,
            maxBorrowCollateralRatioBps: type(uint16).max,
            minLiquidationCollateralRatioBps: 105_00,
            maxLiquidationRiseBpsPerDay: 2_00,
            minAmmFeePips: 0,
            maxAmmFeePips: 1_000_000,
            minBorrowCapFactorBps: 0
        });
    }

    function _key(string memory kind, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".", kind, "[", vm.toString(index), "].", field);
    }
}
