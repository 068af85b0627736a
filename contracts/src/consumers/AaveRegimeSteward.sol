// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAavePool, IAavePoolAddressesProvider, IAavePoolConfigurator} from "../interfaces/external/IAaveV3.sol";
import {IAaveRegimeSteward} from "../interfaces/IAaveRegimeSteward.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {AaveStewardLib} from "../libraries/AaveStewardLib.sol";
import {BPS} from "../libraries/Units.sol";
import {VeriRegimeConsumer} from "./VeriRegimeConsumer.sol";

/// @title AaveRegimeSteward
/// @notice Lets the collateral parameters of one Aave v3 reserve follow one market of a risk oracle. What it guarantees is
/// written at the top of its interface.
contract AaveRegimeSteward is IAaveRegimeSteward {
    /// @dev What a read of the oracle gave.
    struct Reading {
        uint256 ltvBps;
        uint256 thresholdBps;
        bool fresh;
        /// Whether the last update landed before this block.
        bool settled;
    }

    /// @dev Bits of Aave's configuration word: active; and with them frozen and paused.
    uint256 private constant ACTIVE = 1 << 56;
    uint256 private constant OPEN_MASK = ACTIVE | 1 << 57 | 1 << 60;

    /// @inheritdoc IAaveRegimeSteward
    IRiskParameters public immutable oracle;

    /// @inheritdoc IAaveRegimeSteward
    bytes32 public immutable market;

    /// @inheritdoc IAaveRegimeSteward
    address public immutable asset;

    IAavePool private immutable _pool;
    IAavePoolConfigurator private immutable _configurator;

    Limits private _limits;
    AaveStewardLib.State private _state;

    /// @param oracle_ The risk oracle, or anything else of its shape.
    /// @param market_ The oracle's market that stands for the reserve's asset.
    /// @param aave Directory of the Aave market.
    /// @param asset_ The reserve's underlying token.
    constructor(
        IRiskParameters oracle_,
        bytes32 market_,
        IAavePoolAddressesProvider aave,
        address asset_,
        Limits memory limits_
    ) {
        AaveStewardLib.check(limits_);
        (oracle, market, asset, _limits) = (oracle_, market_, asset_, limits_);
        _pool = IAavePool(aave.getPool());
        _configurator = IAavePoolConfigurator(aave.getPoolConfigurator());
    }

    /// @inheritdoc IAaveRegimeSteward
    function limits() external view returns (Limits memory) {
        return _limits;
    }

    /// @inheritdoc IAaveRegimeSteward
    function announcement() external view returns (uint256 floorBps, uint256 effectiveAt) {
        return (_state.floorBps, _state.effectiveAt);
    }

    /// @inheritdoc IAaveRegimeSteward
    function poke() external returns (Outcome) {
        uint256 config = _pool.getConfiguration(asset);
        (uint256 ltv, uint256 threshold, uint256 bonus) = (uint16(config), uint16(config >> 16), uint16(config >> 32));
        AaveStewardLib.State memory state = _state;
        if (ltv == 0 || config & OPEN_MASK != ACTIVE) {
            (state.floorBps, state.effectiveAt) = (0, 0);
            _store(state);
            return _refuse(Outcome.ReserveClosed);
        }
        (bool ok, Reading memory reading) = _read();
        if (!ok) return _refuse(Outcome.Unreadable);

        Limits memory l = _limits;
        uint256 newLtv = AaveStewardLib.nextLtv(state, l, ltv, threshold, reading.ltvBps, reading.fresh);
        uint256 newThreshold = threshold;
        if (reading.fresh && reading.settled) {
            uint256 ceiling = BPS * BPS / bonus;
            newThreshold = AaveStewardLib.nextThreshold(state, l, threshold, reading.thresholdBps, newLtv, ceiling);
        }
        bool changed = newLtv != ltv || newThreshold != threshold;
        if (changed) {
            // The state follows the call because Aave may refuse it. Aave calls nobody back.
            // slither-disable-next-line reentrancy-no-eth
            try _configurator.configureReserveAsCollateral(asset, newLtv, newThreshold, bonus) {
                emit ReserveConfigured(newLtv, newThreshold, reading.ltvBps, reading.thresholdBps);
            } catch {
                return _refuse(Outcome.AaveRefused);
            }
        }
        return _store(state) || changed ? Outcome.Changed : Outcome.Unchanged;
    }

    /// @dev Whatever the oracle does, this returns.
    function _read() private view returns (bool ok, Reading memory reading) {
        IRiskParameters.Params memory current;
        IRiskParameters.Status status;
        (ok, current, status) = VeriRegimeConsumer.tryParams(oracle, market);
        if (!ok) return (false, reading);
        reading.ltvBps = VeriRegimeConsumer.toLtvBps(current.borrowCollateralRatioBps);
        reading.thresholdBps = BPS * BPS / current.liquidationCollateralRatioBps;
        reading.fresh = VeriRegimeConsumer.isReliable(status);
        reading.settled = current.updatedAt < block.timestamp;
    }

    function _store(AaveStewardLib.State memory state) private returns (bool announced) {
        announced = state.effectiveAt != _state.effectiveAt;
        if (announced) emit FallAnnounced(state.floorBps, state.effectiveAt);
        _state = state;
    }

    function _refuse(Outcome reason) private returns (Outcome) {
        emit PokeRefused(reason);
        return reason;
    }
}
