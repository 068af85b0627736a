// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IERC165} from "../interfaces/external/IERC165.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";

/// @title MockRiskOracle
/// @notice A risk oracle for the tests of those who read one: it says what it was told, or fails as it was told. Anyone may
/// tell it, so it cannot be deployed on a chain that has users.
/// @dev Nothing here happens by itself: time changes no status, and a status changes no value. A real oracle's values are at
/// least as tight as its policy's tightest vector while it is `Stale` or `Withheld`; `setTurbulent` with that status looks the same.
contract MockRiskOracle is IRiskParameters, IERC165 {
    /// @notice How the oracle answers `params`, and, where it says so, its other reads.
    enum Mode {
        /// As it should.
        Answer,
        /// Reverts with `Told`, other reads as well.
        RevertWithReason,
        /// Reverts without a reason, other reads as well.
        RevertEmpty,
        /// Reverts with 100,000 bytes.
        RevertBomb,
        /// Uses up all gas that it gets, other reads as well.
        BurnGas,
        /// Answers nothing, as an address without code would.
        ReturnNothing,
        /// Answers one byte too few.
        ReturnShort,
        /// Answers one word too many.
        ReturnLong,
        /// Answers 100,000 bytes.
        ReturnBomb,
        /// Answers words with all bits set, which no type but uint256 can hold.
        ReturnMaximal
    }

    struct Market {
        Params current;
        Status status;
        RiskVector next;
        uint256 effectiveAt;
        uint256 liquidationReachedAt;
    }

    uint256 private constant PERIOD_SECONDS = 14_400;
    uint256 private constant BOMB_BYTES = 100_000;

    /// @notice The present mode.
    Mode public mode;

    mapping(bytes32 market => Market) private _markets;

    /// @notice Thrown when this is deployed on a chain other than 31337 (anvil, hardhat, forge) and 1337 (ganache, geth --dev).
    error NotADevelopmentChain(uint256 chainId);

    /// @notice Thrown in mode `RevertWithReason`.
    error Told();

    constructor() {
        if (block.chainid != 31337 && block.chainid != 1337) revert NotADevelopmentChain(block.chainid);
    }

    /* TELLING IT WHAT TO SAY */

    /// @notice Sets how calls are answered.
    function setMode(Mode mode_) external {
        mode = mode_;
    }

    /// @notice Sets everything that `params` answers.
    function set(bytes32 market, Params calldata current, Status status) external {
        _markets[market].current = current;
        _markets[market].status = status;
    }

    /// @notice Sets the status alone.
    function setStatus(bytes32 market, Status status) external {
        _markets[market].status = status;
    }

    /// @notice A `Fresh` update of a calm market that lands now: ratios 150 % and 130 %, fee 0.05 %, the whole borrow cap.
    function setCalm(bytes32 market) external {
        _land(market, RiskVector(150_00, 130_00, 500, 100_00), 10_00, 500_000);
    }

    /// @notice A `Fresh` update of a turbulent market that lands now: ratios 200 % and 130 %, fee 1 %, 40 % of the borrow cap.
    function setTurbulent(bytes32 market) external {
        _land(market, RiskVector(200_00, 130_00, 10_000, 40_00), 90_00, 2_000_000);
    }

    /// @notice Sets the four parameters that a policy ties to the volatility.
    function setVector(bytes32 market, RiskVector memory vector) public {
        Params storage current = _markets[market].current;
        current.borrowCollateralRatioBps = vector.borrowCollateralRatioBps;
        current.liquidationCollateralRatioBps = vector.liquidationCollateralRatioBps;
        current.ammFeePips = vector.ammFeePips;
        current.borrowCapFactorBps = vector.borrowCapFactorBps;
    }

    /// @notice Sets the forecast: a probability in bps, and the proven and the applied volatility, times 1e9.
    function setForecast(bytes32 market, uint16 probabilityHighBps, uint32 volatilityE9, uint32 appliedVolatilityE9)
        public
    {
        Params storage current = _markets[market].current;
        current.probabilityHighBps = probabilityHighBps;
        (current.volatilityE9, current.appliedVolatilityE9) = (volatilityE9, appliedVolatilityE9);
    }

    /// @notice Makes the parameters those of the latest period that began at least `ageSeconds` ago, landed a minute after its
    /// start, if that is in the past. The status stays.
    function setAge(bytes32 market, uint256 ageSeconds) external {
        Params storage current = _markets[market].current;
        uint256 start = block.timestamp - ageSeconds;
        start -= start % PERIOD_SECONDS;
        current.periodStart = uint40(start);
        current.updatedAt = uint40(start + 60 < block.timestamp ? start + 60 : block.timestamp);
    }

    /// @notice Sets everything that `pending` answers. Times in Unix seconds.
    function setPending(bytes32 market, RiskVector calldata next, uint256 effectiveAt, uint256 liquidationReachedAt)
        external
    {
        Market storage told = _markets[market];
        (told.next, told.effectiveAt, told.liquidationReachedAt) = (next, effectiveAt, liquidationReachedAt);
    }

    /* READS */

    /// @inheritdoc IRiskParameters
    function params(bytes32 market) external view returns (Params memory current, Status status) {
        _failIfTold();
        Mode how = mode;
        (current, status) = (_markets[market].current, _markets[market].status);
        if (how == Mode.Answer) return (current, status);

        bytes memory answer = abi.encode(current, status);
        bool reverts = how == Mode.RevertBomb;
        if (how == Mode.ReturnNothing) answer = "";
        if (how == Mode.ReturnLong) answer = bytes.concat(answer, bytes32(0));
        if (how == Mode.ReturnBomb || reverts) answer = new bytes(BOMB_BYTES);
        if (how == Mode.ReturnMaximal) {
            for (uint256 i = 0; i < answer.length; ++i) {
                answer[i] = 0xff;
            }
        }
        uint256 size = how == Mode.ReturnShort ? answer.length - 1 : answer.length;
        assembly ("memory-safe") {
            if reverts { revert(add(answer, 0x20), size) }
            return(add(answer, 0x20), size)
        }
    }

    /// @inheritdoc IRiskParameters
    function paramsNoOlderThan(bytes32 market, uint256 maxAgeSeconds) external view returns (Params memory current) {
        _failIfTold();
        current = _markets[market].current;
        Status status = _markets[market].status;
        if (status == Status.Unset) revert ParamsUnset(market);
        if (status == Status.Withheld) revert ParamsWithheld(market);
        uint256 ageSeconds = block.timestamp - current.periodStart;
        if (status == Status.Stale || ageSeconds > maxAgeSeconds) revert StaleParams(ageSeconds, maxAgeSeconds);
    }

    /// @inheritdoc IRiskParameters
    function pending(bytes32 market)
        external
        view
        returns (RiskVector memory next, uint256 effectiveAt, uint256 liquidationReachedAt)
    {
        _failIfTold();
        Market storage told = _markets[market];
        return (told.next, told.effectiveAt, told.liquidationReachedAt);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IRiskParameters).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    function _land(bytes32 market, RiskVector memory vector, uint16 probabilityBps, uint32 volatilityE9) private {
        _markets[market].status = Status.Fresh;
        Params storage current = _markets[market].current;
        current.periodStart = uint40(block.timestamp - block.timestamp % PERIOD_SECONDS);
        current.updatedAt = uint40(block.timestamp);
        setForecast(market, probabilityBps, volatilityE9, volatilityE9);
        setVector(market, vector);
    }

    function _failIfTold() private view {
        if (mode == Mode.RevertWithReason) revert Told();
        bool empty = mode == Mode.RevertEmpty;
        bool burn = mode == Mode.BurnGas;
        assembly ("memory-safe") {
            if empty { revert(0, 0) }
            if burn { invalid() }
        }
    }
}
