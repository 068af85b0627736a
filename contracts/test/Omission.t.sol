// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Vm} from "forge-std/Vm.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {MarketFixture} from "./MarketFixture.sol";
import {setFeature} from "./Packed.sol";

/// @notice Updates that omit markets whose candles failed. Specification: Omission.tree.
/// @dev The model serves BTC, ETH and SOL, in this order; SOL's close is compared with a feed.
contract OmissionTest is MarketFixture {
    uint256 private constant OMITS_BTC = 1;
    uint256 private constant OMITS_ETH = 2;
    uint256 private constant OMITS_SOL = 4;

    bytes32[3] private markets = [BTC, ETH, SOL];
    bytes32 private modelId;

    function setUp() public override {
        super.setUp();
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, _policy());
        modelId = _register(_spec(_three()));
    }

    /* WHAT IS REFUSED */

    function testFuzz_RevertWhen_ThereIsNoSuchMarketOrNoneIsLeft(uint256 omitted) public {
        omitted = bound(omitted, 7, type(uint256).max);
        _expectRefusal(_zeroed(omitted, 7), _invalid(omitted));
    }

    function test_RevertWhen_TheMaskIsAtAnEdge() public {
        _expectRefusal(_zeroed(7, 7), _invalid(7));
        _expectRefusal(_zeroed(8, 0), _invalid(8));
        _expectRefusal(_zeroed(8 + OMITS_BTC, OMITS_BTC), _invalid(8 + OMITS_BTC));
        _expectRefusal(_zeroed(1 << 255, 0), _invalid(1 << 255));
        oracle.submit(_omitting(6));
    }

    function testFuzz_RevertWhen_AFeatureOfAnOmittedMarketIsNotZero(uint256 omitted, uint256 index, int32 value)
        public
    {
        omitted = bound(omitted, 1, 6);
        index = bound(index, 0, 3 * CANDLE_COUNT - 1);
        value = int32(bound(value, -int256(uint256(FEATURE_BOUND)), int256(uint256(FEATURE_BOUND))));
        if (value == 0) value = -1;
        IModelRegistry.Update memory update = _omitting(omitted);
        setFeature(update.features, index, value);
        update.attestations = _attest(update);
        uint256 market = index / CANDLE_COUNT;
        if (omitted & (1 << market) != 0) {
            _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.OmittedMarketNotNeutral.selector, market));
        } else {
            oracle.submit(update);
        }
    }

    function test_RevertWhen_AnyFeatureOfAnOmittedMarketIsNotZero() public {
        for (uint256 omitted = 1; omitted < 7; ++omitted) {
            for (uint256 index = 0; index < 3 * CANDLE_COUNT; ++index) {
                if (omitted & (1 << index / CANDLE_COUNT) == 0) continue;
                IModelRegistry.Update memory update = _omitting(omitted);
                setFeature(update.features, index, index % 2 == 0 ? int32(1) : int32(-1));
                update.attestations = _attest(update);
                _expectRefusal(
                    update,
                    abi.encodeWithSelector(IModelRegistry.OmittedMarketNotNeutral.selector, index / CANDLE_COUNT)
                );
            }
        }
    }

    /// @dev Nobody who relays can omit a market, or add one, or say that another one is omitted.
    function test_RevertWhen_TheRelayerChangesTheMask() public {
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.InvalidAttestation.selector, attestor);
        IModelRegistry.Update memory zeros = _zeroed(0, 7);
        for (uint256 omitted = 1; omitted < 7; ++omitted) {
            zeros.omittedMarkets = omitted;
            _expectRefusal(zeros, refusal);
        }
        zeros.omittedMarkets = OMITS_ETH;
        zeros.attestations = _attest(zeros);
        for (uint256 omitted = 0; omitted < 7; ++omitted) {
            if (omitted == OMITS_ETH) continue;
            zeros.omittedMarkets = omitted;
            _expectRefusal(zeros, refusal);
        }
    }

    function test_RevertWhen_TheProofIsAboutOtherInputsThanZeros() public {
        IModelRegistry.Update memory full = _full();
        verifier.acceptOnly(full.proof, registry.instancesOf(modelId, MONDAY, full.features, full.outputs));
        _expectRefusal(_omitting(OMITS_ETH), abi.encodeWithSelector(IModelRegistry.InvalidProof.selector));
        IModelRegistry.Update memory update = _omitting(OMITS_ETH);
        verifier.acceptOnly(update.proof, registry.instancesOf(modelId, MONDAY, update.features, update.outputs));
        oracle.submit(update);
    }

    /* WHAT LANDS */

    /// @dev Every mask: the omitted markets' storage is untouched, the others are as after an update of all.
    function test_OmittedMarketsStayAsTheyAre() public {
        for (uint256 omitted = 1; omitted < 7; ++omitted) {
            uint256 snapshot = vm.snapshotState();
            oracle.submit(_full());
            _warpTo(MONDAY + 1, 75);
            _assertOmission(omitted);
            vm.revertToState(snapshot);
            _assertOmission(omitted);
            vm.revertToState(snapshot);
        }
    }

    function test_UnsetMarketsStayUnset() public {
        oracle.submit(_omitting(OMITS_ETH));
        _assertStatus(ETH, IRiskParameters.Status.Unset);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
    }

    /// @dev Its age goes on: grace, then stale, whatever lands for the others.
    function test_AnOmittedMarketGrowsStale() public {
        oracle.submit(_full());
        for (uint64 period = MONDAY + 1; period <= MONDAY + 2; ++period) {
            _warpTo(period, 75);
            oracle.submit(_omitting(OMITS_ETH));
        }
        _assertStatus(ETH, IRiskParameters.Status.Stale);
        assertEq(_params(ETH).periodStart, START);
        assertEq(_params(ETH).ammFeePips, 10_000);
        _assertStatus(BTC, IRiskParameters.Status.Fresh);
        _warpTo(MONDAY + 1, 5 hours - PERIOD_SECONDS);
        _assertStatus(ETH, IRiskParameters.Status.Grace);
    }

    function test_EventsNameTheOmittedMarkets() public {
        IModelRegistry.Update memory update = _omitting(OMITS_BTC | OMITS_SOL);
        _expectSkip(BTC, IRegimeRiskOracle.SkipReason.Omitted);
        _expectSkip(SOL, IRegimeRiskOracle.SkipReason.Omitted);
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.UpdateAccepted(
            modelId,
            MONDAY,
            RELAYER,
            OMITS_BTC | OMITS_SOL,
            update.features,
            update.outputs,
            keccak256(update.proof),
            _list(attestor),
            1
        );
        vm.expectEmit(true, true, true, false, address(oracle));
        emit IRegimeRiskOracle.ParamsUpdated(ETH, modelId, START, 0, 0, 0, 0, _policy().knots[0].vector, 0);
        vm.recordLogs();
        vm.prank(RELAYER);
        oracle.submit(update);
        assertEq(vm.getRecordedLogs().length, 4);
    }

    /* WITH WHAT ELSE SKIPS A MARKET */

    /// @dev What an update omits was not judged: the reason is that of the last market that was.
    function test_RevertWhen_TheOthersAreSkipped() public {
        oracle.submit(_omitting(OMITS_ETH | OMITS_SOL));
        _expectRefusal(_omitting(OMITS_ETH | OMITS_SOL), _nothing(IRegimeRiskOracle.SkipReason.AlreadyUpdated));
    }

    function test_InTheOverlapAnotherModelMayServeTheOmittedMarket() public {
        vm.prank(OWNER);
        bytes32 successor = registry.proposeModel(_spec(_one(ETH)), 2);
        _activate(successor);
        oracle.submit(_omitting(OMITS_ETH));
        oracle.submit(_update(successor, _high()));
        assertEq(_params(ETH).probabilityHighBps, 100_00);
        assertEq(_params(ETH).periodStart, START);
        IRiskParameters.Params memory landed = _params(ETH);
        _expectRefusal(_full(), _alreadySubmitted());
        _assertParams(_params(ETH), landed);
    }

    /* THE REST OF THE PERIOD */

    /// @dev As if no update had come: the market can still have one, and those that have had one are left alone.
    function test_AnOmittedMarketCanBeServedLaterInThePeriod() public {
        IModelRegistry.Update memory partial_ = _omitting(OMITS_ETH);
        oracle.submit(partial_);
        (IRiskParameters.Params memory btc, IRiskParameters.Params memory sol) = (_params(BTC), _params(SOL));
        vm.warp(block.timestamp + 10 minutes);
        _expectRefusal(partial_, _alreadySubmitted());
        _expectRefusal(_omitting(OMITS_ETH | OMITS_SOL), _alreadySubmitted());
        _expectSkip(BTC, IRegimeRiskOracle.SkipReason.AlreadyUpdated);
        _expectSkip(SOL, IRegimeRiskOracle.SkipReason.AlreadyUpdated);
        oracle.submit(_full());
        _assertParams(_params(BTC), btc);
        _assertParams(_params(SOL), sol);
        assertEq(_params(ETH).periodStart, START);
        assertEq(_params(ETH).updatedAt, block.timestamp);
        _expectRefusal(_full(), _alreadySubmitted());
        _expectRefusal(_omitting(OMITS_BTC), _alreadySubmitted());
    }

    function test_TwoPartsMakeAWhole() public {
        oracle.submit(_omitting(OMITS_ETH | OMITS_SOL));
        oracle.submit(_omitting(OMITS_BTC));
        for (uint256 i = 0; i < 3; ++i) {
            _assertStatus(markets[i], IRiskParameters.Status.Fresh);
        }
        _expectRefusal(_full(), _alreadySubmitted());
    }

    /// @dev The last market waits alone, then the first: every market is looked at.
    function test_OneWaitingMarketIsEnough() public {
        oracle.submit(_omitting(OMITS_SOL));
        oracle.submit(_omitting(OMITS_BTC | OMITS_ETH));
        _warpTo(MONDAY + 1, 75);
        oracle.submit(_omitting(OMITS_BTC));
        oracle.submit(_omitting(OMITS_ETH | OMITS_SOL));
        assertEq(_params(BTC).periodStart, START + PERIOD_SECONDS);
    }

    function test_WhatIsWaitingDoesNotOutliveThePeriod() public {
        oracle.submit(_omitting(OMITS_ETH));
        IModelRegistry.Update memory update = _full();
        _warpTo(MONDAY + 1, 0);
        _expectRefusal(update, abi.encodeWithSelector(IModelRegistry.StalePeriod.selector, MONDAY, MONDAY + 1));
        assertEq(_params(ETH).periodStart, 0);
    }

    /* HELPERS */

    function _three() private pure returns (bytes32[] memory list) {
        list = new bytes32[](3);
        (list[0], list[1], list[2]) = (BTC, ETH, SOL);
    }

    function _full() private view returns (IModelRegistry.Update memory) {
        return _omitting(0);
    }

    function _omitting(uint256 omitted) private view returns (IModelRegistry.Update memory) {
        return _zeroed(omitted, omitted);
    }

    /// @dev An attested update of low forecasts with zeros for some markets, and a mask that may be of others.
    function _zeroed(uint256 omitted, uint256 zeroed) private view returns (IModelRegistry.Update memory update) {
        int128[] memory outputs = new int128[](9);
        for (uint256 i = 0; i < 9; ++i) {
            outputs[i] = _low()[i % 3];
        }
        update = _update(modelId, outputs);
        update.omittedMarkets = omitted;
        for (uint256 i = 0; i < 3 * CANDLE_COUNT; ++i) {
            uint256 market = i / CANDLE_COUNT;
            if (zeroed & (1 << market) != 0) setFeature(update.features, i, 0);
        }
        update.attestations = _attest(update);
    }

    function _assertOmission(uint256 omitted) private {
        IRiskParameters.Params[3] memory before;
        IRiskParameters.Status[3] memory statuses;
        for (uint256 i = 0; i < 3; ++i) {
            (before[i], statuses[i]) = oracle.params(markets[i]);
        }
        oracle.submit(_omitting(omitted));
        uint256 start = block.timestamp - block.timestamp % PERIOD_SECONDS;
        for (uint256 i = 0; i < 3; ++i) {
            if (omitted & (1 << i) != 0) {
                _assertParams(_params(markets[i]), before[i]);
                _assertStatus(markets[i], statuses[i]);
            } else {
                assertEq(_params(markets[i]).periodStart, start);
                assertEq(_params(markets[i]).probabilityHighBps, 0);
            }
        }
    }

    function _expectSkip(bytes32 market, IRegimeRiskOracle.SkipReason reason) private {
        vm.expectEmit(address(oracle));
        emit IRegimeRiskOracle.MarketSkipped(market, modelId, START, reason);
    }

    function _expectRefusal(IModelRegistry.Update memory update, bytes memory revertData) private {
        vm.expectRevert(revertData);
        oracle.submit(update);
    }

    function _invalid(uint256 omitted) private pure returns (bytes memory) {
        if (omitted & 7 == 7) return _nothing(IRegimeRiskOracle.SkipReason.Omitted);
        return abi.encodeWithSelector(IModelRegistry.InvalidOmittedMarkets.selector, omitted, 3);
    }

    function _alreadySubmitted() private pure returns (bytes memory) {
        return _nothing(IRegimeRiskOracle.SkipReason.AlreadyUpdated);
    }

    function _nothing(IRegimeRiskOracle.SkipReason reason) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRegimeRiskOracle.NothingApplied.selector, reason);
    }
}
