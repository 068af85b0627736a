// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {LibCall} from "solady/utils/LibCall.sol";
import {IAavePool, IAavePoolAddressesProvider, IAavePoolConfigurator} from "../interfaces/external/IAaveV3.sol";
import {IAaveRegimeSteward} from "../interfaces/IAaveRegimeSteward.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {AaveStewardLib} from "../libraries/AaveStewardLib.sol";

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

    uint256 private constant BPS = 10_000;

    /// @dev Bits of Aave's configuration word: active; and with them frozen and paused.
    uint256 private constant ACTIVE = 1 << 56;
    uint256 private constant OPEN_MASK = ACTIVE | 1 << 57 | 1 << 60;

    /// @dev The oracle gets this much gas or is not asked: with less, whoever pokes could make its own reads fail.
    uint256 private constant READ_GAS = 150_000;
    uint256 private constant MIN_GAS_TO_READ = 160_000;

    /// @dev Ten fields of parameters and the status.
    uint16 private constant READ_BYTES = 11 * 32;

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
        (Outcome fault, Reading memory reading) = _read();
        if (fault != Outcome.Unchanged) return _refuse(fault);

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

    /// @dev Whatever the oracle does, this returns: bounded gas, a bounded copy, and no decoding that could fail.
    function _read() private view returns (Outcome fault, Reading memory reading) {
        if (gasleft() < MIN_GAS_TO_READ) return (Outcome.Unreadable, reading);
        bytes memory question = abi.encodeCall(IRiskParameters.params, (market));
        (bool success, bool longer, bytes memory answer) =
            LibCall.tryStaticCall(address(oracle), READ_GAS, READ_BYTES, question);
        if (!success || longer || answer.length != READ_BYTES) return (Outcome.Unreadable, reading);

        uint256[11] memory words = abi.decode(answer, (uint256[11]));
        (uint256 updatedAt, uint256 borrowRatio, uint256 liquidationRatio, uint256 status) =
            (words[1], words[2], words[3], words[10]);
        if (
            updatedAt > block.timestamp || borrowRatio > type(uint16).max || liquidationRatio > borrowRatio
                || liquidationRatio <= BPS || status > uint256(type(IRiskParameters.Status).max)
        ) return (Outcome.Implausible, reading);
        reading.ltvBps = BPS * BPS / borrowRatio;
        reading.thresholdBps = BPS * BPS / liquidationRatio;
        reading.fresh =
            status == uint256(IRiskParameters.Status.Fresh) || status == uint256(IRiskParameters.Status.Grace);
        reading.settled = updatedAt < block.timestamp;
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
