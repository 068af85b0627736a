// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AaveRegimeSteward} from "../../../src/consumers/AaveRegimeSteward.sol";
import {IAavePoolAddressesProvider} from "../../../src/interfaces/external/IAaveV3.sol";
import {IAaveRegimeSteward} from "../../../src/interfaces/IAaveRegimeSteward.sol";
import {IRiskParameters} from "../../../src/interfaces/IRiskParameters.sol";
import {AaveV3Market} from "./AaveV3Market.sol";
import {ProgrammableOracle} from "./ProgrammableOracle.sol";

/// @notice Real Aave, a steward for its ether and an oracle that asks for what the reserve is set to: 62.5 and 80 percent.
abstract contract AaveStewardBase is AaveV3Market {
    bytes32 internal constant MARKET = keccak256("ETH-USD");
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant NOTICE = 3 days;
    uint256 internal constant RECHARGE = 4 hours;

    /// @dev Ratios of 160 and 125 percent: what the reserve is set to.
    uint256 internal constant BORROW_RATIO = 160_00;
    uint256 internal constant LIQUIDATION_RATIO = 125_00;

    ProgrammableOracle internal oracle;
    AaveRegimeSteward internal steward;

    function setUp() public virtual {
        vm.warp(START);
        deployAave();
        oracle = new ProgrammableOracle();
        oracle.update(BORROW_RATIO, LIQUIDATION_RATIO);
        steward = newSteward(defaultLimits());
        skip(1);
    }

    function newSteward(IAaveRegimeSteward.Limits memory limits) internal returns (AaveRegimeSteward created) {
        created = new AaveRegimeSteward(
            IRiskParameters(address(oracle)), MARKET, IAavePoolAddressesProvider(address(aave)), address(weth), limits
        );
        acl.addRiskAdmin(address(created));
    }

    function defaultLimits() internal pure virtual returns (IAaveRegimeSteward.Limits memory) {
        return IAaveRegimeSteward.Limits({
            minLtvBps: 40_00,
            maxLtvBps: 78_00,
            maxLtvFallAbsBps: 5_00,
            maxLtvRiseAbsBps: 2_00,
            ltvRechargeSeconds: uint32(RECHARGE),
            minThresholdBps: 75_00,
            maxThresholdBps: 82_00,
            maxThresholdFallAbsBps: 50,
            maxThresholdRiseAbsBps: 30,
            noticeSeconds: uint32(NOTICE)
        });
    }

    /// @dev An update that landed before this block.
    function updateAndWait(uint256 borrowRatioBps, uint256 liquidationRatioBps) internal {
        oracle.update(borrowRatioBps, liquidationRatioBps);
        skip(1);
    }

    function expectPoke(IAaveRegimeSteward.Outcome expected) internal {
        assertEq(uint256(steward.poke()), uint256(expected), "outcome");
    }

    /// @dev A refused poke says so and changes nothing.
    function expectRefusal(IAaveRegimeSteward.Outcome reason) internal {
        uint256 before = pool.getConfiguration(address(weth)).data;
        vm.expectEmit(address(steward));
        emit IAaveRegimeSteward.PokeRefused(reason);
        expectPoke(reason);
        assertEq(pool.getConfiguration(address(weth)).data, before, "configuration");
    }

    function assertAnnounced(uint256 expectedFloor, uint256 expectedEffectiveAt) internal view {
        (uint256 floorBps, uint256 effectiveAt) = steward.announcement();
        assertEq(floorBps, expectedFloor, "floor");
        assertEq(effectiveAt, expectedEffectiveAt, "effectiveAt");
    }
}
