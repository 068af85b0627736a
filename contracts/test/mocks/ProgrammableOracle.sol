// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../../src/interfaces/IRiskParameters.sol";

/// @notice The one call of a risk oracle that a fee hook makes, answered as told: well, badly, or not at all.
contract ProgrammableOracle {
    enum Behaviour {
        Answer,
        RevertEmpty,
        RevertReason,
        RevertWithAnswer,
        RevertBomb,
        ReturnNothing,
        ReturnShort,
        ReturnLong,
        ReturnBomb,
        StatusBeyondEnum,
        StatusMaximal,
        BurnAllGas,
        LoopForever
    }

    uint256 private constant ANSWER_BYTES = 320;
    uint256 private constant BOMB_BYTES = 100_000;

    Behaviour public behaviour;
    bytes32 public market;
    IRiskParameters.Status public status;
    uint256 public feeWord;
    uint256 public gasToBurn;
    uint256 public volatilityWord = 77_778;

    constructor(bytes32 market_) {
        market = market_;
    }

    function behave(Behaviour next) external {
        behaviour = next;
    }

    /// @notice The fee need not fit its type, as a broken oracle's would not.
    function set(IRiskParameters.Status status_, uint256 feeWord_) external {
        (status, feeWord) = (status_, feeWord_);
    }

    /// @notice The volatility that the parameters follow, times 1e9.
    function setVolatility(uint32 volatilityE9) external {
        volatilityWord = volatilityE9;
    }

    /// @notice Gas to spend before an answer.
    function setGasToBurn(uint256 amount) external {
        gasToBurn = amount;
    }

    /// @dev The words of `IRiskParameters.params`, each field but the fee a possible one that is no sensible fee or status.
    function params(bytes32 market_) external view returns (uint256[10] memory words) {
        uint256 goal = gasleft() - gasToBurn;
        (words[0], words[1], words[2], words[3]) = (7_770, 7_771, 17_772, 17_773 - 100);
        (words[5], words[6], words[7], words[8]) = (7_775, 7_776, 77_777, volatilityWord);
        words[4] = feeWord;
        words[9] = uint256(market_ == market ? status : IRiskParameters.Status.Unset);

        Behaviour now_ = behaviour;
        if (now_ == Behaviour.RevertReason) revert("no");
        if (now_ == Behaviour.StatusBeyondEnum) words[9] = uint256(type(IRiskParameters.Status).max) + 1;
        if (now_ == Behaviour.StatusMaximal) words[9] = type(uint256).max;
        bool burn = now_ == Behaviour.BurnAllGas;
        bool reverts =
            now_ == Behaviour.RevertEmpty || now_ == Behaviour.RevertWithAnswer || now_ == Behaviour.RevertBomb;
        uint256 size = ANSWER_BYTES;
        if (now_ == Behaviour.RevertEmpty || now_ == Behaviour.ReturnNothing) size = 0;
        if (now_ == Behaviour.ReturnShort) size = ANSWER_BYTES - 1;
        if (now_ == Behaviour.ReturnLong) size = ANSWER_BYTES + 1;
        if (now_ == Behaviour.RevertBomb || now_ == Behaviour.ReturnBomb) size = BOMB_BYTES;

        while (gasleft() > goal || now_ == Behaviour.LoopForever) {}
        assembly {
            if burn { invalid() }
            if reverts { revert(words, size) }
            return(words, size)
        }
    }
}
