// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRiskParameters} from "../../../src/interfaces/IRiskParameters.sol";

/// @notice Answers every question with what it was told, or in one of the ways in which an oracle can be hostile.
contract ProgrammableOracle {
    enum Behaviour {
        Answer,
        RevertEmpty,
        RevertWithAnswer,
        RevertBomb,
        ReturnBomb,
        ReturnNothing,
        BurnAllGas,
        StarveUnlessFed
    }

    /// @dev With less gas than this, `StarveUnlessFed` withholds and tightens, as an oracle whose feeds ran dry would.
    uint256 private constant MEAL = 99_000;

    Behaviour private _behaviour;
    bytes private _answer;

    function behave(Behaviour next) external {
        _behaviour = next;
    }

    function answer() external view returns (bytes memory) {
        return _answer;
    }

    function answerWith(bytes memory next) external {
        (_behaviour, _answer) = (Behaviour.Answer, next);
    }

    /// @notice An update of the two ratios that lands now.
    function update(uint256 borrowRatioBps, uint256 liquidationRatioBps) external {
        IRiskParameters.Params memory p;
        p.updatedAt = uint40(block.timestamp);
        p.borrowCollateralRatioBps = uint16(borrowRatioBps);
        p.liquidationCollateralRatioBps = uint16(liquidationRatioBps);
        (_behaviour, _answer) = (Behaviour.Answer, abi.encode(p, IRiskParameters.Status.Fresh));
    }

    /// @notice Changes one word of the answer: 0 to 8 are the parameters, 9 is the status.
    function setWord(uint256 index, uint256 value) public {
        bytes memory changed = _answer;
        assembly ("memory-safe") {
            mstore(add(add(changed, 0x20), mul(index, 0x20)), value)
        }
        _answer = changed;
    }

    function setStatus(IRiskParameters.Status status) external {
        setWord(9, uint256(status));
    }

    fallback() external {
        uint256 given = gasleft();
        Behaviour behaviour = _behaviour;
        bytes memory reply = _answer;
        if (behaviour == Behaviour.StarveUnlessFed && given < MEAL) {
            assembly ("memory-safe") {
                mstore(add(reply, 0x60), 20000)
                mstore(add(reply, 0x140), 4)
            }
        }
        assembly ("memory-safe") {
            switch behaviour
            case 1 { revert(0, 0) }
            case 2 { revert(add(reply, 0x20), mload(reply)) }
            case 3 { revert(0, 200000) }
            case 4 { return(0, 200000) }
            case 5 { return(0, 0) }
            case 6 { invalid() }
            default { return(add(reply, 0x20), mload(reply)) }
        }
    }
}
