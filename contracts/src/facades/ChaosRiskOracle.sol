// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LibString} from "solady/utils/LibString.sol";
import {VeriRegimeConsumer} from "../consumers/VeriRegimeConsumer.sol";
import {IChaosRiskOracle, IChaosRiskOracleOfBytes} from "../interfaces/external/IChaosRiskOracle.sol";
import {IERC165} from "../interfaces/external/IERC165.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ChaosRecords} from "../libraries/ChaosRecords.sol";

/// @title ChaosRiskOracle
/// @notice A risk oracle's parameters in the shape that consumers of Chaos Labs' risk oracles read, by the names that Aave's
/// ask for.
/// @dev Such a consumer applies each identifier once, so a value needs an identifier of its own before it may be shown.
/// Anyone gives it one by calling `record`, best in the transaction that then makes the consumer read. A record holds all
/// update types of a market, as they were in one block. The getters of the latest update show the last record, and its time:
/// what they show, `getUpdateById` shows as well, for ever.
/// @dev While the oracle's values are `Stale` or `Withheld`, a record holds its tightened fallback, and is good until the
/// 4-hour slot of the UTC day ends; a new one has a new identifier and time, so that no consumer's expiry or delay can swallow
/// the fallback for good. The liquidation side stands still then, and moves by at most `liquidationStepBps` for each new
/// forecast: neither an outage nor the end of one makes a healthy position liquidatable at a stroke. Before the oracle's first
/// update there is nothing here.
contract ChaosRiskOracle is IChaosRiskOracle, IChaosRiskOracleOfBytes, IERC165 {
    using ChaosRecords for ChaosRecords.Record;
    using VeriRegimeConsumer for IRiskParameters;

    /// @notice What is known about a consumer's market.
    struct Market {
        bytes32 oracleMarket;
        ChaosRecords.Caps caps;
        /// Position in `markets`, plus 1.
        uint8 number;
        /// Number of the last record, counted from 1; 0 if there is none.
        uint40 last;
    }

    /// @notice A market to be served.
    struct Listing {
        /// The market as consumers know it, such as the address of an asset.
        address market;
        /// The oracle's market that stands for it; one may stand for several.
        bytes32 oracleMarket;
        ChaosRecords.Caps caps;
    }

    /// @notice Update types, hence identifiers, in a record.
    uint256 public constant TYPE_COUNT = ChaosRecords.TYPE_COUNT;

    /// @notice Most markets that one facade can serve.
    uint256 public constant MAX_MARKETS = 32;

    /// @notice The oracle behind the facade.
    IRiskParameters public immutable oracle;

    /// @notice Most that the liquidation ratio rises from one forecast's records to those of the next, in bps of the debt.
    uint16 public immutable liquidationStepBps;

    /// @notice The markets, as consumers know them.
    address[] public markets;

    mapping(address market => Market) private _markets;
    ChaosRecords.Record[] private _records;

    /// @notice Thrown when the oracle does not say that it has `IRiskParameters`.
    error NotRiskParameters(address oracle);

    /// @notice Thrown when there are no markets, or too many.
    error InvalidMarketCount(uint256 markets);

    /// @notice Thrown when a market is zero, has a cap of zero, or is listed twice.
    error InvalidMarket(address market);

    /// @notice Thrown when there is no such update type or market, or nothing has been recorded; `record` mends the latter,
    /// unless the oracle itself has nothing to say.
    error NoUpdate(string updateType, address market);

    /// @notice Thrown when there is no update of this identifier.
    error UnknownUpdateId(uint256 updateId);

    constructor(IRiskParameters oracle_, uint16 liquidationStepBps_, Listing[] memory listings) {
        if (!IERC165(address(oracle_)).supportsInterface(type(IRiskParameters).interfaceId)) {
            revert NotRiskParameters(address(oracle_));
        }
        uint256 count = listings.length;
        if (count == 0 || count > MAX_MARKETS) revert InvalidMarketCount(count);
        (oracle, liquidationStepBps) = (oracle_, liquidationStepBps_);
        for (uint256 i = 0; i < count; ++i) {
            Listing memory listing = listings[i];
            bool usable = listing.market != address(0) && listing.caps.supply != 0 && listing.caps.borrow != 0;
            if (!usable || _markets[listing.market].number != 0) revert InvalidMarket(listing.market);
            markets.push(listing.market);
            _markets[listing.market] = Market(listing.oracleMarket, listing.caps, uint8(i + 1), 0);
        }
    }

    /// @notice Records what the oracle says about each market for which that is not the last record already. For anyone.
    /// @dev One market does not hold up another. Reverts only for want of gas.
    /// @return recorded How many markets were recorded.
    function record() external returns (uint256 recorded) {
        for (uint256 i = 0; i < markets.length; ++i) {
            (bool isNew, ChaosRecords.Record memory current) = _current(markets[i]);
            if (!isNew) continue;
            _records.push(current);
            _markets[markets[i]].last = uint40(_records.length);
            ++recorded;
            _emit(_updates(_records.length, 0, TYPE_COUNT));
        }
    }

    /// @inheritdoc IChaosRiskOracle
    /// @dev Reverts with `NoUpdate`. See there.
    function getLatestUpdateByParameterAndMarket(string memory updateType, address market)
        external
        view
        returns (RiskParameterUpdate memory update)
    {
        bool exists;
        (exists, update) = tryGetLatestUpdateByParameterAndMarket(updateType, market);
        if (!exists) revert NoUpdate(updateType, market);
    }

    /// @inheritdoc IChaosRiskOracleOfBytes
    /// @dev Reverts with `NoUpdate`; the market is the ABI encoding of its address.
    function getLatestUpdateByParameterAndMarket(string memory updateType, bytes memory market)
        external
        view
        returns (BytesMarketUpdate memory)
    {
        address decoded = abi.decode(market, (address));
        (bool exists, RiskParameterUpdate memory update) = tryGetLatestUpdateByParameterAndMarket(updateType, decoded);
        if (!exists) revert NoUpdate(updateType, decoded);
        return BytesMarketUpdate({
            timestamp: update.timestamp,
            newValue: update.newValue,
            referenceId: update.referenceId,
            previousValue: update.previousValue,
            updateType: update.updateType,
            updateId: update.updateId,
            market: market,
            additionalData: update.additionalData
        });
    }

    /// @notice The latest update of a type for a market, if there is one. Reverts only for want of gas.
    function tryGetLatestUpdateByParameterAndMarket(string memory updateType, address market)
        public
        view
        returns (bool exists, RiskParameterUpdate memory update)
    {
        for (uint256 i = 0; i < TYPE_COUNT && !exists; ++i) {
            if (!LibString.eq(ChaosRecords.typeName(i), updateType)) continue;
            if (_markets[market].last == 0) break;
            (exists, update) = (true, _updates(_markets[market].last, i, 1)[0]);
        }
    }

    /// @notice The latest update of every type for a market, from one record, in the order of `getAllUpdateTypes`.
    /// @dev Reverts with `NoUpdate`, without a type.
    function getLatestUpdatesByMarket(address market) external view returns (RiskParameterUpdate[] memory) {
        if (_markets[market].last == 0) revert NoUpdate("", market);
        return _updates(_markets[market].last, 0, TYPE_COUNT);
    }

    /// @inheritdoc IChaosRiskOracle
    /// @dev Reverts with `UnknownUpdateId`. An update may be of any age; whether it still holds, the latest one tells.
    function getUpdateById(uint256 updateId) external view returns (RiskParameterUpdate memory) {
        if (updateId == 0 || updateId > updateCounter()) revert UnknownUpdateId(updateId);
        return _updates((updateId - 1) / TYPE_COUNT + 1, (updateId - 1) % TYPE_COUNT, 1)[0];
    }

    /// @inheritdoc IChaosRiskOracle
    /// @dev The type of an update is the one at `(updateId - 1) % 3`. In this order:
    /// `CollateralUpdate`: `abi.encode(ltv, threshold, bonus)`, as Aave's config engine takes them: loan-to-value in bps up to
    /// which may be borrowed, rounded down, and above which may be liquidated, rounded up; the bonus stays as it is.
    /// `supplyCap` and `borrowCap`: `abi.encode(cap)` in whole tokens times 1e18: the market's caps times the oracle's factor.
    function getAllUpdateTypes() external pure returns (string[] memory types) {
        types = new string[](TYPE_COUNT);
        for (uint256 i = 0; i < TYPE_COUNT; ++i) {
            types[i] = ChaosRecords.typeName(i);
        }
    }

    /// @inheritdoc IChaosRiskOracle
    function updateCounter() public view returns (uint256) {
        return _records.length * TYPE_COUNT;
    }

    /// @inheritdoc IChaosRiskOracle
    /// @dev True for the oracle alone: whoever calls `record` has no say in what is recorded.
    function isAuthorized(address sender) external view returns (bool) {
        return sender == address(oracle);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IChaosRiskOracle).interfaceId
            || interfaceId == type(IChaosRiskOracleOfBytes).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    /* INTERNAL */

    /// @return isNew Whether the oracle says something else about the market than the last record.
    /// @return taken The record to be.
    function _current(address market) private view returns (bool isNew, ChaosRecords.Record memory taken) {
        Market memory known = _markets[market];
        (bool ok, IRiskParameters.Params memory current, IRiskParameters.Status status) =
            oracle.tryParams(known.oracleMarket);
        if (!ok || status == IRiskParameters.Status.Unset) return (false, taken);
        ChaosRecords.Record memory last = _recordOf(known.last);
        taken = ChaosRecords.take(current, status, last, liquidationStepBps);
        (taken.marketIndex, taken.previous) = (known.number - 1, known.last);
        return (!last.holds(taken), taken);
    }

    /// @return Empty for number 0.
    function _recordOf(uint256 number) private view returns (ChaosRecords.Record memory) {
        ChaosRecords.Record memory none;
        return number == 0 ? none : _records[number - 1];
    }

    function _updates(uint256 number, uint256 firstType, uint256 count)
        private
        view
        returns (RiskParameterUpdate[] memory updates)
    {
        ChaosRecords.Record memory current = _recordOf(number);
        address market = markets[current.marketIndex];
        updates = current.toUpdates(_recordOf(current.previous), _markets[market].caps, firstType, count);
        for (uint256 i = 0; i < count; ++i) {
            updates[i].updateId = (number - 1) * TYPE_COUNT + firstType + i + 1;
            updates[i].market = market;
        }
    }

    function _emit(RiskParameterUpdate[] memory updates) private {
        for (uint256 i = 0; i < updates.length; ++i) {
            RiskParameterUpdate memory update = updates[i];
            emit ParameterUpdated(
                update.referenceId,
                update.newValue,
                update.previousValue,
                update.timestamp,
                update.updateType,
                update.updateId,
                update.market,
                update.additionalData
            );
        }
    }
}
