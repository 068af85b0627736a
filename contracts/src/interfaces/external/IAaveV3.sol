// SPDX-License-Identifier: MIT
pragma solidity >=0.8.0;

/// @title IAavePoolAddressesProvider
/// @notice The part of Aave v3's directory that is used here.
interface IAavePoolAddressesProvider {
    /// @notice The pool of this Aave market.
    function getPool() external view returns (address);

    /// @notice The contract through which the pool's reserves are configured.
    function getPoolConfigurator() external view returns (address);
}

/// @title IAavePool
/// @notice The part of Aave v3's pool that is used here.
interface IAavePool {
    /// @notice A reserve's configuration: from bit 0 the LTV, from bit 16 the liquidation threshold and from bit 32 the
    /// liquidation bonus, each 16 bits wide and in bps, the bonus with the 10_000 of the debt; bit 56 active, bit 57 frozen,
    /// bit 60 paused. All zeros if there is no such reserve.
    /// @dev Aave returns this word as the only member of a struct, which the ABI does not tell apart.
    function getConfiguration(address asset) external view returns (uint256 data);
}

/// @title IAavePoolConfigurator
/// @notice The part of Aave v3's configurator that is used here.
interface IAavePoolConfigurator {
    /// @notice Sets the three collateral parameters of a reserve. Only risk admins and pool admins.
    /// @dev Reverts unless `ltv <= liquidationThreshold` and the threshold with the bonus on top stays within 100 %.
    /// @param asset The reserve's underlying token.
    /// @param ltv In bps.
    /// @param liquidationThreshold In bps.
    /// @param liquidationBonus In bps, with the 10_000 of the debt.
    function configureReserveAsCollateral(
        address asset,
        uint256 ltv,
        uint256 liquidationThreshold,
        uint256 liquidationBonus
    ) external;
}
