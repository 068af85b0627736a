// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {VeriRegimeConsumer} from "./VeriRegimeConsumer.sol";

/// @title ForecastFee
/// @notice What the v4 hooks of this project share: a market's `ammFeePips`, read without harm and held inside limits.
/// @dev While the oracle's values are not vouched for, the fee is the higher of its own and the fallback; while it cannot be
/// read, the higher of the pool's last fee and the fallback: falling back only tightens.
abstract contract ForecastFee {
    /// @notice Fees in pips, and the age in seconds at which the oracle is read again: as the public values of these names.
    struct Limits {
        uint24 minFeePips;
        uint24 fallbackFeePips;
        uint24 maxFeePips;
        uint32 refreshAfterSeconds;
    }

    /// @notice The hooks that v4 calls, as it reads them from the last 14 bits of this contract's address.
    uint160 public constant FLAGS = Hooks.AFTER_INITIALIZE_FLAG | Hooks.BEFORE_SWAP_FLAG;

    /// @notice Highest `maxFeePips`: 10 %. v4 refuses exact-output swaps at 100 %.
    uint24 public constant HIGHEST_MAX_FEE_PIPS = 100_000;

    IPoolManager public immutable poolManager;
    IRiskParameters public immutable oracle;
    bytes32 public immutable market;

    /// @notice Lowest fee in pips, whatever the oracle says. At least 1.
    uint24 public immutable minFeePips;

    /// @notice Least fee in pips while the oracle cannot be relied on.
    uint24 public immutable fallbackFeePips;

    /// @notice Highest fee in pips.
    uint24 public immutable maxFeePips;

    /// @notice Age in seconds at which a swap reads the oracle again: at most a period; at 0 every swap does.
    uint32 public immutable refreshAfterSeconds;

    /// @notice Thrown when an argument of the constructor is out of its range.
    error InvalidConfiguration(string field);

    /// @notice Thrown when somebody other than the pool manager calls a hook's entry point.
    error NotPoolManager();

    modifier onlyPoolManager() {
        if (msg.sender != address(poolManager)) revert NotPoolManager();
        _;
    }

    /// @dev The lowest bits of the address must be `FLAGS`: mine a CREATE2 salt. Every other argument is the public one's.
    constructor(IPoolManager poolManager_, IRiskParameters oracle_, bytes32 market_, Limits memory limits) {
        if (limits.minFeePips == 0) revert InvalidConfiguration("minFeePips");
        if (limits.minFeePips > limits.fallbackFeePips) revert InvalidConfiguration("minFeePips");
        if (limits.fallbackFeePips > limits.maxFeePips) revert InvalidConfiguration("fallbackFeePips");
        if (limits.maxFeePips > HIGHEST_MAX_FEE_PIPS) revert InvalidConfiguration("maxFeePips");
        if (limits.refreshAfterSeconds > 4 hours) revert InvalidConfiguration("refreshAfterSeconds");
        if (uint160(address(this)) & Hooks.ALL_HOOK_MASK != FLAGS) revert Hooks.HookAddressNotValid(address(this));
        (poolManager, oracle, market) = (poolManager_, oracle_, market_);
        (minFeePips, fallbackFeePips) = (limits.minFeePips, limits.fallbackFeePips);
        (maxFeePips, refreshAfterSeconds) = (limits.maxFeePips, limits.refreshAfterSeconds);
    }

    /// @notice The hooks that v4 calls, for tools that ask.
    function getHookPermissions() external pure returns (Hooks.Permissions memory permissions) {
        (permissions.afterInitialize, permissions.beforeSwap) = (true, true);
    }

    /// @param before The pool's last fee, for an oracle that cannot be read.
    /// @return feePips The oracle's fee inside the limits.
    /// @return reliable Whether a forecast stands behind it.
    /// @return volatilityE9 Standard deviation of one-minute returns that the oracle's values follow, times 1e9; 0 if unread.
    function _read(uint24 before) internal view returns (uint24 feePips, bool reliable, uint32 volatilityE9) {
        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
            VeriRegimeConsumer.tryParams(oracle, market);
        reliable = ok && VeriRegimeConsumer.isReliable(status);
        uint256 wanted = ok ? current.ammFeePips : before;
        feePips = uint24(FixedPointMathLib.clamp(wanted, reliable ? minFeePips : fallbackFeePips, maxFeePips));
        volatilityE9 = current.appliedVolatilityE9;
    }
}
