// SPDX-License-Identifier: MIT
pragma solidity >=0.8.4;

import {IModelRegistry} from "./IModelRegistry.sol";

/// @title IHedgeVault
/// @notice One owner's WBTC, sold for USDC by a proven forecast of what the owner's electricity will cost, within the owner's
/// terms. Whoever sends WBTC to it fills it.
/// @dev What holds whatever operator, relayers and attestors do, together:
/// 1. WBTC leaves to the owner, or to the pinned pool for USDC that goes to the owner in the same call.
/// 2. A period sells `maxPerPeriodSats` at most, and all periods together `maxInAllSats`.
/// 3. A sale brings at least the floor, and at least the pool's time-weighted price less its fee and the slippage.
/// 4. No day of electricity is sold for twice, and none that is over.
interface IHedgeVault {
    /* TYPES */

    /// @notice What the owner allows.
    struct Terms {
        /// The model of the country's electricity; one of `PURPOSE`.
        bytes32 modelId;
        /// Power that the machines draw.
        uint32 watts;
        /// Months of 30 days to cover from a period's start on: 2 to 5.
        uint8 months;
        /// Share of the electricity's cost to cover, in bps.
        uint16 shareBps;
        /// How far below the time-weighted price a sale may end, in bps and beyond the pool's fee. At most 1_000.
        uint16 slippageBps;
        /// Seconds of that price's mean: 300 to 86_400.
        uint32 twapSeconds;
        /// Fewest observations for which the pool must have room. At least 2.
        uint16 minObservations;
        /// Unix time in seconds after which nothing is sold.
        uint40 deadline;
        /// Most WBTC that one period sells, in units of 1e-8.
        uint64 maxPerPeriodSats;
        /// Seconds of each period in which only operator and owner may execute; they can send privately.
        uint32 operatorSeconds;
        /// Most WBTC that all sales together sell, earlier ones included, in units of 1e-8.
        uint64 maxInAllSats;
        /// Fewest dollars for a bitcoin, all costs included. At least 1.
        uint32 floorUsdPerBtc;
        /// May execute first, and pause. Zero for nobody.
        address operator;
    }

    /// @notice What was done so far.
    struct State {
        /// Start of the last period that sold, in Unix seconds.
        uint40 lastPeriodStart;
        /// First day, counted from 1970-01-01 UTC, whose electricity was not sold for.
        uint32 coveredUntilDay;
        /// WBTC sold in all, in units of 1e-8.
        uint64 soldSats;
        /// The length of the model's periods and the base-2 logarithm of its outputs' unit.
        uint32 periodSeconds;
        uint8 outputScale;
        bool paused;
    }

    /// @notice What attestors state of a period beside the forecast: its features are ratios, and tell no level.
    struct Prices {
        /// Mean day-ahead price of the 30 days before the period's start, in EUR/MWh times 1e6.
        uint64 eurPerMwhE6;
        /// Dollars for a euro times 1e6, as last known at the period's start.
        uint64 usdPerEurE6;
    }

    /// @notice A sale.
    struct Sale {
        /// WBTC sold, in units of 1e-8.
        uint64 sats;
        /// USDC that the owner received, in units of 1e-6.
        uint256 usdc;
        /// First day that it covers, counted from 1970-01-01 UTC, and the first that it does not.
        uint32 fromDay;
        uint32 untilDay;
        /// The pool's time-weighted price: units of USDC for a unit of WBTC, wad.
        uint256 twapWad;
    }

    /* EVENTS */

    /// @notice The owner set other terms.
    event TermsSet(Terms terms);

    /// @notice WBTC was sold.
    event Sold(bytes32 indexed modelId, uint64 indexed period, address indexed relayer, Prices prices, Sale sale);

    /// @notice The forecast behind the sale of the same transaction, with all that a watcher needs to compute it again.
    /// @param features As the update carries them, and so the outputs.
    event ForecastUsed(
        bytes32 indexed modelId, uint64 indexed period, bytes features, bytes outputs, bytes32 proofHash
    );

    /// @notice The owner took tokens out.
    event Withdrawn(address indexed token, uint256 amount);

    /// @notice Sales were paused, or go on.
    event PausedSet(bool paused, address indexed by);

    /* ERRORS */

    /// @notice Thrown when an argument of the constructor is unusable.
    error InvalidConfiguration(string field);

    /// @notice Thrown when a field of the terms is unusable.
    error InvalidTerms(string field);

    /// @notice Thrown when the caller is not the owner, or neither owner nor operator.
    error NotAllowed(address caller);

    /// @notice Thrown when the vault is paused.
    error VaultPaused();

    /// @notice Thrown when the terms' deadline is over.
    error DeadlineOver(uint256 deadline);

    /// @notice Thrown when an update is of another model than the terms'.
    error ForeignModel(bytes32 modelId);

    /// @notice Thrown when a sale was made for this period, or a later one.
    error PeriodDone(uint256 periodStart, uint256 lastPeriodStart);

    /// @notice Thrown when only operator and owner may execute yet.
    error OperatorFirst(uint256 untilTimestamp);

    /// @notice Thrown when an attested price is zero.
    error InvalidPrices();

    /// @notice Thrown when the pool has room for fewer observations than the terms want.
    error ThinHistory(uint256 observations, uint256 minObservations);

    /// @notice Thrown when the pool's observations do not reach back as far as the terms want.
    error NoTwap(uint256 twapSeconds);

    /// @notice Thrown when all days of the horizon are covered.
    error NothingToCover(uint256 coveredUntilDay);

    /// @notice Thrown when budgets and balance do not pay a day.
    error BudgetTooSmall(uint256 availableSats);

    /// @notice Thrown when a sale would bring less than the terms allow.
    error TooLittleReceived(uint256 usdc, uint256 minUsdc);

    /// @notice Thrown when somebody other than the pool asks for payment.
    error NotPool(address caller);

    /* ACTIONS */

    /// @notice Sells the WBTC that pays the electricity not yet covered, in whole days. Anyone may call, after the operator's
    /// time.
    /// @param update The forecast: proven, attested, of the current period.
    /// @param prices What attestors state beside it.
    /// @param attestations Of `statementOf` the prices, as `IModelRegistry.checkStatement` wants them.
    function execute(IModelRegistry.Update calldata update, Prices calldata prices, bytes calldata attestations)
        external
        returns (Sale memory);

    /// @notice Sets the terms, from the next sale on. Only the owner. What is covered, sold or done stays so.
    function setTerms(Terms calldata terms) external;

    /// @notice Stops sales. Only owner and operator.
    function pause() external;

    /// @notice Lets sales go on. Only the owner.
    function unpause() external;

    /// @notice Sends tokens of any kind to the owner. Only the owner, at any time.
    function withdraw(address token, uint256 amount) external;

    /* READS */

    /// @notice What the owner allows; zeros before `setTerms`.
    function terms() external view returns (Terms memory);

    /// @notice What was done so far.
    function state() external view returns (State memory);

    /// @notice The statement that attestors sign of a period's prices; see `IModelRegistry.statementDigest`. It is the same for
    /// every vault.
    function statementOf(bytes32 modelId, uint64 period, Prices calldata prices) external pure returns (bytes32);

    /// @notice The purpose of the models whose updates are taken: for each of 2, 3, 4 and 5 months the natural logarithm of the
    /// mean electricity price of so many months of 30 days over that of the last 30 days, then for each a half-width.
    // slither-disable-next-line naming-convention (a constant's getter)
    function PURPOSE() external view returns (bytes32);

    /// @notice The registry whose verdict counts.
    function registry() external view returns (IModelRegistry);

    /// @notice The owner, for ever.
    function owner() external view returns (address);

    /// @notice What is sold.
    function wbtc() external view returns (address);

    /// @notice What it is sold for.
    function usdc() external view returns (address);

    /// @notice Where it is sold.
    function pool() external view returns (address);
}
