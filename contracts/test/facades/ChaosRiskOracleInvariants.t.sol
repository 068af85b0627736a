// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Test} from "forge-std/Test.sol";
import {ChaosRiskOracle} from "../../src/facades/ChaosRiskOracle.sol";
import {IChaosRiskOracle} from "../../src/interfaces/external/IChaosRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {MockRiskOracle} from "../../src/testing/MockRiskOracle.sol";
import {ChaosFixture} from "./ChaosFixture.sol";

/// @notice Everything that can happen to a facade: an oracle that says anything, or fails; time; and records.
contract ChaosHandler is Test {
    ChaosRiskOracle private immutable FACADE;
    MockRiskOracle private immutable MOCK;
    bytes32 private immutable MARKET;

    /// @notice What an update was when it was recorded.
    mapping(uint256 updateId => bytes32) public recordedHash;

    constructor(ChaosRiskOracle facade, MockRiskOracle mock, bytes32 market) {
        (FACADE, MOCK, MARKET) = (facade, mock, market);
    }

    function land(uint16 borrowSeed, uint16 liquidationSeed, uint16 probabilitySeed) external {
        MOCK.setCalm(MARKET);
        move(borrowSeed, liquidationSeed, probabilitySeed);
        record();
    }

    function move(uint16 borrowSeed, uint16 liquidationSeed, uint16 probabilitySeed) public {
        uint16 liquidation = uint16(bound(liquidationSeed, 100_01, 101_50));
        uint16 borrow = uint16(bound(borrowSeed, liquidation, 655_35));
        uint16 probability = uint16(bound(probabilitySeed, 0, 100_00));
        MOCK.setVector(MARKET, IRiskParameters.RiskVector(borrow, liquidation, probability, 100_00 - probability));
        MOCK.setForecast(MARKET, probability, probability, probability);
        record();
    }

    function setStatus(uint8 seed) external {
        MOCK.setStatus(MARKET, IRiskParameters.Status(bound(seed, 0, 4)));
        record();
    }

    function fail(uint8 seed) external {
        MOCK.setMode(MockRiskOracle.Mode(bound(seed, 1, uint8(type(MockRiskOracle.Mode).max))));
        assertEq(FACADE.record(), 0);
        MOCK.setMode(MockRiskOracle.Mode.Answer);
    }

    function wait(uint16 secondsSeed) external {
        skip(secondsSeed);
    }

    function record() public {
        uint256 before = FACADE.updateCounter();
        FACADE.record();
        for (uint256 id = before + 1; id <= FACADE.updateCounter(); ++id) {
            recordedHash[id] = keccak256(abi.encode(FACADE.getUpdateById(id)));
        }
    }
}

contract ChaosRiskOracleInvariantsTest is ChaosFixture {
    ChaosHandler private handler;

    function setUp() public override {
        super.setUp();
        MockRiskOracle mock = new MockRiskOracle();
        facade = _deployFacade(mock);
        handler = new ChaosHandler(facade, mock, BTC);
        targetContract(address(handler));
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: default.invariant.depth = 50
    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_LatestAndByIdAgree() public view {
        string[] memory types = facade.getAllUpdateTypes();
        for (uint256 i = 0; i < TYPES; ++i) {
            (bool exists, IChaosRiskOracle.RiskParameterUpdate memory update) =
                facade.tryGetLatestUpdateByParameterAndMarket(types[i], WBTC);
            if (!exists) continue;
            assertEq(_hash(update), _hash(facade.getUpdateById(update.updateId)));
            assertEq(update.updateId, facade.updateCounter() - TYPES + i + 1);
        }
    }

    /// @dev Once at the end of a run, of all records: they are for ever, and the liquidation ratio moves in steps.
    function afterInvariant() public view {
        uint256 lastPeriod;
        uint256 lastThreshold;
        for (uint256 first = 1; first <= facade.updateCounter(); first += TYPES) {
            for (uint256 id = first; id < first + TYPES; ++id) {
                IChaosRiskOracle.RiskParameterUpdate memory update = facade.getUpdateById(id);
                assertEq(_hash(update), handler.recordedHash(id));
                assertEq(update.updateId, id);
                assertLe(update.timestamp, block.timestamp);
            }
            (uint256 period, uint8 status) = _origin(first);
            (uint256 ltv, uint256 threshold,) = _collateral(facade.getUpdateById(first));
            assertLe(ltv, threshold);
            if (first > 1) {
                bool reliable = status == 1 || status == 2;
                uint256 stepBps = reliable && period > lastPeriod ? STEP_BPS : 0;
                // As ratios between 100 % and 101.5 %, a threshold's bps are at most as many as its ratio's.
                assertGe(threshold + stepBps, lastThreshold);
            }
            (lastPeriod, lastThreshold) = (period, threshold);
        }
    }

    function _origin(uint256 updateId) private view returns (uint256 period, uint8 status) {
        (period, status,) = abi.decode(facade.getUpdateById(updateId).additionalData, (uint256, uint8, uint256));
    }
}
