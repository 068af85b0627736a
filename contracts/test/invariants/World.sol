// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC20} from "solady/tokens/ERC20.sol";
import {ReferenceMarket} from "../../src/consumers/ReferenceMarket.sol";
import {IAggregatorV3} from "../../src/interfaces/external/IAggregatorV3.sol";
import {IRegimeRiskOracle} from "../../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {MockFeed} from "../mocks/MockFeed.sol";
import {OracleFixture} from "../OracleFixture.sol";

/// @notice A token that anyone may have.
contract FreeToken is ERC20 {
    function name() public pure override returns (string memory) {
        return "Free";
    }

    function symbol() public pure override returns (string memory) {
        return "FREE";
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice A price that is always of this very second.
contract FreePrice is IAggregatorV3 {
    int256 public price = 100e8;

    function set(int256 next) external {
        price = next;
    }

    function decimals() external pure returns (uint8) {
        return 8;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, price, block.timestamp, block.timestamp, 1);
    }
}

/// @notice The real oracle with two markets and two models behind a mock verifier, a timelock of two days, a policy that uses
/// every rule, and a reference market that lends against it.
abstract contract World is OracleFixture {
    FreeToken internal collateral;
    FreeToken internal debt;
    FreePrice internal price;
    ReferenceMarket internal lending;
    MockFeed internal feed;
    bytes32[2] internal models;

    function setUp() public virtual override {
        super.setUp();
        models[0] = _register(_spec(_btc()));
        vm.prank(OWNER);
        models[1] = registry.proposeModel(_spec(_btcAndEth()), 7 days);
        _activate(models[1]);
        (collateral, debt, price) = (new FreeToken(), new FreeToken(), new FreePrice());
        lending = new ReferenceMarket(address(collateral), address(debt), price, oracle, BTC, 1e30);
        debt.mint(address(this), 1e36);
        debt.approve(address(lending), type(uint256).max);
        lending.lend(1e30);
    }

    /// @dev Liquidation ratios that move with the forecast, by a ramp; dwell, margin, asymmetric limits, a delay.
    function _policy() internal pure override returns (IRegimeRiskOracle.Policy memory policy) {
        policy = super._policy();
        policy.knots[1].vector.liquidationCollateralRatioBps = 170_00;
        policy.marginBps = 5_00;
        policy.dwellPeriods = 2;
        policy.maxRiseBpsPerPeriod = 60_00;
        policy.maxFallBpsPerPeriod = 25_00;
        policy.loosenDelaySeconds = 10 minutes;
        policy.liquidationRiseBpsPerDay = 1_57;
    }

    /// @dev Up since long ago, unless the campaign says otherwise.
    function _sequencerFeed() internal override returns (address) {
        feed = new MockFeed();
        feed.sequencer(0, 1);
        return address(feed);
    }

    function _timelockSeconds() internal pure virtual override returns (uint256) {
        return 0;
    }

    function _read(bytes32 market) internal view returns (IRiskParameters.Params memory current) {
        (current,) = oracle.params(market);
    }
}
