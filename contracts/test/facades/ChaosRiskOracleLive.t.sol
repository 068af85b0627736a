// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ChaosRiskOracle} from "../../src/facades/ChaosRiskOracle.sol";
import {IChaosRiskOracle} from "../../src/interfaces/external/IChaosRiskOracle.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";
import {ChaosFixture} from "./ChaosFixture.sol";

/// @notice A consumer with the rules of those in use: an update is applied if it is not expired, has a higher identifier than
/// the last one that was applied, and if that was long enough ago; a reverting oracle means that there is nothing to do.
contract Hub {
    IChaosRiskOracle private immutable ORACLE;
    uint256 private immutable EXPIRATION_SECONDS;
    uint256 private immutable DELAY_SECONDS;

    mapping(bytes32 key => uint256) private _lastId;
    mapping(bytes32 key => uint256) private _lastTime;
    mapping(bytes32 key => bytes) private _values;

    constructor(IChaosRiskOracle oracle, uint256 expirationSeconds, uint256 delaySeconds) {
        (ORACLE, EXPIRATION_SECONDS, DELAY_SECONDS) = (oracle, expirationSeconds, delaySeconds);
    }

    function execute(string memory updateType, address market) external returns (bool) {
        try ORACLE.getLatestUpdateByParameterAndMarket(updateType, market) returns (
            IChaosRiskOracle.RiskParameterUpdate memory update
        ) {
            bytes32 key = keccak256(abi.encode(updateType, market));
            if (update.timestamp + EXPIRATION_SECONDS < block.timestamp) return false;
            if (_lastId[key] >= update.updateId || block.timestamp - _lastTime[key] < DELAY_SECONDS) return false;
            (_lastId[key], _lastTime[key]) = (update.updateId, block.timestamp);
            _values[key] = update.newValue;
            return true;
        } catch {
            return false;
        }
    }

    function value(string memory updateType, address market) external view returns (bytes memory) {
        return _values[keccak256(abi.encode(updateType, market))];
    }
}

/// @notice The facade between the real oracle and a consumer.
contract ChaosRiskOracleLiveTest is ChaosFixture {
    bytes32 private constant SOL = keccak256("SOL-USD");

    uint16 private constant LIVE_STEP_BPS = 20;

    Hub private hub;
    bytes32 private modelId;

    /// @dev WBTC stands for a market whose liquidation ratio moves, and whose looser values wait for an hour.
    function setUp() public override {
        super.setUp();
        IRegimeRiskOracle.Policy memory policy = _policy();
        policy.knots[1].vector.liquidationCollateralRatioBps = 160_00;
        policy.liquidationRiseBpsPerDay = 2_00;
        policy.loosenDelaySeconds = 1 hours;
        vm.prank(OWNER);
        oracle.registerMarket(SOL, MARKET_OWNER, _bounds());
        vm.prank(MARKET_OWNER);
        oracle.setPolicy(SOL, policy);
        modelId = _register(_spec(_solOnly()));

        ChaosRiskOracle.Listing[] memory listings = _twoListings();
        listings[0].oracleMarket = SOL;
        facade = new ChaosRiskOracle(oracle, LIVE_STEP_BPS, listings);
        hub = new Hub(facade, 6 hours, 0);
    }

    function test_AConsumerFollowsTheOracle() public {
        assertFalse(hub.execute(COLLATERAL, WBTC));
        assertEq(facade.record(), 0);

        _calm();
        assertFalse(hub.execute(COLLATERAL, WBTC), "no identifier yet");
        assertEq(facade.record(), 1);
        assertTrue(hub.execute(COLLATERAL, WBTC));
        // Until looser values hold, the turbulent ones do.
        assertEq(_appliedLtv(), 50_00);
        assertFalse(hub.execute(COLLATERAL, WBTC), "once each");

        skip(1 hours);
        assertFalse(hub.execute(COLLATERAL, WBTC), "moved on");
        assertEq(facade.record(), 1);
        assertTrue(hub.execute(COLLATERAL, WBTC));
        assertEq(_appliedLtv(), _ltvNow());
        assertGt(_appliedLtv(), 60_00);
        assertEq(facade.record(), 0);
    }

    function test_AnOutageReachesTheConsumerThoughTheForecastExpired() public {
        _calm();
        skip(1 hours);
        facade.record();
        assertTrue(hub.execute(COLLATERAL, WBTC));
        uint256 thresholdBps = _appliedThreshold();

        skip(4 hours + 1 minutes);
        assertEq(uint8(_status()), uint8(IRiskParameters.Status.Grace));
        assertEq(facade.record(), 0);
        skip(3 hours);
        assertEq(uint8(_status()), uint8(IRiskParameters.Status.Stale));
        assertEq(facade.record(), 1);
        assertTrue(hub.execute(COLLATERAL, WBTC));
        assertEq(_appliedLtv(), 50_00);
        assertEq(_appliedThreshold(), thresholdBps);
    }

    /// @dev A consumer with a long delay would otherwise never see a fallback that was recorded within it.
    function test_AFallbackThatExpiredUnappliedComesAgain() public {
        hub = new Hub(facade, 1 hours, 10 hours);
        _calm();
        facade.record();
        assertTrue(hub.execute(COLLATERAL, WBTC));
        skip(8 hours);
        facade.record();
        assertFalse(hub.execute(COLLATERAL, WBTC), "too soon");
        skip(2 hours);
        assertEq(facade.record(), 0);
        assertFalse(hub.execute(COLLATERAL, WBTC), "expired");
        skip(2 hours);
        assertFalse(hub.execute(COLLATERAL, WBTC), "of an earlier period");
        assertEq(facade.record(), 1);
        assertTrue(hub.execute(COLLATERAL, WBTC));
        assertEq(_appliedLtv(), 50_00);
    }

    function test_TheGuardianReachesTheConsumer() public {
        _calm();
        skip(1 hours);
        facade.record();
        assertTrue(hub.execute(BORROW_CAP, WBTC));
        assertGt(_appliedCap(), 300e18);
        vm.prank(GUARDIAN);
        oracle.pauseMarket(SOL, uint40(block.timestamp + 30 minutes));
        assertFalse(hub.execute(BORROW_CAP, WBTC));
        facade.record();
        assertTrue(hub.execute(BORROW_CAP, WBTC));
        assertEq(_appliedCap(), 200e18);

        skip(30 minutes);
        assertFalse(hub.execute(BORROW_CAP, WBTC));
        facade.record();
        assertTrue(hub.execute(BORROW_CAP, WBTC));
        assertGt(_appliedCap(), 300e18);
    }

    /// @dev The oracle's ramp rises by 2 % of the debt a day, 33 bps a period; the facade's step is 20 bps a forecast.
    function test_TheRampReachesTheConsumerInSteps() public {
        _calm();
        skip(1 hours);
        facade.record();
        uint256 ratioBps = _liquidationRatioNow();
        for (uint256 i = 0; i < 10; ++i) {
            vm.warp((block.timestamp / PERIOD_SECONDS + 1) * PERIOD_SECONDS + 75);
            _submit(modelId, _outputs(-3000, 3000, -6000));
            facade.record();
            uint256 expected = ratioBps + (i == 0 ? 0 : LIVE_STEP_BPS);
            assertEq(_threshold(), (1e8 + expected - 1) / expected);
            ratioBps = expected;
            skip(2 hours);
            assertEq(facade.record(), 0);
        }
        assertGt(_liquidationRatioNow(), ratioBps + 100);
        assertLe(_ltv(), _threshold());
    }

    function test_Gas() public {
        _calm();
        facade.record();
        vm.snapshotGasLastCall("ChaosRiskOracle", "record, first of one market");
        skip(4 hours);
        _submit(modelId, _outputs(2000, -1000, -7000));
        facade.record();
        vm.snapshotGasLastCall("ChaosRiskOracle", "record, one market");
        facade.record();
        vm.snapshotGasLastCall("ChaosRiskOracle", "record, nothing new");
        facade.getLatestUpdateByParameterAndMarket(COLLATERAL, WBTC);
        vm.snapshotGasLastCall("ChaosRiskOracle", "getLatestUpdateByParameterAndMarket");
    }

    /* HELPERS */

    function _solOnly() private pure returns (bytes32[] memory markets) {
        markets = new bytes32[](1);
        markets[0] = SOL;
    }

    function _calm() private {
        _submit(modelId, _outputs(1000, -1000, -7000));
    }

    function _status() private view returns (IRiskParameters.Status status) {
        (, status) = oracle.params(SOL);
    }

    function _appliedLtv() private view returns (uint256 ltvBps) {
        (ltvBps,,) = abi.decode(hub.value(COLLATERAL, WBTC), (uint256, uint256, uint256));
    }

    function _appliedThreshold() private view returns (uint256 thresholdBps) {
        (, thresholdBps,) = abi.decode(hub.value(COLLATERAL, WBTC), (uint256, uint256, uint256));
    }

    function _appliedCap() private view returns (uint256) {
        return abi.decode(hub.value(BORROW_CAP, WBTC), (uint256));
    }

    function _ltvNow() private view returns (uint256) {
        (IRiskParameters.Params memory current,) = oracle.params(SOL);
        return 1e8 / uint256(current.borrowCollateralRatioBps);
    }

    function _liquidationRatioNow() private view returns (uint256) {
        (IRiskParameters.Params memory current,) = oracle.params(SOL);
        return current.liquidationCollateralRatioBps;
    }
}
