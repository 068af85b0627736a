// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AaveRegimeSteward} from "../../src/consumers/AaveRegimeSteward.sol";
import {IAaveRegimeSteward} from "../../src/interfaces/IAaveRegimeSteward.sol";
import {IAavePoolAddressesProvider} from "../../src/interfaces/external/IAaveV3.sol";
import {IRegimeRiskOracle} from "../../src/interfaces/IRegimeRiskOracle.sol";
import {OracleFixture} from "../OracleFixture.sol";
import {AaveV3Market} from "./aave/AaveV3Market.sol";

/// @notice From an update of the real oracle to the real Aave.
contract AaveRegimeStewardRealOracleTest is OracleFixture, AaveV3Market {
    bytes32 private constant ETHER = keccak256("a market of its own");

    AaveRegimeSteward private _steward;
    bytes32 private _modelId;
    int128[] private _calm;
    int128[] private _turbulent;

    function setUp() public override {
        super.setUp();
        IRegimeRiskOracle.Policy memory policy = _policy();
        policy.knots[0].vector.borrowCollateralRatioBps = 160_00;
        policy.knots[0].vector.liquidationCollateralRatioBps = 125_00;
        policy.knots[1].vector.borrowCollateralRatioBps = 170_00;
        policy.knots[1].vector.liquidationCollateralRatioBps = 140_00;
        policy.liquidationRiseBpsPerDay = 2_00;
        vm.prank(OWNER);
        oracle.registerMarket(ETHER, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(ETHER, policy);
        bytes32[] memory markets = new bytes32[](1);
        markets[0] = ETHER;
        _modelId = _register(_spec(markets));
        (_calm, _turbulent) = (_outputs(32_000, -31_000, -9_000), _outputs(-31_000, 32_000, -5_900));

        deployAave();
        IAaveRegimeSteward.Limits memory limits = IAaveRegimeSteward.Limits({
            minLtvBps: 40_00,
            maxLtvBps: 70_00,
            maxLtvFallAbsBps: 10_00,
            maxLtvRiseAbsBps: 2_00,
            ltvRechargeSeconds: 4 hours,
            minThresholdBps: 70_00,
            maxThresholdBps: 82_00,
            maxThresholdFallAbsBps: 50,
            maxThresholdRiseAbsBps: 30,
            noticeSeconds: 3 days
        });
        _steward =
            new AaveRegimeSteward(oracle, ETHER, IAavePoolAddressesProvider(address(aave)), address(weth), limits);
        acl.addRiskAdmin(address(_steward));
        _submit(_modelId, _calm);
        _steward.poke();
        assertCollateral(LTV, THRESHOLD);
    }

    function _nextPeriod(int128[] memory outputs) private {
        skip(PERIOD_SECONDS);
        _submit(_modelId, outputs);
    }

    function test_TurbulentForecast_LowersTheLtvAtOnce_AndTheThresholdByAnnouncedSteps() public {
        address user = openPosition("user", LTV);
        _nextPeriod(_turbulent);
        vm.startSnapshotGas("AaveRegimeSteward", "poke, a new LTV");
        _steward.poke();
        vm.stopSnapshotGas();
        assertCollateral(58_82, THRESHOLD);

        skip(12);
        vm.startSnapshotGas("AaveRegimeSteward", "poke, nothing to do");
        _steward.poke();
        vm.stopSnapshotGas();
        skip(1 hours);
        _steward.poke(); // the oracle's ratio has begun to rise
        (uint256 floorBps, uint256 effectiveAt) = _steward.announcement();
        assertEq(floorBps, 79_50);

        while (block.timestamp < effectiveAt) {
            assertCollateral(58_82, THRESHOLD);
            _nextPeriod(_turbulent);
            _steward.poke();
        }
        skip(12);
        _steward.poke();
        assertCollateral(58_82, 79_50);
        assertGe(healthFactor(user), 1e18);
        vm.snapshotValue("AaveRegimeSteward", "code size", address(_steward).code.length);
    }

    function test_Guardian_LowersTheLtvAtMost() public {
        vm.prank(GUARDIAN);
        oracle.pauseMarket(ETHER, uint40(block.timestamp + 1 days));
        skip(1 hours);
        _steward.poke();
        assertCollateral(58_82, THRESHOLD);
        (, uint256 effectiveAt) = _steward.announcement();
        assertEq(effectiveAt, 0);
    }

    function test_Outage_LowersTheLtv_AndAFreshUpdateRaisesItStepByStep() public {
        skip(8 hours);
        _steward.poke();
        assertCollateral(58_82, THRESHOLD);
        _submit(_modelId, _calm);
        _steward.poke();
        assertCollateral(60_82, THRESHOLD);
        _nextPeriod(_calm);
        _steward.poke();
        assertCollateral(LTV, THRESHOLD);
    }

    function test_UnknownMarket_IsRefused() public {
        AaveRegimeSteward lost = new AaveRegimeSteward(
            oracle, "no such market", IAavePoolAddressesProvider(address(aave)), address(weth), _steward.limits()
        );
        assertEq(uint256(lost.poke()), uint256(IAaveRegimeSteward.Outcome.Unreadable));
    }
}
