// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {Policies} from "./Policies.sol";
import {MockFeed} from "./mocks/MockFeed.sol";

/// @notice Two oracles that live through the same: one answers from one word where it can, the other, which has to ask a
/// sequencer feed that is always up, from all of them every time. Readers must never notice.
contract FastPathTest is MarketFixture {
    RiskOracle private fast;
    RiskOracle private slow;
    bytes32 private modelId;

    /// @dev What happened to one oracle must happen to the other.
    struct Event {
        uint8 kind;
        uint24 pause;
        uint16 logit;
        uint24 parameter;
        IRegimeRiskOracle.Policy policy;
    }

    function setUp() public override {
        super.setUp();
        fast = oracle;
        MockFeed feed = new MockFeed();
        feed.sequencer(0, 1);
        slow = new RiskOracle(OWNER, GUARDIAN, 0, _list(attestor), 1, address(feed));
        oracle = slow;
        vm.prank(OWNER);
        oracle.registerMarket(BTC, MARKET_OWNER, _bounds(), _noPriceCheck());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(BTC, _policy());
        modelId = _register(_spec(_btc()));
        oracle = fast;
        assertEq(_register(_spec(_btc())), modelId);
    }

    function testFuzz_ReadersNeverNotice(Event[10] memory events) public {
        for (uint256 i = 0; i < events.length; ++i) {
            Event memory e = events[i];
            vm.warp(block.timestamp + bound(e.pause, 0, 12 hours));
            e.policy = Policies.valid(e.policy, _bounds());
            oracle = slow;
            bool happened = _happen(e);
            oracle = fast;
            assertEq(_happen(e), happened);
            _compare();
        }
    }

    /// @dev The comparison means something: a policy without a delay is answered from one word right after an update.
    function test_TheFastPathIsTaken() public {
        oracle = slow;
        _submit(modelId, _low());
        oracle = fast;
        _submit(modelId, _low());
        vm.record();
        fast.params(BTC);
        (bytes32[] memory reads,) = vm.accesses(address(fast));
        assertEq(reads.length, 1);
        _compare();
    }

    function _happen(Event memory e) private returns (bool happened) {
        uint256 kind = e.kind % 8;
        uint256 now_ = block.timestamp;
        if (kind < 4) {
            int128 logit = int128(uint128(e.logit % 20_000)) - 10_000;
            return _tries(address(this), abi.encodeCall(oracle.submit, (_update(modelId, _outputs(0, logit, -7600)))));
        }
        bytes memory data;
        if (kind < 6) {
            data = abi.encodeCall(oracle.setPolicy, (BTC, e.policy));
            _tries(MARKET_OWNER, abi.encodeCall(oracle.schedule, (data)));
            return _tries(MARKET_OWNER, data);
        }
        data = kind == 6
            ? abi.encodeCall(oracle.pauseMarket, (BTC, uint40(now_ + e.parameter % 7 days)))
            : abi.encodeCall(oracle.disablePeriod, (BTC, oracle.currentPeriod() - e.parameter % 3));
        return _tries(GUARDIAN, data);
    }

    function _tries(address caller, bytes memory data) private returns (bool success) {
        vm.prank(caller);
        (success,) = address(oracle).call(data);
    }

    /// @dev Now, and at moments to come at which something may change.
    function _compare() private {
        uint256 now_ = block.timestamp;
        uint24[8] memory laters = [0, 1, 600, 3600, 4 hours - 75, 5 hours, 8 hours, 40 hours];
        for (uint256 i = 0; i < laters.length; ++i) {
            vm.warp(now_ + laters[i]);
            (IRiskParameters.Params memory a, IRiskParameters.Status aStatus) = fast.params(BTC);
            (IRiskParameters.Params memory b, IRiskParameters.Status bStatus) = slow.params(BTC);
            assertEq(abi.encode(a), abi.encode(b));
            assertEq(uint8(aStatus), uint8(bStatus));
        }
        vm.warp(now_);
    }
}
