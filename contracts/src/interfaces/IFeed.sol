// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

import {IModelRegistry} from "./IModelRegistry.sol";

/// @title IFeed
/// @notice What a strategy is forecast to yield in the next 7 days: mean rate, its 90 % interval, volatility. Proven, attested,
/// one forecast a day at most.
/// @dev What a forecast here says: the registered model maps the published features to the published outputs, and k attestors
/// say that features and level are what public data give for this strategy. The proof covers the computation, not the data:
/// with the same features and outputs it is good for any strategy of the same network, and only the attestations, which name
/// the strategy's model, tell one from another.
interface IFeed {
    /* TYPES */

    /// @notice What attestors state of a period beside the forecast: its features are differences, and tell no level.
    struct Level {
        /// Last day of the data, counted from 1970-01-01 UTC.
        uint32 day;
        /// `sign(r) * ln(1 + |r|)` of the mean rate r of the 7 days up to it, in percent a year; times 1e9.
        int64 levelE9;
        /// What the size of an error is multiplied with for half of the interval; times 1e9.
        uint64 factorE9;
    }

    /// @notice A forecast. Rates are shares of 1 a year, 8 decimals: 5 % is 5_000_000.
    struct Forecast {
        /// Start of its period in Unix seconds: the data end before it.
        uint40 periodStart;
        /// When it landed, in Unix seconds.
        uint40 updatedAt;
        /// Last day of the data, counted from 1970-01-01 UTC.
        uint32 dataDay;
        /// Mean rate of the 7 days after the data.
        int64 apyE8;
        /// Standard deviation of the daily rate in them.
        uint64 volatilityE8;
        /// The ends of the mean rate's 90 % interval.
        int64 lowE8;
        int64 highE8;
    }

    /* EVENTS */

    /// @notice A forecast was published, with all that a watcher needs to compute it again.
    /// @param features As the update carries them, and so the outputs.
    event ForecastUsed(
        bytes32 indexed modelId, uint64 indexed period, bytes features, bytes outputs, bytes32 proofHash
    );

    /// @notice What came of it, in the same transaction.
    event Published(
        bytes32 indexed modelId, uint64 indexed period, address indexed relayer, Level level, Forecast forecast
    );

    /* ERRORS */

    /// @notice Thrown when an argument of the constructor is unusable.
    error InvalidConfiguration(string field);

    /// @notice Thrown when an update is of a model that forecasts something else, or another strategy.
    error ForeignModel(bytes32 modelId);

    /// @notice Thrown when a forecast was published for this period, or a later one.
    error PeriodDone(uint256 periodStart, uint256 lastPeriodStart);

    /// @notice Thrown when data end after the period's start, or longer before it than is allowed.
    error DataOutOfTime(uint256 dataDay, uint256 periodDay);

    /// @notice Thrown when an attested level or factor is out of all bounds.
    error InvalidLevel();

    /// @notice Thrown when nothing was published yet.
    error NoForecast();

    /// @notice Thrown when the last forecast is older than its reader allows.
    error TooOld(uint256 ageSeconds, uint256 maxAgeSeconds);

    /* ACTIONS */

    /// @notice Publishes the forecast of the running period. Anyone may call.
    /// @param update The forecast: proven, attested, of the current period.
    /// @param level What attestors state beside it.
    /// @param attestations Of `statementOf` the level, as `IModelRegistry.checkStatement` wants them.
    function publish(IModelRegistry.Update calldata update, Level calldata level, bytes calldata attestations)
        external
        returns (Forecast memory);

    /* READS */

    /// @notice The last forecast, however old; zeros before the first.
    function latest() external view returns (Forecast memory);

    /// @notice The last forecast. Reverts with `NoForecast` before the first, and with `TooOld` where its period began longer ago.
    function forecastNoOlderThan(uint256 maxAgeSeconds) external view returns (Forecast memory);

    /// @notice The statement that attestors sign of a period's level; see `IModelRegistry.statementDigest`. The model's id names
    /// the strategy.
    function statementOf(bytes32 modelId, uint64 period, Level calldata level) external pure returns (bytes32);

    /// @notice The purpose of the models whose updates are taken: the change of the mean rate in a week, the logarithm of its
    /// deviation, and the width of a first interval.
    // slither-disable-next-line naming-convention (a constant's getter)
    function PURPOSE() external view returns (bytes32);

    /// @notice The registry whose verdict counts.
    function registry() external view returns (IModelRegistry);

    /// @notice The strategy, for ever: keccak256 of its name, which is the only market of its models.
    function strategy() external view returns (bytes32);
}
