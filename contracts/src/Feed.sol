// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {LibString} from "solady/utils/LibString.sol";
import {IFeed} from "./interfaces/IFeed.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {UpdateLib} from "./libraries/UpdateLib.sol";
import {YieldMath} from "./libraries/YieldMath.sol";

/// @title Feed
/// @notice The proven forecasts of one strategy's yield. What one says, and what it does not, is written at the top of its
/// interface.
/// @dev A contract for each strategy, without owner and settings: what is taken is decided by the registry alone, and no
/// forecast of one strategy can land among another's. A period is published once; a forecast never changes after that.
contract Feed is IFeed {
    using UpdateLib for bytes;

    /// @inheritdoc IFeed
    bytes32 public constant PURPOSE = keccak256("strategy-yield/1");

    bytes32 private constant LEVEL_TYPEHASH =
        keccak256("YieldLevel(bytes32 modelId,uint64 period,uint32 day,int64 levelE9,uint64 factorE9)");

    /// @dev How long before a period its data may end.
    uint256 private constant MAX_DATA_AGE_DAYS = 7;

    /// @inheritdoc IFeed
    IModelRegistry public immutable registry;
    /// @inheritdoc IFeed
    bytes32 public immutable strategy;

    Forecast private _latest;

    /// @param name Name of the strategy, as its operators call it.
    constructor(IModelRegistry registry_, string memory name) {
        _configured(address(registry_).code.length != 0, "registry");
        _configured(bytes(name).length != 0, "name");
        (registry, strategy) = (registry_, keccak256(bytes(name)));
    }

    /* ACTIONS */

    /// @inheritdoc IFeed
    function publish(IModelRegistry.Update calldata update, Level calldata level, bytes calldata attestations)
        external
        returns (Forecast memory forecast)
    {
        IModelRegistry.Facts memory model = registry.facts(update.modelId);
        if (model.purpose != PURPOSE || model.outputCount != YieldMath.OUTPUTS || model.markets.length != 1) {
            revert ForeignModel(update.modelId);
        }
        if (model.markets[0] != strategy) revert ForeignModel(update.modelId);
        uint256 periodStart = uint256(update.period) * model.periodSeconds;
        if (periodStart <= _latest.periodStart) revert PeriodDone(periodStart, _latest.periodStart);
        _checkLevel(level, periodStart / 1 days);
        registry.verify(update);
        registry.checkStatement(statementOf(update.modelId, update.period, level), attestations);

        bytes calldata outputs = update.outputs;
        forecast = YieldMath.ratesOf(level, outputs.outputAt(0), outputs.outputAt(1), model.outputScale);
        forecast.periodStart = uint40(periodStart);
        forecast.updatedAt = uint40(block.timestamp);
        forecast.dataDay = level.day;
        _latest = forecast;
        bytes32 proofHash = EfficientHashLib.hashCalldata(update.proof);
        emit ForecastUsed(update.modelId, update.period, update.features, outputs, proofHash);
        emit Published(update.modelId, update.period, msg.sender, level, forecast);
    }

    /* READS */

    /// @inheritdoc IFeed
    function latest() external view returns (Forecast memory) {
        return _latest;
    }

    /// @inheritdoc IFeed
    function forecastNoOlderThan(uint256 maxAgeSeconds) external view returns (Forecast memory forecast) {
        forecast = _latest;
        // slither-disable-next-line incorrect-equality (zero before the first)
        if (forecast.updatedAt == 0) revert NoForecast();
        uint256 ageSeconds = block.timestamp - forecast.periodStart;
        if (ageSeconds > maxAgeSeconds) revert TooOld(ageSeconds, maxAgeSeconds);
    }

    /// @inheritdoc IFeed
    function statementOf(bytes32 modelId, uint64 period, Level calldata level) public pure returns (bytes32) {
        return keccak256(abi.encode(LEVEL_TYPEHASH, modelId, period, level));
    }

    /* INTERNAL */

    /// @dev Attestors are asked for what is in bounds at all; that it is right, they say.
    function _checkLevel(Level calldata level, uint256 periodDay) private pure {
        if (level.day >= periodDay || level.day + MAX_DATA_AGE_DAYS < periodDay) {
            revert DataOutOfTime(level.day, periodDay);
        }
        bool inside = level.levelE9 <= YieldMath.MAX_Z_E9 && level.levelE9 >= -YieldMath.MAX_Z_E9;
        if (!inside || level.factorE9 > YieldMath.MAX_FACTOR_E9) revert InvalidLevel();
    }

    function _configured(bool holds, bytes32 field) private pure {
        if (!holds) revert InvalidConfiguration(LibString.fromSmallString(field));
    }
}
