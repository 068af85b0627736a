// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IChaosRiskOracle
/// @notice What consumers of risk oracles of Chaos Labs' shape read: an agent hub, the injectors of
/// Aave, receivers of Venus.
interface IChaosRiskOracle {
    /// @notice One value of one parameter of one market.
    struct RiskParameterUpdate {
        /// Unix time in seconds that the age of the value counts from.
        uint256 timestamp;
        /// The value, encoded as the update type says.
        bytes newValue;
        /// Where the value comes from, for people.
        string referenceId;
        /// The value of the update before, of the same type and market; empty if this is the first.
        bytes previousValue;
        /// Which parameter this is.
        string updateType;
        /// Identifier of the update; it strictly increases.
        uint256 updateId;
        /// The market, as consumers know it.
        address market;
        /// Whatever else belongs to the update.
        bytes additionalData;
    }

    /// @notice An update exists. The topic of the update type is its keccak256.
    event ParameterUpdated(
        string referenceId,
        bytes newValue,
        bytes previousValue,
        uint256 timestamp,
        string indexed updateType,
        uint256 indexed updateId,
        address indexed market,
        bytes additionalData
    );

    /// @notice The latest update of a type for a market. Reverts if there is none.
    function getLatestUpdateByParameterAndMarket(string memory updateType, address market)
        external
        view
        returns (RiskParameterUpdate memory);

    /// @notice An update by its identifier. Reverts if there is none.
    function getUpdateById(uint256 updateId) external view returns (RiskParameterUpdate memory);

    /// @notice All update types.
    function getAllUpdateTypes() external view returns (string[] memory);

    /// @notice How many updates there are, which is also the last identifier. The first is 1.
    function updateCounter() external view returns (uint256);

    /// @notice Whether an account may publish updates.
    function isAuthorized(address sender) external view returns (bool);
}

/// @title IChaosRiskOracleOfBytes
/// @notice The same, as GMX's reads it: markets are bytes.
interface IChaosRiskOracleOfBytes {
    /// @notice As `IChaosRiskOracle.RiskParameterUpdate`, but for the market.
    struct BytesMarketUpdate {
        uint256 timestamp;
        bytes newValue;
        string referenceId;
        bytes previousValue;
        string updateType;
        uint256 updateId;
        /// The market, as the consumer has encoded it.
        bytes market;
        bytes additionalData;
    }

    /// @notice The latest update of a type for a market. Reverts if there is none.
    function getLatestUpdateByParameterAndMarket(string memory updateType, bytes memory market)
        external
        view
        returns (BytesMarketUpdate memory);
}
